"""MMEs and PGWs that say what fits GTP, but not the sessions that there are; octets as other cores compose them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from gateways import ENB_TEID, IMSI, MME_TEID, Gateways, udp
from scapy.contrib import gtp_v2 as scapy
from scapy.packet import Raw

from simwarden.trace.events import Frame, StateChange
from simwarden.trace.records import ChargingRecord
from simwarden.wire import gtpu, gtpv2
from simwarden.wire.gtpv2 import Cause

from .test_foreign import QOS, end, ie, message
from .test_foreign_pgw import CAUSE, TFT, Bench, Smf, wanted

CELLS = ("1800f110000100f11000000101", "1800f110000100f11000000201")
#: where a device is
HERE, THERE = (ie(86, bytes.fromhex(cell)) for cell in CELLS)
OWN = ie(1, bytes.fromhex("00010100000000f1"))
EUTRAN, UTRAN = ie(82, b"\x06"), ie(82, b"\x01")
#: types of requests, as the tables of TS 29.274 have them
MODIFY, DELETE, CHANGE, CREATE_BEARER, UPDATE_BEARER, DELETE_BEARER, FORWARD = 34, 36, 38, 95, 97, 99, 166


def teid_of(bench: Gateways) -> int:
    (teid,) = bench.sgw.core.by_teid
    return teid


async def said(bench: Gateways, kind: int, *elements: bytes) -> gtpv2.Message:
    """Let the MME ask by octets, about the one device."""
    return await bench.mme.ask(kind, Raw(b"".join(elements)), teid_of(bench))


def second(pgw: str) -> dict[str, Any]:
    """A further PDN connection, with bearer 6."""
    qos = scapy.IE_Bearer_QoS(PCI=1, PriorityLevel=8, PVI=0, QCI=8)
    return {
        "bearer": scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=6), qos]),
        "apn": scapy.IE_APN(APN=b"service"),
        "pgw": scapy.IE_FTEID(ipv4_present=1, InterfaceType=7, GRE_Key=0, ipv4=pgw, instance=1),
    }


def heard(smf: Smf, name: str) -> list[gtpv2.Message]:
    found = [gtpv2.decode(each) for each in smf.heard]
    return [each for each in found if each.name == name]


def to_nobody(bench: Bench) -> list[gtpv2.Message]:
    """What the SGW has asked without the TEID of a session."""
    frames = [gtpv2.decode(each.data) for each in bench.of(Frame) if each.interface == "S5-C" and each.source == "sgw"]
    return [each for each in frames if not each.teid]


def bearers_set_up(bench: Bench, **changed: bytes) -> None:
    """Let the MME set up what it is asked for, from bearer 6 on; `changed` are elements of the first one's answer."""

    def told(asked: gtpv2.Message) -> dict[str, Any]:
        contexts = []
        for number, each in enumerate(asked["bearer_contexts"]):
            ends = {"enb": end(0, 0xE2 + number, bench.enb.address), "cause": CAUSE}
            sgw = each["s1_u_sgw"]
            parts = {"ebi": ie(73, bytes((6 + number,))), **ends, "sgw": end(1, sgw.teid, sgw.ipv4, 1)}
            parts |= changed if not number else {}
            contexts.append(ie(93, b"".join(parts.values())))
        return gtpv2.decode(message(96, teid_of(bench), 1, CAUSE + b"".join(contexts))).ies

    bench.mme.answers["create-bearer-request"] = told


async def with_bearer_6(bench: Bench) -> None:
    """Set a session up, and a dedicated bearer."""
    await bench.session()
    bearers_set_up(bench)
    bench.smf.order(CREATE_BEARER, wanted(bench.smf), 0x100)
    await bench.settle()


# -- what a PGW says


