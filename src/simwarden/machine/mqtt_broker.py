"""An MQTT 3.1.1 broker without I/O: sessions, subscriptions, retained messages, and what waits for subscribers.

What must survive a killed process (sessions that are not clean, what waits for them, retained messages) is in a
`Memory` of the owner's; a message is there before its PUBACK is made. Quality of service is at most 1: a subscription
that asks for 2 is granted 1, which the standard allows (3.8.4), and a PUBLISH with 2 ends its connection.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from simwarden.errors import PeerError
from simwarden.machine.timer import Timer
from simwarden.wire.mqtt import (
    Ack,
    Bare,
    ConnAck,
    Connect,
    ConnectCode,
    Packet,
    PacketType,
    Publish,
    Splitter,
    SubAck,
    Subscribe,
    Unsubscribe,
    Will,
    encode,
    matches,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

#: messages on their way to one subscriber at the same time
WINDOW: Final = 64
#: octets of the largest packet that is taken
LONGEST_PACKET: Final = 1 << 18
#: messages that may wait for a clean session, whose connection is ended when there are more; a kept one has the disk
MOST_QUEUED: Final = 100_000
#: seconds in which CONNECT must come
CONNECT_TIME: Final = 10.0
_IDENTIFIERS = 65535

Waiting = tuple[int, Publish]
"""A message that waits for a subscriber, with its number: later ones have higher numbers."""


class Memory(Protocol):
    """What outlives the broker's process. Each call is committed when it returns."""

    def sessions(self) -> Mapping[str, Mapping[str, int]]:
        """Return the filters with their QoS of each kept session, by client identifier."""

    def keep_session(self, client: str) -> None:
        """Keep a session, if it is not kept yet."""

    def drop_session(self, client: str) -> None:
        """Forget a session with its filters and all that waits."""

    def keep_filters(self, client: str, filters: Mapping[str, int]) -> None:
        """Keep filters of a session in addition."""

    def drop_filters(self, client: str, filters: Sequence[str]) -> None:
        """Forget filters of a session."""

    def store(self, message: Publish, clients: Sequence[str], *, retain: bool) -> None:
        """Keep a message for sessions, and as its topic's retained one (an empty payload: there is none any more)."""

    def waiting(self, client: str, after: int, most: int) -> list[Waiting]:
        """Return what waits for a session, beginning after a number."""

    def done(self, client: str, number: int) -> None:
        """Forget a message that a session has acknowledged."""

    def retained(self) -> Iterable[Publish]:
        """Return all retained messages."""


@dataclass(frozen=True, slots=True)
class Published:
    """A client's message, kept and on its way to whoever subscribed."""

    client: str
    message: Publish


@dataclass(frozen=True, slots=True)
class Faulted:
    """A connection broke the protocol and is over."""

    reason: str
    data: bytes = b""


class _Session:
    """A client's session; what waits for a clean one is in its `queue`, for another in the broker's memory."""

    def __init__(self, client: str, *, clean: bool) -> None:
        self.client, self.clean = client, clean
        self.filters: dict[str, int] = {}
        self.connection: Connection | None = None
        self.queue: OrderedDict[int, Publish] = OrderedDict()
        self.flying: dict[int, int] = {}
        self.sent = 0
        self.numbers = 0

    def granted(self, topic: str) -> int | None:
        """Return the highest QoS of the filters that fit a topic; None if none does."""
        return max((qos for each, qos in self.filters.items() if matches(each, topic)), default=None)


