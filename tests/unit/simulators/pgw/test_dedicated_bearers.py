"""Dedicated bearers at the gateways: whose packets go by them, at which rate, what is said wrong (TS 23.401 5.4)."""

from __future__ import annotations

from typing import Any

import pytest
from gateways import ENB_TEID, IMSI, SERVER, Gateways
from scapy.contrib import gtp_v2 as scapy

from simulators.pgw.config import BearerConfig, FilterConfig, PgwConfig
from simwarden.errors import ManagementError
from simwarden.operations.management import Role
from simwarden.trace.events import Frame
from simwarden.trace.records import ChargingRecord
from simwarden.wire import gtpu, gtpv2, ip, tft
from simwarden.wire.gtpv2 import Cause, CauseIe, FTeid, InterfaceType

BEARER = {"qci": 3, "guaranteed": [64, 64], "maximum": [80, 80], "filters": [{"protocol": "udp", "ports": "5683"}]}
PGW = {"apns": {"*": {"bearers": {"alarm": BEARER}}}}
ICMP = {"qci": 7, "filters": [{"protocol": 1}]}
TWO = {"apns": {"*": {"bearers": {"alarm": BEARER, "ping": ICMP}}}}
OWN = 0xE2


async def standing(bench: Gateways, *, late: bool = False, asked: dict[str, Any] | None = None, **told: Any) -> Any:
    """Return a session whose dedicated bearer the MME has set up, with eNB's end OWN; `late`: before all else."""
    host = bench.enb.address
    end = FTeid.at(InterfaceType.S1_U_ENODEB_GTP_U, OWN, host)

    def told_by_mme(asked: gtpv2.Message) -> dict[str, Any]:
        (context,) = asked["bearer_contexts"]
        accepted = CauseIe(Cause.REQUEST_ACCEPTED)
        said = {"ebi": 6, "cause": accepted, "s1_u_enodeb": end, "s1_u_sgw": context["s1_u_sgw"], **told}
        return {"cause": said["cause"], "bearer_contexts": ({k: v for k, v in said.items() if v is not None},)}

    bench.mme.answers["create-bearer-request"] = told_by_mme
    made = await (bench.mme.create() if late else bench.session(**(asked or {})))
    await bench.settle()
    return made


async def both(bench: Gateways) -> Any:
    """A session with two bearers, 6 for alarms and 7 for ICMP."""
    end = FTeid.at(InterfaceType.S1_U_ENODEB_GTP_U, OWN, bench.enb.address)
    identities = iter((6, 7))

    def told_by_mme(asked: gtpv2.Message) -> dict[str, Any]:
        (context,) = asked["bearer_contexts"]
        cause, ebi = CauseIe(Cause.REQUEST_ACCEPTED), next(identities)
        made = {"ebi": ebi, "cause": cause, "s1_u_enodeb": end, "s1_u_sgw": context["s1_u_sgw"]}
        return {"cause": cause, "bearer_contexts": (made,)}

    bench.mme.answers["create-bearer-request"] = told_by_mme
    await bench.session()
    await bench.settle()
    (session,) = bench.pgw.core.sessions.values()
    return session


def dedicated(bench: Gateways) -> Any:
    (device,) = bench.sgw.core.devices.values()
    (connection,) = device.connections.values()
    return connection.dedicated


def packet(source: str, port: int = 5683, octets: int = 5) -> bytes:
    return ip.encode(ip.encode_udp(ip.Udp(40000, port, bytes(octets)), source, SERVER))


def answer(to: str, port: int) -> bytes:
    return ip.encode(ip.encode_udp(ip.Udp(port, 40000, b"hello"), SERVER, to))


def up(bench: Gateways, teid: int, *packets: bytes) -> None:
    to = bench.sgw.core.plane.address, 2152
    bench.enb.endpoint.send_packets([gtpu.g_pdu(teid, each) for each in packets], to)