@pytest.mark.parametrize("lacks", ["control", "user"])
async def test_an_answer_without_an_end_of_the_tunnels_is_none(lacks: str) -> None:
    async with Bench() as bench:
        smf = bench.smf

        def receive(data: bytes, source: Any) -> None:
            request = gtpv2.decode(data)
            if request.name != "create-session-request":
                return
            user = end(5, 0x72, smf.address, 2) if lacks != "user" else b""
            control = end(7, 0x71, smf.address, 1) if lacks != "control" else b""
            paa = ie(79, b"\x01" + bytes((198, 51, 100, 9)))
            content = CAUSE + control + paa + ie(127, b"\x00") + ie(93, ie(73, b"\x05") + CAUSE + user)
            smf.endpoint.send(message(33, request["sender_f_teid"].teid, request.sequence, content), source)

        smf.endpoint.on_receive = receive
        made = await bench.mme.create(pgw=second(smf.address)["pgw"])
        assert (made.cause, made.teid) == (Cause.INVALID_REPLY_FROM_REMOTE_PEER, MME_TEID)
        assert bench.sgw.census() == {"sessions": 0, "EPS bearers": 0, "bearers": 0, "tunnels": 0}
        assert bench.of(ChargingRecord) == []


@pytest.mark.parametrize(
    ("bearer", "further", "addressed"),
    [
        (ie(93, ie(73, b"\x05") + CAUSE), b"", True),  # without the PGW's end of S5-U
        (b"", b"", True),  # without the bearer
        (ie(93, ie(73, b"")), b"", True),  # which cannot be read
        (ie(93, ie(73, b"\x05") + CAUSE), b"\x57", False),  # nor can the message
    ],
    ids=["no S5-U end", "no bearer", "wrong bearer", "wrong length"],
)
async def test_a_session_whose_response_is_rejected_is_deleted_at_the_pgw(
    bearer: bytes,
    further: bytes,
    addressed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    async with Bench() as bench:
        smf, before = bench.smf, bench.smf.receive

        def receive(data: bytes, source: Any) -> None:
            request = gtpv2.decode(data)
            if request.name != "create-session-request":
                before(data, source)
                return
            paa = ie(79, b"\x01" + bytes((198, 51, 100, 9)))
            content = CAUSE + end(7, 0x71, smf.address, 1) + paa + ie(127, b"\x00") + bearer
            octets = message(33, request["sender_f_teid"].teid, request.sequence, content) + further
            smf.endpoint.send(octets, source)

        smf.endpoint.on_receive = receive
        made = await bench.mme.create(pgw=second(smf.address)["pgw"])
        assert not made.accepted
        await bench.settle()
        deleted = [(each.teid, each["linked_ebi"]) for each in heard(smf, "delete-session-request")]
        assert deleted == ([(0x71, 5)] if addressed else [])
        assert bench.sgw.census() == {"sessions": 0, "EPS bearers": 0, "bearers": 0, "tunnels": 0}


def context(smf: Smf, *, user: bool = True) -> bytes:
    ends = end(5, 0x73, smf.address, 1) if user else b""
    return ie(93, ie(73, b"\x00") + ends + ie(80, QOS) + ie(84, TFT))


@pytest.mark.parametrize("wrong", ["of another connection", "without the PGW's end", "one without the PGW's end"])
async def test_a_bearer_that_cannot_be_opened_is_not_asked_for(wrong: str) -> None:
    async with Bench() as bench:
        await bench.session()
        linked = ie(73, b"\x06" if wrong == "of another connection" else b"\x05")
        contexts = context(bench.smf, user=wrong != "without the PGW's end")
        contexts += context(bench.smf, user=False) if wrong == "one without the PGW's end" else b""
        bench.smf.order(CREATE_BEARER, linked + contexts, 0x100)
        await bench.settle()
        told = bench.smf.answer()
        assert (told.cause, told.teid) == (Cause.MANDATORY_IE_INCORRECT, 0x71)
        assert bench.mme.asked == []
        assert bench.sgw.census()["tunnels"] == 2


async def test_a_faulty_order_is_answered_to_the_pgws_tunnel() -> None:
    async with Bench() as bench:
        await bench.session()
        bench.smf.order(UPDATE_BEARER, b"", 0x100)
        await bench.settle()
        assert (bench.smf.answer().cause, bench.smf.answer().teid) == (Cause.MANDATORY_IE_MISSING, 0x71)


async def test_an_end_that_names_no_bearer_ends_none() -> None:
    async with Bench() as bench:
        await bench.session()
        bench.smf.order(DELETE_BEARER, b"", 0x100)
        await bench.settle()
        told = bench.smf.answer()
        assert (told.cause, told.teid) == (Cause.CONDITIONAL_IE_MISSING, 0x71)
        assert bench.sgw.census()["sessions"] == 1


async def test_of_an_end_of_two_bearers_the_unknown_one_is_told_as_such() -> None:
    async with Bench() as bench:
        await with_bearer_6(bench)
        bench.smf.order(DELETE_BEARER, ie(73, b"\x06", 1) + ie(73, b"\x09", 1), 0x101)
        await bench.settle()
        told = bench.smf.answer()["bearer_contexts"]
        assert [(each["ebi"], each["cause"].value) for each in told] == [
            (6, Cause.REQUEST_ACCEPTED),
            (9, Cause.CONTEXT_NOT_FOUND),
        ]


async def test_where_the_pgws_end_is_is_told_by_its_address_if_nobody_here_has_it() -> None:
    async with Bench() as bench:
        smf = bench.smf
        receive = smf.endpoint.on_receive

        def elsewhere(data: bytes, source: Any) -> None:
            request = gtpv2.decode(data)
            if request.name != "create-session-request":
                receive(data, source)
                return
            bearer = ie(93, ie(73, b"\x05") + CAUSE + end(5, 0x72, smf.address, 2))
            paa = ie(79, b"\x01" + bytes((198, 51, 100, 9)))
            content = CAUSE + end(7, 0x71, "192.0.2.99", 1) + paa + ie(127, b"\x00") + bearer
            smf.endpoint.send(message(33, request["sender_f_teid"].teid, request.sequence, content), source)

        smf.endpoint.on_receive = elsewhere
        await bench.session()
        shown = [each.value for each in bench.of(StateChange) if each.element == "sgw" and each.value]
        assert shown[-1]["pgw"] == "192.0.2.99"


async def test_a_quality_that_the_pgw_changes_is_the_connections() -> None:
    async with Bench() as bench:
        bench.smf.bearer = ie(80, bytes.fromhex("0506") + bytes(20))  # priority level 1, QCI 6
        (bearer,) = (await bench.session())["bearer_contexts_created"]
        assert bearer["bearer_qos"].qci == 6


async def test_reports_of_places_that_the_pgw_orders_by_an_answer() -> None:
    async with Bench() as bench:
        made = await bench.session()
        bench.smf.more = ie(131, b"\x06")  # of tracking area and cell
        told = await said(bench, MODIFY, THERE)
        assert told["change_reporting_action"] is gtpv2.ChangeReportingAction.START_REPORTING_TAI_AND_ECGI
        assert (await bench.mme.release(made["sender_f_teid"].teid)).accepted
        bench.enb.send(made, packet := udp(made["paa"].ipv4))
        await bench.settle()
        assert bench.smf.packets == []  # until its place is known
        assert (await bench.mme.modify(made["sender_f_teid"].teid)).accepted
        await bench.settle()
        assert [gtpu.unwrap(each)[1] for each in bench.smf.packets] == [packet]


async def test_a_bearer_that_is_lost_in_a_handover_is_told_again_after_it() -> None:
    async with Bench() as bench:
        await with_bearer_6(bench)
        handover = {"cause": gtpv2.CauseIe(Cause.TEMPORARILY_REJECTED_DUE_TO_HANDOVER_IN_PROGRESS)}
        bench.mme.answers["delete-bearer-request"] = handover
        bench.mme.asked.clear()
        bench.smf.user.send(gtpu.error_indication(0x73, bench.smf.address), bench.host.address_of("sgw", "S5-U"))
        await bench.sleep(2)
        assert [each.name for each in bench.mme.asked] == ["delete-bearer-request"]
        assert bench.sgw.census()["EPS bearers"] == 2
        del bench.mme.answers["delete-bearer-request"]
        await bench.sleep(2)
        assert [each.name for each in bench.mme.asked] == ["delete-bearer-request"] * 2
        assert bench.sgw.census()["EPS bearers"] == 1


# -- what an MME answers


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"enb": b""}, Cause.INVALID_REPLY_FROM_REMOTE_PEER),
        ({"sgw": b""}, Cause.INVALID_REPLY_FROM_REMOTE_PEER),
        ({"cause": ie(2, bytes((Cause.NO_RESOURCES_AVAILABLE, 0)))}, Cause.NO_RESOURCES_AVAILABLE),
    ],
    ids=["without the eNB's end", "about no bearer that was asked for", "refused"],
)
async def test_of_two_bearers_that_are_set_up_one_does_not_stand(changed: dict[str, bytes], cause: Cause) -> None:
    async with Bench() as bench:
        await bench.session()
        bearers_set_up(bench, **changed)
        order = ie(73, b"\x05") + context(bench.smf) + context(bench.smf)
        bench.smf.order(CREATE_BEARER, order, 0x100)
        await bench.settle()
        told = bench.smf.answer()["bearer_contexts"]
        assert [(each["ebi"], each["cause"].value) for each in told] == [(0, cause), (7, Cause.REQUEST_ACCEPTED)]
        assert bench.sgw.census() == {"sessions": 1, "EPS bearers": 2, "bearers": 2, "tunnels": 4}


