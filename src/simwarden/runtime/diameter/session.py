"""Credit-control sessions of an element with a PCRF or an OCS, in the event loop (RFC 8506, TS 29.212 4.5).

    sessions = CreditClient(self.node, "Gy", "ocs", realm)
    session = sessions.open(self.fill, self.hear)
    granted = await session.begin()                # Granted, Uncharged or Ended
    session.update("QUOTA_EXHAUSTED")              # what comes of it is heard
    await session.end()

A session that has ended here and that its server may still have, since a request or an answer was lost, is told to it
by a CCR-T, again and again for a while, so that nothing stays there, and what was used is not forgotten.

`fill(ask)` returns what is in a CCR besides its head, type and number, at the time when it is sent. Requests after the
first go to the server that answered it, whatever agents are between.
"""

from __future__ import annotations

import asyncio
from dataclasses import InitVar, dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from simwarden.machine.credit_control import (
    Ask,
    Closed,
    CreditSession,
    CreditSettings,
    Ended,
    Event,
    Granted,
    State,
    Uncharged,
)
from simwarden.runtime.diameter.connection import Unreachable
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.wire.diameter import Avps, Message, ResultCode
from simwarden.wire.diameter.apps.credit import CcRequestType
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simwarden.runtime.clock import Clock
    from simwarden.runtime.diameter.connection import Peer
    from simwarden.runtime.diameter.node import DiameterNode

__all__ = ["Ask", "Closed", "CreditClient", "CreditSettings", "Ended", "Event", "Granted", "Session", "Uncharged"]

Fill: TypeAlias = "Callable[[Ask], Avps]"
Hear: TypeAlias = "Callable[[Event], None]"
#: what an element does with an RAR that brings more than the order to ask again (Gx: rules); returns the answer
ReAuth: TypeAlias = "Callable[[Session, Message], Awaitable[Message]]"


_INITIAL, _TERMINATION = CcRequestType.INITIAL_REQUEST, CcRequestType.TERMINATION_REQUEST
#: pauses after which a server is told that a session is over, in seconds
_PAUSES: Final = (1.0, 5.0, 30.0, 120.0, 600.0, 3600.0)


class CreditClient:
    """All sessions that an element has on one reference point, with one server where nothing else is said."""

    def __init__(
        self,
        node: DiameterNode,
        point: str,
        peer: str,
        realm: str,
        *,
        settings: CreditSettings | None = None,
        re_auth: ReAuth | None = None,
    ) -> None:
        self.node, self.point, self.peer, self.realm = node, point, peer, realm
        self.settings = settings or CreditSettings()
        self._on_re_auth = re_auth
        self.sessions: dict[str, Session] = {}
        node.handle(point, "re-auth-request", self._re_auth)
        node.handle(point, "abort-session-request", self._abort)

    def open(self, fill: Fill, hear: Hear, peer: str = "", settings: CreditSettings | None = None) -> Session:
        """Make a session, with another server or settings than the usual ones if said; it begins when told."""
        session = Session(self, fill, hear, peer or self.peer, settings or self.settings)
        self.sessions[session.id] = session
        return session

    def _session(self, asked: Message) -> Session | None:
        """Return the session that a server means; one that is another server's is none of its."""
        session = self.sessions.get(asked.get("Session-Id"))
        return session if session is not None and session.server == asked.get("Origin-Host") else None

    async def _re_auth(self, asked: Message, _peer: Peer) -> Message:
        """Answer an RAR; where a CCR follows, with 2002 (RFC 8506 5.5)."""
        session = self._session(asked)
        if session is None:
            return self.node.answer(asked, ResultCode.DIAMETER_UNKNOWN_SESSION_ID)
        if self._on_re_auth is not None:
            return await self._on_re_auth(session, asked)
        follows = session.ask_again()
        return self.node.answer(asked, ResultCode.DIAMETER_LIMITED_SUCCESS if follows else ResultCode.DIAMETER_SUCCESS)

    async def _abort(self, asked: Message, _peer: Peer) -> Message:
        """Answer an ASR: the service stops, and the session ends by a CCR-T (RFC 6733 8.5, RFC 8506 5.4)."""
        session = self._session(asked)
        if session is None:
            return self.node.answer(asked, ResultCode.DIAMETER_UNKNOWN_SESSION_ID)
        session.abort()
        return self.node.answer(asked, ResultCode.DIAMETER_SUCCESS)


