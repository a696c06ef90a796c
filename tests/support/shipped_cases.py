"""Shipped scenarios by the names that pages give them: `data/whitelist/tls-sni::by-tls`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwarden.scenario import suite
from simwarden.scenario.case_reference import join_reference, split_reference
from simwarden.scenario.cases import CaseFile
from simwarden.scenario.load import Loader, read_file
from simwarden.scenario.problems import Problems
from simwarden.scenario.yamlfile import read

if TYPE_CHECKING:
    from simwarden.scenario.document import Scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
_LOADER = Loader()


def reference_of(name: str) -> str:
    """Return the reference of a case: its file with the suffix, and the case."""
    file, case = split_reference(name)
    return join_reference(SCENARIOS / f"{file}.yaml", case)


def name_of(reference: str | Path) -> str:
    """Return the name of a case by its reference."""
    file, case = split_reference(str(reference))
    return join_reference(Path(file).resolve().relative_to(SCENARIOS).with_suffix("").as_posix(), case)


@cache
def names_in(folder: str = "") -> tuple[str, ...]:
    """Return the names of all cases of a folder and those below it."""
    return tuple(name_of(job.reference) for job in suite.find([str(SCENARIOS / folder)]))


def cases_of(file: str) -> list[str]:
    """Return the names of the cases of a file, which is named without its suffix."""
    return [name for name in names_in() if split_reference(name)[0] == file]


@cache
def load(name: str) -> Scenario:
    """Return a case as it is played."""
    return _LOADER.load(reference_of(name))


@cache
def document_of(name: str) -> dict[str, Any]:
    """Return a case as the data of a file without parameters."""
    file, case = split_reference(reference_of(name))
    problems = Problems()
    cases = CaseFile(read(read_file(file), file, problems), problems)
    found = cases.find(case)
    assert found is not None, name
    document: dict[str, Any] = cases.document(found, problems).data
    problems.raise_if_any()
    return document


def text_of(name: str) -> str:
    """Return a case as a file without parameters, in JSON, which is YAML."""
    return json.dumps(document_of(name), ensure_ascii=False)
