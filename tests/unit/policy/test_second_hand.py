"""Tables 1 to 3 and 3.2 against a second writing of them from the guideline's prose, in all cells."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from simwarden.model.profile import Assessment, find_use
from simwarden.policy.classification import classify, measures

SECOND: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[2] / "vectors" / "classification_second_hand.toml").read_text(encoding="utf-8")
)
FUNCTIONS = {1: (True, True, True), 2: (False, True, True), 3: (False, False, True)}
NAMES = ("voice", "sms", "data", "directed", "large", "fixed")
WORD = {True: "yes", False: "no"}
CELLS = [(table, *facts) for table in FUNCTIONS for facts in product((True, False), repeat=3)]


def of(table: int, *facts: bool) -> Assessment:
    return Assessment(*FUNCTIONS[table], *facts)


def scenes_of(table: int, directed: bool, large: bool, fixed: bool) -> list[dict[str, Any]]:  # noqa: FBT001
    asked = {"directed": directed, "large": large, "fixed": fixed}
    return [
        scene
        for scene in SECOND["scene"]
        if scene["table"] == table and all(scene[name] in ("any", WORD[value]) for name, value in asked.items())
    ]


def test_the_second_writing_is_whole_and_uses_known_words() -> None:
    assert len(SECOND["scene"]) == 18
    for each in (*SECOND["scene"], *SECOND["rule"]):
        assert set(each["required"]) <= set(measures()), each
    for cell in CELLS:
        assert len(scenes_of(*cell)) == 1, cell


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_each_cell_of_the_tables_is_the_same(cell: tuple[int, bool, bool, bool]) -> None:
    (scene,), found = scenes_of(*cell), classify(of(*cell))
    by_table = {each.control for each in found.demands if found.clause in each.clauses}
    assert (found.table, found.scene, found.clause) == (scene["table"], scene["scene"], scene["clause"])
    assert by_table == set(scene["required"])
    assert found.registration == scene["registered"]


@pytest.mark.parametrize("facts", list(product((True, False), repeat=6)), ids=str)
def test_the_rules_of_3_2_are_the_same_for_every_card(facts: tuple[bool, ...]) -> None:
    said = dict(zip(NAMES, facts, strict=True))
    wanted = {
        (word, rule["clause"])
        for rule in SECOND["rule"]
        if all(WORD[said[name]] == value for name, value in rule["when"].items())
        for word in rule["required"]
        # directed and large tell of data only
        if said["data"] or not {"directed", "large", "data"} & set(rule["when"])
    }
    found = {
        (each.control, clause)
        for each in classify(Assessment(*facts)).demands
        for clause in each.clauses
        if clause.startswith("3.2")
    }
    assert found == wanted


@pytest.mark.parametrize("use", SECOND.get("use", []), ids=str)
def test_a_use_that_a_table_names_stands_there(use: dict[str, Any]) -> None:
    known = find_use(use["name_zh"])
    if known is not None:  # a label may name several uses
        found = classify(known.assessment)
        assert found.scene == use["scene"]
