"""Sessions at the PGW: who gets one, with which addresses, and what is refused with which cause."""

from __future__ import annotations

import ipaddress
from typing import Any

import gateways
import pytest
from gateways import Gateways
from scapy.contrib import gtp_v2 as scapy
from scapy.packet import Raw

from simwarden.trace.events import Frame, StateChange
from simwarden.wire import pco
from simwarden.wire.gtpv2 import Cause, FTeid, InterfaceType, Message, PdnType
from simwarden.wire.pco import Container, Option

V4, V6, BOTH = 1, 2, 3
ONLY_V4 = {"apns": {"*": {"ipv6": ""}}}
ONLY_V6 = {"apns": {"*": {"ipv4": ""}}}


def asks(kind: int, *, dual: bool = True, ipv4: str = "0.0.0.0", ipv6: str = "::") -> dict[str, Any]:  # noqa: S104
    six = {"ipv6": int(ipaddress.IPv6Address(ipv6)), "ipv6_prefix_length": 64}
    addresses: dict[str, Any] = {"ipv4": ipv4} if kind == V4 else six
    if kind == BOTH:
        addresses["ipv4"] = ipv4
    return {
        "pdn_type": scapy.IE_PDN_type(PDN_type=kind),
        "paa": scapy.IE_PAA(PDN_type=kind, **addresses),
        "indication": scapy.IE_Indication(length=2, DAF=int(dual)),
    }


@pytest.mark.parametrize(
    ("kind", "dual", "pgw", "cause", "given"),
    [
        (V4, True, {}, Cause.REQUEST_ACCEPTED, PdnType.IPV4),
        (V6, True, {}, Cause.REQUEST_ACCEPTED, PdnType.IPV6),
        (BOTH, True, {}, Cause.REQUEST_ACCEPTED, PdnType.IPV4V6),
        (BOTH, False, {}, Cause.NEW_PDN_TYPE_DUE_TO_SINGLE_ADDRESS_BEARER_ONLY, PdnType.IPV4),
        (BOTH, True, ONLY_V4, Cause.NEW_PDN_TYPE_DUE_TO_NETWORK_PREFERENCE, PdnType.IPV4),
        (BOTH, True, ONLY_V6, Cause.NEW_PDN_TYPE_DUE_TO_NETWORK_PREFERENCE, PdnType.IPV6),
        (V6, True, ONLY_V4, Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED, None),
        (V4, True, ONLY_V6, Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED, None),
        (4, True, {}, Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED, None),
    ],
)
async def test_pdn_types(kind: int, dual: bool, pgw: dict[str, Any], cause: Cause, given: PdnType | None) -> None:  # noqa: FBT001
    async with Gateways(pgw=pgw) as bench:
        wanted = asks(kind, dual=dual) if kind < 4 else {**asks(V4), "paa": scapy.IE_PAA(PDN_type=4)}
        made = await bench.mme.create(**wanted)
        assert made.cause == cause
        assert (made.get("paa").pdn_type if given else None) == given
        if given in (PdnType.IPV6, PdnType.IPV4V6):
            assert ipaddress.ip_address(made["paa"].ipv6) in ipaddress.ip_network("2001:db8:64:1::/64")
        if given in (PdnType.IPV4, PdnType.IPV4V6):
            assert made["paa"].ipv4 == "10.64.0.1"


@pytest.mark.parametrize("number", ["8613800000001", "86144000000", "4915112345678", None])
async def test_a_number_that_is_not_dedicated_or_not_told_gets_no_session(number: str | None) -> None:
    async with Gateways() as bench:
        element = scapy.IE_MSISDN(digits=number.encode()) if number else None
        refused = await bench.mme.create(msisdn=element)
        assert refused.cause == Cause.APN_ACCESS_DENIED_NO_SUBSCRIPTION
        assert refused["cause"].remote  # it was the PGW that refused
        assert bench.verdicts("fn.core") == [False]
        assert (bench.pgw.census(), bench.sgw.census()) == (
            {"sessions": 0, "EPS bearers": 0},
            {"sessions": 0, "EPS bearers": 0, "bearers": 0, "tunnels": 0},
        )
        assert (await bench.mme.create()).accepted
        assert bench.verdicts("fn.core") == [False, True]


