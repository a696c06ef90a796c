"""Sessions at the PGW: who gets one, with which addresses, and what is refused with which cause."""

from __future__ import annotations

import ipaddress
from typing import Any

import gateways
import pytest
from gateways import Gateways
from scapy.contrib import gtp_v2 as scapy
from scapy.packet import Raw

from simwarden.model.identity import Plmn
from simwarden.trace.events import Frame, StateChange
from simwarden.trace.records import ChargingRecord
from simwarden.wire import pco
from simwarden.wire.gtpv2 import (
    Ambr,
    BearerQos,
    Cause,
    CauseIe,
    FTeid,
    InterfaceType,
    Message,
    Paa,
    PdnType,
    RatType,
    UeTimeZone,
)
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
        (BOTH, True, {"apns": {"*": {"ipv4": "", "ipv6": ""}}}, Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED, None),
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
            assert not made["paa"].ipv6.endswith("::")  # with an interface identifier (TS 23.401 5.3.1.2.2)
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


async def test_what_is_shown_of_a_session() -> None:
    async with Gateways() as bench:
        assert (await bench.mme.create(**asks(BOTH))).accepted
        (shown,) = bench.observed("session", element="pgw")
        assert (shown["imsi"], shown["ipv4"], shown["ipv6"]) == (gateways.IMSI, "10.64.0.1", "2001:db8:64:1::")
        assert (shown["state"], shown["tai"], shown["cell"]) == ("open", None, None)


async def test_of_a_terminal_without_a_card_and_of_ipv6_alone_nothing_is_shown_that_is_not_there() -> None:
    async with Gateways() as bench:
        made = await bench.mme.create(imsi=None, mei=scapy.IE_MEI(MEI=b"3520990017614823"), **asks(V6))
        assert made.accepted
        shown = [each.value for each in bench.of(StateChange) if each.element == "pgw" and each.observable == "session"]
        assert (shown[-1]["imsi"], shown[-1]["ipv4"]) == (None, None)


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


async def test_of_two_kinds_of_address_one_that_is_not_to_be_had_leaves_the_other() -> None:
    scarce = {"ipv4": "192.0.2.0/30", "ipv6": "2001:db8:64::/63", "static": ["2001:db8:7::/64"]}
    async with Gateways(pgw={"apns": {"*": scarce}}) as bench:
        assert (await bench.mme.create(**asks(V6))).accepted
        two, three = scapy.IE_IMSI(IMSI=b"001010000000002"), scapy.IE_IMSI(IMSI=b"001010000000003")
        assert (await bench.mme.create(**asks(BOTH), imsi=two)).cause == Cause.ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED
        wanted = asks(BOTH, ipv6="2001:db8:7::9")
        assert (await bench.mme.create(**wanted, imsi=two))["paa"].ipv4 == "192.0.2.2"
        assert (await bench.mme.create(**wanted, imsi=three)).cause == Cause.NO_RESOURCES_AVAILABLE
        assert (await bench.mme.create(**asks(V4), imsi=three))["paa"].ipv4 == "192.0.2.1"


async def test_a_session_that_is_asked_for_again_takes_the_place_of_the_first() -> None:
    async with Gateways() as bench:
        await bench.session()
        again = await bench.mme.create()
        assert again.accepted
        assert bench.pgw.census() == {"sessions": 1, "EPS bearers": 1}
        assert bench.sgw.census() == {"sessions": 1, "EPS bearers": 1, "bearers": 0, "tunnels": 2}
        (record,) = [each.fields for each in bench.of(ChargingRecord) if each.element == "pgw"]
        assert record["causeForRecClosing"].name == "NORMAL_RELEASE"  # the SGW has ended it first


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
        unknown = pco.encode([Option(0x0005)])
        silent = await bench.mme.create(pco=Raw(b"\x4e" + len(unknown).to_bytes(2) + b"\0" + unknown))
        assert silent.accepted
        assert silent.get("pco") is None
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


@pytest.mark.parametrize(
    ("name", "ies"),
    [
        ("modify-bearer-request", {}),
        ("delete-session-request", {"linked_ebi": 5}),
        ("change-notification-request", {"rat_type": RatType.LTE_M}),
    ],
)
async def test_of_a_foreign_sgw_no_session_is_changed(name: str, ies: dict[str, Any]) -> None:
    async with Gateways() as bench:
        teid = (await bench.session())["pgw_s5_f_teid"].teid
        bench.pgw.core.config = bench.pgw.core.config.model_copy(update={"sgws": ("another",)})
        assert (await bench.ask_pgw(name, teid, **ies)).cause is Cause.INVALID_PEER
        assert bench.verdicts("pgw.peer")[-1] is False
        (session,) = bench.pgw.core.sessions.values()
        assert session.rat is RatType.EUTRAN


async def test_a_session_ends_by_its_own_bearer_alone() -> None:
    async with Gateways() as bench:
        teid = (await bench.session())["pgw_s5_f_teid"].teid
        assert (await bench.ask_pgw("delete-session-request", teid, linked_ebi=6)).cause is Cause.CONTEXT_NOT_FOUND
        assert bench.pgw.census() == {"sessions": 1, "EPS bearers": 1}
        assert (await bench.ask_pgw("delete-session-request", teid)).accepted
        assert bench.pgw.census() == {"sessions": 0, "EPS bearers": 0}


