"""What several commands do in the same way: choose scenarios and a number of processes, write pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from simwarden.cli import exits
from simwarden.cli.annotations import annotate
from simwarden.cli.shipped import located
from simwarden.errors import ConfigError, Place, UserFileError
from simwarden.scenario import suite
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader


def load_checked(
    loader: Loader, paths: Iterable[str], tags: Iterable[str] = (), match: Iterable[str] = ()
) -> list[tuple[suite.Job, Scenario]]:
    """Load and check all files before any of them runs, and choose among them.

    All errors of all files are told, and end the command; so does a choice of none.
    """
    loaded = []
    wrong: list[UserFileError] = []
    for job in suite.find(located(paths)):
        try:
            loaded.append((job, loader.validate(job.path, to_run=True)))
        except UserFileError as error:
            wrong.append(error)
    if wrong:
        exits.complain("\n".join(map(str, wrong)))
        for each in wrong:
            annotate(each)
        raise typer.Exit(exits.USAGE)
    chosen = [(job, scenario) for job, scenario in loaded if suite.chosen(scenario, job.name, tags, match)]
    if not chosen:
        none_chosen([scenario for _, scenario in loaded], tags)
    return chosen


def none_chosen(among: Sequence[Scenario], tags: Iterable[str]) -> NoReturn:
    """Say that nothing was chosen, and which tags there are if one of those asked for is none. Ends the command."""
    known = sorted({tag for scenario in among for tag in scenario.tags})
    exits.complain("no scenario was chosen")
    for tag in tags:
        name = tag.removeprefix("not-")
        if among and name not in known:
            near = guess(name, known)
            exits.complain(f"no scenario has the tag {name!r} ({near or 'known: ' + ', '.join(known)})")
    raise typer.Exit(exits.NOTHING)


def workers_of(jobs: str) -> int:
    """Return how many processes `-j` asks for. Raises ConfigError."""
    if jobs == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not jobs.isdecimal() or len(jobs) > 9 or int(jobs) < 1:
        raise ConfigError(f"-j: a number from 1, or auto, not {jobs!r}")
    return int(jobs)


def write_pages(page: str, file: str, folder: str, name: str) -> None:
    """Write a page to a file, into a folder of a report, or both. Raises ConfigError if it cannot be written.

    Where they are is said on standard error: standard output may be JSON.
    """
    for path in (*([Path(file)] if file else []), *([Path(folder) / name] if folder else [])):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", Place(str(path))) from error
        exits.complain(f"page: {path}")
