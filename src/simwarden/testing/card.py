"""A scripted card, a terminal's contacts and a cell: the ends of ME-UICC and of Uu, which do what a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from simwarden.model.form import Slot
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.wire import uu
from simwarden.wire.apdu import CommandApdu, ResponseApdu, again_with, cat
from simwarden.wire.apdu.control import ATR, Control, control_of, insertion, insertion_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.model.identity import Imei
    from simwarden.runtime.link import Link

_PLMN = Plmn("001", "01")
#: two cells of one eNB, each with a tracking area of its own
CELLS = tuple(uu.CellInformation(Ecgi(_PLMN, 0x101 + i), Tai(_PLMN, 1 + i)) for i in range(2))
#: what a card is asked that answers nothing sensible: 6F00, no precise diagnosis (TS 102 221 10.2.1.5)
_NO_DIAGNOSIS = b"\x6f\x00"


class ScriptedListener(Element[ElementConfig]):
    """Who is called on a reference point, keeps in `got` what comes, and answers by `answer`."""

    interface: ClassVar[str]

    async def start(self) -> None:
        """Listen."""
        self.links: list[Link] = []
        self.got: list[bytes] = []
        await self.site.listen(self.interface, self._accept)

    async def stop(self) -> None:
        """Close what is connected."""
        for link in self.links:
            link.close("gone")

    def _accept(self, link: Link) -> None:
        self.links.append(link)
        link.on_receive = lambda data, _stream: self._receive(link, data)

    def _receive(self, link: Link, data: bytes) -> None:
        self.got.append(data)
        for answer in self.answer(data):
            link.send(answer)

    def answer(self, data: bytes) -> list[bytes]:
        """Return the messages that answer one."""
        raise NotImplementedError


class ScriptedCell(ScriptedListener):
    """An eNB at its radio side: it broadcasts `cells`, and otherwise does what `script` says."""

    declaration = Declaration(kind="enb", title="eNB", lane=20, config=ElementConfig, listens=("Uu",))
    interface = "Uu"
    cells: tuple[uu.CellInformation, ...] = CELLS
    script: Callable[[uu.Message], list[bytes]] = staticmethod(lambda _message: [])

    def answer(self, data: bytes) -> list[bytes]:
        """Tell of the cells, or follow the script."""
        message = uu.decode(data)
        if isinstance(message, uu.CellSearch):
            return [uu.encode(uu.SystemInformation(self.cells))]
        return self.script(message)

    def messages(self, kind: type[Any]) -> list[Any]:
        """Return the messages of a kind that came."""
        return [message for message in map(uu.decode, self.got) if isinstance(message, kind)]


class ScriptedCard(ScriptedListener):
    """A card that answers commands with the octets of `script`."""

    declaration = Declaration(kind="uicc", title="card", lane=0, config=ElementConfig, listens=("ME-UICC",))
    interface = "ME-UICC"
    script: Callable[[bytes], bytes] = staticmethod(lambda _command: _NO_DIAGNOSIS)

    def answer(self, data: bytes) -> list[bytes]:
        """Come up when it gets power, and follow the script."""
        if insertion_of(data) is not None:
            return [data]
        if control_of(data) is not None:
            return [ATR] if data != bytes((Control.POWER_OFF,)) else []
        return [self.script(data)]


class ScriptedTerminalConfig(ElementConfig):
    """Which card it takes."""

    card: str = "card"
    """The element that is the card."""


class ScriptedTerminal(Element[ScriptedTerminalConfig]):
    """A terminal's contacts: it gives a card power, and asks what it is told to ask."""

    declaration = Declaration(
        kind="terminal", title="Terminal", lane=1, config=ScriptedTerminalConfig, calls=("ME-UICC",)
    )

    async def start(self) -> None:
        """Have no card yet."""
        self.heard: list[bytes] = []
        self.closed: list[str] = []
        self.link: Link | None = None

    async def stop(self) -> None:
        """Let go of the card."""
        if self.link is not None:
            self.link.close("terminal gone")

    async def put_in(self, *, slot: Slot | None = Slot.ANY) -> bool:
        """Take the card: connect, present the slot, power on; tell whether an ATR came."""
        self.link = await self.site.connect("ME-UICC", self.config.card)
        self.link.on_receive = lambda data, _stream: self.heard.append(data)
        self.link.on_close = self.closed.append
        if slot is not None:
            self.link.send(insertion(slot))
        self.link.send(bytes((Control.POWER_ON,)))
        await self.quiet()
        return self.heard[-1:] == [ATR]

    async def quiet(self) -> None:
        """Wait until nothing is on its way."""
        await self.site.clock.settle()

    async def ask(self, command: CommandApdu) -> ResponseApdu:
        """Send a command and fetch all of its answer."""
        assert self.link is not None, "put_in first"  # noqa: S101 - for tests, which read it
        self.link.send(command.to_bytes())
        await self.quiet()
        response = ResponseApdu.parse(self.heard[-1])
        following = again_with(command, response.sw)
        return await self.ask(following) if following else response

    async def introduce(self, imei: Imei) -> None:
        """Run the toolkit as a terminal with this IMEI, until the card has no more questions (TS 102 223 5.2)."""
        response = await self.ask(cat.TerminalProfile().command())
        while response.sw >> 8 == 0x91:
            question = await self.ask(cat.fetch(response.sw & 0xFF))
            response = await self.ask(cat.answer(cat.ProactiveCommand.parse(question.data), imei).command())
