"""What the operator does at a gateway, by what it is about."""
