"""What may be seen of the SSP."""
