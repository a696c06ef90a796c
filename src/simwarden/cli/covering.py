"""`coverage`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from simwarden.cli import exits
from simwarden.cli.choosing import load_checked, write_pages
from simwarden.cli.progress import RunBar
from simwarden.cli.shipped import shipped
from simwarden.scenario.coverage import as_data, cover, page_of, summary
from simwarden.scenario.load import Loader
from simwarden.scenario.runner import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.scenario.coverage import Cell, Coverage, Entry


@dataclass(frozen=True, slots=True)
class CoverOrder:
    """What the command line of `coverage` asks for."""

    paths: Sequence[str]
    workers: int = 1
    match: Sequence[str] = field(default_factory=list)
    seed: int = 0
    network: str = ""
    json: bool = False
    html: str = ""
    report: str = ""


def cover_suite(order: CoverOrder) -> None:
    """Run scenarios and print what they cover. Ends with the command's exit code."""
    loader = Loader(network_file=order.network)
    jobs = load_checked(loader, order.paths or [str(shipped())], match=order.match)
    with RunBar() as bar:
        coverage = cover(
            jobs, loader, RunOptions(seed=order.seed), network=order.network, workers=order.workers, tell=bar.tell
        )
    if order.json:
        print(json.dumps(as_data(coverage), indent=2, ensure_ascii=False))
    else:
        exits.show("\n".join(lines_of(coverage)))
    if order.html or order.report:
        write_pages(page_of(coverage), order.html, order.report, "coverage.html")
    if coverage.faults:
        raise typer.Exit(exits.INTERNAL)
    raise typer.Exit(exits.FAILED if coverage.broken else exits.PASSED)


def lines_of(coverage: Coverage) -> Iterator[str]:
    """Yield the table: a line a control, claims and (in brackets) other scenarios that show the outcome."""
    table = [("requirement", "clause", "state", "element/control", "admitted", "refused")]
    for entry in coverage.entries:
        table += _rows(entry)
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    for row in table:
        cells = [f"{text:<{width}}" for text, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, f"{row[4]:>10}", f"{row[5]:>10}"]).rstrip()
    for name, why in coverage.broken:
        yield f"\n{name} does not pass, and covers nothing: {why}"
    yield "\nadmitted, refused: scenarios that claim the outcome and show it (others that show it)"
    yield summary(coverage)


def _rows(entry: Entry) -> Iterator[tuple[str, str, str, str, str, str]]:
    first = entry.requirement.id, entry.requirement.clause, entry.state.value
    lines = [(row.point.name, _cell(row.admitted), _cell(row.refused)) for row in entry.rows]
    lines += [(f"{kind}: no control yet", "open", "open") for kind in entry.missing]
    for line in lines:
        yield (*first, *line)
        first = "", "", ""


def _cell(cell: Cell) -> str:
    others = f" ({len(cell.seen)})" if cell.seen else ""
    return f"{len(cell.claimed)}{others}" if cell.claimed else f"open{others}"
