"""What the management interface of an MME offers, by what it is about."""
