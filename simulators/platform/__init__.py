"""A customer's platform: it sends messages to its cards and takes theirs, by SMPP 3.4 or CMPP 2.0."""
