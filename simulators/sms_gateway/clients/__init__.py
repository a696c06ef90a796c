"""Whom a gateway asks: the SMSC."""
