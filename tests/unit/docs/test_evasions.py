"""Each evasion of the grid is stopped, and its twin is not hurt, by IPv4 and by IPv6."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest
import shipped_cases

from simwarden.scenario.load import Loader
from simwarden.scenario.refusals import expects_refusal
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "evasions.md").read_text("utf-8")


class Row(NamedTuple):
    """An evasion, and where it is stopped and its twin passes; `the same`: as by IPv4."""

    evasion: str
    stopped: str
    passes: str
    stopped6: str
    passes6: str


def rows_behind(mark: str) -> list[list[str]]:
    """Return the rows of the table behind a mark of the page."""
    table = PAGE.partition(f"<!-- {mark} -->\n")[2].partition("\n\n")[0]
    return [list(map(str.strip, line.strip("| ").split(" | "))) for line in table.splitlines()[2:]]


GRID = [Row(*each) for each in rows_behind("evasions")]
#: addresses of a story's network by IPv6; the meter has the first prefix of its pool
ADDRESSES: Final = {
    "198.51.100.80": "2001:db8:80::80",
    "203.0.113.66": "2001:db8:66::66",
    "192.0.2.53": "2001:db8::53",
    "10.64.0.1": "2001:db8:64:1::1",
}
#: what else is other by IPv6: records, an advertisement that the meter has had, headers of two segments
OTHER: Final = {
    "qtype='A'": "qtype='AAAA'",
    '"path": "A"}': '"path": "AAAA"}',
    '"received": "2"': '"received": "3"',
    '"octets": "2800"': '"octets": "2840"',
    "203.0.113.0/24": "2001:db8:66::/56",
    '"pdn_type": "ipv4v6"': '"pdn_type": "ipv6"',
    '"meter": {}': '"meter": {"pdn_type": "ipv6"}',
    '"card": {"': '"card": {"subscription": {"apns": [{"name": "iot", "pdn_type": "ipv6"}]}, "',
}


def by_ipv6(story: str) -> str:
    """Return a scenario with addresses of IPv6, and packets as scapy calls them there."""
    text = re.sub(r"IP\(dst='([0-9.]+)', id=(\d+), frag=(\d+),( flags='MF',)? proto=17\)", _fragment, story)
    text = re.sub(r'("resolve": \{[^}]+)\}', r'\1, "kind": "AAAA"}', re.sub(r"\bIP\(", "IPv6(", text))
    for four, six in (*OTHER.items(), *ADDRESSES.items()):
        text = re.sub(rf"(?<=[/\"]){re.escape(four)}(?=:\d|/\")", f"[{six}]", text).replace(four, six)
    return text


def _fragment(found: re.Match[str]) -> str:
    address, number, offset, more = found.groups()
    return f"IPv6(dst='{address}')/IPv6ExtHdrFragment(id={number}, offset={offset}, m={int(bool(more))}, nh=17)"


def outcome(path: Path) -> str:
    """Play a story; return what fails in it, nothing if it passes."""
    result = run_scenario(Loader().load(str(path)), path.stem, RunOptions())
    return "" if result.verdict is Verdict.PASSED else f"{result.verdict}: {result.failure}"


def test_there_are_fourteen_evasions_and_more() -> None:
    assert len({row.stopped for row in GRID}) == len(GRID) > 14


@pytest.mark.parametrize("row", GRID, ids=lambda row: row.stopped)
def test_what_is_stopped_names_what_passes(row: Row) -> None:
    for stopped, passes in ((row.stopped, row.passes), (row.stopped6, row.passes6)):
        if stopped != "the same":
            scenario = shipped_cases.load(stopped)
            assert expects_refusal(scenario)
            assert shipped_cases.name_of(scenario.twin) == passes


@pytest.mark.parametrize("name", sorted({each for row in GRID for each in row[1:3] if row.stopped6 == "the same"}))
def test_the_same_story_by_ipv6(name: str, tmp_path: Path) -> None:
    text = by_ipv6(shipped_cases.text_of(name))
    assert not any(four in text for four in ADDRESSES)
    scenario = tmp_path / "by-ipv6.yaml"
    scenario.write_text(text, "utf-8")
    assert outcome(scenario) == ""


LEAKS = [*rows_behind("leaks"), *rows_behind("other leaks")]


@pytest.mark.parametrize("row", LEAKS, ids=lambda row: row[3])
def test_a_leak_has_its_reason_and_what_shows_it(row: list[str]) -> None:
    what, why, how_far, shown_by = row
    assert what
    assert why
    assert how_far
    if shown_by.startswith("`"):
        name = shown_by.strip("`")
        assert any(f"def {name}(" in each.read_text("utf-8") for each in (ROOT / "tests").rglob("test_*.py"))
    else:
        assert shipped_cases.load(shown_by)


def test_each_scenario_with_the_tag_leak_is_on_a_list() -> None:
    leaks = {name for name in shipped_cases.names_in() if "leak" in shipped_cases.document_of(name).get("tags", [])}
    assert len(leaks) > 14
    assert leaks <= {row[3] for row in LEAKS}
