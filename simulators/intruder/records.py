"""Operations of CAP and their arguments from the words of a story: records are mappings by our names of their parts."""

from __future__ import annotations

import enum
import types
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin, get_type_hints

from simwarden.errors import ManagementError
from simwarden.wire import cap
from simwarden.wire.asn1 import Record
from simwarden.wire.isup import GenericNumber, Number
from simwarden.wire.q850 import Cause
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from simwarden.wire.tcap.user import Operation

#: what annotations of records name, and their modules import for types only
_NAMES: Final = {each.__name__: each for each in (AddressString, Cause, GenericNumber, Number)}
_TRUE: Final = ("true", "yes", "1")


def operation_of(name: str) -> Operation:
    """Return an operation by its name, in whatever spelling (`initial-dp`). Raises ManagementError (400)."""
    known = {each.name.lower(): each for each in cap.CAP_USER.operations}
    found = known.get(_plain(name))
    if found is None:
        raise ManagementError(400, f"no operation of CAP is called {name}; known: {', '.join(sorted(known))}")
    return found


def octets_of(operation: Operation, argument: Any, phase: cap.Phase) -> bytes:
    """Return the octets of an argument: a mapping as a phase has it, a text as hexadecimal ones, whatever they are.

    Raises ManagementError (400).
    """
    try:
        if isinstance(argument, str) and argument:
            return bytes.fromhex(argument)
        record = _make(operation.argument, argument) if operation.argument is not None and argument else None
        return cap.encode(operation, record, phase)
    except (ValueError, TypeError, KeyError) as error:
        raise ManagementError(400, f"{operation.name}: {argument!r} is not its argument: {error}") from error


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


def _make(hint: Any, value: Any) -> Any:
    """Return a value of a type; a single word stands for the first part of what has several."""
    if get_origin(hint) in (Union, types.UnionType):
        return _make(next(each for each in get_args(hint) if each is not type(None)), value)
    if get_origin(hint) is tuple:
        return tuple(_make(get_args(hint)[0], each) for each in value)
    if issubclass(hint, (Record, tuple)):
        hints = get_type_hints(hint, localns=_NAMES)
        hints.pop("form", None)  # of the class, and no part
        given = value if isinstance(value, dict) else {next(iter(hints)): value}
        return hint(**{name: _make(hints[name], each) for name, each in given.items()})
    if issubclass(hint, enum.Enum):
        return {_plain(each.name): each for each in hint}[_plain(str(value))]
    if hint is bytes:
        return bytes.fromhex(str(value))
    return str(value).lower() in _TRUE if hint is bool else hint(value)
