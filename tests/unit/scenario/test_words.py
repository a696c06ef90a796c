"""Each word of an expectation is known or an error: every word of every shipped one is misspelt, and must be told."""

from __future__ import annotations

import contextlib
import copy
import re
import zlib
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import shipped_cases

from simwarden.policy.details import details_of
from simwarden.scenario.event_fields import cdr_fields
from simwarden.scenario.identities import References
from simwarden.scenario.load import Loader, read_file
from simwarden.scenario.match import show
from simwarden.scenario.message_fields import expected_fields
from simwarden.scenario.problems import Problems, ScenarioErrors
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.wording import Wording
from simwarden.scenario.yamlfile import Spot, read
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Decided, Frame, StateChange
from simwarden.trace.records import ChargingRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.wire.dissection import Dissection

SCENARIOS = Path(__file__).parents[3] / "scenarios"
#: what rightly is free among words of shipped expectations, and why; numbers that count are, too
_FINAL = "multiple_services_credit_control", "final_unit_indication"
FREE = {
    ("decision", "reason"): "a part of what a rule says, looked for as text",
    ("broker", "event", "data", "reason"): "what a person or a rule says",
    ("decision", "subject"): "any IMSI",
    ("flow", "rule"): "what a rule says",
    ("reject", "reason"): "what a rule or a node says",
    ("location_reports", "cause"): "what the base station says",
    ("cdr", "listOfTrafficVolumes", "userLocationInformation"): "any place, as text: TAI and E-CGI",
    ("asked", "path"): "whatever a device asks a server for",
    ("receipt", "id"): "the gateway's number of a message",
    ("message", "text"): "what a person or a meter writes to a platform, by whatever name",
    # texts that a PCRF, an OCS or a PGW writes
    ("called_station_id",): "any APN",
    ("service_context_id",): "whatever is charged",
    ("subscription_id", "subscription_id_data"): "any number",
    ("charging_rule_install", "charging_rule_definition", "flow_information", "flow_description"): "a rule as text",
    (*_FINAL, "redirect_server", "redirect_server_address"): "any URL",
    (*_FINAL, "restriction_filter_rule"): "a rule as text",
    ("service_information", "ps_information", "called_station_id"): "any APN",
    ("service_information", "ps_information", "3gpp_sgsn_mcc_mnc"): "a PLMN as text",
}


