"""What its management is about."""
