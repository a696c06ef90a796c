"""The terminal's MQTT client (MQTT 3.1.1): it publishes to `CLIENT/up` with QoS 1, and subscribes to `CLIENT/down`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.wire import mqtt

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.clock import Clock, Timer
    from simwarden.runtime.ip.tcp import Conversation

#: seconds in which a PINGRESP must come (3.1.2.10 leaves it to the client)
_ANSWER: Final = 10.0
_LAST_IDENTIFIER: Final = 65535


class MqttStream:
    """A connection to a broker as a conversation: `write` publishes, `read` returns what the broker publishes.

    `on_acknowledged` is called at each PUBACK, `on_alive` at each PINGRESP, `on_lost` when none comes.
    """

    def __init__(self, below: Conversation, client: str, keep_alive: int, clock: Clock) -> None:
        self._below, self._client, self._keep_alive, self._clock = below, client, keep_alive, clock
        self._splitter = mqtt.Splitter(1 << 18)
        self._packets: deque[mqtt.Packet] = deque()
        self._identifier = 0
        self._timer: Timer | None = None
        self._pinged = False
        self.on_acknowledged: Callable[[], object] = lambda: None
        self.on_alive: Callable[[], object] = lambda: None
        self.on_lost: Callable[[], None] = lambda: None

    async def connect(self) -> None:
        """Open the session, and subscribe. Raises ConnectionError, TimeoutError, PeerError."""
        self._send(mqtt.Connect(self._client, keep_alive=self._keep_alive))
        answer = await self._next()
        if isinstance(answer, mqtt.ConnAck) and answer.code != mqtt.ConnectCode.ACCEPTED:
            raise ConnectionRefusedError(f"the broker refuses with return code {answer.code}")
        if not isinstance(answer, mqtt.ConnAck):
            raise PeerError(f"MQTT: {type(answer).__name__} before CONNACK")
        self._send(mqtt.Subscribe(self._next_identifier(), ((f"{self._client}/down", 1),)))
        answer = await self._next()
        if not isinstance(answer, mqtt.SubAck):
            raise PeerError(f"MQTT: {type(answer).__name__} before SUBACK")

    async def read(self) -> bytes:
        """See Conversation."""
        while (packet := await self._next()) is not None:
            match packet:
                case mqtt.Publish(payload=payload, qos=qos, identifier=identifier):
                    if qos:
                        self._send(mqtt.Ack(mqtt.PacketType.PUBACK, identifier))
                    if payload:
                        return payload
                case mqtt.Ack(type=mqtt.PacketType.PUBACK):
                    self.on_acknowledged()
                case mqtt.Bare(type=mqtt.PacketType.PINGRESP):
                    self._pinged = False
                    self._arm()
                    self.on_alive()
                case _:
                    raise PeerError(f"MQTT: {type(packet).__name__} in a session")
        return b""

    def write(self, data: bytes) -> None:
        """See Conversation."""
        self._send(mqtt.Publish(f"{self._client}/up", data, qos=1, identifier=self._next_identifier()))

    def close(self) -> None:
        """See Conversation."""
        self._send(mqtt.Bare(mqtt.PacketType.DISCONNECT))
        self.stop()
        self._below.close()

    def stop(self) -> None:
        """Send no more PINGREQ."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _next(self) -> mqtt.Packet | None:
        while not self._packets:
            data = await self._below.read()
            if not data:
                return None
            self._packets.extend(self._splitter.feed(data))
        return self._packets.popleft()

    def _next_identifier(self) -> int:
        self._identifier = self._identifier % _LAST_IDENTIFIER + 1
        return self._identifier

    def _send(self, packet: mqtt.Packet) -> None:
        self._below.write(mqtt.encode(packet))
        self._arm()

    def _arm(self) -> None:
        """Send PINGREQ when nothing was sent for the Keep Alive (3.1.2.10)."""
        if self._keep_alive and not self._pinged:
            self.stop()
            self._timer = self._clock.call_later(self._keep_alive, self._ping)

    def _ping(self) -> None:
        self._pinged = True
        self._below.write(mqtt.encode(mqtt.Bare(mqtt.PacketType.PINGREQ)))
        self._timer = self._clock.call_later(_ANSWER, self.on_lost)
