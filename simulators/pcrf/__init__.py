"""The PCRF: decides which flows of a card's sessions pass, and tells the PGW by rules on Gx."""
