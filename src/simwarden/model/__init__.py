"""Identities of cards, terminals and cells, and what a card is."""
