"""A connection to the gateway by CMPP 2.0."""

from __future__ import annotations

from typing import Final

from simulators.platform.clients.connection import Connection
from simulators.platform.contexts import Incoming, Outcome, Outgoing, Reported
from simwarden.errors import PeerError
from simwarden.machine.cmpp_session import CmppSession, End
from simwarden.wire import cmpp, sms
from simwarden.wire.cmpp import Command, Connect, Deliver, Delivered, Format, Result, Submit, Submitted

_FORMATS: Final = {0: Format.ASCII, 8: Format.UCS2, 4: Format.BINARY, 0xF6: Format.WRITE_CARD}


class CmppGateway(Connection[CmppSession]):
    """A connection by CMPP."""

    interface = "CMPP"

    def _begin(self, now: float) -> CmppSession:
        config, session = self._config, CmppSession(End.PLATFORM, now)
        stamp = int(f"{self._site.clock.local():%m%d%H%M%S}")
        proof = cmpp.authenticator(config.source_addr, config.secret, stamp)
        session.connect(Connect(config.source_addr, proof, time_stamp=stamp), now)
        return session

    def _ask(self, session: CmppSession, message: Outgoing) -> int:
        return session.ask(Command.SUBMIT, _written(message, self._config.source_addr), self._site.clock.now())

    def _outcome(self, answer: cmpp.Message | None) -> Outcome:
        body = answer.body if answer is not None else None
        return Outcome(body.result, str(body.msg_id)) if isinstance(body, Submitted) else Outcome(None)

    def _hear(self, session: CmppSession, pdu: cmpp.Message) -> None:
        body = pdu.body
        if not isinstance(body, Deliver):
            return
        try:
            taken = self._heard(_receipt(body) if body.registered_delivery else _message(body))
        except PeerError as error:
            self._fault(error.reason, body.msg_content)
            session.answer(pdu, Delivered(body.msg_id, Result.MESSAGE_STRUCTURE_ERROR))
            return
        session.answer(pdu, Delivered(body.msg_id, 0 if taken else Result.DESTINATION_TERMINAL_ERROR))


def _written(message: Outgoing, source: str) -> Submit:
    return Submit(
        registered_delivery=message.registered & 1,
        tp_pid=message.protocol_id,
        tp_udhi=int(message.udhi),
        msg_fmt=_FORMATS.get(message.data_coding, Format.BINARY),
        msg_src=source,
        valid_time=message.validity,
        at_time=message.schedule,
        src_id=message.code,
        dest_terminal_id=(message.to.removeprefix("+"),),
        msg_content=message.octets,
    )


def _receipt(body: Deliver) -> Reported:
    found = cmpp.decode_report(body.msg_content)
    return Reported(str(found.msg_id), found.stat, "")


def _message(body: Deliver) -> Incoming:
    header, octets = sms.split_header(body.msg_content) if body.tp_udhi else ((), body.msg_content)
    return Incoming(body.src_terminal_id, body.dest_id, octets, header, cmpp.content_text(octets, body.msg_fmt))
