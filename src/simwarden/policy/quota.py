"""Guideline 1.3, 2.2.2: how much of a service a card has in a month, and who may have large data.

The window is the calendar month. A card of small data has at most 100 MB in each, so that its monthly average is at
most that over whatever months it is taken.
"""

from __future__ import annotations

from simwarden.model.values import NUMBER
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells
from simwarden.policy.need import SMALL


@tells(expected=NUMBER.or_none(), seen=NUMBER)
def judge_units(*, used: int, quota: int | None, asked: int = 1) -> Ruling:
    """Rule whether a card is given units of a service, octets, messages or seconds: `asked` at least, or nothing.

    `used` are those of the month that are used or given out; without a `quota` it is given none.
    """
    facts = {"expected": quota, "seen": used + asked}
    if quota is None:
        return Ruling.refuse("the card has no quota for it", **facts)
    if used + asked > quota:
        return Ruling.refuse(f"{used} of {quota} are used or given out", **facts)
    return Ruling.admit(f"{quota - used} of {quota} are left", **facts)


@tells(expected=NUMBER.or_none(), seen=NUMBER.or_none())
def judge_volume(*, octets: int | None, large: bool, most: int = SMALL) -> Ruling:
    """Rule on the data quota of a card, in octets a month: above 100 MB it is one of large data (1.3(2), (3)).

    None is given with the card: it has what is set for its use, which for small data is no more either.
    """
    facts = {"expected": None if large else most, "seen": octets}
    if octets is not None and octets > most and not large:
        return Ruling.refuse(f"{octets} octets a month, and the card is one of small data", **facts)
    return Ruling.admit("it is a card of large data" if large else "it is small data", **facts)


@tells(seen=NUMBER)
def judge_granted(*, units: int, why: str, free: bool = False) -> Ruling:
    """Rule whether packets of a rating group pass, by the octets that its OCS has granted; `why` is what it said.

    `free`: it is not there, has wanted its sessions to go on then, and is obeyed.
    """
    if free:
        return Ruling.admit(f"the OCS wants it to go on without it: {why}", seen=units)
    if units > 0:
        return Ruling.admit(f"{units} octets are granted", seen=units)
    return Ruling.refuse(f"no octets are granted: {why}", seen=units)
