"""A card in a virtual reader: framing, silence after power-on, and back into a reader that was restarted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from waiting import reserved_port

from simwarden.errors import ConfigError
from simwarden.model.interfaces import INTERFACES
from simwarden.runtime.frame_queue import FrameQueue
from simwarden.runtime.transport import vpcd
from simwarden.runtime.transport.base import Wiring
from simwarden.runtime.transport.choose import Carriers
from simwarden.trace.events import Frame
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from simwarden.runtime.link import Link

ATR = b"\x3b\x00"
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Reader:
    """vpcd's side."""

    def __init__(self) -> None:
        self.cards: asyncio.Queue[Ends] = asyncio.Queue()

    async def open(self, port: int) -> None:
        self.server = await asyncio.start_server(lambda *ends: self.cards.put_nowait(ends), "127.0.0.1", port)


def card(link: Link) -> None:
    """Answer contacts by the ATR, as a card does, and commands by what they are."""

    def receive(data: bytes, _stream: int) -> None:
        if data != b"\x00":
            link.send(ATR if len(data) == 1 else data + b"\x90\x00")

    link.on_receive = receive


async def ask(ends: Ends, *pieces: bytes) -> bytes:
    for piece in pieces:
        ends[1].write(piece)
        await ends[1].drain()
        await asyncio.sleep(0)
    return await asyncio.wait_for(ends[0].readexactly(int.from_bytes(await ends[0].readexactly(2))), 60)


async def conversation(trace: Trace, port: int) -> list[bytes]:
    reader = Reader()
    await reader.open(port)
    transport = Carriers("memory", Wiring(trace, FrameQueue()), {"ME-UICC": "vpcd"})
    await transport.listen(INTERFACES["ME-UICC"], "card", card, ("127.0.0.1", port))
    assert transport.address_of("card", "ME-UICC") == ("127.0.0.1", port)
    inside = await reader.cards.get()
    answers = [await ask(inside, b"\0\1\1" + b"\0\1\2" + b"\0\1\0", b"\0", b"\1\4")]
    answers.append(await ask(inside, b"\0\5\0\xa4", b"\0\4\2"))
    reader.server.close()
    inside[1].close()
    await inside[1].wait_closed()
    reader = Reader()
    await reader.open(port)
    inside = await asyncio.wait_for(reader.cards.get(), 60)
    answers.append(await ask(inside, b"\0\1\4"))
    reader.server.close()
    await transport.close()
    assert await inside[0].read() == b""
    inside[1].close()
    await inside[1].wait_closed()
    return answers


def test_contacts_are_silent_and_commands_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vpcd, "AGAIN_AFTER", 0.01)
    trace = Trace(lambda: 0.0)
    with reserved_port() as port:
        answers = asyncio.run(conversation(trace, port))
    assert answers == [ATR, b"\0\xa4\0\4\2\x90\x00", ATR]
    heard = [event.data.hex() for event in trace.events if isinstance(event, Frame) and event.target == "card"]
    assert heard == ["01", "02", "00", "04", "00a4000402", "04"]


def test_no_reader_is_said_clearly() -> None:
    async def insert() -> None:
        transport = Carriers("memory", Wiring(Trace(lambda: 0.0), FrameQueue()), {"ME-UICC": "vpcd"})
        await transport.listen(INTERFACES["ME-UICC"], "card", card, ("127.0.0.1", 1))

    with pytest.raises(ConfigError, match=r"no virtual reader at 127.0.0.1:1 .*start pcscd"):
        asyncio.run(insert())
