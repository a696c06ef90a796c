"""The ESME as an element: one SMPP session of the client's side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulators.esme.config import BindEsme, EsmeConfig, SubmitSms
from simwarden.errors import PeerError
from simwarden.machine.smpp_session import Answered, Asked, BindAnswered, Closed, Event, Fault, SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.model.values import GIVEN, MSISDN, NUMBER, members, one_of
from simwarden.operations.element import Element
from simwarden.runtime.declare import HISTORY, Declaration, Observable, verb
from simwarden.runtime.ringing import Ringing
from simwarden.wire.smpp import (
    RECEIPT,
    RECEIPT_ALWAYS,
    UDHI,
    Address,
    Bind,
    Command,
    MessageId,
    MessageState,
    Pdu,
    ShortMessage,
    Status,
    parse_receipt,
)
from simwarden.wire.sms import (
    Concatenation,
    coding_of,
    encode_header,
    octets_for,
    parts_of,
    scheme_for,
    split_header,
    text_of,
)

if TYPE_CHECKING:
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.link import Link

#: seconds until it binds again that was left, doubled from the first to the longest
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_MESSAGE = {"source": MSISDN, "destination": GIVEN, "text": GIVEN, "data_coding": NUMBER}
_RECEIPT = {"message_id": NUMBER, "state": one_of(*(each.name.lower() for each in MessageState)), "error": NUMBER}


class Esme(Element[EsmeConfig]):
    """External short message entity."""

    declaration = Declaration(
        kind="esme",
        title="External short message entity",
        lane=66,
        config=EsmeConfig,
        standing=False,
        starts_after=("smsc",),
        calls=("SMPP",),
        observables=(
            Observable("bound", "whether it is bound", values=one_of("yes", "no"), passing=HISTORY),
            Observable("sms", "a message that it was delivered, by number", fields=_MESSAGE, passing=HISTORY),
            Observable("receipt", "a delivery receipt, by the message's identifier", fields=_RECEIPT, passing=HISTORY),
            Observable(
                "command_status", "the status of the last answer", values=members(Status, ("ESME_",)), passing=HISTORY
            ),
        ),
    )

    async def start(self) -> None:
        """Bind."""
        self._link: Link | None = None
        self._session: SmppSession | None = None
        self._asked: dict[int, asyncio.Future[Pdu | None]] = {}
        self._binding: asyncio.Future[str] | None = None
        self._heard = self._long = 0
        self._pause = _FIRST_PAUSE
        self._planned: Timer | None = None
        self._wanted = True
        await self._bind()

    async def stop(self) -> None:
        """Unbind."""
        self._rest()
        if self._session is not None:
            self._session.unbind(self.site.clock.now())
            self._flush()

    async def killed(self) -> None:
        """Lose power."""
        self._rest()
        if self._link is not None:
            self._link.close("connection lost")
        self._lost("")

    @verb("bound", "refused", "no-answer", "no-connection")
    async def bind_esme(self, arguments: BindEsme) -> str:
        """Bind on a new connection."""
        del arguments
        if self._link is not None:
            await self.killed()
        self._wanted = True
        return await self._bind()

    def _rest(self) -> None:
        self._wanted = False
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    def _again(self) -> None:
        """Bind again after a pause, which doubles up to a minute."""
        if not self._wanted or self._planned is not None:
            return
        pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE)

        def due() -> None:
            self._planned = None
            self.site.spawn(self._bind_again(), "bind again")

        self._planned = self.site.clock.call_later(pause, due)

    async def _bind_again(self) -> None:
        await self._bind()

    async def _bind(self) -> str:
        try:
            link = self._link = await self.site.connect("SMPP", self.config.to)
        except ConnectionError as error:
            self.site.note(f"{self.config.to} is not there: {error}")
            self._again()
            return "no-connection"
        self._session = SmppSession(Role.ESME, self.site.clock.now())
        self._ringing = Ringing(self.site.clock, self._ring, internal=link.internal)
        link.on_receive, link.on_close = self._receive, self._lost
        self._binding = asyncio.get_running_loop().create_future()
        bind = Bind(self.config.system_id, self.config.password)
        self._session.bind(Command.BIND_TRANSCEIVER, bind, self.site.clock.now())
        self._flush()
        return await self._binding

    @verb("accepted", "refused", "no-answer", "not-bound")
    async def submit_sms(self, arguments: SubmitSms) -> str:
        """Submit a message, in parts if it is long, which ends with the first that is refused."""
        scheme = scheme_for(arguments.text) if arguments.data_coding is None else arguments.data_coding
        octets = octets_for(arguments.text, scheme) if coding_of(scheme).alphabet != 1 else arguments.text.encode()
        parts, headers = [octets], [b""]
        if len(parts_of(octets, scheme, 0)) > 1:
            self._long = self._long % 255 + 1
            parts = list(parts_of(octets, scheme, 6))
            total = len(parts)
            headers = [encode_header([Concatenation(self._long, total, at + 1).element]) for at in range(total)]
        for header, part in zip(headers, parts, strict=True):
            word = await self._submit(arguments, scheme, header, part)
            if word != "accepted":
                return word
        return "accepted"

    async def _submit(self, arguments: SubmitSms, scheme: int, header: bytes, part: bytes) -> str:
        session = self._session
        if session is None or not session.room:
            return "not-bound"
        body = ShortMessage(
            source=_address(arguments.source, arguments.source_ton),
            destination=_address(arguments.to),
            esm_class=UDHI if header else 0,
            protocol_id=arguments.protocol_id,
            validity_period=arguments.validity,
            registered_delivery=RECEIPT_ALWAYS if arguments.receipt else 0,
            data_coding=scheme,
            short_message=header + part,
        )
        sequence = session.ask(Command.SUBMIT_SM, body, self.site.clock.now())
        waiting: asyncio.Future[Pdu | None] = asyncio.get_running_loop().create_future()
        self._asked[sequence] = waiting
        self._flush()
        answer = await waiting
        if answer is None:
            return "no-answer"
        self._show(answer.status)
        return "refused" if answer.status else "accepted"

    def _show(self, status: int) -> None:
        self.site.observe("command_status", Status(status) if status in Status.__members__.values() else status)

    # -- the session

    def _receive(self, data: bytes, _stream: int) -> None:
        if self._link is not None and self._session is not None:
            self._link.record_received(data)
            self._session.receive(data, self.site.clock.now())
            self._flush()

    def _ring(self) -> None:
        if self._session is not None:
            self._session.on_timer(self.site.clock.now())
            self._flush()

    def _lost(self, _reason: str) -> None:
        if self._session is not None:
            self._session.lost()
            self._flush()

    def _flush(self) -> None:
        session, link = self._session, self._link
        while session is not None and link is not None:
            for octets in session.data_to_send():
                link.send(octets)
            events = session.events()
            if not events:
                self._ringing.arm(session.next_timer())
                break
            for event in events:
                self._handle(event, session, link)

    def _handle(self, event: Event, session: SmppSession, link: Link) -> None:
        match event:
            case BindAnswered():
                self._show(event.status)
                self._tell_bound("refused" if event.status else "bound")
                self.site.observe("bound", "no" if event.status else "yes")
                self._pause = self._pause if event.status else _FIRST_PAUSE
            case Answered():
                waiting = self._asked.pop(event.asked.sequence, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(event.answer)
            case Asked():
                session.answer(event.pdu, self._take(event.pdu), MessageId())
            case Fault():
                self.site.peer_fault(link, event.reason, event.data)
            case Closed():
                self._session = None
                self._tell_bound("no-answer")
                self.site.observe("bound", "no")
                link.close(event.reason)
                self._again()

    def _tell_bound(self, word: str) -> None:
        if self._binding is not None and not self._binding.done():
            self._binding.set_result(word)

    def _take(self, asked: Pdu) -> int:
        """Take what is delivered, a message or a receipt."""
        if not isinstance(asked.body, ShortMessage):
            return Status.ESME_RINVCMDID
        if self.config.accepts == "none":
            return Status.ESME_RX_T_APPN
        body = asked.body
        try:
            rest = split_header(body.short_message)[1] if body.esm_class & UDHI else body.short_message
            if body.esm_class & RECEIPT:
                receipt = parse_receipt(rest.decode("ascii", "replace"))
                told = {"message_id": receipt.message_id, "state": receipt.state.name.lower(), "error": receipt.error}
                self.site.observe("receipt", told, key=receipt.message_id)
                return Status.ESME_ROK
        except PeerError as error:
            self.site.note(error.reason)
            return Status.ESME_RX_P_APPN
        self._heard += 1
        told = {"source": body.source.number, "destination": body.destination.number}
        text = text_of(rest, coding_of(body.data_coding).alphabet)
        self.site.observe("sms", {**told, "text": text, "data_coding": body.data_coding}, key=str(self._heard))
        return Status.ESME_ROK


def _address(text: str, ton: int | None = None) -> Address:
    """Return an address as it is written: with a `+` it is international, what is no number is a text."""
    digits = text.removeprefix("+")
    if not digits.isdecimal():
        return Address(text, 5 if ton is None else ton, 0)
    return Address(digits, (1 if text.startswith("+") else 0) if ton is None else ton, 1)
