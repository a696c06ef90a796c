"""Whole runs on the toys: verdicts, expectations, time, and what a failure tells."""

import pickle
from collections.abc import Callable

import pytest

from simwarden.errors import Place
from simwarden.policy.decision import Verdict as PolicyVerdict
from simwarden.scenario import judge
from simwarden.scenario.document import DecisionWanted
from simwarden.scenario.failure import text_of
from simwarden.scenario.identities import Identity
from simwarden.scenario.report.junit import junit_of
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.trace.events import Frame, StepMark

Play = Callable[..., ScenarioResult]

MOVED = """
- insert: {card: card, into: meter}
- power_on: meter
  expect: accepted
- expect:
    meter: {attach: Accepted, emm_cause: 0}
    gate: {binding: {card: card, imei: meter.imei}}
    decision: {by: gate, control: bind.hss.learned, verdict: admit, card: card}
- insert: {card: card, into: phone}
- power_on: phone
- expect:
    phone: {attach: rejected, emm_cause: illegal-me}
    gate: {binding: {card: card, device: meter}}
    decision: {by: gate, control: bind.hss.learned, card: card, details: {seen: phone.imei}}
- never: {phone: {attach: accepted}}
"""


def test_a_moved_card_is_refused(play: Play) -> None:
    result = play(MOVED)
    assert result.failure is None, text_of(result.failure)
    assert (result.verdict, result.steps_done, result.steps) == (Verdict.PASSED, 7, 7)
    assert [lane.name for lane in result.lanes] == ["card", "meter", "phone", "gate"]
    assert result.expects_refusal


def test_the_trace_goes_to_another_process(play: Play) -> None:
    result = play(MOVED)
    again: ScenarioResult = pickle.loads(pickle.dumps(result))  # noqa: S301 - our own
    assert [type(event) for event in again.events] == [type(event) for event in result.events]


def test_a_switched_off_control_makes_it_fail_with_a_record(play: Play) -> None:
    result = play(MOVED, switches={"bind.hss.learned": "always-admit"})
    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert [each.subject for each in result.failure.mismatches] == ["phone.attach", "phone.emm_cause", "decision"]
    text = text_of(result.failure, "report/story.pcapng")
    for part in (
        "story.yaml:19:",
        "- want  rejected",
        "+ got   accepted",
        "decided by gate, control bind.hss.learned, clause 2.1.3(1) one",
        "capture: report/story.pcapng",
        "run it alone: simwarden run story.yaml",
        "S1-MME Malformed",
    ):
        assert part in text
    assert "Traceback" not in text


def test_an_expectation_lets_time_pass_until_it_is_met_and_no_further(play: Play) -> None:
    slow = "scenario: s\nnetwork: {gate: {delay: 12}}\ncards: {card: }\ndevices: {meter: }\n"
    steps = "- insert: {card: card, into: meter}\n- power_on: meter\n"
    steps += "- expect: {within: %s, meter: {emm_cause: NO_REASON}}\n"
    result = play(steps % "3 s", slow)
    assert (result.verdict, round(result.virtual)) == (Verdict.PASSED, 14)
    assert play(steps % "1 s", slow).verdict is Verdict.FAILED


def test_decisions_of_an_earlier_phase_do_not_count(play: Play) -> None:
    result = play(
        """
        - insert: {card: card, into: meter}
        - power_on: meter
        - expect: {decision: {by: gate, control: bind.hss.learned, verdict: admit}}
        - wait: 1 s
        - expect: {decision: {by: gate, control: bind.hss.learned, verdict: admit}}
        """
    )
    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert result.failure.mismatches[0].got == "no control decided anything"


def test_a_binding_survives_power_loss(play: Play) -> None:
    result = play(
        """
        - insert: {card: card, into: meter}
        - power_on: meter
        - kill: gate
        - start: gate
        - insert: {card: card, into: phone}
        - power_on: phone
          expect: rejected
        """
    )
    assert result.verdict is Verdict.PASSED


def test_a_customer_who_binds_is_refused(play: Play) -> None:
    call = "- manage: {element: gate, as: %s, put: '/cards/{card.imsi}/binding', body: {imei: phone.imei}}\n"
    refused = call % "customer" + "  expect: forbidden\n- expect: {decision: {by: gate, control: bind.operator}}\n"
    refused += "- never: {gate: {binding: {imei: phone.imei}}}\n"
    assert play(refused).verdict is Verdict.PASSED
    assert play(call % "operator" + "  expect: 200\n").verdict is Verdict.PASSED
    unexpected = play(call % "customer")
    assert unexpected.failure is not None
    assert "403 Forbidden: only the operator binds" in unexpected.failure.summary


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("crash: meter", "fault in gate: serve: KeyError: 'crashed'"),
        ("wait_for_nothing: meter", "waits for something that can never happen"),
        ("pretend: meter", "meter.attach is rejected, but no control decided so"),
    ],
)
def test_faults_of_ours_are_errors(play: Play, step: str, said: str) -> None:
    result = play(f"- {step}\n")
    assert result.verdict is Verdict.ERROR
    assert result.failure is not None
    assert said in result.failure.summary


