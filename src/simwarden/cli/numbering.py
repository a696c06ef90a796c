"""`numbers`: which of a list of numbers are of no range dedicated to IoT cards (guideline 2.1.1)."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import typer

from simwarden.cli import exits
from simwarden.cli.card_table import COLUMNS
from simwarden.cli.csv_rows import bare, read_rows, read_with_bar
from simwarden.errors import ConfigError, Place
from simwarden.operations.number_ranges import load_ranges
from simwarden.policy.number_ranges import judge_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _Entry(NamedTuple):
    """A number of a list, or what is wrong with its line."""

    line: int
    number: str
    wrong: str = ""


def audit_numbers(target: str, ranges: str, encoding: str, *, as_json: bool) -> None:
    """Name the numbers that were not to be issued. Ends with the command's exit code."""
    known = load_ranges(ranges)
    sums: Counter[str] = Counter()
    offenders, unread = [], []
    for line, number, wrong in read_with_bar(target, encoding, partial(_of_lines, target=target)):
        if wrong:
            unread.append({"line": line, "what": wrong})
            exits.complain(f"{target}:{line}: {wrong}")
            continue
        sums["numbers"] += 1
        sums["without_number"] += not number
        ruling = judge_number(number=number, ranges=known)
        if not ruling.admitted:
            offenders.append({"line": line, "number": number, "reason": ruling.reason})
            if not as_json:
                print(f"{target}:{line}: {ruling.reason}")
    if not sums["numbers"] and not unread:
        raise ConfigError("no number is in it", Place(target))
    if as_json:
        told = {name: sums[name] for name in ("numbers", "without_number")}
        print(json.dumps({**told, "offenders": offenders, "unread": unread}, ensure_ascii=False))
    else:
        parts = [f"{sums['numbers']} entries: {len(offenders)} with a number of no dedicated range (2.1.1)"]
        parts += [f"{sums['without_number']} without a number"] * bool(sums["without_number"])
        parts += [f"{len(unread)} lines cannot be read"] * bool(unread)
        print(", ".join(parts))
    raise typer.Exit(exits.USAGE if unread else exits.FAILED if offenders else exits.PASSED)


def _of_lines(lines: Iterable[str], target: str) -> Iterator[_Entry]:
    """Yield numbers with their lines: of the column for them where the first row is a head, else of all cells."""
    rows = read_rows(lines)
    head = next(rows, None)
    if head is None:
        return
    names = [cell.strip().lower() for cell in head.cells]
    column = next((names.index(word) for word in COLUMNS["msisdn"] if word in names), None)
    if column is None and any(name[:1].isalpha() for name in names):
        words = " or ".join(COLUMNS["msisdn"][:2])
        raise ConfigError(f"the first line is a head and names no number; write {words}", Place(target, head.line))
    for row in chain([head] if column is None else [], rows):
        if row.wrong or (column is not None and len(row.cells) != len(names)):
            wrong = row.wrong or f"{len(row.cells)} cells, and the head has {len(names)} columns"
            yield _Entry(row.line, "", f"{wrong}{row.span}")
        elif column is not None:
            yield _Entry(row.line, bare(row.cells[column]))
        else:
            yield from (_Entry(row.line, number) for number in map(bare, row.cells) if number)