async def test_a_session_without_the_sgws_end_of_its_tunnel_and_one_of_which_little_is_said() -> None:
    async with Gateways() as bench:
        host = bench.sgw.core.node.address
        bearer: dict[str, Any] = {"ebi": 5, "bearer_qos": BearerQos(9)}
        asked = {
            "imsi": gateways.IMSI,
            "msisdn": gateways.NUMBER,
            "rat_type": RatType.EUTRAN,
            "sender_f_teid": FTeid(InterfaceType.S5_S8_SGW_GTP_C, 0x77, host),
            "apn": "meters",
            "paa": Paa(PdnType.IPV4V6, "0.0.0.0", "::"),  # noqa: S104
        }
        refused = await bench.ask_pgw("create-session-request", 0, **asked, bearer_contexts_to_be_created=(bearer,))
        assert refused.cause is Cause.MANDATORY_IE_INCORRECT
        bearer["s5_u_sgw"] = FTeid(InterfaceType.S5_S8_SGW_GTP_U, 0x99, host)
        made = await bench.ask_pgw("create-session-request", 0, **asked, bearer_contexts_to_be_created=(bearer,))
        assert made.cause is Cause.NEW_PDN_TYPE_DUE_TO_SINGLE_ADDRESS_BEARER_ONLY
        assert (made["paa"].ipv4, made["apn_ambr"]) == ("10.64.0.1", Ambr(50_000, 150_000))
        assert made.get("change_reporting_action") is None
        await bench.ask_pgw("delete-session-request", made["pgw_s5_f_teid"].teid)
        (record,) = bench.of(ChargingRecord)
        assert (record.fields["apnSelectionMode"], record.fields.get("chargingCharacteristics")) == (0, None)


async def test_what_makes_a_record_untrue_closes_it() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        teid, zone = made["pgw_s5_f_teid"].teid, UeTimeZone(8)
        other = FTeid(InterfaceType.S5_S8_SGW_GTP_C, 0x77, "192.0.2.99")
        same = bench.pgw.core.by_teid[teid].sgw
        for ies in (
            {"rat_type": RatType.LTE_M, "ue_time_zone": zone},
            {"rat_type": RatType.LTE_M, "ue_time_zone": zone},
            {"ue_time_zone": UeTimeZone(9), "serving_network": Plmn("001", "02")},
            {"ue_time_zone": UeTimeZone(9), "sender_f_teid": same},
            {"bearer_contexts_to_be_modified": ({"ebi": 5},)},
            {"sender_f_teid": other, "rat_type": RatType.EUTRAN},
        ):
            assert (await bench.ask_pgw("modify-bearer-request", teid, **ies)).accepted
        assert bench.pgw.core.by_teid[teid].sgw_user.address == bench.sgw.core.plane.address
        assert (await bench.ask_pgw("delete-session-request", teid)).teid == 0x77
        fields = [each.fields for each in bench.of(ChargingRecord) if each.element == "pgw"]
        told = [(each["causeForRecClosing"].name, each["rATType"], each.get("mSTimeZone")) for each in fields]
        assert told == [
            ("RAT_CHANGE", "EUTRAN", None),
            ("MS_TIME_ZONE_CHANGE", "LTE_M", "+8 0"),
            ("SERVING_NODE_CHANGE", "LTE_M", "+9 0"),
            ("NORMAL_RELEASE", "EUTRAN", "+9 0"),
        ]
        assert [each.get("servingNodePLMNIdentifier") for each in fields] == [None, None, "001-02", "001-02"]
        assert [each["servingNodeAddress"] for each in fields][-2:] == [[same.address], ["192.0.2.99"]]


async def test_a_session_that_the_sgw_will_not_end_is_over_here() -> None:
    async with Gateways() as bench:
        await bench.session()

        async def refuse(message: Message, _peer: object) -> Message:
            return Message(message.spec.answer, {"cause": CauseIe(Cause.CONTEXT_NOT_FOUND)})

        bench.sgw.core.node._handlers["delete-bearer-request"] = refuse  # type: ignore[index]
        assert await bench.host.manage("mme", "pgw", "DELETE", f"/sessions/{gateways.IMSI}") == {"ended": 1}
        assert bench.notes()[-1] == "the SGW did not end a session: cause 64 CONTEXT_NOT_FOUND"
        assert bench.pgw.census() == {"sessions": 0, "EPS bearers": 0}


async def test_an_sgw_that_restarts_has_lost_its_own_sessions_alone() -> None:
    async with Gateways() as bench:
        await bench.session()
        (session,) = bench.pgw.core.sessions.values()
        other = await bench.mme.create(imsi=scapy.IE_IMSI(IMSI=b"001010000000002"))
        assert other.accepted
        session.sgw = session.sgw._replace(ipv4="192.0.2.99")
        await bench.host.stop("sgw", kill=True)
        await bench.host.start("sgw")
        assert (await bench.mme.create(imsi=scapy.IE_IMSI(IMSI=b"001010000000003"))).accepted
        assert [each.imsi for each in bench.pgw.core.by_teid.values()] == [gateways.IMSI, "001010000000003"]


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
