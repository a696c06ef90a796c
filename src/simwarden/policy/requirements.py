"""The requirements of the guideline by id, from the one data file of them (`requirements.toml`)."""

from __future__ import annotations

import pkgutil
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement: its clause in the guideline, the clause's title and the rule in one line (English, Chinese).

    `enforced_by` are all that have to act, built yet or not: kinds of element, `monitoring`, `audit`, `classify`;
    `restricts` is False for what permits; `record` marks a requirement of a record; `beyond` what goes beyond the text.
    """

    id: str
    clause: str
    title: str
    title_zh: str
    rule: str
    rule_zh: str
    enforced_by: tuple[str, ...] = ()
    restricts: bool = True
    record: bool = False
    beyond: bool = False

    def missing(self, kinds: Collection[str]) -> list[str]:
        """Return who has to act beside these kinds."""
        return [kind for kind in self.enforced_by if kind not in kinds]


@cache
def requirements() -> Mapping[str, Requirement]:
    """All requirements by id, in the order of the guideline."""
    data = pkgutil.get_data("simwarden.policy", "requirements.toml")
    assert data is not None  # noqa: S101 - the file is part of the package
    table = tomllib.loads(data.decode())
    return {each.id: each for each in _read(table, "")}


@cache
def clauses() -> Mapping[str, str]:
    """All clauses in the order of the guideline, with what each is about.

    That is the title of its first requirement, without what sets that apart from others of the clause.
    """
    titles: dict[str, list[str]] = {}
    for each in requirements().values():
        titles.setdefault(each.clause, []).append(each.title)
    return {clause: _about(*every) for clause, every in titles.items()}


def _about(first: str, *others: str) -> str:
    head = re.split("[:,] ", first)[0]
    return head if any(each.startswith(head) for each in others) else first


def _read(table: Mapping[str, Any], prefix: str) -> Iterator[Requirement]:
    if "clause" in table:
        own = {key: value for key, value in table.items() if not isinstance(value, dict)}
        places = tuple(own.pop("enforced_by", ()))
        yield Requirement(id=prefix, enforced_by=places, **own)
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _read(value, f"{prefix}.{key}" if prefix else key)
