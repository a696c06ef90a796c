"""A user's file of number ranges, in place of the ranges that come with simwarden."""

from __future__ import annotations

from pathlib import Path

from simwarden.errors import ConfigError, Place
from simwarden.policy.number_ranges import NumberRanges, known_ranges


def load_ranges(path: str) -> NumberRanges:
    """Return the ranges of a file, for an empty path those that are shipped. Raises ConfigError."""
    if not path:
        return known_ranges()
    try:
        return NumberRanges.parse(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", Place(path)) from error
    except ValueError as error:
        raise ConfigError(f"is no file of ranges: {error}", Place(path)) from error
