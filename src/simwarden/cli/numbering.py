"""`numbers`: which of a list of numbers are of no range dedicated to IoT cards (guideline 2.1.1)."""

from __future__ import annotations

import csv
import json
import sys
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from simwarden.cli import exits
from simwarden.cli.card_table import COLUMNS, opened
from simwarden.cli.progress import RunBar
from simwarden.errors import ConfigError, Place
from simwarden.policy.number_ranges import judge_number
from simwarden.runtime.number_ranges import load_ranges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EVERY = 10_000


def audit_numbers(target: str, ranges: str, encoding: str, *, as_json: bool) -> None:
    """Name the numbers that were not to be issued. Ends with the command's exit code."""
    known = load_ranges(ranges)
    wrong, total, without = [], 0, 0
    for line, number in _numbers(target, encoding):
        total += 1
        without += not number
        ruling = judge_number(number=number, ranges=known)
        if not ruling.admitted:
            wrong.append({"line": line, "number": number, "reason": ruling.reason})
            if not as_json:
                print(f"{target}:{line}: {ruling.reason}")
    if not total:
        raise ConfigError("no number is in it", Place(target))
    if as_json:
        print(json.dumps({"numbers": total, "offenders": wrong, "without_number": without}, ensure_ascii=False))
    else:
        told = f", {without} without a number" if without else ""
        print(f"{total} lines: {len(wrong)} with a number of no dedicated range (2.1.1){told}")
    raise typer.Exit(exits.FAILED if wrong else exits.PASSED)


def _numbers(target: str, encoding: str) -> Iterator[tuple[int, str]]:
    if target == "-":
        yield from _of_lines(sys.stdin)
        return
    with opened(Path(target), encoding) as (file, _, lines), RunBar("lines") as bar:
        for done, each in zip(count(1), _of_lines(file)):
            if done % _EVERY == 0:
                bar.tell(done, lines, "")
            yield each


def _of_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield numbers with their lines: of the column for them where the first line is a head, else of the first one."""
    rest = iter(lines)
    head = next(rest, "")
    delimiter = max(",;\t", key=head.count)
    names = [cell.strip().lower() for cell in next(csv.reader([head], delimiter=delimiter), [])]
    column = next((names.index(word) for word in COLUMNS["msisdn"] if word in names), None)
    if column is None and any(map(str.isalpha, head)):
        raise ConfigError(f"the first line is a head and names no number; write {' or '.join(COLUMNS['msisdn'][:2])}")
    reader = csv.reader(rest if column is not None else chain([head], rest), delimiter=delimiter)
    first = 2 if column is not None else 1
    while True:
        line = reader.line_num + first
        cells = next(reader, None)
        if cells is None:
            return
        if any(cells):
            cell = cells[column or 0] if len(cells) > (column or 0) else ""
            yield line, cell.strip().removeprefix("=").strip("\"'\t ")
