"""What the platform does, a file for each kind of procedure."""
