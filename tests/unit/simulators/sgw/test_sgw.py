"""The SGW between a scripted MME and eNB, and the PGW: set-up, paging, handover, and what becomes of lost peers."""

from __future__ import annotations

import asyncio
from typing import Any

import gateways
import pytest
from gateways import ENB_TEID, SERVER, Gateways, f_teid, udp
from scapy.contrib import gtp_v2 as scapy
from scapy.packet import Raw

from simwarden.trace.events import Frame
from simwarden.trace.records import CauseForRecClosing, ChargingRecord
from simwarden.wire import gtpu, gtpv2
from simwarden.wire.gtpv2 import Cause, CauseIe, InterfaceType, Message

NONE = {"sessions": 0, "EPS bearers": 0, "bearers": 0, "tunnels": 0}


def teid(made: Message) -> int:
    found: int = made["sender_f_teid"].teid
    return found


async def test_a_session_is_set_up_used_and_ended() -> None:
    async with Gateways() as bench:
        made = await bench.mme.create()
        assert made.teid == gateways.MME_TEID
        (shown,) = bench.observed("session", element="sgw")
        assert (shown["imsi"], shown["mme"], shown["pgw"], shown["state"]) == (gateways.IMSI, "mme", "pgw", "idle")
        assert made["sender_f_teid"].interface is InterfaceType.S11_S4_SGW_GTP_C
        assert made["sender_f_teid"].address == bench.host.address_of("sgw", "S11")[0]
        (bearer,) = made["bearer_contexts_created"]
        assert bearer["s1_u_sgw"].interface is InterfaceType.S1_U_SGW_GTP_U
        modified = await bench.mme.modify(teid(made))
        assert [each["ebi"] for each in modified["bearer_contexts_modified"]] == [5]
        assert (await bench.mme.delete(teid(made))).accepted
        assert bench.observed("session", element="sgw")[-1] is None
        assert (bench.sgw.census(), bench.pgw.census()) == (NONE, {"sessions": 0, "EPS bearers": 0})
        for again in (bench.mme.delete(teid(made)), bench.mme.modify(teid(made)), bench.mme.release(teid(made))):
            assert (await again).cause == Cause.CONTEXT_NOT_FOUND


async def test_a_faulty_request_of_no_session_is_answered_to_nobodys_teid() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        for asked, named in ((teid(made), gateways.MME_TEID), (0xDEAD, 0)):
            answer = await bench.mme.ask("delete_session_req", Raw(bytes.fromhex("49000a00")), asked)
            assert (answer.teid, answer.cause) == (named, Cause.INVALID_LENGTH)


async def test_two_connections_of_a_card_share_s11() -> None:
    async with Gateways() as bench:
        first = await bench.session()
        qos = scapy.IE_Bearer_QoS(PCI=1, PriorityLevel=8, PVI=0, QCI=8)
        bearer = scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=6), qos])
        second = await bench.mme.create(apn=scapy.IE_APN(APN=b"cars"), bearer=bearer)
        assert teid(first) == teid(second)
        assert (await bench.mme.delete(teid(first), 5)).accepted
        assert bench.sgw.census() == {"sessions": 1, "EPS bearers": 1, "bearers": 0, "tunnels": 2}
        partly = await bench.mme.modify(teid(first), 5)
        assert partly.cause == Cause.CONTEXT_NOT_FOUND
        assert (await bench.mme.delete(teid(first), 6)).accepted
        assert bench.sgw.census() == NONE


async def test_without_its_order_the_pgw_is_not_told() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        assert (await bench.mme.delete(teid(made), SI=1)).accepted
        assert bench.sgw.census() == NONE
        assert bench.pgw.census()["sessions"] == 1


