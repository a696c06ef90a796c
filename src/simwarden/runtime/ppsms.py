"""The ring of the event loop around CP and RP of one device and its MME (`machine.ppsms`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simwarden.machine.ppsms import Answered, Arrived, Fault, Ppsms, PpsmsTimers
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.runtime.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.clock import Clock
    from simwarden.wire.ppsms import Rp


class ShortMessageLink:
    """Short messages over one device's signalling: `send` takes octets for a NAS message container.

    `take` is given the messages of the far end, each with the transaction to `answer`; `fault` what breaks the
    protocol. Messages of one's own go one after the other (TS 24.011 5.4), beside those of the far end.
    """

    __slots__ = ("_clock", "_fault", "_pending", "_send", "_take", "_timer", "_turn", "entity")

    def __init__(
        self,
        clock: Clock,
        *,
        mobile: bool,
        send: Callable[[bytes], None],
        take: Callable[[int, Rp], None],
        fault: Callable[[str, bytes], None],
        timers: PpsmsTimers = PpsmsTimers(),  # noqa: B008 - it is a constant
    ) -> None:
        self.entity = Ppsms(mobile=mobile, timers=timers)
        self._clock, self._send, self._take, self._fault = clock, send, take, fault
        self._timer = MachineTimer(clock, self.entity.on_timer, self._flush, internal=False)
        self._pending: Pending[int, Answered] = Pending()
        self._turn = asyncio.Lock()

    async def ask(self, make: Callable[[int], Rp]) -> Answered:
        """Send a message, made with its reference, when its turn comes; return what became of it."""
        async with self._turn:
            transaction = self.entity.begin(make(self.entity.next_reference()), self._clock.now())
            answer = self._pending.expect(transaction)
            self._flush()
            try:
                return await answer
            finally:
                self._pending.pop(transaction, None)

    def answer(self, transaction: int, message: Rp) -> None:
        """Answer a message of the far end."""
        self.entity.answer(transaction, message, self._clock.now())
        self._flush()

    def receive(self, data: bytes) -> None:
        """Take the octets of a NAS message container."""
        self.entity.receive(data, self._clock.now())
        self._flush()

    def lost(self, reason: str) -> None:
        """Take note that the signalling connection is gone."""
        self.entity.lost(reason)
        self._flush()

    def _flush(self) -> None:
        for octets in self.entity.data_to_send():
            self._send(octets)
        for event in self.entity.events():
            match event:
                case Arrived():
                    self._take(event.transaction, event.message)
                case Answered():
                    self._pending.settle(event.transaction, event)
                case Fault():
                    self._fault(event.reason, event.data)
        self._timer.arm(self.entity.next_timer())
