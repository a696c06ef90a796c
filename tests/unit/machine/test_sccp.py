"""SCCP: routing, translation of global titles, what comes back, and subsystems that go and come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigtran_messages import MANAGEMENTS, SCCPS

from simwarden.machine.sccp import Fault, Returned, SccpPoint, SubsystemChanged, Translation, Unitdata
from simwarden.wire import sccp
from simwarden.wire.m3ua import ProtocolData
from simwarden.wire.sccp import Address, GlobalTitle, ManagementType, MessageType, ReturnCause

SSP, SCP, STP = 8, 146, 1
TITLE = GlobalTitle("8613800000046", 4, 0, 1)
BY_TITLE = Address(146, None, TITLE, route_on_ssn=False)
MSC = Address(8, SSP)
CAP = Address(146, SCP)


class Net:
    """Points on wires; `lose` are those that nothing reaches."""

    def __init__(self) -> None:
        self.now = 0.0
        self.points = {
            SSP: SccpPoint(SSP, [7, 8], [Translation("86138", STP, final=False), Translation("8614", SSP, 7)]),
            SCP: SccpPoint(SCP, [146]),
            STP: SccpPoint(STP, [], [Translation("861380000004", SCP), Translation("86138", SSP, 8)]),
        }
        self.heard: dict[int, list[Any]] = {each: [] for each in self.points}
        self.wire: list[ProtocolData] = []

    def run(self) -> None:
        for _ in range(20):
            for number, point in self.points.items():
                self.heard[number] += point.events()
                for data in point.data_to_send():
                    self.wire.append(data)
                    self.points[data.destination_point_code].receive(data, self.now)

    def send(self, called: Address, calling: Address = MSC, data: bytes = b"data") -> None:
        self.points[SSP].send(called, calling, data)
        self.run()


def test_by_point_code_and_subsystem() -> None:
    net = Net()
    net.send(CAP)
    assert net.heard[SCP] == [Unitdata(CAP, MSC, b"data")]
    assert net.heard[SSP] == []


def test_by_title_through_a_transfer_point() -> None:
    net = Net()
    net.send(BY_TITLE)
    (got,) = net.heard[SCP]
    assert got.called.global_title == TITLE
    assert (got.called.point_code, got.called.ssn, got.called.route_on_ssn) == (SCP, 146, True)
    assert [each.destination_point_code for each in net.wire] == [STP, SCP]
    net.points[SCP].send(got.calling, got.called, b"answer")
    net.run()
    assert net.heard[SSP] == [Unitdata(MSC, got.called, b"answer")]


def test_the_longest_prefix_is_taken_and_the_plan_counts() -> None:
    point = SccpPoint(
        1, [], [Translation("86", 2), Translation("8613", 3, 7), Translation("8613", 4, numbering_plan=6)]
    )
    for title, to in ((GlobalTitle("8612", 4, 0, 1), 2), (GlobalTitle("8613", 4, 0, 1), 3)):
        point.send(Address(6, None, title, route_on_ssn=False), MSC, b"")
        (sent,) = point.data_to_send()
        assert sent.destination_point_code == to
        assert sccp.decode(sent.user_data).called.ssn == (7 if to == 3 else 6)


@pytest.mark.parametrize(
    ("called", "cause"),
    [
        (BY_TITLE._replace(global_title=GlobalTitle("4917", 4, 0, 1)), ReturnCause.NO_TRANSLATION_FOR_ADDRESS),
        (Address(146, route_on_ssn=False), ReturnCause.NO_TRANSLATION_FOR_NATURE),
        (Address(9, SSP), ReturnCause.UNEQUIPPED_USER),
        (Address(9, SCP), ReturnCause.UNEQUIPPED_USER),
        (Address(None, SCP), ReturnCause.UNEQUIPPED_USER),
    ],
)
def test_what_cannot_be_delivered_comes_back(called: Address, cause: ReturnCause) -> None:
    net = Net()
    net.send(called)
    (got,) = [each for each in net.heard[SSP] if isinstance(each, Returned)]
    assert (got.cause, got.data, got.calling) == (cause, b"data", MSC)
    assert not any(isinstance(each, Unitdata) for each in net.heard[SCP])


def test_what_asks_for_no_return_does_not_come_back() -> None:
    net = Net()
    message = SCCPS["udt by title"]._replace(called=Address(9, SCP), calling=MSC)
    net.points[SCP].receive(ProtocolData(SSP, SCP, 3, 2, 0, 0, sccp.encode(message)), 0)
    net.run()
    assert net.wire == []
    assert isinstance(net.heard[SCP][0], Fault)


def test_what_came_back_is_not_returned_again() -> None:
    net = Net()
    message = SCCPS["udts"]._replace(called=Address(9, SCP))
    net.points[SCP].receive(ProtocolData(SSP, SCP, 3, 2, 0, 0, sccp.encode(message)), 0)
    net.run()
    assert net.wire == []


def test_points_that_cannot_be_reached() -> None:
    net = Net()
    net.points[SSP].pause(SCP)
    net.send(CAP)
    assert net.heard[SSP][0].cause == ReturnCause.MTP_FAILURE
    net.points[SSP].resume(SCP)
    net.send(CAP)
    assert net.heard[SCP] == [Unitdata(CAP, MSC, b"data")]


def test_a_subsystem_goes_and_comes() -> None:
    net = Net()
    net.points[SCP].allow(146, allowed=False)
    net.send(CAP)
    assert [type(each) for each in net.heard[SSP]] == [Returned, SubsystemChanged]
    assert net.heard[SSP][0].cause == ReturnCause.SUBSYSTEM_FAILURE
    assert net.heard[SSP][1] == SubsystemChanged(SCP, 146, allowed=False)
    net.wire.clear()
    net.send(CAP)
    assert net.wire == []
    assert net.heard[SSP][2].cause == ReturnCause.SUBSYSTEM_FAILURE
    timer = net.points[SSP].next_timer()
    assert timer is not None
    assert (timer.deadline, timer.keep_alive) == (10.0, False)
    net.now = 10.0
    net.points[SSP].on_timer(10.0)
    net.run()
    assert net.heard[SSP][3:] == []
    net.points[SCP].allow(146, allowed=True)
    net.now = 30.0
    net.points[SSP].on_timer(30.0)
    net.run()
    assert net.heard[SSP][3:] == [SubsystemChanged(SCP, 146, allowed=True)]
    net.send(CAP)
    assert isinstance(net.heard[SCP][-1], Unitdata)


def test_who_is_concerned_is_told() -> None:
    net = Net()
    net.points[SCP].allow(146, allowed=False, concerned=[SSP])
    net.run()
    assert net.heard[SSP] == [SubsystemChanged(SCP, 146, allowed=False)]
    net.points[SCP].allow(146, allowed=True, concerned=[SSP])
    net.run()
    assert net.heard[SSP][1:] == [SubsystemChanged(SCP, 146, allowed=True)]
    assert net.points[SSP].next_timer() is None


def test_a_loop_ends() -> None:
    """Two points that each send a title to the other: extended unitdata ends, and its sender is told."""
    message = SCCPS["xudt"]._replace(called=BY_TITLE, calling=MSC, return_on_error=True, hop_counter=2)
    point = SccpPoint(STP, [], [Translation("86138", 2, final=False)])
    for hops, cause in ((2, None), (1, ReturnCause.HOP_COUNTER_VIOLATION)):
        octets = sccp.encode(message._replace(hop_counter=hops))
        point.receive(ProtocolData(SSP, STP, 3, 2, 0, 0, octets), 0)
        (sent,) = point.data_to_send()
        got = sccp.decode(sent.user_data)
        if cause is None:
            assert (sent.destination_point_code, got.hop_counter) == (2, 1)
        else:
            assert (sent.destination_point_code, got.type) == (SSP, MessageType.EXTENDED_UNITDATA_SERVICE)
            assert got.return_cause == cause


@pytest.mark.parametrize("size", [255, 256, 400, 401, 3200])
@pytest.mark.parametrize("called", [CAP, BY_TITLE], ids=["by subsystem", "by title"])
def test_what_does_not_fit_goes_in_segments(size: int, called: Address) -> None:
    net, data = Net(), bytes(range(256)) * 13
    net.send(called, data=data[:size])
    (got,) = net.heard[SCP]
    assert got.data == data[:size]
    hops = 1 if called is CAP else 2
    sent = [sccp.decode(each.user_data) for each in net.wire]
    assert len(sent) == hops * (1 if size == 255 else -(-size // 200))
    assert all((each.segmentation is None) == (size == 255) for each in sent)
    assert len(net.points[SCP]._reassembly) == 0


def test_what_is_too_much_comes_back() -> None:
    net = Net()
    net.send(CAP, data=bytes(3201))
    assert net.heard[SSP][0].cause == ReturnCause.SEGMENTATION_NOT_SUPPORTED
    assert net.wire == []


def pieces(count: int) -> list[ProtocolData]:
    net = Net()
    net.points[SSP].send(CAP, MSC, bytes(200 * count))
    return net.points[SSP].data_to_send()


def test_segments_out_of_order_are_given_up() -> None:
    first, second, third = pieces(3)
    for order in ([second], [first, third], [first, second, second]):
        point = SccpPoint(SCP, [146])
        for each in order:
            point.receive(each, 0)
        assert not any(isinstance(each, Unitdata) for each in point.events())
    point = SccpPoint(SCP, [146])
    for each in (first, first, second, third):
        point.receive(each, 0)
    assert [len(each.data) for each in point.events() if isinstance(each, Unitdata)] == [600]


def test_segments_are_not_waited_for_for_ever() -> None:
    first, second = pieces(2)
    point = SccpPoint(SCP, [146])
    point.receive(first, 0)
    point.receive(second, 15.0)
    assert not any(isinstance(each, Unitdata) for each in point.events())
    assert len(point._reassembly) == 0


def test_segments_of_two_are_kept_apart() -> None:
    first, second = pieces(2)
    point = SccpPoint(SCP, [146])
    point.receive(first, 0)
    point.receive(second._replace(originating_point_code=99), 0)
    assert not any(isinstance(each, Unitdata) for each in point.events())
    point.receive(second, 0)
    assert any(isinstance(each, Unitdata) for each in point.events())


def test_who_has_no_point_code_is_answered_where_it_came_from() -> None:
    net = Net()
    message = SCCPS["udt"]._replace(calling=Address(8))
    net.points[SCP].receive(ProtocolData(SSP, SCP, 3, 2, 0, 0, sccp.encode(message)), 0)
    net.run()
    assert net.heard[SCP][0].calling == MSC


def test_other_users_and_noise() -> None:
    point = SccpPoint(SCP, [146])
    point.receive(ProtocolData(SSP, SCP, 5, 2, 0, 0, b"isup"), 0)
    point.receive(ProtocolData(SSP, SCP, 3, 2, 0, 0, b"\x09"), 0)
    assert [type(each) for each in point.events()] == [Fault, Fault]


_OCTETS = [sccp.encode(each) for each in SCCPS.values()]
_ONE = Address(1, SCP)
_OCTETS += [
    sccp.encode(sccp.Message(MessageType.UNITDATA, _ONE, _ONE, sccp.encode_management(each)))
    for each in MANAGEMENTS.values()
]


@given(st.lists(st.sampled_from(_OCTETS), max_size=8), st.integers(0, 4))
def test_any_messages(messages: list[bytes], damage: int) -> None:
    """Whatever comes: at most one message leaves for each that came, and data reach a subsystem only if it is there."""
    point = SccpPoint(SCP, [146], [Translation("8613", SCP)])
    for octets in messages:
        point.receive(ProtocolData(SSP, SCP, 3, 2, 0, 0, octets[damage:]), 0)
        assert len(point.data_to_send()) <= 1
        for event in point.events():
            assert not isinstance(event, Unitdata) or event.called.ssn == 146
        point.next_timer()
        point.on_timer(0)


def test_management_has_names() -> None:
    assert {each.type for each in MANAGEMENTS.values()} == set(ManagementType)
