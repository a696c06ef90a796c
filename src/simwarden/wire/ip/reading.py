"""User packets in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Export, Known, MessageField, MessageInfo, Reading
from simwarden.wire.ip.icmp import IcmpType, Icmpv6Type, decode_icmp
from simwarden.wire.ip.packet import Packet, Protocol, decode
from simwarden.wire.ip.transport import TcpFlag, decode_tcp, decode_udp

if TYPE_CHECKING:
    from collections.abc import Iterable

_PORTS: Final = {"source_port": v.NUMBER, "destination_port": v.NUMBER}
#: names of packets by what they carry, and their own fields
_KINDS: Final[dict[str, dict[str, v.Values]]] = {
    "icmp": {"type": v.members(IcmpType) | v.NUMBER, "code": v.NUMBER},
    "icmpv6": {"type": v.members(Icmpv6Type) | v.NUMBER, "code": v.NUMBER},
    "tcp": {**_PORTS, "flags": v.one_of(*TcpFlag.__members__), "sequence": v.NUMBER, "acknowledgement": v.NUMBER},
    "udp": _PORTS,
    "ip": {},
}
_PACKET: Final = {"source": v.ADDRESS, "destination": v.ADDRESS, "protocol": v.NUMBER, "octets": v.NUMBER}


def dissect(data: bytes) -> Dissection:
    """Show a packet. Raises PeerError on a bad IP header; what is wrong inside is said."""
    packet = decode(data)
    fields: dict[str, Any] = {
        "source": packet.source,
        "destination": packet.destination,
        "protocol": packet.protocol,
        "octets": len(data),
    }
    ends = f"{packet.source} > {packet.destination}"
    try:
        name, about, own = _inside(packet) if not packet.offset else ("ip", "fragment", {})
    except PeerError as error:
        name, about, own = "ip", f"malformed: {error.reason}", {}
    title = {"ip": f"IP, protocol {packet.protocol}", "icmpv6": "ICMPv6"}.get(name, name.upper())
    summary = f"{title} {ends}" + (f", {about}" if about else "")
    return Dissection(name, summary, fields | own)


def _inside(packet: Packet) -> tuple[str, str, dict[str, Any]]:
    """Return the name of what a packet carries, what a ladder should say of it, and its fields. Raises PeerError."""
    own: dict[str, Any]
    match packet.protocol:
        case Protocol.UDP:
            udp = decode_udp(packet)
            own = {"source_port": udp.source_port, "destination_port": udp.destination_port}
            return "udp", f"port {udp.source_port} > {udp.destination_port}, {len(udp.payload)} octets", own
        case Protocol.TCP:
            tcp = decode_tcp(packet)
            flags = [each.name for each in TcpFlag if each in tcp.flags]
            ports = {"source_port": tcp.source_port, "destination_port": tcp.destination_port}
            own = {**ports, "flags": flags, "sequence": tcp.sequence, "acknowledgement": tcp.acknowledgement}
            about = f"port {tcp.source_port} > {tcp.destination_port} {' '.join(map(str, flags))}"
            return "tcp", f"{about}, {len(tcp.payload)} octets", own
        case Protocol.ICMP | Protocol.ICMPV6:
            name = "icmp" if packet.protocol == Protocol.ICMP else "icmpv6"
            message = decode_icmp(packet)
            kinds: dict[int, Any] = {int(each): each for each in (IcmpType if name == "icmp" else Icmpv6Type)}
            kind = kinds.get(message.type, message.type)
            about = kind.name.lower().replace("_", " ") if message.type in kinds else f"type {message.type}"
            return name, about, {"type": kind, "code": message.code}
    return "ip", "", {}


class Ip(Reading):
    """How user packets are read."""

    read = staticmethod(dissect)

    def export(self, data: bytes, known: Known) -> Export | None:
        """See Reading."""
        del known
        return Export("ip", data)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return _KINDS

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        own = _KINDS.get(name)
        if own is None:
            return None
        fields = [MessageField(each, True, values) for each, values in {**_PACKET, **own}.items()]
        return MessageInfo(f"user packet, {name}", tuple(fields))
