"""What the management interface of the OCS is about."""
