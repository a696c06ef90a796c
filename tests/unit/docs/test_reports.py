"""docs/reports.md says what is in a report: the files, and each field of events.jsonl, held against real ones."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from simwarden.cli.main import app
from simwarden.policy.decision import Control, Decision, Ruling, Verdict
from simwarden.runtime.clock import EPOCH
from simwarden.scenario import suite
from simwarden.scenario.case_reference import capture_name, stem_of
from simwarden.trace.events import Decided, Fault, PacketDropped
from simwarden.trace.jsonl import lines_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
#: the page that tells the fields of records
RECORDS = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
#: stories that show all kinds of events but an internal error: refusals, bad bytes, notes, records, what no card is in
STORIES = (
    "demo/moved-card.yaml",
    "demo/first-story.yaml",
    "area/management/area-change.yaml::cells-by-customer",
    "area/handover/other-cell-other-tracking-area.yaml",
    "evasion/diameter-peers/screening.yaml::two-user-names",
    "data/session-management/suspended-card.yaml::packets",
)

#: what other commands write into the folder, and what stands for a capture
OTHERS = {"prove.html", "coverage.html", "matrix.html", "matrix.json", "NAME.pcapng"}


def first_cells(table: str) -> list[str]:
    """What stands in backquotes in the first column of a table."""
    return [
        name for row in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    ]


def told_fields() -> dict[str, set[str]]:
    tables = re.findall(r"<!-- fields: ([\w-]+) -->\n((?:\|.*\n)+)", PAGE + RECORDS)
    return {kind: set(first_cells(table)) for kind, table in tables}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a scenario that fails."""
    where = tmp_path_factory.mktemp("report")
    story = (ROOT / "scenarios" / STORIES[1]).read_text(encoding="utf-8")
    (where / "wrong.yaml").write_text(story.replace("imei: meter.imei", "imei: phone.imei"), encoding="utf-8")
    paths = [str(ROOT / "scenarios" / story) for story in STORIES]
    result = CliRunner().invoke(app, ["run", *paths, str(where / "wrong.yaml"), "--report", str(where / "report")])
    assert result.exit_code == 1, result.output
    return where / "report"


def records_of(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_files_are_those_told(folder: Path) -> None:
    told = set(first_cells(PAGE.partition("\n\n`--trace")[0]))
    there = {path.name for path in folder.iterdir()}
    cases = suite.find([str(ROOT / "scenarios" / story) for story in STORIES])
    captures = {capture_name(stem_of(job.reference)) for job in cases}
    assert there == told - OTHERS | captures | {"wrong.pcapng"}


def test_each_field_of_each_event_is_told_and_there_is_no_other(folder: Path) -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    told = told_fields()
    forced = Decided(
        element="hss",
        decision=Decision(Control("a", "b", Ruling.admit, ("c",)), Verdict.ADMIT, "", occasion="c"),
        forced="x",
    )
    dropped = PacketDropped(element="pgw", interface="S5", protocol="gtp", reason="no session", data=b"x")
    made = lines_of([Fault(element="hss", reason="KeyError", detail="Traceback"), dropped, forced], scenario="made")
    for record in (*records_of(folder), *map(json.loads, made)):
        seen[str(record["kind"])] |= record.keys()
    common = told.pop("all")
    assert seen.keys() == told.keys()
    assert {kind: fields - common for kind, fields in seen.items()} == told


def test_values_are_what_the_page_says(folder: Path) -> None:
    records = [each for each in records_of(folder) if each["scenario"] == "moved-card"]
    numbers: list[Any] = [each["n"] for each in records]
    assert numbers == sorted(numbers)
    assert all(isinstance(each["t"], float) for each in records)
    steps = [each for each in records if each["kind"] == "step"]
    lines = (ROOT / "scenarios" / STORIES[0]).read_text(encoding="utf-8").splitlines()
    assert [each["index"] for each in steps] == list(range(len(steps)))
    assert str(steps[0]["text"]).partition(":")[0] in lines[int(str(steps[0]["line"])) - 1]
    reject = next(each for each in records if "attach-reject" in dict(each.get("fields") or {}))  # type: ignore[call-overload]
    assert '"8 EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED"' in json.dumps(reject["fields"])
    assert {"verdict": "refuse", "control": "bind.hss.learned", "element": "hss"}.items() <= next(
        each for each in records if each["kind"] == "decision" and each["verdict"] == "refuse"
    ).items()


def test_no_key_is_in_it(folder: Path) -> None:
    text = (folder / "events.jsonl").read_text(encoding="utf-8")
    kasme = [each for each in records_of(folder) if each.get("message") == "authentication-information-answer"]
    assert kasme
    assert all('"kasme": "***"' in json.dumps(each["fields"]) for each in kasme)
    assert "***" in text


def test_junit_is_as_told(folder: Path) -> None:
    suites = ET.parse(folder / "junit.xml").getroot()  # noqa: S314 - our own file
    cases = {case.get("classname"): case for case in suites.iter("testcase")}
    assert cases["moved-card"].get("name") == "HSS rejects a first-use-bound meter card in a phone"
    assert str(cases["moved-card"].get("file")).endswith("scenarios/demo/moved-card.yaml")
    assert {each.get("name") for each in cases["moved-card"].iter("property")} == {"proves", "tags"}
    failure = cases["wrong"].find("failure")
    assert failure is not None
    assert failure.get("type") == "failed"
    assert "want  imei" in str(failure.text)


def test_the_captures_begin_at_the_date_told() -> None:
    assert EPOCH.strftime("%Y-%m-%d %H:%M UTC") in PAGE.replace("\n", " ")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed (apt install jq)")
def test_the_queries_give_lines(folder: Path) -> None:
    queries = re.findall(r"^jq -r '([^']+)' report/events\.jsonl$", PAGE, re.MULTILINE)
    assert len(queries) == 2
    for query in queries:
        command = ["jq", "-r", query, str(folder / "events.jsonl")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the page's own query
        assert "moved-card" in done.stdout
