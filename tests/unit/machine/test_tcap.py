"""TCAP: dialogues between two users, their endings, operations that wait, and what answers damage."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigtran_messages import CAPS, INITIAL_DP, TCAPS

from simwarden.errors import InternalError
from simwarden.machine.tcap import DialogueState, TcapEndpoint
from simwarden.machine.tcap_events import (
    Aborted,
    Begun,
    Cancelled,
    Continued,
    Ended,
    Fault,
    Rejected,
    TcapLimits,
)
from simwarden.wire import cap, tcap
from simwarden.wire.sccp import Address
from simwarden.wire.tcap import (
    Aare,
    Aarq,
    AbortCause,
    Abrt,
    Invoke,
    Message,
    MessageType,
    Problem,
    ProblemKind,
    Reject,
    ReturnError,
    ReturnResult,
)
from simwarden.wire.tcap.user import OperationClass

SSP, SCP = Address(8, 8), Address(146, 146)
FOUR, TWO = cap.CONTEXTS[cap.Phase.FOUR], cap.CONTEXTS[cap.Phase.TWO]
IDP = cap.CAP_USER.encode_argument(cap.INITIAL_DP, INITIAL_DP)


class Bench:
    """An SSP and an SCP, and a wire that keeps what went over it."""

    def __init__(self, limits: TcapLimits | None = None) -> None:
        self.ssp = TcapEndpoint(cap.CAP_USER, SSP, first=100, limits=limits or TcapLimits())
        self.scp = TcapEndpoint(cap.CAP_USER, SCP, first=200, limits=limits or TcapLimits())
        self.heard: dict[TcapEndpoint, list[Any]] = {self.ssp: [], self.scp: []}
        self.wire: list[Message] = []

    def run(self) -> None:
        moved = True
        while moved:
            moved = False
            for near, far in ((self.ssp, self.scp), (self.scp, self.ssp)):
                for each in near.data_to_send():
                    moved = True
                    self.wire.append(tcap.decode(each.data))
                    far.receive(each.called, each.calling, each.data)
                self.heard[far] += far.events()

    def begin(self, context: tuple[int, ...] | None = FOUR) -> tuple[int, int]:
        """Open a dialogue with an InitialDP; return its numbers at both ends."""
        ours = self.ssp.open(SCP, context)
        self.ssp.invoke(ours, cap.INITIAL_DP, IDP, 0)
        self.ssp.begin(ours)
        self.run()
        return ours, self.heard[self.scp][-1].dialogue

    def active(self) -> tuple[int, int]:
        ours, theirs = self.begin()
        self.scp.proceed(theirs)
        self.run()
        self.forget()
        return ours, theirs

    def forget(self) -> None:
        self.wire.clear()
        for each in self.heard.values():
            each.clear()


def test_begin_continue_end() -> None:
    bench = Bench()
    ours, theirs = bench.begin()
    (begun,) = bench.heard[bench.scp]
    assert (begun.called, begun.calling, begun.context) == (SCP, SSP, FOUR)
    assert begun.components == (Invoke(1, 0, IDP),)
    bench.scp.invoke(theirs, cap.REQUEST_REPORT_BCSM_EVENT, CAPS["request-report-bcsm-event"].argument, 0)
    bench.scp.invoke(theirs, cap.CONNECT, CAPS["connect"].argument, 0)
    bench.scp.proceed(theirs)
    bench.run()
    (continued,) = bench.heard[bench.ssp]
    assert continued.context == FOUR
    assert [each.opcode for each in continued.components] == [23, 20]
    assert bench.ssp.state(ours) is bench.scp.state(theirs) is DialogueState.ACTIVE
    bench.ssp.invoke(ours, cap.EVENT_REPORT_BCSM, CAPS["event-report-bcsm"].argument, 0)
    bench.ssp.end(ours)
    bench.run()
    assert isinstance(bench.heard[bench.scp][-1], Ended)
    assert (len(bench.ssp), len(bench.scp)) == (0, 0)
    assert [type(each.dialogue) for each in bench.wire] == [Aarq, Aare, type(None)]


def test_an_end_at_once() -> None:
    bench = Bench()
    _, theirs = bench.begin()
    bench.scp.invoke(theirs, cap.RELEASE_CALL, CAPS["release-call"].argument, 0)
    bench.scp.end(theirs)
    bench.run()
    (ended,) = bench.heard[bench.ssp]
    assert ended.components[0].opcode == cap.RELEASE_CALL.opcode
    assert bench.wire[-1].dialogue == Aare(FOUR)


def test_a_prearranged_end_says_nothing() -> None:
    bench = Bench()
    ours, theirs = bench.active()
    bench.ssp.end(ours, prearranged=True)
    bench.scp.end(theirs, prearranged=True)
    bench.run()
    assert bench.wire == []
    assert (len(bench.ssp), len(bench.scp)) == (0, 0)


def test_a_context_that_is_refused_is_asked_for_in_a_lower_phase() -> None:
    bench = Bench()
    _, theirs = bench.begin()
    bench.scp.refuse(theirs, TWO)
    bench.run()
    (aborted,) = bench.heard[bench.ssp]
    assert (aborted.refused, aborted.by_provider) == (TWO, False)
    bench.begin(aborted.refused)
    assert bench.heard[bench.scp][-1].context == TWO


def test_aborts() -> None:
    bench = Bench()
    ours, _ = bench.active()
    bench.ssp.abort(ours)
    bench.run()
    (aborted,) = bench.heard[bench.scp]
    assert not aborted.by_provider
    assert bench.wire[-1].dialogue == Abrt()
    bench.begin()
    bench.ssp.abort(101)
    bench.run()
    assert bench.wire[-1].type is MessageType.BEGIN, "nobody can be told yet"


def send(bench: Bench, message: Message, to: TcapEndpoint | None = None) -> list[Message]:
    """Give a message to an endpoint, by default the SSP; return what it answers."""
    endpoint = to or bench.ssp
    other = SCP if endpoint is bench.ssp else SSP
    endpoint.receive(endpoint.address, other, tcap.encode(message))
    return [tcap.decode(each.data) for each in endpoint.data_to_send()]


def test_a_transaction_that_is_not_there() -> None:
    bench = Bench()
    (answer,) = send(bench, TCAPS["continue"])
    assert answer == Message(
        MessageType.ABORT, dtid=TCAPS["continue"].otid, cause=AbortCause.UNRECOGNIZED_TRANSACTION_ID
    )
    for name in ("end", "abort by provider", "abort by user"):
        assert send(bench, TCAPS[name]) == []
    assert [type(each) for each in bench.ssp.events()] == [Fault] * 4


def test_who_knows_one_id_alone_cannot_speak() -> None:
    bench = Bench()
    ours, _ = bench.active()
    forged = Message(MessageType.CONTINUE, b"\xff\xff\xff\xff", ours.to_bytes(4), None, (CAPS["release-call"],))
    assert send(bench, forged) == []
    assert isinstance(bench.ssp.events()[0], Fault)
    assert bench.ssp.state(ours) is DialogueState.ACTIVE


@pytest.mark.parametrize("kind", [MessageType.CONTINUE, MessageType.END, MessageType.ABORT])
def test_another_point_cannot_speak(kind: MessageType) -> None:
    """Who guesses a transaction id, and is not where the SCP is, connects no call and ends none."""
    bench = Bench()
    ours, _ = bench.begin()
    otid = b"\0\0\0\x09" if kind is MessageType.CONTINUE else b""
    order = () if kind is MessageType.ABORT else (CAPS["connect"],)
    portion = Abrt() if kind is MessageType.ABORT else Aare(FOUR)
    forged = tcap.encode(Message(kind, otid, ours.to_bytes(4), portion, order))
    bench.ssp.receive(SSP, Address(146, 99), forged)
    assert [type(each) for each in bench.ssp.events()] == [Fault]
    assert bench.ssp.state(ours) is DialogueState.INITIATION_SENT
    bench.ssp.receive(SSP, SCP, forged)
    assert [type(each) for each in bench.ssp.events()] != [Fault]


def test_an_abort_of_the_provider() -> None:
    bench = Bench()
    ours, _ = bench.begin()
    aborted = Message(MessageType.ABORT, dtid=ours.to_bytes(4), cause=AbortCause.RESOURCE_LIMITATION)
    assert send(bench, aborted) == []
    assert bench.ssp.events() == [
        Aborted(ours, "aborted by the provider", by_provider=True, cause=AbortCause.RESOURCE_LIMITATION)
    ]


def test_too_many() -> None:
    bench = Bench(TcapLimits(dialogues=1, invokes=2))
    ours, _ = bench.begin()
    (answer,) = send(bench, TCAPS["begin"], bench.scp)
    assert answer.cause == AbortCause.RESOURCE_LIMITATION
    with pytest.raises(InternalError):
        bench.ssp.open(SCP, FOUR)
    bench.ssp.invoke(ours, cap.INITIAL_DP, IDP, 0)
    with pytest.raises(InternalError):
        bench.ssp.invoke(ours, cap.INITIAL_DP, IDP, 0)


@pytest.mark.parametrize(
    "portion", [None, Aare(TWO), Aare(FOUR, accepted=False), Abrt(), tcap.BadDialogue("bad", b"\x28\x00")]
)
def test_an_answer_without_the_context(portion: Any) -> None:
    """A dialogue that is not accepted by its name does not go on: both ends hear of it."""
    bench = Bench()
    ours, _ = bench.begin()
    message = Message(MessageType.CONTINUE, b"\0\0\0\1", ours.to_bytes(4), portion, (CAPS["connect"],))
    (answer,) = send(bench, message)
    assert (answer.type, answer.dtid, answer.dialogue) == (MessageType.ABORT, b"\0\0\0\1", Abrt(1))
    (event,) = bench.ssp.events()
    assert isinstance(event, Aborted)
    assert event.by_provider
    ours, _ = bench.begin()
    send(bench, Message(MessageType.END, dtid=ours.to_bytes(4), dialogue=portion, components=(CAPS["connect"],)))
    (event,) = bench.ssp.events()
    assert isinstance(event, Aborted)


def test_a_portion_out_of_its_place() -> None:
    bench = Bench()
    ours, theirs = bench.active()
    message = Message(MessageType.CONTINUE, theirs.to_bytes(4), ours.to_bytes(4), Aare(FOUR))
    assert send(bench, message)[0].dialogue == Abrt(1)


@pytest.mark.parametrize("portion", [Aare(FOUR), Abrt(), tcap.BadDialogue("bad", b"\x28\x00")])
def test_a_begin_with_another_portion(portion: Any) -> None:
    bench = Bench()
    (answer,) = send(bench, Message(MessageType.BEGIN, b"\0\0\0\1", dialogue=portion), bench.scp)
    assert answer.dialogue == Abrt(1)
    assert len(bench.scp) == 0


def test_no_portion_at_all() -> None:
    bench = Bench()
    _, theirs = bench.begin(None)
    bench.scp.proceed(theirs)
    bench.run()
    assert bench.heard[bench.ssp] == [Continued(100, ())]
    assert [each.dialogue for each in bench.wire] == [None, None]


# -- components


def test_results_and_errors() -> None:
    bench = Bench()
    ours, theirs = bench.active()
    asked = bench.scp.invoke(theirs, cap.PROMPT_AND_COLLECT, CAPS["prompt-and-collect-user-information"].argument, 0)
    other = bench.scp.invoke(theirs, cap.APPLY_CHARGING, CAPS["apply-charging"].argument, 0)
    bench.scp.proceed(theirs)
    bench.run()
    result = cap.CAP_USER.encode_result(cap.PROMPT_AND_COLLECT, cap.ReceivedInformation("1234"))
    bench.ssp.answer(ours, ReturnResult(asked, cap.PROMPT_AND_COLLECT.opcode, result))
    bench.ssp.answer(ours, ReturnError(other, cap.ErrorCode.TASK_REFUSED))
    bench.ssp.proceed(ours)
    bench.run()
    (continued,) = bench.heard[bench.scp]
    assert [type(each) for each in continued.components] == [ReturnResult, ReturnError]
    assert bench.scp.next_timer() is None


@pytest.mark.parametrize(
    ("component", "kind", "code"),
    [
        (ReturnResult(99), ProblemKind.RETURN_RESULT, 0),
        (ReturnError(99, 1), ProblemKind.RETURN_ERROR, 0),
        (ReturnResult(1), ProblemKind.RETURN_RESULT, 1),
        (ReturnResult(2, 99), ProblemKind.RETURN_RESULT, 1),
        (ReturnError(3, 1), ProblemKind.RETURN_ERROR, 1),
        (Invoke(1, 99), ProblemKind.INVOKE, 1),
        (Invoke(1, 49, b"", 77), ProblemKind.INVOKE, 5),
        (tcap.Malformed(None, Problem(ProblemKind.GENERAL, 0), b"\x5f\x01\x00"), ProblemKind.GENERAL, 0),
    ],
)
def test_what_is_rejected(component: Any, kind: ProblemKind, code: int) -> None:
    """With one each of InitialDP (failure only), PromptAndCollect (both) and Continue (nothing) asked for."""
    bench = Bench()
    ours, theirs = bench.active()
    for operation in (cap.APPLY_CHARGING, cap.PROMPT_AND_COLLECT, cap.CONTINUE):
        bench.ssp.invoke(ours, operation, b"\x30\x00", 0)
    bench.ssp.proceed(ours)
    bench.ssp.data_to_send()
    ids = (theirs.to_bytes(4), ours.to_bytes(4))
    # the ids of the bench: 1 was the InitialDP's
    shift = {ReturnResult: {1: 2, 2: 3}, ReturnError: {3: 4}}.get(type(component), {})
    told = component._replace(invoke_id=shift.get(component.invoke_id, component.invoke_id))
    assert send(bench, Message(MessageType.CONTINUE, *ids, None, (told,))) == []
    rejected, continued = bench.ssp.events()
    assert rejected == Rejected(ours, told.invoke_id, Problem(kind, code), local=True)
    assert continued == Continued(ours, ())
    bench.ssp.proceed(ours)
    (sent,) = bench.ssp.data_to_send()
    assert tcap.decode(sent.data).components == (Reject(told.invoke_id, Problem(kind, code)),)
    bench.scp.receive(SCP, SSP, sent.data)


def test_an_id_in_use() -> None:
    bench = Bench()
    ours, theirs = bench.active()
    twice = (CAPS["activity-test"], CAPS["activity-test"])
    send(bench, Message(MessageType.CONTINUE, theirs.to_bytes(4), ours.to_bytes(4), None, twice))
    rejected, continued = bench.ssp.events()
    assert isinstance(rejected, Rejected)
    assert rejected.problem == Problem(ProblemKind.INVOKE, 0)
    assert isinstance(continued, Continued)
    assert len(continued.components) == 1


def test_a_reject_of_the_peer() -> None:
    bench = Bench()
    ours, theirs = bench.begin()
    bench.scp.answer(theirs, Reject(1, Problem(ProblemKind.INVOKE, 2)))
    bench.scp.end(theirs)
    bench.run()
    assert bench.heard[bench.ssp] == [
        Rejected(ours, 1, Problem(ProblemKind.INVOKE, 2), local=False),
        Ended(ours, ()),
    ]


def test_operations_whose_time_is_over() -> None:
    bench = Bench()
    ours, _ = bench.active()
    bench.ssp.on_timer(5.9)
    assert bench.ssp.events() == []
    bench.ssp.invoke(ours, cap.ACTIVITY_TEST, b"", 1.0)
    timer = bench.ssp.next_timer()
    assert timer is not None
    assert timer.deadline == cap.INITIAL_DP.timer
    bench.ssp.on_timer(7.0)
    assert bench.ssp.events() == [
        Cancelled(ours, 1, 0, OperationClass.FAILURE_ONLY),
        Cancelled(ours, 2, 55, OperationClass.SUCCESS_ONLY),
    ]
    assert bench.ssp.next_timer() is None


def test_what_is_not_delivered_ends_a_dialogue() -> None:
    bench = Bench()
    ours = bench.ssp.open(SCP, FOUR)
    bench.ssp.begin(ours)
    (sent,) = bench.ssp.data_to_send()
    bench.ssp.returned(sent.data, "subsystem failure")
    bench.ssp.returned(b"\x62", "noise")
    assert bench.ssp.events() == [Aborted(ours, "not delivered: subsystem failure", by_provider=True)]


@pytest.mark.parametrize(
    ("octets", "cause", "told"),
    [
        ("620648040000000149", AbortCause.BADLY_FORMATTED_TRANSACTION_PORTION, True),
        ("6106480400000001", AbortCause.UNRECOGNIZED_MESSAGE_TYPE, True),
        ("6506480400000001", AbortCause.INCORRECT_TRANSACTION_PORTION, True),
        ("62084804000000015000", AbortCause.INCORRECT_TRANSACTION_PORTION, True),
        ("6200", AbortCause.INCORRECT_TRANSACTION_PORTION, False),
        ("", AbortCause.BADLY_FORMATTED_TRANSACTION_PORTION, False),
    ],
)
def test_damage_is_answered_where_there_is_somebody_to_tell(octets: str, cause: AbortCause, told: Any) -> None:
    bench = Bench()
    bench.scp.receive(SCP, SSP, bytes.fromhex(octets))
    sent = [tcap.decode(each.data) for each in bench.scp.data_to_send()]
    assert sent == ([Message(MessageType.ABORT, dtid=b"\0\0\0\1", cause=cause)] if told else [])
    assert isinstance(bench.scp.events()[0], Fault)


def test_damage_ends_the_transaction_that_it_names() -> None:
    bench = Bench()
    ours, theirs = bench.active()
    octets = tcap.encode(Message(MessageType.CONTINUE, theirs.to_bytes(4), ours.to_bytes(4)))
    bench.ssp.receive(SSP, SCP, octets + b"\0")
    assert any(isinstance(each, Aborted) for each in bench.ssp.events())
    assert len(bench.ssp) == 0


def test_what_is_over_cannot_be_used() -> None:
    bench = Bench()
    ours, theirs = bench.begin()
    for call, number in ((bench.ssp.proceed, ours), (bench.ssp.begin, ours), (bench.scp.begin, theirs)):
        with pytest.raises(InternalError):
            call(number)
    bench.scp.end(theirs)
    with pytest.raises(InternalError):
        bench.scp.abort(theirs)


@given(
    st.lists(st.tuples(st.sampled_from([tcap.encode(each) for each in TCAPS.values()]), st.integers(0, 60)), max_size=8)
)
def test_any_messages(messages: list[tuple[bytes, int]]) -> None:
    """Whatever comes, at most one message answers it, and components are told of open dialogues alone."""
    scp = TcapEndpoint(cap.CAP_USER, SCP, first=1)
    known: set[int] = set()
    for octets, cut in messages:
        scp.receive(SCP, SSP, octets[: len(octets) - cut] if cut < 40 else octets)
        assert len(scp.data_to_send()) <= 1
        for event in scp.events():
            if isinstance(event, Begun):
                known.add(event.dialogue)
            assert isinstance(event, Fault) or event.dialogue in known
