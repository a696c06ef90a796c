"""The terminal: what a card is put into, its EMM state machine (TS 24.301) and its radio."""