class Broker:
    """All sessions of one broker. `users` are names with passwords; without any, everybody may connect."""

    def __init__(self, memory: Memory, users: Mapping[str, str] | None = None) -> None:
        self.memory, self._users = memory, dict(users or {})
        self._sessions: dict[str, _Session] = {}
        self._unnamed = 0
        self._touched: dict[Connection, None] = {}
        self.events: list[Published] = []
        for client, filters in memory.sessions().items():
            session = self._sessions[client] = _Session(client, clean=False)
            session.filters.update(filters)

    def open(self, now: float) -> Connection:
        """Take a new connection."""
        return Connection(self, now)

    def touched(self) -> list[Connection]:
        """Return the connections that have something to send or are over, and forget which they were."""
        touched, self._touched = list(self._touched), {}
        return touched

    def touch(self, connection: Connection) -> None:
        """Note that a connection has something to send."""
        self._touched[connection] = None

    # -- sessions

    def admits(self, packet: Connect) -> bool:
        """Whether name and password are right."""
        if not self._users:
            return True
        wanted = self._users.get(packet.user or "")
        return wanted is not None and hmac.compare_digest(wanted.encode(), packet.password or b"")

    def begin(self, connection: Connection, packet: Connect) -> tuple[_Session, bool]:
        """Return the session of a client that connects, and whether it was there before (3.1.2.4)."""
        client = packet.client
        if not client:
            self._unnamed += 1
            client = f"unnamed-{self._unnamed}"
        former = self._sessions.get(client)
        if former is not None and former.connection is not None:
            former.connection.taken_over()
        present = former is not None and not former.clean and not packet.clean
        if former is None or not present:
            if former is not None and not former.clean:
                self.memory.drop_session(client)
            former = self._sessions[client] = _Session(client, clean=packet.clean)
            if not packet.clean:
                self.memory.keep_session(client)
        former.connection, former.sent = connection, 0
        return former, present

    def end(self, session: _Session, connection: Connection) -> None:
        """Take note that a session's connection is gone."""
        if session.connection is connection:
            session.connection = None
            session.flying.clear()
            if session.clean:
                self._sessions.pop(session.client, None)

    def subscribe(self, session: _Session, filters: Iterable[tuple[str, int]]) -> tuple[int, ...]:
        """Add filters to a session and return the QoS granted."""
        granted = {each: min(qos, 1) for each, qos in filters}
        if not session.clean:
            self.memory.keep_filters(session.client, granted)
        session.filters.update(granted)
        return tuple(granted[each] for each, _ in filters)

    def unsubscribe(self, session: _Session, filters: Sequence[str]) -> None:
        """Take filters from a session."""
        if not session.clean:
            self.memory.drop_filters(session.client, filters)
        for each in filters:
            session.filters.pop(each, None)

    def tell_retained(self, session: _Session, filters: Iterable[tuple[str, int]]) -> None:
        """Send retained messages to a new subscription (3.3.1.3)."""
        wanted = list(filters)
        for message in self.memory.retained():
            granted = [min(qos, 1) for each, qos in wanted if matches(each, message.topic)]
            if granted:
                self._hand_over(replace(message, qos=min(message.qos, max(granted))), [session])

    # -- messages

    def publish(self, client: str, message: Publish) -> None:
        """Keep a message and send it to all who subscribed; committed where it must be when this returns."""
        plain = replace(message, retain=False, duplicate=False, identifier=0)
        by_qos: dict[int, list[_Session]] = {}
        for session in self._sessions.values():
            granted = session.granted(message.topic)
            if granted is not None:
                by_qos.setdefault(min(granted, message.qos), []).append(session)
        if message.retain:
            self.memory.store(replace(plain, retain=True), (), retain=True)
        for qos, sessions in by_qos.items():
            self._hand_over(replace(plain, qos=qos), sessions)
        self.events.append(Published(client, message))

    def _hand_over(self, message: Publish, sessions: Sequence[_Session]) -> None:
        if not message.qos:
            for session in sessions:
                if session.connection is not None:
                    session.connection.send(message)
            return
        kept = [session.client for session in sessions if not session.clean]
        if kept:
            self.memory.store(message, kept, retain=False)
        for session in sessions:
            if session.clean:
                session.numbers += 1
                session.queue[session.numbers] = message
                if len(session.queue) > MOST_QUEUED and session.connection is not None:
                    session.connection.too_slow()
                    continue
            self.pump(session)

    def pump(self, session: _Session) -> None:
        """Send what waits for a session, as far as its window allows."""
        connection = session.connection
        room = WINDOW - len(session.flying)
        if connection is None or room < WINDOW // 2:  # what is on its way brings us here again
            return
        for number, message in self._waiting(session, room):
            identifier = number % _IDENTIFIERS + 1
            if identifier in session.flying:
                return
            session.flying[identifier] = session.sent = number
            connection.send(replace(message, identifier=identifier))

    def _waiting(self, session: _Session, most: int) -> list[Waiting]:
        if not session.clean:
            return self.memory.waiting(session.client, session.sent, most)
        found = []
        for number, message in session.queue.items():
            if number > session.sent:
                found.append((number, message))
            if len(found) == most:
                break
        return found

    def acknowledged(self, session: _Session, identifier: int) -> None:
        """Take note of a subscriber's PUBACK; one for nothing is let pass, as after a connection was lost."""
        number = session.flying.pop(identifier, None)
        if number is None:
            return
        if session.clean:
            session.queue.pop(number, None)
        else:
            self.memory.done(session.client, number)
        self.pump(session)


