"""Flows that programs on the terminal keep open: of datagrams, connections of TCP and TLS, and sessions of MQTT."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from simulators.device.clients.mqtt import MqttStream
    from simulators.device.clients.packets import Packets
    from simwarden.runtime.content import Payloads
    from simwarden.runtime.ip.tcp import Conversation, Stream

FlowProtocol = Literal["udp", "tcp", "tls", "mqtt", "mqtts"]
#: states in which a flow is over, by the error that has ended it: the first that fits
_ENDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (TimeoutError, "timed-out"),
    (ConnectionAbortedError, "dropped"),
    (ConnectionError, "reset"),
    (PeerError, "reset"),
)


class Place(NamedTuple):
    """Destination of a flow, its own port (0: any), the APN that it uses (empty: the first), and the name in TLS."""

    address: str
    port: int
    own_port: int = 0
    apn: str = ""
    sni: str = ""


class Datagrams:
    """Datagrams between a port of the terminal and a far end, as a program on a socket has them."""

    def __init__(self, packets: Packets, own: str, own_port: int, place: Place) -> None:
        self._packets, self._own, self._own_port, self._place = packets, own, own_port, place
        self._arrived = packets.open_port(own_port)
        #: the sender of the last datagram that was read, which need not be the far end
        self.sender = place.address

    async def read(self) -> bytes:
        """See Conversation; datagrams without octets are skipped."""
        while True:
            datagram = await self._arrived.get()
            if datagram is None:
                raise ConnectionRefusedError("the network says that nobody is there")
            self.sender, content = datagram
            if content:
                return content

    def write(self, data: bytes) -> None:
        """See Conversation."""
        self._packets.send_datagram(self._own, self._own_port, self._place.address, self._place.port, data)

    def close(self) -> None:
        """See Conversation."""
        self._packets.close_port(self._own_port)


class UserFlow:
    """A flow of a program: open until the program, the far end or the network ends it."""

    def __init__(self, packets: Packets, payloads: Payloads, name: str, protocol: FlowProtocol, place: Place) -> None:
        self._packets, self._payloads = packets, payloads
        self.name, self.protocol, self.place = name, protocol, place
        self.state = "opening"
        self._sent = self._received = self._keep_alives = 0
        self._conversation: Conversation | None = None
        self._stream: Stream | None = None
        self._mqtt: MqttStream | None = None
        self._answer: asyncio.Future[str] | None = None

    async def open(self, keep_alive: float) -> None:
        """Open it. Raises ConnectionError, TimeoutError, PeerError."""
        own = await self._packets.need_source(self.place.address, self.place.apn)
        try:
            self._conversation = await self._connect(own, keep_alive)
        except BaseException:
            self._abort()
            raise
        self._set_state("open")
        self._packets.emm.site.spawn(self._read(self._conversation), f"flow {self.name}", standing=True)

    async def _connect(self, own: str, keep_alive: float) -> Conversation:
        own_port = self.place.own_port or self._packets.new_port()
        if self.protocol == "udp":
            return Datagrams(self._packets, own, own_port, self.place)
        of_mqtt = self.protocol in ("mqtt", "mqtts")
        conversation: Conversation
        conversation = self._stream = await self._packets.connect(
            own, self.place.address, self.place.port, own_port, 0.0 if of_mqtt else keep_alive
        )
        self._stream.on_alive = self._count_keep_alive
        if self.protocol in ("tls", "mqtts"):
            from simwarden.runtime.ip.tls import TlsStream, client_context  # noqa: PLC0415 - OpenSSL takes time to load

            conversation = tls = TlsStream(conversation, client_context(), server=False, name=self.place.sni)
            await tls.handshake()
        return await self._begin_mqtt(conversation, int(keep_alive)) if of_mqtt else conversation

    async def _begin_mqtt(self, below: Conversation, keep_alive: int) -> Conversation:
        from simulators.device.clients.mqtt import MqttStream  # noqa: PLC0415 - few stories have MQTT

        site = self._packets.emm.site
        mqtt = self._mqtt = MqttStream(below, site.name, keep_alive, site.clock)
        mqtt.on_acknowledged = lambda: self._set_outcome("delivered")
        mqtt.on_alive, mqtt.on_lost = self._count_keep_alive, self._abort_unanswered
        await mqtt.connect()
        return mqtt

    @property
    def waiting(self) -> bool:
        """True while an answer is awaited."""
        return self._answer is not None

    async def exchange(self, data: bytes, within: float) -> str:
        """Send octets and wait for an answer: octets of the far end, of a broker its PUBACK. Returns the outcome."""
        if self._conversation is None or self.state != "open":
            return "dropped"
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self._sent += len(data)
        self._conversation.write(data)
        self._report_state()
        try:
            async with asyncio.timeout(within):
                return await answer
        except TimeoutError:
            return "timed-out"
        finally:
            self._answer = None

    def close(self) -> None:
        """Close it, as its program does."""
        if self._conversation is not None and self.state == "open":
            self._set_state("closed")
            self._conversation.close()

    def drop(self) -> None:
        """End it, as the terminal has no bearer any more; connections learn it from TCP."""
        if self.protocol == "udp" and self.state == "open":
            self._end("dropped")

    # -- what happens

    async def _read(self, conversation: Conversation) -> None:
        while self.state == "open":
            try:
                data = await conversation.read()
            except (ConnectionError, TimeoutError, PeerError) as error:
                if isinstance(conversation, Datagrams):  # the next ones may arrive
                    self._set_outcome("refused")
                    continue
                if isinstance(error, PeerError):
                    self._packets.emm.radio.fault(error.reason, b"")
                self._end(next(state for kind, state in _ENDS if isinstance(error, kind)))
            else:
                if not data:
                    self._end("ended")
                    return
                self._receive(data, conversation)

    def _receive(self, data: bytes, conversation: Conversation) -> None:
        sender = conversation.sender if isinstance(conversation, Datagrams) else self.place.address
        self._received += len(data)
        self._payloads.note(data, {"flow": self.name, "source": sender})
        self._report_state()
        if sender == self.place.address and self._mqtt is None:
            self._set_outcome("delivered")

    def _count_keep_alive(self) -> None:
        self._keep_alives += 1
        self._report_state()

    def _abort_unanswered(self) -> None:
        """End a connection whose broker does not answer PINGREQ."""
        if self._stream is not None:
            self._stream.abort(TimeoutError("no PINGRESP"))

    def _set_outcome(self, outcome: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(outcome)

    def _end(self, state: str) -> None:
        if self.state != "open":
            return
        self._set_state(state)
        self._set_outcome("refused" if state in ("reset", "ended") else state)
        if state == "ended" and self._conversation is not None:
            self._conversation.close()
        else:
            self._abort()

    def _abort(self) -> None:
        if self._mqtt is not None:
            self._mqtt.stop()
        if isinstance(self._conversation, Datagrams):
            self._conversation.close()
        if self._stream is not None:
            self._stream.abort()

    def _set_state(self, state: str) -> None:
        self.state = state
        self._report_state()

    def _report_state(self) -> None:
        passed = {"sent": self._sent, "received": self._received, "keep_alives": self._keep_alives}
        facts = {"name": self.name, "protocol": self.protocol, "state": self.state}
        self._packets.emm.site.observe("user_flow", {**facts, **passed}, key=self.name)