@pytest.mark.parametrize(
    ("sgw", "changed", "cause"),
    [
        ({"mmes": ["mme2"]}, {}, Cause.INVALID_PEER),
        ({"pgws": ["pgw2"]}, {}, Cause.INVALID_PEER),
        ({}, {"pgw": f_teid(7, 0, "127.1.77.1", 1)}, Cause.INVALID_PEER),
        ({}, {"pgw": None}, Cause.CONDITIONAL_IE_MISSING),
        ({}, {"apn": None}, Cause.MANDATORY_IE_MISSING),
    ],
)
async def test_what_is_refused(sgw: dict[str, Any], changed: dict[str, Any], cause: Cause) -> None:
    async with Gateways(sgw=sgw) as bench:
        refused = await bench.mme.create(**changed)
        assert (refused.cause, refused.teid) == (cause, gateways.MME_TEID)
        assert all("None" not in each.reason for each in bench.decisions("sgw.pgw"))
        assert (bench.sgw.census(), bench.pgw.census()) == (NONE, {"sessions": 0, "EPS bearers": 0})


async def test_a_pgw_that_is_silent_is_told_as_such() -> None:
    async with Gateways() as bench:
        await bench.host.stop("pgw", kill=True)
        began = bench.host.clock.now()
        refused = await bench.mme.create(pgw=f_teid(7, 0, "127.1.4.1", 1))
        assert refused.cause == Cause.REMOTE_PEER_NOT_RESPONDING
        assert bench.host.clock.now() - began == 9  # T3 three times
        assert bench.sgw.census() == NONE


async def test_a_request_for_a_wrong_element_is_answered_to_the_mmes_tunnel() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        wrong = await bench.mme.ask("delete_session_req", scapy.GTPV2DeleteSessionRequest(IE_list=[]), teid(made))
        assert (wrong.cause, wrong.teid) == (Cause.CONDITIONAL_IE_MISSING, gateways.MME_TEID)
        assert wrong["cause"].offending == (73, 0)


async def test_of_two_requests_for_one_bearer_the_later_stands() -> None:
    async with Gateways() as bench:
        first, second = await asyncio.gather(bench.mme.create(), bench.mme.create())
        assert (first.cause, second.cause) == (Cause.REQUEST_REJECTED, Cause.REQUEST_ACCEPTED)
        assert bench.sgw.census() == {"sessions": 1, "EPS bearers": 1, "bearers": 0, "tunnels": 2}
        assert bench.pgw.census() == {"sessions": 1, "EPS bearers": 1}
        asked = [gtpv2.decode(each.data).name for each in bench.of(Frame) if each.interface == "S5-C"]
        assert "delete-session-request" not in asked
        assert (await bench.mme.delete(teid(second))).accepted
        assert (bench.sgw.census(), bench.pgw.census()) == (NONE, {"sessions": 0, "EPS bearers": 0})


async def test_a_session_that_the_pgw_does_not_know_is_told_as_such() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        for session in list(bench.pgw.core.by_teid.values()):
            bench.pgw.core.close(session, CauseForRecClosing.ABNORMAL_RELEASE)
        place = Raw(bytes.fromhex("5600" + "0600" + "08" + "00f1100009"))
        lost = await bench.mme.modify(teid(made), more=[place])
        assert (lost.cause, lost["cause"].remote) == (Cause.CONTEXT_NOT_FOUND, True)
        assert bench.sgw.census() == NONE


# -- paging


async def idle(bench: Gateways, **changed: Any) -> Message:
    made = await bench.session(**changed)
    assert (await bench.mme.release(teid(made))).accepted
    return made


async def test_packets_wait_for_a_device_that_is_paged() -> None:
    async with Gateways() as bench:
        made = await idle(bench)
        packets = [udp(SERVER, made["paa"].ipv4, port=port) for port in (1, 2, 3)]
        for each in packets:
            bench.net.send(each)
            await bench.settle()
        assert [(each.name, each["ebi"]) for each in bench.mme.asked] == [("downlink-data-notification", 5)]
        assert bench.enb.received() == []
        assert [each["state"] for each in bench.observed("session", element="sgw")][-2:] == ["connected", "idle"]
        await bench.mme.modify(teid(made))
        await bench.settle()
        assert bench.enb.received() == [(ENB_TEID, each) for each in packets]
        await bench.host.clock.sleep(60)
        assert bench.dropped() == []


