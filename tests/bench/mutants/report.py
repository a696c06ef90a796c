"""What became of mutants, for people and for the gate."""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operators import Mutant


_KINDS = ("scenarios", "unit tests", "survived", "not made")


@dataclass
class Result:
    """What became of a mutant: its kind is one of `_KINDS`, and `by` what killed it."""

    mutant: Mutant
    kind: str
    by: str = ""
    unreached: bool = False


def report(results: list[Result], listed: dict[str, str], red: list[str]) -> dict[str, Any]:
    """Return what a campaign found: counts by file, and what the gate has to say."""
    files: dict[str, collections.Counter[str]] = {}
    for each in results:
        files.setdefault(each.mutant.file, collections.Counter())[each.kind] += 1
    survivors = sorted(each.mutant.name for each in results if each.kind == "survived")
    noticed = {each.mutant.name: each.by for each in results if each.by}
    return {
        "tried": sum(each.kind != "not made" for each in results),
        "files": {file: dict(files[file]) for file in sorted(files)},
        "killed": noticed,
        "unlisted": [name for name in survivors if name not in listed],
        "listed": {name: listed[name] for name in survivors if name in listed},
        "listed and killed": {name: noticed[name] for name in listed if name in noticed},
        "not reached": sorted(each.mutant.name for each in results if each.unreached),
        "red": red,
    }


def gate(found: dict[str, Any]) -> int:
    """Return the exit code: 2 if nothing was tried, or something is red by itself; 1 for an unlisted survivor."""
    if not found["tried"] or found["red"]:
        return 2
    return 1 if found["unlisted"] else 0


def text_of(found: dict[str, Any]) -> str:
    """Say it for people."""
    counts = {file: [by.get(kind, 0) for kind in _KINDS] for file, by in found["files"].items()}
    counts["in all"] = [sum(each) for each in zip(*counts.values(), strict=True)] or [0] * len(_KINDS)
    rows = [("", _KINDS), *counts.items()]
    lines = [f"{file:>60}" + "".join(f"{each:>12}" for each in row) for file, row in rows]
    lines += [f"listed survivor: {name}\n    {reason}" for name, reason in found["listed"].items()]
    lines += [f"KILLED, though listed: {name}\n    by {by}" for name, by in found["listed and killed"].items()]
    lines += [
        f"SURVIVES: {name}" + (" (not reached)" if name in found["not reached"] else "") for name in found["unlisted"]
    ]
    lines += [f"RED without any mutant: {name}" for name in found["red"]]
    by_scenarios, by_tests, survived = counts["in all"][:3]
    tried = by_scenarios + by_tests + survived
    different = tried - sum(reason.startswith("equivalent") for reason in found["listed"].values())
    if not different:
        return "\n".join((*lines, f"{tried} mutants tried"))
    lines.append(f"{tried} mutants tried: {by_scenarios / tried:.1%} killed by scenarios alone")
    lines.append(f"{different} of them not equivalent: {(tried - survived) / different:.1%} killed in all")
    return "\n".join(lines)
