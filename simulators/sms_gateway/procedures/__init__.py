"""What a gateway does with binds and messages."""
