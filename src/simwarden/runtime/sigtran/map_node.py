"""MAP at a subsystem of an element (TS 29.002 7, 15): operations that it asks of others, and those that others ask.

One dialogue serves one operation of its opener, within which the other side may ask more, by the same handlers
(subscriber data within an UpdateLocation). What cannot be taken is rejected, an operation that fails is answered by its
error; nobody is left without an answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError, SimwardenError
from simwarden.machine.tcap_events import Aborted, Begun, Cancelled, Continued, Ended, Rejected
from simwarden.wire.map import CONTEXTS, MAP_USER, ErrorCode, decode_invoke, decode_result, result
from simwarden.wire.tcap import Invoke, Problem, Reject, ReturnError, ReturnResult
from simwarden.wire.tcap.enums import InvokeProblem, ProblemKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import TypeAlias

    from simwarden.machine.tcap_events import Event
    from simwarden.runtime.sigtran.point import SignallingPoint
    from simwarden.wire.asn1 import Record
    from simwarden.wire.sccp import Address
    from simwarden.wire.tcap import Component, Context
    from simwarden.wire.tcap.user import Operation

    Handler: TypeAlias = Callable[[Any, "Dialogue"], Awaitable[Record | None]]

_VERSION = 3


class MapError(SimwardenError):
    """An operation fails, or has failed at the other side, with an error of the operation and its parameter."""

    def __init__(self, code: int, parameter: bytes = b"") -> None:
        name = ErrorCode(code).name.lower().replace("_", " ") if code in {*ErrorCode} else "error"
        super().__init__(f"MAP error {int(code)} {name}")
        self.code, self.parameter = code, parameter


class NoAnswer(SimwardenError):  # noqa: N818 - says what there was
    """An operation was not answered: the other side cannot be reached, is silent, or answers nothing to be read."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A dialogue with somebody; `peer` is the address that they speak from, which nothing proves."""

    node: MapNode
    number: int
    peer: Address

    async def ask(self, operation: Operation, argument: Record) -> Any:
        """Ask something within it. Raises MapError, NoAnswer."""
        tc = self.node.user.tc
        if tc.state(self.number) is None:
            raise NoAnswer("the dialogue is over")
        return await self.node.invoke(self.number, operation, argument, tc.proceed)


