"""`validate`, `list` and `schema`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from simwarden.cli import exits
from simwarden.cli.shipped import shipped
from simwarden.errors import ConfigError, UserFileError
from simwarden.plain import plain
from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.scenario.document import Scenario


def validate_files(paths: Sequence[str], network: str) -> None:
    """Check files and their twins; all errors of all files are told."""
    loader = Loader(network_file=network)
    jobs = suite.find(paths)
    wrong = 0
    for job in jobs:
        try:
            loader.validate(job.path)
        except UserFileError as error:
            wrong += 1
            exits.show(str(error))
    if not jobs:
        exits.complain("no scenario was found")
        raise typer.Exit(exits.NOTHING)
    print(f"{len(jobs)} checked, {wrong or 'none'} wrong")
    if wrong:
        raise typer.Exit(exits.USAGE)


def list_files(paths: Sequence[str], tags: Sequence[str], match: Sequence[str]) -> None:
    """List scenarios, one a line: name, title, tags, requirements; without paths those that are shipped."""
    loader = Loader()
    found: list[tuple[suite.Job, Scenario]] = []
    wrong = 0
    for job in suite.find(paths or [str(shipped())]):
        try:
            scenario = loader.load(job.path)
        except UserFileError as error:
            wrong += 1
            exits.complain(str(error))
            continue
        if suite.chosen(scenario, job.name, tags, match):
            found.append((job, scenario))
    if wrong and not found:
        raise typer.Exit(exits.USAGE)
    if not found:
        exits.complain("no scenario was chosen")
        raise typer.Exit(exits.NOTHING)
    width = max(len(job.name) for job, _ in found)
    for job, scenario in found:
        notes = [*scenario.tags, *(f"proves {each}" for each in scenario.proves)]
        exits.show(plain(f"{job.name:<{width}}  {scenario.title}" + (f"  [{', '.join(notes)}]" if notes else "")))
    if wrong:
        raise typer.Exit(exits.USAGE)


def print_schema(management: str, role: str) -> None:
    """Print the JSON Schema of scenarios, or the OpenAPI document of an element's management interface."""
    from simwarden.scenario.registry import Registry  # noqa: PLC0415
    from simwarden.scenario.schema import scenario_schema  # noqa: PLC0415

    registry = Registry.installed()
    if management:
        from simwarden.runtime.management import Role  # noqa: PLC0415
        from simwarden.runtime.openapi import document  # noqa: PLC0415

        if management not in registry.kinds:
            raise ConfigError(f"no element type is called {management!r}", None, guess(management, registry.kinds))
        found = document(registry.kinds[management], Role(role) if role else None)
    else:
        found = scenario_schema(registry)
    print(json.dumps(found, indent=2, ensure_ascii=False))