@dataclass(slots=True, eq=False)
class Session:
    """One session of a client."""

    _client: CreditClient
    _fill: Fill
    _hear: Hear
    _peer: str
    settings: InitVar[CreditSettings]
    id: str = field(init=False)
    #: the name of the node that answered the first CCR; empty until then
    server: str = ""
    machine: CreditSession = field(init=False)
    #: the CCR under way is about a part of what the session has: `fill` sets it
    partly: bool = False
    _clock: Clock = field(init=False)
    _timer: MachineTimer = field(init=False)
    _first: asyncio.Future[Event] | None = None
    #: done at the end of the session
    _over: asyncio.Future[None] | None = None
    _settling: bool = False
    #: the CCR that is not answered yet
    _sent: Message | None = None

    def __post_init__(self, settings: CreditSettings) -> None:
        self._clock, self.id = self._client.node.site.clock, self._client.node.session_id()
        self.machine = CreditSession(settings)
        self._timer = MachineTimer(self._clock, self._on_timer, internal=False)

    async def begin(self) -> Event:
        """Send the CCR-I; return what came of it: Granted, Uncharged or Ended."""
        self._first = asyncio.get_running_loop().create_future()
        self.machine.start(self._clock.now())
        self._act()
        event, self._first = await self._first, None  # its answer is not kept
        return event

    def update(self, reason: str) -> None:
        """Report what was used, and ask for more; what comes of it is heard. Of a node that is gone nothing is."""
        if self._client.node.stopping:
            return
        self.machine.update(self._clock.now(), reason)
        self._act()

    async def end(self) -> None:
        """Stop: send the CCR-T, and wait for its answer or until it is late."""
        self.machine.stop(self._clock.now())
        self._act()
        if self.machine.state is not State.ENDED:
            self._over = self._over or asyncio.get_running_loop().create_future()
            await self._over

    def ask_again(self) -> bool:
        """Take note of an RAR; return whether a CCR follows."""
        follows = self.machine.re_auth(self._clock.now(), partly=self.partly)
        self._act()
        return follows

    def abort(self) -> None:
        """Take note of an ASR: the service stops at once."""
        self._hear(Ended("the server aborted the session"))
        self.machine.stop(self._clock.now())
        self._act()

    # -- the machine

    def _act(self) -> None:
        """Do what the machine wants, and arm its timer."""
        for event in self.machine.events():
            if isinstance(event, Ask):
                self._client.node.site.spawn(self._ask(event), f"CCR {event.number}")
            elif self._first is not None and not self._first.done():
                self._first.set_result(event)
            else:
                self._hear(event)
        if self.machine.state is State.ENDED:
            self._client.sessions.pop(self.id, None)
            if self._over is not None and not self._over.done():
                self._over.set_result(None)
        self._timer.arm(self.machine.next_timer())

    def _on_timer(self, now: float) -> None:
        if self._client.node.stopping:
            return  # the node is gone, and its sessions with it
        self.machine.on_timer(now)
        self._act()

    async def _ask(self, ask: Ask) -> None:
        message, client = self._made(ask), self._client
        try:  # an answer later than Tx still counts where the machine waits for it
            answer = await client.node.ask(self._peer, message, timeout=2 * client.settings.tx)
        except Unreachable as reason:
            self.machine.failed(ask.number, str(reason), self._clock.now())
            unknown = bool(message.hop_by_hop) or ask.kind != _INITIAL  # it was sent, or one before it
        else:
            unknown = self._answered(ask, answer)
        self._act()
        if unknown and self.machine.state is State.ENDED and not self._settling:
            self._settling = True
            client.node.site.spawn(self._settle(ask, message), "CCR-T")

    def _answered(self, ask: Ask, answer: Message) -> bool:
        """Take an answer; whether the server has a session that this end has not.

        One with something in it that is mandatory and not known here is none: a condition might be overlooked by which
        it grants or allows (RFC 6733 4.1).
        """
        if answer.unsupported:
            reason = f"{self._peer} answered with {answer.unsupported[0].name}, which has the M bit and is not known"
            self._client.node.site.note(reason, session=self.id)
            self.machine.failed(ask.number, reason, self._clock.now())
            return True
        unknown = self.machine.state is State.ENDED and answer.success and ask.kind != _TERMINATION
        self._sent = None if answer.success else self._sent
        if answer.success:
            self.server = answer.get("Origin-Host", "")
        self.machine.answered(ask.number, answer, self._clock.now())
        return unknown

    def _made(self, ask: Ask) -> Message:
        """Return a CCR; one that goes out again says the same, to whatever server there is (RFC 8506 5.7)."""
        if self._sent is None or not ask.again:
            self._sent = self._make(ask)
            return self._sent
        again = replace(self._sent, hop_by_hop=0, end_to_end=0)
        again.avps = [each for each in again.avps if each[0] != "Destination-Host"]
        again.flags |= FLAG_RETRANSMITTED
        return again

    def _make(self, ask: Ask) -> Message:
        kind: Avps = [("CC-Request-Type", int(ask.kind)), ("CC-Request-Number", ask.number)]
        return self._client.node.make(
            "Credit-Control-Request",
            kind + self._fill(ask),
            realm=self._client.realm,
            host=self.server,
            point=self._client.point,
            session=self.id,
        )

    async def _settle(self, ask: Ask, message: Message) -> None:
        """Tell the server that a session is over, which it may still have, by a CCR-T.

        Before it goes the update that was not answered, or the server would take what that reports for unused. Each
        time it is a request of its own: one that lies unanswered at the server would have a repeated one lie, too;
        Session-Id and CC-Request-Number say that it is the same.
        """
        due = [message] if ask.kind != _INITIAL else []
        if ask.kind != _TERMINATION:
            due.append(self._make(Ask(_TERMINATION, ask.number + 1)))
        for pause in _PAUSES:
            await self._clock.sleep(pause)
            while due:
                again = replace(due[0], hop_by_hop=0, end_to_end=0)
                if due[0].hop_by_hop:
                    again.flags |= FLAG_RETRANSMITTED
                try:
                    await self._client.node.ask(self._peer, again)
                except Unreachable:
                    due[0] = again
                    break
                del due[0]
            else:
                return
