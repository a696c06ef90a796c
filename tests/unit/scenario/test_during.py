"""`during`: what is put in before a frame arrives, and what becomes of the frame itself."""

from __future__ import annotations

import jsonschema
import pytest

from simwarden.scenario.judge import nested
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.schema import scenario_schema
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Frame

HEAD = """\
scenario: A meter attaches, and something comes in between
network: {enb2: {type: enb, cells: [{tac: 2}]}}
cards: {card: {profile: meter}}
devices: {meter: {type: module}}
steps:
- insert: {card: card, into: meter}
"""
SERVED = HEAD + "- power_on: meter\n- expect: {meter: {attach: accepted}}\n"
UNKNOWN = "UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK"
TRANSPORTS = ("memory", "tcp", "udp", "sctp")


def play(text: str, transport: str = "memory") -> ScenarioResult:
    return run_scenario(Loader().load("story.yaml", text), "story", RunOptions(transport=transport))


def passed(text: str, transport: str = "memory") -> list[Frame]:
    result = play(text, transport)
    assert result.verdict is Verdict.PASSED, result.failure
    return [each for each in result.events if isinstance(each, Frame)]


def names(frames: list[Frame], *interfaces: str) -> list[str]:
    """The names of all messages that went over some interfaces, with those that they carried."""
    return [part.name for each in frames if each.interface in interfaces for part in nested(dissect(each))]


def wrong(during: str) -> str:
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("story.yaml", f"{HEAD}- power_on: meter\n  during: {during}\n")
    return str(caught.value)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_verb_is_carried_out_before_the_frame_arrives_whatever_carries_it(transport: str) -> None:
    passed(
        SERVED + "- handover: {device: meter, cell: enb2/1}\n"
        "  during: {before: s1-mme.handover-notify, do: {suspend: {card: card, how: withdrawal}}}\n"
        "- expect: {mme: {session: none}, enb: {connected: {devices: 0}}, enb2: {connected: {devices: 0}}}\n",
        transport,
    )


def test_what_is_put_in_goes_behind_what_is_on_its_way() -> None:
    during = "during: {before: s1-mme.tracking-area-update-request, do: {suspend: {card: card, how: withdrawal}}}"
    frames = passed(SERVED + f"- tau: meter\n  {during}\n- expect: {{mme: {{session: none}}}}\n")
    after = names(frames, "S1-MME", "S6a")
    assert after[after.index("tracking-area-update-request") + 1] == "cancel-location-request"


def test_the_nth_frame_is_counted_from_the_step_on() -> None:
    during = "during: {{before: uu.tracking-area-update-request, nth: {}, do: {{power_off: meter}}}}"
    story = f"- tau: meter\n- tau: meter\n  {during}\n"
    passed(SERVED + story.format(1))
    late = play(SERVED + story.format(2))
    assert late.verdict is Verdict.FAILED
    assert late.failure is not None
    assert "nothing was put in before tracking-area-update-request: Uu carried" in late.failure.summary


def test_a_message_that_never_comes_fails_the_step_and_is_told_with_its_place() -> None:
    result = play(SERVED + "- tau: meter\n  during: {before: s1-mme.handover-notify, do: {suspend: {card: card}}}\n")
    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert result.failure.summary.startswith("story.yaml:10:")
    assert "S1-MME carried" in result.failure.summary


def test_what_only_an_element_outside_could_hold_up_is_inconclusive_and_says_why() -> None:
    outside = HEAD.replace("network: {", "network: {eir: {external: '127.0.0.1:9'}, ")
    during = "during: {before: s13.me-identity-check-answer, do: {suspend: {card: card, how: barring}}}"
    result = play(f"{outside}- power_on: meter\n  {during}\n")
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.failure is not None
    assert "nothing is put in before frames from or to eir (external)" in result.failure.summary


def test_what_is_refused_fails_the_step() -> None:
    ask = "{manage: {element: hss, put: '/cards/{card.imsi}/binding', body: {imei: meter.imei}}}"
    result = play(SERVED + f"- tau: meter\n  during: {{before: s1-mme.tracking-area-update-request, do: {ask}}}\n")
    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert "403" in result.failure.summary


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_delay_holds_up_what_follows_on_the_connection(transport: str) -> None:
    result = play(
        SERVED + "- tau: meter\n  during: {before: s1-mme.tracking-area-update-accept, do: {delay: 3 s}}\n", transport
    )
    assert result.verdict is Verdict.PASSED, result.failure
    assert result.virtual == pytest.approx(3.0)
    order = [dissect(each).name for each in result.events if isinstance(each, Frame) and each.interface == "Uu"]
    assert order == [dissect(each).name for each in passed(SERVED + "- tau: meter\n") if each.interface == "Uu"]


