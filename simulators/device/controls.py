"""What a terminal itself enforces."""

from __future__ import annotations

from simwarden.policy.decision import Control
from simwarden.policy.interlock import terminal_accepts_card

#: when the terminal compares: it resets a card that is put in, or that it finds as it is switched on
CARD_RESET = "card-reset"
INTERLOCK = Control(
    "bind.card", "bind.card", terminal_accepts_card, (CARD_RESET,), "The terminal compares the IMEI on the card"
)
