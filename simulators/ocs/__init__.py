"""Online charging system: it grants what a card's quota of the month has left."""
