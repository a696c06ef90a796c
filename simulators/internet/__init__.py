"""The internet: what is beyond SGi, with hosts that answer and one that only watches."""
