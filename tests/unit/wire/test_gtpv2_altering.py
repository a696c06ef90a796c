"""GTPv2-C messages with other elements than they were sent with; the octets are read by scapy too."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib import gtp_v2 as scapy

from simwarden.errors import PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import (
    Ambr,
    Arp,
    BearerQos,
    Cause,
    CauseIe,
    FTeid,
    Indication,
    InterfaceType,
    Message,
    Paa,
    PdnType,
    RatType,
    Uli,
)
from simwarden.wire.gtpv2.altering import altered

HERE = FTeid(InterfaceType.S5_S8_PGW_GTP_C, 0x71, "192.0.2.7")
NAME = "create-session-response"
CONTEXT = {"ebi": 5, "cause": CauseIe(Cause.REQUEST_ACCEPTED), "s5_u_pgw": HERE}
ANSWER = {
    "cause": CauseIe(Cause.REQUEST_ACCEPTED),
    "pgw_s5_f_teid": HERE,
    "paa": Paa(PdnType.IPV4, "10.64.0.1"),
    "bearer_contexts_created": (CONTEXT, {**CONTEXT, "ebi": 6}),
}
ORDER = Message("create-bearer-request", {"linked_ebi": 5, "bearer_contexts": (
    {"ebi": 0, "bearer_tft": b"\x21", "bearer_qos": BearerQos(7)},
)}, 9, 4)  # fmt: skip
REQUEST = Message("modify-bearer-request", {"rat_type": RatType.EUTRAN}, 3, 4)


def answer(**ies: Any) -> bytes:
    return gtpv2.encode(Message(NAME, {**ANSWER, **ies}, 1, 2))


def of(fields: dict[str, Any]) -> Message:
    return gtpv2.decode(altered(answer(), NAME, fields))


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({}, {}),
        ({"cause": "SYSTEM_FAILURE"}, {"cause": CauseIe(Cause.SYSTEM_FAILURE)}),
        ({"Cause": "no-memory-available"}, {"cause": CauseIe(Cause.NO_MEMORY_AVAILABLE)}),
        ({"cause": "250", "cause_source": "yes"}, {"cause": CauseIe(250, remote=True)}),
        ({"paa": "none"}, {"paa": None}),
        ({"paa": {"pdn_type": "IPV6", "ipv6": "2001:db8::1"}}, {"paa": Paa(PdnType.IPV6, "", "2001:db8::1")}),
        ({"apn_ambr": {"uplink": "1", "downlink": "2"}}, {"apn_ambr": Ambr(1, 2)}),
        ({"pgw_s5_f_teid": {"teid": "0x72"}}, {"pgw_s5_f_teid": HERE._replace(teid=0x72)}),
        ({"pco": "8000"}, {"pco": b"\x80\x00"}),
        ({"change_reporting_action": "STOP_REPORTING"}, {"change_reporting_action": 0}),
        ({"indication_flags": ["OI", "si"]}, {"indication_flags": Indication.OI | Indication.SI}),
        (
            {"bearer_contexts_created": {"cause": "NO_RESOURCES_AVAILABLE", "s5_u_pgw": "absent"}},
            {
                "bearer_contexts_created": tuple(
                    {"ebi": ebi, "cause": CauseIe(Cause.NO_RESOURCES_AVAILABLE)} for ebi in (5, 6)
                )
            },
        ),
        ({"bearer_contexts_created": [{"ebi": "7"}]}, {"bearer_contexts_created": ({**CONTEXT, "ebi": 7},)}),
        (
            {"bearer_contexts_created": {"bearer_qos": {"qci": "1", "arp": {"priority": "2"}}}},
            {
                "bearer_contexts_created": tuple(
                    {**CONTEXT, "ebi": ebi, "bearer_qos": BearerQos(1, Arp(2))} for ebi in (5, 6)
                )
            },
        ),
    ],
    ids=str,
)
def test_what_is_said_is_changed_and_nothing_else(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    message = of(fields)
    assert {"paa": None, **message.ies} == {**ANSWER, **changed}
    assert (message.teid, message.sequence) == (1, 2)


def test_places_are_read() -> None:
    octets = gtpv2.encode(REQUEST)
    fields = {"user_location_information": {"tai": "001-01-000a", "ecgi": "001-01-0000101"}, "serving_network": "00101"}
    message = gtpv2.decode(altered(octets, REQUEST.name, fields))
    network = Plmn("001", "01")
    assert message.get("user_location_information") == Uli(Tai(network, 10), Ecgi(network, 0x101))
    assert message.get("serving_network") == network


def test_header_and_elements_are_read_by_another_implementation() -> None:
    fields = {"teid": "0x1234", "sequence_number": "9", "cause": "SYSTEM_FAILURE", "paa": {"ipv4": "10.64.0.9"}}
    packet = scapy.GTPHeader(altered(answer(), NAME, fields))
    assert (packet.teid, packet.seq) == (0x1234, 9)
    assert packet[scapy.IE_Cause].Cause == Cause.SYSTEM_FAILURE
    assert packet[scapy.IE_PAA].ipv4 == "10.64.0.9"


def test_of_two_messages_in_a_datagram_the_one_that_is_named_is_altered() -> None:
    first = gtpv2.encode(Message(NAME, ANSWER, 1, 2), followed=True)
    data = altered(first + gtpv2.encode(ORDER), ORDER.name, {"linked_ebi": "6"})
    told, order = gtpv2.split(data)
    assert told == first
    assert gtpv2.decode(order)["linked_ebi"] == 6
    assert altered(data, "update-bearer-request", {"linked_ebi": "6"}) == data


@pytest.mark.parametrize(
    "fields",
    [
        {"colour": "red"},
        {"cause": "none"},
        {"cause": "256"},
        {"cause": "red"},
        {"cause_source": "perhaps"},
        {"bearer_contexts_created": []},
        {"bearer_contexts_created": {"ebi": "16"}},
        {"bearer_contexts_created": {"ebi": "none"}},
        {"bearer_contexts_created": "5"},
        {"bearer_contexts_created": {"bearer_qos": {"arp": {"priority": "2"}}}},
        {"bearer_contexts_created": {"bearer_qos": {"qci": "9", "mbr_uplink": "0x10000000000"}}},
        {"apn_ambr": {"uplink": "1"}},
        {"apn_ambr": {"uplink": "-1", "downlink": "1"}},
        {"paa": "10.64.0.9"},
        {"paa": {"size": "1"}},
        {"indication_flags": ["XX"]},
        {"pco": "8"},
        {"teid": "a lot"},
        {"teid": "0x100000000"},
        {"sequence_number": "-1"},
    ],
    ids=str,
)
def test_what_no_octets_can_say_is_told(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        of(fields)


@given(st.binary(max_size=40))
def test_any_octets_give_octets_or_a_peer_error(data: bytes) -> None:
    try:
        altered(data, NAME, {"cause": "SYSTEM_FAILURE"})
    except (PeerError, ValueError):
        return
