"""Whom it asks."""
