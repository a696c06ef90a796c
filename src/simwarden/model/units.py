"""Durations and volumes as people write them."""

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
SIZES = {"b": 1.0, "kb": 1e3, "mb": 1e6, "m": 1e6, "gb": 1e9, "g": 1e9, "tb": 1e12}
#: what the counters of a quota hold (Unsigned64, RFC 8506 8.21)
MOST_OCTETS = 2**64 - 1
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


def octets(text: str, bare: str = "b") -> int:
    """Read `30 MB`, `1.5GB`, `500 kB`; `bare` is the unit of a number alone. Raises ValueError."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([a-z]*)", text.lower().replace(" ", ""))
    if match is None or (match[2] or bare) not in SIZES:
        raise ValueError(f"{text!r} is no volume; write for example 30 MB, 1.5 GB")
    volume = float(match[1]) * SIZES[match[2] or bare]
    if volume > MOST_OCTETS:
        raise ValueError(f"{text[:20]!r} is more than a network carries; write for example 30 MB, 1.5 GB")
    return int(volume)
