"""Guideline 1.1, 2.2.2, 2.2.3(1), 3.2(1): with whom a card has calls, when, on whose word, and for how long.

Numbers are compared as the parties that they stand for (`numbers.party`). Times of calls are counted in units of
100 ms, as CAP has them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from simwarden.model.address import is_within
from simwarden.model.values import ADDRESS, GIVEN, NETWORK, NUMBER, one_of, shaped
from simwarden.policy.access_list import MOST
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells
from simwarden.policy.numbers import TypeOfNumber, party
from simwarden.policy.short_messages import PARTY, same_party

if TYPE_CHECKING:
    from collections.abc import Collection

EMERGENCY: Final = frozenset({"110", "119", "120", "122"})
"""Police, fire, ambulance and traffic police."""
WORLDWIDE_EMERGENCY: Final = frozenset({"112", "911"})
"""Numbers that every terminal knows as emergency numbers (TS 22.101 10.1.1)."""
TENTHS_A_MINUTE: Final = 600
_DAY: Final = 24 * 60
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def is_emergency(number: str, ton: int = TypeOfNumber.UNKNOWN) -> bool:
    """Whether a dialled number is one of emergency services: as it stands, with no digit before or behind it."""
    return number in EMERGENCY and ton != TypeOfNumber.INTERNATIONAL


@tells(expected=PARTY | GIVEN, seen=PARTY | one_of("none"))
def judge_call_party(
    *,
    number: str,
    ton: int = TypeOfNumber.UNKNOWN,
    listed: Collection[str] | None,
    undirected: bool = False,
    emergency: bool = False,
) -> Ruling:
    """Rule with whom a card has a call: the numbers listed for this direction, None: voice is off.

    `number` is the one dialled, or the caller's as the network has verified it, empty where it has verified none;
    `emergency` says that a terminal has dialled an emergency number.
    """
    seen = number.strip() or "none"
    if emergency:
        return Ruling.admit("it is an emergency number", seen=seen)
    if listed is None:
        return Ruling.refuse("voice is off for the card", seen=seen)
    if undirected:
        return Ruling.admit("the card's calls are not directed", seen=seen)
    facts = {"expected": sorted(listed), "seen": seen}
    if not number.strip():
        return Ruling.refuse("there is no number that the network has verified", **facts)
    if same_party(number, ton, listed):
        return Ruling.admit("the number is listed for the card", **facts)
    return Ruling.refuse("the number is not listed for the card", **facts)


@tells(expected=NUMBER, seen=NUMBER)
def judge_call_numbers(*, numbers: Collection[str], most: int = MOST["voice"], approved: str = "") -> Ruling:
    """Rule on the list of a card: in principle at most 5 numbers, in and out together.

    `approved` is by whom or by which reference it has more.
    """
    parties = {party(each) for each in numbers}
    facts = {"expected": most, "seen": len(parties)}
    if len(parties) > most and not approved.strip():
        return Ruling.refuse(f"{len(parties)} numbers, and a card has {most} in principle", **facts)
    return Ruling.admit(f"{len(parties)} numbers" + (f", approved: {approved}" if approved.strip() else ""), **facts)


@tells(expected=NUMBER, seen=NUMBER)
def judge_call_time(*, used: int, quota: int) -> Ruling:
    """Rule whether a call may begin or go on, by the month's time that is used or given out; `quota` 0: none is set."""
    facts = {"expected": quota, "seen": used}
    if quota and used >= quota:
        return Ruling.refuse(f"{used / 10:g} s of {quota / 10:g} s are used", **facts)
    return Ruling.admit("the quota allows it" if quota else "no quota is set", **facts)


@tells(seen=GIVEN.or_none())
def judge_call_state(*, suspended: str | None) -> Ruling:
    """Rule on a card by its state: why it is suspended, None if it is not."""
    if suspended is not None:
        return Ruling.refuse("the card is suspended", seen=suspended)
    return Ruling.admit("the card is in force")


def span_of(hours: str) -> range:
    """Return the minutes of a day in a span such as `08:00-18:00`, or over midnight. Raises ValueError."""
    found = _HOURS.fullmatch(hours)
    if found is None:
        raise ValueError(f"{hours!r} is no span of hours such as 08:00-18:00")
    begin, end = (int(found[at]) * 60 + int(found[at + 1]) for at in (1, 3))
    if end > _DAY or begin == end:
        raise ValueError(f"{hours!r} is no span within a day")
    return range(begin, end if end > begin else end + _DAY)


@tells(expected=shaped("a span of hours such as 08:00-18:00", r"\d\d:\d\d-\d\d:\d\d"), seen=NUMBER)
def judge_call_hours(*, minute: int, hours: str) -> Ruling:
    """Rule on a call by the minute of the day; `hours` is when the card may have calls."""
    span = span_of(hours)
    facts = {"expected": hours, "seen": minute}
    if minute in span or minute + _DAY in span:
        return Ruling.admit("it is within the card's hours", **facts)
    return Ruling.refuse("it is outside the card's hours", **facts)


@tells(expected=NUMBER, seen=NUMBER)
def judge_pin(*, right: bool, tried: int, most: int) -> Ruling:
    """Rule on the digits that somebody dials when asked for the card's PIN; `tried` counts this attempt."""
    if right:
        return Ruling.admit("the PIN is right", expected=most, seen=tried)
    return Ruling.refuse(f"the PIN is wrong, try {tried} of {most}", expected=most, seen=tried)


@tells(expected=GIVEN.or_none(), seen=GIVEN.or_none())
def judge_same_owner(*, began: str, account: str) -> Ruling:
    """Rule on a call in progress by whose card it `began` on, and whose it is now."""
    if began == account:
        return Ruling.admit("the card's owner is the same", expected=began, seen=account)
    return Ruling.refuse("the card has another owner than when the call began", expected=began, seen=account)


@tells(expected=NETWORK, seen=ADDRESS)
def judge_trunk(*, address: str, trunks: Collection[str]) -> Ruling:
    """Rule whether a call may come from an address: the configured trunks alone are in the network (RFC 3325 5, 6).

    `trunks` are the networks from which they send.
    """
    facts = {"expected": sorted(trunks), "seen": address}
    if is_within(address, trunks):
        return Ruling.admit("the call comes from a configured trunk", **facts)
    return Ruling.refuse(f"the call comes from {address}, which is no configured trunk", **facts)


@tells(expected=GIVEN, seen=GIVEN | one_of("none"))
def judge_ssp(*, ssp: str, listed: Collection[str]) -> Ruling:
    """Rule whether an exchange may ask about calls: `ssp` is its name, empty where it speaks from no known address."""
    facts = {"expected": sorted(listed), "seen": ssp or "none"}
    if ssp in listed:
        return Ruling.admit("the exchange is one of the dedicated core", **facts)
    return Ruling.refuse("the exchange is none of the dedicated core", **facts)