def test_a_late_radio_frame_is_overtaken() -> None:
    """An ATTACH REQUEST that comes when another has been made of it (T3410) is the second that the MME hears."""
    story = HEAD + "- power_on: meter\n  during: {before: uu.attach-request, do: {delay: 20 s}}\n- wait: 1 min\n"
    frames = passed(story + "- expect: {meter: {attach: accepted}}\n")
    assert names(frames, "Uu").count("attach-request") == 2


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_lost_radio_frame_is_sent_again_by_whoever_misses_it(transport: str) -> None:
    during = "during: {before: uu.authentication-request, do: lose}"
    text = HEAD + f"- power_on: meter\n  {during}\n- expect: {{meter: {{attach: accepted}}}}\n"
    assert names(passed(text, transport), "Uu").count("authentication-request") == 2


def test_a_doubled_radio_frame_comes_twice() -> None:
    during = "during: {before: uu.attach-request, do: double}"
    text = HEAD + f"- power_on: meter\n  {during}\n- expect: {{meter: {{attach: accepted}}}}\n"
    frames = passed(text)
    assert names(frames, "Uu").count("attach-request") == 2


def test_a_repeated_request_has_the_t_flag_and_is_answered_again() -> None:
    text = (
        HEAD
        + "- power_on: meter\n  during: {before: s6a.update-location-request, do: repeat}\n"
        + "- expect: {meter: {attach: accepted}}\n"
    )
    asked = [each for each in passed(text) if dissect(each).name == "update-location-request"]
    assert [bool(each.data[4] & 0x10) for each in asked] == [False, True]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("do", "answer"),
    [
        ("abort", "service-reject: {emm_cause: IMPLICITLY_DETACHED}"),
        ("{stall: 2 s}", "service-request: seen"),
        ("[{kill: mme}, {wait: 10 s}, {start: mme}]", f"service-reject: {{emm_cause: {UNKNOWN}}}"),
        ("{restart: mme}", f"service-reject: {{emm_cause: {UNKNOWN}}}"),
    ],
)
def test_a_meter_gets_over_what_befalls_its_network(do: str, answer: str, transport: str) -> None:
    passed(
        HEAD + f"- power_on: meter\n  during: {{before: s1-mme.attach-complete, do: {do}}}\n"
        f"- wait: 2 h\n- service_request: meter\n  expect: {'rejected' if 'reject' in answer else 'accepted'}\n"
        f"- expect: {{meter: {{attach: accepted}}, mme: {{session: {{card: card}}}}, s1-mme.{answer}}}\n",
        transport,
    )


def test_two_are_put_in_during_one_step() -> None:
    passed(
        HEAD + "- power_on: meter\n  during:\n"
        "  - {before: uu.attach-request, do: {suspend: {card: card}}}\n"
        "  - {before: s1-mme.attach-reject, do: {resume: {card: card}}}\n"
    )


