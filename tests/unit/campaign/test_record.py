"""The reviewed record: one form for all campaigns, read with places, compared, and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from simwarden.campaign.record import Record
from simwarden.errors import UserFileError
from simwarden.scenario.problems import ScenarioErrors

if TYPE_CHECKING:
    from pathlib import Path

    from simwarden.campaign.record import Outcome

FIGURES: dict[str, Outcome] = {"b/x": {"back": 3, "first_back": None, "rate": 0.5}, "b/y": {"back": 4}}
#: cases of two axes and of three, and the groups that they are written in
CASES = ("a/x", "a/y", "b/x", "b/y", "c/x", "d/1/50%", "d/1/idle", "d/2/50%", "d/2/idle")
GROUPS: list[Any] = [[["a", "b", "c"], "x"], [["a", "b"], "y"], ["d", ["1", "2"], ["50%", "idle"]]]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "reviewed.yaml")


def explain(_case: str, want: Outcome, got: Outcome) -> tuple[str, str, str]:
    return str(want), str(got), "odd" if want else ""


def test_a_record_reads_back_as_it_was_accepted(record: Record) -> None:
    record.path.write_text("# By hand.\n# Two lines.\n")
    record.accept({**FIGURES, "c": "blocked: by x"}, "so it is", bool)
    text = record.path.read_text("utf-8")
    assert text.startswith("# By hand.\n# Two lines.\n- case: b/x\n  outcome: {back: 3, first_back: null, rate: 0.5}\n")
    assert [each["case"] for each in yaml.safe_load(text)] == ["b/x", "b/y", "c"]
    again = record.load().by_case
    assert {case: entry.outcome for case, entry in again.items()} == {**FIGURES, "c": "blocked: by x"}
    assert {entry.why for entry in again.values()} == {"so it is"}


def test_what_is_accepted_again_keeps_its_reason_and_what_is_gone_goes(record: Record) -> None:
    record.accept({**FIGURES, "c": "old", "d": "gone", "e": "not tried"}, "first", bool)
    Record(record.path).load().accept({**FIGURES, "c": "new"}, "then", lambda case: case == "d")
    known = Record(record.path).load().by_case
    assert {case: entry.why for case, entry in known.items()} == {
        "b/x": "first",
        "b/y": "first",
        "c": "then",
        "e": "first",
    }


def test_differences_name_the_case_with_its_place(record: Record) -> None:
    assert Record(record.path).load().entries == []
    record.accept({**FIGURES, "d": "gone", "e": "not tried"}, "", bool)
    found = {"b/x": FIGURES["b/x"], "b/y": {"back": 5}, "new": "here"}
    findings = list(Record(record.path).load().compare(found, lambda case: case != "e", explain))
    assert [each.what.removeprefix(str(record.path)) for each in findings] == [":4:3: b/y: odd", ": new", ":6:3: d"]
    assert findings[0].lines == ("- expected  {'back': 4}", "+ got       {'back': 5}")
    assert findings[1].lines == ("- expected  nothing: not in the record", "+ got       here")
    assert findings[2].lines == ("- expected  'gone'", "+ got       no such case")


def test_cases_with_one_outcome_and_reason_share_an_entry(record: Record) -> None:
    record.path.write_text("[]")
    outcomes: dict[str, Outcome] = {"a": "open", "b": {"back": 1}, "c": "open"}
    record.load().accept(outcomes, "new", lambda _case: True)
    assert [each["case"] for each in yaml.safe_load(record.path.read_bytes())] == [["a", "c"], "b"]
    again = Record(record.path).load().by_case
    assert {case: entry.outcome for case, entry in again.items()} == outcomes


def test_cases_of_an_entry_are_grouped_by_their_words(record: Record) -> None:
    record.accept(dict.fromkeys(("d/2/idle", *CASES), "open"), "new", bool)
    first = record.path.read_bytes()
    (entry,) = yaml.safe_load(first)
    assert entry["case"] == GROUPS
    known = Record(record.path).load()
    assert sorted(known.by_case) == sorted(CASES)
    known.accept(dict.fromkeys(reversed(CASES), "open"), "again", bool)
    assert record.path.read_bytes() == first, "in any order, and with nothing new"
    known.accept({"b/y": "closed"}, "then", lambda _case: False)
    groups = [GROUPS[0], "a/y", GROUPS[2]]
    assert [each["case"] for each in yaml.safe_load(record.path.read_bytes())] == [groups, "b/y"]


@pytest.mark.parametrize(
    ("case", "cases"),
    [
        ("a/x", ["a/x"]),
        ("[a/x, b/y]", ["a/x", "b/y"]),
        ("[[a, x]]", ["a/x"]),
        ("[[a, [x, y]], [[b, c], x], d/z]", ["a/x", "a/y", "b/x", "c/x", "d/z"]),
    ],
)
def test_cases_are_named_whole_or_by_their_words(record: Record, case: str, cases: list[str]) -> None:
    record.path.write_text(f"- {{case: {case}, outcome: open}}")
    assert list(record.load().by_case) == cases


@pytest.mark.parametrize(
    ("written", "got", "same"),
    [
        ("{back: 3}", {"back": 3, "hurt": 0, "longest": 0.0}, True),
        ("{back: 3, hurt: 0}", {"back": 3.0, "hurt": 0}, True),
        ("{back: 3}", {"back": 3, "hurt": 1}, False),
        ("{back: 3}", {"back": 3, "first_back": None}, False),
        ("{back: 3, first_back: null}", {"back": 3, "first_back": 0.0}, False),
        ("{back: 3, hrut: 0}", {"back": 3, "hurt": 0}, False),
        ("{back: 3}", "leaked", False),
    ],
)
def test_a_figure_that_is_not_written_is_0(record: Record, written: str, got: Outcome, *, same: bool) -> None:
    record.path.write_text(f"- {{case: b/x, outcome: {written}, why: first}}")
    findings = list(record.load().compare({"b/x": got}, bool, explain))
    assert (findings == []) is same
    record.accept({"b/x": got}, "then", bool)
    assert Record(record.path).load().by_case["b/x"].why == ("first" if same else "then")


def test_figures_are_written_without_those_that_are_0(record: Record) -> None:
    record.accept(
        {"b/x": {"back": 50, "longest": 3800.0, "rate": 0.5, "hurt": 0, "never": None}, "c": {"out": 0}}, "", bool
    )
    text = "- case: b/x\n  outcome: {back: 50, longest: 3800, rate: 0.5, never: null}\n- case: c\n  outcome: {out: 0}\n"
    assert record.path.read_text("utf-8").endswith(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- [", "no YAML"),
        ("a: 1", "a list of entries is expected"),
        ("- 3", "an entry with case, outcome, why is expected, not '3'"),
        ("- {outcome: x}", "key 'case' is missing"),
        ("- {case: x}", "key 'outcome' is missing"),
        ("- {case: x, outcme: y}", "key 'outcme' is not known (did you mean 'outcome'?)"),
        ("- {case: x, outcome: {back: many}}", "reviewed.yaml:1:29: a number is expected, not 'many'"),
        ("- {case: x, outcome: {back: [3]}}", "a number is expected"),
        ("\xff", "UTF-8"),
    ],
)
def test_a_broken_record_is_told(record: Record, text: str, said: str) -> None:
    record.path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserFileError) as caught:
        record.load()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("patterns", "covers"),
    [
        ({}, True),
        ({"what": "barring"}, True),
        ({"what": ["with*", "bar*"], "into": "detach"}, True),
        ({"what": "killed-mme"}, True),
        ({"what": "rebinding"}, False),
        ({"into": "attach"}, False),
        ({"what": "barring", "into": ["attach", "update"]}, False),
    ],
)
def test_an_entry_covers_the_cases_that_its_patterns_fit(tmp_path: Path, patterns: Any, *, covers: bool) -> None:
    path = tmp_path / "reviewed.yaml"
    path.write_text(yaml.safe_dump([{**patterns, "outcome": "meant", "why": "x"}]))
    record = Record(path, ("what", "into"), ("meant", "open")).load()
    case = {"what": ("barring + killed-mme", "barring", "killed-mme"), "into": ("detach",)}
    assert (record.find(case, "meant") is not None) is covers
    assert record.find(case, "open") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {outcome: meant}", "key 'why' is missing"),
        ("- {outcome: ment, why: x}", "outcome 'ment' is not known (did you mean 'meant'?)"),
    ],
)
def test_patterns_have_a_known_outcome_and_a_reason(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "reviewed.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioErrors) as caught:
        Record(path, ("what",), ("meant",)).load()
    assert said in str(caught.value)
