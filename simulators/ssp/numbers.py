"""Numbers between the protocols: telephony BCD of radio and MAP, ISUP's of CAP, users of SIP URIs.

Whom a number stands for, `policy.numbers` says; here are only the forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.policy.numbers import COUNTRY, Party, PartyKind, party
from simwarden.wire import isup
from simwarden.wire.isup import Number
from simwarden.wire.q850 import Cause, CauseValue
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 15
_CAUSES: Final = {int(each): each for each in CauseValue}
#: type of number (TS 24.008 10.5.4.7) by nature of address (Q.763 3.9), and back
_TYPES: Final = {isup.INTERNATIONAL: 1, isup.NATIONAL: 2}
_NATURES: Final = {1: isup.INTERNATIONAL, 2: isup.NATIONAL}
#: nature of address: unknown (national use)
_UNKNOWN: Final = 2
#: presentation and screening of a calling party (Q.763 3.10)
RESTRICTED, NETWORK_PROVIDED, NOT_VERIFIED = 1, 3, 0


def who(number: AddressString) -> Party:
    """Return whom a number stands for."""
    return party(number.digits or "?", number.nature)


def is_same(one: AddressString, other: AddressString) -> bool:
    """Whether two numbers are one party's."""
    return who(one) == who(other)


def address_of(number: Number) -> AddressString:
    """Return a number of CAP as one that is dialled."""
    return AddressString(number.digits, _TYPES.get(number.nature, 0))


def number_of(address: AddressString, *, presentation: int = 0, screening: int = 0) -> Number:
    """Return a number that was dialled as CAP has it."""
    nature = _NATURES.get(address.nature, _UNKNOWN)
    return Number(address.digits, nature, presentation=presentation, screening=screening)


def international(address: AddressString) -> str:
    """Return a number in international form without `+`, of a code its digits."""
    found = who(address)
    if found.kind in (PartyKind.SUBSCRIBER, PartyKind.FIXED_LINE):
        return f"{COUNTRY}{found.number}"
    return found.number


def written(address: AddressString) -> str:
    """Return a number as SIP has it: with `+` unless it is a code of a service."""
    found = who(address)
    return found.number if found.kind in (PartyKind.CODE, PartyKind.TEXT) else f"+{international(address)}"


def read(text: str) -> AddressString:
    """Return the number of a SIP URI."""
    return AddressString(text.removeprefix("+"), 1) if text.startswith("+") else AddressString(text, 0)


def longest(number: str, prefixes: Iterable[str]) -> int:
    """Return the length of the longest prefix that a number has, -1 for none."""
    return max((len(each) for each in prefixes if number.startswith(each)), default=-1)


def is_e164(digits: str) -> bool:
    """Whether digits may be a number of the telephone network (E.164: at most 15): else MAP and CAP cannot tell it."""
    return digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST


def cause_of(cause: Cause) -> int:
    """Return a cause by its name in Q.850, where it has one."""
    return _CAUSES.get(cause.value, cause.value)
