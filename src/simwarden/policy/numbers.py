"""Who a number stands for, however it is written: the one way in which parties of calls and messages are compared.

National, `+86`, `0086`, with a trunk prefix or by its type of number, it is one party; a code of a service, a number of
a fixed line and a text never are the same party, though their digits are. Beijing's fixed lines (010 6580 0012) have
the digits of codes of services (10 6580 0012): what decides is the trunk prefix, or that the country code is said.
"""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container

_SEPARATORS: Final = str.maketrans("", "", " -().\u00a0\u2010\u2011")
#: the numbering plan is that of the guideline's country
COUNTRY: Final = "86"
#: digits of the longest national number without its trunk prefix; a code that is longer does not begin with 86
_LONGEST_NATIONAL: Final = 11
#: digits of the longest address that any protocol of messages carries
_LONGEST: Final = 20


class TypeOfNumber(enum.IntEnum):
    """How a number is written, as Q.931 4.5.10 and all that follow it have it (TS 23.040 9.1.2.5, SMPP 3.4 5.2.5)."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6


class PartyKind(enum.Enum):
    """What a party is."""

    SUBSCRIBER = "subscriber"
    FIXED_LINE = "fixed-line"
    CODE = "code"
    FOREIGN = "foreign"
    TEXT = "text"


class Party(NamedTuple):
    """Somebody who sends or receives: equal for all ways to write the same one.

    `number` is the national number, of a fixed line with its area code; of a foreigner the number with its country
    code; of a text the text.
    """

    kind: PartyKind
    number: str

    def __str__(self) -> str:
        return f"+{self.number}" if self.kind is PartyKind.FOREIGN else self.number


#: numbers of subscribers to mobile services, without the country code: cards and telephones (see number_ranges.toml)
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}|14[0-9]{11}|1064[6-9][0-9]{8}")
#: area code and number of a fixed line: Beijing's is 10 with 8 digits, others do not begin with 1
_FIXED: Final = re.compile(r"10[0-9]{8}|[2-9][0-9]{9,10}")


@lru_cache(maxsize=1 << 14)
def party(text: str, ton: int = TypeOfNumber.UNKNOWN) -> Party:
    """Return who a number stands for, by its digits and its type of number. Raises ValueError for an empty one.

    What is no number is a text, which is nobody's number: also digits that are said to be a text, since nobody can
    answer them.
    """
    digits = text.strip().translate(_SEPARATORS)
    plus = digits.startswith("+")
    digits = digits.removeprefix("+")
    if not text.strip():
        raise ValueError("a number without digits")
    if ton == TypeOfNumber.ALPHANUMERIC or not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST):
        return Party(PartyKind.TEXT, text.strip())
    international = plus or ton == TypeOfNumber.INTERNATIONAL or digits.startswith("00")
    if international:
        return _international(digits.removeprefix("00"))
    found = _told_apart(digits)
    if found is not None:
        return found
    if ton == TypeOfNumber.NATIONAL and _FIXED.fullmatch(digits):
        return Party(PartyKind.FIXED_LINE, digits)
    return Party(PartyKind.CODE, digits)


def known_code(text: str, ton: int, known: Container[Party]) -> Party:
    """Return the party of a number; a code of `known` if its digits with or without the country code are that code.

    Without a list, 86 before a short code may be part of it, and +86 before ten digits is a fixed line of Beijing.
    Raises ValueError for an empty number.
    """
    who = party(text, ton)
    if who in known:
        return who
    return next((each for each in _possible_codes(text, ton) if each in known), who)


def code_digits(code: str) -> str:
    """Return the digits of a service code without the country code, the form in which codes are compared.

    Raises ValueError for an empty one.
    """
    return party(code).number.removeprefix(COUNTRY)


def code_length(text: str, ton: int, code: str) -> int:
    """Return the digits of a service code that a number is, or extends; 0 if it does neither."""
    own, who = party(code), party(text, ton)
    extended = own.kind is PartyKind.CODE and any(
        each.number.startswith(own.number) for each in _possible_codes(text, ton)
    )
    return len(code_digits(code)) if who == own or extended else 0


def _possible_codes(text: str, ton: int) -> tuple[Party, ...]:
    """Return the codes that digits may be, without and with the country code; none for a text or a subscriber."""
    if party(text, ton).kind in (PartyKind.TEXT, PartyKind.SUBSCRIBER):
        return ()
    digits = text.strip().translate(_SEPARATORS)
    whole = digits.removeprefix("+").removeprefix("00")
    if (digits != whole or ton == TypeOfNumber.INTERNATIONAL) and not whole.startswith(COUNTRY):
        return ()
    national = whole.removeprefix(COUNTRY)
    return Party(PartyKind.CODE, national), Party(PartyKind.CODE, f"{COUNTRY}{national}")


def international(number: str) -> str:
    """Return a number as protocols carry it that know no type of number: with its country code, without `+` (E.164).

    So has MSISDN in Diameter (TS 29.329 6.3.2). Raises ValueError for an empty one.
    """
    who = party(number)
    return who.number if who.kind is PartyKind.FOREIGN else f"{COUNTRY}{who.number}"


def spellings(number: str) -> tuple[str, ...]:
    """Return all forms in which digits of one number may be kept: as they are, and with and without the country code.

    Raises ValueError for an empty one.
    """
    whole = international(number)
    return tuple(dict.fromkeys((number.removeprefix("+"), whole, whole.removeprefix(COUNTRY), f"00{whole}")))


def _international(digits: str) -> Party:
    """Return who a number with its country code stands for; some write a trunk prefix behind that."""
    if not digits.startswith(COUNTRY):
        return Party(PartyKind.FOREIGN, digits)
    national = digits.removeprefix(COUNTRY)
    found = _told_apart(national, again=False)
    if found is not None:
        return found
    return Party(PartyKind.FIXED_LINE if _FIXED.fullmatch(national) else PartyKind.CODE, national)


def _told_apart(digits: str, *, again: bool = True) -> Party | None:
    """Return who national digits stand for, where these alone say it; None for what may be a code of a service."""
    if _MOBILE.fullmatch(digits):
        return Party(PartyKind.SUBSCRIBER, digits)
    if digits.startswith("0"):
        rest = digits[1:]
        return Party(PartyKind.SUBSCRIBER if _MOBILE.fullmatch(rest) else PartyKind.FIXED_LINE, rest)
    # a country code without `+` or `00` is one only before digits that no national number has behind it
    if again and digits.startswith(COUNTRY):
        inner = _told_apart(digits.removeprefix(COUNTRY), again=False)
        if inner is not None:
            return inner
        if len(digits) > _LONGEST_NATIONAL:
            return Party(PartyKind.CODE, digits.removeprefix(COUNTRY))
    return None