async def test_a_bearer_that_stands_before_the_default_one_is_not_idle() -> None:
    async with Gateways(pgw=PGW) as bench:
        made = await standing(bench, late=True)
        bench.net.send(alarm := answer(made["paa"].ipv4, 5683))
        await bench.settle()
        assert bench.enb.received() == [(OWN, alarm)]
        assert (await bench.mme.modify(made["sender_f_teid"].teid)).accepted
        assert (await bench.mme.release(made["sender_f_teid"].teid)).accepted
        bench.net.send(alarm)
        await bench.settle()
        assert bench.enb.received() == []
        assert [each.name for each in bench.mme.asked][-1] == "downlink-data-notification"


async def test_packets_go_by_their_marks() -> None:
    marked = {"qci": 7, "filters": [{"traffic_class": "184/252", "direction": "downlink"}]}
    async with Gateways(pgw={"apns": {"*": {"bearers": {"marked": marked}}}}) as bench:
        made = await standing(bench)
        plain = answer(made["paa"].ipv4, 9)
        urgent = ip.encode(ip.decode(plain)._replace(traffic_class=0xB9))
        bench.net.send(plain, urgent)
        await bench.settle()
        assert bench.enb.received() == [(ENB_TEID, plain), (OWN, urgent)]
        own = ip.encode(ip.decode(packet(made["paa"].ipv4))._replace(traffic_class=0xB9))
        up(bench, dedicated(bench)[6].s1_teid, own)  # its filter is of the other direction
        await bench.settle()
        assert bench.dropped() == ["its bearer has no filter that it fits"]


async def test_packets_go_by_the_bearer_that_they_fit() -> None:
    async with Gateways(pgw=PGW) as bench:
        made = await standing(bench)
        own = made["paa"].ipv4
        alarm, other = packet(own), packet(own, 53)
        bearer = dedicated(bench)[6]
        up(bench, bearer.s1_teid, alarm, other)
        await bench.settle()
        assert bench.net.received() == [alarm]
        assert bench.dropped() == ["its bearer has no filter that it fits"]
        back = [answer(own, 53), answer(own, 5683)]
        bench.net.send(*back)
        await bench.settle()
        assert bench.enb.received() == [(ENB_TEID, back[0]), (OWN, back[1])]


async def test_its_rate_is_its_own_and_each_bearer_has_its_record() -> None:
    async with Gateways(pgw=PGW) as bench:
        made = await standing(bench)
        own = made["paa"].ipv4
        each = packet(own, octets=972)  # 1000 octets, of 10,000 a second
        up(bench, dedicated(bench)[6].s1_teid, *[each] * 12)
        await bench.settle()
        assert len(bench.net.received()) == 10
        assert set(bench.dropped()) == {"mbr: above the rate of its bearer"}
        await bench.mme.delete(made["sender_f_teid"].teid)
        await bench.settle()
    records = [each.fields for each in bench.of(ChargingRecord) if each.record == "sGWRecord"]
    octets = [sum(part["dataVolumeGPRSUplink"] for part in each["listOfTrafficVolumes"]) for each in records]
    assert octets == [0, 12_000]  # the SGW has brought all of them on
    assert records[0]["chargingID"] != records[1]["chargingID"]
    assert records[1]["pDNConnectionChargingID"] == records[0]["chargingID"]


async def test_a_bearer_without_guaranteed_rates_shares_that_of_its_apn() -> None:
    shared = {"qci": 7, "filters": BEARER["filters"]}
    async with Gateways(pgw={"apns": {"*": {"bearers": {"alarm": shared}}}}) as bench:
        made = await standing(bench, asked={"ambr": scapy.IE_AMBR(AMBR_Uplink=8, AMBR_Downlink=8)})
        each = packet(made["paa"].ipv4, octets=972)
        up(bench, dedicated(bench)[6].s1_teid, each)
        bench.enb.send(made, *[each] * 3)
        await bench.settle()
        assert len(bench.net.received()) == 2  # of 2716 octets at once
        assert {why.partition(":")[0] for why in bench.dropped()} == {"ambr"}