class MapNode:
    """The user of MAP at a subsystem. `handlers` are those of the operations that others may ask here.

    A handler returns the result, None where that says nothing, or raises MapError.
    """

    def __init__(self, point: SignallingPoint, ssn: int, handlers: Mapping[Operation, Handler] | None = None) -> None:
        self._site = point.site
        self._handlers = {each.opcode: handler for each, handler in (handlers or {}).items()}
        #: dialogues of ours that are open
        self._opened: dict[int, tuple[Context, Dialogue]] = {}
        self._asked: dict[tuple[int, int], tuple[Operation, asyncio.Future[Any]]] = {}
        self.user = point.user(ssn, MAP_USER, self._take)

    # -- asking

    async def ask(
        self,
        to: Address,
        context: Context,
        operation: Operation,
        argument: Record,
        *,
        opened: Callable[[int], None] = lambda _dialogue: None,
    ) -> Any:
        """Ask an operation in a dialogue of its own; return its result. Raises MapError, NoAnswer.

        `opened` is told the number of the dialogue, by which handlers know what they are asked in it.
        """
        tc = self.user.tc
        dialogue = tc.open(to, context)
        opened(dialogue)
        self._opened[dialogue] = context, Dialogue(self, dialogue, to)
        try:
            return await self.invoke(dialogue, operation, argument, tc.begin)
        except (NoAnswer, asyncio.CancelledError):
            if tc.state(dialogue) is not None:
                tc.abort(dialogue)
            raise
        finally:
            del self._opened[dialogue]
            if tc.state(dialogue) is not None:  # the answer has not ended it
                tc.end(dialogue)
            self.user.flush()

    async def invoke(self, dialogue: int, operation: Operation, argument: Record, send: Callable[[int], None]) -> Any:
        """Put an operation into a dialogue, `send` that, and wait for the answer. Raises MapError, NoAnswer."""
        octets = MAP_USER.encode_argument(operation, argument)
        invoke_id = self.user.tc.invoke(dialogue, operation, octets, self._site.clock.now())
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[dialogue, invoke_id] = operation, future
        send(dialogue)
        self.user.flush()
        try:
            return await future
        finally:
            self._asked.pop((dialogue, invoke_id), None)

    # -- what comes

    def _take(self, event: Event) -> None:
        match event:
            case Begun():
                self._begin(event)
            case Continued(dialogue, components):
                for each in components:
                    if isinstance(each, Invoke):
                        self._hear_within(dialogue, each)
                self._hear(dialogue, components)
            case Ended(dialogue, components):
                self._hear(dialogue, components)
                self._fail(dialogue, "the dialogue ended without it")
            case Aborted(dialogue, reason):
                self._fail(dialogue, reason)
            case Cancelled(dialogue, invoke_id):
                self._fail(dialogue, "no answer in time", invoke_id)
            case Rejected(dialogue, invoke_id, _, False):
                self._fail(dialogue, "it was rejected", invoke_id)
            case Rejected():
                self._site.note("MAP: a component was rejected")
            case _:
                pass

    def _hear(self, dialogue: int, components: Sequence[Component]) -> None:
        for each in components:
            if isinstance(each, (ReturnResult, ReturnError)):
                self._answered(dialogue, each)

    def _answered(self, dialogue: int, component: ReturnResult | ReturnError) -> None:
        operation, future = self._asked.get((dialogue, component.invoke_id), (None, None))
        if operation is None or future is None or future.done():
            return
        if isinstance(component, ReturnError):
            future.set_exception(MapError(component.error, component.parameter))
            return
        try:
            future.set_result(decode_result(operation, component))
        except PeerError as error:
            self._site.note(f"MAP: {error.reason}")
            future.set_exception(NoAnswer(error.reason))

    def _fail(self, dialogue: int, reason: str, invoke_id: int | None = None) -> None:
        for (number, asked), (_, future) in self._asked.items():
            if number == dialogue and invoke_id in (None, asked) and not future.done():
                future.set_exception(NoAnswer(reason))

    # -- being asked

    def _hear_within(self, number: int, component: Invoke) -> None:
        """Take what is asked in a dialogue that goes on: that is for dialogues of ours alone."""
        context, dialogue = self._opened.get(number, (None, None))
        if context is None or dialogue is None:
            self._reject(number, component, InvokeProblem.UNRECOGNIZED_OPERATION)
            return
        work = self._work(dialogue, component, context)
        if work is not None:
            self._site.spawn(self._serve(dialogue, component.invoke_id, *work, ends=False), work[0].word)
        else:
            self.user.tc.proceed(number)
            self.user.flush()

    def _work(
        self, dialogue: Dialogue, asked: Invoke, context: Context
    ) -> tuple[Operation, Awaitable[Record | None]] | None:
        """Return the operation that is asked for, and its handler at work; None where it is rejected."""
        handler = self._handlers.get(asked.opcode)
        if handler is None or all(each.opcode != asked.opcode for each in CONTEXTS[context]):
            self._reject(dialogue.number, asked, InvokeProblem.UNRECOGNIZED_OPERATION)
            return None
        try:
            operation, argument = decode_invoke(asked)
        except PeerError as error:
            self._site.note(f"MAP: {error.reason}")
            self._reject(dialogue.number, asked, InvokeProblem.MISTYPED_PARAMETER)
            return None
        return operation, handler(argument, dialogue)

    def _begin(self, event: Begun) -> None:
        alternative = _alternative(event.context)
        if alternative != event.context or alternative is None:
            self._site.note(f"MAP: no context {event.context}")
            if event.context is None:  # version 1 knows none, nor an alternative (TS 29.002 7.3.4)
                self.user.tc.abort(event.dialogue)
            else:
                self.user.tc.refuse(event.dialogue, alternative or next(iter(CONTEXTS)))
            self.user.flush()
            return
        asked = next((each for each in event.components if isinstance(each, Invoke)), None)
        if asked is None:
            self._end(event.dialogue)
            return
        dialogue = Dialogue(self, event.dialogue, event.calling)
        work = self._work(dialogue, asked, alternative)
        if work is None:
            self._end(event.dialogue)
        else:
            self._site.spawn(self._serve(dialogue, asked.invoke_id, *work, ends=True), work[0].word)

    async def _serve(
        self,
        dialogue: Dialogue,
        invoke_id: int,
        operation: Operation,
        work: Awaitable[Record | None],
        *,
        ends: bool,
    ) -> None:
        try:
            self._answer(dialogue, result(operation, await work, invoke_id=invoke_id), ends=ends)
        except MapError as error:
            self._answer(dialogue, ReturnError(invoke_id, error.code, error.parameter), ends=ends)
        except Exception:  # a fault of ours is told by the host; whoever asks is refused for a time
            self._answer(dialogue, ReturnError(invoke_id, ErrorCode.SYSTEM_FAILURE), ends=ends)
            raise

    def _answer(self, dialogue: Dialogue, component: ReturnResult | ReturnError, *, ends: bool) -> None:
        tc, number = self.user.tc, dialogue.number
        if tc.state(number) is None:
            return
        tc.answer(number, component)
        if ends:
            tc.end(number)
        else:
            tc.proceed(number)
        self.user.flush()

    def _reject(self, dialogue: int, component: Invoke, problem: InvokeProblem) -> None:
        self.user.tc.answer(dialogue, Reject(component.invoke_id, Problem(ProblemKind.INVOKE, problem)))

    def _end(self, dialogue: int) -> None:
        self.user.tc.end(dialogue)
        self.user.flush()


def _alternative(context: Context | None) -> Context | None:
    """Return the context of version 3 that has a context's name, None where there is none."""
    wanted = (*context[:-1], _VERSION) if context else ()
    return wanted if wanted in CONTEXTS else None
