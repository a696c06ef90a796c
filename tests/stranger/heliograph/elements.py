"""A mirror that flashes, and a station that sees it if its shutter is open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

from heliograph.codec import Flash, FlashCause, decode, encode

if TYPE_CHECKING:
    from simwarden.runtime.link import Link
from simwarden.errors import PeerError
from simwarden.model.values import one_of
from simwarden.operations.element import Element
from simwarden.policy.decision import Control, Ruling
from simwarden.runtime.declare import Declaration, ElementConfig, Names, Observable, VerbModel, verb


class MirrorConfig(ElementConfig):
    """Settings of a mirror."""


class StationConfig(ElementConfig):
    """Settings of a station."""

    shutter: Literal["open", "closed"] = "open"
    """Whether it sees."""


class FlashArguments(VerbModel):
    """What is flashed."""

    to: Annotated[str, Names("station")] = "station"
    """The station."""
    text: str
    """What is said."""
    pieces: int = 1
    """In how many pieces it goes onto the wire."""


class Mirror(Element[MirrorConfig]):
    """Flashes."""

    declaration = Declaration(
        kind="mirror",
        title="Mirror",
        lane=60,
        config=MirrorConfig,
        standing=False,
        calls=("Sun",),
        observables=(Observable("flash", "what became of it", values=one_of("seen", "refused")),),
    )

    async def start(self) -> None:
        """Wait to be told."""

    async def stop(self) -> None:
        """Nothing is left to end."""

    @verb("seen", "refused")
    async def flash(self, arguments: FlashArguments) -> str:
        """Flash a text to a station."""
        link = await self.site.connect("Sun", arguments.to)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def receive(data: bytes, _stream: int) -> None:
            link.record_received(data)
            answer.set_result(data)

        link.on_receive = receive
        octets = encode(Flash(arguments.text, "noon"))
        size = -(-len(octets) // arguments.pieces)
        for start in range(0, len(octets), size):
            link.send(octets[start : start + size])
        outcome = "seen" if decode(await answer).cause == FlashCause.SEEN else "refused"
        self.site.observe("flash", outcome)
        link.close()
        return outcome


def _shutter(*, is_open: bool) -> Ruling:
    return Ruling.admit("the shutter is open") if is_open else Ruling.refuse("the shutter is closed")


SHUTTER = Control("helio.shutter", "helio.shutter", _shutter, ("flash",), "a closed shutter sees nothing")


class Station(Element[StationConfig]):
    """Sees flashes."""

    declaration = Declaration(
        kind="station",
        title="Station",
        lane=80,
        config=StationConfig,
        standing=False,
        listens=("Sun",),
        controls=(SHUTTER,),
    )

    async def start(self) -> None:
        """Look out."""
        await self.site.listen("Sun", self._accept)

    async def stop(self) -> None:
        """Its mirrors end their links themselves."""

    def _accept(self, link: Link) -> None:
        rest = b""

        def receive(data: bytes, _stream: int) -> None:
            nonlocal rest
            link.record_received(data)
            rest += data
            if len(rest) <= rest[0]:
                return
            try:
                decode(rest)
            except PeerError as error:
                self.site.peer_fault(link, error.reason, rest)
                return
            link.know()
            seen = self.site.decide(SHUTTER, on="flash", is_open=self.config.shutter == "open")
            link.send(encode(Flash(cause=FlashCause.SEEN if seen.admitted else FlashCause.SHUTTER_CLOSED)))

        link.on_receive = receive
