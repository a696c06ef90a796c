"""The gateway's bind at the SMSC, as a transceiver: what waits goes there, what comes from there is handed on."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Final

from simulators.sms_gateway.messages import Kind
from simwarden.machine.smpp_session import Event, SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.machine.windowed_session import Answered, Asked, BindAnswered, Closed, Fault, Limits
from simwarden.runtime.driven import Driven
from simwarden.wire.smpp import (
    RECEIPT_ALWAYS,
    UDHI,
    Address,
    Bind,
    Cancel,
    Command,
    MessageId,
    Npi,
    Parameter,
    Pdu,
    ShortMessage,
    Status,
    Tag,
    Ton,
    format_time,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.sms_gateway.config import SmsGatewayConfig
    from simulators.sms_gateway.messages import Message
    from simwarden.runtime.site import Site
    from simwarden.wire.smpp import Body

#: what an SMSC may take at another time (SMPP 3.4 5.1.3)
TEMPORARY: Final = frozenset(
    {Status.ESME_RSYSERR, Status.ESME_RMSGQFUL, Status.ESME_RTHROTTLED, Status.ESME_RX_T_APPN, Status.ESME_RINVBNDSTS}
)


#: doublings of the pause between two tries at most, for any bound
_MOST_DOUBLED: Final = 20


class Centre:
    """Keeps a bind at the SMSC and speaks over it.

    The owner sets what it is asked for: `next_message` (None: nothing waits), and whom it tells: `taken` (a message,
    with the SMSC's id), `untaken` (to be tried again; whether no answer came), `turned_down` (with three digits),
    `cancelled` (what it was to take back, with its status, None for no answer), and `heard` (a deliver_sm, and how it
    is answered).
    """

    next_message: Callable[[], Message | None]
    taken: Callable[[Message, str], None]
    untaken: Callable[[Message, bool], None]
    turned_down: Callable[[Message, str], None]
    cancelled: Callable[[Message, int | None], None]
    heard: Callable[[Pdu, Callable[[Status], None]], None]

    def __init__(self, site: Site, config: SmsGatewayConfig) -> None:
        self._site, self._config = site, config
        self._session: SmppSession | None = None
        self._driven: Driven[Event]
        self._flying: dict[int, Message] = {}
        self._up = True
        self._failed, self._pause = 0, 0.0
        self._pumped_soon = False

    async def begin(self) -> None:
        """Connect and bind, and again whenever that was lost, or the SMSC is not there."""
        if not self._config.smsc:
            return
        try:
            link = await self._site.connect("SMPP", self._config.smsc)
        except ConnectionError as error:
            self._retry(f"no connection to the SMSC: {error}")
            return
        limits = Limits(window=self._config.customers.window, quiet=self._config.customers.quiet)
        self._session = SmppSession(Role.ESME, self._site.clock.now(), limits=limits)
        bind = Bind(self._config.system_id, self._config.password)
        self._session.bind(Command.BIND_TRANSCEIVER, bind, self._site.clock.now())
        self._driven = Driven(self._site, link, self._session, self._take)

    def _retry(self, reason: str) -> None:
        """Try again after a pause that doubles up to `retry_longest`; note the reason as often as the pause grows."""
        longest = max(self._config.retry, self._config.retry_longest)
        pause = min(self._config.retry * 2**self._failed, longest)
        if not self._failed or pause > self._pause:
            self._site.note(f"{reason}; the next try is in {pause:g} s")
        self._pause = pause
        self._failed = min(self._failed + 1, _MOST_DOUBLED)
        self._site.clock.call_later(pause, self._again)

    def _again(self) -> None:
        if self._up:
            self._site.spawn(self.begin(), "bind at the SMSC")

    def end(self, *, say: bool) -> None:
        """Unbind, or be gone."""
        self._up = False
        if self._session is None:
            return
        if say:
            self._session.unbind(self._site.clock.now())
            self._driven.settle()
        else:
            self._session = None
            self._driven.drop("connection lost")

    def pump_soon(self) -> None:
        """Send what waits in the next turn of the loop, once for all that comes to wait in this one."""
        if not self._pumped_soon:
            self._pumped_soon = True
            asyncio.get_running_loop().call_soon(self.pump)

    def pump(self) -> None:
        """Send what waits, as far as the window has room."""
        self._pumped_soon = False
        session = self._session
        if session is None:
            return
        while session.room:
            message = self.next_message()
            if message is None:
                break
            command, body, parameters = _written(message)
            self._flying[session.ask(command, body, self._site.clock.now(), *parameters)] = message
        self._driven.settle()

    def _take(self, event: Event) -> None:
        match event:
            case BindAnswered(status):
                self._bound(status)
            case Asked(pdu):
                self._hear(pdu)
            case Answered(asked, answer):
                self._hear_answer(asked, answer)
                self.pump()
            case Fault(reason, data):
                self._site.peer_fault(self._driven.link, reason, data)
            case Closed(reason):
                self._site.observe("smsc", "unbound")
                self._retry(f"lost the bind at the SMSC: {reason}")
            case _:
                pass

    def _bound(self, status: int) -> None:
        self._site.observe("smsc", "refused" if status else "bound")
        if status:
            self._driven.link.refuse(f"the SMSC refuses the bind: {status:#x}")
            self._driven.drop()
            self._session = None
            self._retry(f"the SMSC refuses the bind: {status:#x}")
            return
        self._failed = 0
        self._driven.link.know()
        self.pump()

    def _hear(self, pdu: Pdu) -> None:
        session, driven = self._session, self._driven
        assert session is not None  # noqa: S101 - it was heard in one

        def answer(status: Status) -> None:
            session.answer(pdu, status, MessageId())
            driven.settle()

        self.heard(pdu, answer)

    def _hear_answer(self, asked: Pdu, answer: Pdu | None) -> None:
        message = self._flying.pop(asked.sequence)
        if message.kind is Kind.CANCEL:
            self.cancelled(message, None if answer is None else answer.status)
        elif answer is None:
            self.untaken(message, True)
        elif not answer.status and isinstance(answer.body, MessageId):
            self.taken(message, answer.body.message_id)
        elif not answer.status or answer.status in TEMPORARY:
            self.untaken(message, False)
        else:
            self.turned_down(message, f"{answer.status % 1000:03}")


def _format_time(when: float) -> str:
    return format_time(dt.datetime.fromtimestamp(when, dt.UTC))


def _written(message: Message) -> tuple[Command, Body, tuple[Parameter, ...]]:
    """Return the request of a message: from the code by its digits, to the card's international number.

    The reference is the same each time that it is sent (5.3.2.17), so that the SMSC knows what it has already.
    """
    source = Address(message.code, Ton.UNKNOWN, Npi.ISDN)
    destination = Address(message.number, Ton.INTERNATIONAL, Npi.ISDN)
    if message.kind is Kind.CANCEL:
        return Command.CANCEL_SM, Cancel(source=source, destination=destination), ()
    body = ShortMessage(
        source=source,
        destination=destination,
        esm_class=UDHI if message.udhi else 0,
        protocol_id=message.protocol_id,
        priority_flag=message.priority,
        schedule_delivery_time=_format_time(message.scheduled) if message.scheduled else "",
        validity_period=_format_time(message.until),
        registered_delivery=RECEIPT_ALWAYS if message.registered else 0,  # its end is told in any case
        data_coding=message.data_coding,
        short_message=message.octets,
    )
    return Command.SUBMIT_SM, body, (Parameter(Tag.USER_MESSAGE_REFERENCE, message.reference.to_bytes(2)),)