#: parts of answers whose fields are by names of the user's, of actions or of AVPs; of others the fields are known, not
#: all of their values
UNDECLARED = (
    "details",
    "list",
    "used",
    "eps_user_state",
    "eps_location_information",
    "codes",
    "meters",
    "waterworks",
    "gasworks",
    "gateways",
    "told",
)


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each key (ending with None) and to each scalar of an expectation."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield (*way, key, None)
            yield from places(each, (*way, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from places(each, (*way, index))
    elif value != "":
        yield way


def misspelt(word: str) -> Iterator[str]:
    """Yield a word with a letter too few or one too many, whichever it is tried with; of a reference in each part."""
    for at in range(len(parts := word.split("."))):
        part = parts[at]
        few, many = part[: len(part) // 2] + part[len(part) // 2 + 1 :], part + "q"
        wrong = few if zlib.crc32(word.encode()) & 1 else many
        yield ".".join([*parts[:at], wrong, *parts[at + 1 :]])


def put(document: Any, way: tuple[Any, ...], wrong: str) -> Any:
    """Return a document with another word in one place."""
    changed = copy.deepcopy(document)
    *above, last = way if way[-1] is not None else way[:-1]
    inner = changed
    for each in above:
        inner = inner[each]
    if way[-1] is None:
        entries = [(wrong if key == last else key, value) for key, value in inner.items()]
        inner.clear()
        inner.update(entries)
    else:
        inner[last] = wrong
    return changed


def word_at(document: Any, way: tuple[Any, ...]) -> str:
    if way[-1] is None:
        return str(way[-2])
    for each in way:
        document = document[each]
    return str(document)


def expectations(directory: str) -> Iterator[tuple[Any, Any, tuple[Any, ...]]]:
    """Yield each word of the shipped expectations of a directory once: its source, its document, the way to it."""
    seen = set()
    for path in sorted((SCENARIOS / directory).rglob("*.yaml")):
        source = read(read_file(path), str(path), Problems())
        for index, step in enumerate(source.data.get("steps", ())):
            for key in ("expect", "never"):
                for way in places(step[key], ("steps", index, key)) if key in step else ():
                    names = tuple(each for each in way[2:] if not isinstance(each, int))
                    word = word_at(source.data, way)
                    if (names, word) not in seen:
                        seen.add((names, word))
                        yield source, source.data, way


DIRECTORIES = sorted(
    path.name for path in SCENARIOS.iterdir() if path.is_dir() and path.name not in ("explore", "impact", "matrix")
)


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_each_word_of_a_shipped_expectation_that_is_misspelt_is_told(directory: str) -> None:
    loader, tried, passed = Loader(), 0, []
    for source, document, way in expectations(directory):
        names = tuple(each for each in way[3:-1] if isinstance(each, str))
        if way[-1] is not None and FREE.keys() & {(*names, way[-1]), (*names[1:], way[-1])}:
            continue
        if {"answer", "body"} <= {*way} and (way[-1] is not None or any(each in way for each in UNDECLARED)):
            continue
        word = word_at(document, way)
        for wrong in misspelt(word):
            if wrong == word.replace(" ", ""):  # 5s is 5 s
                continue
            tried += 1
            source.data = put(document, way, wrong)
            with contextlib.suppress(ScenarioErrors):
                loader.assemble(source)
                passed.append((source.file, way, wrong))
        source.data = document
    assert tried
    # a cell may be another cell that there is, an IMSI that of another card, an address another of the same pool, or
    # that of another node outside, as an Origin-Host is; the party of a call may be a word, as senders of messages are
    words = r"13800002222q|absnt|absentq|[a-z0-9]+(\.[a-z0-9]+){3,}q?"
    other = re.compile(rf"enb/1|10\.64\.0\.[0-9]+|19?2\.0\.2\.[0-9]+|\+?[0-9]+(\.[0-9]*)?|{words}")
    assert [each for each in passed if not other.fullmatch(each[2])] == []


STORY = """\
scenario: A meter attaches
network:
  cmp: {}
  broker: {}
  mme: {provinces: {north: [1], south: [2]}}
  enb: {cells: [{tac: 1}, {tac: 2}]}
  enb2: {type: enb, cells: [{tac: 3}]}
cards: {card: {area: {by: mme, province: north}}, other: {}}
devices: {meter: {}}
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
  - KEY: WHAT
"""
WRONG = [
    # values of records and scalars
    ("hss: {subscription: {status: withdrawl}}", "status is never 'withdrawl' (did you mean 'withdrawal'?)"),
    ("mme: {session: {state: conected}}", "did you mean 'connected'?"),
    ("mme: {session: {emergency: maybe}}", "emergency is never 'maybe'"),
    ("mme: {session: {imei: 123}}", "imei is never '123' (an IMEI of 14 to 16 digits is expected)"),
    ("mme: {session: {imei: metre.imei}}", "did you mean 'meter.imei'?"),
    ("mme: {session: {cell: enb/3}}", "enb has no part '3'"),
    ("mme: {session: {tai: 001-01-01}}", "a TAI of the network such as 001-01-0001 is expected"),
    ("mme: {session: {apn: itt}}", "apn is never 'itt'"),
    ("mme: {session: {imsi: 12}}", "imsi is never '12'"),
    ("hss: {binding: {imei: }}", "imei is never nothing"),
    ("mme: {reject: {emm_cause: ILEGAL_ME}}", "did you mean 'ILLEGAL_ME'?"),
    ("mme: {reject: {emm_cause: 999}}", "emm_cause is never '999'"),
    ("mme: {reject: {esm_cause: 300}}", "esm_cause is never '300'"),
    ("mme: {area: {province: nort}}", "province is never 'nort'"),
    ("mme: {area: {stations: some}}", "a number is expected"),
    ("mme: {risk: {control: area.cel}}", "did you mean 'area.cell'?"),
    ("mme: {risk: {scene: '999'}}", "scene is never '999'"),
    ("meter: {emm_cause: 999}", "emm_cause is never '999'"),
    ("meter: {esm_cause: ESM_FAILED}", "esm_cause is never 'ESM_FAILED'"),
    ("meter: {card: crad}", "did you mean 'card'?"),
    ("meter: {card: meter}", "card is never 'meter'"),
    ("meter: {cell: 1}", "a cell of the network such as 001-01-0000101 is expected"),
    # what has a right form, and what no eNB of the network has
    ("mme: {session: {tai: 001-01-0009}}", "tai is never '001-01-0009' (a TAI of the network"),
    ("mme: {session: {cell: 001-01-0000903}}", "cell is never '001-01-0000903'"),
    ("mme: {area: {used: 001-01-00009}}", "used is never '001-01-00009' (a base station of the network"),
    ("meter: {cell: 001-01-0000104}", "cell is never '001-01-0000104'"),
    ("decision: {by: mme, control: area.cell, details: {seen: 001-01-0000999}}", "seen is never '001-01-0000999'"),
    ("s1-mme.initial-ue-message: {eutran_cgi: 001-01-0000999}", "eutran_cgi is never"),
    ("s1-mme.attach-accept: {tai_list: [001-01-0009]}", "tai_list is never '001-01-0009'"),
    ("meter: {address: nowhere}", "an IP address of the network's pools and hosts"),
    ("meter: {address: 10.65.0.1}", "address is never '10.65.0.1'"),
    ("pgw: {session: {ipv6: '2001:db8:65::'}}", "ipv6 is never '2001:db8:65::'"),
    ("pgw: {session: {cell: enb/9}}", "enb has no part '9'"),
    ("internet: {arrived: {destination: 203.0.113.67}}", "destination is never '203.0.113.67'"),
    ("s11.create-session-request: {apn: itt.mnc001.mcc001.gprs}", "apn is never 'itt.mnc001.mcc001.gprs'"),
    ("s11.create-session-request: {apn: iot.mnc001.mcc002.gprs}", "apn is never 'iot.mnc001.mcc002.gprs'"),
    ("s5-c.create-session-request: {apn: iot.gprs}", "apn is never 'iot.gprs'"),
    ("card: {terminal: metr}", "did you mean 'meter'?"),
    ("enb: {s1: {state: uo}}", "state is never 'uo' (known: setting-up, up, down)"),
    ("eir: {equipment: {status: forbidden}}", "status is never 'forbidden'"),
    ("cmp: {card: {state: suspendd}}", "did you mean 'suspended'?"),
    ("broker: {event: {topic: card/refuse}}", "the topic of an event is expected"),
    ("broker: {event: {data: {scen: '012'}}}", "field of data 'scen' is not known (did you mean 'scene'?)"),
    ("broker: {event: {data: {scene: '999'}}}", "scene is never '999'"),
    ("broker: {event: {data: {control: area.cel}}}", "did you mean 'area.cell'?"),
    ("broker: {event: {data: {before: {cels: enb/1}}}}", "did you mean 'cells'?"),
    ("broker: {event: {data: {after: {province: nort}}}}", "province is never 'nort'"),
    ("mqtt.publish: {data: {before: {cells: enb/9}}}", "enb has no part '9'"),
    ("cmp: {notification: {subscription: mine}}", "subscription is never 'mine' (an identifier of"),
    # decisions
    ("decision: {by: mme, control: area.cell, details: {exepcted: enb/1}}", "did you mean 'expected'?"),
    ("decision: {by: mme, control: area.cell, details: {seen: elsewhere}}", "seen is never 'elsewhere'"),
    ("decision: {by: mme, control: mme.barring, details: {temporary: prehaps}}", "temporary is never 'prehaps'"),
    ("decision: {by: hss, control: hss.subscriber, details: {seen: meter.imei}}", "field of details 'seen' is not"),
    ("decision: {by: eir, control: eir.equipment, details: {kind: phoen}}", "did you mean 'phone'?"),
    ("s5-c.create-session-response: {cause: 299}", "cause is never '299'"),
    ("s11.create-session-request: {sender_f_teid: {interface: 99}}", "interface is never '99'"),
    ("decision: {by: mme, details: {seeen: enb/1}}", "did you mean 'seen'?"),
    ("decision: {by: mme, on: atach}", "did you mean 'attach'?"),
    ("decision: {by: hss, subject: nobody}", "subject is never 'nobody'"),
    # Diameter: AVPs, groups, results, enumerations, keys
    ("s6a.update-location-answer: {experimental_result: 999}", "experimental_result is never '999'"),
    ("s6a.update-location-answer: {experimental_result: 5099}", "experimental_result is never '5099'"),
    ("s6a.update-location-answer: {result_code: DIAMETER_SUCESS}", "did you mean 'DIAMETER_SUCCESS'?"),
    ("s6a.update-location-answer: {subscription_data: {subscriber_status: SERVICE_GRANTD}}", "'SERVICE_GRANTED'?"),
    ("s6a.update-location-answer: {subscription_data: {subscriber_statu: 1}}", "did you mean 'subscriber_status'?"),
    ("s6a.update-location-request: {terminal_information: {imei: 123}}", "imei is never '123'"),
    ("s6a.update-location-request: {visited_plmn_id: nowhere}", "visited_plmn_id is never 'nowhere'"),
    ("s6a.update-location-request: {user_name: nobody}", "an IMSI of 6 to 15 digits is expected"),
    ("s6a.cancel-location-request: {cancellation_type: 7}", "cancellation_type is never '7'"),
    ("s6a.authentication-information-answer: {authentication_info: {e_utran_vector: {kasme: 00}}}", "kasme is never"),
    ("s13.me-identity-check-answer: {equipment_status: BLOCKED}", "equipment_status is never 'BLOCKED'"),
    ("s6a.update-location-request: {origin_realm: epc.example}", "origin_realm is never 'epc.example'"),
    ("s6a.update-location-request: {destination_realm: nowhere}", "a realm of the network such as"),
    ("s6a.update-location-request: {session_id: nobody}", "a Session-Id of a host of the network"),
    ("s6a.update-location-request: {session_id: mmee.example.net;1;2}", "session_id is never"),
    ("mqtt.subscribe: {topic_filters: simwarden/hss/card/refuse}", "a filter that topics of events match"),
    ("mqtt.subscribe: {topic_filters: 'simwarden/#/refused'}", "topic_filters is never"),
    ("mqtt.connect: {client_identifier: simwarden-hsss}", "client_identifier is never 'simwarden-hsss'"),
    # NAS, on its own and inside
    ("s1-mme.activate-default-eps-bearer-context-request: {pdn_address: nowhere}", "pdn_address is never 'nowhere'"),
    ("s1-mme.activate-default-eps-bearer-context-request: {pdn_address: {ipv4: some}}", "an IP address is expected"),
    ("s1-mme.identity-response: {mobile_identity: nobody}", "mobile_identity is never 'nobody'"),
    ("s1-mme.attach-reject: {emm_cause: ILEGAL_ME}", "did you mean 'ILLEGAL_ME'?"),
    ("s1-mme.attach-reject: {emm_cause: 999}", "emm_cause is never '999'"),
    ("uu.attach-reject: {emm_cause: 999}", "emm_cause is never '999'"),
    ("s1-mme.attach-request: {eps_attach_type: EPS_ATACH}", "did you mean 'EPS_ATTACH'?"),
    ("s1-mme.attach-request: {eps_mobile_identity: {type: IMSY}}", "type is never 'IMSY'"),
    ("s1-mme.attach-accept: {tai_list: [nowhere]}", "tai_list is never 'nowhere'"),
    ("s1-mme.detach-request: {detach_type: GONE}", "detach_type is never 'GONE'"),
    ("s1-mme.attach-reject: {esm_message_container: {esm_caus: 27}}", "did you mean 'esm_cause'?"),
    ("s1-mme.attach-reject: {esm_message_container: {esm_cause: 999}}", "esm_cause is never '999'"),
    ("s1-mme.downlink-nas-transport: {nas_pdu: {emm_cause: ILEGAL_ME}}", "did you mean 'ILLEGAL_ME'?"),
    ("s1-mme.downlink-nas-transport: {nas_pdu: {emm_caus: 6}}", "did you mean 'emm_cause'?"),
    ("uu.dl-information-transfer: {dedicated_info_nas: {emm_cause: 999}}", "emm_cause is never '999'"),
    ("s1-mme.ciphered-nas: {emm_cause: 6}", "field of ciphered-nas 'emm_cause' is not known"),
    # S1AP, X2AP, the radio
    ("s1-mme.s1-setup-request: {enb_name: enb9}", "enb_name is never 'enb9'"),
    ("s1-mme.s1-setup-response: {mme_name: mmee}", "mme_name is never 'mmee'"),
    ("uu.paging: {ue_identities: nobody}", "ue_identities is never 'nobody'"),
    ("s1-mme.handover-preparation-failure: {cause: 'radioNetwork: ho-target-not-alowed'}", "ho-target-not-allowed'?"),
    ("s1-mme.handover-preparation-failure: {cause: ho-target-not-allowed}", "cause is never 'ho-target-not-allowed'"),
    ("s1-mme.initial-ue-message: {rrc_establishment_cause: mo-dta}", "rrc_establishment_cause is never 'mo-dta'"),
    ("s1-mme.initial-ue-message: {eutran_cgi: enb/3}", "enb has no part '3'"),
    ("s1-mme.handover-required: {target_id: {global_enb_idd: 1}}", "did you mean 'global_enb_id'?"),
    ("s1-mme.handover-required: {target_id: {selected_tai: 1}}", "selected_tai is never '1'"),
    ("s1-mme.paging: {tai_list: 1}", "tai_list is never '1'"),
    ("x2.handover-request: {cause: 'radioNetwork: handover-desirabel-for-radio-reasons'}", "did you mean"),
    ("x2.handover-request: {ue_context_information: {rrc_contxt: 00}}", "did you mean 'rrc_context'?"),
    ("uu.rrc-connection-request: {establishment_cause: MO_DTA}", "did you mean 'MO_DATA'?"),
    ("uu.measurement-report: {cells: {cel: enb/1}}", "did you mean 'cell'?"),
    # the card
    ("me-uicc.authenticate-response: {sw: 69855}", "sw is never '69855'"),
    ("me-uicc.authenticate-response: {sw: 1234}", "sw is never '1234'"),
    ("me-uicc.authenticate-response: {status: Conditions of use not satisfyed}", "status is never"),
    ("me-uicc.authenticate-response: {swt: 9000}", "did you mean 'sw'?"),
    ("me-uicc.select: {file: EF.IMSY}", "did you mean 'EF.IMSI'?"),
    ("me-uicc.read-binary: {fle: EF.IMSI}", "did you mean 'file'?"),
    ("me-uicc.power-on: {file: EF.IMSI}", "field of power-on 'file' is not known"),
    ("me-uicc.fetch-response: {proactive_command: provide-local-informations}", "did you mean"),
    # events
    ("mqtt.publish: {topc: card/refused}", "did you mean 'topic'?"),
    ("mqtt.publish: {data: {scen: '012'}}", "did you mean 'scene'?"),
    ("mqtt.publish: {qos: one}", "qos is never 'one'"),
    ("mqtt.connack: {return_code: REFUSED}", "return_code is never 'REFUSED'"),
    ("mqtt.pingreq: {topic: card/refused}", "field of pingreq 'topic' is not known"),
    ("mqtt.publish: {type: simwarden.card.refusd}", "the type of an event is expected"),
    ("mqtt.publish: {topic: simwarden/hss/card/refuse}", "the topic of a message"),
    ("mqtt.publish: {source: hss}", "the source of an event"),
    ("mqtt.publish: {data: {occasion: atach}}", "did you mean 'attach'?"),
    ("broker: {event: {data: {occasion: atach}}}", "did you mean 'attach'?"),
    ("broker: {event: {data: {caller: costumer}}}", "did you mean 'customer'?"),
    ("broker: {event: {data: {pool: poool}}}", "pool is never 'poool'"),
    ("broker: {event: {data: {since: yesterday}}}", "a time such as"),
    ("broker: {event: {sequence: -4}}", "sequence is never '-4'"),
    # what was before and is after, and what else is told, of another event
    ("broker: {event: {topic: card/closed, data: {scene: '012'}}}", "field of data 'scene' is not known"),
    ("broker: {event: {topic: risk/recorded, data: {mode: given}}}", "field of data 'mode' is not known"),
    ("mqtt.publish: {type: simwarden.binding.learned, data: {cards: 3}}", "field of data 'cards'"),
    ("broker: {event: {topic: card/changed, data: {after: meter.imei}}}", "after is never"),
    ("broker: {event: {topic: card/changed, data: {after: {zones: '0007'}}}}", "after is a word and has no fields"),
    ("broker: {event: {topic: binding/changed, data: {before: active}}}", "before is never 'active'"),
    ("broker: {event: {topic: area/changed, data: {after: active}}}", "after is never 'active'"),
    ("broker: {event: {topic: subscription/changed, data: {after: {cells: enb/1}}}}", "field of after 'cells'"),
    ("mqtt.publish: {type: simwarden.area.changed, data: {after: {cells: enb/1, zones: '0007'}}}", "'zones' is not"),
    ("mqtt.publish: {data: {before: {apns: iot}, after: {stations: 1}}}", "field of before 'apns'"),
    ("mqtt.publish: {topic: simwarden/hss/subscription/changed, data: {after: active}}", "after is never 'active'"),
    # what the network lacks, or carries elsewhere
    ("s13.update-location-answer: {result_code: 2001}", "S13 has no message 'update-location-answer'"),
    ("s6a.me-identity-check-request: seen", "S6a has no message 'me-identity-check-request'"),
    ("decision: {control: mme.barrring}", "did you mean 'mme.barring'?"),
    ("s6a.update-location-request: {origin_host: mmee.epc.example}", "a host of the network"),
    ("hss: {registration: {mme: nowhere.example}}", "a host of the network"),
    # a code of no cause, though some setting has the number
    ("s1-mme.service-reject: {emm_cause: 0}", "emm_cause is never '0'"),
    ("meter: {emm_cause: 1}", "emm_cause is never '1'"),
    # the wrong identity of the right form, and none
    ("hss: {binding: {imei: card.imsi}}", "imei is never an IMSI (an IMEI is expected)"),
    ("mme: {session: {imsi: meter.imei}}", "imsi is never an IMEI"),
    ("meter: {attach: }", "attach: nothing is said (no value is written none)"),
    ("s6a.malformed: {reason: none}", "field of malformed 'reason' is not known"),
    # what no message has in this form, and no time
    ("s11.create-session-request: {apn: iot}", "apn is never 'iot' (an APN with its operator identifier"),
    ("pgw: {cdr: {recordOpeningTime: 2026-99-99Tgarbage}}", "a time such as 2026-03-02T08:00:00+00:00 is expected"),
    ("pgw: {cdr: {rATType: banana}}", "rATType is never 'banana'"),
    ("pgw: {cdr: {pdpPDNType: ipv9}}", "did you mean 'IPV6'?"),
    ("pgw: {cdr: {apnSelectionMode: banana}}", "apnSelectionMode is never 'banana'"),
    ("pgw: {cdr: {diagnostics: banana}}", "diagnostics is never 'banana'"),
    ("pgw: {cdr: {mSTimeZone: CET}}", "hours from UTC and of daylight saving"),
    ("pgw: {cdr: {listOfTrafficVolumes: {changeCondition: banana}}}", "changeCondition is never 'banana'"),
    (
        "decision: {by: mme, control: mme.enb, verdict: admit, card: card}",
        "mme.enb decides about a card on no occasion",
    ),
    ("decision: {by: hss, control: hss.peer, on: capabilities-exchange, card: card}", "(leave the subject out)"),
    ("decision: {by: hss, control: hss.subscriber, subject: meter.imei}", "about a terminal on no occasion (name the"),
]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (
            "mme: {reject: {reason: the EIR phrohibits it}}",
            "nobody can tell whether 'the EIR phrohibits it' is misspelt",
        ),
        ("pgw: {flow: {rule: its source adress}}", "rule: nobody can tell whether 'its source adress' is misspelt"),
        ("broker: {event: {data: {reason: nobdy knows}}}", "reason: nobody can tell whether 'nobdy knows' is misspelt"),
        ("decision: {by: eir, control: eir.equipment, device: meter}", "on some of its occasions only (say on: which)"),
        ("decision: {by: eir, control: eir.equipment, subject: '990001010000016'}", "on some of its occasions only"),
        ("decision: {by: eir, control: eir.equipment, on: me-identity-check, device: meter}", "(name the card)"),
        (
            "decision: {by: hss, control: hss.peer, verdict: admit, card: card}",
            "hss.peer decides about a card on some of",
        ),
    ],
)
def test_what_nobody_can_tell_from_a_mistake_is_expected_and_is_an_error_in_never(what: str, said: str) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("story.yaml", STORY.replace("KEY", "never").replace("WHAT", f"{{{what}}}"))
    (problem,) = caught.value.problems
    assert said in str(problem)
    if "(name the card)" not in said:
        Loader().load("story.yaml", STORY.replace("KEY", "expect").replace("WHAT", f"{{{what}}}"))


@pytest.mark.parametrize(
    "what",
    [
        "pgw: {flow: {rule: none}}",
        "decision: {by: eir, control: eir.equipment, on: map-check-imei, device: meter}",
        "decision: {by: hss, control: hss.peer, on: update-location, card: card}",
        "mme: {reject: {reason: north}}",
    ],
)
def test_what_the_file_gives_or_a_control_is_about_may_never_be(what: str) -> None:
    Loader().load("story.yaml", STORY.replace("KEY", "never").replace("WHAT", f"{{{what}}}"))


@pytest.mark.parametrize("key", ["expect", "never"])
@pytest.mark.parametrize(("what", "said"), WRONG)
def test_a_word_that_can_never_be_is_told_with_its_place(key: str, what: str, said: str) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("story.yaml", STORY.replace("KEY", key).replace("WHAT", f"{{{what}}}"))
    (problem,) = caught.value.problems
    assert said in str(problem)
    assert str(problem).startswith("story.yaml:13:")


@pytest.mark.parametrize(
    "what",
    [
        "hss: {subscription: {status: Withdrawal}}",
        "mme: {session: {cell: enb/1, imei: meter.imei, emergency: no, apn: none}}",
        "mme: {reject: {emm_cause: illegal-me}}",
        "mme: {reject: {emm_cause: 0x06, esm_cause: none}}",
        "mme: {area: {province: south, cells: [enb/2]}}",
        "meter: {emm_cause: none, card: other, address: 10.64.0.1}",
        "card: {terminal: nowhere}",
        "decision: {by: mme, details: {seen: enb/1}}",
        "s6a.update-location-answer: {experimental_result: user-unknown}",
        "s6a.update-location-answer: {experimental_result: DIAMETER_ERROR_USER_UNKNOWN}",
        "s6a.update-location-answer: {Result-Code: 2001, Error-Message: no}",
        "s13.me-identity-check-answer: {equipment_status: BLACKLISTED}",
        "s1-mme.attach-request: {eps_mobile_identity: card.imsi}",
        "s1-mme.initial-ue-message: {eutran_cgi: enb/1, tai: 001-01-0001}",
        "s1-mme.activate-default-eps-bearer-context-request: {pdn_address: 198.18.0.1}",
        "s11.create-session-request: {apn: iot.mnc001.mcc001.gprs}",
        "s5-c.create-session-request: {apn: IOT.mnc001.mcc001.gprs}",
        "pgw: {session: {ipv4: 10.64.0.1, ipv6: '2001:db8:64::', tai: 001-01-0001, cell: enb/1}}",
        "internet: {arrived: {source: '2001:db8:64::1', destination: 203.0.113.66}}",
        "s1-mme.s1-setup-request: {enb_name: enb2}",
        "s6a.update-location-request: {origin_realm: epc.mnc001.mcc001.3gppnetwork.org}",
        "s6a.update-location-request: {session_id: mme.epc.mnc001.mcc001.3gppnetwork.org;1;2}",
        "uu.paging: {ue_identities: card.imsi}",
        "mqtt.subscribe: {topic_filters: 'simwarden/+/card/#'}",
        "mqtt.subscribe: {topic_filters: simwarden/hss/card/refused/+}",
        "mqtt.subscribe: {topic_filters: '#'}",
        "mqtt.connect: {client_identifier: simwarden-hss}",
        "broker: {event: {data: {before: {cells: enb/1}, after: none}}}",
        "broker: {event: {topic: area/changed, data: {before: {zones: '0007'}, after: {zones: none}}}}",
        "broker: {event: {topic: card/suspended, data: {before: active, after: suspended}}}",
        "mqtt.publish: {type: simwarden.binding.changed, data: {before: meter.imei, after: none}}",
        "me-uicc.authenticate-response: {sw: 612c}",
    ],
)
def test_what_may_be_is_no_error(what: str) -> None:
    assert Loader().load("story.yaml", STORY.replace("KEY", "never").replace("WHAT", f"{{{what}}}")).steps


def test_a_code_of_the_operators_own_is_known_where_it_is_set_and_a_name_where_a_real_element_is() -> None:
    own = STORY.replace("KEY", "expect").replace("WHAT", "{s6a.update-location-answer: {experimental_result: 5901}}")
    with pytest.raises(ScenarioErrors):
        Loader().load("story.yaml", own)
    assert Loader().load("story.yaml", own.replace("  cmp: {}", "  hss: {mismatch: {experimental_result: 5901}}")).steps
    apn = STORY.replace("KEY", "expect").replace("WHAT", "{meter: {apn: meters.operator.example}}")
    with pytest.raises(ScenarioErrors):
        Loader().load("story.yaml", apn)
    assert Loader().load("story.yaml", apn.replace("  cmp: {}", '  hss: {external: "192.0.2.1:3868"}')).steps


@pytest.mark.parametrize("what", ["x2.handover-request: seen", "mqtt.publish: seen", "decision: {control: bind.cmp}"])
def test_what_nobody_in_the_network_speaks_or_decides_is_told(what: str) -> None:
    small = STORY.replace("  cmp: {}\n  broker: {}\n", "").replace("  enb2: {type: enb, cells: [{tac: 3}]}\n", "")
    with pytest.raises(ScenarioErrors, match=r"nobody here speaks|control of anybody here 'bind.cmp' is not known"):
        Loader().load("story.yaml", small.replace("KEY", "never").replace("WHAT", f"{{{what}}}"))


def test_the_devices_of_a_cell_are_named_by_their_cell() -> None:
    story = STORY.replace("KEY", "expect").replace("WHAT", "{enb: {connected: {cell: enb/1, devices: 1}}}")
    result = run_scenario(Loader().load("story.yaml", story), "story", RunOptions())
    assert result.failure is None, result.failure


def test_never_takes_no_time() -> None:
    with pytest.raises(ScenarioErrors, match="within: `never` is about the whole phase"):
        Loader().load(
            "story.yaml", STORY.replace("KEY", "never").replace("WHAT", "{within: 5 s, meter: {tau: accepted}}")
        )


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("manage: {element: hss, get: /cards}\n    expect: 999", "'999' is no outcome of manage"),
        ("together: [{power_on: meter}, {power_off: meter}]\n    expect: acepted", "did you mean 'accepted'?"),
        ("wait: 1 s\n    expect: accepted", "wait has no outcome by the end of its step"),
        ("tau: meter\n    every: 1 min\n    expect: accepted", "tau has no outcome by the end of its step"),
    ],
)
def test_an_outcome_that_no_verb_has_is_told(step: str, said: str) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("story.yaml", STORY.replace("KEY: WHAT", step))
    assert said in str(caught.value)


