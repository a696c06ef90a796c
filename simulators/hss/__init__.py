"""The home subscriber server: authentication, locations, and the binding of card and terminal (TS 29.272)."""