async def test_a_device_is_paged_anew_for_what_comes_later() -> None:
    async with Gateways() as bench:
        made = await idle(bench)
        packet = udp(SERVER, made["paa"].ipv4)
        bench.net.send(packet)
        await bench.sleep(5)
        assert (await bench.mme.modify(teid(made))).accepted
        assert (await bench.mme.release(teid(made))).accepted
        await bench.sleep(15)
        bench.enb.received()
        bench.net.send(packet)
        await bench.sleep(20)  # 30 s after the first paging, not after the second
        assert [each.name for each in bench.mme.asked] == ["downlink-data-notification"] * 2
        assert (await bench.mme.modify(teid(made))).accepted
        await bench.settle()
        assert bench.enb.received() == [(ENB_TEID, packet)]


@pytest.mark.parametrize("end", ["modify", "delete"])
async def test_paging_ends_when_the_device_is_reached_or_gone(end: str) -> None:
    async with Gateways() as bench:
        made = await idle(bench)
        bench.net.send(udp(SERVER, made["paa"].ipv4))
        await bench.settle()
        assert bench.host.under_way("sgw") == ["downlink-data-notification"]
        assert (await getattr(bench.mme, end)(teid(made))).accepted
        await bench.settle()
        assert bench.host.under_way("sgw") == []


async def test_what_waits_for_a_device_is_dropped_as_its_session_ends() -> None:
    async with Gateways(pgw={"apns": {"*": {"report_location": True}}}) as bench:
        made = await idle(bench, indication=scapy.IE_Indication(length=2, CRSI=1))
        bench.net.send(udp(SERVER, made["paa"].ipv4))
        bench.enb.send(made, udp(made["paa"].ipv4))
        await bench.settle()
        assert bench.dropped() == []
        assert (await bench.mme.delete(teid(made))).accepted
        assert bench.dropped() == ["the device was not reached", "the MME has not said where the device is"]


async def test_a_further_connection_tells_where_the_mme_is() -> None:
    async with Gateways() as bench:
        made = await idle(bench)
        qos = scapy.IE_Bearer_QoS(PCI=1, PriorityLevel=8, PVI=0, QCI=8)
        bearer = scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=6), qos])
        other = f_teid(10, 0x22, bench.mme.address)
        await bench.mme.create(apn=scapy.IE_APN(APN=b"cars"), bearer=bearer, sender=other)
        bench.net.send(udp(SERVER, made["paa"].ipv4))
        await bench.settle()
        assert [(each.name, each.teid) for each in bench.mme.asked] == [("downlink-data-notification", 0x22)]


async def test_what_an_idle_device_sends_waits_for_its_place_where_that_counts() -> None:
    apns = {"*": {"report_location": True}}
    crsi = scapy.IE_Indication(length=2, CRSI=1)
    async with Gateways(pgw={"apns": apns}, sgw={"buffered_packets": 2}) as bench:
        made = await idle(bench, indication=crsi)
        first, second, third = (udp(made["paa"].ipv4, payload=bytes([n])) for n in range(3))
        bench.enb.send(made, first, second, third)
        await bench.settle()
        assert bench.net.received() == []
        assert bench.dropped() == ["too many packets wait for the device"]
        assert (await bench.mme.modify(made["sender_f_teid"].teid)).accepted
        await bench.settle()
        assert bench.net.received() == [first, second]
        bench.enb.send(made, third)
        await bench.settle()
        assert bench.net.received() == [third]
        assert (await bench.mme.release(made["sender_f_teid"].teid)).accepted
        bench.enb.send(made, first)
        await bench.settle()
        assert (await bench.mme.release(made["sender_f_teid"].teid)).accepted
        assert bench.dropped()[1:] == ["the MME has not said where the device is"]
        await bench.mme.delete(made["sender_f_teid"].teid)


async def test_what_an_idle_device_sends_goes_on_where_nobody_asks_for_its_place() -> None:
    async with Gateways() as bench:
        made = await idle(bench)
        bench.enb.send(made, packet := udp(made["paa"].ipv4))
        await bench.settle()
        assert bench.net.received() == [packet]