async def test_a_bearer_that_is_set_up_in_the_place_of_another_comes_before_those_after_it() -> None:
    async with Gateways(pgw=TWO) as bench:
        session = await both(bench)
        end = FTeid.at(InterfaceType.S1_U_ENODEB_GTP_U, OWN + 1, bench.enb.address)

        def told_by_mme(asked: gtpv2.Message) -> dict[str, Any]:
            (context,) = asked["bearer_contexts"]
            made = {"ebi": 8, "cause": CauseIe(Cause.REQUEST_ACCEPTED), "s1_u_enodeb": end}
            made["s1_u_sgw"] = context["s1_u_sgw"]
            return {"cause": CauseIe(Cause.REQUEST_ACCEPTED), "bearer_contexts": (made,)}

        bench.mme.answers["create-bearer-request"] = told_by_mme
        await bench.pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}/meters/bearers/alarm", {})
        await bench.pgw.manage(Role.OPERATOR, "PUT", f"/sessions/{IMSI}/meters/bearers/trace", ICMP)
        bench.net.send(echo := ip.encode(ip.Packet(SERVER, session.paa.ipv4, 1, bytes(8))))
        await bench.settle()
        assert bench.enb.received() == [(OWN + 1, echo)]


def ordered(bench: Gateways, name: str) -> list[gtpv2.Message]:
    """What the PGW has ordered."""
    told = [gtpv2.decode(each.data) for each in bench.of(Frame) if each.source == "pgw" and each.interface == "S5-C"]
    return [each for each in told if each.name == name]


_TWO_FILTERS = [*BEARER["filters"], {"protocol": "icmp"}]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changed", "operation", "quality"),
    [
        ({}, None, None),
        ({"maximum": [80, 96]}, None, (3, 96)),
        ({"filters": [{"protocol": "tcp", "ports": "5683"}]}, tft.Operation.REPLACE_FILTERS, None),
        ({"filters": _TWO_FILTERS}, tft.Operation.CREATE, None),
        ({"filters": _TWO_FILTERS, "priority": 2}, tft.Operation.CREATE, (3, 80)),
    ],
)
async def test_what_is_ordered_of_a_changed_bearer(
    changed: dict[str, Any], operation: tft.Operation | None, quality: tuple[int, int] | None
) -> None:
    """Only what is another (TS 29.274 7.2.15)."""
    async with Gateways(pgw=PGW) as bench:
        await standing(bench)
        context = {"ebi": 6, "cause": CauseIe(Cause.REQUEST_ACCEPTED)}
        bench.mme.answers["update-bearer-request"] = {"cause": context["cause"], "bearer_contexts": (context,)}
        await bench.pgw.manage(Role.OPERATOR, "PUT", f"/sessions/{IMSI}/meters/bearers/alarm", BEARER | changed)
        contexts = [each for told in ordered(bench, "update-bearer-request") for each in told["bearer_contexts"]]
        assert len(contexts) == bool(changed)
        for each in contexts:
            template, qos = each.get("bearer_tft"), each.get("bearer_qos")
            assert (tft.decode(template).operation if template else None) is operation
            assert ((qos.qci, qos.mbr_downlink) if qos else None) == quality


async def test_what_no_device_has_asked_for_is_of_no_transaction() -> None:
    async with Gateways(pgw=PGW) as bench:
        await standing(bench)
        await bench.pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}/meters/bearers/alarm", {})
        for name in ("create-bearer-request", "delete-bearer-request"):
            (order,) = ordered(bench, name)
            assert "pti" not in order.ies
        assert all("pti" not in each.ies for each in bench.mme.asked)


