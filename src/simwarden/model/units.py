"""Durations as people write them."""

from __future__ import annotations

import re

UNITS = {
    "ms": 0.001,
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "week": 604800.0, "weeks": 604800.0,
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def seconds(text: str) -> float:
    """Read `15 s`, `90 days`, `1 h 30 min`, `500 ms`; a number alone is seconds. Raises ValueError."""
    rest = text.strip().lower()
    total, parts = 0.0, 0
    while rest:
        match = _PART.match(rest)
        if match is None or (match[2] and match[2] not in UNITS):
            break
        total += float(match[1]) * UNITS[match[2] or "s"]
        parts += 1
        rest = rest[match.end() :].strip()
    if rest or not parts:
        raise ValueError(f"{text!r} is no duration; write for example 15 s, 500 ms, 2 h or 90 days")
    return total


def show(value: float) -> str:
    """Write seconds briefly: `15 s`, `90 d`, `1.5 h`."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if value >= size:
            return f"{value / size:.4g} {unit}"
    return f"{value:.3g} s"
