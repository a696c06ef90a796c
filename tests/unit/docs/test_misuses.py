"""Each misuse of data and of calls has its story and one that passes, and no story of one is left out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import shipped_cases

from simwarden.policy.decision import Verdict
from simwarden.scenario.document import DecisionWanted
from simwarden.scenario.refusals import expects_refusal

if TYPE_CHECKING:
    from simwarden.scenario.document import Scenario

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "data.md").read_text("utf-8")
ROWS = [
    tuple(map(str.strip, line.strip("| ").split(" | ")))
    for line in PAGE.partition("<!-- misuses: scenarios -->")[2].partition("\n\n")[0].splitlines()[3:]
]
#: what says in a story that something does not get through
STOPPED = re.compile(r'"expect": "(timed-out|dropped|rejected)"|"attach": "rejected"|"never":|\b(403|none)\b')


def test_there_are_rows_of_four_columns() -> None:
    assert len(ROWS) > 15
    assert {len(row) for row in ROWS} == {4}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2])
def test_a_misuse_has_its_story_and_what_passes(row: tuple[str, ...]) -> None:
    stopped, passes = row[2:]
    assert STOPPED.search(shipped_cases.text_of(stopped))
    assert shipped_cases.load(passes)
    assert stopped != passes


def unsent(name: str) -> bool:
    """Return whether a scenario sends a packet that does not arrive."""
    steps = [step for step in shipped_cases.document_of(name)["steps"] if isinstance(step, dict)]
    return any("send" in step and step.get("expect") in ("timed-out", "dropped") for step in steps)


def test_each_packet_of_a_shipped_story_that_does_not_get_through_is_a_row() -> None:
    silent = {"data/paging-and-downlink/packet-to-ue::detached", "data/paging-and-downlink/packet-to-ue::no-answer"}
    silent |= {"data/user-plane/external-network::restart", "data/user-plane/external-network::none"}
    silent |= {"data/user-plane/link-local"}  # no misuse in any of these
    told = {row[2] for row in ROWS} | {row[3] for row in ROWS} | silent
    names = [*shipped_cases.names_in("data/user-plane"), *shipped_cases.names_in("data/paging-and-downlink")]
    found = {name for name in names if unsent(name)}
    assert found
    assert found <= told


# -- calls: the tables of SSP and SCP; directed data: that of the PGW; quotas: that of the OCS


LINK = re.compile(r"\[([\w/-]+)(::[\w.+-]+)?\]\(\.\./\.\./scenarios/(?:voice|data|quota)/\1\.yaml\)|`(test_\w+)`")


def links_in(cell: str) -> list[tuple[str, str]]:
    """Return the names of scenarios and of tests to which a cell leads."""
    return [(file + case, test) for file, case, test in LINK.findall(cell)]


#: what says in a story without a decision that something is stopped
ENDED = re.compile(r'"expect": "(released|error|not-available|aborted)"|cause": |"state": "over"')
FOLDERS = {"ssp": "voice", "scp": "voice", "pgw": "data", "pcrf": "data", "ocs": "quota"}


def rows_of(kind: str) -> list[list[str]]:
    """Return the rows of the table of misuses in an element's README."""
    page = (ROOT / "simulators" / kind / "README.md").read_text("utf-8")
    table = page.partition("| what passes | refused in |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[2:]]


TABLES = {kind: rows_of(kind) for kind in FOLDERS}
PAIRS = [
    (FOLDERS[kind], refused, passes)
    for kind, rows in TABLES.items()
    for row in rows
    for refused, passes in zip(links_in(row[-2]), links_in(row[-1]), strict=True)
]


def scenarios_in(folder: str) -> dict[str, Scenario]:
    """Return the scenarios of a folder by the names that tables give them."""
    return {name.partition("/")[2]: shipped_cases.load(name) for name in shipped_cases.names_in(folder)}


def refused_by(scenario: Scenario) -> set[tuple[str, str]]:
    """Return by which elements and controls a story expects something to be refused."""
    conditions = [each for step in scenario.steps for each in step.expected]
    refused = [each for each in conditions if isinstance(each, DecisionWanted) and each.verdict is Verdict.REFUSE]
    return {(each.by, each.control) for each in refused}


@pytest.mark.parametrize("kind", TABLES)
def test_each_row_of_a_table_has_its_stories(kind: str) -> None:
    assert TABLES[kind]
    assert {len(row) for row in TABLES[kind]} == {7}
    assert [row for row in TABLES[kind] if not (links_in(row[-2]) and links_in(row[-1]))] == []


@pytest.mark.parametrize("row", PAIRS, ids=lambda row: "".join(row[1]))
def test_a_misuse_is_stopped_and_its_twin_passes(row: tuple[str, tuple[str, str], tuple[str, str]]) -> None:
    folder, (name, test), (twin, _) = row
    assert not expects_refusal(shipped_cases.load(f"{folder}/{twin}"))
    if test:
        assert any(f"def {test}(" in each.read_text("utf-8") for each in (ROOT / "tests").rglob("test_*.py"))
        return
    scenario = shipped_cases.load(f"{folder}/{name}")
    if expects_refusal(scenario):
        assert shipped_cases.name_of(scenario.twin) == f"{folder}/{twin}"
    else:  # no control decides it
        assert ENDED.search(shipped_cases.text_of(f"{folder}/{name}"))


def test_each_refusal_by_ssp_or_scp_that_a_shipped_story_of_calls_expects_is_in_a_table() -> None:
    told = {name for _, (name, _), _ in PAIRS}
    scenarios = scenarios_in("voice")
    found = {name for name, each in scenarios.items() if {by for by, _ in refused_by(each)} & {"ssp", "scp"}}
    assert found
    assert found <= told


def test_each_refusal_by_the_pgws_own_lists_that_a_shipped_story_expects_is_in_its_table() -> None:
    told = {name for _, (name, _), _ in PAIRS}
    found = {
        name
        for name, each in scenarios_in("data").items()
        if all(it.kind != "pcrf" for it in each.instances.values())
        and any(by == "pgw" and control.startswith("data.") for by, control in refused_by(each))
    }
    assert found
    assert found <= told


def test_each_refusal_that_a_shipped_story_with_a_pcrf_expects_is_in_its_table() -> None:
    told = {name for _, (name, _), _ in PAIRS}
    found = {
        name
        for name, each in scenarios_in("data").items()
        if any(it.kind == "pcrf" for it in each.instances.values()) and refused_by(each)
    }
    assert found
    assert found <= told


def test_each_refusal_of_a_shipped_story_of_quotas_is_in_the_table_of_the_ocs() -> None:
    told = {name for folder, (name, _), _ in PAIRS if folder == "quota"}
    assert {name for name, each in scenarios_in("quota").items() if refused_by(each)} == told
