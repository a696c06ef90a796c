"""PyHSS 2.0.0 as PCRF: a server that answers with its recorded messages and sends its Re-Auth-Requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from recorded import body_of, recorded, request_of
from scripted_pcrf import Net, Pcrf, accept_bearers

from simwarden.testing.diameter import REALM
from simwarden.wire import ip

if TYPE_CHECKING:
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message

RECORDED: Final = recorded("pyhss_2_0_0")
LISTED, DEDICATED, UPLINK, NO_RATES = (f"198.51.100.{host}" for host in (80, 90, 91, 92))
OTHER: Final = "203.0.113.66"


class PyHss(Pcrf):
    """A PCRF that answers with PyHSS's octets; `initial` is the recorded answer to a CCR-I."""

    initial = "cca-initial"

    async def answer(self, message: Message, peer: Peer) -> Message:
        """Answer a CCR. PyHSS cannot do so without Called-Station-Id."""
        made: Message = await super().answer(message, peer)
        assert message.get("Called-Station-Id"), "PyHSS crashes"
        name = {1: self.initial, 2: "cca-update", 3: "cca-terminate"}[message.get("CC-Request-Type")]
        made.body = body_of(RECORDED[name], message.get("Session-Id"))
        return made

    async def send(self, name: str) -> Message:
        """Send a recorded Re-Auth-Request about the first session; return the answer."""
        request = request_of(RECORDED[name], self.asked[0].get("Session-Id"))
        return await self.node.ask(f"pgw.{REALM}", request)


class PyHssNet(Net):
    """Our gateways behind it."""

    def __init__(self, initial: str = "cca-initial", **apn: Any) -> None:
        super().__init__(kind=PyHss, **apn)
        self.initial = initial

    async def start(self) -> None:
        """Start; the MME accepts bearers."""
        await super().start()
        self.pcrf.initial = self.initial
        accept_bearers(self)

    async def reaches(self, made: Any, *addresses: str) -> list[bool]:
        """Return at which of these servers a datagram to port 5683 arrives."""
        arrived = []
        for address in addresses:
            before = len(self.net.packets)
            datagram = ip.encode_udp(ip.Udp(40000, 5683, b"hello"), made["paa"].ipv4, address)
            self.enb.send(made, ip.encode(datagram))
            await self.settle()
            arrived.append(len(self.net.packets) > before)
        return arrived
