"""CP and RP entities back to back: transactions of both sides, repetitions, timers, and what is out of its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.errors import InternalError
from simwarden.machine.ppsms import Answered, Arrived, Event, Fault, Ppsms, acknowledge, refuse
from simwarden.wire.ppsms import Cp, CpCause, CpType, Rp, RpCause, RpType, decode_cp, encode_cp, encode_rp
from simwarden.wire.sms import Address, Ton

CENTRE = Address("8613800100500", Ton.INTERNATIONAL)


def data(reference: int, *, from_mobile: bool = True) -> Rp:
    originator, destination = (None, CENTRE) if from_mobile else (CENTRE, None)
    return Rp(RpType.RP_DATA, reference, from_mobile, originator, destination, b"\x01\x02")


class Bench:
    """A mobile and a network, and what is on its way; `now` is the only clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.mobile, self.network = Ppsms(mobile=True), Ppsms(mobile=False)
        self.heard: dict[Ppsms, list[Event]] = {self.mobile: [], self.network: []}
        self.lose: set[CpType] = set()

    def run(self) -> None:
        moved = True
        while moved:
            moved = False
            for one, other in ((self.mobile, self.network), (self.network, self.mobile)):
                for octets in one.data_to_send():
                    moved = True
                    if decode_cp(octets).type not in self.lose:
                        other.receive(octets, self.now)
                self.heard[one] += one.events()

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            due = [each.deadline for one in self.heard if (each := one.next_timer()) is not None]
            if not due or min(due) > end:
                break
            self.now = min(due)
            for one in self.heard:
                one.on_timer(self.now)
            self.run()
        self.now = end


def test_message_is_acknowledged_and_answered_in_one_transaction() -> None:
    bench = Bench()
    transaction = bench.mobile.begin(data(7), bench.now)
    bench.run()
    assert bench.heard[bench.network] == [Arrived(transaction, data(7))]
    bench.network.answer(transaction, acknowledge(data(7), b"\x01"), bench.now)
    bench.run()
    assert bench.heard[bench.mobile] == [
        Answered(transaction, Rp(RpType.RP_ACK, 7, from_mobile=False, user_data=b"\x01"))
    ]
    assert not bench.mobile.busy
    assert not bench.network.busy


def test_messages_of_both_sides_run_beside_each_other() -> None:
    bench = Bench()
    up, down = bench.mobile.begin(data(1), 0), bench.network.begin(data(1, from_mobile=False), 0)
    bench.run()
    assert up == down == 0  # told apart by the flag alone
    bench.mobile.answer(down, refuse(data(1, from_mobile=False), RpCause.MEMORY_CAPACITY_EXCEEDED), 0)
    bench.network.answer(up, acknowledge(data(1)), 0)
    bench.run()
    (answer,) = [each for each in bench.heard[bench.network] if isinstance(each, Answered)]
    assert answer.answer is not None
    assert (answer.answer.type, answer.answer.cause) == (RpType.RP_ERROR, RpCause.MEMORY_CAPACITY_EXCEEDED)
    (other,) = [each for each in bench.heard[bench.mobile] if isinstance(each, Answered)]
    assert other.answer is not None
    assert other.answer.type is RpType.RP_ACK


def test_data_without_acknowledgement_is_sent_again_and_heard_once() -> None:
    bench = Bench()
    bench.lose = {CpType.CP_ACK}
    bench.mobile.begin(data(1), bench.now)
    bench.run()
    bench.wait(12)
    assert [type(each) for each in bench.heard[bench.network]] == [Arrived]
    bench.wait(20)
    assert bench.heard[bench.mobile] == [Answered(0, None, "TC1* ran out")]


def test_message_without_answer_ends_with_its_timer() -> None:
    bench = Bench()
    bench.mobile.begin(data(1), bench.now)
    bench.run()
    bench.wait(39)
    assert bench.heard[bench.mobile] == []
    bench.wait(2)
    assert bench.heard[bench.mobile] == [Answered(0, None, "TR1* ran out")]
    bench.network.answer(0, acknowledge(data(1)), bench.now)  # too late: nobody waits
    assert bench.network.data_to_send() == []


def test_second_data_before_the_acknowledgement_is_an_error() -> None:
    network = Ppsms(mobile=False)
    network.begin(data(1, from_mobile=False), 0)
    network.data_to_send()
    answer = encode_rp(acknowledge(data(1, from_mobile=False)))
    network.receive(encode_cp(Cp(CpType.CP_DATA, 0, answering=True, user_data=answer)), 0)
    sent = [decode_cp(each) for each in network.data_to_send()]
    assert [(each.type, each.cause) for each in sent] == [
        (CpType.CP_ERROR, CpCause.MESSAGE_NOT_COMPATIBLE_WITH_PROTOCOL_STATE)
    ]
    assert [type(each) for each in network.events()] == [Fault, Answered]


