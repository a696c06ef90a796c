"""`matrix`."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer
import yaml

from simwarden.cli import exits
from simwarden.cli.choosing import write_pages
from simwarden.cli.progress import RunBar
from simwarden.cli.shipped import shipped
from simwarden.errors import ConfigError
from simwarden.scenario.load import Loader
from simwarden.scenario.matrix import expected
from simwarden.scenario.matrix.plan import read_plan
from simwarden.scenario.matrix.story import story_of
from simwarden.scenario.matrix.survey import check_stories, survey
from simwarden.scenario.matrix.table import as_data, lines_of, summary, told_differences, troubles
from simwarden.scenario.problems import guess
from simwarden.scenario.registry import Registry
from simwarden.scenario.runner import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simwarden.scenario.matrix.expected import Difference
    from simwarden.scenario.matrix.plan import Plan
    from simwarden.scenario.matrix.survey import Matrix

#: columns of a table that goes into a pipe
_COLUMNS = 120


@dataclass(frozen=True, slots=True)
class CrossOrder:
    """What the command line of `matrix` asks for."""

    folder: str = ""
    workers: int = 1
    misuses: Sequence[str] = field(default_factory=list)
    methods: Sequence[str] = field(default_factory=list)
    services: Sequence[str] = field(default_factory=list)
    seed: int = 0
    json: bool = False
    html: str = ""
    report: str = ""
    update: bool = False


def cross(order: CrossOrder) -> None:
    """Fill the matrix and print it. Ends with the command's exit code."""
    plan = plan_of(order.folder)
    services = _known(order.services, plan.services, "service or path") or [plan.attach.name]
    misuses = _known(order.misuses, plan.misuses, "misuse")
    methods = _known(order.methods, plan.methods, "method")
    if order.update and (misuses or methods):
        raise ConfigError("--update writes the whole matrix: leave --misuse and --method out")
    check_stories(plan)
    with RunBar("cells") as bar:
        matrix = survey(
            plan, RunOptions(seed=order.seed), misuses=misuses, methods=methods, workers=order.workers, tell=bar.tell
        )
    if order.update and not matrix.faults:
        print(f"written: {expected.write(matrix)}")
    differences = expected.compare(matrix)
    if order.json:
        print(json.dumps(as_data(matrix, differences), indent=2, ensure_ascii=False))
    else:
        _tell(matrix, services, differences)
    _write(order, matrix, differences)
    raise typer.Exit(exit_code(matrix, differences))


def exit_code(matrix: Matrix, differences: Sequence[Difference] | None) -> int:
    """Return the exit code: what is not as reviewed, or says nothing, is a failure."""
    if matrix.faults:
        return exits.INTERNAL
    return exits.FAILED if differences or matrix.broken or matrix.unexplained else exits.PASSED


def plan_of(folder: str) -> Plan:
    """Return the plan of a matrix: that in a folder, or the one shipped. Raises ConfigError for what is none."""
    return read_plan(Path(folder) if folder else shipped() / "matrix", Registry.installed())


def _known(names: Sequence[str], known: Iterable[str], what: str) -> list[str]:
    for name in names:
        if name not in known:
            raise ConfigError(f"no {what} is called {name!r}", hint=guess(name, known))
    return list(names)


def _tell(matrix: Matrix, services: Sequence[str], differences: Sequence[Difference] | None) -> None:
    width = max(60, shutil.get_terminal_size((_COLUMNS, 40)).columns if os.isatty(1) else _COLUMNS)
    exits.show("\n".join(lines_of(matrix, [matrix.plan.services[name] for name in services], width)))
    wrong = [*troubles(matrix), *told_differences(differences or [])]
    if wrong:
        print("\n" + "\n".join(wrong))
    held = "nothing to hold it against: --update writes expected.yaml"
    if differences is not None:
        held = f"{len(differences)} not as reviewed" if differences else "all as reviewed"
    print(f"\n{summary(matrix)}; {held}")


def _write(order: CrossOrder, matrix: Matrix, differences: Sequence[Difference] | None) -> None:
    if not (order.html or order.report):
        return
    from simwarden.scenario.matrix.page import page_of  # noqa: PLC0415 - templates load when they are needed

    write_pages(page_of(matrix, differences), order.html, order.report, "matrix.html")
    if order.report:
        text = json.dumps(as_data(matrix, differences), indent=2, ensure_ascii=False)
        (Path(order.report) / "matrix.json").write_text(text + "\n", encoding="utf-8")


def show_story(folder: str, cell: str, *, honest: bool) -> None:
    """Print the story of one cell (`MISUSE/METHOD`) as a scenario that `run` takes."""
    plan = plan_of(folder)
    misuse, _, method = cell.partition("/")
    _known([misuse], plan.misuses, "misuse")
    _known([method], plan.methods, "method")
    story = story_of(plan, plan.misuses[misuse], plan.methods[method], Loader(), honest=honest)
    data = {"scenario": story.source.data["scenario"], **story.source.data}
    print(yaml.safe_dump(data, sort_keys=False, width=_COLUMNS, allow_unicode=True), end="")
