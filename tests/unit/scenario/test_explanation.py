"""A failure names the decision that has to do with it, shows the messages around it, and tells what was ignored."""

# fixtures of this file

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulators.mme.clients import nas_channel
from simwarden.scenario.failure import text_of
from simwarden.scenario.load import Loader
from simwarden.scenario.result import FailureRecord, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.wire.nas.enums import MessageType

HEAD = """\
scenario: s
network: {mme: {equipment: {verdict_lifetime: 1 h}}}
cards: {card: {profile: meter, binding: {by: hss, learn: first-use}}, other: {profile: meter}}
devices: {meter: {type: module}, phone: {type: handset}, third: {type: module}}
steps:
- insert: {card: card, into: meter}
- power_on: meter
- expect: {meter: {attach: accepted}}
"""
IN_A_PHONE = "- move: {card: card, to: phone}\n- power_on: phone\n"
UNBOUND = HEAD.replace(", binding: {by: hss, learn: first-use}", "")

Failing = Callable[..., FailureRecord]


@pytest.fixture
def failing() -> Failing:
    def run(steps: str, head: str = HEAD) -> FailureRecord:
        result = run_scenario(Loader().load("s.yaml", head + steps), "s", RunOptions())
        assert result.verdict is Verdict.FAILED, result.failure
        assert result.failure is not None
        return result.failure

    return run


def decided(record: FailureRecord) -> tuple[str, str]:
    return record.element, record.control


def test_the_refusal_behind_a_rejection_is_named_and_shown(failing: Any) -> None:
    # what comes after it in the phase, another card's attach, has nothing to do with it
    served = "- insert: {card: other, into: third}\n- power_on: third\n- power_off: third\n"
    record = failing(IN_A_PHONE + served + "- expect: {phone: {attach: accepted}}\n")
    assert decided(record) == ("hss", "bind.hss.learned")
    text = text_of(record)
    assert "messages around the decision:" in text
    assert "REFUSED by hss: bind.hss.learned" in text
    assert "Update location answer, experimental result 5001" in text
    assert "Uu     Attach reject, EMM cause 8" in text
    assert "third" not in text


def test_the_outcome_of_a_verb_is_explained_as_the_state_is(failing: Any) -> None:
    step = "- move: {card: card, to: phone}\n- power_on: phone\n  expect: accepted\n"
    assert decided(failing(step)) == ("hss", "bind.hss.learned")


def test_a_terminal_that_is_served_though_it_should_not_is_explained_by_the_control_that_is_meant(failing: Any) -> None:
    wanted = (
        "- expect:\n    phone: {attach: rejected, emm_cause: 8}\n    decision: {by: hss, control: bind.hss.given}\n"
    )
    record = failing(IN_A_PHONE + wanted, UNBOUND)
    assert decided(record) == ("", "")
    assert "decided by" not in text_of(record)
    meant = wanted.replace("bind.hss.given", "hss.withdrawn")
    assert decided(failing(IN_A_PHONE + meant, UNBOUND)) == ("hss", "hss.withdrawn")


def test_no_decision_is_named_that_has_nothing_to_do_with_it(failing: Any) -> None:
    for wanted in ("phone: {power: 'on'}", "meter: {address: 10.64.9.9}", "uu.paging: {}"):
        record = failing(f"- power_off: meter\n- expect: {{{wanted}}}\n")
        assert decided(record) == ("", ""), wanted


def test_a_record_is_explained_by_its_elements_decision_of_that_card(failing: Any) -> None:
    steps = "- insert: {card: other, into: third}\n- power_on: third\n- expect: {hss: {binding: {imei: third.imei}}}\n"
    record = failing(steps)
    assert decided(record) == ("", "")
    first = HEAD.replace("- expect: {meter: {attach: accepted}}\n", "")
    assert decided(failing("- expect: {hss: {binding: {imei: third.imei}}}\n", first)) == ("hss", "bind.hss.learned")


def test_a_message_is_explained_by_the_decision_that_it_carries(failing: Any) -> None:
    wanted = "- expect: {s6a.update-location-answer: {experimental_result: 5420}}\n"
    record = failing(IN_A_PHONE + wanted)
    assert decided(record) == ("hss", "bind.hss.learned")


def test_what_the_protocol_demands_is_told_with_its_clause(failing: Any) -> None:
    lost = "- restart: mme\n- wait: 20 s\n- tau: meter\n  expect: accepted\n"
    text = text_of(failing(lost))
    assert "demanded of mme by TS 24.301 5.5.3.2.5, no control decided: no context here has this GUTI" in text
    assert "decided by" not in text
    assert "messages around it:" in text


def test_a_decision_of_before_is_called_kept(failing: Any) -> None:
    wanted = "- wait: 5 s\n- tau: meter\n- expect:\n    meter: {tau: rejected, emm_cause: 8}\n"
    wanted += "    decision: {by: hss, control: bind.hss.learned}\n"
    record = failing(wanted)
    assert decided(record) == ("hss", "bind.hss.learned")
    assert "(kept from before: decided at 0.000 s)" in text_of(record)


@pytest.mark.parametrize("wait", ["", "- wait: 5 s\n"])
def test_a_verdict_that_the_mme_has_kept_is_called_so(failing: Any, wait: str) -> None:
    steps = f"- list_equipment: {{equipment: meter.imei, status: prohibited}}\n{wait}- tau: meter\n- expect:\n"
    wanted = "    meter: {tau: rejected, emm_cause: ILLEGAL_ME}\n    decision: {by: mme, control: mme.equipment}\n"
    text = text_of(failing(steps + wanted))
    seconds = 5 if wait else 0
    assert "mme.equipment, clause 2.1.3(1) three" in text
    assert f"the EIR says allowed (a verdict kept for {seconds} s)" in text


def test_a_reject_that_the_terminal_must_ignore_is_told_behind_no_answer(failing: Any, monkeypatch: Any) -> None:
    """Once messages are exchanged securely, a reject without integrity protection is not processed (4.4.4.2)."""
    protect = nas_channel.protect

    def unprotected(conn: Any, plain: bytes) -> bytes:
        return plain if plain[1] == MessageType.ATTACH_REJECT else protect(conn, plain)

    monkeypatch.setattr(nas_channel, "protect", unprotected)
    record = failing(
        IN_A_PHONE
        + "- expect: {within: 1 s, phone: {attach: rejected}, decision: {by: hss, control: bind.hss.learned}}\n"
    )
    assert record.mismatches[0].got == "no-answer"
    (told,) = record.ignored
    assert told.startswith("phone ignored what enb sent: ATTACH_REJECT without integrity protection")
    assert told in text_of(record)
