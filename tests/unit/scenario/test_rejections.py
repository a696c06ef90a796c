"""A rejection that stands was decided by a control, or the protocol demands it and the file says so."""

# ruff: noqa: ARG001  # fixtures of this file, stand-ins of procedures

from collections.abc import Callable
from dataclasses import replace
from textwrap import dedent
from typing import Any

import pytest

from simulators.device.state import Procedure
from simulators.mme.causes import Rejection
from simulators.mme.demands import DEMANDS
from simulators.mme.procedures import attach, service_request
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import Problems
from simwarden.scenario.refusals import check_refusals, expects_refusal
from simwarden.scenario.rejections import Finding, Phase, check_rejections
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.events import Event, Note, Rejected
from simwarden.wire.nas.enums import EmmCause

HEAD = """\
scenario: s
cards: {card: {profile: meter}, other: {profile: meter, binding: {by: hss, learn: first-use}}}
devices: {meter: {type: module}, phone: {type: handset}, stolen: {type: handset}}
steps:
- insert: {card: card, into: meter}
- power_on: meter
- expect: {meter: {attach: accepted}}
"""
LOST = "- restart: mme\n- wait: 20 s\n"
#: a phone that a control refuses, in the same phase as what comes after it
REFUSED_PHONE = """\
- insert: {card: other, into: phone}
- power_on: phone
- power_off: phone
- expect: {phone: {attach: off}}
- move: {card: other, to: stolen}
- power_on: stolen
"""

Play = Callable[..., ScenarioResult]


@pytest.fixture
def play() -> Play:
    def run(steps: str, head: str = HEAD) -> ScenarioResult:
        return run_scenario(Loader().load("s.yaml", head + dedent(steps)), "s", RunOptions())

    return run


def summary_of(result: ScenarioResult) -> str:
    return result.failure.summary if result.failure is not None else ""


@pytest.mark.parametrize("asked", ["tau", "service_request"])
def test_what_the_protocol_demands_can_be_expected_without_decision_and_twin(play: Any, asked: str) -> None:
    wanted = f"- {asked}: meter\n- expect: {{meter: {{{asked}: rejected, emm_cause: 9, attach: accepted}}}}\n"
    assert play(LOST + wanted).verdict is Verdict.PASSED
    assert play(LOST + f"- {asked}: meter\n  expect: rejected\n- expect: {{meter: {{emm_cause: 9}}}}\n").failure is None


def test_an_implicitly_detached_device_is_told_10(play: Any) -> None:
    timers = "network: {mme: {timers: {t3412: 10 min, t3412_extended: 10 min}}}\n"
    head = HEAD.replace("scenario: s\n", f"scenario: s\nkeep_alives: true\n{timers}")
    # without its cell the device cannot make its periodic updates, and the MME gives it up
    steps = "- stop: enb\n- wait: 1 h\n- start: enb\n- wait: 2 h\n- goto: {device: meter, cell: enb/1}\n"
    asked = "- service_request: meter\n"
    wanted = "- expect: {meter: {service_request: rejected, emm_cause: IMPLICITLY_DETACHED, attach: accepted}}\n"
    assert play(steps + asked + wanted, head).verdict is Verdict.PASSED


