"""Carries campaigns out, one or all: the bar, what is printed, JSON, pages, what is accepted, and the exit code."""

from __future__ import annotations

import json
import math
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from simwarden.campaign.engine import Done, Order, write
from simwarden.campaign.sheet import render, render_check
from simwarden.cli import exits
from simwarden.cli.choosing import workers_of
from simwarden.cli.interrupts import stopped, stopping
from simwarden.cli.progress import RunBar
from simwarden.errors import ConfigError
from simwarden.model.units import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.campaign.engine import Campaign, Wrong
    from simwarden.cli.campaigns import Asked

_CODES = {"error": exits.INTERNAL, "failed": exits.FAILED, "untried": exits.NOTHING, "passed": exits.PASSED}
#: what is wrong that `check` shows of a part
_SHOWN = 12


def play(campaign: Campaign, asked: Asked) -> NoReturn:
    """Carry a campaign out and tell what came of it. Ends with the command's exit code."""
    order = Order(workers_of(asked.jobs), asked.seed, _until(asked.budget))
    accepts = asked.update or asked.accept is not None
    unfit = campaign.unfit(order) if accepts else ""
    if unfit:
        raise ConfigError(f"--accept: {unfit}")
    done = _carry_out(campaign, order)
    if accepts and not done.result.faults and not stopped():
        for path in done.result.accept(asked.accept or ""):
            exits.complain(f"written: {path}")
        done = Done(done.name, done.result, done.seconds)
    if asked.json:
        print(_json(done.result.data()), end="")
    else:
        exits.show("\n".join(_lines(done)).strip("\n"))
    _keep(done, asked, asked.html)
    raise typer.Exit(_told_interrupted() or _CODES[done.verdict])


def check(campaigns: Sequence[Campaign], asked: Asked) -> NoReturn:
    """Carry campaigns out one after another, and tell what came of all. Ends with the worst of their exit codes."""
    began, until, workers = time.monotonic(), _until(asked.budget), workers_of(asked.jobs)
    parts: list[Done] = []
    for number, campaign in enumerate(campaigns):
        now = time.monotonic()
        if stopped():
            break
        order = Order(workers, asked.seed, now + (until - now) / (len(campaigns) - number))
        done = _carry_out(campaign, order, f" of {campaign.name}")
        parts.append(done)
        if not asked.json:
            exits.show("\n".join(_told(done)))
        _keep(done, asked, "", ["check", *(each.name for each in campaigns)])
    verdicts = [each.verdict for each in parts]
    counts = ", ".join(f"{verdicts.count(word)} {word}" for word in reversed(_CODES) if word in verdicts)
    line = f"{counts}; {time.monotonic() - began:.1f} s"
    if asked.json:
        print(_json({each.name: each.data() | {"data": each.result.data()} for each in parts}), end="")
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


def _carry_out(campaign: Campaign, order: Order, of: str = "") -> Done:
    began = time.monotonic()
    with stopping(order.interruption.ask), RunBar(campaign.counted + of) as bar:
        result = campaign.carry_out(order, bar.tell)
    return Done(campaign.name, result, time.monotonic() - began)


def _told_interrupted() -> int:
    """Return the exit code of an interruption, having told of it; 0 if there was none."""
    code = stopped()
    if code:
        exits.complain("interrupted: this is what was found until then")
    return code


def _lines(done: Done) -> Iterator[str]:
    """Yield what is printed of one campaign."""
    parts = ["\n".join(done.result.lines()).rstrip(), "\n".join(_wrong(done.wrong)).rstrip(), f"\n{done.line}"]
    yield from filter(None, parts)


def _told(done: Done) -> Iterator[str]:
    """Yield what is printed of one campaign among others."""
    yield f"{done.verdict:<8} {done.name:<9} {done.line}"
    yield from (f"  {line}".rstrip() for line in _wrong(done.wrong[:_SHOWN]))
    if len(done.wrong) > _SHOWN:
        yield f"  and {len(done.wrong) - _SHOWN} more: `simwarden {done.name}` tells them"


def _wrong(wrong: Sequence[Wrong]) -> Iterator[str]:
    """Yield what is wrong, what has several lines apart."""
    for each in wrong:
        if each.lines or each is wrong[0]:
            yield ""
        yield each.what
        yield from (f"  {line}" for line in each.lines)


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _keep(done: Done, asked: Asked, html: str, coming: Sequence[str] = ()) -> None:
    """Write the page of a campaign, and into a report all of it as data, and what it wants to be kept."""
    for path, folder in _places(asked, html, f"{done.name}.html"):
        _page(path, render(done, folder, coming))
    if asked.report:
        write(Path(asked.report) / f"{done.name}.json", _json(done.result.data()))
        for name, text in done.result.kept():
            exits.complain(f"kept: {write(Path(asked.report) / name, text)}")


def _places(asked: Asked, html: str, name: str) -> Iterator[tuple[Path, Path | None]]:
    """Yield where a page goes, and the folder of a report that it is in."""
    if html:
        yield Path(html), None
    if asked.report:
        yield Path(asked.report) / name, Path(asked.report)


def _page(path: Path, text: str) -> None:
    exits.complain(f"page: {write(path, text)}")  # standard output may be JSON
