"""Messages and packets of a tunnel are accepted from its peer only; knowing a TEID is not enough."""

from __future__ import annotations

from typing import Any, ClassVar

import gateways
import pytest
from gateways import Gateways, Scripted, udp

from simwarden.operations.management import Role
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.gtp.user import NOT_THE_PEER
from simwarden.trace.events import Frame
from simwarden.trace.records import CauseForRecClosing, ChargingRecord
from simwarden.wire import gtpu, gtpv2
from simwarden.wire.gtpu import MessageType
from simwarden.wire.gtpv2 import Cause, CauseIe, FTeid, InterfaceType, Message, RatType

PACKET = udp("10.64.0.1")


class Node(Scripted):
    """Another node of GTP, at an address of its own."""

    declaration = Declaration(kind="node-script", title="Node", lane=90, config=ElementConfig)
    interfaces: ClassVar[tuple[str, ...]] = ("S11", "S5-C")

    async def start(self) -> None:
        await super().start()
        self.user = self.site.endpoint("S5-U")
        self.user.on_packets = self.take

    async def ask(self, bench: Gateways, element: str, point: str, asked: Message) -> Message | None:
        """Send a message; return what answers it."""
        self.heard.clear()
        asked.sequence = 0x800000 + 7 if asked.spec.role is gtpv2.Role.COMMAND else 7
        self.endpoint.send(gtpv2.encode(asked), bench.host.address_of(element, point), on=point)
        await bench.settle()
        answers = [each for each in self.messages() if each.sequence == asked.sequence]
        return answers[0] if answers else None


class Bench(Gateways):
    """Our gateways, and a node that is a second SGW of the PGW or an unknown peer."""

    def __init__(self, *, listed: bool = False, check: bool = True) -> None:
        settings: dict[str, Any] = {"check_senders": check}
        sgws = ["sgw", "another"] if listed else ["sgw"]
        super().__init__(sgw=settings, pgw={**settings, "sgws": sgws})
        self.node = self.add("another", Node)

    @property
    def pgw_session(self) -> Any:
        (session,) = self.pgw.core.sessions.values()
        return session

    async def relocate(self) -> Message:
        """Relocate the session to the other node (TS 29.274 7.2.7)."""
        bearer = {"ebi": 5, "s5_u_sgw": FTeid.at(InterfaceType.S5_S8_SGW_GTP_U, 0x44, self.node.address)}
        sender = FTeid.at(InterfaceType.S5_S8_SGW_GTP_C, 0x33, self.node.address)
        ies = {"sender_f_teid": sender, "bearer_contexts_to_be_modified": (bearer,)}
        asked = Message("modify-bearer-request", ies, self.pgw_session.teid)
        answer = await self.node.ask(self, "pgw", "S5-C", asked)
        assert answer is not None
        return answer


@pytest.mark.parametrize("check", [True, False])
async def test_packets_in_a_tunnel_pass_from_its_sgw_only(*, check: bool) -> None:
    async with Bench(check=check) as bench:
        made = await bench.session()
        g_pdu = gtpu.g_pdu(bench.pgw_session.user_teid, PACKET)
        bench.node.user.send_packets([g_pdu], bench.host.address_of("pgw", "S5-U"))
        await bench.settle()
        assert bench.net.received() == ([] if check else [PACKET])
        assert bench.dropped() == ([NOT_THE_PEER] if check else [])
        assert bench.node.heard == []  # no Error Indication reveals the tunnel
        bench.enb.send(made, PACKET)
        await bench.settle()
        assert bench.net.received() == [PACKET]
        await bench.mme.delete(made["sender_f_teid"].teid)
        (record,) = [each.fields for each in bench.of(ChargingRecord) if each.record == "pGWRecord"]
        uplink = record["listOfTrafficVolumes"][0]["dataVolumeGPRSUplink"]
        assert uplink == len(PACKET) * (1 if check else 2)


async def test_packets_to_a_device_pass_from_its_pgw_only() -> None:
    async with Bench() as bench:
        await bench.session()
        (connection,) = bench.sgw.core.connections()
        back = udp(gateways.SERVER, "10.64.0.1")
        bench.node.user.send_packets([gtpu.g_pdu(connection.s5_teid, back)], bench.host.address_of("sgw", "S5-U"))
        await bench.settle()
        assert (bench.enb.received(), bench.dropped()) == ([], [NOT_THE_PEER])
        bench.net.send(back)
        await bench.settle()
        assert bench.enb.received() == [(gateways.ENB_TEID, back)]


async def test_an_error_indication_in_the_name_of_another_node_ends_nothing() -> None:
    async with Bench() as bench:
        await bench.session()
        end = bench.pgw_session.sgw_user
        told = gtpu.Message(MessageType.ERROR_INDICATION, 0, 0, peer_teid=end.teid, peer_address=end.address)
        bench.node.user.send(gtpu.encode(told), bench.host.address_of("pgw", "S5-U"))
        await bench.settle()
        assert bench.pgw.census()["sessions"] == 1
        bench.sgw.core.plane.endpoint.send(gtpu.encode(told), bench.host.address_of("pgw", "S5-U"), on="S5-U")
        await bench.settle()
        assert bench.pgw.census()["sessions"] == 0  # of the SGW itself it does


async def test_a_session_at_another_sgw_has_its_number_and_charging_id_told() -> None:
    async with Bench(listed=True) as bench:
        await bench.session()
        told = (await bench.relocate()).ies
        (bearer,) = told["bearer_contexts_modified"]
        expected = (gateways.NUMBER, bench.pgw_session.charging_id)
        assert (told["msisdn"], bearer["charging_id"]) == expected