@pytest.mark.parametrize(
    ("during", "said"),
    [
        ("5", "keys and values are expected"),
        ("{before: s1-mme.handover-notify}", "key 'do' is missing"),
        ("{before: s1-mme.handover-notify, do: []}", "do: one verb with its arguments is expected"),
        ("{before: s1-mme.handover-notfy, do: {suspend: {card: card}}}", "did you mean 'handover-notify'?"),
        ("{before: handover-notify, do: {suspend: {card: card}}}", "a message is written as INTERFACE.MESSAGE"),
        ("{before: s1mme.handover-notify, do: {suspend: {card: card}}}", "a message is written as INTERFACE.MESSAGE"),
        ("{before: s1-mme.handover-notify, do: {suspnd: {card: card}}}", "did you mean 'suspend'?"),
        ("{before: s1-mme.handover-notify, do: {suspend: {card: crd}}}", "no card is called 'crd'"),
        ("{before: s1-mme.handover-notify, do: {suspend: {card: card}}, nth: 0}", "nth: 1 or more is expected"),
        *(
            (f"{{before: uu.attach-request, do: lose, nth: {nth}}}", "nth: a whole number is expected")
            for nth in ("+1", "1_0", "1.0", '" 1 "')
        ),
        ("{before: s1-mme.handover-notify, do: {suspend: {card: card}}, at: 1}", "key 'at' is not known"),
        (
            "{before: s1-mme.handover-notify, do: lose}",
            "no frame of S1-MME meets with that (it may delay, stall, abort)",
        ),
        ("{before: s1-mme.handover-notify, do: repeat}", "no frame of S1-MME meets with that"),
        ("{before: uu.attach-request, do: {delay: soon}}", "delay: "),
        ("{before: uu.attach-request, do: {lose: twice}}", "nothing is expected after it"),
        ("{before: me-uicc.select, do: {delay: 1 s}}", "no frame of ME-UICC meets with that"),
    ],
)
def test_bad_input_is_told_with_its_place(during: str, said: str) -> None:
    told = wrong(during)
    assert said in told
    assert told.startswith("story.yaml:8:")


def test_it_stands_beside_a_verb_that_is_carried_out() -> None:
    during = "during: {before: uu.attach-request, do: {suspend: {card: card}}}"
    for step in (f"- {during}\n", f"- tau: meter\n  every: 10 min\n  {during}\n"):
        with pytest.raises(ScenarioErrors, match="it stands beside a verb that the step carries out"):
            Loader().load("story.yaml", HEAD + step)


def test_editors_know_it() -> None:
    schema = scenario_schema(Registry.installed())
    check = jsonschema.Draft202012Validator(schema)
    good = [
        {"before": "s1-mme.handover-notify", "do": {"suspend": {"card": "card"}}},
        {"before": "uu.attach-request", "nth": 2, "do": "lose"},
        [{"before": "uu.attach-request", "do": {"delay": "3 s"}}],
        {"before": "uu.attach-request", "do": [{"kill": "mme"}, {"wait": "10 s"}, {"start": "mme"}]},
        {"before": "s11.create-session-response", "do": {"alter": {"cause": "SYSTEM_FAILURE"}}},
    ]
    for during in good:
        check.validate({"scenario": "x", "steps": [{"power_on": "meter", "during": during}]})
    for during in ({"before": "x"}, {"before": "x", "do": {"suspnd": {}}}, {"before": "x", "do": "lose", "at": 1}):
        assert not check.is_valid({"scenario": "x", "steps": [{"power_on": "meter", "during": during}]})


# -- messages with other fields

ALTERED = "- power_on: meter\n  during: {before: s11.create-session-response, do: {alter: %s}}\n"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_message_comes_with_other_fields_and_both_are_in_the_trace(transport: str) -> None:
    frames = passed(
        HEAD
        + ALTERED % "{cause: SYSTEM_FAILURE, cause_source: yes}"
        # for it the session stands at the gateways, until the meter asks again
        + "- expect: {meter: {attach: rejected, esm_cause: NETWORK_FAILURE}}\n"
        + "- wait: 1 min\n- expect: {meter: {attach: accepted}}\n",
        transport,
    )
    told = [dissect(each) for each in frames if each.interface == "S11"]
    causes = [each.fields["cause"] for each in told if each.name == "create-session-response"]
    assert causes == [16, 72, 16]


def test_of_several_things_put_in_before_a_frame_that_alters_it_is_the_last() -> None:
    during = (
        "[{before: s11.create-session-response, do: {restart: pgw}},"
        " {before: s11.create-session-response, do: {alter: {paa: none}}}]"
    )
    passed(
        HEAD + f"- power_on: meter\n  during: {during}\n"
        "- expect: {meter: {attach: rejected, esm_cause: NETWORK_FAILURE}}\n"
        "- wait: 1 min\n- expect: {meter: {attach: accepted}}\n"
    )


