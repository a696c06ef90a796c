"""Components: what is asked of the far end, and what becomes of it (Q.773 3.3). Parameters are octets of CAP or MAP."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from simwarden.errors import PeerError
from simwarden.wire import ber
from simwarden.wire.tcap.enums import GeneralProblem, ProblemKind

_INVOKE, _RESULT, _ERROR, _REJECT, _RESULT_NOT_LAST = 0xA1, 0xA2, 0xA3, 0xA4, 0xA7
_LINKED: Final = 0x80


class Problem(NamedTuple):
    """What is wrong with a component: with which kind, and by that kind's own table."""

    kind: ProblemKind
    code: int


class Invoke(NamedTuple):
    """An operation is asked for; `argument` is one element, or empty."""

    invoke_id: int
    opcode: int
    argument: bytes = b""
    linked_id: int | None = None


class ReturnResult(NamedTuple):
    """An operation succeeded. Without `opcode` there is no result to tell; more will follow if it is not the `last`."""

    invoke_id: int
    opcode: int | None = None
    result: bytes = b""
    last: bool = True


class ReturnError(NamedTuple):
    """An operation failed."""

    invoke_id: int
    error: int
    parameter: bytes = b""


class Reject(NamedTuple):
    """A component was not taken; without `invoke_id` the one that it had could not be read."""

    invoke_id: int | None
    problem: Problem


class Malformed(NamedTuple):
    """A component that came and cannot be taken: it is to be rejected so."""

    invoke_id: int | None
    problem: Problem
    octets: bytes


Component: TypeAlias = Invoke | ReturnResult | ReturnError | Reject | Malformed


def encode_component(component: Component) -> bytes:
    """Return the octets of a component."""
    match component:
        case Invoke(invoke_id, opcode, argument, linked):
            link = b"" if linked is None else ber.put_integer(linked, _LINKED)
            return ber.put(_INVOKE, ber.put_integer(invoke_id) + link + ber.put_integer(opcode) + argument)
        case ReturnResult(invoke_id, opcode, result, last):
            told = b"" if opcode is None else ber.put(ber.SEQUENCE, ber.put_integer(opcode) + result)
            return ber.put(_RESULT if last else _RESULT_NOT_LAST, ber.put_integer(invoke_id) + told)
        case ReturnError(invoke_id, error, parameter):
            return ber.put(_ERROR, ber.put_integer(invoke_id) + ber.put_integer(error) + parameter)
        case Reject(invoke, problem):
            which = ber.put(ber.NULL, b"") if invoke is None else ber.put_integer(invoke)
            return ber.put(_REJECT, which + ber.put_integer(problem.code, problem.kind))
        case Malformed(octets=octets):
            return octets


def decode_components(value: bytes) -> tuple[Component, ...]:
    """Read the component portion. What cannot be cut into components is one that is malformed."""
    found: list[Component] = []
    at = 0
    while at < len(value):
        try:
            element = ber.take(value, at)
        except PeerError:
            return (*found, _malformed(None, GeneralProblem.BADLY_STRUCTURED_COMPONENT, value[at:]))
        found.append(_decode(element))
        at += len(element.octets)
    return tuple(found)


def decode_component(octets: bytes) -> Component:
    """Read one component; what is no element at all is malformed too."""
    found = decode_components(octets)
    if len(found) == 1:
        return found[0]
    return _malformed(None, GeneralProblem.BADLY_STRUCTURED_COMPONENT, octets)


def _malformed(invoke_id: int | None, problem: GeneralProblem, octets: bytes) -> Malformed:
    return Malformed(invoke_id, Problem(ProblemKind.GENERAL, problem), octets)


def _decode(element: ber.Element) -> Component:
    if element.tag not in (_INVOKE, _RESULT, _ERROR, _REJECT, _RESULT_NOT_LAST):
        return _malformed(None, GeneralProblem.UNRECOGNIZED_COMPONENT, element.octets)
    invoke_id = None
    try:
        parts = ber.elements(element.value)
        if element.tag == _REJECT:
            return _decode_reject(parts)
        invoke_id = _invoke_id(parts)
        if element.tag == _INVOKE:
            return _decode_invoke(invoke_id, parts[1:])
        if element.tag == _ERROR:
            return ReturnError(invoke_id, _local(parts, 1), _rest(parts, 2))
        return _decode_result(invoke_id, parts[1:], last=element.tag == _RESULT)
    except PeerError:
        return _malformed(invoke_id, GeneralProblem.MISTYPED_COMPONENT, element.octets)


def _invoke_id(parts: list[ber.Element]) -> int:
    number = _local(parts, 0)
    if not -128 <= number <= 127:
        raise PeerError(f"invoke id {number}")
    return number


def _local(parts: list[ber.Element], at: int) -> int:
    """Read a number, and a code that is local. Global ones (object identifiers) have no place in CAP and MAP."""
    if at >= len(parts) or parts[at].tag != ber.INTEGER:
        raise PeerError("no number where there must be one")
    return ber.take_integer(parts[at].value)


def _rest(parts: list[ber.Element], at: int) -> bytes:
    if len(parts) > at + 1:
        raise PeerError("more than one parameter")
    return parts[at].octets if at < len(parts) else b""


def _decode_invoke(invoke_id: int, parts: list[ber.Element]) -> Invoke:
    linked = None
    if parts and parts[0].tag == _LINKED:
        linked = ber.take_integer(parts.pop(0).value)
        if not -128 <= linked <= 127:
            raise PeerError(f"linked id {linked}")
    return Invoke(invoke_id, _local(parts, 0), _rest(parts, 1), linked)


def _decode_result(invoke_id: int, parts: list[ber.Element], *, last: bool) -> ReturnResult:
    if not parts:
        return ReturnResult(invoke_id, last=last)
    if len(parts) > 1 or parts[0].tag != ber.SEQUENCE:
        raise PeerError("a result that is no sequence")
    inside = ber.elements(parts[0].value)
    return ReturnResult(invoke_id, _local(inside, 0), _rest(inside, 1), last)


_KINDS: Final = {int(each): each for each in ProblemKind}


def _decode_reject(parts: list[ber.Element]) -> Reject:
    if len(parts) != 2 or parts[1].tag not in _KINDS:
        raise PeerError("a reject without a problem")
    invoke_id = None if parts[0].tag == ber.NULL else _invoke_id(parts)
    return Reject(invoke_id, Problem(_KINDS[parts[1].tag], ber.take_integer(parts[1].value)))
