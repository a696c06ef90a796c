"""Ten benches against the last recorded ratios: CPU time of each beside that of a fixed piece of Python.

The reference takes longer on a slower or busier machine, as the benches do, so that the ratio moves little. It is
timed just before and just after each bench, since the speed of a machine changes within minutes. A run with
BENCH_RATIOS=compare fails where a bench costs more than `TOLERANCE` times what `tests/bench/ratios.json` records;
BENCH_RATIOS=record writes the file.
"""

from __future__ import annotations

import hashlib
import json
import re
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

RECORD: Final = Path(__file__).parents[1] / "bench" / "ratios.json"
#: noise of a machine with neighbours is about a tenth
TOLERANCE: Final = 1.3
#: rows of `figures.ROWS`, all measured by CPU time
BENCHES: Final = (
    "`simwarden --help`",
    "command to first verdict and report",
    "a first attach in all elements, full trace",
    "user packets from endpoint to endpoint, in memory",
    "sessions set up and ended at SGW and PGW, in memory",
    "user packets through the PGW, in memory",
    "new flows of a card with ten destinations decided at the PGW",
    "sessions set up with Gx and Gy, OCS durable, equal lists",
    "calls connected by an SCP, both ends, in memory",
    "messages into the service centre",
)
_UNITS: Final = {"s": 1.0, "ms": 1e-3}


#: the CPU seconds of the reference beside each bench that has run
_references: dict[str, float] = {}


def time_reference() -> float:
    """Return the CPU seconds of the reference: hashing, JSON, and small objects in dictionaries; median of 7."""

    def once() -> float:
        began = time.process_time()
        table: dict[str, tuple[int, bytes]] = {}
        for number in range(20_000):
            name = f"{number * 7919 % 10_000:05d}"
            table[name] = (number, hashlib.sha256(name.encode()).digest())
        json.loads(json.dumps({name: [number, digest.hex()] for name, (number, digest) in table.items()}))
        return time.process_time() - began

    return statistics.median(once() for _ in range(7))


def note_reference(benches: Iterable[str], seconds: float) -> None:
    """Note what the reference took beside benches."""
    _references.update(dict.fromkeys(benches, seconds))


def seconds_each(figure: str) -> float:
    """Return the seconds of one operation from a figure such as `1,378/s`, `4.78 ms` or `0.18 s`. Raises ValueError."""
    match = re.match(r"([\d,.]+)(/s| ms| s)", figure)
    if match is None:
        raise ValueError(f"{figure!r}: expected a rate, or a time in s or ms")
    value = float(match[1].replace(",", ""))
    return 1 / value if match[2] == "/s" else value * _UNITS[match[2].strip()]


def ratios_of(figures: dict[str, str]) -> dict[str, float]:
    """Return the ratio of each of the ten benches. Raises KeyError if one of them has not run."""
    return {bench: seconds_each(figures[bench]) / _references[bench] for bench in BENCHES}


def record(figures: dict[str, str]) -> None:
    """Write the ratios of a run."""
    ratios = {bench: float(f"{ratio:.4g}") for bench, ratio in ratios_of(figures).items()}
    RECORD.write_text(json.dumps(ratios, indent=2) + "\n", "utf-8")


def slower(figures: dict[str, str], recorded: dict[str, float]) -> list[str]:
    """Return a line for each bench that costs more than `TOLERANCE` times its recorded ratio."""
    ratios = ratios_of(figures)
    return [
        f"{bench}: {ratio / recorded[bench]:.2f} times the recorded ratio"
        for bench, ratio in ratios.items()
        if ratio > TOLERANCE * recorded[bench]
    ]
