"""Numbers of cards (MSISDN): the one way in which they are normalised."""

from __future__ import annotations

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
