"""A bind at the gateway by SMPP 3.4."""

from __future__ import annotations

from typing import Final

from simulators.platform.clients.connection import Connection
from simulators.platform.contexts import Incoming, Outcome, Outgoing, Reported
from simwarden.errors import PeerError
from simwarden.machine.smpp_session import SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.wire import sms
from simwarden.wire.smpp import (
    MESSAGE_TYPE,
    RECEIPT,
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

_BINDS: Final = {
    "transceiver": Command.BIND_TRANSCEIVER,
    "transmitter": Command.BIND_TRANSMITTER,
    "receiver": Command.BIND_RECEIVER,
}


class SmppGateway(Connection[SmppSession]):
    """A bind by SMPP."""

    interface = "SMPP"

    def _begin(self, now: float) -> SmppSession:
        config, session = self._config, SmppSession(Role.ESME, now)
        session.bind(_BINDS[config.bind], Bind(config.system_id, config.password), now)
        return session

    def _ask(self, session: SmppSession, message: Outgoing) -> int:
        return session.ask(Command.SUBMIT_SM, _written(message), self._site.clock.now())

    def _outcome(self, answer: Pdu | None) -> Outcome:
        known = answer.body.message_id if answer is not None and isinstance(answer.body, MessageId) else ""
        return Outcome(answer.status if answer is not None else None, known)

    def _hear(self, session: SmppSession, pdu: Pdu) -> None:
        body = pdu.body
        if pdu.command is not Command.DELIVER_SM or not isinstance(body, ShortMessage):
            session.answer(pdu, Status.ESME_RINVCMDID)
            return
        try:
            came = _receipt(body) if body.esm_class & MESSAGE_TYPE == RECEIPT else _message(body)
        except PeerError as error:
            self._fault(error.reason, body.short_message)
            session.answer(pdu, Status.ESME_RX_P_APPN)
            return
        session.answer(pdu, Status.ESME_ROK if self._heard(came) else Status.ESME_RINVDSTADR, MessageId())


def _written(message: Outgoing) -> ShortMessage:
    return ShortMessage(
        source=Address(message.code, message.ton, Npi.ISDN if message.ton != Ton.ALPHANUMERIC else Npi.UNKNOWN),
        destination=Address(message.to.removeprefix("+"), Ton.INTERNATIONAL if message.to.startswith("+") else 0, 1),
        esm_class=UDHI if message.udhi else 0,
        protocol_id=message.protocol_id,
        schedule_delivery_time=message.schedule,
        validity_period=message.validity,
        registered_delivery=message.registered,
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
