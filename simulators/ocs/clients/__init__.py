"""What the OCS asks of those that it grants."""
