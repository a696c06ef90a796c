"""What the outside world shows and does."""
