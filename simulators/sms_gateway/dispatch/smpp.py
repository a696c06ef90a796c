"""Platforms that speak SMPP 3.4: each connection is one bind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.sms_gateway.causes import CAUSES
from simulators.sms_gateway.dispatch.connection import Connection
from simulators.sms_gateway.messages import Kind, Message, Request
from simulators.sms_gateway.procedures import binding, handing
from simwarden.errors import PeerError
from simwarden.machine.smpp_session import SmppSession
from simwarden.machine.smpp_table import Role, State
from simwarden.machine.windowed_session import Limits
from simwarden.wire.smpp import (
    RECEIPT,
    RECEIPT_ALWAYS,
    RECEIPT_ON_FAILURE,
    STATES,
    UDHI,
    Address,
    Bind,
    Command,
    MessageId,
    MessageState,
    Npi,
    Parameter,
    Pdu,
    Receipt,
    ShortMessage,
    Status,
    Tag,
    Ton,
    read_times,
    read_user_data,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.sms_gateway.causes import Why
    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Customer
    from simwarden.runtime.link import Link

_WANTED: Final = RECEIPT_ALWAYS | RECEIPT_ON_FAILURE


class SmppBind(Connection[Pdu, Bind]):
    """One connection, which is one bind."""

    _session: SmppSession
    temporary = frozenset({Status.ESME_RX_T_APPN, Status.ESME_RMSGQFUL, Status.ESME_RTHROTTLED, Status.ESME_RSYSERR})

    def __init__(self, core: Core, link: Link, over: Callable[[Connection[Any, Any]], None]) -> None:
        bounds = core.config.customers
        limits = Limits(window=bounds.window, quiet=bounds.quiet)
        super().__init__(core, link, over, SmppSession(Role.SMSC, core.site.clock.now(), limits=limits))
        self._trying = False

    # -- what the procedures ask of a bind

    @property
    def room(self) -> int:
        """See Bind."""
        return self._session.room if self._session.state in (State.BOUND_RX, State.BOUND_TRX) else 0

    def hand(self, message: Message) -> None:
        """See Bind."""
        body, parameters = _receipt(self._core, message) if message.kind is Kind.RECEIPT else (_delivery(message), ())
        sequence = self._session.ask(Command.DELIVER_SM, body, self._core.site.clock.now(), *parameters)
        self._flying[sequence] = message
        self._driven.settle()

    # -- what comes

    def _bind(self, pdu: Pdu, bind: Bind) -> None:
        """Have who it is be found out, one try at a time on a connection."""
        if self._trying:
            self._session.refuse(pdu, Status.ESME_RALYBND)
            return
        self._trying = True
        self._core.site.spawn(self._find_out(pdu, bind), "bind")

    async def _find_out(self, pdu: Pdu, bind: Bind) -> None:
        customer = await binding.bind(self._core, bind, self._address)
        self._trying = False
        if self._session.over:
            return
        if customer is None:
            self._session.refuse(pdu, Status.ESME_RINVPASWD)
        elif self._full(customer):
            self._session.refuse(pdu, Status.ESME_RBINDFAIL)
        else:
            self._session.accept(pdu, self._core.config.system_id)
            self._enter(customer)
        self._driven.settle()
        if self._customer is not None:
            handing.hand_over(self._customer)

    def _read_request(self, customer: Customer, pdu: Pdu) -> Request | None:
        del customer
        # submit_sm alone has this body
        found = _request(self._core, pdu, pdu.body) if isinstance(pdu.body, ShortMessage) else Status.ESME_RINVCMDID
        if isinstance(found, Request):
            return found
        self._session.answer(pdu, found)
        return None

    def _acknowledge(self, pdu: Pdu, outcome: Message | Why) -> None:
        if isinstance(outcome, Message):
            self._session.answer(pdu, Status.ESME_ROK, MessageId(outcome.text_id))
        else:
            self._session.answer(pdu, CAUSES[outcome].status)

    def _answered(self, sequence: int, answer: Pdu | None) -> None:
        self._settled(sequence, None if answer is None else answer.status)


def _request(core: Core, pdu: Pdu, body: ShortMessage) -> Request | Status:
    try:
        octets, has_header = read_user_data(pdu)
        times = body.schedule_delivery_time, body.validity_period
        scheduled, until = read_times(*times, core.site.clock.wall(), core.config.schedule)
    except PeerError as error:
        core.site.note(error.reason)
        return Status(error.code or Status.ESME_RSUBMITFAIL)
    return Request(
        (body.source.number, body.source.ton),
        (body.destination.number, body.destination.ton),
        octets,
        body.data_coding,
        body.protocol_id,
        has_header,
        body.priority_flag,
        body.registered_delivery & _WANTED,
        until,
        scheduled,
    )


def _delivery(message: Message) -> ShortMessage:
    return ShortMessage(
        source=Address(message.number, Ton.INTERNATIONAL, Npi.ISDN),
        destination=Address(message.code, Ton.UNKNOWN, Npi.ISDN),
        esm_class=UDHI if message.udhi else 0,
        protocol_id=message.protocol_id,
        data_coding=message.data_coding,
        short_message=message.octets,
    )


def _receipt(core: Core, message: Message) -> tuple[ShortMessage, tuple[Parameter, ...]]:
    """Return a receipt in the form that all know (appendix B), and as optional parameters (5.3.2.12, 5.3.2.35)."""
    state, about = STATES[message.outcome], f"{message.about:010}"
    text = Receipt(
        about,
        core.date(message.submitted),
        core.date(message.until),
        state,
        message.error,
        delivered=state is MessageState.DELIVERED,
    )
    body = ShortMessage(
        source=Address(message.number, Ton.INTERNATIONAL, Npi.ISDN),
        destination=Address(message.code, Ton.UNKNOWN, Npi.ISDN),
        esm_class=RECEIPT,
        short_message=str(text).encode("latin-1"),
    )
    known = Parameter(Tag.RECEIPTED_MESSAGE_ID, about.encode() + b"\0")
    return body, (known, Parameter(Tag.MESSAGE_STATE, bytes((state,))))
