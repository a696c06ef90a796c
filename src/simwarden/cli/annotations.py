"""Annotations: where GitHub runs the command, what is wrong is shown at its line of the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from simwarden.scenario.problems import flat

if TYPE_CHECKING:
    from simwarden.errors import Place, UserFileError
    from simwarden.scenario.result import ScenarioResult


def annotate(error: UserFileError) -> None:
    """Annotate each error of a user's file."""
    for each in flat(error):
        said = f"{each.reason} ({each.hint})" if each.hint else each.reason
        _print(each.place, "simwarden", said)


def annotate_failure(result: ScenarioResult) -> None:
    """Annotate why a scenario did not pass, each mismatch at its line."""
    record = result.failure
    if record is None:
        return
    title = f"{result.verdict.value}: {result.title}"
    for each in record.mismatches:
        _print(each.place, title, f"{each.subject}: want {each.want}, got {each.got}")
    if not record.mismatches:
        _print(record.place, title, record.summary)


def _print(place: Place | None, title: str, text: str) -> None:
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    where = {"file": place.file, "line": place.line, "col": place.column} if place else {}
    said = [f"{name}={_property(str(value))}" for name, value in {**where, "title": title}.items() if value]
    print(f"::error {','.join(said)}::{_data(text)}", flush=True)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