async def test_qualities_are_those_that_the_mme_has_changed() -> None:
    async with Bench() as bench:
        await bench.session()
        bearers_set_up(bench)
        bench.smf.order(CREATE_BEARER, ie(73, b"\x05") + context(bench.smf) + context(bench.smf), 0x100)
        await bench.settle()
        refused = ie(2, bytes((Cause.NO_RESOURCES_AVAILABLE, 0)))
        parts = {6: refused, 7: CAUSE, 9: CAUSE}
        answers = b"".join(ie(93, ie(73, bytes((ebi,))) + cause) for ebi, cause in parts.items())
        partly = ie(2, bytes((Cause.REQUEST_ACCEPTED_PARTIALLY, 0)))
        bench.mme.answers["update-bearer-request"] = gtpv2.decode(message(98, 1, 1, partly + answers)).ies
        other = bytes.fromhex("0506") + bytes(20)  # priority level 1, QCI 6
        changed = b"".join(ie(93, ie(73, bytes((ebi,))) + ie(80, other)) for ebi in (6, 7, 9))
        bench.smf.order(UPDATE_BEARER, changed + ie(72, (500).to_bytes(4) + (600).to_bytes(4)), 0x101)
        await bench.settle()
        assert bench.smf.answer().cause == Cause.REQUEST_ACCEPTED_PARTIALLY
        (device,) = bench.sgw.core.devices.values()
        assert {ebi: bearer.qos.qci for ebi, bearer in device.bearers.items()} == {5: 9, 6: 9, 7: 6}