async def test_the_ranges_of_a_file_decide(tmp_path: Any) -> None:
    ranges = tmp_path / "ranges.toml"
    ranges.write_text('country = "49"\nrange = [{ prefix = "151", length = 11, dedicated = true }]')

    async with Gateways(pgw={"ranges": str(ranges)}) as bench:
        assert (await bench.mme.create(msisdn=scapy.IE_MSISDN(digits=b"4915112345678"))).accepted
        assert not (await bench.mme.create()).accepted


@pytest.mark.parametrize(
    ("changed", "settings", "cause"),
    [
        ({"rat": scapy.IE_RAT(RAT_type=8)}, {}, Cause.DENIED_IN_RAT),
        ({"rat": scapy.IE_RAT(RAT_type=2)}, {}, Cause.DENIED_IN_RAT),
        ({}, {"apns": {"cars": {}}}, Cause.MISSING_OR_UNKNOWN_APN),
        ({}, {"sgws": ["sgw2"]}, Cause.INVALID_PEER),
        ({"imsi": None}, {}, Cause.CONDITIONAL_IE_MISSING),
    ],
)
async def test_what_else_is_refused(changed: dict[str, Any], settings: dict[str, Any], cause: Cause) -> None:
    async with Gateways(pgw=settings) as bench:
        assert (await bench.mme.create(**changed)).cause == cause
        assert bench.pgw.census() == {"sessions": 0, "EPS bearers": 0}


async def test_an_apn_is_known_without_its_operator_identifier() -> None:
    async with Gateways(pgw={"apns": {"meters": {}}}) as bench:
        made = await bench.mme.create(apn=scapy.IE_APN(APN=b"Meters.mnc001.mcc001.gprs"))
        assert made.accepted
        assert await bench.pgw.list_sessions(None) == [  # type: ignore[arg-type]
            {"imsi": gateways.IMSI, "apn": "meters", "ebi": 5, "ipv4": "10.64.0.1", "ipv6": ""}
        ]


async def test_a_pool_has_an_end_and_takes_addresses_back() -> None:
    async with Gateways(pgw={"apns": {"*": {"ipv4": "192.0.2.0/30"}}}) as bench:
        made = []
        for number in range(3):
            imsi = scapy.IE_IMSI(IMSI=f"00101000000000{number}".encode())
            made.append(await bench.mme.create(imsi=imsi))
        assert [each.cause for each in made[:2]] == [Cause.REQUEST_ACCEPTED] * 2
        assert [each["paa"].ipv4 for each in made[:2]] == ["192.0.2.1", "192.0.2.2"]
        assert made[2].cause == Cause.ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED
        assert (await bench.mme.delete(made[0]["sender_f_teid"].teid)).accepted
        assert (await bench.mme.create(imsi=imsi))["paa"].ipv4 == "192.0.2.1"


async def test_a_static_address_is_one_cards() -> None:
    async with Gateways(pgw={"apns": {"*": {"static": ["203.0.113.0/24", "2001:db8:7::/48"]}}}) as bench:
        wanted = asks(BOTH, ipv4="203.0.113.7", ipv6="2001:db8:7::9")
        made = await bench.mme.create(**wanted)
        assert (made["paa"].ipv4, made["paa"].ipv6) == ("203.0.113.7", "2001:db8:7::9")
        other = await bench.mme.create(**wanted, imsi=scapy.IE_IMSI(IMSI=b"001010000000002"))
        assert other.cause == Cause.NO_RESOURCES_AVAILABLE
        foreign = await bench.mme.create(**asks(V4, ipv4="203.0.114.7"), imsi=scapy.IE_IMSI(IMSI=b"001010000000003"))
        assert foreign.cause == Cause.NO_RESOURCES_AVAILABLE


async def test_a_session_that_is_asked_for_again_takes_the_place_of_the_first() -> None:
    async with Gateways() as bench:
        await bench.session()
        again = await bench.mme.create()
        assert again.accepted
        assert bench.pgw.census() == {"sessions": 1, "EPS bearers": 1}
        assert bench.sgw.census() == {"sessions": 1, "EPS bearers": 1, "bearers": 0, "tunnels": 2}


