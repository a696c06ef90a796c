"""What several commands do in the same way: choose scenarios and a number of processes, write pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from simwarden.cli import exits
from simwarden.errors import ConfigError, Place, UserFileError
from simwarden.scenario import suite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader


def load_checked(
    loader: Loader, paths: Iterable[str], tags: Iterable[str] = (), match: Iterable[str] = ()
) -> list[tuple[suite.Job, Scenario]]:
    """Load and check all files before any of them runs, and choose among them.

    All errors of all files are told, and end the command; so does a choice of none.
    """
    chosen = []
    wrong: list[str] = []
    for job in suite.find(paths):
        try:
            scenario = loader.validate(job.path, to_run=True)
        except UserFileError as error:
            wrong.append(str(error))
            continue
        if suite.chosen(scenario, job.name, tags, match):
            chosen.append((job, scenario))
    if wrong:
        exits.complain("\n".join(wrong))
        raise typer.Exit(exits.USAGE)
    if not chosen:
        exits.complain("no scenario was chosen")
        raise typer.Exit(exits.NOTHING)
    return chosen


def workers_of(jobs: str) -> int:
    """Return how many processes `-j` asks for. Raises ConfigError."""
    if jobs == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not jobs.isdecimal() or len(jobs) > 9 or int(jobs) < 1:
        raise ConfigError(f"-j: a number from 1, or auto, not {jobs!r}")
    return int(jobs)


def write_pages(page: str, file: str, folder: str, name: str) -> None:
    """Write a page to a file, into a folder of a report, or both. Raises ConfigError if it cannot be written."""
    for path in (*([Path(file)] if file else []), *([Path(folder) / name] if folder else [])):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", Place(str(path))) from error
        print(f"page: {path}")