AMBR = ie(72, (500).to_bytes(4) + (600).to_bytes(4))


async def test_an_order_to_report_places_holds_here_and_its_answer_tells_one() -> None:
    async with Bench() as bench:
        made = await bench.session()
        accepted = CAUSE + ie(93, ie(73, b"\x05") + CAUSE) + THERE
        bench.mme.answers["update-bearer-request"] = gtpv2.decode(message(98, 1, 1, accepted)).ies
        bench.smf.order(UPDATE_BEARER, ie(93, ie(73, b"\x05")) + AMBR + ie(131, b"\x06"), 0x101)
        await bench.settle()
        told = bench.smf.answer()
        assert (told.cause, str(told["user_location_information"].ecgi)) == (Cause.REQUEST_ACCEPTED, "001-01-0000201")
        assert (await bench.mme.release(teid_of(bench))).accepted
        bench.enb.send(made, udp(made["paa"].ipv4))
        await bench.settle()
        assert bench.smf.packets == []
        assert (await said(bench, DELETE, ie(73, b"\x05"))).accepted
        (record,) = bench.of(ChargingRecord)
        places = [each.get("userLocationInformation") for each in record.fields["listOfTrafficVolumes"]]
        assert places == [None, "001-01-0001 001-01-0000201"]


async def test_an_order_that_the_mme_refuses_or_does_not_answer() -> None:
    async with Bench() as bench:
        await bench.session()
        order = ie(93, ie(73, b"\x05")) + AMBR
        bench.mme.answers["update-bearer-request"] = {"cause": gtpv2.CauseIe(Cause.UE_REFUSES)}
        bench.smf.order(UPDATE_BEARER, order, 0x101)
        await bench.settle()
        assert bench.smf.answer()["cause"] == gtpv2.CauseIe(Cause.UE_REFUSES, remote=True)
        bench.mme.silent = True
        bench.smf.order(UPDATE_BEARER, order, 0x102)
        await bench.sleep(9)
        assert bench.smf.answer()["cause"] == gtpv2.CauseIe(Cause.REMOTE_PEER_NOT_RESPONDING)


