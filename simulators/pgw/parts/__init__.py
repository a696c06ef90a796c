"""What the operator does at a PGW, by what it is about."""
