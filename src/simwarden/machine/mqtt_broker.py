"""An MQTT 3.1.1 broker without I/O: sessions, subscriptions, retained messages, and what waits for subscribers.

All of it is in memory and ends with the broker. Quality of service is at most 1: a subscription that asks for 2 is
granted 1, which the standard allows (3.8.4), and a PUBLISH with 2 ends its connection.
"""

from __future__ import annotations

import hmac
import itertools
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.machine.outputs import Outputs
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
#: messages that may wait for a session; further ones are dropped, and its connection is ended
MOST_QUEUED: Final = 100_000
#: sessions that are not clean, and topics with a retained message: further ones are refused, or not retained
MOST_SESSIONS: Final = 1_000
MOST_RETAINED: Final = 10_000
#: seconds in which CONNECT must come
CONNECT_TIME: Final = 10.0
_IDENTIFIERS = 65535


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
    """A client's session, with the messages that wait for it by their number."""

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

    def __init__(self, users: Mapping[str, str] | None = None) -> None:
        self._users = dict(users or {})
        self._sessions: dict[str, _Session] = {}
        self._unnamed = 0
        self._touched: dict[Connection, None] = {}
        self._retained: dict[str, Publish] = {}
        self.events: list[Published] = []

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

    def kept_sessions(self) -> dict[str, tuple[list[str], int]]:
        """Return the sessions that are not clean by client: their filters, and how many messages wait."""
        kept = sorted((each for each in self._sessions.values() if not each.clean), key=lambda each: each.client)
        return {each.client: (sorted(each.filters), len(each.queue)) for each in kept}

    def admits(self, packet: Connect) -> bool:
        """Whether name and password are right."""
        if not self._users:
            return True
        wanted = self._users.get(packet.user or "")
        return wanted is not None and hmac.compare_digest(wanted.encode(), packet.password or b"")

    def has_room(self, packet: Connect) -> bool:
        """Return True unless the client asks for one more persistent session than the broker holds."""
        session = self._sessions.get(packet.client)
        if packet.clean or (session is not None and not session.clean):
            return True
        return sum(not each.clean for each in self._sessions.values()) < MOST_SESSIONS

    def begin(self, connection: Connection, packet: Connect) -> tuple[_Session, bool]:
        """Return the session of a client that connects, and whether it was there before (3.1.2.4)."""
        client = packet.client
        if not client:
            self._unnamed += 1
            client = f"unnamed-{self._unnamed}"
        former = self._sessions.get(client)
        if former is not None and former.connection is not None:
            former.connection.lost()  # a newer connection of the same client (3.1.4)
        present = former is not None and not former.clean and not packet.clean
        if former is None or not present:
            former = self._sessions[client] = _Session(client, clean=packet.clean)
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
        session.filters.update(granted)
        return tuple(granted[each] for each, _ in filters)

    def unsubscribe(self, session: _Session, filters: Sequence[str]) -> None:
        """Take filters from a session."""
        for each in filters:
            session.filters.pop(each, None)

    def tell_retained(self, session: _Session, filters: Iterable[tuple[str, int]]) -> None:
        """Send retained messages to a new subscription (3.3.1.3)."""
        wanted = list(filters)
        for message in self._retained.values():
            granted = [min(qos, 1) for each, qos in wanted if matches(each, message.topic)]
            if granted:
                self._hand_over(replace(message, qos=min(message.qos, max(granted))), [session])

    # -- messages

    def publish(self, client: str, message: Publish) -> None:
        """Send a message to all who subscribed, or let it wait for them."""
        plain = replace(message, retain=False, duplicate=False, identifier=0)
        by_qos: dict[int, list[_Session]] = {}
        for session in self._sessions.values():
            granted = session.granted(message.topic)
            if granted is not None:
                by_qos.setdefault(min(granted, message.qos), []).append(session)
        if message.retain:
            self._retained.pop(message.topic, None)
            if message.payload and len(self._retained) < MOST_RETAINED:  # an empty one removes that of its topic
                self._retained[message.topic] = replace(plain, retain=True)
        for qos, sessions in by_qos.items():
            self._hand_over(replace(plain, qos=qos), sessions)
        self.events.append(Published(client, message))

    def _hand_over(self, message: Publish, sessions: Sequence[_Session]) -> None:
        if not message.qos:
            for session in sessions:
                if session.connection is not None:
                    session.connection.send(message)
            return
        for session in sessions:
            if len(session.queue) < MOST_QUEUED:
                session.numbers += 1
                session.queue[session.numbers] = message
                self.pump(session)
            elif session.connection is not None:
                session.connection.too_slow()

    def pump(self, session: _Session) -> None:
        """Send what waits for a session, as far as its window allows."""
        connection = session.connection
        room = WINDOW - len(session.flying)
        if connection is None or room < WINDOW // 2:  # what is on its way brings us here again
            return
        waiting = ((number, message) for number, message in session.queue.items() if number > session.sent)
        for number, message in [*itertools.islice(waiting, room)]:
            identifier = number % _IDENTIFIERS + 1
            if identifier in session.flying:
                return
            session.flying[identifier] = session.sent = number
            connection.send(replace(message, identifier=identifier))

    def acknowledged(self, session: _Session, identifier: int) -> None:
        """Take note of a subscriber's PUBACK; one for nothing is let pass, as after a connection was lost."""
        number = session.flying.pop(identifier, None)
        if number is None:
            return
        session.queue.pop(number, None)
        self.pump(session)


class Connection(Outputs[bytes, Faulted]):
    """One client's connection, by the five calls; `over` says that the link is to be closed."""

    def __init__(self, broker: Broker, now: float) -> None:
        super().__init__()
        self._broker = broker
        self._splitter = Splitter(LONGEST_PACKET)
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
            self._events.append(Faulted(error.reason, data))
            self.lost()

    def next_timer(self) -> Timer | None:
        """Return when a client that stays silent is given up (3.1.2.10)."""
        if self.over or not self._patience:
            return None
        return Timer(self._heard + self._patience, keep_alive=self._session is not None)

    def on_timer(self, now: float) -> None:
        """Take note of the time; harmless before the deadline."""
        timer = self.next_timer()
        if timer is not None and now >= timer.deadline:
            self._events.append(Faulted(f"silent for {self._patience:g} s"))
            self.lost()

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

    def too_slow(self) -> None:
        """End a connection whose client does not take what it subscribed to."""
        self._events.append(Faulted(f"{MOST_QUEUED} messages wait for it"))
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
        if not self._broker.admits(packet):
            return ConnectCode.BAD_USER_NAME_OR_PASSWORD
        return ConnectCode.ACCEPTED if self._broker.has_room(packet) else ConnectCode.SERVER_UNAVAILABLE

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