@pytest.mark.parametrize(("said", "heard_"), [(b"", Cause.REACTIVATION_REQUESTED), (ie(2, b"\x01\x00"), 1)])
async def test_an_end_of_a_connection_goes_to_the_mme_and_the_place_comes_back(said: bytes, heard_: int) -> None:
    async with Bench() as bench:
        await bench.session()
        zone = ie(114, b"\x40\x00")
        bench.mme.answers["delete-bearer-request"] = gtpv2.decode(message(100, 1, 1, CAUSE + THERE + zone)).ies
        bench.smf.order(DELETE_BEARER, ie(73, b"\x05") + said, 0x101)
        await bench.settle()
        asked = bench.mme.asked[-1]
        assert (asked["linked_ebi"], asked["cause"].value) == (5, heard_)
        told = bench.smf.answer()
        assert (told.teid, told.cause, told["linked_ebi"]) == (0x71, Cause.REQUEST_ACCEPTED, 5)
        assert str(told["user_location_information"].ecgi) == "001-01-0000201"
        assert "ue_time_zone" in told.ies
        (record,) = bench.of(ChargingRecord)
        assert record.fields["causeForRecClosing"].name == "NORMAL_RELEASE"


# -- what an MME asks


async def test_a_place_is_told_to_the_pgw_of_the_connections_that_a_request_is_about() -> None:
    async with Bench() as bench:
        await bench.session()
        assert (await bench.mme.create(**second(bench.smf.address))).accepted
        enb = ie(93, ie(73, b"\x06") + end(0, ENB_TEID + 1, bench.enb.address))
        for elements, times in (((enb, THERE), 1), ((HERE,), 2), ((enb,), 0)):
            bench.smf.heard.clear()
            assert (await said(bench, MODIFY, *elements)).accepted
            assert len(heard(bench.smf, "modify-bearer-request")) == times


async def test_of_bearers_to_be_modified_the_unknown_one_is_told_as_such() -> None:
    async with Bench() as bench:
        await bench.session()
        told = await said(bench, MODIFY, *(ie(93, ie(73, bytes((ebi,)))) for ebi in (5, 9)))
        assert told.cause == Cause.REQUEST_ACCEPTED_PARTIALLY
        found = [(each["ebi"], each["cause"].value) for each in told["bearer_contexts_modified"]]
        assert found == [(5, Cause.REQUEST_ACCEPTED), (9, Cause.CONTEXT_NOT_FOUND)]
        assert (await said(bench, MODIFY, ie(93, ie(73, b"\x09")))).cause == Cause.CONTEXT_NOT_FOUND


async def test_a_bearer_is_counted_from_the_place_that_was_told_last() -> None:
    async with Bench() as bench:
        await bench.session()
        for elements in (THERE, EUTRAN):  # the second says nothing of a place
            assert (await said(bench, MODIFY, elements)).accepted
        bearers_set_up(bench)
        bench.smf.order(CREATE_BEARER, wanted(bench.smf), 0x100)
        await bench.settle()
        assert (await said(bench, DELETE, ie(73, b"\x05"))).accepted
        begun = [each.fields["listOfTrafficVolumes"][0] for each in bench.of(ChargingRecord)]
        places = [each.get("userLocationInformation") for each in begun]
        assert places == [None, "001-01-0001 001-01-0000201"]


async def test_a_place_is_counted_from_while_another_connection_is_being_set_up() -> None:
    async with Bench() as bench:
        await bench.session()
        bench.smf.endpoint.on_receive = lambda _data, _source: None
        creating = asyncio.ensure_future(bench.mme.create(**second(bench.smf.address)))
        await bench.settle()
        modifying = asyncio.ensure_future(said(bench, MODIFY, THERE))
        await bench.settle()
        assert "modify-bearer-request" not in [each.name for each in to_nobody(bench)]
        await bench.sleep(10)
        assert creating.result().cause == Cause.REMOTE_PEER_NOT_RESPONDING
        assert modifying.result().accepted
        (device,) = bench.sgw.core.devices.values()
        (account,) = device.accounts
        assert len(account.containers) == 2


