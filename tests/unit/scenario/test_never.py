"""`never` is about every moment of a phase: what stands in it counts as what changes in it."""

from collections.abc import Callable

import pytest

from simwarden.scenario.document import FactWanted
from simwarden.scenario.load import Loader
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.standing import History
from simwarden.trace.events import StateChange, StepMark

Play = Callable[..., ScenarioResult]

SERVED = """
- insert: {card: card, into: meter}
- power_on: meter
- expect: {meter: {attach: accepted}}
"""
REAL = """\
scenario: A meter is served, and then?
cards: {card: {binding: {by: hss, learn: first-use}}}
devices: {meter: {type: module}, phone: {type: handset}}
steps:
- insert: {card: card, into: meter}
- power_on: meter
- expect: {meter: {attach: accepted}}
"""


def real(steps: str, *, keep: bool = True) -> ScenarioResult:
    return run_scenario(Loader().load("story.yaml", REAL + steps), "story", RunOptions(keep=keep))


def got(result: ScenarioResult) -> str:
    assert result.verdict in (Verdict.PASSED, Verdict.FAILED), result.failure
    return result.failure.mismatches[0].got if result.failure else ""


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("meter: {attach: accepted}", "at 0.000 s meter.attach was accepted and stood when the phase began"),
        ("gate: {binding: {card: card}}", "gate.binding was {imsi: 001010000000001, imei: 990001010000016} and stood"),
        ("gate: {binding: any}", "gate.binding was {imsi: 001010000000001"),
        ("gate: {open: yes}", "gate.open was yes and stood when the phase began"),
        ("phone: {attach: none}", "phone.attach was nothing and stood when the phase began"),
        ("meter: {attach: rejected}", ""),
        ("gate: {binding: {imei: phone.imei}}", ""),
        ("gate: {binding: none}", ""),
        ("meter: {attach: none}", ""),
    ],
)
def test_what_stood_before_a_phase_that_only_waits_stands_in_it(play: Play, fact: str, said: str) -> None:
    told = got(play(f"{SERVED}- wait: 1 h\n- never: {{{fact}}}\n"))
    assert said in told
    assert bool(said) == bool(told)


def test_no_record_is_held_until_one_is(play: Play) -> None:
    empty = "- insert: {card: card, into: meter}\n- never: {gate: {binding: none}}\n"
    assert "gate.binding was nothing" in got(play(empty))
    late = empty.replace("- never", "- power_on: meter\n- never")
    assert "gate.binding was nothing" in got(play(late))
    begun = "- insert: {card: card, into: meter}\n- expect: {gate: {open: yes}}\n- power_on: meter\n"
    assert got(play(begun + "- never: {gate: {binding: none}}\n")) == ""


@pytest.mark.parametrize(
    ("steps", "fact", "stands"),
    [
        # the verb with which the phase begins ends it: that was before
        ("power_off: meter", "mme: {session: {card: card}}", False),
        ("power_off: meter", "meter: {attach: accepted}", False),
        ("move: {card: card, to: phone}\n- power_on: phone", "meter: {attach: accepted}", False),
        # a later one does
        ("wait: 0 s\n- power_off: meter", "mme: {session: {card: card}}", True),
        ("page: card.imsi\n- power_off: meter", "meter: {attach: accepted}", True),
        # time ends it
        ("wait: 1 h\n- power_off: meter", "meter: {attach: accepted}", True),
        # nothing does: the MME knows nothing of a terminal without power
        ("kill: meter", "mme: {session: {card: card}}", True),
        ("kill: meter", "mme: {session: none}", False),
        ("power_off: meter", "mme: {session: none}", True),
        ("wait: 1 h", "mme: {session: none}", False),
        # it ends and begins again
        ("power_off: meter\n- power_on: meter", "meter: {attach: accepted}", True),
    ],
)
def test_what_the_first_verb_ends_at_once_was_before(steps: str, fact: str, *, stands: bool) -> None:
    told = got(real(f"- {steps}\n- never: {{{fact}}}\n"))
    assert bool(told) is stands, told


def test_a_phone_that_was_served_and_is_powered_on_anew_was_off_before() -> None:
    refused = "- power_off: meter\n- expect: {meter: {attach: 'off'}}\n- move: {card: card, to: phone}\n"
    refused += "- power_on: phone\n- never: {phone: {attach: accepted}, meter: {attach: accepted}}\n"
    assert got(real(refused)) == ""


