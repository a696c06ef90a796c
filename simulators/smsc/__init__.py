"""The short message service centre."""