async def test_what_an_enb_sends_before_the_pgw_has_answered_goes_nowhere() -> None:
    async with Bench() as bench:
        bench.smf.endpoint.on_receive = lambda _data, _source: None
        creating = asyncio.ensure_future(bench.mme.create(pgw=second(bench.smf.address)["pgw"]))
        await bench.settle()
        (connection,) = bench.sgw.core.connections()
        to = bench.sgw.core.plane.address, 2152
        bench.enb.endpoint.send_packets([gtpu.g_pdu(connection.s1_teid, udp("198.51.100.9"))], to)
        await bench.settle()
        assert bench.dropped() == ["its session is not set up yet"]
        assert bench.sgw.views()["S5-U tunnels"] == []
        await bench.sleep(10)
        assert creating.result().cause == Cause.REMOTE_PEER_NOT_RESPONDING


async def test_a_record_goes_on_where_nothing_of_it_has_changed() -> None:
    async with Bench() as bench:
        await bench.session()
        mme = end(10, MME_TEID, bench.mme.address)
        assert (await said(bench, MODIFY, EUTRAN, mme)).accepted
        assert bench.of(ChargingRecord) == []
        assert (await said(bench, MODIFY, UTRAN)).accepted
        assert [each.fields["causeForRecClosing"].name for each in bench.of(ChargingRecord)] == ["RAT_CHANGE"]


async def test_a_bearer_without_an_enb_keeps_that_which_it_has() -> None:
    async with Bench() as bench:
        made = await bench.session()
        told = await said(bench, MODIFY, ie(93, ie(73, b"\x05")))
        assert [each["cause"].value for each in told["bearer_contexts_modified"]] == [Cause.REQUEST_ACCEPTED]
        (connection,) = bench.sgw.core.connections()
        packet = udp("198.51.100.80", made["paa"].ipv4)
        to = bench.sgw.core.plane.address, 2152
        bench.smf.user.send_packets([gtpu.g_pdu(connection.s5_teid, packet)], to)
        await bench.settle()
        assert bench.enb.received() == [(ENB_TEID, packet)]


async def test_an_end_without_its_order_stays_here_and_is_answered_to_the_tunnel_that_it_names() -> None:
    async with Bench() as bench:
        await bench.session()
        told = await said(bench, DELETE, ie(73, b"\x05"), end(10, 0x4444, bench.mme.address))
        assert (told.cause, told.teid) == (Cause.REQUEST_ACCEPTED, 0x4444)
        assert heard(bench.smf, "delete-session-request") == []
        assert bench.sgw.census()["sessions"] == 0


async def test_an_end_tells_where_the_device_was_and_what_the_pgw_says_of_it() -> None:
    async with Bench() as bench:
        await bench.session()
        assert (await said(bench, MODIFY, HERE)).accepted
        bench.smf.more = ie(78, b"\x80\x00\x0d\x04\xc0\x00\x02\x35")
        told = await said(bench, DELETE, ie(73, b"\x05"), ie(77, b"\x08\x00"), THERE)
        assert told["pco"] == b"\x80\x00\x0d\x04\xc0\x00\x02\x35"
        (asked,) = heard(bench.smf, "delete-session-request")
        assert str(asked["user_location_information"].ecgi) == "001-01-0000201"
        (record,) = bench.of(ChargingRecord)
        places = [each["userLocationInformation"] for each in record.fields["listOfTrafficVolumes"][1:]]
        assert [place.split()[-1] for place in places] == ["001-01-0000101", "001-01-0000201"]


async def test_a_bearer_that_is_to_end_in_a_handover_stays_and_the_pgw_is_told() -> None:
    async with Bench() as bench:
        await with_bearer_6(bench)
        handover = gtpv2.CauseIe(Cause.TEMPORARILY_REJECTED_DUE_TO_HANDOVER_IN_PROGRESS)
        bench.mme.answers["delete-bearer-request"] = {"cause": handover}
        bench.smf.order(DELETE_BEARER, ie(73, b"\x06", 1), 0x101)
        await bench.settle()
        told = bench.smf.answer()
        assert (told.teid, told["cause"]) == (0x71, handover._replace(remote=True))
        assert bench.sgw.census()["EPS bearers"] == 2