def test_what_no_octets_can_say_fails_the_step_and_is_told_with_its_place() -> None:
    result = play(HEAD + ALTERED % "{bearer_contexts_created: {ebi: 99}}")
    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert result.failure.summary == "story.yaml:8:54: alter: 99 is no EPS bearer identity"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("{colour: red}", "story.yaml:8:62: field of create-session-response 'colour' is not known"),
        ("{cause: RED}", "story.yaml:8:69: cause is never 'RED'"),
        ("{cause: none}", "story.yaml:8:69: cause is never 'none'"),
        ("{paa: {size: 1}}", "field of paa 'size' is not known"),
        ("{}", "create-session-response: fields with their values are expected, not an empty mapping"),
        ("red", "create-session-response: fields with their values are expected, not 'red'"),
    ],
)
def test_fields_that_a_message_cannot_have_are_told_with_their_place(fields: str, said: str) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("story.yaml", HEAD + ALTERED % fields)
    assert said in str(caught.value)


@pytest.mark.parametrize("message", ["s6a.update-location-answer", "uu.attach-request"])
def test_only_of_families_that_can_messages_are_altered(message: str) -> None:
    told = wrong(f"{{before: {message}, do: {{alter: {{result_code: 5012}}}}}}")
    assert f"alter: no frame of {message[0].upper()}{message[1:].partition('.')[0]} meets with that" in told


# -- the radio link


@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_of_a_message_that_rlc_gives_up_both_ends_of_the_radio_learn(transport: str) -> None:
    frames = passed(
        SERVED + "- tau: meter\n  during: {before: uu.tracking-area-update-accept, do: lose}\n"
        "- expect: {s1-mme.ue-context-release-request: {cause: 'radioNetwork: radio-connection-with-ue-lost'}}\n"
        "- wait: 15 s\n- expect: {enb: {connected: {devices: 0}}, meter: {tau: accepted}}\n",
        transport,
    )
    assert names(frames, "Uu").count("tracking-area-update-request") > 1


def test_a_connection_that_nobody_releases_any_more_is_recovered() -> None:
    frames = passed(
        SERVED + "- wait: 15 s\n  during: {before: uu.rrc-connection-release, do: lose}\n- wait: 1 min\n"
        "- expect: {enb: {connected: {devices: 0}}}\n"
    )
    assert "tracking-area-update-accept" in names(frames, "S1-MME")


def test_what_is_not_acknowledged_on_the_radio_is_only_lost() -> None:
    frames = passed(
        HEAD + "- power_on: meter\n  during: {before: uu.rrc-connection-setup, do: lose}\n- wait: 15 s\n"
        "- expect: {meter: {emm_state: emm-registered.normal-service}}\n"
    )
    assert names(frames, "Uu").count("rrc-connection-request") == 2  # T300


REJECTED = """\
scenario: A phone is switched on while a meter attaches
network: {eir: {prohibited: [phone]}}
cards: {card: {profile: meter}, other: {profile: meter}}
devices: {meter: {type: module}, phone: {type: handset}}
steps:
- insert: {card: card, into: meter}
- insert: {card: other, into: phone}
- power_on: meter
  during: {before: s1-mme.attach-accept, do: {power_on: phone}}
  expect: accepted
"""


def test_what_is_put_in_and_is_rejected_fails_a_step_in_whose_phase_nothing_is_to_be_refused() -> None:
    result = play(REJECTED + "- expect: {phone: {power: on}}\n")
    assert (result.verdict, result.failure is not None) == (Verdict.FAILED, True)
    assert result.failure is not None
    assert result.failure.summary == "what was put in was refused: power_on of phone: rejected"
    expected = "{phone: {emm_cause: ILLEGAL_ME}, decision: {by: mme, control: mme.equipment}}"
    passed(f"{REJECTED}- expect: {expected}\n")
    passed(REJECTED.replace("network: {eir: {prohibited: [phone]}}\n", "") + "- expect: {phone: {power: on}}\n")


def test_what_is_put_in_and_does_not_run_gives_no_answer() -> None:
    dead = "  during: {before: s1-mme.attach-accept, do: {manage: {element: hss, get: '/cards/{card.imsi}'}}}\n"
    result = play(
        f"{HEAD}- kill: hss\n- start: hss\n- power_on: meter\n{dead}- expect: {{meter: {{attach: accepted}}}}\n"
    )
    assert result.verdict is Verdict.PASSED
    result = play(
        f"{SERVED}- kill: hss\n- tau: meter\n{dead.replace('attach', 'tracking-area-update')}  expect: accepted\n"
    )
    assert result.failure is not None
    assert result.failure.summary == "hss does not run (status 503)"
