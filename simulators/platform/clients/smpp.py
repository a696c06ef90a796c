"""A bind at the gateway by SMPP 3.4."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from simulators.platform.contexts import Incoming, Outcome, Outgoing, Reported
from simwarden.errors import PeerError
from simwarden.machine.smpp_session import Answered, Asked, BindAnswered, Closed, Event, Fault, SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.runtime.driven import Driven
from simwarden.wire import sms
from simwarden.wire.smpp import (
    MESSAGE_TYPE,
    RECEIPT,
    RECEIPT_ALWAYS,
    UDHI,
    Address,
    Bind,
    Command,
    MessageId,
    Npi,
    Pdu,
    ShortMessage,
    Status,
    Ton,
    message_text,
    parse_receipt,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.platform.config import PlatformConfig
    from simwarden.runtime.site import Site

_BINDS: Final = {
    "transceiver": Command.BIND_TRANSCEIVER,
    "transmitter": Command.BIND_TRANSMITTER,
    "receiver": Command.BIND_RECEIVER,
}


class SmppGateway:
    """See Gateway; `heard` is told of what comes and says whether it is taken, `lost` that the bind is over."""

    def __init__(
        self, site: Site, config: PlatformConfig, heard: Callable[[Incoming | Reported], bool], lost: Callable[[], None]
    ) -> None:
        self._site, self._config, self._heard, self._lost = site, config, heard, lost
        self._session: SmppSession | None = None
        self._driven: Driven[Event] | None = None
        self._binding: asyncio.Future[int | None] | None = None
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}

    @property
    def bound(self) -> bool:
        """See Gateway."""
        return self._session is not None and self._session.state.bound

    async def open(self) -> int | None:
        """See Gateway."""
        config, now = self._config, self._site.clock.now()
        link = await self._site.connect("SMPP", config.binds_at)
        self._session = SmppSession(Role.ESME, now)
        self._binding = asyncio.get_running_loop().create_future()
        self._session.bind(_BINDS[config.bind], Bind(config.system_id, config.password), now)
        self._driven = Driven(self._site, link, self._session, self._take)
        return await self._binding

    async def submit(self, message: Outgoing) -> Outcome:
        """See Gateway."""
        session, driven = self._session, self._driven
        if session is None or driven is None or not session.room:
            return Outcome(None)
        made = asyncio.get_running_loop().create_future()
        self._waiting[session.ask(Command.SUBMIT_SM, _written(message), self._site.clock.now())] = made
        driven.settle()
        outcome: Outcome = await made
        return outcome

    def end(self, *, say: bool) -> None:
        """See Gateway."""
        if self._session is None or self._driven is None:
            return
        if say:
            self._session.unbind(self._site.clock.now())
            self._driven.settle()
        else:
            self._driven.drop("connection lost")
            self._over()

    def _take(self, event: Event) -> None:
        match event:
            case BindAnswered(status):
                self._bound(status)
            case Asked(pdu):
                self._hear(pdu)
            case Answered(asked, answer):
                self._answered(asked.sequence, answer)
            case Fault(reason, data) if self._driven is not None:
                self._site.peer_fault(self._driven.link, reason, data)
            case Closed():
                self._over()
            case _:
                pass

    def _bound(self, status: int) -> None:
        if self._driven is not None and not status:
            self._driven.link.know()
        if self._driven is not None and status:
            self._driven.link.refuse(f"the gateway refuses the bind: {status:#x}")
        _settle(self._binding, status)

    def _over(self) -> None:
        self._session = self._driven = None
        _settle(self._binding, None)
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            _settle(each, Outcome(None))
        self._lost()

    def _answered(self, sequence: int, answer: Pdu | None) -> None:
        known = answer.body.message_id if answer is not None and isinstance(answer.body, MessageId) else ""
        _settle(self._waiting.pop(sequence, None), Outcome(answer.status if answer is not None else None, known))

    def _hear(self, pdu: Pdu) -> None:
        body, session = pdu.body, self._session
        if session is None:
            return
        if pdu.command is not Command.DELIVER_SM or not isinstance(body, ShortMessage):
            session.answer(pdu, Status.ESME_RINVCMDID)
            return
        try:
            came = _receipt(body) if body.esm_class & MESSAGE_TYPE == RECEIPT else _message(body)
        except PeerError as error:
            if self._driven is not None:
                self._site.peer_fault(self._driven.link, error.reason, body.short_message)
            session.answer(pdu, Status.ESME_RX_P_APPN)
            return
        session.answer(pdu, Status.ESME_ROK if self._heard(came) else Status.ESME_RINVDSTADR, MessageId())


def _settle(waits: asyncio.Future[Outcome] | asyncio.Future[int | None] | None, outcome: Outcome | int | None) -> None:
    if waits is not None and not waits.done():
        waits.set_result(outcome)  # type: ignore[arg-type]  # each is settled with its own


def _written(message: Outgoing) -> ShortMessage:
    return ShortMessage(
        source=Address(message.code, message.ton, Npi.ISDN if message.ton != Ton.ALPHANUMERIC else Npi.UNKNOWN),
        destination=Address(message.to.removeprefix("+"), Ton.INTERNATIONAL if message.to.startswith("+") else 0, 1),
        esm_class=UDHI if message.udhi else 0,
        protocol_id=message.protocol_id,
        validity_period=message.validity,
        registered_delivery=RECEIPT_ALWAYS if message.receipt else 0,
        data_coding=message.data_coding,
        short_message=message.octets,
    )


def _receipt(body: ShortMessage) -> Reported:
    found = parse_receipt(body.short_message.decode("latin-1"))
    return Reported(found.message_id, found.word, found.error)


def _message(body: ShortMessage) -> Incoming:
    header, octets = sms.split_header(body.short_message) if body.esm_class & UDHI else ((), body.short_message)
    text = message_text(octets, body.data_coding)
    return Incoming(body.source.number, body.destination.number, octets, header, text)