STORIES = [
    "area/handover/other-cell-other-tracking-area",
    "area/handover/not-allowed-cell::x2",
    "binding/hss/withdrawal",
    "data/pdn-connections/apn-not-subscribed",
    "demo/moved-card",
    "evasion/diameter-peers/screening::two-user-names",
    "events/refused-card",
    "events/suspension",
    "binding/cmp/phone::suspend",
    "binding/cmp/records::given",
    "binding/cmp/bound-card-in-phone::behind-eir",
    "binding/northbound/card-transfer",
    "evasion/emergency/attach-without-card::authenticated",
    "sms/gateway/delivery/cmpp-round-trip",
    "sms/gateway/access-codes/sender-not-allocated::twin",
    "voice/whitelist/incoming-not-listed::presented-twin",
    "voice/terminal-identity/eir-prohibits-device::twin",
]


def told(value: Any) -> Any:
    """Return a value of the trace as a file would write it."""
    if isinstance(value, dict):
        return {key: told(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [told(each) for each in value]
    if value == "":
        return "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return show(value).partition(" (")[0] if isinstance(value, IntEnum) else show(value)


def parts_of(dissection: Dissection) -> Iterator[Dissection]:
    yield dissection
    for each in dissection.inner:
        yield from parts_of(each)


@pytest.mark.parametrize("story", STORIES)
def test_whatever_a_run_shows_may_be_expected(story: str) -> None:
    source = read(shipped_cases.text_of(story), story, Problems())
    scenario = Loader().assemble(source)
    references, problems = References(), Problems()
    references.instances.update(scenario.instances)
    wording, spot = Wording(references, problems, scenario.registry.controls, source.data), Spot(source)
    seen = 0
    for event, dissection in Dissector().walk(run_scenario(scenario, "story", RunOptions()).events):
        if isinstance(event, Frame) and dissection is not None:
            for part in parts_of(dissection):
                known = expected_fields(event.interface, part.name)
                assert known is not None, part.name
                wording.fields(part.name, told(part.fields), known, spot)
                seen += 1
        elif isinstance(event, Decided):
            control, subject = event.decision.control, event.decision.subject
            kinds = {
                which
                for each in scenario.instances.values()
                for which, own in each.identities.items()
                if own == subject
            }
            assert "imsi" not in kinds or event.decision.occasion not in control.cardless, control.id
            assert "imei" not in kinds or event.decision.occasion in control.terminals, control.id
            details = details_of(event.decision.control.rule)
            assert details is not None, event.decision.control.id
            wording.fields(event.decision.control.id, told(dict(event.decision.details)), details, spot)
        elif isinstance(event, ChargingRecord):
            wording.fields(event.record, told(dict(event.fields)), cdr_fields((event.record,)), spot)
        elif isinstance(event, StateChange):
            declared = scenario.registry.declaration(scenario.instances[event.element].kind).observables
            (one,) = (each for each in declared if each.name == event.observable)
            if not one.record:
                wording.value(one.name, told(event.value), one.values.or_none(), spot)
            elif event.value is not None:
                wording.fields(one.name, told(event.value), one.fields, spot)
    assert [each.reason for each in problems.found] == []
    assert seen
