"""The files of a report."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import os
import re
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import results
import traces

from simwarden.errors import ConfigError, Place
from simwarden.scenario.report import write_report
from simwarden.scenario.result import FailureRecord, Mismatch, ScenarioResult, Verdict
from simwarden.trace.events import Note, StepMark

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x00\x1b[2J\u2028\ufffe"


class Parser(html.parser.HTMLParser):
    """Collects elements with their attributes, and the text of scripts by id."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self._in: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in = str(dict(attrs).get("id", tag)) if tag in {"script", "style"} else None

    def handle_data(self, data: str) -> None:
        if self._in:
            self.scripts[self._in] = self.scripts.get(self._in, "") + data

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - HTMLParser's own signature
        self._in = None

    def rows(self, number: int) -> list[dict[str, Any]]:
        packed = self.scripts.get(f"ladder-{number}", "")
        rows: list[dict[str, Any]] = json.loads(zlib.decompress(base64.b64decode(packed))) if packed else []
        return rows

    @property
    def index(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.scripts["index"])["scenarios"]
        return found


def page(folder: Path) -> Parser:
    return Parser((folder / "index.html").read_text("utf-8"))


def test_all_files_are_there(tmp_path: Path) -> None:
    path = write_report([results.passed(), results.failed()], tmp_path / "new" / "report")
    assert path == tmp_path / "new" / "report" / "index.html"
    names = {each.name for each in path.parent.iterdir()}
    assert names == {"index.html", "junit.xml", "events.jsonl", "moved-card.pcapng", "wrong-cause.pcapng"}
    lines = (path.parent / "events.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["scenario"] for line in lines} == {"moved-card", "wrong-cause"}
    assert len(lines) == 2 * len(traces.moved_card())


@pytest.mark.parametrize(("trace", "kept"), [("always", 2), ("on-failure", 1), ("off", 0)])
def test_what_is_kept_is_a_choice(tmp_path: Path, trace: str, kept: int) -> None:
    write_report([results.passed(), results.failed()], tmp_path, trace=trace)
    assert len(list(tmp_path.glob("*.pcapng"))) == kept
    read = page(tmp_path)
    assert [bool(read.rows(number)) for number in (0, 1)] == [kept > 1, kept > 0]
    assert [bool(each["capture"]) for each in read.index] == [kept > 1, kept > 0]


def test_the_page_loads_nothing_and_runs_only_its_own_script(tmp_path: Path) -> None:
    write_report([results.passed()], tmp_path)
    read = page(tmp_path)
    assert not [each for each in read.elements if {"src", "srcset", "background"} & set(each[1]) or each[0] == "link"]
    policy = next(str(attrs["content"]) for tag, attrs in read.elements if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    for name, directive in (("script", "script-src"), ("style", "style-src")):
        digest = base64.b64encode(hashlib.sha256(read.scripts[name].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert not re.search(r"https?://", read.scripts["script"] + read.scripts["style"])


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    result = results.failed("bad", HOSTILE)
    result.about = result.path = HOSTILE
    result.tags = (HOSTILE,)
    result.proves = (HOSTILE,)
    result.failure = FailureRecord(
        Place(HOSTILE, 1), HOSTILE, HOSTILE, (Mismatch(HOSTILE, HOSTILE, HOSTILE),), reason=HOSTILE, detail=HOSTILE
    )
    result.events += [
        Note(element=HOSTILE, text=HOSTILE, number=900, time=1.0, fields={HOSTILE: HOSTILE}),
        StepMark(index=9, text=HOSTILE, number=901, time=1.0),
    ]
    plain = results.passed()
    write_report([result], tmp_path)
    read = page(tmp_path)
    write_report([plain], tmp_path / "plain")
    assert [tag for tag, _ in read.elements] == [tag for tag, _ in page(tmp_path / "plain").elements]
    assert read.index[0]["title"] == HOSTILE
    assert any(row["x"] == HOSTILE for row in read.rows(0))
    ET.parse(tmp_path / "junit.xml")  # noqa: S314 - our own file


def test_no_key_in_any_file_when_masked(tmp_path: Path) -> None:
    write_report([results.passed()], tmp_path, mask=True)
    octets = b"".join(each.read_bytes() for each in tmp_path.iterdir()) + repr(page(tmp_path).rows(0)).encode()
    for key in (traces.KASME, traces.CK, traces.IK, traces.KENB):
        assert key not in octets
        assert key.hex().encode() not in octets


def test_rows_tell_lanes_verdict_cause_and_clause(tmp_path: Path) -> None:
    write_report([results.passed()], tmp_path)
    read = page(tmp_path)
    lanes = [lane["name"] for lane in read.index[0]["lanes"]]
    assert lanes == ["card", "meter", "phone", "enb", "mme", "eir", "hss"]
    refused = next(row for row in read.rows(0) if row.get("v") == "refuse")
    assert (lanes[refused["s"]], refused["o"], refused["u"]) == ("hss", "bind.hss.learned", "2.1.3(1) one")
    answer = read.rows(0)[read.rows(0).index(refused) + 1]
    assert (lanes[answer["s"]], lanes[answer["d"]], answer["v"]) == ("hss", "mme", "refuse")
    assert answer["f"]["experimental_result"].startswith("5001")
    assert read.rows(0)[0]["q"]
    assert read.index[0]["blocked"] == ["hss: bind.hss.learned"]


def test_a_twin_in_the_report_is_linked(tmp_path: Path) -> None:
    write_report([results.passed(), results.passed("card-back")], tmp_path)
    assert [each["twin_name"] for each in page(tmp_path).index] == ["card-back", "card-back"]
    write_report([results.passed()], tmp_path)
    assert page(tmp_path).index[0]["twin_name"] == ""


def test_thirty_scenarios_are_small(tmp_path: Path) -> None:
    write_report([results.passed(f"s{number}") for number in range(30)], tmp_path)
    assert (tmp_path / "index.html").stat().st_size < 600_000


def test_junit(tmp_path: Path) -> None:
    every = [results.passed(), results.failed(), results.broken(), results.inconclusive()]
    write_report(every, tmp_path)
    root = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - our own file
    suite = root.find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "1")
    cases = {case.get("classname"): case for case in suite.iter("testcase")}
    assert len(cases["moved-card"].findall("failure")) == 0
    failure = cases["wrong-cause"].find("failure")
    assert failure is not None
    assert failure.get("message") == f"{results.PATH}:24:9: 1 of 2 expectations failed"
    assert "- want  6 ILLEGAL_ME" in str(failure.text)
    assert "run it alone: simwarden run" in str(failure.text)
    inconclusive = cases["outside"].find("failure")
    assert inconclusive is not None
    assert inconclusive.get("type") == "inconclusive"
    assert cases["moved-card"].get("file") == "scenarios/binding/moved-card.yaml"
    assert cases["moved-card"].find("properties/property[@name='proves']") is not None


def test_captures_of_an_earlier_report_go_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.pcapng").write_bytes(b"")
    write_report([results.passed(), results.failed(), replace(results.passed(), name="a+b")], tmp_path)
    write_report([results.failed()], tmp_path)
    assert {each.name for each in tmp_path.glob("*.pcapng")} == {"mine.pcapng", "wrong-cause.pcapng"}


def test_a_capture_with_keys_is_its_owners_alone(tmp_path: Path) -> None:
    former = os.umask(0o022)
    try:
        modes = []
        for mask in (True, False, True):  # in a folder that has one of the other kind
            write_report([results.passed()], tmp_path, mask=mask)
            modes.append((tmp_path / "moved-card.pcapng").stat().st_mode & 0o777)
    finally:
        os.umask(former)
    assert modes == [0o644, 0o600, 0o644]


def test_nothing_run_is_a_report_too(tmp_path: Path) -> None:
    write_report([], tmp_path)
    assert page(tmp_path).index == []
    assert (tmp_path / "events.jsonl").read_text() == ""


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_report([results.passed()], tmp_path / "file" / "report")


def test_a_run_on_the_real_clock_has_todays_date(tmp_path: Path) -> None:
    result: ScenarioResult = results.passed()
    result.clock = "real"
    write_report([result], tmp_path)
    octets = (tmp_path / "moved-card.pcapng").read_bytes()
    write_report([results.passed()], tmp_path)
    assert octets != (tmp_path / "moved-card.pcapng").read_bytes()
    assert result.verdict is Verdict.PASSED
