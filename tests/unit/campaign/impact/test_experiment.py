"""Experiment files: what they make, what is wrong with them, and figures of real runs that notice slower elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from simulators.cmp.procedures import binding
from simwarden.campaign.impact.experiment import find, read_experiment
from simwarden.campaign.impact.measures import Delay
from simwarden.campaign.impact.perform import Measured, Task, measure, perform
from simwarden.campaign.record import NAME, Record
from simwarden.errors import ConfigError, ScenarioError
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors
from simwarden.scenario.runner import RunOptions

SHIPPED = Path(__file__).parents[4] / "scenarios" / "impact"

TEXT = """\
experiment: A list at the EIR
about: Two lives, two lifetimes.
measure:
  delay: {card: card, terminals: [meter], held: mme.session}
set: {watch: 2 h}
vary:
  lifetime:
    asked: {seconds: "0"}
    kept: {seconds: 1 h}
  life:
    idle: {before: [], step: {service_request: meter, every: 10 min}}
    restless: {before: [{tau: meter}, {wait: 10 s}], step: {tau: meter, every: 5 min}}
network:
  mme: {equipment: {verdict_lifetime: $lifetime.seconds}}
cards:
  card: {profile: meter}
devices:
  meter: {type: module}
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
  - $life.before
  - $life.step
  - wait: 65 min
  - list_equipment: {equipment: meter.imei, status: prohibited, reason: "stolen, $life"}
    name: change
  - wait: $watch
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str = TEXT, name: str = "list.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


@pytest.fixture
def wrong(write: Write) -> Callable[[str, str], list[str]]:
    def found(old: str, new: str) -> list[str]:
        assert old in TEXT
        path = write(TEXT.replace(old, new))
        with pytest.raises(ScenarioErrors) as caught:
            read_experiment(path, Loader(), {})
        return [str(each).replace(str(path), "F") for each in caught.value.problems]

    return found


def test_axes_make_cases_and_words_make_steps(write: Write) -> None:
    made = read_experiment(write(), Loader(), {})
    assert (made.name, made.kind, made.axes) == ("list", "delay", ("lifetime", "life"))
    assert [case.name for case in made.cases] == [
        "lifetime: asked, life: idle",
        "lifetime: asked, life: restless",
        "lifetime: kept, life: idle",
        "lifetime: kept, life: restless",
    ]
    assert [len(case.scenario.steps) for case in made.cases] == [6, 8, 6, 8]
    lifetimes = [case.scenario.instances["mme"].config.equipment.verdict_lifetime for case in made.cases]  # type: ignore[attr-defined]
    assert lifetimes == [0, 0, 3600, 3600]
    assert isinstance(made.cases[0].measure, Delay)
    assert made.cases[0].scenario.title == "A list at the EIR"
    assert [step.name for step in made.cases[0].scenario.steps] == ["", "", "", "", "change", ""]


def test_parameters_are_set_from_outside(write: Write) -> None:
    made = read_experiment(write(), Loader(), {"watch": "5 h", "other": "1"})
    assert made.settings == {"watch": "5 h"}
    assert made.cases[0].scenario.steps[-1].text == "wait: 5 h"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("$life.step", "$live.step", "F:23:5: $live is not known (did you mean 'life'?"),
        ("$life.step", "$life.steps", "F:23:5: $life.steps: steps is not known (did you mean 'step'?"),
        ("{tau: meter, every", "{tauu: meter, every", "F:12:61: verb 'tauu' is not known"),
        ("$watch", "soon", "F:27:11: 'soon' is no duration"),
        ("name: change", "name: chang", "F:3:1: no step is called 'change'"),
        ("card: card, term", "card: cart, term", "card 'cart' is not known"),
        ("[meter], held", "[metre], held", "terminals 'metre' is not known"),
        ("mme.session", "mme.sesion", "record 'sesion' is not known (did you mean 'session'"),
        ("mme.session", "mne.session", "element 'mne' is not known"),
        ("  delay: {", "  dela: {", "F:4:3: measure 'dela' is not known"),
        (", held: mme.session", "", "key 'held' is missing"),
        (
            '    asked: {seconds: "0"}\n    kept: {seconds: 1 h}\n',
            "",
            "lifetime: words, or words with what they stand for",
        ),
        ("set: {watch: 2 h}", "set: 2 h", "set: names with their values"),
        ("stolen, $life", "stolen, $life.step", "$life.step is no text"),
        ("meter: {type: module}", "meter: {type: modul}", "F:18:17: type: 'modul' is not one of"),
    ],
)
def test_what_is_wrong_is_told_where_it_was_written(
    wrong: Callable[[str, str], list[str]], old: str, new: str, said: str
) -> None:
    found = wrong(old, new)
    assert any(said in each for each in found), found


def test_an_error_of_one_case_names_it(wrong: Callable[[str, str], list[str]]) -> None:
    assert "in the case asked-restless" in wrong("{wait: 10 s}", "{wait: a bit}")[0]


def test_other_files_are_no_experiments(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="starts with the key `experiment`"):
        read_experiment(write("scenario: no\n", "story.yaml"), Loader(), {})
    with pytest.raises(ConfigError, match="no such file"):
        find([str(tmp_path / "nowhere")])
    write()
    assert [path.name for path in find([str(tmp_path)])] == ["list.yaml"]


