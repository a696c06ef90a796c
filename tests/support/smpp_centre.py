"""A service centre of real sockets on our SMPP session, for platforms that are not ours."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from typing import Self

from simwarden.machine.smpp_session import SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.machine.windowed_session import Answered, Asked, BindAsked, Closed, Fault, Limits
from simwarden.wire import smpp, sms
from simwarden.wire.smpp import Address, Command, MessageId, Receipt, ShortMessage, Status

ACCOUNTS = {"meters": "s3cret"}
TEXT = "电表读数：一二三四五六七八九十，" * 8
CARD, CODE = "8614400000017", "10658000123"


def text_of(parts: list[ShortMessage]) -> str:
    """Return the text of a long message, by the header of each of its parts."""
    found: dict[int, bytes] = {}
    for each in parts:
        header, octets = sms.split_header(each.short_message)
        part = sms.concatenation_of(header)
        assert part is not None
        assert part.total == len(parts)
        found[part.number] = octets
    return b"".join(found[number] for number in sorted(found)).decode("utf-16-be")


def in_parts(text: str, reference: int) -> list[ShortMessage]:
    """Return a text of a card for its platform, in the parts that a card sends."""
    cut = sms.parts_of(text.encode("utf-16-be"), 8, 6)
    return [
        ShortMessage(
            source=Address(CARD, 1, 1),
            destination=Address(CODE, 0, 1),
            esm_class=smpp.UDHI,
            data_coding=8,
            short_message=sms.encode_header([sms.Concatenation(reference, len(cut), number).element]) + each,
        )
        for number, each in enumerate(cut, 1)
    ]


class Centre:
    """Takes messages of those who may bind, and answers each with its receipt; runs in a thread of its own."""

    def __init__(self) -> None:
        self.submitted: list[ShortMessage] = []
        self.binds: list[smpp.Bind] = []
        self.answered: list[Answered[smpp.Pdu]] = []
        self.faults: list[Fault] = []
        self.closed: list[str] = []
        self._sessions: dict[_Connection, SmppSession] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _shut(self) -> None:
        self._server.close()
        for connection in list(self._sessions):
            connection.transport.close()
        await asyncio.sleep(0)

    def deliver(self, message: ShortMessage) -> None:
        """Hand a message to whoever is bound to receive; called from another thread."""
        self._loop.call_soon_threadsafe(self._deliver, message)

    def _deliver(self, message: ShortMessage) -> None:
        for connection, session in self._sessions.items():
            if session.room:
                session.ask(Command.DELIVER_SM, message, self.now)
                connection.flush()

    @property
    def now(self) -> float:
        return self._loop.time()

    def opened(self, connection: _Connection) -> SmppSession:
        self._sessions[connection] = SmppSession(Role.SMSC, self.now, limits=Limits(window=100))
        return self._sessions[connection]

    def gone(self, connection: _Connection) -> None:
        self._sessions.pop(connection, None)

    def take(self, session: SmppSession, event: object) -> None:
        match event:
            case BindAsked(pdu, bind):
                self.binds.append(bind)
                if ACCOUNTS.get(bind.system_id) == bind.password:
                    session.accept(pdu, "SMSC")
                else:
                    session.refuse(pdu, Status.ESME_RINVPASWD)
            case Asked(pdu) if isinstance(pdu.body, ShortMessage):
                self.submitted.append(pdu.body)
                identity = f"{len(self.submitted):010}"
                session.answer(pdu, 0, MessageId(identity))
                if pdu.body.registered_delivery & 3:
                    session.ask(Command.DELIVER_SM, receipt(identity, pdu.body), self.now)
            case Asked(pdu):
                session.answer(pdu, Status.ESME_RQUERYFAIL)
            case Answered() as answered:
                self.answered.append(answered)
            case Fault() as fault:
                self.faults.append(fault)
            case Closed(reason):
                self.closed.append(reason)


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, centre: Centre) -> None:
        self.centre = centre

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.session = self.centre.opened(self)

    def data_received(self, data: bytes) -> None:
        self.session.receive(data, self.centre.now)
        self.flush()

    def connection_lost(self, _error: Exception | None) -> None:
        self.session.lost()
        self.centre.gone(self)

    def flush(self) -> None:
        for event in self.session.events():
            self.centre.take(self.session, event)
        for octets in self.session.data_to_send():
            self.transport.write(octets)
        if any(isinstance(each, Closed) for each in self.session.events()):
            self.transport.close()


def receipt(identity: str, message: ShortMessage) -> ShortMessage:
    now = dt.datetime(2026, 3, 2, 8, 30, tzinfo=dt.UTC)
    text = str(Receipt(identity, now, now, smpp.MessageState.DELIVERED, delivered=True))
    return ShortMessage(
        source=message.destination,
        destination=message.source,
        esm_class=smpp.RECEIPT,
        short_message=text.encode(),
    )
