"""Runs campaigns, one or all: the bar, what is printed, JSON, pages, what is accepted, and the exit code."""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from simwarden.campaign.grid import Order, write
from simwarden.campaign.html_pages import render, render_check
from simwarden.campaign.tables import print_table
from simwarden.cli import exits
from simwarden.cli.choosing import workers_of
from simwarden.cli.interrupts import stopped, stopping
from simwarden.cli.progress import RunBar
from simwarden.errors import ConfigError
from simwarden.model.units import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.campaign.grid import Finding, Grid
    from simwarden.cli.campaigns import Asked

_CODES = {"error": exits.INTERNAL, "failed": exits.FAILED, "untried": exits.NOTHING, "passed": exits.PASSED}
#: findings that `check` shows of a part
_SHOWN = 12


def play(grid: Grid, asked: Asked) -> NoReturn:
    """Run a campaign and print its result. Ends with the command's exit code."""
    order = Order(workers_of(asked.jobs), asked.seed, _until(asked.budget))
    unfit = grid.reason_not_acceptable(order) if asked.accept is not None else ""
    if unfit:
        raise ConfigError(f"--accept: {unfit}")
    _carry_out(grid, order)
    if asked.accept is not None and not grid.faults and not stopped():
        for path in grid.accept(asked.accept):
            exits.complain(f"written: {path}")
    if asked.json:
        print(_json(grid.data()), end="")
    else:
        lines = [line for table in grid.tables() if not table.on_page for line in print_table(table)]
        while lines and not lines[-1]:
            lines.pop()
        exits.show("\n".join([*lines, *_findings(list(grid.findings())), "", grid.line]).strip("\n"))
    _keep(grid, asked, asked.html)
    raise typer.Exit(_told_interrupted() or _CODES[grid.verdict])


def check(campaigns: Sequence[Grid], asked: Asked) -> NoReturn:
    """Run campaigns one after another, and print the sum of each. Ends with the worst of their exit codes."""
    began, until, workers = time.monotonic(), _until(asked.budget), workers_of(asked.jobs)
    parts: list[Grid] = []
    for number, grid in enumerate(campaigns):
        now = time.monotonic()
        if stopped():
            break
        order = Order(workers, asked.seed, now + (until - now) / (len(campaigns) - number))
        _carry_out(grid, order, f" of {grid.name}")
        parts.append(grid)
        if not asked.json:
            exits.show("\n".join(_sum(grid)))
        _keep(grid, asked, "", ["check", *(each.name for each in campaigns)])
    verdicts = [each.verdict for each in parts]
    counts = ", ".join(f"{verdicts.count(word)} {word}" for word in reversed(_CODES) if word in verdicts)
    line = f"{counts}; {time.monotonic() - began:.1f} s"
    if asked.json:
        print(_json({each.name: each.data() for each in parts}), end="")
    else:
        exits.show(f"\n{line}")
    for path, folder in _places(asked, asked.html, "check.html"):
        _page(path, render_check(parts, line, folder))
    raise typer.Exit(_told_interrupted() or next(code for word, code in _CODES.items() if word in verdicts))


def _until(budget: str) -> float:
    """Return when a budget that begins now is spent. Raises ConfigError."""
    try:
        minutes = re.sub(r"(\d)\s*m$", r"\1 min", budget)  # `30m`, as other commands have it
        return time.monotonic() + (seconds(minutes or "0") or math.inf)
    except ValueError as error:
        raise ConfigError(f"--budget: {error}") from None


def _carry_out(grid: Grid, order: Order, of: str = "") -> None:
    began = time.monotonic()
    with stopping(order.interruption.set), RunBar(grid.counted + of) as bar:
        grid.carry_out(replace(order, progress=bar.tell))
    grid.seconds = time.monotonic() - began


def _told_interrupted() -> int:
    """Return the exit code of an interruption, after a message; 0 if there was none."""
    code = stopped()
    if code:
        exits.complain("interrupted: this is what was found until then")
    return code


def _sum(grid: Grid) -> Iterator[str]:
    """Yield what `check` prints of one campaign."""
    yield f"{grid.verdict:<8} {grid.name:<9} {grid.line}"
    findings = list(grid.findings())
    yield from (f"  {line}".rstrip() for line in _findings(findings[:_SHOWN]))
    if len(findings) > _SHOWN:
        yield f"  and {len(findings) - _SHOWN} more: `simwarden {grid.name}` tells them"


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the lines of findings, those with several lines apart."""
    for each in findings:
        if each.lines or each is findings[0]:
            yield ""
        yield each.what
        yield from (f"  {line}" for line in each.lines)


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _keep(grid: Grid, asked: Asked, html: str, coming: Sequence[str] = ()) -> None:
    """Write the page of a campaign, and into a report its data, its files and what its runs answer as well."""
    for path, folder in _places(asked, html, f"{grid.name}.html"):
        _page(path, render(grid, folder, coming))
    if not asked.report:
        return
    write(Path(asked.report) / f"{grid.name}.json", _json(grid.data()))
    for name, text in grid.files():
        exits.complain(f"kept: {write(Path(asked.report) / name, text)}")
    for view in grid.views() if not coming else ():
        _keep(view, asked, "", coming)


def _places(asked: Asked, html: str, name: str) -> Iterator[tuple[Path, Path | None]]:
    """Yield where a page goes, and the folder of a report that it is in."""
    if html:
        yield Path(html), None
    if asked.report:
        yield Path(asked.report) / name, Path(asked.report)


def _page(path: Path, text: str) -> None:
    exits.complain(f"page: {write(path, text)}")  # standard output may be JSON