async def test_options_are_answered_as_asked() -> None:
    asked = pco.encode(
        [
            Option(Container.DNS_SERVER_IPV4_ADDRESS),
            Option(Container.DNS_SERVER_IPV6_ADDRESS),
            Option(Container.IPV4_LINK_MTU),
            Option(0x0005),
        ]
    )

    async with Gateways() as bench:
        made = await bench.mme.create(pco=Raw(b"\x4e" + len(asked).to_bytes(2) + b"\0" + asked))
        told = {option.identifier: option.content for option in pco.decode(made["pco"])}
        assert told == {
            Container.DNS_SERVER_IPV4_ADDRESS: bytes((192, 0, 2, 53)),
            Container.DNS_SERVER_IPV6_ADDRESS: ipaddress.ip_address("2001:db8::53").packed,
            Container.IPV4_LINK_MTU: (1358).to_bytes(2),
        }
        bad = await bench.mme.create(pco=Raw(b"\x4e\0\2\0\x80\0"))
        assert bad.accepted
        assert bad.get("pco") is None


async def test_location_is_reported_when_it_is_asked_for() -> None:
    async with Gateways(pgw={"apns": {"*": {"report_location": True}}}) as bench:
        made = await bench.mme.create(indication=scapy.IE_Indication(length=2, CRSI=1))
        assert made["change_reporting_action"] == 6
        place = bytes.fromhex("5600" + "0d00" + "18" + "00f1100007" + "00f11000000101")
        changed = await bench.mme.ask(38, bytes(scapy.IE_RAT(RAT_type=6)) + place, made["sender_f_teid"].teid)
        assert changed.accepted
        places = [
            (str(e.value["tai"]), str(e.value["cell"]))
            for e in bench.trace.events
            if isinstance(e, StateChange) and e.element == "pgw" and e.value
        ]
        assert places == [("None", "None"), ("001-01-0007", "001-01-0000101")]


async def test_the_operator_ends_a_session_at_all_nodes() -> None:
    async with Gateways() as bench:
        await bench.session()
        assert await bench.host.manage("mme", "pgw", "DELETE", f"/sessions/{gateways.IMSI}") == {"ended": 1}
        assert [(each.name, each.cause) for each in bench.mme.asked] == [
            ("delete-bearer-request", Cause.REACTIVATION_REQUESTED)
        ]
        assert (bench.pgw.census(), bench.sgw.census()) == (
            {"sessions": 0, "EPS bearers": 0},
            {"sessions": 0, "EPS bearers": 0, "bearers": 0, "tunnels": 0},
        )


async def test_requests_for_a_session_that_is_not_there() -> None:
    async with Gateways() as bench:
        to = bench.host.address_of("pgw", "S5-C")
        for kind, payload in (
            ("modify_bearer_req", scapy.GTPV2ModifyBearerRequest(IE_list=[])),
            ("delete_session_req", scapy.GTPV2DeleteSessionRequest(IE_list=[])),
            (38, bytes(scapy.IE_RAT(RAT_type=6))),
        ):
            bench.mme.number += 1
            octets = bytes(scapy.GTPHeader(P=0, T=1, teid=77, seq=bench.mme.number, gtp_type=kind) / payload)
            bench.sgw.core.node.endpoint.send(octets, to, on="S5-C")
        await bench.settle()
        causes = [f.data[16] for f in bench.of(Frame) if f.interface == "S5-C" and f.source == "pgw"]
        assert causes == [Cause.CONTEXT_NOT_FOUND] * 3


async def test_another_sgw_takes_a_session_over() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        host = bench.host.address_of("sgw", "S5-U")[0]
        bearer = {"ebi": 5, "s5_u_sgw": FTeid(InterfaceType.S5_S8_SGW_GTP_U, 0x99, host)}
        sender = FTeid(InterfaceType.S5_S8_SGW_GTP_C, 0x77, host)
        ies = {"sender_f_teid": sender, "bearer_contexts_to_be_modified": (bearer, {"ebi": 9})}
        request = Message("modify-bearer-request", ies, made["pgw_s5_f_teid"].teid)
        answer = await bench.sgw.core.node.ask(request, bench.host.address_of("pgw", "S5-C")[0], "S5-C")
        assert (answer.cause, answer.teid) == (Cause.REQUEST_ACCEPTED, 0x77)
        told = [(each["ebi"], each["cause"].value) for each in answer["bearer_contexts_modified"]]
        assert told == [(5, Cause.REQUEST_ACCEPTED), (9, Cause.CONTEXT_NOT_FOUND)]
        bench.net.send(gateways.udp(gateways.SERVER, made["paa"].ipv4))
        await bench.settle()
        assert bench.dropped() == ["there is no tunnel 0x00000099"]
        # which the SGW tells by an Error Indication, so that the session ends
        assert bench.pgw.census() == {"sessions": 0, "EPS bearers": 0}
