"""`explore`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from simwarden.campaign.engine import write
from simwarden.cli import exits
from simwarden.cli.progress import RunBar
from simwarden.cli.shipped import shipped
from simwarden.errors import ConfigError
from simwarden.model.units import seconds
from simwarden.scenario.during import MISHAPS
from simwarden.scenario.explore.bench import bench, plan_of
from simwarden.scenario.explore.reviewed import accept, read_reviewed
from simwarden.scenario.explore.survey import Order, survey
from simwarden.scenario.explore.table import as_data, judge, lines_of
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simwarden.scenario.explore.table import Judged

#: what an element may suffer, in words of `--fault`
_AILMENTS = ("restarted", "killed", "silent", "slow")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be explored, by name, in which folder and network."""

    stories: Sequence[str]
    changes: Sequence[str]
    faults: Sequence[str]
    folder: str
    network: str


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of it, see `survey.Order`."""

    seed: int
    runs: int
    pairs: int
    points: int
    budget: str


@dataclass(frozen=True, slots=True)
class Output:
    """What becomes of what is found."""

    json: bool
    accept: str
    html: str
    report: str


def explore_stories(wanted: Wanted, amount: Amount, output: Output, workers: int) -> None:
    """Explore, and print what was found. Ends with the command's exit code."""
    folder = Path(wanted.folder) if wanted.folder else shipped() / "explore"
    order = _order(folder, wanted, amount, workers)
    reviewed = read_reviewed(folder)
    with RunBar() as bar:
        judged = judge(survey(order, bar.tell), reviewed)
    if not judged.survey.planned and not judged.survey.broken:
        exits.complain("nothing was chosen: no change of those asked for makes sense in these stories")
        raise typer.Exit(exits.NOTHING)
    if output.accept and judged.new:
        exits.complain(f"written: {accept(folder, judged.new, output.accept)}")
        judged = judge(judged.survey, read_reviewed(folder))
    if output.json:
        print(json.dumps(as_data(judged), indent=1, ensure_ascii=False))
    else:
        exits.show("\n".join(lines_of(judged)))
    _write(output, judged)
    raise typer.Exit(exits.FAILED if judged.wrong else exits.PASSED)


def _order(folder: Path, wanted: Wanted, amount: Amount, workers: int) -> Order:
    """Return what is asked for. Raises ConfigError for what there is not."""
    plan = plan_of(str(folder))
    return Order(
        folder=str(folder),
        network=wanted.network,
        stories=_known(wanted.stories, plan.stories, "story"),
        changes=_known(wanted.changes, plan.changes, "change"),
        faults=_faults(wanted.faults),
        seed=amount.seed,
        runs=amount.runs,
        pairs=amount.pairs,
        points=amount.points,
        budget=_budget(amount.budget),
        workers=workers,
    )


def _known(names: Sequence[str], known: Iterable[str], what: str) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            raise ConfigError(f"no {what} is called {name!r}", hint=guess(name, known))
    return tuple(names)


def _faults(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in MISHAPS and name.partition("-")[0] not in _AILMENTS:
            known = (*MISHAPS, *_AILMENTS)
            raise ConfigError(f"no fault is called {name!r}", hint=guess(name, known))
    return tuple(names)


def _budget(text: str) -> float:
    try:
        return seconds(text) if text else 0.0
    except ValueError as error:
        raise ConfigError(f"--budget: {error}") from None


def _write(output: Output, judged: Judged) -> None:
    """Write the page, all as data, and a scenario of each finding that is new."""
    if output.html or output.report:
        from simwarden.scenario.explore.page import page_of  # noqa: PLC0415 - templates load when they are needed

        write_pages(page_of(judged), output.html, output.report, "explore.html")
    if not output.report:
        return
    from simwarden.scenario.explore.repeat import scenario_of  # noqa: PLC0415 - only who keeps findings pays for it

    folder, wanted = Path(output.report) / "explore", judged.survey.order
    for number, finding in enumerate(judged.new, 1):
        first = finding.first
        here = bench(wanted.folder, wanted.network, wanted.seed, first.story, first.change)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{number:03}-{finding.what.replace(' + ', '-')}-{finding.message}.yaml"
        path.write_text(scenario_of(here, finding), encoding="utf-8")
        exits.complain(f"finding: {path}")
    text = json.dumps(as_data(judged), indent=1, ensure_ascii=False)
    (Path(output.report) / "explore.json").write_text(text + "\n", encoding="utf-8")


def write_pages(page: str, file: str, folder: str, name: str) -> None:
    """Write a page to a file, into a folder of a report, or both. Raises ConfigError if it cannot be written."""
    for path in (*([Path(file)] if file else []), *([Path(folder) / name] if folder else [])):
        print(f"page: {write(path, page)}")
