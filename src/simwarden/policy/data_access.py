"""Guideline 1.3(1), 2.2.3(3) three, 2.2.4: with whom a card exchanges packets, and what its lists may say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.model.values import GIVEN, NUMBER, USER_ADDRESS
from simwarden.policy.access_list import MOST, Destination
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from simwarden.policy.flow_rule import FlowRule


def _end(address: str, port: int) -> str:
    """Return the far end of a flow in words; `port` is 0 where the protocol has no ports (ICMP)."""
    return f"{address} port {port}" if port else address


@tells(expected=GIVEN.or_none(), seen=USER_ADDRESS, port=NUMBER, name=GIVEN.or_none())
def judge_flow(
    *, rule: FlowRule | None, open_: bool, pending: bool = False, address: str, port: int, name: str = ""
) -> Ruling:
    """Rule on packets of a flow in one direction by the rule that counts for them, and whether its gate is open there.

    `pending`: it counts if the flow shows the rule's name, which it has not yet. `name` is the one that it has shown.
    """
    facts = {"expected": rule.name if rule is not None else "", "seen": address, "port": port, "name": name}
    if rule is None:
        shown = f" and shows {name}" if name else ""
        return Ruling.refuse(f"no rule of the card lets it pass: it is with {_end(address, port)}{shown}", **facts)
    if not open_:
        return Ruling.refuse(f"the gate of rule {rule.name} is closed in this direction", **facts)
    return Ruling.admit(f"rule {rule.name}" + (", if it shows its name" if pending else ""), **facts)


@tells(expected=GIVEN.or_none(), seen=USER_ADDRESS, port=NUMBER, name=GIVEN.or_none())
def judge_denied(*, rule: FlowRule | None, address: str, port: int, name: str = "") -> Ruling:
    """Rule on a flow by the rule that closes its gates both ways, None: no such rule counts for it."""
    facts = {"expected": rule.name if rule is not None else "", "seen": address, "port": port, "name": name}
    if rule is not None:
        return Ruling.refuse(f"rule {rule.name} denies it: it is with {name or address}", **facts)
    return Ruling.admit("nothing denies it", **facts)


@tells(seen=USER_ADDRESS, port=NUMBER)
def judge_inbound(*, begun: bool, listed: bool, address: str, port: int) -> Ruling:
    """Rule on a packet from outside at a stateful gate: the device began its flow, or it comes from a listed server."""
    facts = {"seen": address, "port": port}
    if begun or listed:
        return Ruling.admit("the device began the flow" if begun else "the server is listed", **facts)
    return Ruling.refuse(f"the device began no flow with {_end(address, port)}, which is no listed server", **facts)


@tells(expected=NUMBER, seen=NUMBER)
def judge_destinations(*, entries: Collection[str], most: int = MOST["data"], approved: str = "") -> Ruling:
    """Rule on the whitelist of a card: in principle at most 10 destinations, and none that stands for anybody's.

    `approved` is by whom or by which reference it has more, or wider ones. Raises ValueError for what is no entry.
    """
    found = dict.fromkeys(map(Destination.parse, entries))
    facts = {"expected": most, "seen": len(found)}
    why = [f"{each.text}: {each.open_ended}" for each in found if each.open_ended]
    if len(found) > most:
        why.insert(0, f"{len(found)} destinations, and a card has {most} in principle")
    if why and not approved.strip():
        return Ruling.refuse("; ".join(why), **facts)
    return Ruling.admit(f"{len(found)} destinations" + (f", approved: {approved}" if why else ""), **facts)


@tells(expected=GIVEN.or_none())
def judge_directed(*, whitelist: Sequence[str] | None) -> Ruling:
    """Rule whether a card's session gets a rule for all destinations (guideline 2.2.3(3) three).

    A card with a whitelist gets none.
    """
    if whitelist is None:
        return Ruling.admit("the card is not directed")
    return Ruling.refuse(f"rules for its whitelist alone ({len(whitelist)} entries)", expected=list(whitelist))