def test_what_the_protocol_demands_and_nobody_expects_is_a_mismatch(play: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("simulators.device.procedures.refusal.REACTIONS", {each: {} for each in Procedure})
    result = play(LOST + "- service_request: meter\n")
    assert result.verdict is Verdict.FAILED
    assert "meter.service_request is rejected, which nothing expects" in summary_of(result)
    assert result.failure is not None
    (mismatch,) = result.failure.mismatches
    assert "(9), as TS 24.301 5.6.1.5 demands: no context has this S-TMSI" in mismatch.got
    assert "wait" not in result.failure.step


@pytest.mark.parametrize("later", ["", "- tau: meter\n", "- wait: 1 min\n- service_request: meter\n"])
@pytest.mark.parametrize("asked", ["tau", "service_request"])
def test_what_follows_it_in_the_phase_excuses_nothing(play: Any, asked: str, later: str) -> None:
    wanted = "- expect: {meter: {attach: accepted}, mme: {session: {card: card}}}\n"
    result = play(f"{LOST}- {asked}: meter\n{later}{wanted}")
    assert result.verdict is Verdict.FAILED
    assert f"meter.{asked} is rejected, which nothing expects" in summary_of(result)
    told = {"tau": "tracking-area-update-reject", "service_request": "service-reject"}[asked]
    expected = f"- expect: {{uu.{told}: {{emm_cause: 9}}, meter: {{attach: accepted}}}}\n"
    assert play(f"{LOST}- {asked}: meter\n{later}{expected}").verdict is Verdict.PASSED


def refuse_the_meter(core: Any, ue: Any, *_: object) -> Rejection | None:
    """What no control has decided: a rejection of one card."""
    return Rejection(EmmCause.PLMN_NOT_ALLOWED, "no reason") if ue.imsi.endswith("1") else None


def test_a_card_that_does_not_prove_itself_is_rejected_by_the_protocol(play: Any) -> None:
    copies = "{copy: {imsi: '001010000000009', k: 00112233445566778899aabbccddeeff}, card: {imsi: '001010000000009'}}"
    head = f"scenario: s\ncards: {copies}\ndevices: {{meter: {{type: module}}}}\nsteps:\n"
    steps = "- insert: {card: copy, into: meter}\n- power_on: meter\n"
    wanted = "- expect: {meter: {attach: rejected}, s1-mme.authentication-reject: seen}\n"
    assert play(steps + wanted, head).verdict is Verdict.PASSED
    unexpected = play(steps, head)
    assert unexpected.verdict is Verdict.FAILED
    assert unexpected.failure is not None
    assert "rejected, as TS 24.301 5.4.2.5 demands" in unexpected.failure.mismatches[0].got
    problems = Problems()
    check_refusals(Loader().load("s.yaml", head + steps + "- expect: {meter: {attach: rejected}}\n"), problems)
    assert "a refusal names its decision" in [each.reason for each in problems.found]


def test_a_policy_without_a_control_is_our_fault(play: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(attach, "check_barring", refuse_the_meter)
    result = play("", HEAD.replace("- expect: {meter: {attach: accepted}}\n", ""))
    assert result.verdict is Verdict.ERROR
    assert "meter.attach is rejected by mme (no reason), but no control of mme decided so" in summary_of(result)


def test_a_refusal_elsewhere_in_the_phase_excuses_nothing(play: Any, monkeypatch: Any) -> None:
    refused = (
        "- expect:\n    stolen: {attach: rejected, emm_cause: 8}\n    decision: {by: hss, control: bind.hss.learned}\n"
    )
    fine = play(REFUSED_PHONE + refused)
    assert fine.verdict is Verdict.PASSED, summary_of(fine)
    monkeypatch.setattr(service_request, "apn_lost", refuse_the_meter)
    result = play(REFUSED_PHONE + "- tau: meter\n" + refused)
    assert result.verdict is Verdict.ERROR, summary_of(result)
    assert "meter.tau is rejected by mme (no reason), but no control of mme decided so" in summary_of(result)


def test_an_earlier_refusal_of_the_same_card_excuses_nothing(play: Any, monkeypatch: Any) -> None:
    again = REFUSED_PHONE + "- power_off: stolen\n- power_on: stolen\n"
    assert play(again).verdict is Verdict.PASSED
    calls: list[str] = []

    def only_once(core: Any, ue: Any) -> Rejection | None:
        calls.append(ue.imsi)
        return Rejection(EmmCause.ILLEGAL_UE, "no reason") if calls.count(ue.imsi) > 2 else None

    monkeypatch.setattr("simulators.mme.procedures.attach.area.check_place", lambda core, ue, _: only_once(core, ue))
    result = play(again)
    assert result.verdict is Verdict.ERROR, summary_of(result)
    assert "stolen.attach is rejected by mme" in summary_of(result)


def test_what_a_control_decided_is_not_expected_as_the_protocols(play: Any) -> None:
    head = HEAD.replace("scenario: s\n", "scenario: s\nnetwork: {mme: {causes: {outside_cells: ESM_FAILURE}}}\n")
    head = head.replace("{profile: meter}", "{profile: meter, area: {by: mme, cells: [enb/1]}}", 1)
    head = head.replace("\nnetwork: {", "\nnetwork: {enb: {cells: [{}, {}], location_reports: none}, ")
    wanted = "{s1-mme.tracking-area-update-reject: {emm_cause: 10}, meter: {tau: rejected}}"
    steps = f"- goto: {{device: meter, cell: enb/2}}\n- tau: meter\n- expect: {wanted}\n"
    result = play(steps, head)
    assert result.verdict is Verdict.FAILED, summary_of(result)
    assert "a control decided a rejection that is expected without one" in summary_of(result)
    assert result.failure is not None
    assert "mme refused by area.cell" in result.failure.mismatches[0].got


@pytest.mark.parametrize(
    ("cause", "told"), [("9", ""), ("IMPLICITLY_DETACHED", ""), ("8", "a refusal names its decision")]
)
def test_validate_knows_what_protocols_demand(cause: str, told: str) -> None:
    text = HEAD + f"- expect: {{meter: {{tau: rejected, emm_cause: {cause}}}}}\n"
    problems = Problems()
    scenario = Loader().load("s.yaml", text)
    check_refusals(scenario, problems)
    assert [each.reason for each in problems.found] == ([told] if told else [])
    assert expects_refusal(scenario) is bool(told)


def test_a_demand_says_when_and_by_which_clause() -> None:
    assert len(DEMANDS) > 10
    for each in DEMANDS:
        assert each.doc
        assert each.clause.startswith("TS ")


def finding_with(result: ScenarioResult, steps: str, outside: str) -> Finding | None:
    """Judge a run again as if one element had been outside this process, and no control of it been seen."""
    scenario = Loader().load("s.yaml", HEAD + steps)
    scenario.instances[outside] = replace(scenario.instances[outside], external={"": ("192.0.2.1", 3868)})
    events = [_unseen(each) if getattr(each, "element", "") == outside else each for each in result.events]
    return check_rejections(scenario, events, [Phase(0, scenario.steps)])


def _unseen(event: Event) -> Event:
    return Note(number=event.number, time=event.time, element="", text="")


def test_an_element_outside_is_an_excuse_for_what_it_decides_and_for_nothing_else(play: Any, monkeypatch: Any) -> None:
    refused = play(REFUSED_PHONE)
    assert refused.verdict is Verdict.PASSED
    assert finding_with(refused, REFUSED_PHONE, "hss") is None
    monkeypatch.setattr(attach, "check_barring", refuse_the_meter)
    found = finding_with(play("", HEAD.replace("- expect: {meter: {attach: accepted}}\n", "")), "", "hss")
    assert found is not None
    assert (found.verdict, "no control of mme decided so" in found.summary) == (Verdict.ERROR, True)


def test_an_element_that_a_step_lets_fail_is_an_excuse_for_its_answer(play: Any) -> None:
    failing = "- insert: {card: other, into: phone}\n- fail: {element: hss, answer: %s}\n- power_on: phone\n"
    for answer, clause in ((5003, ""), (5012, "TS 29.272 A.1")):
        result = play(failing % answer)
        assert result.verdict is Verdict.PASSED
        assert [each.clause for each in result.events if isinstance(each, Rejected)] == [clause]
    refused = [each for each in play(REFUSED_PHONE).events if isinstance(each, Rejected)]
    # Experimental-Result 5001 says something of the card, and Result-Code 5001 that the HSS cannot read it
    assert [(each.clause, each.by, each.message) for each in refused] == [("", "hss", "attach-reject")]
    assert play(failing % 5012).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("{s1-mme.attach-reject: seen}", ["a refusal names its decision", "a refusal names its cause"]),
        ("{s1-mme.attach-reject: {emm_cause: ILLEGAL_ME}}", ["a refusal names its decision"]),
        ("{s1-mme.service-reject: {emm_cause: IMPLICITLY_DETACHED}}", []),
        ("{s1-mme.attach-accept: seen}", []),
    ],
)
def test_a_message_that_rejects_is_a_refusal_as_the_state_is_to_which_it_leads(wanted: str, told: list[str]) -> None:
    problems = Problems()
    scenario = Loader().load("s.yaml", HEAD + f"- expect: {wanted}\n")
    check_refusals(scenario, problems)
    assert [each.reason for each in problems.found] == told
    assert expects_refusal(scenario) is bool(told)