async def test_a_bearer_that_the_pgw_ends_as_the_mme_ends_its_connection_has_one_record() -> None:
    async with Bench() as bench:
        await with_bearer_6(bench)
        bench.mme.silent = True
        bench.smf.order(DELETE_BEARER, ie(73, b"\x06", 1), 0x101)
        await bench.settle()
        assert (await said(bench, DELETE, ie(73, b"\x05"))).accepted
        await bench.sleep(40)
        assert len(bench.of(ChargingRecord)) == 2  # of both bearers


async def test_a_report_about_an_unknown_bearer_is_told_as_such() -> None:
    async with Bench() as bench:
        await bench.session()
        told = await said(bench, CHANGE, EUTRAN, THERE, ie(73, b"\x09"))
        assert (told.cause, told.teid) == (Cause.CONTEXT_NOT_FOUND, MME_TEID)
        assert heard(bench.smf, "change-notification-request") == []


async def test_a_report_of_a_place_is_for_the_pgw_too_and_for_the_records() -> None:
    async with Bench() as bench:
        await bench.session()
        told = await said(bench, CHANGE, OWN, EUTRAN, THERE)
        assert (told.cause, told["imsi"]) == (Cause.REQUEST_ACCEPTED, IMSI)
        (asked,) = heard(bench.smf, "change-notification-request")
        assert (asked["imsi"], asked["linked_ebi"]) == (IMSI, 5)
        assert str(asked["user_location_information"].ecgi) == "001-01-0000201"
        receive, bench.smf.endpoint.on_receive = bench.smf.endpoint.on_receive, lambda _data, _source: None
        assert (await said(bench, CHANGE, OWN, EUTRAN, HERE)).cause == Cause.REMOTE_PEER_NOT_RESPONDING
        bench.smf.endpoint.on_receive = receive
        assert (await said(bench, DELETE, ie(73, b"\x05"))).accepted
        (record,) = bench.of(ChargingRecord)
        places = [each.get("userLocationInformation") for each in record.fields["listOfTrafficVolumes"]]
        assert places == [None, "001-01-0001 001-01-0000201", "001-01-0001 001-01-0000101"]


async def test_a_report_about_a_terminal_without_a_card_is_answered_without_an_imsi() -> None:
    async with Bench() as bench:
        await bench.session(imsi=None, mei=scapy.IE_MEI(MEI=b"3520990017614823"))
        told = await said(bench, CHANGE, EUTRAN, THERE, ie(73, b"\x05"))
        assert (told.cause, told.get("imsi")) == (Cause.REQUEST_ACCEPTED, None)
        shown = [each.value for each in bench.of(StateChange) if each.element == "sgw" and each.value]
        assert shown[-1]["imsi"] is None


async def test_of_packets_to_be_forwarded_those_of_an_unknown_bearer_are_not() -> None:
    async with Bench() as bench:
        await bench.session()
        target = end(19, 0xD1, bench.enb.address)
        asked = (ie(93, ie(73, bytes((ebi,))) + target) for ebi in (5, 9))
        told = (await said(bench, FORWARD, *asked))["bearer_contexts"]
        assert [(each["cause"].value, "s1_u_sgw_for_dl" in each) for each in told] == [
            (Cause.REQUEST_ACCEPTED, True),
            (Cause.CONTEXT_NOT_FOUND, False),
        ]
        assert bench.sgw.census()["tunnels"] == 3


async def test_of_a_command_the_pgw_gets_the_bearers_that_there_are() -> None:
    async with Bench() as bench:
        await with_bearer_6(bench)
        lost = b"".join(ie(93, ie(73, bytes((ebi,)))) for ebi in (6, 9))
        command = message(66, teid_of(bench), 0x800001, lost)
        bench.mme.endpoint.send(command, bench.host.address_of("sgw", "S11"), on="S11")
        await bench.settle()
        (told,) = heard(bench.smf, "delete-bearer-command")
        assert [each["ebi"] for each in told["bearer_contexts"]] == [6]
        await bench.sleep(10)
        assert bench.sgw.census()["EPS bearers"] == 1
        bench.mme.messages()
        command = message(66, teid_of(bench), 0x800002, ie(93, ie(73, b"\x09")))
        bench.mme.endpoint.send(command, bench.host.address_of("sgw", "S11"), on="S11")
        await bench.settle()
        (failed,) = bench.mme.messages()
        assert (failed.name, failed.teid) == ("delete-bearer-failure-indication", MME_TEID)


