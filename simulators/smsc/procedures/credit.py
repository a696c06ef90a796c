"""Credit of messages (TS 32.274 5.3.2): reserved before one is taken, checked at attempts, settled when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.smsc import causes, controls
from simulators.smsc.clients.credit import Request
from simulators.smsc.core import Long
from simulators.smsc.message import Direction, End
from simwarden.wire.diameter import ResultCode
from simwarden.wire.sms import concatenation_of, split_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.smsc.causes import Refusal
    from simulators.smsc.core import Core
    from simulators.smsc.message import ShortMessage
    from simwarden.wire.sms import Concatenation

    Key = tuple[str, str, int, int]

#: long messages whose verdict is kept at most, the oldest goes first; and for how many seconds
_LONG, _LONG_LIFE = 10_000, 600.0
_OCCASIONS: Final = {Direction.TO_GATEWAY: controls.MO, Direction.TO_CARD: controls.SUBMIT}


def reserve(core: Core, message: ShortMessage, told: Callable[[Refusal | None], None]) -> None:
    """Reserve a message's units; `told` hears why there are none. Of a long one the first part is asked for all."""
    part = _part(message)
    if part is None:
        core.credit.reserve(_request(message), lambda result: told(_refusal(result)))
        return
    key = _key(message, part)
    known = core.long.get(key)
    if known is not None and known.until > core.clock.now() and part.number not in known.parts:
        known.parts.add(part.number)
        told(known.refusal)
        return
    core.credit.reserve(_request(message, part.total), lambda result: _answered(core, key, part, result, told))


def _part(message: ShortMessage) -> Concatenation | None:
    return concatenation_of(split_header(message.header)[0]) if message.header else None


def _key(message: ShortMessage, part: Concatenation) -> Key:
    return message.imsi, f"{message.direction}/{message.number}", part.reference, part.total


def _answered(
    core: Core, key: Key, part: Concatenation, result: ResultCode, told: Callable[[Refusal | None], None]
) -> None:
    core.long[key] = Long(_refusal(result), core.clock.now() + _LONG_LIFE, {part.number})
    if len(core.long) > _LONG:
        del core.long[next(iter(core.long))]
    told(core.long[key].refusal)


def _refusal(result: ResultCode) -> Refusal | None:
    """Return what a Result-Code of the OCS refuses with; one that says nothing of a limit is for now (law 10)."""
    if result == ResultCode.DIAMETER_SUCCESS:
        return None
    return causes.USED_UP if result == ResultCode.DIAMETER_CREDIT_LIMIT_REACHED else causes.BUSY


def _request(message: ShortMessage, units: int = 1, on: str = "") -> Request:
    return Request(message.imsi, message.taken, units, on or _OCCASIONS[Direction(message.direction)], message.id)


def check(core: Core, message: ShortMessage, told: Callable[[bool], None]) -> None:
    """Ask whether the units of a message that waits are still covered; false where the limit is lower now."""
    request = _request(message, on=controls.ATTEMPT)
    core.credit.check(request, lambda result: told(_refusal(result) is not causes.USED_UP))


def settle(core: Core, message: ShortMessage, end: End) -> None:
    """Debit a message that was delivered, and give the unit of another back.

    What a card sends is used when it is taken, or it could go on for ever to send what never arrives.
    """
    if message.direction in _OCCASIONS:
        used = end is End.DELIVERED or message.direction == Direction.TO_GATEWAY
        (core.credit.debit if used else core.credit.refund)(_request(message))


def not_kept(core: Core, message: ShortMessage) -> None:
    """Give the unit of a message back that could not be kept; a part of a long one may come again for its own."""
    part = _part(message)
    if part is not None:
        core.long[_key(message, part)].parts.discard(part.number)
    else:
        core.credit.refund(_request(message))
