"""Whom a terminal talks to: the eNB over the radio, the card over its contacts."""
