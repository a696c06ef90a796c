"""One MQTT connection of a publisher as a machine without I/O (MQTT 3.1.1): QoS 1, in order, a window at a time.

The session is clean: what was not acknowledged on a lost connection is the owner's to publish again on the next one,
since the owner keeps messages for longer than a broker keeps sessions.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

from simwarden.errors import PeerError
from simwarden.machine.outputs import Outputs
from simwarden.machine.timer import Timer
from simwarden.wire.mqtt import Ack, Bare, ConnAck, Connect, ConnectCode, Packet, PacketType, Publish, Splitter, encode

#: messages that wait for their PUBACK at the same time
WINDOW: Final = 64
#: seconds in which CONNACK, PUBACK and PINGRESP must come
ANSWER: Final = 10.0
_LAST_IDENTIFIER = 65535


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker takes messages."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker has the message of this tag and all that were published before it."""

    tag: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection is of no use any more: close it. `data` are the octets that broke the protocol."""

    reason: str
    data: bytes = b""


Event: TypeAlias = Accepted | Acknowledged | Failed


class MqttPublisher(Outputs[bytes, Event]):
    """One connection to a broker. Times are seconds of the owner's clock."""

    def __init__(self, connect: Connect, *, window: int = WINDOW, answer: float = ANSWER) -> None:
        super().__init__()
        self._connect, self._window, self._answer = connect, window, answer
        self._splitter = Splitter(longest=1 << 16)
        self._flying: deque[tuple[int, int]] = deque()
        self._early: set[int] = set()
        self._identifier = 0
        self._due: float | None = None
        self._idle_since = 0.0
        self._pinged = False
        self._open = self._failed = False

    # -- what the owner does

    def connected(self, now: float) -> None:
        """Take note that the link is up: CONNECT."""
        self._send(self._connect, now)
        self._due = now + self._answer

    @property
    def room(self) -> int:
        """How many messages may be published now."""
        return self._window - len(self._flying) if self._open and not self._failed else 0

    @property
    def quiet(self) -> bool:
        """Whether nothing waits for its PUBACK."""
        return not self._flying

    def publish(self, topic: str, payload: bytes, tag: int, now: float) -> None:
        """Publish a message, known by its `tag`; call when there is `room`."""
        self._identifier = self._identifier % _LAST_IDENTIFIER + 1
        if not self._flying:
            self._due = now + self._answer
        self._flying.append((self._identifier, tag))
        self._send(Publish(topic, payload, qos=1, identifier=self._identifier), now)

    def disconnect(self, now: float) -> None:
        """Say goodbye; the owner closes the link after it."""
        if self._open and not self._failed:
            self._send(Bare(PacketType.DISCONNECT), now)
        self._failed = True

    # -- the five calls

    def receive(self, data: bytes, now: float) -> None:
        """Take octets from the broker, in any pieces."""
        if self._failed:
            return
        try:
            for packet in self._splitter.feed(data):
                self._take(packet, now)
        except PeerError as error:
            self._fail(error.reason, data)

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` must be called; a keep-alive if nothing but an idle connection waits."""
        if self._failed:
            return None
        if self._due is not None:
            return Timer(self._due, keep_alive=False)
        if self._open and self._connect.keep_alive:
            return Timer(self._idle_since + self._connect.keep_alive, keep_alive=True)
        return None

    def on_timer(self, now: float) -> None:
        """Take note of the time; harmless before the deadline."""
        timer = self.next_timer()
        if timer is None or now < timer.deadline:
            return
        if timer.keep_alive:
            self._send(Bare(PacketType.PINGREQ), now)
            self._pinged, self._due = True, now + self._answer
        else:
            waited = "CONNACK" if not self._open else "PUBACK" if self._flying else "PINGRESP"
            self._fail(f"no {waited} within {self._answer:g} s")

    # -- inside

    def _send(self, packet: Packet, now: float) -> None:
        self._out.append(encode(packet))
        self._idle_since = now

    def _fail(self, reason: str, data: bytes = b"") -> None:
        self._failed = True
        self._events.append(Failed(reason, data))

    def _take(self, packet: Packet, now: float) -> None:
        if self._failed:
            return
        if not self._open:
            self._take_first(packet)
        elif isinstance(packet, Ack) and packet.type is PacketType.PUBACK:
            self._acknowledged(packet.identifier, now)
        elif isinstance(packet, Bare) and packet.type is PacketType.PINGRESP:
            self._pinged = False
            self._due = now + self._answer if self._flying else None
        else:
            raise PeerError(f"a {type(packet).__name__} that nobody asked for")

    def _take_first(self, packet: Packet) -> None:
        if not isinstance(packet, ConnAck):
            raise PeerError(f"{type(packet).__name__} before CONNACK")
        if packet.code != ConnectCode.ACCEPTED:
            self._fail(f"the broker refuses: {ConnectCode(packet.code).name.lower().replace('_', ' ')}")
            return
        self._open, self._due = True, None
        self._events.append(Accepted())

    def _acknowledged(self, identifier: int, now: float) -> None:
        """Take a PUBACK; one out of turn counts when those before it are there."""
        if identifier in self._early or all(each != identifier for each, _ in self._flying):
            raise PeerError(f"PUBACK of {identifier}, which does not wait for one")
        self._early.add(identifier)
        tag = None
        while self._flying and self._flying[0][0] in self._early:
            first, tag = self._flying.popleft()
            self._early.discard(first)
        if tag is not None:
            self._events.append(Acknowledged(tag))
            self._due = now + self._answer if self._flying or self._pinged else None