async def test_what_does_not_fit_is_dropped() -> None:
    async with Gateways(sgw={"buffered_packets": 2}) as bench:
        made = await idle(bench)
        bench.net.send(*[udp(SERVER, made["paa"].ipv4, port=port) for port in range(5)])
        await bench.settle()
        assert bench.dropped() == ["too many packets wait for the device"] * 3


@pytest.mark.parametrize("how", ["refused", "failed", "silent", "late"])
async def test_packets_for_a_device_that_is_not_reached_are_dropped_and_the_next_pages_anew(how: str) -> None:
    async with Gateways() as bench:
        made = await idle(bench)
        if how == "refused":
            bench.mme.answers["downlink-data-notification"] = {"cause": CauseIe(Cause.UNABLE_TO_PAGE_UE)}
        bench.mme.silent = how == "silent"
        packet = udp(SERVER, made["paa"].ipv4)
        bench.net.send(packet)
        await bench.settle()
        if how == "failed":
            failed = scapy.GTPV2DownlinkDataNotifFailureIndication(IE_list=[scapy.IE_Cause(Cause=87)])
            head = scapy.GTPHeader(P=0, T=1, teid=teid(made), seq=5, gtp_type=70)
            bench.mme.endpoint.send(bytes(head / failed), bench.host.address_of("sgw", "S11"))
            await bench.settle()
        else:
            await bench.host.clock.sleep({"refused": 0, "silent": 9, "late": 30}[how])
            await bench.settle()
        assert bench.dropped() == ["the device was not reached"]
        if how != "silent":  # after which its sessions go as well
            before = len(bench.mme.asked)
            bench.net.send(packet)
            await bench.settle()
            assert len(bench.mme.asked) == before + 1


# -- handover


async def test_the_old_enb_is_told_when_packets_go_to_the_new_one() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        assert bench.enb.heard == []
        await bench.mme.modify(teid(made), enb=0xE2)
        await bench.settle()
        marker = gtpu.decode(bench.enb.heard[0])
        assert (marker.type, marker.teid) == (gtpu.MessageType.END_MARKER, ENB_TEID)
        await bench.mme.modify(teid(made), enb=0xE2)
        await bench.settle()
        assert len(bench.enb.heard) == 1  # it is there already
        bench.net.send(udp(SERVER, made["paa"].ipv4))
        await bench.settle()
        assert [each for each, _ in bench.enb.received()] == [0xE2]


@pytest.mark.parametrize("ended", [False, True])
async def test_packets_are_forwarded_during_a_handover(*, ended: bool) -> None:
    async with Gateways() as bench:
        made = await bench.session()
        wanted = [
            scapy.IE_EPSBearerID(EBI=5),
            f_teid(19, 0xD1, bench.enb.address),
            f_teid(20, 0xD2, bench.enb.address, 4),
        ]
        request = scapy.GTPV2CreateIndirectDataForwardingTunnelRequest(IE_list=[scapy.IE_BearerContext(IE_list=wanted)])
        answer = await bench.mme.ask("create_indirect_data_forwarding_tunnel_req", request, teid(made))
        (bearer,) = answer["bearer_contexts"]
        for name, target in (("s1_u_sgw_for_dl", 0xD1), ("s1_u_sgw_for_ul", 0xD2)):
            end = bearer[name]
            bench.enb.endpoint.send_packets([gtpu.g_pdu(end.teid, b"E" * 20)], (end.address, 2152))
            await bench.settle()
            assert bench.enb.received() == [(target, b"E" * 20)]
        assert bench.sgw.census()["tunnels"] == 4
        if ended:
            assert (await bench.mme.delete(teid(made))).accepted
            assert bench.sgw.census() == NONE
            return
        delete = scapy.GTPV2DeleteIndirectDataForwardingTunnelRequest(IE_list=[])
        assert (await bench.mme.ask("delete_indirect_data_forwarding_tunnel_req", delete, teid(made))).accepted
        assert bench.sgw.census()["tunnels"] == 2


# -- lost peers


async def test_an_enb_without_the_tunnel_makes_the_device_idle() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        told = gtpu.error_indication(ENB_TEID, bench.enb.address)
        bench.enb.endpoint.send(told, bench.host.address_of("sgw", "S1-U"))
        await bench.settle()
        bench.net.send(udp(SERVER, made["paa"].ipv4))
        await bench.settle()
        assert [each.name for each in bench.mme.asked] == ["downlink-data-notification"]


