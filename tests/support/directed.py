"""Cards with lists, and their devices behind the gateways (`gateways`): what they send, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.message
import dns.rrset
from gateways import IMSI, NUMBER, Gateways
from scapy.contrib import gtp_v2 as scapy
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

from simwarden.operations.management import Role
from simwarden.wire import ip

if TYPE_CHECKING:
    from simwarden.wire.gtpv2 import Message

APPROVED = {"approver": "Li Wei", "reason": "another server", "form": "F-21"}
OTHER, RESOLVER = "203.0.113.66", "192.0.2.53"
BOTH = {
    "pdn_type": scapy.IE_PDN_type(PDN_type=3),
    "paa": scapy.IE_PAA(PDN_type=3, ipv6=0, ipv4="0.0.0.0"),  # noqa: S104
}


def card(**data: Any) -> dict[str, Any]:
    sections = {"data": [{"by": "pgw", **data}]} if data else {}
    known = {"name": "card", "imsi": IMSI, "iccid": "", "msisdn": NUMBER, "profile": "smart-metering"}
    return {**known, "form": "plug-in", "sections": sections}


async def provision(bench: Gateways, **data: Any) -> Any:
    return await bench.pgw.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", card(**data))


async def change(bench: Gateways, method: str = "PUT", role: Role = Role.OPERATOR, **data: Any) -> Any:
    told = await bench.pgw.manage(role, method, f"/cards/{IMSI}/data", {**APPROVED, **data})
    await bench.settle()
    return told


class Device:
    """A device behind the gateways that sends octets, and what becomes of them."""

    def __init__(self, bench: Gateways, made: Message) -> None:
        self.bench, self.made, self.own, self.six = bench, made, made["paa"].ipv4, made["paa"].ipv6

    async def up(self, *packets: bytes) -> list[bytes]:
        self.bench.enb.send(self.made, *packets)
        await self.bench.settle()
        return self.bench.net.received()

    async def down(self, *packets: bytes) -> list[bytes]:
        self.bench.net.send(*packets)
        await self.bench.settle()
        return [each for _, each in self.bench.enb.received()]

    async def look_up(self, name: str, address: str, kind: str = "A", server: str = RESOLVER, port: int = 4000) -> bool:
        """Ask the resolver, which answers; whether that came back."""
        asked = dns.message.make_query(name, kind)
        (sent,) = (ip.encode(ip.encode_udp(ip.Udp(port, 53, asked.to_wire()), self.own, server)),)
        if await self.up(sent) != [sent]:
            return False
        told = dns.message.make_response(asked)
        told.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, address))
        back = ip.encode(ip.encode_udp(ip.Udp(53, port, told.to_wire()), server, self.own))
        return await self.down(back) == [back]

    def _between(self, address: str, *, up: bool) -> Any:
        """Return the header of a packet from or to an address."""
        own, kind = (self.six, IPv6) if ":" in address else (self.own, IP)
        return kind(src=own, dst=address) if up else kind(src=address, dst=own)

    async def connect(self, address: str, port: int = 50000, to: int = 80) -> bool:
        """Open a connection; whether both ends hear of each other."""
        syn = bytes(self._between(address, up=True) / TCP(sport=port, dport=to, flags="S", seq=99))
        back = bytes(self._between(address, up=False) / TCP(sport=to, dport=port, flags="SA", seq=7, ack=100))
        return await self.up(syn) == [syn] and await self.down(back) == [back]

    async def begin(
        self, address: str, first: int, flags: str = "S", payload: bytes = b"", *, answered: bool = True
    ) -> bool:
        """Send what may begin a connection, from a number on; whether it got out. The far end answers it, or not."""
        ends = TCP(sport=50000, dport=80, flags=flags, seq=first)
        syn = bytes(IP(src=self.own, dst=address) / ends / payload)
        passed = await self.up(syn) == [syn]
        back = TCP(sport=80, dport=50000, flags="SA", seq=7, ack=first + 1)
        await self.down(*([bytes(IP(src=address, dst=self.own) / back)] if answered else []))
        return passed

    async def say(self, address: str, octets: bytes, at: int = 0, port: int = 50000, to: int = 80) -> bool:
        """Say something in the connection; whether it got out."""
        head = TCP(sport=port, dport=to, flags="PA", seq=100 + at, ack=8)
        packet = bytes(self._between(address, up=True) / head / octets)
        return await self.up(packet) == [packet]

    async def fetch(self, address: str, host: str, port: int = 50000, to: int = 80) -> str:
        """Send a request of HTTP in a connection of its own; return how far it came."""
        if not await self.connect(address, port, to):
            return "nowhere"
        said = f"GET /firmware HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        return "through" if await self.say(address, said, 0, port, to) else "connected"


async def device(bench: Gateways, **data: Any) -> Device:
    await provision(bench, **data)
    return Device(bench, await bench.session(**BOTH, ambr=scapy.IE_AMBR(AMBR_Uplink=9000, AMBR_Downlink=9000)))


def to(own: str, address: str, port: int, payload: bytes = b"hello", near: int = 40000) -> bytes:
    return ip.encode(ip.encode_udp(ip.Udp(near, port, payload), own, address))


def tcp(own: str, address: str, port: int = 443) -> bytes:
    return bytes(IP(src=own, dst=address) / TCP(sport=50001, dport=port, flags="S"))