def test_a_run_that_hangs_is_an_error_that_says_where(play: Play) -> None:
    result = play("- hang: meter\n", limit=2)  # long enough for a busy machine to get so far
    assert result.verdict is Verdict.ERROR
    assert result.failure is not None
    assert "conftest.py:" in result.failure.summary or "still running" in result.failure.summary
    assert result.failure.step == "hang: meter"


def test_the_inside_of_an_external_element_is_inconclusive(play: Play) -> None:
    head = "scenario: s\nnetwork: {gate: {external: '127.0.0.1:9'}}\n"
    result = play("- expect: {gate: {open: yes}}\n- wait: 0.01\n", head)
    assert (result.verdict, result.clock, result.transport) == (Verdict.INCONCLUSIVE, "real", "memory")
    assert result.failure is not None
    assert "gate (external)" in result.failure.summary
    assert [lane.external for lane in result.lanes] == [True]


def test_what_external_elements_say_to_each_other_is_inconclusive(play: Play) -> None:
    head = "scenario: s\nnetwork: {gate: {external: '127.0.0.1:9'}}\n"
    for step in ("expect: {s1-mme.attach-accept: {}}", "never: {s1-mme.attach-accept: {}}"):
        result = play(f"- {step}\n- wait: 0.01\n", head)
        assert result.verdict is Verdict.INCONCLUSIVE, result.failure


def test_the_same_on_memory_and_tcp_and_with_the_same_seed(play: Play) -> None:
    def frames(**options: object) -> list[tuple[str, str, bytes, float]]:
        return [(e.source, e.target, e.data, e.time) for e in play(MOVED, **options).events if isinstance(e, Frame)]

    assert frames() == frames(transport="tcp") != []


@pytest.mark.parametrize(
    ("steps", "line", "step"),
    [
        ("- power_on: meter\n  expect: rejected\n", "  expect: rejected", "power_on: meter"),
        ("- power_on: meter\n- expect: {meter: {attach: rejected}}\n", "- expect: {meter", "expect"),
        (
            "- insert: {card: card, into: phone}\n- power_on: phone\n  expect: accepted\n",
            "  expect: a",
            "power_on: phone",
        ),
        ("- power_on: meter\n- never: {meter: {attach: accepted}}\n", "- never: {meter", "never"),
    ],
)
def test_a_failure_names_the_step_at_its_line(play: Play, steps: str, line: str, step: str) -> None:
    before = "- insert: {card: card, into: meter}\n- power_on: meter\n- never: {phone: {attach: accepted}}\n"
    result = play(before + steps)
    assert result.failure is not None
    first = next(each.line for each in result.events if isinstance(each, StepMark))
    assert (before + steps).splitlines()[result.failure.place.line - first].startswith(line)
    assert result.failure.step == step
    assert text_of(result.failure).splitlines()[0] == f"{result.failure.place}: {step}"
    assert f"{result.failure.place}: {step}\n" in junit_of([result]).decode()


def test_steps_are_marked_in_the_trace(play: Play) -> None:
    marks = [event for event in play("- wait: 90 days\n- stop: gate\n").events if isinstance(event, StepMark)]
    assert [(mark.index, mark.text, mark.line) for mark in marks] == [(0, "wait: 90 days", 8), (1, "stop: gate", 9)]


def test_the_real_clock(play: Play) -> None:
    result = play("- insert: {card: card, into: meter}\n- power_on: meter\n  expect: accepted\n", clock="real")
    assert (result.verdict, result.clock) == (Verdict.PASSED, "real")


@pytest.mark.parametrize(
    ("reason", "part", "says"),
    [
        ("the terminal is unlisted", "listed", False),
        ("an unlisted terminal, not a listed one", "Listed", True),
        ("hss did not answer", "", True),
        ("3 of 5 (most)", "5 (most)", True),
    ],
)
def test_a_part_of_a_reason_is_whole_words(reason: str, part: str, says: bool) -> None:  # noqa: FBT001
    assert judge._says(reason, part) is says


@pytest.mark.parametrize(
    ("which", "want", "got", "same"),
    [
        ("imsi", "001010000000001", "00101000000000", False),
        ("imei", "990001010000015", "99000101000001", True),
        ("imei", "990001010000015", "9900010100000112", True),
        ("imsi", "001010000000001", "001010000000001", True),
    ],
)
def test_a_card_is_itself_and_a_terminal_is_told_by_14_digits(which: str, want: str, got: str, same: bool) -> None:  # noqa: FBT001
    wanted = DecisionWanted(Place("f"), "mme", "", PolicyVerdict.REFUSE, Identity.of(want, which))
    assert judge._same_subject(wanted, got) is same


def test_an_answer_beside_a_call_is_that_of_this_call(play: Play) -> None:
    call = "- manage: {element: gate, put: '/cards/{card.imsi}/binding', body: {imei: %s}, as: %s}\n"
    steps = call % ("phone.imei", "operator") + call % ("meter.imei", "customer") + "  expect: {gate: {answer: {%s}}}\n"
    assert play(steps % "status: 403").verdict is Verdict.PASSED
    assert play(steps % "status: 200").verdict is Verdict.FAILED
