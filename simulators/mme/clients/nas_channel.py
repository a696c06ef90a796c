"""NAS messages down a device's connection, and waiting for what the device answers (TS 24.301 4.4, 10.2)."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING

from simulators.mme.clients import s1
from simulators.mme.contexts import NoAnswer, Wait
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.nas.security_header import SecurityHeaderType

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.mme.contexts import Connection
    from simulators.mme.core import Core
    from simwarden.wire.nas.enums import MessageType

#: a message is sent again on each of the first four expiries; the fifth ends the procedure (TS 24.301 5.4, 5.5)
_TRANSMISSIONS = 5
_CIPHERED = SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED


def protect(conn: Connection, plain: bytes) -> bytes:
    """Return a message as it goes to the device: protected once messages are exchanged securely."""
    return plain if conn.security is None else conn.security.protect(plain, _CIPHERED)


def send(conn: Connection, message: Message) -> None:
    """Send a NAS message in a DOWNLINK NAS TRANSPORT."""
    send_plain(conn, encode(message))


def send_plain(conn: Connection, plain: bytes) -> None:
    """Send an encoded NAS message, protected if messages are exchanged securely."""
    s1.send(conn, "downlink-nas-transport", nas_pdu=protect(conn, plain), clear=plain)


async def ask(
    core: Core,
    conn: Connection,
    request: Message | Callable[[], None],
    timer: str,
    *wanted: MessageType,
    bearer: int = 0,
) -> Message:
    """Send a request, again each time its timer runs out, and return the answer. Raises NoAnswer.

    `bearer`: the answer is one of session management that names it.
    """
    transmit = partial(send, conn, request) if isinstance(request, Message) else request
    seconds: float = getattr(core.config.timers, timer)
    loop = asyncio.get_running_loop()
    for attempt in range(1, _TRANSMISSIONS + 1):
        future: asyncio.Future[Message | None] = loop.create_future()
        conn.waits[bearer] = Wait(wanted, future)
        handle = core.clock.call_later(seconds, partial(s1.expire, future))
        try:
            transmit()
            message = await future
        finally:
            handle.cancel()
            conn.waits.pop(bearer, None)
        if message is not None:
            return message
        core.site.note(f"{timer.upper()} ran out", times=attempt, imsi=conn.ue.imsi if conn.ue else "")
    raise NoAnswer(timer.upper())


def at_first(first: Callable[[], None], conn: Connection, plain: bytes) -> Callable[[], None]:
    """Return what sends an encoded request in one way at first, and as it is when it is sent again."""
    again: Callable[[], None] = partial(send_plain, conn, plain)
    ways = chain((first,), repeat(again))

    def transmit() -> None:
        next(ways)()

    return transmit


def deliver(conn: Connection, message: Message) -> bool:
    """Hand a message to the procedure that waits for it; whether one does."""
    for number in (message.get("eps_bearer_identity", 0), 0):
        waiting = conn.waits.get(number)
        if waiting is not None and message.type in waiting.wanted and not waiting.answer.done():
            waiting.answer.set_result(message)
            return True
    return False
