"""Guideline 2.1.3(2), the interlock of card and terminal: an area on the card holds the IMEI that it may work in."""

from __future__ import annotations

from simwarden.model.identity import imei_key
from simwarden.policy.decision import Ruling


def card_serves_terminal(*, bound: str, seen: str, fail_open: bool = False) -> Ruling:
    """Rule, for the card's applet, whether the card authenticates in the terminal that it is in.

    `bound` is the IMEI in the card's area, `seen` what the terminal answered to PROVIDE LOCAL INFORMATION (empty: it
    was not asked, cannot answer or would not), both as 14 to 16 digits.
    """
    facts = {"expected": imei_key(bound), "seen": seen}
    if not seen:
        reason = "the terminal gives no IMEI"
        return Ruling.admit(f"{reason}, fails open", **facts) if fail_open else Ruling.refuse(reason, **facts)
    if imei_key(seen) == imei_key(bound):
        return Ruling.admit("the terminal's IMEI is the bound one", **facts)
    return Ruling.refuse("the terminal's IMEI is not the bound one", **facts)
