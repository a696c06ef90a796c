"""What a card must have follows from what it is for (guideline 3.2, 3.3). The rules are data: `classification.toml`."""

from __future__ import annotations

import pkgutil
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from simwarden.model.profile import Function

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simwarden.model.profile import Assessment


class Registration(StrEnum):
    """To whom a card is registered, from the mildest to the strictest; the value is the word in files."""

    UNIT_MAY = "unit-may"
    UNIT_MUST = "unit-must"
    USER_MUST = "user-must"

    @property
    def words(self) -> str:
        """The words of the guideline, in English."""
        return _REGISTRATIONS[self]


_REGISTRATIONS = {
    Registration.UNIT_MAY: "may be registered to the responsible unit and person",
    Registration.UNIT_MUST: "registered to the responsible unit and person",
    Registration.USER_MUST: "registered to the actual user, by real name",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """A control of the guideline by its word, and the requirements whose controls make it act.

    `acts_on` is the function without which there is nothing to act on, empty for a measure on the card itself. `whole`
    says that it takes all of the requirements; else each is a way of its own. `each_function` says that it acts on each
    function of a card by itself.
    """

    word: str
    title: str
    title_zh: str
    clause: str
    requirements: tuple[str, ...]
    acts_on: str = ""
    whole: bool = False
    each_function: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """A control that a card must have, and the clauses that say so."""

    control: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Classification:
    """A card's place in the tables, and what follows. `in_guideline` is False for functions that no table is for."""

    table: int
    scene: int
    clause: str
    demands: tuple[Demand, ...]
    registration: Registration
    in_guideline: bool

    @property
    def required(self) -> frozenset[str]:
        """The words of the controls that the card must have."""
        return frozenset(each.control for each in self.demands)


@cache
def measures() -> Mapping[str, Measure]:
    """The controls by word, in the order of the tables' columns."""
    rows = _data()["control"].items()
    return {word: Measure(word, **{**row, "requirements": tuple(row["requirements"])}) for word, row in rows}


@cache
def classify(assessment: Assessment) -> Classification:
    """Return what a card must have. Total: functions that no table is for take the smallest table that has them all.

    A card without data sends none anywhere: of the scenes it takes the one of directed, small data.
    """
    table = _table(assessment)
    scene = _scene(assessment)
    clause = f"{table['clause']}({scene['part']})"
    found: dict[str, list[str]] = {word: [clause] for word in (*table["directed"], *scene["required"])}
    for rule in _data()["rule"]:
        if all(_fact(assessment, name) is wanted for name, wanted in rule["when"].items()):
            for word in rule["required"]:
                found.setdefault(word, []).append(rule["clause"])
    demands = (
        Demand(word, tuple(found[word]))
        for word, measure in measures().items()
        if word in found and (not measure.acts_on or _fact(assessment, measure.acts_on))
    )
    return Classification(
        table=table["number"],
        scene=scene["number"],
        clause=clause,
        demands=tuple(demands),
        registration=Registration(scene["registered"]),
        in_guideline=set(table["functions"]) == set(assessment.functions),
    )


def scenes() -> Iterator[tuple[int, int, Mapping[str, bool]]]:
    """Yield each row of the tables: table, scene, and the functions and attributes that it is for."""
    for table in _data()["table"]:
        for scene in _data()["scene"]:
            functions = {each.value: each in table["functions"] for each in Function}
            attributes = {name: scene[name] for name in ("directed", "large", "fixed") if name in scene}
            yield table["number"], scene["number"], functions | attributes


def _fact(assessment: Assessment, name: str) -> bool:
    return bool(getattr(assessment, name))


def _table(assessment: Assessment) -> Mapping[str, Any]:
    wanted = set(assessment.functions)
    tables: list[Mapping[str, Any]] = _data()["table"]
    return min((each for each in tables if wanted <= set(each["functions"])), key=lambda each: len(each["functions"]))


def _scene(assessment: Assessment) -> Mapping[str, Any]:
    facts = {
        "directed": assessment.directed or not assessment.data,
        "large": assessment.large and assessment.data,
        "fixed": assessment.fixed,
    }
    found: list[Mapping[str, Any]] = _data()["scene"]
    (scene,) = (each for each in found if all(each.get(name, value) is value for name, value in facts.items()))
    return scene


@cache
def _data() -> Mapping[str, Any]:
    data = pkgutil.get_data("simwarden.policy", "classification.toml")
    assert data is not None  # noqa: S101 - the file is part of the package
    return tomllib.loads(data.decode())
