"""Signalling over M3UA in the event loop: associations, a signalling point, and users of TCAP at it."""
