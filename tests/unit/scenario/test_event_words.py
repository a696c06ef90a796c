"""What elements answer, and the CDRs and flow records that they tell, are expected by known words, and never pass."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.errors import InternalError
from simwarden.scenario.event_fields import FLOW_FIELDS, answer_fields, cdr_fields
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.events import Answered
from simwarden.trace.records import CALL_RECORDS, MESSAGE_RECORDS, RECORDS, ChargingRecord, FlowRecord

STORY = """\
scenario: A meter sends a packet and goes
cards: {card: {use: smart-metering, binding: {by: hss, learn: first-use}}}
devices: {meter: {type: module}}
steps:
- insert: {card: card, into: meter}
- power_on: meter
- expect: {meter: {attach: accepted}}
- send: {device: meter, to: "198.51.100.80:5683"}
- power_off: meter
"""
ASK = '- manage: {element: hss, get: "/cards/{card.imsi}"}\n'
HEAD = STORY.partition("- send")[0]
PLATFORM = HEAD.replace("cards:", "network: {cmp: on}\ncards:")


def got(steps: str, story: str = STORY) -> str:
    """Play a story with an expectation; return what was found wrong."""
    result = played(story + steps)
    assert result.verdict in (Verdict.PASSED, Verdict.FAILED), result.failure
    return result.failure.mismatches[0].got if result.failure else ""


def played(text: str) -> ScenarioResult:
    return run_scenario(Loader().load("story.yaml", text), "story", RunOptions())


def wrong(steps: str, story: str = STORY) -> list[str]:
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("story.yaml", story + steps)
    return [str(each) for each in caught.value.problems]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("{cdr: {card: card, causeForRecClosing: NORMAL_RELEASE, diagnostics: absent, times: 1}}", ""),
        ("{cdr: {record: pGWRecord, listOfTrafficVolumes: {chargingID: absent}}}", ""),
        ("{cdr: {causeForRecClosing: ABNORMAL_RELEASE}}", "causeForRecClosing: NORMAL_RELEASE (0)"),
        ("{cdr: {card: card, diagnostics: '4'}}", "diagnostics: nothing"),
        ("{cdr: {card: card, servedIMEI: absent}}", "servedIMEI: 9900"),
        ("{cdr: {card: card, times: 2}}", "1 of them"),
        ("{cdr: none}", "1 of them"),
        ("{flow: {card: card, peer: 198.51.100.80, uplink_packets: 1, rule: none}}", ""),
        ("{flow: {card: card, verdict: limit}}", "verdict: admit"),
        ("{flow: [{times: 1}, {peer_port: 80}]}", "peer_port: 5683"),
        ("{flow: none}", "1 of them"),
    ],
)
def test_records_of_a_phase_are_as_wanted_or_told(wanted: str, said: str) -> None:
    told = got(f"- expect: {{pgw: {wanted}}}\n")
    assert said in told
    assert bool(said) == bool(told)


@pytest.mark.parametrize(
    ("kind", "said"), [("flow", "no flow record: it is written"), ("cdr", "no CDR: it is written")]
)
def test_a_missing_record_is_explained_by_when_it_is_written(kind: str, said: str) -> None:
    story = STORY.replace("- power_off: meter\n", "")
    assert got(f"- expect: {{pgw: {{{kind}: {{card: card}}}}}}\n", story).startswith(said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "happened"),
    [
        ("{cdr: any}", True),
        ("{cdr: {causeForRecClosing: VOLUME_LIMIT}}", False),
        ("{cdr: {diagnostics: absent}}", True),
        ("{flow: {verdict: admit}}", True),
        ("{flow: {verdict: refuse}}", False),
        ("{cdr: {servedIMEI: meter.imei}}", True),
        ("{cdr: {servedMSISDN: card.msisdn}}", True),
        ('{cdr: {recordOpeningTime: "2026-03-02T09:00:00+01:00"}}', True),
    ],
)
def test_never_sees_a_record_that_was_told_in_the_phase(wanted: str, happened: bool) -> None:  # noqa: FBT001
    told = got(f"- never: {{pgw: {wanted}}}\n")
    assert ("pgw told" in told) == happened == bool(told)
    assert got(f"- expect: {{pgw: {{cdr: any}}}}\n- wait: 1 h\n- never: {{pgw: {wanted}}}\n") == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("{status: OK, body: {card: card, terminal: phone}}", "terminal: 9900"),
        ("{status: 200, body: {card: card, mme: mme.epc.mnc001.mcc001.3gppnetwork.org}}", ""),
        ("{status: not found}", "status: OK (200)"),
        ("{times: 2}", "1 of them"),
        ("{body: {vlr: none, csi: {phases: 3}}}", "csi.phases: nothing"),
        ("{body: {suspended: none, binding: {how: learned}}}", ""),
        ("{body: {suspended: barring}}", "body.suspended: nothing"),
    ],
)
def test_an_answer_of_management_is_as_wanted_or_told(wanted: str, said: str) -> None:
    told = got(f"{ASK}  expect: {{hss: {{answer: {wanted}}}}}\n", HEAD)
    assert said in told, told
    assert bool(said) == bool(told)


def test_a_refused_call_answers_with_the_body_of_its_error() -> None:
    result = played(
        HEAD
        + ASK.replace("get:", "as: customer, delete:")
        + "  expect: {hss: {answer: {status: forbidden, body: {status: 403, code: PERMISSION_DENIED}}}}\n"
    )
    assert result.verdict is Verdict.PASSED, result.failure
    (answered,) = [each for each in result.events if isinstance(each, Answered)]
    assert (answered.role, answered.method, answered.status) == ("customer", "DELETE", 403)


def test_never_sees_an_answer_and_what_stands_before_the_phase_is_none_of_it() -> None:
    call = '- manage: {element: cmp, get: "/cards/{card.imsi}"}\n'
    never = "- never: {cmp: {answer: {status: STATUS}}}\n"
    assert "answered GET /cards/" in got(f"{call}  expect: ok\n" + never.replace("STATUS", "200"), PLATFORM)
    later = f"{call}  expect: ok\n{call.replace('GET', 'DELETE')}  expect: ok\n{never}"
    assert got(later.replace("STATUS", "404"), PLATFORM) == ""


def test_each_route_says_what_it_gives() -> None:
    kinds = Registry.installed().kinds.items()
    silent = [f"{kind} {each.path}" for kind, of in kinds for each in of.routes if each.public and each.gives is None]
    assert silent == []


@pytest.mark.slow
def test_so_many_messages_and_no_more() -> None:
    name = "s11.create-session-request"
    assert got(f"- expect: {{{name}: {{times: 1}}}}\n", HEAD.partition("- expect")[0]) == ""
    assert got(f"- expect: {{{name}: {{times: 2}}}}\n", HEAD.partition("- expect")[0]) == "1 of them"
    assert got(f"- expect: {{{name}: {{times: 1, mei: absent}}}}\n", HEAD.partition("- expect")[0]) == "0 of them"


#: answers by names of the user's
POOLS = '- manage: {element: cmp, get: "/pools"}\n'


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("- expect: {pgw: {cdrs: any}}", "observable of pgw 'cdrs' is not known (did you mean 'cdr'?)"),
        ("- expect: {hss: {cdr: any}}", "observable of hss 'cdr' is not known"),
        ("- expect: {sgw: {flow: any}}", "observable of sgw 'flow' is not known"),
        ("- expect: {pgw: {cdr: {servedIMSIs: 1}}}", "did you mean 'servedIMSI'?"),
        ("- expect: {pgw: {cdr: {sGWChange: yes}}}", "field of cdr 'sGWChange' is not known"),
        ("- expect: {pgw: {cdr: {causeForRecClosing: NORMAL_RELEASES}}}", "did you mean 'NORMAL_RELEASE'?"),
        ("- expect: {pgw: {cdr: {causeForRecClosing: absent}}}", "causeForRecClosing is never 'absent'"),
        ("- expect: {pgw: {cdr: {listOfTrafficVolumes: {dataVolume: 1}}}}", "dataVolume"),
        ("- expect: {pgw: {cdr: {record: sGWRecord}}}", "record is never 'sGWRecord'"),
        ("- expect: {pgw: {cdr: {card: card, servedIMSI: card.imsi}}}", "card says again what stands beside it"),
        ("- expect: {pgw: {cdr: {times: 0}}}", "times: a number from 1 on is expected, not '0'"),
        ("- expect: {pgw: {flow: {verdict: admitt}}}", "did you mean 'admit'?"),
        ("- expect: {pgw: {flow: {peer: absent}}}", "peer is never 'absent'"),
        ("- expect: {pgw: {flow: some}}", "flow: fields, `any` or `none` are expected, not 'some'"),
        ("- never: {pgw: {flow: none}}", "none: `never` is about each one; `expect` says that there is none"),
        ("- never: {pgw: {cdr: {times: 2}}}", "times: `never` is about each one; `expect` says how many"),
        ("- never: {s11.create-session-request: {times: 2}}", "times: `never` is about each one"),
        ("- expect: {s11.create-session-request: {times: many}}", "times: a number from 1 on is expected"),
        ("- expect: {s11.create-session-request: {times: {at_least: 1}}}", "is expected, not a mapping with at_least"),
        ("- expect: {hss: {answer: {status: 200}}}", "no step of this phase calls hss (add manage: {element: hss"),
        (f"{ASK}- expect: {{hss: {{answer: {{status: 299}}}}}}", "status is never '299' (an HTTP status is expected)"),
        (f"{ASK}- expect: {{hss: {{answer: {{statu: 200}}}}}}", "field of answer 'statu' is not known"),
        (f"{ASK}- expect: {{hss: {{answer: none}}}}", "answer: status and body are expected, not 'none'"),
        (f"{ASK}- expect: {{hss: {{answer: {{body: {{suspend: barring}}}}}}}}", "did you mean 'suspended'?"),
        (f"{ASK}- never: {{hss: {{answer: {{body: {{binding: {{how: lernt}}}}}}}}}}", "how is never 'lernt'"),
        (f"{POOLS}- never: {{cmp: {{answer: {{body: {{a: b}}}}}}}}", "what GET /pools gives is declared nowhere"),
        (f"{ASK.replace('hss', 'cmp')}- never: {{cmp: {{answer: {{body: {{stat: x}}}}}}}}", "did you mean 'state'?"),
        (f"{ASK.replace('hss', 'cmp')}- never: {{cmp: {{answer: {{body: {{state: x}}}}}}}}", "state is never 'x'"),
        (
            f"{ASK}- expect: {{hss: {{answer: {{status: 200}}}}}}\n- wait: 1 s\n- expect: {{hss: {{answer: {{}}}}}}",
            "calls",
        ),
    ],
)
def test_each_word_is_known_or_an_error(steps: str, said: str) -> None:
    assert any(said in each for each in wrong(f"{steps}\n", PLATFORM))


def test_absent_is_what_a_message_may_lack_and_not_what_it_always_has() -> None:
    Loader().load("s.yaml", HEAD + "- never: {s6a.update-location-answer: {subscription_data: absent}}\n")
    told = wrong("- never: {s6a.update-location-answer: {session_id: absent}}\n", HEAD)
    assert any("session_id is never 'absent'" in each for each in told)


def test_the_words_have_all_fields_of_records() -> None:
    registry = Registry.installed()
    declared = {each for kind in registry.kinds for each in registry.declaration(kind).records}
    assert declared == {*RECORDS, *MESSAGE_RECORDS, *CALL_RECORDS, "flow"}
    for name, known in {**RECORDS, **MESSAGE_RECORDS, **CALL_RECORDS}.items():
        assert cdr_fields((name,)).keys() == {"record", *known}
    told = {"kind", "number", "time", "element"}
    assert {*FLOW_FIELDS} == {*FlowRecord.__dataclass_fields__} - told
    with pytest.raises(InternalError):
        ChargingRecord(element="pgw", record="pGWRecord", fields={})


def test_an_answer_has_what_its_route_declares_and_the_fields_of_an_error() -> None:
    def body(*gives: Any) -> Any:
        return answer_fields(gives)["body"]

    registry = Registry.installed()
    (card,) = [
        each.gives for each in registry.kinds["cmp"].routes if (each.method, each.path) == ("GET", "/cards/{imsi}")
    ]
    fields = body(card).inside()
    assert {"state", "pools", "binding", "code", "message", "status"} <= fields.keys()
    assert fields["state"].may_be("suspended") or fields["state"].words
    assert not fields["mismatches"].may_be("some")
    assert body(None).loose
    assert body(dict[str, Any]).loose