def test_answer_in_a_transaction_that_is_not_there_is_an_error() -> None:
    network = Ppsms(mobile=False)
    network.receive(encode_cp(Cp(CpType.CP_DATA, 3, answering=True, user_data=b"\x02\x01")), 0)
    (sent,) = [decode_cp(each) for each in network.data_to_send()]
    assert (sent.type, sent.transaction, sent.cause) == (
        CpType.CP_ERROR,
        3,
        CpCause.INVALID_TRANSACTION_IDENTIFIER_VALUE,
    )


def test_rp_that_cannot_be_read_is_answered_by_its_cause() -> None:
    for user_data, cause in (
        (b"\x00\x09\x00\x00\x00", RpCause.INVALID_MANDATORY_INFORMATION),
        (b"\x01\x09\x00", RpCause.INVALID_MANDATORY_INFORMATION),
        (b"\x02\x09", RpCause.MESSAGE_NOT_COMPATIBLE_WITH_PROTOCOL_STATE),
        (b"\x03\x09", RpCause.MESSAGE_TYPE_NON_EXISTENT),
    ):
        network = Ppsms(mobile=False)
        network.receive(encode_cp(Cp(CpType.CP_DATA, 0, user_data=user_data)), 0)
        acknowledged, refused = [decode_cp(each) for each in network.data_to_send()]
        assert acknowledged.type is CpType.CP_ACK
        mobile = Ppsms(mobile=True)
        assert mobile.begin(data(9), 0) == 0
        mobile.receive(encode_cp(Cp(CpType.CP_ACK, 0, answering=True)), 0)
        mobile.receive(encode_cp(refused), 0)
        (answer,) = [each for each in mobile.events() if isinstance(each, Answered)]
        assert answer.answer is not None
        assert (answer.answer.reference, answer.answer.cause) == (9, cause)


def test_lost_connection_ends_all() -> None:
    bench = Bench()
    bench.mobile.begin(data(1), 0)
    bench.mobile.begin(data(2), 0)
    bench.mobile.lost("released")
    assert bench.mobile.events() == [Answered(0, None, "released"), Answered(1, None, "released")]
    assert bench.mobile.next_timer() is None


def test_what_rp_cannot_carry_leaves_no_transaction_and_may_be_answered_otherwise() -> None:
    bench = Bench()
    with pytest.raises(ValueError, match="TPDU of 233"):
        bench.mobile.begin(Rp(RpType.RP_DATA, 1, True, None, CENTRE, bytes(234)), 0)
    assert not bench.mobile.busy
    bench.mobile.begin(data(1), 0)
    bench.run()
    with pytest.raises(ValueError, match="TPDU of 233"):
        bench.network.answer(0, acknowledge(data(1), bytes(234)), 0)
    bench.network.answer(0, acknowledge(data(1)), 0)
    bench.run()
    assert [type(each) for each in bench.heard[bench.mobile]] == [Answered]


def test_eighth_transaction_is_a_fault_of_the_owner() -> None:
    mobile = Ppsms(mobile=True)
    for number in range(7):
        mobile.begin(data(number), 0)
    with pytest.raises(InternalError):
        mobile.begin(data(8), 0)


@given(st.lists(st.binary(max_size=24), max_size=8), st.booleans())
def test_any_octets_are_answered_or_left(messages: list[bytes], mobile: bool) -> None:  # noqa: FBT001
    end = Ppsms(mobile=mobile)
    for octets in messages:
        end.receive(octets, 0.0)
        for sent in end.data_to_send():
            decode_cp(sent)
    end.on_timer(1000.0)
    end.events()


@given(st.data())
def test_transactions_end_whatever_is_lost(draw: st.DataObject) -> None:
    bench = Bench()
    for number in range(draw.draw(st.integers(1, 5))):
        bench.lose = draw.draw(st.sets(st.sampled_from(CpType)))
        if draw.draw(st.booleans()):
            bench.mobile.begin(data(number), bench.now)
        else:
            bench.network.begin(data(number, from_mobile=False), bench.now)
        bench.run()
        bench.wait(draw.draw(st.sampled_from((0, 12, 50))))
    bench.wait(200)
    assert not bench.mobile.busy
    assert not bench.network.busy