async def test_a_restarted_pgw_has_no_sessions_and_the_mme_is_told() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        await bench.host.stop("pgw", kill=True)
        await bench.host.start("pgw")
        bench.enb.send(made, udp(made["paa"].ipv4))  # finds no tunnel
        await bench.settle()
        assert [(each.name, each.cause) for each in bench.mme.asked] == [
            ("delete-bearer-request", Cause.REACTIVATION_REQUESTED)
        ]
        assert bench.sgw.census() == NONE


async def test_a_restart_is_seen_by_its_counter() -> None:
    async with Gateways() as bench:
        await bench.session()
        await bench.host.stop("pgw", kill=True)
        await bench.host.start("pgw")
        other = await bench.mme.create(imsi=scapy.IE_IMSI(IMSI=b"001010000000002"))
        assert other.accepted
        await bench.settle()
        assert "pgw has restarted" in bench.notes()
        assert [each.name for each in bench.mme.asked] == ["delete-bearer-request"]


async def test_a_restarted_sgw_has_no_sessions_and_the_pgw_ends_them() -> None:
    async with Gateways() as bench:
        await bench.session()
        await bench.host.stop("sgw", kill=True)
        await bench.host.start("sgw")
        assert (await bench.mme.create(imsi=scapy.IE_IMSI(IMSI=b"001010000000002"))).accepted
        assert [each.imsi for each in bench.pgw.core.sessions.values()] == ["001010000000002"]
        (record,) = [each for each in bench.trace.events if isinstance(each, ChargingRecord)]
        assert record.fields["causeForRecClosing"] is CauseForRecClosing.ABNORMAL_RELEASE


@pytest.mark.parametrize("kill", [False, True])
async def test_an_sgw_that_stops_says_no_more(*, kill: bool) -> None:
    async with Gateways() as bench:
        made = await idle(bench)
        bench.mme.silent = True
        bench.net.send(udp(SERVER, made["paa"].ipv4))
        await bench.settle()
        await bench.host.stop("sgw", kill=kill)  # which pages
        said = len([each for each in bench.of(Frame) if each.source == "sgw"])
        await bench.sleep(60)
        assert len([each for each in bench.of(Frame) if each.source == "sgw"]) == said


async def test_a_restarted_mme_has_no_sessions_and_they_end_everywhere() -> None:
    async with Gateways() as bench:
        await bench.session(recovery=scapy.IE_RecoveryRestart(restart_counter=3))
        echo = scapy.GTPHeader(P=0, T=0, seq=1, gtp_type=1) / scapy.GTPV2EchoRequest(
            IE_list=[scapy.IE_RecoveryRestart(restart_counter=4)]
        )
        bench.mme.endpoint.send(bytes(echo), bench.host.address_of("sgw", "S11"))
        await bench.settle()
        assert (bench.sgw.census(), bench.pgw.census()) == (NONE, {"sessions": 0, "EPS bearers": 0})


async def test_an_mme_that_is_not_there_any_more_loses_its_sessions() -> None:
    async with Gateways(keep_alives=True) as bench:
        await bench.session()
        bench.mme.silent = True
        await bench.host.clock.sleep(100)
        assert "the path to mme has failed" in bench.notes()
        assert (bench.sgw.census(), bench.pgw.census()) == (NONE, {"sessions": 0, "EPS bearers": 0})


async def test_a_repeated_request_is_carried_out_once() -> None:
    async with Gateways() as bench:
        await bench.session()
        frames = [f for f in bench.of(Frame) if f.interface == "S11" and f.source == "mme"]
        bench.mme.endpoint.send(frames[0].data, bench.host.address_of("sgw", "S11"))
        await bench.settle()
        assert "create-session-request of mme is a duplicate, its answer is repeated" in bench.notes()
        again = gtpv2.decode(bench.mme.heard[-1])
        assert again.name == "create-session-response"
        assert bench.pgw.core._charging_id == 1