class Connection:
    """One client's connection, by the five calls; `over` says that the link is to be closed."""

    def __init__(self, broker: Broker, now: float) -> None:
        self._broker = broker
        self._splitter = Splitter(LONGEST_PACKET)
        self._out: list[bytes] = []
        self._faults: list[Faulted] = []
        self._session: _Session | None = None
        self._will: Will | None = None
        self._patience = CONNECT_TIME
        self._heard = now
        self.over = False

    @property
    def client(self) -> str:
        """The client's identifier; empty before its CONNECT."""
        return self._session.client if self._session is not None else ""

    # -- the five calls

    def receive(self, data: bytes, now: float) -> None:
        """Take octets from the client, in any pieces."""
        if self.over:
            return
        self._heard = now
        try:
            for packet in self._splitter.feed(data):
                self._take(packet)
                if self.over:
                    return
        except PeerError as error:
            self._faults.append(Faulted(error.reason, data))
            self.lost()

    def data_to_send(self) -> list[bytes]:
        """Return what must go to the client, one entry a packet, and forget it."""
        out, self._out = self._out, []
        return out

    def next_timer(self) -> Timer | None:
        """Return when a client that stays silent is given up (3.1.2.10)."""
        if self.over or not self._patience:
            return None
        return Timer(self._heard + self._patience, keep_alive=self._session is not None)

    def on_timer(self, now: float) -> None:
        """Take note of the time; harmless before the deadline."""
        timer = self.next_timer()
        if timer is not None and now >= timer.deadline:
            self._faults.append(Faulted(f"silent for {self._patience:g} s"))
            self.lost()

    def events(self) -> list[Faulted]:
        """Return what the client did wrong since the last call, and forget it."""
        faults, self._faults = self._faults, []
        return faults

    # -- what the broker does

    def send(self, packet: Packet) -> None:
        """Send a packet."""
        if not self.over:
            self._out.append(encode(packet))
            self._broker.touch(self)

    def lost(self) -> None:
        """Take note that the link is gone, or is to go: the will is published."""
        will, self._will = self._will, None
        self._end()
        if will is not None:
            message = Publish(will.topic, will.payload, min(will.qos, 1), will.retain)
            self._broker.publish(self.client, message)

    def drop(self) -> None:
        """End without a further word, and without the will: what it was told is not kept."""
        self._out, self._will = [], None
        self._end()

    def taken_over(self) -> None:
        """Make room for a newer connection of the same client (3.1.4)."""
        self.lost()

    def too_slow(self) -> None:
        """End a connection whose client does not take what it subscribed to."""
        self._faults.append(Faulted(f"{MOST_QUEUED} messages wait for it"))
        self.lost()

    def _end(self) -> None:
        if not self.over:
            self.over = True
            self._broker.touch(self)
            if self._session is not None:
                self._broker.end(self._session, self)

    # -- packets

    def _take(self, packet: Packet) -> None:
        if isinstance(packet, Connect):
            self._connect(packet)
            return
        if self._session is None:
            raise PeerError(f"{type(packet).__name__} before CONNECT")
        handle = _HANDLERS.get(type(packet))
        if handle is None:
            raise PeerError(f"a {type(packet).__name__}, which is a server's to send")
        handle(self, self._session, packet)

    def _connect(self, packet: Connect) -> None:
        if self._session is not None:
            raise PeerError("a second CONNECT")
        code = self._code(packet)
        if code != ConnectCode.ACCEPTED:
            self.send(ConnAck(code))
            self._end()
            return
        self._patience = packet.keep_alive * 1.5
        self._will = packet.will
        self._session, present = self._broker.begin(self, packet)
        self.send(ConnAck(session_present=present))
        self._broker.pump(self._session)

    def _code(self, packet: Connect) -> ConnectCode:
        if packet.level != 4:
            return ConnectCode.UNACCEPTABLE_PROTOCOL_VERSION
        if not packet.client and not packet.clean:
            return ConnectCode.IDENTIFIER_REJECTED
        return ConnectCode.ACCEPTED if self._broker.admits(packet) else ConnectCode.BAD_USER_NAME_OR_PASSWORD

    def publish(self, session: _Session, packet: Publish) -> None:
        """PUBLISH from the client (3.3)."""
        if packet.qos > 1:
            raise PeerError("PUBLISH with QoS 2, which this broker does not have")
        self._broker.publish(session.client, packet)
        if packet.qos:
            self.send(Ack(PacketType.PUBACK, packet.identifier))

    def ack(self, session: _Session, packet: Ack) -> None:
        """PUBACK from the client (3.4)."""
        if packet.type is not PacketType.PUBACK:
            raise PeerError(f"{packet.type.name}, although nothing was sent with QoS 2")
        self._broker.acknowledged(session, packet.identifier)

    def subscribe(self, session: _Session, packet: Subscribe) -> None:
        """SUBSCRIBE (3.8)."""
        self.send(SubAck(packet.identifier, self._broker.subscribe(session, packet.filters)))
        self._broker.tell_retained(session, packet.filters)

    def unsubscribe(self, session: _Session, packet: Unsubscribe) -> None:
        """UNSUBSCRIBE (3.10)."""
        self._broker.unsubscribe(session, packet.filters)
        self.send(Ack(PacketType.UNSUBACK, packet.identifier))

    def bare(self, _session: _Session, packet: Bare) -> None:
        """PINGREQ and DISCONNECT (3.12, 3.14)."""
        if packet.type is PacketType.PINGREQ:
            self.send(Bare(PacketType.PINGRESP))
        elif packet.type is PacketType.DISCONNECT:
            self._will = None
            self._end()
        else:
            raise PeerError("PINGRESP, which is a server's to send")


_HANDLERS: Final[Mapping[type, Callable[..., None]]] = {
    Publish: Connection.publish,
    Ack: Connection.ack,
    Subscribe: Connection.subscribe,
    Unsubscribe: Connection.unsubscribe,
    Bare: Connection.bare,
}
