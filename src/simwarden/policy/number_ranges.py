"""Guideline 2.1.1: only numbers of ranges dedicated to IoT are issued to IoT cards."""

from __future__ import annotations

import pkgutil
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from simwarden.model.values import GIVEN, MSISDN, NUMBER, Values, one_of
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: offenders of many that are named
_NAMED = 5


_SEPARATORS = str.maketrans("", "", " -\u00a0")
_LENGTHS = range(5, 16)


def national(text: str, country: str = "86") -> str:
    """Return a number without its country code: `+86 1440...`, `0086...`, `86...` and `1440...` are one number.

    A number without `+` or `00` has the country code only if it has more digits than the longest national number, 13.
    Raises ValueError for what is no number, and for one of another country.
    """
    digits = text.strip().translate(_SEPARATORS)
    international = digits.startswith(("+", "00"))
    digits = digits.removeprefix("+").removeprefix("00") if international else digits
    if not (digits.isascii() and digits.isdigit() and len(digits) in _LENGTHS):
        raise ValueError(f"{text!r} is no number: 5 to 15 digits are expected")
    if international:
        if not digits.startswith(country):
            raise ValueError(f"{text!r} is a number of another country than +{country}")
        return digits.removeprefix(country)
    return digits.removeprefix(country) if len(digits) > 11 and digits.startswith(country) else digits


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers of one length that begin alike. `kind` says what they are for where they are not dedicated to IoT."""

    prefix: str
    length: int
    dedicated: bool
    holder: str = ""
    kind: str = "IoT"

    def __str__(self) -> str:
        return f"{self.prefix} ({self.length} digits, {', '.join(filter(None, (self.kind, self.holder)))})"


@dataclass(frozen=True, slots=True)
class NumberRanges:
    """All ranges that are known, of one country."""

    country: str
    by_prefix: Mapping[tuple[str, int], NumberRange]

    @classmethod
    def parse(cls, text: str) -> NumberRanges:
        """Read a file of ranges (see `number_ranges.toml`). Raises ValueError that says what is wrong with it."""
        data = tomllib.loads(text)
        rows = data.get("range")
        if not isinstance(rows, list) or not rows:
            raise ValueError("it has no list `range`")
        return cls(_digits(data.get("country", "86"), "country"), dict(map(_range, rows)))

    def find(self, number: str) -> NumberRange | None:
        """Return the range of a national number: the longest prefix of its length; None if it is in none."""
        for end in range(len(number), 0, -1):
            found = self.by_prefix.get((number[:end], len(number)))
            if found is not None:
                return found
        return None


def _range(row: object) -> tuple[tuple[str, int], NumberRange]:
    if not isinstance(row, dict):
        raise ValueError(f"{row!r} is no range")  # noqa: TRY004 - a fault of a file
    if unknown := set(row) - {"prefix", "length", "dedicated", "holder", "kind"}:
        raise ValueError(f"a range has no {min(unknown)!r}")
    prefix, length, dedicated = _digits(row.get("prefix"), "prefix"), row.get("length"), row.get("dedicated")
    if not isinstance(dedicated, bool):
        raise ValueError(f"range {prefix} must say whether it is dedicated (true or false)")  # noqa: TRY004
    if not isinstance(length, int) or not len(prefix) <= length <= 15:
        raise ValueError(f"range {prefix}: its length is a number of digits from {len(prefix)} to 15")
    texts = {name: str(row[name]) for name in ("holder", "kind") if name in row}
    return (prefix, length), NumberRange(prefix, length, dedicated, **texts)


def _digits(value: Any, what: str) -> str:
    if not (isinstance(value, str) and value.isascii() and value.isdigit()):
        raise ValueError(f"{what} must be digits in quotes, not {value!r}")
    return value


def subscriber_range(number: str, ranges: NumberRanges | None = None) -> NumberRange | None:
    """Return the range of a number that a card or telephone has; None for what is none, as the code of a service."""
    known = ranges or known_ranges()
    try:
        return known.find(national(number, known.country))
    except ValueError:
        return None


@cache
def known_ranges() -> NumberRanges:
    """The ranges that come with simwarden."""
    data = pkgutil.get_data("simwarden.policy", "number_ranges.toml")
    assert data is not None  # noqa: S101 - the file is part of the package
    return NumberRanges.parse(data.decode())


DEDICATED = one_of("a dedicated IoT number")
KIND_OF_NUMBER = (
    Values("a kind of number", fits=lambda text: text in {each.kind for each in known_ranges().by_prefix.values()})
    | one_of("no known range")
    | MSISDN
    | GIVEN
).or_none()


@tells(expected=DEDICATED, seen=KIND_OF_NUMBER | NUMBER)
def judge_numbers(*, numbers: Sequence[str], ranges: NumberRanges | None = None) -> Ruling:
    """Rule whether the numbers of many cards may be issued: all of them, or none."""
    if len(numbers) == 1:
        return judge_number(number=numbers[0], ranges=ranges)
    wrong = [ruling for ruling in (judge_number(number=each, ranges=ranges) for each in numbers) if not ruling.admitted]
    if not wrong:
        return Ruling.admit(f"{len(numbers)} cards, all with numbers of dedicated ranges", seen=len(numbers))
    more = f", and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return Ruling.refuse("; ".join(each.reason for each in wrong[:_NAMED]) + more, **wrong[0].details)


@tells(expected=DEDICATED, seen=KIND_OF_NUMBER)
def judge_number(*, number: str, ranges: NumberRanges | None = None) -> Ruling:
    """Rule whether a number may be issued to an IoT card.

    A card without a number (a subscription for data only needs none) uses no public one, and is let have none.
    """
    known = ranges or known_ranges()
    if not number.strip():
        return Ruling.admit("the card has no number", seen="none")
    try:
        digits = national(number, known.country)
    except ValueError as error:
        return Ruling.refuse(str(error), expected="a dedicated IoT number", seen=number)
    found = known.find(digits)
    facts = {"expected": "a dedicated IoT number", "seen": found.kind if found else "no known range"}
    if found is None:
        return Ruling.refuse(f"{number} is in no known range of numbers", **facts)
    if not found.dedicated:
        return Ruling.refuse(f"{number} is a {found.kind} number, of range {found.prefix}", **facts)
    return Ruling.admit(f"{number} is of the dedicated range {found.prefix}", **facts)
