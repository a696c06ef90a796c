"""What several commands do in the same way: choose scenarios and a number of processes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

from simwarden.cli import exits
from simwarden.cli.shipped import located
from simwarden.errors import ConfigError, NothingError, UserFileError
from simwarden.scenario import suite
from simwarden.scenario.problems import ScenarioErrors, across_cases, flat, guess

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader


def load_checked(
    loader: Loader, paths: Iterable[str], tags: Iterable[str] = (), match: Iterable[str] = ()
) -> list[tuple[suite.Job, Scenario]]:
    """Load and check all files before any of them runs, and choose among them.

    Raises ScenarioErrors with all that is wrong in all files, or NothingError for a choice of none.
    """
    loaded = []
    wrong: list[UserFileError] = []
    for cases in suite.by_file(suite.find(located(paths))):
        found: list[UserFileError] = []
        for job in cases:
            try:
                loaded.append((job, loader.validate(job.reference, to_run=True)))
            except UserFileError as error:
                found += flat(error)
        wrong += across_cases(found, [job.case for job in cases])
    for each in dict.fromkeys(loader.renamed):
        exits.complain(str(each))
    if wrong:
        raise ScenarioErrors([*{str(each): each for each in wrong}.values()])
    chosen = [(job, scenario) for job, scenario in loaded if suite.chosen(scenario, job.name, tags, match)]
    if not chosen:
        none_chosen([scenario for _, scenario in loaded], tags)
    return chosen


def none_chosen(among: Sequence[suite.Titled], tags: Iterable[str]) -> NoReturn:
    """Raise NothingError, which says which tags there are if one of those asked for is none."""
    known = sorted({tag for scenario in among for tag in scenario.tags})
    said = []
    for tag in tags:
        name = tag.removeprefix("not-")
        if among and name not in known:
            hint = guess(name, known, len(known)) or "none has any"
            said.append(f"no scenario has the tag {name!r} ({hint})")
    raise NothingError("\n".join(said) or "no scenario was chosen; `simwarden list` shows all")


def workers_of(jobs: str) -> int:
    """Return how many processes `-j` asks for. Raises ConfigError."""
    if jobs == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not jobs.isdecimal() or len(jobs) > 9 or int(jobs) < 1:
        raise ConfigError(f"-j: a number from 1, or auto, not {jobs!r}")
    return int(jobs)