async def test_the_mmes_end_of_a_command_is_no_matter_of_the_pgw() -> None:
    async with Bench() as bench:
        await bench.session()
        tad = ie(85, bytes.fromhex("21 0000 02 3011"))
        content = ie(73, b"\x05") + ie(100, b"\x21") + tad + end(10, MME_TEID, bench.mme.address, 2)
        command = message(68, teid_of(bench), 0x800001, content)
        bench.mme.endpoint.send(command, bench.host.address_of("sgw", "S11"), on="S11")
        await bench.settle()
        (told,) = heard(bench.smf, "bearer-resource-command")
        assert (told["pti"], told.get("sender_f_teid")) == (0x21, None)
        bench.mme.messages()
        refused = ie(2, bytes((Cause.NO_RESOURCES_AVAILABLE, 0))) + ie(73, b"\x05") + ie(100, b"\x21")
        bench.smf.order(69, refused, told.sequence)
        await bench.settle()
        (failed,) = bench.mme.messages()
        assert (failed.cause, failed["cause"].remote) == (Cause.NO_RESOURCES_AVAILABLE, True)


async def test_an_order_that_answers_a_command_comes_under_its_number() -> None:
    async with Bench() as bench:
        await bench.session()
        accepted = {"ebi": 5, "cause": gtpv2.CauseIe(Cause.REQUEST_ACCEPTED)}
        bench.mme.answers["update-bearer-request"] = {"cause": accepted["cause"], "bearer_contexts": (accepted,)}
        content = ie(73, b"\x05") + ie(100, b"\x21") + ie(85, bytes.fromhex("21 0000 02 3011"))
        command = message(68, teid_of(bench), 0x800001, content)
        bench.mme.endpoint.send(command, bench.host.address_of("sgw", "S11"), on="S11")
        await bench.settle()
        (told,) = heard(bench.smf, "bearer-resource-command")
        order = ie(93, ie(73, b"\x05")) + AMBR + ie(100, b"\x21")
        for number in (told.sequence, 0x101):  # the second answers nothing any more
            bench.smf.order(UPDATE_BEARER, order, number)
            await bench.settle()
        asked = [each for each in bench.mme.asked if each.name == "update-bearer-request"]
        assert [(each.sequence == 0x800001, each["pti"]) for each in asked] == [(True, 0x21), (False, 0x21)]


async def test_a_changed_subscription_that_the_pgw_refuses_leaves_its_number_to_no_order() -> None:
    async with Bench() as bench:
        await bench.session()
        accepted = {"ebi": 5, "cause": gtpv2.CauseIe(Cause.REQUEST_ACCEPTED)}
        bench.mme.answers["update-bearer-request"] = {"cause": accepted["cause"], "bearer_contexts": (accepted,)}
        content = AMBR + ie(93, ie(73, b"\x05")) + end(10, MME_TEID, bench.mme.address)
        command = message(64, teid_of(bench), 0x800001, content)
        bench.mme.endpoint.send(command, bench.host.address_of("sgw", "S11"), on="S11")
        await bench.settle()
        (told,) = heard(bench.smf, "modify-bearer-command")
        assert told.get("sender_f_teid") is None  # no matter of the PGW
        bench.smf.order(65, ie(2, bytes((Cause.NO_RESOURCES_AVAILABLE, 0))), told.sequence)
        await bench.settle()
        failed = next(each for each in bench.mme.messages() if each.name == "modify-bearer-failure-indication")
        assert (failed.cause, failed.sequence) == (Cause.NO_RESOURCES_AVAILABLE, 0x800001)
        bench.smf.order(UPDATE_BEARER, ie(93, ie(73, b"\x05")) + AMBR, 0x101)
        await bench.settle()
        assert bench.mme.asked[-1].name == "update-bearer-request"
        assert bench.mme.asked[-1].sequence != 0x800001
