"""`validate`, `list` and `schema`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from simwarden.campaign.grid import check_names
from simwarden.cli import exits
from simwarden.cli.annotations import annotate
from simwarden.cli.choosing import none_chosen
from simwarden.cli.shipped import located, shipped, stories
from simwarden.errors import ConfigError, Place, UserFileError
from simwarden.plain import plain
from simwarden.scenario import suite
from simwarden.scenario.case_reference import folders_of, split_reference
from simwarden.scenario.drafted import text_of
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import Problems, ScenarioErrors, across_cases, flat
from simwarden.scenario.refusals import expects_refusal
from simwarden.scenario.renamed import fix

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simwarden.scenario.document import Scenario
    from simwarden.scenario.renamed import Renamed


def validate_files(paths: Sequence[str], network: str, *, as_json: bool = False, to_fix: bool = False) -> None:
    """Check files and their twins; all errors of all files are told, and words of the version before, or renamed."""
    loader = Loader(network_file=network)
    jobs = suite.find(located(paths))
    wrong: dict[str, list[UserFileError]] = {}
    shown: set[str] = set()
    for cases in suite.by_file(jobs):
        found: list[UserFileError] = []
        for job in cases:
            try:
                loader.validate(job.reference)
            except UserFileError as error:
                wrong[job.reference] = [*flat(error)]
                found += wrong[job.reference]
        more = {str(each): each for each in across_cases(found, [job.case for job in cases])}
        more = {text: each for text, each in more.items() if text not in shown}
        shown |= more.keys()
        if more and not as_json:
            exits.show("\n".join(more))
            annotate(ScenarioErrors([*more.values()]))
    renamed = _renamed(loader.renamed, to_fix=to_fix)
    if as_json:
        report = [
            {
                "file": job.reference,
                "errors": [_error(each) for each in wrong.get(job.reference, [])],
                "warnings": [str(each) for each in renamed.get(job.reference, [])],
            }
            for job in jobs
        ]
        print(json.dumps(report, indent=2, ensure_ascii=False))
    elif jobs:
        _show_renamed(renamed, to_fix=to_fix)
        print(f"{len(jobs)} checked, {len(wrong) or 'none'} wrong")
    if not jobs:
        exits.complain("no scenario was found")
        raise typer.Exit(exits.NOTHING)
    if wrong:
        raise typer.Exit(exits.USAGE)


def print_cases(paths: Sequence[str], network: str) -> None:
    """Print cases as files without parameters, one document each. Raises ScenarioErrors, or ConfigError."""
    loader = Loader(network_file=network)
    jobs = suite.find(located(paths))
    for job in jobs:
        file, name = split_reference(job.reference)
        loader.load(job.reference)
        found = loader.case_file(file)
        document = found.document(found.find(name) or found.cases[0], Problems())
        exits.show(
            f"{'---' if len(jobs) > 1 else ''}\n# {job.reference}\n{text_of(document.data)}".lstrip("\n").rstrip()
        )


def _renamed(found: Iterable[Renamed], *, to_fix: bool) -> dict[str, list[Renamed]]:
    """Return by file what had another name before, each once; write the new names if that is asked for."""
    by_file: dict[str, list[Renamed]] = {}
    for each in dict.fromkeys(found):
        by_file.setdefault(each.place.file, []).append(each)
    for file, words in by_file.items() if to_fix else ():
        try:
            fix(file, words)
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", Place(file)) from error
    return by_file


def _show_renamed(renamed: dict[str, list[Renamed]], *, to_fix: bool) -> None:
    words = [each for words in renamed.values() for each in words]
    for each in words:
        exits.show(f"{each.place}: {each.old!r} is {each.new!r} now" if to_fix else str(each))
    if words and not to_fix:
        exits.show(f"`simwarden validate --fix` renames {'it' if len(words) == 1 else f'these {len(words)}'}")


def _error(error: UserFileError) -> dict[str, Any]:
    place = error.place or Place("")
    where = {"file": place.file, "line": place.line, "column": place.column}
    return {**where, "reason": error.reason, "hint": error.hint}


def list_files(paths: Sequence[str], tags: Sequence[str], match: Sequence[str], *, as_json: bool = False) -> None:
    """List scenarios, one a line: name, title, tags, requirements; without paths those that are shipped."""
    if not (paths or as_json):
        _list_shipped(tags, match)
        return
    loader = Loader()
    loaded: list[tuple[suite.Job, Scenario]] = []
    wrong = 0
    for job in suite.find(located(paths) if paths else [str(shipped())]):
        try:
            loaded.append((job, loader.load(job.reference)))
        except UserFileError as error:
            wrong += 1
            exits.complain(str(error))
    found = [(job, scenario) for job, scenario in loaded if suite.chosen(scenario, job.name, tags, match)]
    if wrong and not found:
        raise typer.Exit(exits.USAGE)
    if not found:
        none_chosen([scenario for _, scenario in loaded], tags)
    if as_json:
        print(json.dumps([_listed(job, scenario) for job, scenario in found], indent=2, ensure_ascii=False))
    else:
        _print_list([(job.name, scenario) for job, scenario in found])
    if wrong and paths:  # of those shipped some need what is not installed, as is told
        raise typer.Exit(exits.USAGE)


def _list_shipped(tags: Sequence[str], match: Sequence[str]) -> None:
    told = list(stories())
    found = [(each.name, each) for each in told if suite.chosen(each, each.name, tags, match)]
    if not found:
        none_chosen(told, tags)
    _print_list(found)


def _print_list(found: Sequence[tuple[str, suite.Titled]]) -> None:
    """Print a line for each scenario, below a line for its folder where there are several folders."""
    width = max(len(name) for name, _ in found)
    folders = folders_of([scenario.reference for _, scenario in found])
    shown = ""
    for folder, (name, scenario) in zip(folders, found, strict=True):
        if folder != shown:
            exits.show(plain(f"{folder or '.'} ({folders.count(folder)})"))
            shown = folder
        notes = [*scenario.tags, *(f"proves {each}" for each in scenario.proves)]
        line = f"{name:<{width}}  {scenario.title}" + (f"  [{', '.join(notes)}]" if notes else "")
        exits.show(plain(f"{'  ' if shown else ''}{line}"))


def _listed(job: suite.Job, scenario: Scenario) -> dict[str, Any]:
    own = {each: getattr(scenario, each) for each in ("title", "tags", "proves", "twin", "about")}
    return {"name": job.name, "path": job.reference, **own, "expects_refusal": expects_refusal(scenario)}


def print_schema(management: str, role: str) -> None:
    """Print the JSON Schema of scenarios, or the OpenAPI document of an element's management interface."""
    from simwarden.scenario.registry import Registry  # noqa: PLC0415
    from simwarden.scenario.schema import scenario_schema  # noqa: PLC0415

    registry = Registry.installed()
    if management:
        from simwarden.operations.management import Role  # noqa: PLC0415
        from simwarden.operations.openapi import document  # noqa: PLC0415

        check_names([management], registry.kinds, "element type")
        found = document(registry.kinds[management], Role(role) if role else None)
    else:
        found = scenario_schema(registry)
    print(json.dumps(found, indent=2, ensure_ascii=False))
