"""What a user does with a terminal, by what it is about."""
