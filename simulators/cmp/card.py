"""A card as the platform holds it."""

from __future__ import annotations

from dataclasses import dataclass

from simwarden.policy.card_states import CardState


@dataclass(slots=True, weakref_slot=True)
class Card:
    """One card. `mode` says how it is bound: `given`, `learned`, or not at all; `bound` is empty before a first use.

    IMEIs have 14 digits. `terminal` is the one that the network saw it in last, `first` the first one ever.
    `operated` is when somebody last did something to it, in seconds since 1970, 0 for never. `owed` is what the
    subscriber register has still to be told: `suspend`, `resume`, `close` or nothing.
    """

    imsi: str
    iccid: str = ""
    msisdn: str = ""
    name: str = ""
    form: str = ""
    account: str = ""
    batch: str = ""
    state: CardState = CardState.TO_ACTIVATE
    mode: str = ""
    bound: str = ""
    terminal: str = ""
    first: str = ""
    mismatches: int = 0
    operated: float = 0.0
    owed: str = ""
