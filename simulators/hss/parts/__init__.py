"""What the management interface of an HSS offers, by what it is about."""
