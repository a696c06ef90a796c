"""Elements that speak CAP over M3UA: an SSP that asks about calls, and an SCP that connects the listed ones."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from sigtran_messages import INITIAL_DP, LISTED

from simwarden.machine.m3ua_gateway import ApplicationServer
from simwarden.machine.sccp import Translation
from simwarden.machine.tcap_events import Aborted, Begun, Cancelled, Continued, Ended
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.sigtran.point import Route, SignallingPoint
from simwarden.wire import cap
from simwarden.wire.q850 import Cause
from simwarden.wire.sccp import Address, GlobalTitle
from simwarden.wire.tbcd import AddressString
from simwarden.wire.tcap import Invoke

SSP, SCP, STP = 8, 146, 1
TITLE = "8613800000046"


class Settings(ElementConfig):
    """Where an element is, whom it dials, whom it serves, and its global titles."""

    point_code: int = SSP
    dials: tuple[tuple[str, int], ...] = ()
    serves: tuple[tuple[int, int], ...] | None = None
    titles: tuple[tuple[str, int, bool], ...] = ()


class Node(Element[Settings]):
    """A signalling point alone: between others it is a gateway, which sends on what is for them."""

    declaration = Declaration(kind="node", title="Node", lane=1, config=Settings)
    point: SignallingPoint

    async def start(self) -> None:
        config = self.config
        servers = None if config.serves is None else [ApplicationServer(*each) for each in config.serves]
        self.point = SignallingPoint(
            self.site,
            config.point_code,
            routes=[Route(*each) for each in config.dials],
            servers=servers,
            translations=[Translation(prefix, to, final=final) for prefix, to, final in config.titles],
        )
        self.bring()
        await self.point.start()

    def bring(self) -> None:
        """Bring the users of TCAP."""

    async def stop(self) -> None:
        self.point.stop()

    async def killed(self) -> None:
        self.point.stop(kill=True)


class Scp(Node):
    """Connects calls to the listed number, and releases others; silent if told so."""

    declaration = Declaration(kind="scp", title="SCP", lane=2, config=Settings)
    silent = False

    def bring(self) -> None:
        self.heard: list[Any] = []
        self.user = self.point.user(146, cap.CAP_USER, self.take)

    def take(self, event: Any) -> None:
        self.heard.append(event)
        if not isinstance(event, Begun) or self.silent:
            return
        tc, dialogue, now = self.user.tc, event.dialogue, self.site.clock.now()
        first = event.components[0]
        assert isinstance(first, Invoke)
        _, asked = cap.decode_invoke(first)
        called = asked.called_party_bcd_number.digits
        operation, argument = (
            (cap.CONNECT, cap.Connect((LISTED,)))
            if called == "10800000001"
            else (cap.RELEASE_CALL, cap.ReleaseCall(Cause(21, 4)))
        )
        tc.invoke(dialogue, operation, cap.CAP_USER.encode_argument(operation, argument), now)
        tc.end(dialogue)
        self.user.flush()


class Ssp(Node):
    """Asks what to do about a call, and takes the answer; without one it is released (Q.850 41)."""

    declaration = Declaration(kind="ssp", title="SSP", lane=3, config=Settings)

    def bring(self) -> None:
        self.waiting: dict[int, asyncio.Future[Any]] = {}
        self.user = self.point.user(8, cap.CAP_USER, self.take)

    def take(self, event: Any) -> None:
        future = self.waiting.pop(event.dialogue, None)
        if future is not None and not future.done():
            future.set_result(event)

    async def call(self, number: str, to: Address | None = None) -> str:
        """Ask about a call; return what is ordered, or why nothing is."""
        tc = self.user.tc
        asked = dataclasses.replace(INITIAL_DP, called_party_bcd_number=AddressString(number, 0))
        dialogue = tc.open(to or Address(146, SCP), cap.CONTEXTS[cap.Phase.FOUR])
        octets = cap.CAP_USER.encode_argument(cap.INITIAL_DP, asked)
        tc.invoke(dialogue, cap.INITIAL_DP, octets, self.site.clock.now())
        future = self.waiting[dialogue] = asyncio.get_running_loop().create_future()
        tc.begin(dialogue)
        self.user.flush()
        event = await future
        match event:
            case Ended(_, components) | Continued(_, components):
                ordered = components[0]
                assert isinstance(ordered, Invoke)
                operation, argument = cap.decode_invoke(ordered)
                cause = getattr(argument, "cause", None)
                return f"{operation.name} {cause.value}" if cause is not None else operation.name
            case Cancelled():
                tc.abort(dialogue)
                self.user.flush()
                return "release 41"
            case Aborted(_, reason):
                return reason
        return "nothing"


BY_TITLE = Address(146, None, GlobalTitle(TITLE, 4, 0, 1), route_on_ssn=False)
