"""Tables 1 to 3 and 3.2 against a second writing of them from the guideline's prose, in all cells."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from simwarden.model.profile import Assessment, Function, find_use
from simwarden.policy.classification import classify, measures

SECOND: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[2] / "vectors" / "classification_second_hand.toml").read_text(encoding="utf-8")
)
FUNCTIONS = {1: (True, True, True), 2: (False, True, True), 3: (False, False, True)}
NAMES = ("voice", "sms", "data", "directed", "large", "fixed")
WORD = {True: "yes", False: "no"}
CELLS = [(table, *facts) for table in FUNCTIONS for facts in product((True, False), repeat=3)]


@pytest.fixture(autouse=True)
def rules_read_anew() -> None:
    """Have nothing told by what another test found."""
    classify.cache_clear()
    measures.cache_clear()


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
        assert len(scenes_of(*cell)) == 1, cell  # type: ignore[arg-type]


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


#: which uses a label of the tables' last column means, where it is not the title of one
MEANT = {
    "车联网": ("car-factory-fitted",),
    "视频监控类": ("video-surveillance", "industrial-video", "warehouse-video"),
    "手持终端": ("courier-handheld",),
}


@pytest.mark.parametrize("label", SECOND["use"], ids=str)
def test_a_use_that_a_table_names_stands_in_its_scene(label: dict[str, Any]) -> None:
    named = MEANT.get(label["name_zh"]) or (label["name_zh"],)
    for use in map(find_use, named):
        assert use is not None, label
        assert classify(use.assessment).scene == label["scene"]
        opened = {each for each, is_open in zip(Function, FUNCTIONS[label["table"]], strict=True) if is_open}
        assert opened <= use.allowed, "what the table is for is no needless function of the use"


def test_meant_names_labels_only() -> None:
    assert set(MEANT) <= {each["name_zh"] for each in SECOND["use"]}
