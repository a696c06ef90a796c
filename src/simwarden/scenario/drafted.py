"""Scenarios that are made by playing them: what of a refusal they may expect, their text, and whether they hold."""

from __future__ import annotations

import enum
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from simwarden.errors import UserFileError
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.events import StateChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from simwarden.trace.events import Event


def refusals_told(events: Iterable[Event]) -> Iterator[StateChange]:
    """Yield the states by which elements show that something was refused, and why."""
    for each in events:
        if isinstance(each, StateChange) and each.key is None:
            cause = each.observable.endswith("_cause") and each.value is not None
            if cause or each.value in ("rejected", "refused"):
                yield each


def refusals_shown(events: Sequence[Event]) -> dict[str, dict[str, str]]:
    """Return those that hold in the end, by element and observable: who is refused here may be served elsewhere."""
    last = {(each.element, each.observable): each for each in events if isinstance(each, StateChange)}
    found: dict[str, dict[str, str]] = {}
    for each in refusals_told([*last.values()]):
        word = each.value.name if isinstance(each.value, enum.IntEnum) else str(each.value)
        found.setdefault(each.element, {})[each.observable] = word
    return found


def text_of(data: Mapping[str, Any]) -> str:
    """Return a scenario as people write it: short mappings in a line."""
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


def unheld(files: Mapping[str, str]) -> str:
    """Return why files of one folder, by their names, are not what `validate` takes or do not pass; empty: they do."""
    loader = Loader()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, "utf-8")
        for name in files:
            try:
                result = run_scenario(loader.validate(Path(folder) / name), "drafted", RunOptions())
            except UserFileError as error:
                return str(error)
            if result.verdict is not Verdict.PASSED:
                return result.failure.summary if result.failure else result.verdict.value
    return ""
