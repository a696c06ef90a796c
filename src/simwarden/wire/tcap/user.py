"""What CAP and MAP have in common as users of TCAP: operations with their parameters, and how components are shown."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire import asn1
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading
from simwarden.wire.sms.reading import named
from simwarden.wire.tcap.components import Invoke, ReturnError, ReturnResult, decode_component

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from enum import IntEnum

    from simwarden.wire.asn1 import Record
    from simwarden.wire.tcap.components import Component

_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
#: how long an operation may be without its answer, in seconds (TS 29.078 4.3, TS 29.002 17.1.2: in these ranges)
SHORT, MEDIUM, LONG = 6.0, 30.0, 300.0


class OperationClass(enum.IntEnum):
    """What an operation reports (Q.771 3.1.3.1)."""

    SUCCESS_OR_FAILURE = 1
    FAILURE_ONLY = 2
    SUCCESS_ONLY = 3
    NOTHING = 4


class Operation(NamedTuple):
    """An operation: its name and code, what it reports, how long for, its parameters, and since which phase it is."""

    name: str
    opcode: int
    kind: OperationClass
    timer: float
    argument: type[Record] | None = None
    result: type[Record] | None = None
    since: int = 0

    @property
    def word(self) -> str:
        """Its name in lower case with hyphens."""
        return _WORDS.sub("-", self.name).lower()


def operations_in(namespace: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Return the operations that a module defines."""
    return tuple(each for each in namespace.values() if isinstance(each, Operation))


def types_of(message: Any) -> Mapping[int, tuple[Any, Any]]:
    """Return pycrate's types of arguments and results by operation: with their bounds they are only in its messages."""
    invoke = message._cont["begin"]._cont["components"]._cont._cont["basicROS"]._cont["invoke"]  # noqa: SLF001
    table = invoke._cont["argument"]._const_tab._val.root  # noqa: SLF001
    return {each["operationCode"][1]: (each.get("ArgumentType"), each.get("ResultType")) for each in table}


@dataclass(frozen=True)
class TcUser:
    """A user of TCAP: its operations, its errors, and where pycrate's types of arguments and results come from."""

    name: str
    title: str
    operations: tuple[Operation, ...]
    errors: type[IntEnum]
    types: Callable[[], Mapping[int, tuple[Any, Any]]]
    by_code: Mapping[int, Operation] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_code", {each.opcode: each for each in self.operations})

    def operation(self, opcode: int) -> Operation:
        """Return an operation by its code. Raises PeerError."""
        try:
            return self.by_code[opcode]
        except KeyError:
            raise PeerError(f"no operation of {self.title} here has code {opcode}") from None

    def encode_argument(self, operation: Operation, argument: Record | None) -> bytes:
        """Return the element of an argument. Raises ValueError."""
        return self._encode(operation, argument, operation.argument, 0)

    def encode_result(self, operation: Operation, result: Record | None) -> bytes:
        """Return the element of a result. Raises ValueError."""
        return self._encode(operation, result, operation.result, 1)

    def _encode(self, operation: Operation, value: Record | None, kind: type[Record] | None, which: int) -> bytes:
        if value is None:
            return b""
        if kind is None or type(value) is not kind:
            raise ValueError(f"{operation.name} with {value!r}")
        return asn1.encode(self.types()[operation.opcode][which], asn1.to_asn1(value))

    def decode_argument(self, operation: Operation, octets: bytes) -> Any:
        """Read an argument, None where there is none to read. Raises PeerError."""
        return self._decode(operation, octets, operation.argument, 0)

    def decode_result(self, operation: Operation, octets: bytes) -> Any:
        """Read a result, None where there is none. Raises PeerError."""
        return self._decode(operation, octets, operation.result, 1) if octets else None

    def _decode(self, operation: Operation, octets: bytes, kind: type[Record] | None, which: int) -> Any:
        if kind is None:
            return None
        if not octets:
            raise PeerError(f"{operation.name} without its parameters")
        return asn1.from_asn1(kind, asn1.decode(self.types()[operation.opcode][which], octets))


def dissect(user: TcUser, octets: bytes) -> Dissection:
    """Show one component. Raises PeerError."""
    component = decode_component(octets)
    match component:
        case Invoke(invoke_id, opcode, argument):
            operation = user.operation(opcode)
            return _shown(user, operation.word, invoke_id, user.decode_argument(operation, argument))
        case ReturnResult(invoke_id, None):
            return Dissection(f"{user.name}-result", f"{user.title} result", {"invoke_id": invoke_id})
        case ReturnResult(invoke_id, int() as opcode, result):
            operation = user.operation(opcode)
            return _shown(user, f"{operation.word}-result", invoke_id, user.decode_result(operation, result))
        case ReturnError(invoke_id, error):
            return _error(user, invoke_id, error)
    raise PeerError(f"no operation, but {_kind(component)}")


def _kind(component: Component) -> str:
    return type(component).__name__.lower()


def _shown(user: TcUser, name: str, invoke_id: int, record: Record | None) -> Dissection:
    fields = {"invoke_id": invoke_id, **(asn1.shown(record) if record is not None else {})}
    cause = _cause(fields)
    title = f"{user.title} {name.replace('-', ' ')}"
    return Dissection(name, ", ".join(filter(None, [title, cause])), fields, cause)


def _cause(fields: Mapping[str, Any]) -> str:
    """Return the cause by which a call is refused or ends, at whatever depth it is told."""
    for name, value in fields.items():
        if name == "cause":
            return f"Q.850 cause {int(value)} {getattr(value, 'name', '').lower().replace('_', ' ')}".strip()
        if isinstance(value, dict) and (found := _cause(value)):
            return found
    return ""


def _error(user: TcUser, invoke_id: int, error: int) -> Dissection:
    code = named(user.errors, error)
    cause = f"{user.title} error {int(code)} {getattr(code, 'name', '').lower().replace('_', ' ')}".strip()
    return Dissection(f"{user.name}-error", cause, {"invoke_id": invoke_id, "error_code": code}, cause)


class ComponentReading(Reading):
    """How the components of a user are read."""

    user: TcUser
    specification: str = ""
    abbreviations: Mapping[str, str] = {}

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        del known
        return dissect(self.user, data)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        for each in self.user.operations:
            yield each.word
            if each.kind in (OperationClass.SUCCESS_OR_FAILURE, OperationClass.SUCCESS_ONLY):
                yield f"{each.word}-result"
        yield f"{self.user.name}-result"
        yield f"{self.user.name}-error"

    def short_names(self) -> Mapping[str, str]:
        """See Reading."""
        return self.abbreviations

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        invoke_id = MessageField("invoke_id", True, v.NUMBER)
        if name == f"{self.user.name}-error":
            errors = self.user.errors
            code = MessageField("error_code", True, v.members(errors) | v.NUMBER, errors)
            return MessageInfo(f"error of an operation of {self.user.title} ({self.specification})", (invoke_id, code))
        if name == f"{self.user.name}-result":
            return MessageInfo(f"result of {self.user.title} without parameters", (invoke_id,))
        for each in self.user.operations:
            if name in (each.word, f"{each.word}-result"):
                record = each.argument if name == each.word else each.result
                fields = (invoke_id, *(_fields(record) if record is not None else ()))
                what = "operation" if name == each.word else "result of operation"
                return MessageInfo(f"{what} {each.opcode} of {self.user.title} ({self.specification})", fields)
        return None


def _fields(record: type[Record]) -> Iterable[MessageField]:
    for each in asn1.parts(record):
        yield MessageField(each.name, asn1.is_needed(each), each.kind.values, each.kind.enum)
