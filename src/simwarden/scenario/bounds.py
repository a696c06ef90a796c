"""Bounds of a number that is expected: `used: {at_most: 10 MB}`, `attempts: {at_least: 2, at_most: 4}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from simwarden.model.units import octets, seconds

if TYPE_CHECKING:
    from simwarden.scenario.problems import Problems
    from simwarden.scenario.yamlfile import Spot

BOUNDS: Final = ("at_least", "at_most")


def is_bounds(want: Any) -> bool:
    """Return True for a mapping of bounds."""
    return isinstance(want, Mapping) and bool(want) and all(key in BOUNDS for key in want)


def amount(text: str) -> float:
    """Return a bound: a number, a volume in octets or a duration in seconds. Raises ValueError."""
    for read in (float, octets, seconds):
        try:
            return float(read(text))
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no number, volume or duration; write for example 5, 10 MB, 30 s")


def check_bounds(what: str, want: Mapping[str, Any], spot: Spot, problems: Problems) -> None:
    """Note a bound that is no number, and bounds that exclude each other."""
    found = {}
    for key, bound in want.items():
        try:
            found[key] = amount(str(bound))
        except ValueError as error:
            problems.add(f"{what}: {key}: {error}", (spot / key).place)
    if len(found) == len(BOUNDS) and found["at_least"] > found["at_most"]:
        told = f"{what}: no number is at least {want['at_least']} and at most {want['at_most']}"
        problems.add(told, spot.place)


def is_within(number: float, bounds: Mapping[str, Any]) -> bool:
    """Return True if a number is within bounds that were checked."""
    return all(
        number >= amount(str(bound)) if key == "at_least" else number <= amount(str(bound))
        for key, bound in bounds.items()
    )
