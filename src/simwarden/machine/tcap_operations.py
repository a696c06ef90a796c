"""The components of one dialogue (Q.774 3.2): operations that wait for answers, and what of the peer's is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.errors import InternalError
from simwarden.wire.tcap import (
    Component,
    Invoke,
    Malformed,
    Problem,
    ProblemKind,
    Reject,
    ReturnError,
    ReturnResult,
)
from simwarden.wire.tcap.enums import InvokeProblem, ReturnErrorProblem, ReturnResultProblem
from simwarden.wire.tcap.user import OperationClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.wire.tcap.user import Operation

_RESULTS: Final = frozenset({OperationClass.SUCCESS_OR_FAILURE, OperationClass.SUCCESS_ONLY})
_ERRORS: Final = frozenset({OperationClass.SUCCESS_OR_FAILURE, OperationClass.FAILURE_ONLY})


class Waiting(NamedTuple):
    """An operation of ours, and until when an answer to it may come."""

    opcode: int
    kind: OperationClass
    until: float


class Operations:
    """The component state machines of a dialogue."""

    __slots__ = ("_last", "_most", "_operation", "_unanswered", "out", "waiting")

    def __init__(self, operation: Callable[[int], Operation | None], most: int) -> None:
        self._operation, self._most = operation, most
        self.waiting: dict[int, Waiting] = {}
        #: components that go with the next message
        self.out: list[Component] = []
        #: operations of the peer's that must be answered, by their ids
        self._unanswered: set[int] = set()
        self._last = 0

    # -- ours

    def invoke(self, operation: Operation, argument: bytes, now: float, linked_id: int | None) -> int:
        """Ask for an operation with the next message; return its id. Raises InternalError where too many wait."""
        if len(self.waiting) >= self._most:
            raise InternalError(f"{self._most} operations without answers in one dialogue")
        while True:
            self._last = self._last % 127 + 1
            if self._last not in self.waiting:
                break
        self.waiting[self._last] = Waiting(operation.opcode, operation.kind, now + operation.timer)
        self.out.append(Invoke(self._last, operation.opcode, argument, linked_id))
        return self._last

    def answer(self, component: ReturnResult | ReturnError | Reject) -> None:
        """Answer an operation of the peer's with the next message."""
        if component.invoke_id is not None:
            self._unanswered.discard(component.invoke_id)
        self.out.append(component)

    def take_out(self) -> tuple[Component, ...]:
        """Return what goes with a message, and forget it."""
        out, self.out = tuple(self.out), []
        return out

    # -- the peer's

    def hear(self, component: Component) -> tuple[int | None, Problem] | None:
        """Take a component; return what is wrong with it, by which it is then rejected with the next message."""
        problem = self._problem(component)
        if problem is None:
            return None
        invoke_id = getattr(component, "invoke_id", None)
        self.out.append(Reject(invoke_id, problem))
        return invoke_id, problem

    def _problem(self, component: Component) -> Problem | None:
        match component:
            case Malformed(problem=problem):
                return problem
            case Invoke():
                return self._hear_invoke(component)
            case ReturnResult():
                return self._hear_result(component)
            case ReturnError():
                return self._hear_error(component)
            case Reject(int() as invoke_id):
                self.waiting.pop(invoke_id, None)
                self._unanswered.discard(invoke_id)
        return None

    def _hear_invoke(self, component: Invoke) -> Problem | None:
        operation = self._operation(component.opcode)
        if operation is None:
            return Problem(ProblemKind.INVOKE, InvokeProblem.UNRECOGNIZED_OPERATION)
        if component.invoke_id in self._unanswered:
            return Problem(ProblemKind.INVOKE, InvokeProblem.DUPLICATE_INVOKE_ID)
        if component.linked_id is not None and component.linked_id not in self.waiting:
            return Problem(ProblemKind.INVOKE, InvokeProblem.UNRECOGNIZED_LINKED_ID)
        if operation.kind in _RESULTS:  # of the others nobody can tell when they are over
            self._unanswered.add(component.invoke_id)
        return None

    def _hear_result(self, component: ReturnResult) -> Problem | None:
        waiting = self.waiting.get(component.invoke_id)
        if waiting is None:
            return Problem(ProblemKind.RETURN_RESULT, ReturnResultProblem.UNRECOGNIZED_INVOKE_ID)
        if waiting.kind not in _RESULTS or component.opcode not in (None, waiting.opcode):
            return Problem(ProblemKind.RETURN_RESULT, ReturnResultProblem.RETURN_RESULT_UNEXPECTED)
        if component.last:
            del self.waiting[component.invoke_id]
        return None

    def _hear_error(self, component: ReturnError) -> Problem | None:
        waiting = self.waiting.get(component.invoke_id)
        if waiting is None:
            return Problem(ProblemKind.RETURN_ERROR, ReturnErrorProblem.UNRECOGNIZED_INVOKE_ID)
        if waiting.kind not in _ERRORS:
            return Problem(ProblemKind.RETURN_ERROR, ReturnErrorProblem.RETURN_ERROR_UNEXPECTED)
        del self.waiting[component.invoke_id]
        return None
