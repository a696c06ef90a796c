"""Guideline 1.2, 2.2.3(2), 3.2(1): with whom a card exchanges short messages, by which centre, how many.

Numbers are compared as the parties that they stand for (`numbers.party`), so that nothing leaks or is blocked by its
spelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.model.values import GIVEN, HOST, NAME, NUMBER, SWITCH, one_of, shaped
from simwarden.policy.access_list import MOST
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells
from simwarden.policy.numbers import PartyKind, code_length, known_code, party

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: a number, a code of a service, or a text that stands for one
PARTY: Final = shaped("a number, a code or a text", r".{1,40}")


def same_party(number: str, ton: int, listed: Collection[str]) -> bool:
    """Whether a number, however it is written, is one of those listed."""
    return bool(number.strip()) and party(number, ton) in {party(each) for each in listed}


def is_listed(number: str, ton: int, listed: Collection[str]) -> bool:
    """Return True if the other party of a message is listed; a listed code is found with and without country code."""
    entries = {party(each) for each in listed}
    return bool(number.strip()) and known_code(number, ton, entries) in entries


@tells(expected=PARTY | GIVEN, seen=PARTY | HOST)
def judge_service_centre(
    *,
    address: str,
    centres: Mapping[str, str],
    host: str | None = None,
    way: Collection[str] = (),
    agents: Collection[str] = (),
) -> Ruling:
    """Rule whether a message runs by a dedicated service centre: by its address and, where one asks, by who asks.

    `centres` are the addresses of the dedicated ones by their Diameter identities; `host` is the asker's, None where a
    device alone names the address. `way` are the nodes that handed the request on (Route-Record and the peer): the
    asker itself, and the `agents` that stand before it, or it is in the asker's name only.
    """
    facts = {"expected": sorted(centres.values()), "seen": address}
    if host is not None and host not in centres:
        return Ruling.refuse(f"{host} is no dedicated service centre", **facts | {"seen": host})
    stranger = next((node for node in way if node != host and node not in agents), None)
    if stranger is not None:
        return Ruling.refuse(f"{stranger} is not to speak for {host}", **facts | {"seen": stranger})
    allowed = centres.values() if host is None else (centres[host],)
    if not same_party(address, 0, allowed):
        return Ruling.refuse("the address is not that of the dedicated service centre", **facts)
    return Ruling.admit("it is the dedicated service centre", **facts)


@tells(seen=one_of("off", "on", "circuit-switched"))
def judge_sms_registration(*, opened: bool, voice: bool = False) -> Ruling:
    """Rule whether an MME is registered for a card's messages (TS 29.272 5.2.1.1.3, TS 23.272 C.8).

    SMS is off unless it was opened; a card with voice gets its messages by the MSC, and by one node only.
    """
    if not opened:
        return Ruling.refuse("SMS is off for the card", seen="off")
    if voice:
        return Ruling.refuse("the card has voice: its messages run by the MSC", seen="circuit-switched")
    return Ruling.admit("SMS was opened for the card", seen="on")


@tells(expected=PARTY | GIVEN, seen=PARTY)
def judge_correspondent(
    *, number: str, ton: int = 0, listed: Collection[str] | None, undirected: bool = False
) -> Ruling:
    """Rule with whom a card exchanges messages, in both directions: the numbers listed for it, None: SMS is off."""
    if listed is None:
        return Ruling.refuse("SMS is off for the card", seen=number)
    if undirected:
        return Ruling.admit("the card's messages are not directed", seen=number)
    facts = {"expected": sorted(listed), "seen": number}
    if is_listed(number, ton, listed):
        return Ruling.admit("the number is listed for the card", **facts)
    return Ruling.refuse("the number is not listed for the card", **facts)


@tells(expected=NUMBER, seen=NUMBER | PARTY)
def judge_numbers(*, numbers: Collection[str], most: int = MOST["sms"], approved: str = "") -> Ruling:
    """Rule on the list of a card: platforms' numbers alone, in principle at most 5, send and receive together.

    `approved` is by whom or by which reference it has more; a number of somebody who is no platform is never on it.
    """
    parties = {party(each) for each in numbers}
    people = sorted((each for each in parties if each.kind is not PartyKind.CODE), key=str)
    if people:
        return Ruling.refuse(f"{people[0]} is no number of a platform", expected=most, seen=str(people[0]))
    facts = {"expected": most, "seen": len(parties)}
    if len(parties) > most and not approved.strip():
        return Ruling.refuse(f"{len(parties)} numbers, and a card has {most} in principle", **facts)
    return Ruling.admit(f"{len(parties)} numbers" + (f", approved: {approved}" if approved.strip() else ""), **facts)


@tells(expected=PARTY | GIVEN, seen=PARTY)
def judge_originator(*, number: str, ton: int = 0, codes: Collection[str], others: Collection[str] = ()) -> Ruling:
    """Rule whether a gateway may send in the name of a number: a code of its own, or one that extends it.

    The longest code decides, as for messages that cards send: a code of another gateway (`others`) that the number is,
    or extends, is refused although it extends a code of this gateway. The number of a fixed line is refused although a
    code has its digits: recipients would see that number.
    """
    facts = {"expected": sorted(codes), "seen": number or "none"}
    fixed_line = bool(number.strip()) and party(number, ton).kind is PartyKind.FIXED_LINE
    own = 0 if fixed_line else longest_code(number, ton, codes)
    if own and own >= longest_code(number, ton, others):
        return Ruling.admit("the code is the gateway's own", **facts)
    return Ruling.refuse("the code is none of the gateway's", **facts)


def longest_code(number: str, ton: int, codes: Collection[str]) -> int:
    """Return the digits of the longest of some codes that a number is, or extends; 0 for none."""
    return max((code_length(number, ton, each) for each in codes), default=0) if number.strip() else 0


@tells(expected=NUMBER, seen=NUMBER, temporary=SWITCH)
def judge_message_quota(*, used: int, parts: int, quota: int) -> Ruling:
    """Rule on a message of so many parts by the number used this month; `quota` 0: none is set."""
    facts = {"expected": quota, "seen": used + parts}
    if quota and used + parts > quota:
        return Ruling.refuse(f"{used} messages of {quota} are used", **facts)
    return Ruling.admit("the quota allows it" if quota else "no quota is set", **facts)


@tells(expected=NAME | GIVEN, seen=GIVEN | one_of("none", "too many"))
def judge_gateway(*, system_id: str, listed: Collection[str], proven: bool, tries: int, most: int) -> Ruling:
    """Rule whether somebody may bind as a gateway: by its system_id, and by its password (`proven`).

    `tries` are the binds that failed lately from where this one comes; at `most` none is tried for a while.
    """
    facts = {"expected": sorted(listed), "seen": system_id or "none"}
    if tries >= most:
        return Ruling.refuse(
            f"{tries} binds from there failed: none is tried for a while", **facts | {"seen": "too many"}
        )
    if system_id not in listed:
        return Ruling.refuse("no gateway has this system_id", **facts)
    if not proven:
        return Ruling.refuse("the password is not the gateway's", **facts)
    return Ruling.admit("the gateway is listed, and knows its password", **facts)
