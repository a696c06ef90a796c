"""A connection to the gateway by CMPP 2.0."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Final

from simulators.platform.contexts import Incoming, Outcome, Outgoing, Reported
from simwarden.errors import PeerError
from simwarden.machine.cmpp_session import (
    Answered,
    Asked,
    Closed,
    CmppSession,
    ConnectAnswered,
    End,
    Event,
    Fault,
    State,
)
from simwarden.runtime.driven import Driven
from simwarden.wire import cmpp, sms
from simwarden.wire.cmpp import Command, Connect, Deliver, Delivered, Format, Result, Submit, Submitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.platform.config import PlatformConfig
    from simwarden.runtime.site import Site

_ZONE: Final = dt.timezone(dt.timedelta(hours=8))
_FORMATS: Final = {0: Format.ASCII, 8: Format.UCS2, 4: Format.BINARY, 0xF6: Format.WRITE_CARD}


class CmppGateway:
    """See Gateway; `heard` is told of what comes and says whether it is taken, `lost` that the connection is over."""

    def __init__(
        self, site: Site, config: PlatformConfig, heard: Callable[[Incoming | Reported], bool], lost: Callable[[], None]
    ) -> None:
        self._site, self._config, self._heard, self._lost = site, config, heard, lost
        self._session: CmppSession | None = None
        self._driven: Driven[Event] | None = None
        self._connecting: asyncio.Future[int | None] | None = None
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}

    @property
    def bound(self) -> bool:
        """See Gateway."""
        return self._session is not None and self._session.state is State.CONNECTED

    async def open(self) -> int | None:
        """See Gateway."""
        config, now = self._config, self._site.clock.now()
        link = await self._site.connect("CMPP", config.binds_at)
        self._session = CmppSession(End.PLATFORM, now)
        self._connecting = asyncio.get_running_loop().create_future()
        stamp = int(f"{self._site.clock.wall().astimezone(_ZONE):%m%d%H%M%S}")
        proof = cmpp.authenticator(config.source_addr, config.secret, stamp)
        self._session.connect(Connect(config.source_addr, proof, time_stamp=stamp), now)
        self._driven = Driven(self._site, link, self._session, self._take)
        return await self._connecting

    async def submit(self, message: Outgoing) -> Outcome:
        """See Gateway."""
        session, driven = self._session, self._driven
        if session is None or driven is None or not session.room:
            return Outcome(None)
        made: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        body = _written(message, self._config.source_addr)
        self._waiting[session.ask(Command.SUBMIT, body, self._site.clock.now())] = made
        driven.settle()
        return await made

    def end(self, *, say: bool) -> None:
        """See Gateway."""
        if self._session is None or self._driven is None:
            return
        if say:
            self._session.terminate(self._site.clock.now())
            self._driven.settle()
        else:
            self._driven.drop("connection lost")
            self._over()

    def _take(self, event: Event) -> None:
        match event:
            case ConnectAnswered(status):
                self._connected(status)
            case Asked(message):
                self._hear(message)
            case Answered(asked, answer):
                self._answered(asked.sequence, answer)
            case Fault(reason, data) if self._driven is not None:
                self._site.peer_fault(self._driven.link, reason, data)
            case Closed():
                self._over()
            case _:
                pass

    def _connected(self, status: int) -> None:
        if self._driven is not None and not status:
            self._driven.link.know()
        if self._driven is not None and status:
            self._driven.link.refuse(f"the gateway refuses the connection: {status}")
        if self._connecting is not None and not self._connecting.done():
            self._connecting.set_result(status)

    def _over(self) -> None:
        self._session = self._driven = None
        if self._connecting is not None and not self._connecting.done():
            self._connecting.set_result(None)
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            each.set_result(Outcome(None))
        self._lost()

    def _answered(self, sequence: int, answer: cmpp.Message | None) -> None:
        body = answer.body if answer is not None else None
        outcome = Outcome(body.result, str(body.msg_id)) if isinstance(body, Submitted) else Outcome(None)
        self._waiting.pop(sequence).set_result(outcome)

    def _hear(self, message: cmpp.Message) -> None:
        body, session = message.body, self._session
        if session is None or not isinstance(body, Deliver):
            return
        try:
            taken = self._heard(_receipt(body) if body.registered_delivery else _message(body))
        except PeerError as error:
            if self._driven is not None:
                self._site.peer_fault(self._driven.link, error.reason, body.msg_content)
            session.answer(message, Delivered(body.msg_id, Result.MESSAGE_STRUCTURE_ERROR))
            return
        session.answer(message, Delivered(body.msg_id, 0 if taken else Result.DESTINATION_TERMINAL_ERROR))


def _written(message: Outgoing, source: str) -> Submit:
    return Submit(
        registered_delivery=int(message.receipt),
        tp_pid=message.protocol_id,
        tp_udhi=int(message.udhi),
        msg_fmt=_FORMATS.get(message.data_coding, Format.BINARY),
        msg_src=source,
        valid_time=message.validity,
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