async def test_a_bearer_of_a_terminal_without_a_card_is_of_no_imsi() -> None:
    async with Gateways(pgw=PGW) as bench:
        await standing(bench, asked={"imsi": None, "mei": scapy.IE_MEI(MEI=b"3520990017614823")})
        (shown,) = bench.observed("bearer", element="pgw")
        assert (shown["imsi"], shown["name"], shown["ebi"]) == (None, "alarm", 6)


async def test_tunnels_that_have_ended_are_not_there() -> None:
    async with Gateways(pgw=PGW) as bench:
        made = await standing(bench)
        (session,) = bench.pgw.core.sessions.values()
        own, to = made["paa"].ipv4, (bench.pgw.core.gateway.plane.address, 2152)
        ended = [session.bearers["alarm"].user_teid, session.user_teid]
        for end in (
            bench.pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}/meters/bearers/alarm", {}),
            bench.mme.delete(made["sender_f_teid"].teid),
        ):
            await end
            bench.sgw.core.plane.send([packet(own)], ended.pop(0), to[0], "S5-U")
            await bench.settle()
            assert bench.net.received() == []
        bench.net.send(answer(own, 5683))
        await bench.settle()
        assert [each.partition(" 0x")[0] for each in bench.dropped()] == [
            "there is no tunnel",
            "there is no tunnel",
            "no session has its address",
        ]


@pytest.mark.parametrize(
    ("protocol", "number"),
    [("", None), ("tcp", 6), ("udp", 17), ("icmp", 1), ("icmpv6", 58), (50, 50)],
)
def test_protocols_by_name_and_number(protocol: str | int, number: int | None) -> None:
    assert FilterConfig(protocol=protocol, remote="192.0.2.0/24").protocol_number == number


@pytest.mark.parametrize(
    "told",
    [
        {"cause": CauseIe(Cause.UE_REFUSES)},
        {"s1_u_enodeb": None},
        {"s1_u_sgw": None},
    ],
)
async def test_what_the_mme_does_not_set_up_leaves_nothing(told: dict[str, Any]) -> None:
    async with Gateways(pgw=PGW) as bench:
        made = await standing(bench, **told)
        assert dedicated(bench) == {}
        assert bench.sgw.census() == {"sessions": 1, "EPS bearers": 1, "bearers": 1, "tunnels": 2}
        bench.enb.send(made, packet(made["paa"].ipv4))
        await bench.settle()
        assert len(bench.net.received()) == 1


async def test_a_handover_in_progress_is_waited_for() -> None:
    async with Gateways(pgw=PGW) as bench:
        busy = CauseIe(Cause.TEMPORARILY_REJECTED_DUE_TO_HANDOVER_IN_PROGRESS)
        await standing(bench, cause=busy)
        assert [each.name for each in bench.mme.asked].count("create-bearer-request") == 1
        await bench.host.clock.sleep(20)
        assert [each.name for each in bench.mme.asked].count("create-bearer-request") == 4
        assert dedicated(bench) == {}


