"""The requirements of the guideline by id, from the one data file of them (`requirements.toml`)."""

from __future__ import annotations

import pkgutil
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement: its clause in the guideline, the clause's title (English, Chinese) and the rule in one line.

    `restricts` is False for what permits; `beyond` marks what goes beyond the text.
    """

    id: str
    clause: str
    title: str
    title_zh: str
    rule: str
    restricts: bool = True
    beyond: bool = False


@cache
def requirements() -> Mapping[str, Requirement]:
    """All requirements by id, in the order of the guideline."""
    data = pkgutil.get_data("simwarden.policy", "requirements.toml")
    assert data is not None  # noqa: S101 - the file is part of the package
    return {each.id: each for each in _read(tomllib.loads(data.decode()), "")}


def requirement(name: str) -> Requirement:
    """Return the requirement of an id. Raises KeyError for one that the guideline does not have."""
    return requirements()[name]


def _read(table: Mapping[str, Any], prefix: str) -> Iterator[Requirement]:
    if "clause" in table:
        own = {key: value for key, value in table.items() if not isinstance(value, dict)}
        yield Requirement(id=prefix, **own)
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _read(value, f"{prefix}.{key}" if prefix else key)
