"""Guideline 2.1.3(2), the interlock of card and terminal: an area on the card holds the IMEI that it may work in."""

from __future__ import annotations

from simwarden.model.identity import Imei, imei_key
from simwarden.model.values import IMEI
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells


@tells(expected=IMEI, seen=IMEI.or_none())
def card_serves_terminal(*, bound: str, seen: str, fail_open: bool = False) -> Ruling:
    """Rule, for the card's applet, whether the card authenticates in the terminal that it is in.

    `bound` is the IMEI in the card's area, `seen` what the terminal answered to PROVIDE LOCAL INFORMATION (empty: it
    was not asked, cannot answer or would not), both as 14 to 16 digits.
    """
    facts = {"expected": Imei(imei_key(bound)).imei, "seen": Imei(imei_key(seen)).imei if seen else ""}
    if not seen:
        reason = "the terminal gives no IMEI"
        return Ruling.admit(f"{reason}, fails open", **facts) if fail_open else Ruling.refuse(reason, **facts)
    if imei_key(seen) == imei_key(bound):
        return Ruling.admit("the terminal's IMEI is the bound one", **facts)
    return Ruling.refuse("the terminal's IMEI is not the bound one", **facts)


@tells(expected=IMEI.or_none(), seen=IMEI)
def terminal_accepts_card(*, bound: str, seen: str) -> Ruling:
    """Rule, for a terminal that compares, whether it communicates with the card that it holds.

    `bound` is the IMEI in the card's area (empty: the card is bound to none), `seen` the terminal's own, both as 14 to
    16 digits.
    """
    facts = {"expected": Imei(imei_key(bound)).imei if bound else "", "seen": Imei(imei_key(seen)).imei}
    if not bound:
        return Ruling.admit("the card is bound to no terminal", **facts)
    if imei_key(bound) == imei_key(seen):
        return Ruling.admit("the IMEI on the card is the terminal's own", **facts)
    return Ruling.refuse("the IMEI on the card is not the terminal's own", **facts)
