"""Bytes to messages and back: no I/O, no state. One folder (or file) a protocol family."""
