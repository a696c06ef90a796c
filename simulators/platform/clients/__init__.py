"""How a platform speaks to its gateway."""
