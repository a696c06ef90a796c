"""What the operator does at a platform beside its cards."""
