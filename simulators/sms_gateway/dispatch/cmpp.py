"""Platforms that speak CMPP 2.0: each connection takes and gives messages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulators.sms_gateway.causes import CAUSES, Limit
from simulators.sms_gateway.dispatch.cmpp_content import read_content, write_contents
from simulators.sms_gateway.dispatch.connection import Connection
from simulators.sms_gateway.messages import Kind, Message, Request
from simulators.sms_gateway.procedures import binding, handing
from simwarden.errors import PeerError
from simwarden.machine.cmpp_session import ADVISED, CmppSession, End
from simwarden.wire import cmpp, smpp
from simwarden.wire.cmpp import Command, Connect, ConnectStatus, Deliver, Delivered, Report, Result, Submit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.sms_gateway.causes import Why
    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Customer
    from simwarden.runtime.link import Link


class CmppBind(Connection[cmpp.Message, Connect]):
    """One connection, which takes and gives messages."""

    _session: CmppSession
    temporary = frozenset({Result.FLOW_CONTROL_ERROR})

    def __init__(self, core: Core, link: Link, over: Callable[[Connection[Any, Any]], None]) -> None:
        bounds = core.config.customers
        limits = ADVISED._replace(window=bounds.window, quiet=bounds.quiet)
        super().__init__(core, link, over, CmppSession(End.GATEWAY, core.site.clock.now(), limits=limits))
        #: by the sequence number of one CMPP_DELIVER: those of the same message that follow it
        self._rest: dict[int, Sequence[Deliver]] = {}

    @property
    def room(self) -> int:
        """See Bind."""
        return self._session.room

    def hand(self, message: Message) -> None:
        """See Bind."""
        core = self._core
        self._send(message, [_report(core, message)] if message.kind is Kind.RECEIPT else _deliveries(core, message))

    def _send(self, message: Message, bodies: Sequence[Deliver]) -> None:
        """Send a message, which may take several CMPP_DELIVERs: each after the answer to the one before."""
        sequence = self._session.ask(Command.DELIVER, bodies[0], self._core.site.clock.now())
        self._flying[sequence], self._rest[sequence] = message, bodies[1:]
        self._driven.settle()

    def _answered(self, sequence: int, answer: cmpp.Message | None) -> None:
        rest, result = self._rest.pop(sequence), None
        if answer is not None:
            assert isinstance(answer.body, Delivered)  # noqa: S101 - by its command
            result = answer.body.result
        if rest and result == 0:
            self._send(self._flying.pop(sequence), rest)
        else:
            self._settled(sequence, result)

    def _bind(self, pdu: cmpp.Message, bind: Connect) -> None:
        customer, status = binding.connect(self._core, bind, self._address)
        if customer is None or self._full(customer):
            self._session.refuse(pdu, status or ConnectStatus.OTHER_ERROR)
            return
        self._session.accept(pdu, customer.account.secret)
        self._enter(customer)
        handing.hand_over(customer)

    def _read_request(self, customer: Customer, pdu: cmpp.Message) -> Request | None:
        if not isinstance(pdu.body, Submit):
            self._session.answer(pdu, _not_offered(pdu))
            return None
        found = _request(self._core, customer, pdu.body)
        if isinstance(found, Request):
            return found
        self._acknowledge(pdu, found)
        return None

    def _acknowledge(self, pdu: cmpp.Message, outcome: Message | Why) -> None:
        if isinstance(outcome, Message):
            self._session.answer(pdu, cmpp.Submitted(_number(self._core, outcome.id, outcome.submitted)))
        else:
            self._session.answer(pdu, cmpp.Submitted(0, CAUSES[outcome].result))


def _not_offered(message: cmpp.Message) -> cmpp.Body:
    """Answer what the gateway does not do: it counts nothing for a platform, and takes nothing back."""
    if isinstance(message.body, cmpp.Query):
        return cmpp.Queried(message.body.time, message.body.query_type, message.body.query_code)
    return cmpp.Cancelled(1)


def _request(core: Core, customer: Customer, body: Submit) -> Request | Limit:
    if len(body.dest_terminal_id) != 1:
        return Limit.DESTINATIONS
    if body.msg_src not in ("", customer.account.source_addr):
        return Limit.SOURCE
    if not _is_in_form(body):
        return Limit.PARAMETER
    try:
        scheduled, until = smpp.read_times(body.at_time, body.valid_time, core.site.clock.wall(), core.config.schedule)
    except PeerError as error:
        core.site.note(error.reason)
        return Limit.PARAMETER
    content = read_content(body)
    if content is None:
        return Limit.PARAMETER
    coding, octets = content
    return Request(
        (body.src_id, 0),
        (body.dest_terminal_id[0], 0),
        octets,
        coding,
        body.tp_pid,
        bool(body.tp_udhi),
        0,
        smpp.RECEIPT_ALWAYS if body.registered_delivery == 1 else 0,
        until,
        scheduled,
    )


def _is_in_form(body: Submit) -> bool:
    """Return True if a CMPP_SUBMIT has values of 7.4.3.1; Registered_Delivery 2 is for records, not for a card."""
    counted = 1 <= body.pk_number <= body.pk_total or body.pk_number == body.pk_total == 0
    return counted and body.tp_udhi <= 1 and body.registered_delivery <= 1


def _number(core: Core, message: int, submitted: float) -> int:
    """Return the Msg_Id of a message (7.4.3.2): of its time and its number, so that what is said of it has the same."""
    at = core.date(submitted)
    made = cmpp.MessageId(at.month, at.day, at.hour, at.minute, at.second, 1, message & 0xFFFF)
    return int(made)


def _deliveries(core: Core, message: Message) -> list[Deliver]:
    whole = Deliver(
        msg_id=_number(core, message.id, message.submitted),
        dest_id=message.code,
        tp_pid=message.protocol_id,
        src_terminal_id=message.number,
    )
    return [
        replace(whole, msg_fmt=each.msg_fmt, tp_udhi=each.tp_udhi, msg_content=each.octets)
        for each in write_contents(message)
    ]


def _report(core: Core, message: Message) -> Deliver:
    submitted, done = (f"{core.date(each):%y%m%d%H%M}" for each in (message.submitted, message.until))
    about = _number(core, message.about, message.submitted)
    report = Report(about, message.outcome, submitted, done, message.number, message.id & 0xFFFFFFFF)
    # the Msg_Id in the content is of the message, that of CMPP_DELIVER its own (7.4.5.1); `until` is when it was made
    return Deliver(
        msg_id=_number(core, message.id, message.until),
        dest_id=message.code,
        src_terminal_id=message.number,
        registered_delivery=1,
        msg_content=cmpp.encode_report(report),
    )
