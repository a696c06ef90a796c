"""At the end of each story elements agree on what there is, and nothing is under way, though no expectation says so."""

from __future__ import annotations

from typing import Any

import pytest
from planting import plant

from simulators.mme.procedures import default_bearer
from simulators.scp.core import Core as ScpCore
from simulators.sgw.procedures import sessions
from simulators.ssp.clients.terminal import Terminal
from simulators.ssp.clients.trunk import OutgoingLeg
from simulators.ssp.element import Ssp
from simwarden.scenario.failure import text_of
from simwarden.scenario.load import Loader
from simwarden.scenario.rest import disagreements
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario

STORY = """\
scenario: A meter is switched on and off
cards:
  card: {profile: meter}
devices:
  meter: {type: module}
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
    expect: accepted
  - power_off: meter
  - expect: {meter: {attach: "off"}}
"""
AT_THE_PGW = ("Indication.OI in flags", "False")


def play(more: str = "") -> ScenarioResult:
    return run_scenario(Loader().load("story.yaml", STORY + more), "story", RunOptions())


def test_a_session_that_outlives_its_end_elsewhere_fails_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    assert play().verdict is Verdict.PASSED
    plant(monkeypatch, sessions.delete_session, AT_THE_PGW)
    result = play()
    assert (result.verdict, result.failure is not None) == (Verdict.FAILED, True)
    assert result.failure is not None
    told = text_of(result.failure)
    assert "the network is not at rest after the last step" in told
    assert "story.yaml:11" in told
    wrong = {each.subject: (each.want, each.got) for each in result.failure.mismatches}
    assert wrong["sessions"] == ("all elements count as many", "mme 0, pgw 1, sgw 0")


def test_what_is_under_way_has_its_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, under_way in ((20, []), (600, ["delete-session-request"])):
        with monkeypatch.context() as patch:
            plant(
                patch, sessions.delete_session, ("device, flags = ...", f"await core.site.clock.sleep({seconds})\n...")
            )
            result = play()
        wrong = result.failure.mismatches if result.failure is not None else ()
        assert [each.got for each in wrong if each.subject == "sgw"] == under_way


@pytest.mark.parametrize(
    ("place", "fault", "subject", "got"),
    [
        (default_bearer.take_tunnels, ("tunnel.gtp_teid", "7"), "S1-U tunnels", "sgw 5 7 127."),
        (
            sessions._create_at_pgw,
            ('made.get("bearer_qos") or connection.qos', "connection.qos._replace(qci=1)"),
            "QoS",
            "sgw 001010000000001 5 1 ",
        ),
    ],
)
def test_what_two_hold_and_not_alike_fails_the_story(
    place: Any, fault: tuple[str, str], subject: str, got: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = "  - power_on: meter\n"
    assert play(on).verdict is Verdict.PASSED
    plant(monkeypatch, place, fault)
    result = play(on)
    wrong = {each.subject: (each.want, each.got) for each in result.failure.mismatches} if result.failure else {}
    assert wrong[subject][0] == "all elements tell the same"
    assert got in wrong[subject][1]


def test_while_something_is_down_nobody_has_to_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, sessions.delete_session, AT_THE_PGW)
    assert play("  - kill: eir\n").verdict is Verdict.PASSED
    assert play("  - fail: {element: eir, answer: 5012}\n").verdict is Verdict.PASSED
    assert play("  - restart: eir\n").verdict is Verdict.FAILED


def test_what_one_kind_alone_counts_is_compared_with_nothing() -> None:
    held = {("sessions", "pgw"): 1, ("sessions", "other"): 1, ("sessions", "sgw"): 2, ("tunnels", "sgw"): 7}
    kinds = {"pgw": "pgw", "other": "pgw", "sgw": "sgw"}
    assert list(disagreements(held, kinds)) == []
    held["sessions", "other"] = 2
    assert list(disagreements(held, kinds)) == [("sessions", "pgw 3, sgw 2")]


VOICE = """\
scenario: A lift with calls
network:
  hss: {signalling: {}}
  eir: {signalling: {}}
  scp: {type: scp}
  pstn: {type: pstn}
  ssp: {type: ssp, trunks: {pstn: {prefixes: [""]}}}
cards:
  card: {profile: elevator-alarm, voice: {by: scp, numbers: ["13800001111"]}}
devices:
  lift: {type: module, msc: ssp}
steps:
  - insert: {card: card, into: lift}
  - power_on: lift
    expect: accepted
"""
BACK = """\
  - kill: ssp
  - expect: {ssp: {subscriber: none}}
  - start: ssp
  - wait: 10 s
  - call: {device: lift, to: "13800001111", lasts: 10}
    expect: not-registered
"""


def test_a_vlr_that_begins_anew_need_not_know_whom_the_hlr_knows_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(steps: str) -> str:
        result = run_scenario(Loader().load("story.yaml", VOICE + steps), "story", RunOptions())
        return text_of(result.failure) if result.failure is not None else ""

    assert told(BACK) == ""
    monkeypatch.setattr(Ssp, "forgets", ())
    assert "hss 001010000000001 " in told(BACK)
    monkeypatch.setattr(Ssp, "views", lambda _self: {"VLRs": []})
    assert "VLRs" in told("  - wait: 1 s\n")


@pytest.mark.parametrize(
    ("place", "fault", "wrong"),
    [
        (
            Terminal.release,
            ("self.clear_call()", "self.leg = None"),
            {"calls at terminals": "ssp lift; device nothing else"},
        ),
        (
            OutgoingLeg.release,
            ("self._trunks.hang_up(...)", "self._trunks.forget(self._call)"),
            {"trunk calls pstn": "pstn pstn; ssp nothing else"},
        ),
        (
            ScpCore.forget,
            ("del self.calls[call.dialogue]", "pass"),
            {"CAP dialogues": "scp 001010000000001; ssp nothing else"},
        ),
    ],
)
def test_a_call_that_one_end_alone_has_fails_the_story(
    place: Any, fault: tuple[str, str], wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_call = VOICE + '  - call: {device: lift, to: "13800001111"}\n    expect: connected\n  - power_off: lift\n'

    def told() -> dict[str, str]:
        result = run_scenario(Loader().load("story.yaml", in_a_call), "story", RunOptions())
        return {each.subject: each.got for each in result.failure.mismatches} if result.failure else {}

    assert told() == {}
    plant(monkeypatch, place, fault)
    assert told() == wrong