def test_without_events_in_memory_never_sees_as_much() -> None:
    assert "stood" in got(real("- wait: 1 h\n- never: {meter: {attach: accepted}}\n", keep=False))
    again = "- power_off: meter\n- power_on: meter\n- never: {mme: {session: {card: card}}}\n"
    assert "mme.session was" in got(real(again, keep=False))


def test_what_ends_late_in_the_first_verb_stood_in_the_phase() -> None:
    fact = FactWanted(None, "meter", "attach", record=False, want="accepted")  # type: ignore[arg-type]
    for late, at_once, stands in ((0.0, 0.0, False), (0.2, 0.0, True), (0.2, 1.0, False), (1.2, 1.0, True)):
        history = History({("meter", "attach")}, at_once)
        for number, event in enumerate(
            (
                StateChange(element="meter", observable="attach", value="accepted", time=1.0),
                StepMark(index=0, text="power_off: meter", time=5.0),
                StateChange(element="meter", observable="attach", value="off", time=5.0 + late),
            ),
            1,
        ):
            event.number = number
            history.follow(event)
        assert (history.held(fact, 2) is not None) is stands


@pytest.mark.parametrize(("verb", "attach"), [("kill", "off"), ("power_off", "off"), ("stop", "off")])
def test_a_terminal_without_power_is_not_served(verb: str, attach: str) -> None:
    told = real(f"- {verb}: meter\n- wait: 1 min\n- expect: {{meter: {{attach: accepted}}}}\n")
    assert got(told) == attach
    assert got(real(f"- {verb}: meter\n- never: {{meter: {{attach: accepted}}}}\n")) == ""


LATER = "- suspend: {card: card, how: withdrawal}\n  every: 5 s\n  for: 5 s\n"
ANSWERED = "- expect: {within: 20 s, s6a.cancel-location-answer: seen}\n"
ASKED = "- never: {s6a.cancel-location-request: seen}\n"


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (LATER + ASKED + ANSWERED, "at 5.000 s from hss to mme"),
        (LATER + ASKED + "- wait: 10 s\n" + ANSWERED, ""),  # that is another phase
        (f"{LATER}- expect: {{pgw: {{cdr: none}}}}\n{ANSWERED}", "1 of them"),
        (f"{LATER}- wait: 6 s\n- expect: {{s6a.cancel-location-request: {{times: 1}}}}\n{ANSWERED}", ""),
        (f"{LATER}- wait: 6 s\n- expect: {{s6a.cancel-location-request: {{times: 2}}}}\n", "1 of them"),
    ],
)
def test_what_is_about_a_whole_phase_is_judged_again_at_its_end(steps: str, told: str) -> None:
    assert got(real(steps)) == told


MESSAGES = """\
scenario: A message comes while the network comes to rest
network:
  mme: {sms: {centres: {smsc: "+8613800100500"}}}
  hss: {centres: {smsc: "+8613800100500"}}
  smsc: {type: smsc, gateways: {gateway: {password: secret, codes: ["10658000"]}}}
  esme: {type: platform, binds_at: smsc, system_id: gateway, password: secret}
cards: {card: {profile: meter, service_centre: "+8613800100500", sms: {by: smsc, numbers: ["10658000"]}}}
devices: {meter: {type: module, sms: true}}
steps:
- insert: {card: card, into: meter}
- power_on: meter
  expect: accepted
- fail: {element: hss, after: 5 s}
- submit_message: {platform: esme, to: card.msisdn, code: "10658000", text: "read the meter"}
  expect: accepted
- never: {meter: {sms: {text: "TEXT"}}}
"""


@pytest.mark.parametrize(("text", "verdict"), [("read the meter", Verdict.FAILED), ("READ-the_METER", Verdict.PASSED)])
def test_what_is_under_way_at_the_end_of_a_story_comes_to_its_end_where_something_fails(
    text: str, verdict: Verdict
) -> None:
    story = MESSAGES.replace("TEXT", text)
    assert run_scenario(Loader().load("story.yaml", story), "story", RunOptions()).verdict is verdict