async def test_a_lost_tunnel_of_a_bearer_ends_that_one_alone() -> None:
    async with Gateways(pgw=PGW) as bench:
        made = await standing(bench)
        (session,) = bench.pgw.core.sessions.values()
        bench.pgw.core.gateway.plane.close(session.bearers["alarm"].user_teid)
        own = made["paa"].ipv4
        up(bench, dedicated(bench)[6].s1_teid, packet(own))
        await bench.settle()
        assert dedicated(bench) == {}
        assert bench.mme.asked[-1].name == "delete-bearer-request"
        assert bench.sgw.census() == {"sessions": 1, "EPS bearers": 1, "bearers": 1, "tunnels": 2}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"qci": 9}, "of QCI 9 rates are not guaranteed"),
        ({"guaranteed": [0, 0]}, "of QCI 3 rates are guaranteed"),
        ({"guaranteed": [90, 64]}, "of QCI 3 rates are guaranteed"),
        ({"filters": []}, "at least 1"),
        ({"filters": [{}]}, "a filter says a network, a protocol, ports or marks"),
        ({"filters": [{"traffic_class": "184"}]}, "184 is no traffic class with its mask"),
        ({"filters": [{"traffic_class": "184/256"}]}, "184/256 is no traffic class with its mask"),
        ({"filters": [{"spi": -1}]}, "greater than or equal to 0"),
        ({"filters": [{"ports": "70000"}]}, "70000 are no ports"),
        ({"filters": [{"ports": "coap"}]}, "coap are no ports"),
        ({"filters": [{"remote": "198.51.100.1/24"}]}, "host bits"),
        ({"filters": [{"protocol": 256}]}, "256 is no protocol"),
    ],
)
def test_what_is_no_bearer(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        BearerConfig.model_validate(BEARER | changed)


def test_a_bearer_of_some_cards() -> None:
    config = PgwConfig.model_validate({"apns": {"*": {"bearers": {"alarm": {**BEARER, "cards": ["001010000000002"]}}}}})
    assert config.apns["*"].bearers["alarm"].cards == ("001010000000002",)


async def test_only_the_cards_that_are_named_have_a_bearer() -> None:
    other = {**BEARER, "cards": ["001010000000002"]}
    async with Gateways(pgw={"apns": {"*": {"bearers": {"alarm": other}}}}) as bench:
        await standing(bench)
        assert bench.mme.asked == []
    own = {**BEARER, "cards": ["001010000000002", IMSI]}
    async with Gateways(pgw={"apns": {"*": {"bearers": {"alarm": own}}}}) as bench:
        await standing(bench)
        assert [*dedicated(bench)] == [6]


async def test_a_tunnel_that_the_sgw_has_lost_ends_the_bearer_that_it_was_of() -> None:
    async with Gateways(pgw=TWO) as bench:
        session = await both(bench)
        assert [*dedicated(bench)] == [6, 7]
        bench.sgw.core.plane.close(dedicated(bench)[6].s5_teid)
        bench.net.send(answer(session.paa.ipv4, 5683))
        await bench.settle()
        assert [*session.bearers] == ["ping"]
        assert bench.pgw.census() == {"sessions": 1, "EPS bearers": 2}


@pytest.mark.parametrize(
    ("named", "ended", "left"), [((7, 7, 9), (7,), ["alarm"]), ((7, 6), (6, 7), []), ((9,), None, ["alarm", "ping"])]
)
async def test_the_radio_loses_bearers(named: tuple[int, ...], ended: tuple[int, ...] | None, left: list[str]) -> None:
    async with Gateways(pgw=TWO) as bench:
        session = await both(bench)
        contexts = tuple({"ebi": each} for each in named)
        told = await bench.ask_pgw("delete-bearer-command", session.teid, bearer_contexts=contexts)
        assert told.get("ebis") == ended
        assert [*session.bearers] == left


async def test_a_bearer_that_is_being_set_up_has_no_identity_yet() -> None:
    async with Gateways(pgw=PGW) as bench:
        bench.mme.silent = True
        made = await bench.session()
        (session,) = bench.pgw.core.sessions.values()
        assert [ebi for ebi, *_ in bench.pgw.views()["S5-U tunnels"]] == [5]
        failure = await bench.ask_pgw("delete-bearer-command", session.teid, bearer_contexts=({"ebi": 0},))
        assert failure.cause is Cause.CONTEXT_NOT_FOUND
        end = FTeid.at(InterfaceType.S5_S8_SGW_GTP_U, 0x99, bench.sgw.core.plane.address)
        changed = ({"ebi": 0, "s5_u_sgw": end},)
        told = await bench.ask_pgw("modify-bearer-request", session.teid, bearer_contexts_to_be_modified=changed)
        assert told["bearer_contexts_modified"][0]["cause"].value is Cause.CONTEXT_NOT_FOUND
        bench.net.send(alarm := answer(made["paa"].ipv4, 5683))
        await bench.settle()
        assert bench.enb.received() == [(ENB_TEID, alarm)]
        path = f"/sessions/{IMSI}/meters/bearers/alarm"
        for method, body in (("PUT", BEARER), ("DELETE", {})):
            with pytest.raises(ManagementError, match="alarm is being set up"):
                await bench.pgw.manage(Role.OPERATOR, method, path, body)
        bench.sgw.core.plane.close(session.sgw_user.teid)  # which ends the session, and so what is being set up
        bench.net.send(alarm)
        await bench.settle()
        assert bench.pgw.census() == {"sessions": 0, "EPS bearers": 0}
        await bench.sleep(60)
        assert bench.observed("bearer", element="pgw") == [None]


@pytest.mark.parametrize(
    ("ies", "noted"),
    [
        ({"cause": CauseIe(Cause.REQUEST_REJECTED)}, "create-bearer-request was refused: cause 94 REQUEST_REJECTED"),
        ({"cause": CauseIe(250)}, "create-bearer-request was refused: cause 250"),
        (
            {
                "cause": CauseIe(Cause.REQUEST_ACCEPTED_PARTIALLY),
                "bearer_contexts": ({"ebi": 6, "cause": CauseIe(Cause.NO_RESOURCES_AVAILABLE)},),
            },
            "create-bearer-request was refused: cause 73 NO_RESOURCES_AVAILABLE",
        ),
        (
            {
                "cause": CauseIe(Cause.REQUEST_REJECTED),
                "bearer_contexts": ({"ebi": 6, "cause": CauseIe(Cause.REQUEST_ACCEPTED)},),
            },
            "create-bearer-request was refused: cause 94 REQUEST_REJECTED",
        ),
        (  # without the SGW's end of its tunnel
            {
                "cause": CauseIe(Cause.REQUEST_ACCEPTED),
                "bearer_contexts": ({"ebi": 6, "cause": CauseIe(Cause.REQUEST_ACCEPTED)},),
            },
            None,
        ),
    ],
)
async def test_what_an_sgw_says_of_a_bearer_that_does_not_stand(ies: dict[str, Any], noted: str | None) -> None:
    async with Gateways(pgw=PGW) as bench:

        async def other(message: gtpv2.Message, _peer: object) -> gtpv2.Message:
            return gtpv2.Message(message.spec.answer, ies)

        bench.sgw.core.node._handlers["create-bearer-request"] = other  # type: ignore[index]
        await bench.session()
        await bench.settle()
        (session,) = bench.pgw.core.sessions.values()
        assert session.bearers == {}
        assert bench.notes() == ([noted] if noted else [])


async def test_a_session_that_ends_while_a_handover_is_waited_for() -> None:
    async with Gateways(pgw=PGW) as bench:
        made = await standing(bench, cause=CauseIe(Cause.TEMPORARILY_REJECTED_DUE_TO_HANDOVER_IN_PROGRESS))
        assert (await bench.mme.delete(made["sender_f_teid"].teid)).accepted
        await bench.sleep(20)
        assert [each.name for each in bench.mme.asked] == ["create-bearer-request"]


async def test_a_foreign_sgw_ends_no_bearer() -> None:
    async with Gateways(pgw={**PGW, "sgws": ["sgw"]}) as bench:
        await standing(bench)
        (session,) = bench.pgw.core.sessions.values()
        bench.pgw.core.config = bench.pgw.core.config.model_copy(update={"sgws": ("another",)})
        command = gtpv2.Message("delete-bearer-command", {"bearer_contexts": ({"ebi": 6},)}, session.teid)
        answer = await bench.sgw.core.node.ask(command, bench.pgw.core.node.address, "S5-C")
        assert (answer.name, answer.cause) == ("delete-bearer-failure-indication", Cause.INVALID_PEER)
        assert list(session.bearers) == ["alarm"]
        assert bench.verdicts("pgw.peer")[-1] is False
