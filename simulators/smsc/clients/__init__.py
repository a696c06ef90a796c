"""What it asks others."""
