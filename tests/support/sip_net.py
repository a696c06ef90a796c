"""An element that answers the calls of listed numbers, refuses others, and calls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simwarden.machine.sip_events import Answered, Incoming, Refused, Released
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.sip import SipTrunk
from simwarden.wire.sip import NameAddress, Uri, describe

if TYPE_CHECKING:
    from simwarden.machine.sip_events import CallEvent

LISTED, OTHER = "+8610800000001", "+8610800000002"


class Settings(ElementConfig):
    """Whose calls are answered."""

    listed: tuple[str, ...] = (LISTED,)


class Trunk(Element[Settings]):
    """One end of a trunk."""

    declaration = Declaration(kind="trunk", title="Trunk", lane=1, config=Settings)

    async def start(self) -> None:
        self.heard: list[Any] = []
        self.over: dict[int, asyncio.Future[Any]] = {}
        self.trunk = SipTrunk(self.site, self.take)

    async def stop(self) -> None:
        self.trunk.stop()

    def take(self, event: CallEvent) -> None:
        self.heard.append(event)
        agent, now = self.trunk.agent, self.site.clock.now()
        match event:
            case Incoming(call, request) if request.sender.uri.number in self.config.listed:
                agent.ring(call, now)
                agent.accept(call, now, describe(self.trunk.address[0], 4000))
            case Incoming(call):
                agent.reject(call, 21, now)
            case Answered(call) | Refused(call) | Released(call) if call in self.over:
                future = self.over[call]
                if not future.done():
                    future.set_result(event)
        self.trunk.flush()

    async def call(self, number: str, to: tuple[str, int], caller: str = LISTED, seconds: float = 1.0) -> Any:
        """Call, and hang up after some seconds if the call is answered; return what became of it."""
        host, port = to
        who = NameAddress(Uri(caller, self.trunk.address[0]))
        offer = describe(self.trunk.address[0], 4000)
        call = self.trunk.agent.invite(f"sip:{number}@{host}:{port}", who, to, self.site.clock.now(), body=offer)
        future = self.over[call] = asyncio.get_running_loop().create_future()
        self.trunk.flush()
        told = await future
        if isinstance(told, Answered):
            await self.site.clock.sleep(seconds)
            self.trunk.agent.hang_up(call, self.site.clock.now())
            self.trunk.flush()
        return told