def test_too_many_cases_are_refused(wrong: Callable[[str, str], list[str]]) -> None:
    words = ", ".join(f"w{n}: x" for n in range(60))
    assert "240 cases are too many" in wrong("vary:\n", f"vary:\n  more: {{{words}}}\n")[0]


def test_all_shipped_experiments_are_recorded_and_read() -> None:
    made = [read_experiment(path, Loader(), {}) for path in find([str(SHIPPED)])]
    cases = [each.id_of(number) for each in made for number in range(len(each.cases))]
    assert sorted(Record(SHIPPED / NAME).load().by_case) == sorted(cases)


# -- real runs


def figures(path: Path, number: int, settings: Mapping[str, str] | None = None, **switches: str) -> Mapping[str, Any]:
    outcome = perform(Task(str(path), tuple((settings or {}).items()), number, options=RunOptions(switches=switches)))
    assert not outcome.failure, outcome
    return outcome.figures


def test_a_kept_verdict_leaks_until_it_is_asked_for_again(write: Write) -> None:
    path = write()
    asked, kept = figures(path, 0), figures(path, 2)
    assert (asked["leaked_messages"], asked["last_leak"], asked["session_ends"]) == (0, None, 300.0)
    # The verdict of the attach was renewed at the first contact after an hour, 5 minutes before the change.
    assert (kept["leaked_requests"], kept["last_leak"], kept["session_ends"]) == (5, 2700.0, 3300.0)
    assert kept["core_messages"] > asked["core_messages"]


def test_the_same_seed_gives_the_same_figures(write: Write) -> None:
    path = write()
    assert figures(path, 3) == figures(path, 3)


def shipped(name: str, wanted: str, **options: Any) -> Measured:
    experiment = read_experiment(SHIPPED / f"{name}.yaml", Loader(), {})
    case = next(each for each in experiment.cases if each.name == wanted)
    return measure(case, RunOptions(**options))


@pytest.mark.slow
def test_a_control_that_admits_all_never_ends_the_use() -> None:
    wanted = "change: suspended, acts: at next contact, life: idle"
    assert shipped("delay-cmp", wanted).figures["leaked_requests"] == 0
    broken = shipped("delay-cmp", wanted, switches={"cmp.state": "always-admit"}).figures
    assert broken["session_ends"] is None
    assert broken["leaked_requests"] == 288, "six an hour for 48 hours"


def test_a_platform_that_tells_nobody_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = "change: binding changed, acts: by CLR, life: idle"
    recorded = Record(SHIPPED / NAME).load().by_case["delay-cmp/binding changed/by CLR/idle"]
    usual = shipped("delay-cmp", wanted).figures
    assert usual == recorded.expect(usual)

    monkeypatch.setattr(binding, "eviction", lambda *_: None)
    slower = shipped("delay-cmp", wanted).figures
    assert (usual["leaked_requests"], slower["leaked_requests"]) == (0, 5)
    assert (usual["session_ends"], slower["session_ends"]) == (0.0, 3300.0)


@pytest.mark.slow
def test_a_decider_that_fails_closed_lets_all_return_and_no_thief_in() -> None:
    for name, case in (
        ("blast-hss", "failure: killed, told: with 22 and T3346"),
        ("blast-eir", "failure: silent, fails: closed"),
        ("blast-cmp", "failure: answers 5012, fails: closed"),
    ):
        found: Any = shipped(name, case).figures
        assert (found["stay_out"], found["thieves_in"]) == (0, 0), name
        assert found["hurt"] == found["out_at_return"] > 0, name


@pytest.mark.slow
def test_a_decider_that_fails_open_hurts_nobody_and_lets_thieves_in_even_when_it_is_silent() -> None:
    found = shipped("blast-eir", "failure: silent, fails: open").figures
    assert (found["hurt"], found["thieves_in"], found["thieves_in_at_end"]) == (0, 3, 0)


@pytest.mark.slow
def test_a_cause_that_invalidates_the_card_strands_a_fleet_and_is_told() -> None:
    dead = shipped("load-causes", "cause: 6 illegal ME").figures
    assert (dead["attempts"], dead["back"], dead["back_after_power_cycle"]) == (1.0, 0, 50)
    back = shipped("load-failing", "cause: 22 congestion, T3346").figures
    assert (back["back"], back["back_after_power_cycle"]) == (50, None)


@pytest.mark.slow
def test_a_spread_back_off_breaks_the_step_of_a_fleet() -> None:
    same: Any = shipped("load-at-once", "told: 22, T3346 the same for all").figures
    spread: Any = shipped("load-at-once", "told: 22, T3346 spread").figures
    assert spread["busiest_later"] * 3 < same["busiest_later"]


def test_a_story_that_fails_gives_no_figures(write: Write) -> None:
    path = write(TEXT.replace("  - power_on: meter\n", "  - detach: meter\n"))
    outcome = perform(Task(str(path), (), 0))
    assert (outcome.figures, outcome.fault) == ({}, False)
    assert "switched off" in outcome.failure
    path = write(
        TEXT.replace(
            "into: meter}\n", "into: meter}\n  - list_equipment: {equipment: meter.imei, status: prohibited}\n"
        )
    )
    assert perform(Task(str(path), (("watch", "3 h"),), 0)).failure == "no request was served before the change"
