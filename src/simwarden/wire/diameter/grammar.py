"""Whether a request keeps its command's grammar, and the Result-Code if it does not: RFC 6733 3.2, 7.1.3 and 7.1.5."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.wire.diameter.codes import Application, ResultCode
from simwarden.wire.diameter.dictionary import (
    AVPS,
    CLOSED_ENUMERATIONS,
    COMMANDS,
    ENUMERATIONS,
    GROUPS,
    Command,
    Kind,
)
from simwarden.wire.diameter.message import (
    FLAG_ERROR,
    FLAG_PROXIABLE,
    Avps,
    DiameterError,
    Message,
    RawAvp,
    SharedGroup,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from simwarden.wire.diameter.dictionary import Grammar

_VALID_VALUES = {name: frozenset(map(int, ENUMERATIONS[name])) for name in CLOSED_ENUMERATIONS}


def check_request(message: Message, applications: Collection[int]) -> None:
    """Check a decoded request as a server of these applications must. Raises DiameterError, the most basic fault first.

    3007 application, 3001 command, 3008 header bits, 5001 AVP not understood, then the grammar: 5005, 5008, 5009, 5004.
    """
    command = check_header(message, applications)
    if message.unsupported:
        raw = message.unsupported[0]
        reason = f"{raw.name} has the M bit and is not known"
        raise DiameterError(ResultCode.DIAMETER_AVP_UNSUPPORTED, reason, [(raw.name, raw)])
    check_avps(message.avps, command.grammar)


def check_header(message: Message, applications: Collection[int]) -> Command:
    """Check the header of a request; return its command. Raises DiameterError: 3007, 3001 or 3008."""
    if message.application != Application.BASE and message.application not in applications:
        reason = f"application {message.application} is not served here"
        raise DiameterError(ResultCode.DIAMETER_APPLICATION_UNSUPPORTED, reason)
    command = COMMANDS.get((message.application, message.command, True))
    if command is None:
        reason = f"command {message.command} is not of application {message.application}"
        raise DiameterError(ResultCode.DIAMETER_COMMAND_UNSUPPORTED, reason)
    if message.flags & FLAG_ERROR or bool(message.flags & FLAG_PROXIABLE) != command.proxiable:
        reason = f"header flags {message.flags:#04x} do not fit {command.name}"
        raise DiameterError(ResultCode.DIAMETER_INVALID_HDR_BITS, reason)
    return command


def check_avps(avps: Sequence[tuple[str, Any]], grammar: Grammar) -> None:
    """Check AVPs against the grammar of their command or group. Raises DiameterError: 5004, 5005, 5008 or 5009."""
    counts: dict[str, int] = {}
    rules = grammar.rules
    for name, value in avps:
        counts[name] = counts.get(name, 0) + 1
        if name not in rules and not grammar.extensible:
            raise DiameterError(
                ResultCode.DIAMETER_AVP_NOT_ALLOWED, f"{name} does not belong in {grammar.name}", [(name, value)]
            )
        if name in _VALID_VALUES and value not in _VALID_VALUES[name]:
            raise DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, f"{name} is {value}", [(name, value)])
        if isinstance(value, list) and name in GROUPS and name != "Failed-AVP":
            _check_group(value, GROUPS[name])
    for name in grammar.required:
        if name not in counts:
            raise DiameterError(
                ResultCode.DIAMETER_MISSING_AVP, f"{grammar.name} lacks {name}", [(name, empty_value(name))]
            )
    for name, count in counts.items():
        most = rules[name][1] if name in rules else None
        if most is not None and count > most:
            raise _too_many(avps, name, most, grammar)


def _check_group(avps: Avps, grammar: Grammar) -> None:
    """Check a group; one that messages have in common is checked once."""
    if not isinstance(avps, SharedGroup):
        check_avps(avps, grammar)
    elif avps.grammar is not grammar:
        check_avps(avps, grammar)
        avps.grammar = grammar


def _too_many(avps: Sequence[tuple[str, Any]], name: str, most: int, grammar: Grammar) -> DiameterError:
    """Make the fault for the first occurrence beyond the limit, which Failed-AVP must hold (RFC 6733 7.1.5, 5009)."""
    extra = [value for key, value in avps if key == name][most]
    reason = f"{grammar.name} has more than {most} {name}"
    return DiameterError(ResultCode.DIAMETER_AVP_OCCURS_TOO_MANY_TIMES, reason, [(name, extra)])


def empty_value(name: str) -> RawAvp:
    """Return an AVP with the least data that its type allows, zeroed: the example of a missing one (RFC 6733 7.5)."""
    avp = AVPS[name]
    least = 6 if avp.kind == Kind.ADDRESS else avp.size
    return RawAvp(avp.code, avp.vendor, avp.word >> 24, bytes(least))
