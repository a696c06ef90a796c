"""M3UA: processes come up at a gateway, share traffic, go away and come back; what is wrong is told by ERR."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigtran_messages import M3UAS

from simwarden.errors import InternalError
from simwarden.machine.m3ua_asp import Asp
from simwarden.machine.m3ua_events import AspState, AsState, Changed, Closed, Fault, Received, Served, Told
from simwarden.machine.m3ua_gateway import ApplicationServer, Gateway
from simwarden.wire import m3ua
from simwarden.wire.m3ua import ErrorCode, Message, MessageType, ProtocolData, Status, TrafficMode

T = MessageType
SSP, SCP = 8, 146


def msu(origin: int, to: int, sls: int = 0) -> ProtocolData:
    return ProtocolData(origin, to, 3, 2, 0, sls, b"payload")


class Bench:
    """A gateway with processes, each on a link, and wires between them."""

    def __init__(
        self, *contexts: int | None, mode: TrafficMode = TrafficMode.OVERRIDE, local: tuple[int, ...] = ()
    ) -> None:
        self.now = 0.0
        self.gateway = Gateway([ApplicationServer(7, SSP, mode), ApplicationServer(8, SCP, mode)], local=local)
        self.asps = [Asp(context, identifier=at) for at, context in enumerate(contexts)]
        self.heard: dict[Any, list[Any]] = {each: [] for each in self.asps} | {"gateway": []}
        self.wire: list[Message] = []

    def run(self) -> None:
        moved = True
        while moved:
            moved = False
            for link, asp in enumerate(self.asps):
                for octets in asp.data_to_send():
                    moved = True
                    self.wire.append(m3ua.decode(octets))
                    self.gateway.receive(link, octets, self.now)
                self.heard[asp] += asp.events()
            for link, octets in self.gateway.data_to_send():
                moved = True
                self.wire.append(m3ua.decode(octets))
                self.asps[link].receive(octets, self.now)
            self.heard["gateway"] += self.gateway.events()

    def up(self) -> Bench:
        for link, asp in enumerate(self.asps):
            self.gateway.connected(link, self.now)
            asp.connected(self.now)
        self.run()
        return self

    def types(self) -> list[MessageType]:
        found = [each.type for each in self.wire]
        self.wire.clear()
        return found

    def data(self, asp: Asp) -> list[ProtocolData]:
        return [each.data for each in self.heard[asp] if isinstance(each, Received)]


def test_a_process_comes_up_and_becomes_active() -> None:
    bench = Bench(7).up()
    assert bench.asps[0].state is AspState.ACTIVE
    assert bench.types()[:2] == [T.ASP_UP, T.ASP_UP_ACK]
    served = [each for each in bench.heard["gateway"] if isinstance(each, Served)]
    assert served == [
        Served(7, AsState.INACTIVE),
        Served(8, AsState.INACTIVE),
        Served(7, AsState.ACTIVE),
    ]
    told = [each.message.status for each in bench.heard[bench.asps[0]] if isinstance(each, Told)]
    assert Status.AS_ACTIVE in told


def test_data_go_to_the_server_of_their_destination() -> None:
    bench = Bench(7, 8).up()
    ssp, scp = bench.asps
    ssp.send(msu(SSP, SCP))
    bench.run()
    assert bench.data(scp) == [msu(SSP, SCP)]
    scp.send(msu(SCP, SSP))
    bench.run()
    assert bench.data(ssp) == [msu(SCP, SSP)]


def test_what_is_for_the_gateway_itself_stays_there() -> None:
    bench = Bench(7, local=(SCP,)).up()
    bench.asps[0].send(msu(SSP, SCP))
    bench.run()
    assert [each for each in bench.heard["gateway"] if isinstance(each, Received)] == [Received(msu(SSP, SCP), 0)]
    assert bench.gateway.send(msu(SCP, SSP))
    bench.run()
    assert bench.data(bench.asps[0]) == [msu(SCP, SSP)]


def test_a_destination_that_is_not_there_is_told() -> None:
    bench = Bench(7).up()
    bench.types()
    bench.asps[0].send(msu(SSP, SCP))
    bench.run()
    assert bench.types() == [T.DATA, T.DESTINATION_UNAVAILABLE]
    bench.asps[0].receive(m3ua.encode(Message(T.HEARTBEAT, heartbeat_data=b"x")), 0)
    bench.run()
    assert bench.types() == [T.HEARTBEAT_ACK]
    assert not bench.gateway.send(msu(SSP, 99))


def test_override_gives_the_traffic_to_the_last() -> None:
    bench = Bench(7, 7, 8).up()
    first, second, scp = bench.asps
    scp.send(msu(SCP, SSP))
    bench.run()
    assert (bench.data(first), bench.data(second)) == ([], [msu(SCP, SSP)])
    told = [each.message.status for each in bench.heard[first] if isinstance(each, Told)]
    assert Status.ALTERNATE_ASP_ACTIVE in told


def test_loadshare_by_link_selection() -> None:
    bench = Bench(7, 7, 8, mode=TrafficMode.LOADSHARE).up()
    for sls in range(4):
        bench.asps[2].send(msu(SCP, SSP, sls))
    bench.run()
    assert [len(bench.data(each)) for each in bench.asps[:2]] == [2, 2]


def test_broadcast_to_all() -> None:
    bench = Bench(7, 7, 8, mode=TrafficMode.BROADCAST).up()
    bench.asps[2].send(msu(SCP, SSP))
    bench.run()
    assert [len(bench.data(each)) for each in bench.asps[:2]] == [1, 1]


def test_a_server_is_pending_before_it_is_inactive() -> None:
    bench = Bench(7, 8).up()
    bench.heard["gateway"].clear()
    bench.types()
    bench.gateway.lost(0, bench.now)
    bench.run()
    assert bench.heard["gateway"] == [Served(7, AsState.PENDING)]
    assert T.DESTINATION_UNAVAILABLE in bench.types()
    timer = bench.gateway.next_timer()
    assert timer is not None
    assert (timer.deadline, timer.keep_alive) == (2.0, False)
    bench.now = 2.0
    bench.gateway.on_timer(2.0)
    bench.run()
    assert bench.heard["gateway"][1:] == [Served(7, AsState.INACTIVE)]
    bench.asps[0] = Asp(7)
    bench.heard[bench.asps[0]] = []
    bench.types()
    bench.gateway.connected(0, bench.now)
    bench.asps[0].connected(bench.now)
    bench.run()
    assert T.DESTINATION_AVAILABLE in bench.types()
    assert bench.heard["gateway"][-1] == Served(7, AsState.ACTIVE)


def test_leaving() -> None:
    bench = Bench(7).up()
    bench.types()
    bench.asps[0].leave(0)
    bench.run()
    assert [each for each in bench.types() if each is not T.NOTIFY] == [
        T.ASP_INACTIVE,
        T.ASP_INACTIVE_ACK,
        T.ASP_DOWN,
        T.ASP_DOWN_ACK,
    ]
    assert bench.heard[bench.asps[0]][-1] == Closed("down")
    assert bench.gateway.state_of(0) is AspState.DOWN


def test_leaving_a_gateway_that_is_silent() -> None:
    bench = Bench(7).up()
    asp = bench.asps[0]
    asp.leave(0)
    asp.on_timer(2.0)
    assert asp.events()[-1] == Closed("not acknowledged")
    assert asp.next_timer() is None


def test_what_is_not_acknowledged_is_said_again() -> None:
    asp = Asp(7)
    asp.connected(0)
    assert len(asp.data_to_send()) == 1
    asp.on_timer(1.9)
    assert asp.data_to_send() == []
    asp.on_timer(2.0)
    assert m3ua.decode(asp.data_to_send()[0]).type is T.ASP_UP


def test_beats_and_silence() -> None:
    bench = Bench(7).up()
    asp = bench.asps[0]
    timer = asp.next_timer()
    assert timer is not None
    assert (timer.deadline, timer.keep_alive) == (30.0, True)
    bench.now = 30.0
    asp.on_timer(30.0)
    bench.run()
    assert bench.types()[-2:] == [T.HEARTBEAT, T.HEARTBEAT_ACK]
    asp.on_timer(60.0)
    asp.data_to_send()
    asp.on_timer(90.0)
    assert asp.events()[-1] == Closed("no answer to BEAT")
    assert asp.next_timer() is None
    bench.gateway.on_timer(60.0)
    assert m3ua.decode(bench.gateway.data_to_send()[0][1]).type is T.HEARTBEAT
    bench.gateway.on_timer(90.0)
    assert Closed("no answer to BEAT", 0) in bench.gateway.events()


def errors(sent: list[tuple[int, bytes]] | list[bytes]) -> list[int | None]:
    found = [m3ua.decode(each[1] if isinstance(each, tuple) else each) for each in sent]
    return [each.error_code for each in found if each.type is T.ERROR]


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (m3ua.encode(Message(T.ASP_ACTIVE)), ErrorCode.UNEXPECTED_MESSAGE),
        (m3ua.encode_data(msu(SSP, SCP)), ErrorCode.UNEXPECTED_MESSAGE),
        (m3ua.encode(Message(T.ASP_UP_ACK)), ErrorCode.UNEXPECTED_MESSAGE),
        (bytes.fromhex("0200030100000008"), ErrorCode.INVALID_VERSION),
        (bytes.fromhex("0100090100000008"), ErrorCode.UNSUPPORTED_MESSAGE_CLASS),
        (bytes.fromhex("0100030900000008"), ErrorCode.UNSUPPORTED_MESSAGE_TYPE),
        (bytes.fromhex("0100010100000008"), ErrorCode.MISSING_PARAMETER),
        (bytes.fromhex("01000301000000100006000800000001"), ErrorCode.UNEXPECTED_PARAMETER),
    ],
)
def test_errors_of_a_gateway(octets: bytes, code: ErrorCode) -> None:
    gateway = Gateway([ApplicationServer(7, SSP)])
    gateway.connected(0, 0)
    gateway.receive(0, octets, 0)
    assert errors(gateway.data_to_send()) == [code]
    assert isinstance(gateway.events()[0], Fault)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (Message(T.ASP_ACTIVE, routing_context=(9,)), ErrorCode.INVALID_ROUTING_CONTEXT),
        (Message(T.ASP_ACTIVE, traffic_mode_type=3), ErrorCode.UNSUPPORTED_TRAFFIC_MODE_TYPE),
    ],
)
def test_a_process_that_asks_for_what_there_is_not(message: Message, code: ErrorCode) -> None:
    gateway = Gateway([ApplicationServer(7, SSP)])
    gateway.connected(0, 0)
    gateway.receive(0, m3ua.encode(Message(T.ASP_UP)), 0)
    gateway.data_to_send()
    gateway.receive(0, m3ua.encode(message), 0)
    assert errors(gateway.data_to_send()) == [code]
    assert gateway.state_of(0) is AspState.INACTIVE


def test_no_server_at_all() -> None:
    gateway = Gateway([])
    gateway.connected(0, 0)
    gateway.receive(0, m3ua.encode(Message(T.ASP_UP)), 0)
    gateway.receive(0, m3ua.encode(Message(T.ASP_ACTIVE)), 0)
    assert errors(gateway.data_to_send()) == [ErrorCode.NO_CONFIGURED_AS_FOR_ASP]


def test_nobody_speaks_for_another_point() -> None:
    bench = Bench(7, 8).up()
    ssp, scp = bench.asps
    bench.gateway.receive(0, m3ua.encode_data(msu(SCP, SCP), 7), 0)
    assert errors(bench.gateway.data_to_send()) == [ErrorCode.INVALID_PARAMETER_VALUE]
    assert bench.data(scp) == []
    ssp.send(msu(SSP, SCP))
    bench.run()
    assert bench.data(scp) == [msu(SSP, SCP)]


def test_an_audit_is_answered() -> None:
    bench = Bench(7, 8).up()
    bench.types()
    bench.gateway.receive(0, m3ua.encode(M3UAS["daud"]), 0)
    assert [m3ua.decode(each).type for _, each in bench.gateway.data_to_send()] == [T.DESTINATION_AVAILABLE]


def test_only_an_active_process_sends() -> None:
    with pytest.raises(InternalError):
        Asp(7).send(msu(SSP, SCP))


def test_data_to_a_process_that_is_not_active_are_refused() -> None:
    asp = Asp(7)
    asp.connected(0)
    asp.data_to_send()
    asp.receive(m3ua.encode_data(msu(SCP, SSP), 7), 0)
    assert errors(asp.data_to_send()) == [ErrorCode.UNEXPECTED_MESSAGE]
    bench = Bench(7).up()
    bench.asps[0].receive(m3ua.encode_data(msu(SCP, SSP), 99), 0)
    assert errors(bench.asps[0].data_to_send()) == [ErrorCode.INVALID_ROUTING_CONTEXT]


def test_a_gateway_that_takes_a_process_out_is_asked_to_take_it_again() -> None:
    bench = Bench(7).up()
    asp = bench.asps[0]
    asp.receive(m3ua.encode(Message(T.ASP_INACTIVE_ACK)), 0)
    assert m3ua.decode(asp.data_to_send()[0]).type is T.ASP_ACTIVE
    asp.receive(m3ua.encode(Message(T.ASP_DOWN_ACK)), 0)
    assert m3ua.decode(asp.data_to_send()[0]).type is T.ASP_UP
    assert Changed(AspState.DOWN) in asp.events()


def test_an_error_is_not_answered() -> None:
    for octets in (m3ua.encode(M3UAS["error"]), bytes.fromhex("0100000000000008")):
        asp, gateway = Asp(7), Gateway([ApplicationServer(7, SSP)])
        gateway.connected(0, 0)
        asp.receive(octets, 0)
        gateway.receive(0, octets, 0)
        assert (asp.data_to_send(), gateway.data_to_send()) == ([], [])


@given(st.lists(st.sampled_from([m3ua.encode(each) for each in M3UAS.values()]), max_size=12))
def test_any_messages_in_any_order(messages: list[bytes]) -> None:
    """Data come through only where the process is active, whatever was said before."""
    asp, gateway = Asp(7), Gateway([ApplicationServer(7, SSP), ApplicationServer(8, SCP)], local=(SCP,))
    gateway.connected(0, 0)
    asp.connected(0)
    for octets in messages:
        states = asp.state, gateway.state_of(0)
        asp.receive(octets, 0)
        gateway.receive(0, octets, 0)
        for state, events in zip(states, (asp.events(), gateway.events()), strict=True):
            assert state is AspState.ACTIVE or not any(isinstance(each, Received) for each in events)
    for octets in asp.data_to_send():
        m3ua.decode(octets)
