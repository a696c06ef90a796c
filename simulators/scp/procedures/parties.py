"""Whom the numbers of an InitialDP stand for, and how a party is written in a Connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.scp.call import Direction
from simwarden.policy.numbers import COUNTRY, Party, PartyKind, TypeOfNumber
from simwarden.wire.cap import EventType
from simwarden.wire.isup import INTERNATIONAL, NATIONAL, Number

if TYPE_CHECKING:
    from simwarden.wire.cap import InitialDP
    from simwarden.wire.tbcd import AddressString

_UNKNOWN: Final = 2
_TYPES: Final = {
    1: TypeOfNumber.SUBSCRIBER,
    _UNKNOWN: TypeOfNumber.UNKNOWN,
    NATIONAL: TypeOfNumber.NATIONAL,
    INTERNATIONAL: TypeOfNumber.INTERNATIONAL,
}
"""Types of numbers by natures of address (Q.763 3.9)."""
#: numbering plans of E.164, and none said (Q.763 3.9, Q.931 4.5.10)
_PLANS: Final = (0, 1)
#: ST, the end of what was dialled (Q.763 3.9)
_END: Final = "f"
#: screening: what the user said is true, or the network says it (Q.763 3.10)
_VERIFIED: Final = (1, 3)
_NOT_AVAILABLE: Final = 2


class Told(NamedTuple):
    """A number as it was told: digits, and the type of number; without digits nobody's."""

    digits: str = ""
    ton: int = TypeOfNumber.UNKNOWN


def direction_of(asked: InitialDP) -> Direction | None:
    """Return what a call is to the card, None for what no trigger of ours is (TS 23.078 4.4, 4.5)."""
    if asked.event_type_bcsm is EventType.TERM_ATTEMPT_AUTHORIZED:
        return Direction.MT
    if asked.event_type_bcsm not in (EventType.COLLECTED_INFO, EventType.ANALYZED_INFORMATION):
        return None
    redirected = asked.redirecting_party_id is not None or asked.redirection_information is not None
    return Direction.FORWARDED if redirected else Direction.MO


def far_end(asked: InitialDP, direction: Direction) -> Told:
    """Return the other party: of an incoming call by the number that the network has verified, shown or not.

    A generic number beside it is what the caller's side says, and admits nobody.
    """
    if direction is Direction.MT:
        caller = asked.calling_party_number
        if caller is None or caller.screening not in _VERIFIED or caller.presentation == _NOT_AVAILABLE or caller.flag:
            return Told()
        return _read(caller)
    dialled = asked.called_party_bcd_number if direction is Direction.MO else None
    return _read(dialled if dialled is not None else asked.called_party_number)


def own_number(asked: InitialDP, direction: Direction) -> Told:
    """Return the card's own number, as far as it is told."""
    own = {
        Direction.MO: asked.calling_party_number,
        Direction.MT: asked.called_party_number,
        Direction.FORWARDED: asked.redirecting_party_id,
    }
    return _read(own[direction])


def _read(number: Number | AddressString | None) -> Told:
    if number is None:
        return Told()
    digits = number.digits.removesuffix(_END)
    if number.plan not in _PLANS:
        return Told(digits, TypeOfNumber.ALPHANUMERIC)
    if isinstance(number, Number):
        return Told(digits, _TYPES.get(number.nature, TypeOfNumber.ALPHANUMERIC))
    known = number.nature in {*TypeOfNumber}
    return Told(digits, TypeOfNumber(number.nature) if known else TypeOfNumber.ALPHANUMERIC)


def routing_address(who: Party) -> Number:
    """Return how a party is connected to, so that the call goes to whom was judged and to nobody else.

    A code of a service has no country code, and is none of the national numbers that it may look like.
    """
    if who.kind is PartyKind.CODE:
        return Number(who.number, _UNKNOWN)
    return Number(who.number if who.kind is PartyKind.FOREIGN else f"{COUNTRY}{who.number}", INTERNATIONAL)