MOVED = "- insert: {card: other, into: meter}\n- power_on: meter\n- expect: {hss: {binding: {card: other}}}\n"


@pytest.mark.parametrize(
    "said",
    [
        "phone: {emm_cause: 8}",
        "mme: {reject: {card: other, emm_cause: 8}}",
        "s6a.update-location-answer: {experimental_result: 5001}",
        "s1-mme.attach-reject: {emm_cause: 8}",
        "phone: {attach: rejected}",
    ],
)
def test_a_refusal_that_is_told_by_its_cause_names_the_decision_of_the_control(play: Any, said: str) -> None:
    head = HEAD.partition("- insert")[0] + MOVED
    tried = "- move: {card: other, to: phone}\n- power_on: phone\n"
    result = play(f"{tried}- expect: {{{said}}}\n", head)
    assert summary_of(result) == "a control decided a rejection that is expected without one"
    assert result.failure.mismatches[0].place.line == 10
    decision = "decision: {by: hss, control: bind.hss.learned}"
    assert play(f"{tried}- expect: {{{said}, {decision}}}\n", head).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("cause", "is_one"),
    [
        ("s6a.authentication-information-answer: {result_code: DIAMETER_SUCCESS}", False),
        ("s6a.authentication-information-answer: {result_code: 2001}", False),
        ("s6a.update-location-answer: {experimental_result: absent}", False),
        ("s5-c.create-session-response: {cause: REQUEST_ACCEPTED}", False),
        ("hss: {subscription: {card: other, status: active}}", False),
        ("s6a.update-location-answer: {experimental_result: 5001}", True),
        ("phone: {emm_cause: IMEI_NOT_ACCEPTED}", True),
    ],
)
def test_what_is_not_there_or_went_well_is_no_cause(cause: str, is_one: bool) -> None:  # noqa: FBT001
    decision = "decision: {by: hss, control: bind.hss.learned}"
    expected = f"- power_on: phone\n- expect:\n    phone: {{attach: rejected}}\n    {cause}\n    {decision}\n"
    if cause.startswith("phone"):
        expected = expected.replace("rejected}\n    phone: {", "rejected, ")
    problems = Problems()
    check_refusals(Loader().load("s.yaml", HEAD + expected), problems)
    assert ("a refusal names its cause" not in str([each.reason for each in problems.found])) is is_one


def test_what_the_protocol_demands_is_told_from_what_a_control_refused_in_the_same_phase(play: Any) -> None:
    head = HEAD.replace("devices:", "network: {enb: {cells: [{tac: 1}, {tac: 2}]}}\ndevices:").replace(
        "{profile: meter}, other", "{profile: meter, area: {by: mme, cells: [enb/1]}}, other"
    )
    away = "- wait: 15 s\n- goto: {device: meter, cell: enb/2}\n- service_request: meter\n- wait: 1 min\n"
    back = "- goto: {device: meter, cell: enb/1}\n- service_request: meter\n"
    assert not summary_of(
        play(away + back + "- expect: {uu.tracking-area-update-reject: {emm_cause: IMPLICITLY_DETACHED}}\n", head)
    )
