"""What comes from platforms: SMPP and CMPP."""