async def test_a_session_at_the_same_sgw_has_nothing_of_it_told() -> None:
    async with Bench() as bench:
        teid = (await bench.session())["pgw_s5_f_teid"].teid
        told = await bench.ask_pgw("modify-bearer-request", teid, bearer_contexts_to_be_modified=({"ebi": 5},))
        assert "msisdn" not in told.ies
        assert "charging_id" not in told["bearer_contexts_modified"][0]


async def test_a_request_about_a_session_that_is_being_ended_changes_nothing() -> None:
    async with Bench() as bench:
        await bench.session()
        session = bench.pgw_session
        bench.pgw.core.close(session, CauseForRecClosing.MANAGEMENT_INTERVENTION, confirmed=False)
        told = await bench.ask_pgw("modify-bearer-request", session.teid, rat_type=RatType.LTE_M)
        assert (told.accepted, session.rat) == (True, RatType.EUTRAN)


AT_PGW: tuple[tuple[str, dict[str, Any]], ...] = (
    ("delete-session-request", {"linked_ebi": 5}),
    ("modify-bearer-request", {"rat_type": RatType.LTE_M}),
    ("change-notification-request", {"rat_type": RatType.LTE_M}),
)


@pytest.mark.parametrize(("name", "ies"), AT_PGW)
async def test_the_former_sgw_changes_and_ends_no_session(name: str, ies: dict[str, Any]) -> None:
    async with Bench(listed=True) as bench:
        await bench.session()
        await bench.relocate()
        refused = await bench.ask_pgw(name, bench.pgw_session.teid, **ies)
        assert refused.cause is Cause.INVALID_PEER
        assert bench.pgw_session.rat is RatType.EUTRAN
        own = await bench.node.ask(bench, "pgw", "S5-C", Message(name, dict(ies), bench.pgw_session.teid))
        assert own is not None
        assert own.accepted


async def test_a_command_of_the_former_sgw_fails() -> None:
    async with Bench(listed=True) as bench:
        await bench.session()
        await bench.relocate()
        command = Message("delete-bearer-command", {"bearer_contexts": ({"ebi": 6},)}, bench.pgw_session.teid)
        told = await bench.sgw.core.node.ask(command, bench.pgw.core.node.address, "S5-C")
        assert (told.name, told.cause) == ("delete-bearer-failure-indication", Cause.INVALID_PEER)


AT_SGW: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("S11", "delete-session-request", {"linked_ebi": 5, "indication_flags": gtpv2.Indication.OI}),
    ("S11", "release-access-bearers-request", {}),
    ("S11", "modify-bearer-request", {"sender_f_teid": FTeid.at(InterfaceType.S11_MME_GTP_C, 1, "192.0.2.9")}),
    ("S5-C", "delete-bearer-request", {"linked_ebi": 5}),
    ("S5-C", "update-bearer-request", {"bearer_contexts": ({"ebi": 5},), "apn_ambr": gtpv2.Ambr(1, 1)}),
)


@pytest.mark.parametrize(("point", "name", "ies"), AT_SGW)
async def test_the_sgw_carries_nothing_out_for_other_nodes(point: str, name: str, ies: dict[str, Any]) -> None:
    async with Bench() as bench:
        made = await bench.session()
        (connection,) = bench.sgw.core.connections()
        teid = made["sender_f_teid"].teid if point == "S11" else connection.teid
        answer = await bench.node.ask(bench, "sgw", point, Message(name, dict(ies), teid))
        assert answer is not None
        assert answer.cause is Cause.INVALID_PEER
        assert bench.sgw.census() == {"sessions": 1, "EPS bearers": 1, "bearers": 1, "tunnels": 2}
        assert bench.mme.asked == []


async def test_a_paging_failure_that_another_node_tells_drops_nothing() -> None:
    async with Bench() as bench:
        made = await bench.session()
        teid = made["sender_f_teid"].teid
        await bench.mme.release(teid)
        bench.net.send(udp(gateways.SERVER, "10.64.0.1"))
        await bench.settle()
        failed = {"cause": CauseIe(Cause.UNABLE_TO_PAGE_UE)}
        indication = Message("downlink-data-notification-failure-indication", failed, teid)
        assert await bench.node.ask(bench, "sgw", "S11", indication) is None
        assert bench.dropped() == []


# -- a session that the PGW ends


async def test_packets_on_their_way_cause_no_error_indication_while_a_session_is_being_ended() -> None:
    async with Bench() as bench:
        made = await bench.session()
        bench.mme.silent = True
        ended = bench.loop.create_task(bench.pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{gateways.IMSI}"))
        await bench.settle()
        bench.enb.send(made, PACKET)
        await bench.settle()
        assert (bench.net.received(), bench.dropped()) == ([], ["its session is being ended"])
        assert (await bench.mme.modify(made["sender_f_teid"].teid)).accepted  # which crosses the order
        bench.mme.silent = False
        await ended
        frames = [
            gtpv2.decode(each.data) for each in bench.of(Frame) if each.interface == "S11" and each.source == "sgw"
        ]
        orders = {each.sequence: each.ies["cause"].value for each in frames if each.name == "delete-bearer-request"}
        assert [*orders.values()] == [Cause.REACTIVATION_REQUESTED]
        causes = {each.element: each.fields["causeForRecClosing"] for each in bench.of(ChargingRecord)}
        assert causes == {"pgw": 20, "sgw": 0}
        assert (bench.pgw.core.ending, len(bench.pgw.core.gateway.plane), bench.sgw.census()["tunnels"]) == ({}, 0, 0)


async def test_an_address_is_free_when_the_sgw_has_ended_its_session() -> None:
    async with Bench() as bench:
        await bench.session()
        bench.mme.silent = True
        ended = bench.loop.create_task(bench.pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{gateways.IMSI}"))
        await bench.settle()
        assert bench.pgw.core.taken
        await ended
        assert not bench.pgw.core.taken
