"""What hosts of the internet do when they are spoken to."""
