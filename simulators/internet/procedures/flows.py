"""Connections at services of hosts, which stay open: plain, under TLS, and with a broker (MQTT 3.1.1)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from simulators.internet.procedures.certificates import certificate_of
from simwarden.errors import ManagementError, PeerError
from simwarden.machine.mqtt_broker import Broker
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.wire.mqtt import Publish

if TYPE_CHECKING:
    from simulators.internet.core import Core
    from simwarden.machine.mqtt_broker import Connection
    from simwarden.runtime.ip.tcp import Conversation, Ends, Stream

_TLS: Final = ("tls", "mqtts")


class Brokerage:
    """The broker of a service, with the connections of its clients."""

    def __init__(self) -> None:
        self.machine = Broker()
        self.flows: dict[Connection, UserFlow] = {}

    def flush(self, disconnected: Connection | None = None) -> None:
        """Send what there is to send to all clients, and close what is over, except for who has just disconnected."""
        for connection in self.machine.touched():
            flow = self.flows.get(connection)
            if flow is not None:
                flow.send_packets(connection.data_to_send())
            if flow is not None and connection.over and connection is not disconnected:
                flow.close()


class UserFlow:
    """A connection of a device to a service of a host."""

    def __init__(self, core: Core, ends: Ends, protocol: str) -> None:
        self.core, self.ends, self.protocol = core, ends, protocol
        self.service = core.services[ends[:2]]
        self._conversation: Conversation | None = None
        self._client: Connection | None = None
        self._state = ""

    @property
    def is_open(self) -> bool:
        """True until one of both ends the connection."""
        return self._state == "open"

    async def serve(self, stream: Stream) -> None:
        """Speak with the device until one of both, or the network, ends the connection."""
        stream.patience = self.service.silence or None
        self.core.flows[self.ends] = self
        try:
            await self._serve_conversation(await self._secure(stream))
            self._set_state("ended")
        except PeerError as error:
            self.core.blame(f"{self.protocol}: {error.reason}")
            self._set_state("closed")
        except TimeoutError:
            self._set_state("timed-out")
        except ConnectionError:
            self._set_state("reset")
        finally:
            del self.core.flows[self.ends]
            if self._conversation is not None:
                self._conversation.close()

    async def _secure(self, stream: Stream) -> Conversation:
        conversation: Conversation = stream
        if self.protocol in _TLS:
            from simwarden.runtime.ip.tls import TlsStream  # noqa: PLC0415 - OpenSSL takes time to load

            conversation = tls = TlsStream(stream, certificate_of(self.core, self.ends[0]), server=True)
            await tls.handshake()
        self._conversation = conversation
        return conversation

    async def _serve_conversation(self, conversation: Conversation) -> None:
        self._set_state("open")
        if self.protocol in ("mqtt", "mqtts"):
            await self._serve_broker(conversation)
            return
        if self.service.greeting.content:
            conversation.write(self.service.greeting.content)
        while data := await conversation.read():
            self._report_payload(data)
            answer = self.service.answer_to(data)
            if answer:
                conversation.write(answer)

    async def _serve_broker(self, conversation: Conversation) -> None:
        brokerage = self.core.brokers.setdefault(self.ends[:2], Brokerage())
        clock = self.core.site.clock
        client = self._client = brokerage.machine.open(clock.now())
        brokerage.flows[client] = self

        def expire(now: float) -> None:
            client.on_timer(now)
            timer.arm(client.next_timer())
            brokerage.flush()

        timer = MachineTimer(clock, expire, internal=False)
        try:
            while not client.over and (data := await conversation.read()):
                client.receive(data, clock.now())
                published, brokerage.machine.events = brokerage.machine.events, []
                for each in published:
                    self._report_payload(each.message.payload)
                timer.arm(client.next_timer())
                faults = client.events()
                brokerage.flush(None if faults else client)
                for fault in faults:
                    self.core.blame(f"{self.protocol}: {fault.reason}")
        finally:
            timer.arm(None)
            client.lost()
            brokerage.flush()
            del brokerage.flows[client]

    def send_packets(self, packets: list[bytes]) -> None:
        """Send packets of the broker."""
        if packets and self._conversation is not None and self.is_open:
            self._conversation.write(b"".join(packets))

    def close(self) -> None:
        """Close the connection for the host."""
        if self._conversation is not None:
            self._set_state("closed")
            self._conversation.close()

    def push(self, content: bytes) -> None:
        """Send octets unasked; a broker publishes them."""
        if self._client is not None:
            brokerage = self.core.brokers[self.ends[:2]]
            brokerage.machine.publish("", Publish(f"{self._client.client}/down", content, qos=1))
            brokerage.machine.events.clear()
            brokerage.flush()
        elif self._conversation is not None:
            self._conversation.write(content)

    def _report_payload(self, data: bytes) -> None:
        own, port, device, _ = self.ends
        self.core.note_payload((device, own), port, self.protocol, data)

    def _set_state(self, state: str) -> None:
        if self._state in ("", "open"):
            self._state = state
            own, port, device, device_port = self.ends
            facts = {"source": device, "source_port": device_port, "destination": own, "port": port}
            shown = {**facts, "protocol": self.protocol, "state": state}
            self.core.site.observe("user_flow", shown, key=" ".join(map(str, self.ends)))


async def push(core: Core, ends: Ends, content: bytes, patience: float) -> str:
    """Send octets in the connection between these ends (port 0 of the device: any), or open one; return the outcome.

    Raises ManagementError.
    """
    own, own_port, to, port = ends
    found = [flow for at, flow in core.flows.items() if at[:3] == (own, own_port, to) and port in (0, at[3])]
    flows = [flow for flow in found if flow.is_open]
    for flow in flows:
        flow.push(content)
    if flows:
        return "sent"
    if not port:
        raise ManagementError(409, f"{to} has no connection to {own} port {own_port}: name its port to open one")
    if not core.links:
        return "dropped"
    try:
        async with asyncio.timeout(patience):
            stream = await core.tcp.connect(own, own_port, to, port)
    except TimeoutError:
        return "timed-out"
    except ConnectionError:
        return "reset"
    stream.write(content)
    stream.close()
    return "connected"
