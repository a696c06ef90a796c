"""A refusal counts with its effect only: what a device, a peer or a caller experienced, not what was recorded of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simwarden.errors import SimwardenError
from simwarden.scenario import suite
from simwarden.scenario.claims import claims_of
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Misuse, Verdict
from simwarden.scenario.runner import RunOptions

if TYPE_CHECKING:
    from simwarden.scenario.result import ScenarioResult

SHIPPED = Path(__file__).parents[3] / "scenarios"
HEAD = """\
scenario: A meter in another cell
proves: [area.cell]
twin: twin.yaml
network: {enb2: {type: enb, cells: [{tac: 2}]}}
cards: {card: {profile: meter, area: {by: mme, cells: [enb/1]}}}
devices: {meter: {type: module, cell: CELL}}
steps:
- insert: {card: card, into: meter}
- power_on: meter
"""
DECIDED = "- expect: {decision: {by: mme, control: area.cell}}\n"
RISK = "- expect: {mme: {risk: {card: card}}}\n"
REJECT = "- expect: {mme: {reject: {card: card, emm_cause: 15}}}\n"
CAUSE = "emm_cause: NO_SUITABLE_CELLS_IN_TRACKING_AREA"
REJECTED = f"- expect: {{meter: {{attach: rejected, {CAUSE}}}}}\n"
NO_EFFECT = "no effect of the refusal by area.cell is expected"


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        served = "- expect: {meter: {attach: accepted}, decision: {by: mme, control: area.cell, verdict: admit}}\n"
        (folder / "twin.yaml").write_text(HEAD.replace("CELL", "enb/1").replace("twin: twin.yaml\n", "") + served)

    def write(self, steps: str, cells: str = "enb/1") -> Path:
        text = HEAD.replace("CELL", "enb2/1").replace("cells: [enb/1]", f"cells: [{cells}]") + steps
        path = self.folder / "misuse.yaml"
        path.write_text(text)
        return path

    def problems(self, path: Path, *, to_run: bool = False) -> str:
        try:
            Loader().validate(path, to_run=to_run)
        except SimwardenError as error:
            return str(error)
        return ""

    def run(self, steps: str, cells: str = "enb/1") -> ScenarioResult:
        path = self.write(steps, cells)
        [result] = suite.run_all([(suite.Job(str(path), "misuse"), Loader().load(path))], RunOptions(), "", 1)
        return result


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    "recorded",
    [
        "",
        RISK,
        RISK + REJECT,
        "- never: {mme: {risk: {card: card, scene: '007'}}}\n",
        "- expect: {meter: {attach: accepted}}\n",
        "- expect: {pgw: {flow: {card: card, verdict: refuse}}}\n",
    ],
)
def test_a_refusal_without_its_effect_is_an_error_of_the_file(desk: Desk, recorded: str) -> None:
    path = desk.write(DECIDED + recorded)
    assert [NO_EFFECT in desk.problems(path, to_run=to_run) for to_run in (True, False)] == [True, True]
    assert desk.problems(path).startswith(f"{path}:10:22: {NO_EFFECT}")


@pytest.mark.parametrize(
    "effect",
    [
        REJECTED,
        "- expect: {s1-mme.attach-reject: {emm_cause: 15}}\n",
        "- never: {mme: {session: {card: card}}}\n",
        "- send: {device: meter, to: 198.51.100.80}\n  expect: timed-out\n",
    ],
)
def test_what_the_device_or_a_peer_experiences_is_an_effect(desk: Desk, effect: str) -> None:
    assert NO_EFFECT not in desk.problems(desk.write(DECIDED + effect))


@pytest.mark.parametrize(
    "done",
    [
        "- power_off: meter\n- insert: {card: card, into: meter}\n  expect: inserted\n",
        "- manage: {element: mme, get: /audit}\n  expect: ok\n",
    ],
)
def test_a_later_step_that_is_carried_out_is_no_effect(desk: Desk, done: str) -> None:
    assert NO_EFFECT in desk.problems(desk.write(DECIDED + done))


def test_an_effect_of_the_next_refusal_is_none_of_the_one_before(desk: Desk) -> None:
    again = "- power_off: meter\n- power_on: meter\n"
    said = desk.problems(desk.write(DECIDED + again + DECIDED + REJECTED))
    assert said.count(NO_EFFECT) == 1
    assert f":10:22: {NO_EFFECT}" in said


def test_a_refusal_without_its_effect_is_neither_stopped_nor_claimed_with_effect(desk: Desk) -> None:
    result = desk.run(DECIDED + RISK)
    assert (result.verdict, result.stopped) == (Verdict.PASSED, ())
    [claim] = claims_of(Loader().load(desk.write(DECIDED + RISK)))
    assert not claim.effect
    assert [each.control for each in desk.run(DECIDED + REJECTED).stopped] == ["area.cell"]


def test_another_cause_than_expected_is_no_leak(desk: Desk) -> None:
    other = REJECTED.replace("NO_SUITABLE_CELLS_IN_TRACKING_AREA", "PLMN_NOT_ALLOWED")
    result = desk.run(DECIDED + other)
    assert (result.verdict, result.misuse) == (Verdict.FAILED, Misuse.NOT_AS_EXPECTED)


@pytest.mark.parametrize(
    "effect", [REJECTED, "- never: {mme: {session: {card: card}}}\n", "- expect: {mme: {session: none}}\n"]
)
def test_a_misuse_that_is_served_is_a_leak(desk: Desk, effect: str) -> None:
    result = desk.run(effect + DECIDED, cells="enb2/1")
    assert (result.verdict, result.misuse) == (Verdict.FAILED, Misuse.LEAKED)


@pytest.mark.parametrize("state", ["attach: rejected", CAUSE])
def test_a_refusal_that_should_never_be_is_no_leak(desk: Desk, state: str) -> None:
    result = desk.run(DECIDED + f"- never: {{meter: {{{state}}}}}\n")
    assert (result.verdict, result.misuse) == (Verdict.FAILED, Misuse.NOT_AS_EXPECTED)


def test_a_leak_of_which_only_the_refusal_is_expected_is_an_error_of_the_file(desk: Desk) -> None:
    path = desk.write(DECIDED + REJECTED)
    path.write_text(path.read_text().replace("network:", "tags: [leak]\nnetwork:"))
    assert f"{path}:4: tags: leak is for a misuse that is served" in desk.problems(path)
    path.write_text(path.read_text() + "- power_off: meter\n- power_on: meter\n- expect: {meter: {attach: accepted}}\n")
    assert "tags: leak" not in desk.problems(path)


def test_a_passed_scenario_that_documents_a_leak_is_a_known_leak() -> None:
    path = SHIPPED / "binding" / "card" / "known-limits.yaml::applet"
    [result] = suite.run_all([(suite.Job(str(path), path.stem), Loader().load(path))], RunOptions(), "", 1)
    assert (result.verdict, result.misuse) == (Verdict.PASSED, Misuse.KNOWN_LEAK)


def test_a_failure_before_the_misuse_is_none_of_it(desk: Desk) -> None:
    result = desk.run(
        "- expect: {meter: {attach: accepted}}\n- power_off: meter\n- power_on: meter\n" + DECIDED + REJECTED
    )
    assert (result.verdict, result.misuse) == (Verdict.FAILED, None)
