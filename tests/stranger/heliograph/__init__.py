"""Flashes between a mirror and a station."""
