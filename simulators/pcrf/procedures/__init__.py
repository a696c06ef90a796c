"""Its procedures."""
