"""Sans-I/O state machines that several elements share; time and randomness come in as arguments."""
