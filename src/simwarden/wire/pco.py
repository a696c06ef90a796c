"""Protocol configuration options (TS 24.008 10.5.6.3): what a device and its PGW tell each other through the core.

They are octets to NAS, S1AP and GTP, which carry them as they are.
"""

from __future__ import annotations

import ipaddress
from enum import IntEnum
from typing import Final, NamedTuple

from simwarden.errors import PeerError

#: no more options than this, for who reads them (TS 24.008: 253 octets)
_LONGEST: Final = 253
#: octets that a NAS message has room for, with identifier and length 253
_ROOM: Final = 251
#: extension bit, and PPP as the configuration protocol
_HEAD: Final = b"\x80"
#: octets that any link carries (RFC 791 3.2)
_LEAST_MTU: Final = 576
_CONFIGURE_REQUEST, _CONFIGURE_ACK, _CONFIGURE_NAK = 1, 2, 3
_PRIMARY_DNS, _SECONDARY_DNS = 129, 131


class Container(IntEnum):
    """Options that are asked for without content, and answered with it."""

    DNS_SERVER_IPV6_ADDRESS = 0x0003
    IP_ADDRESS_ALLOCATION_VIA_NAS = 0x000A
    DNS_SERVER_IPV4_ADDRESS = 0x000D
    IPV4_LINK_MTU = 0x0010
    IPCP = 0x8021
    PAP = 0xC023
    CHAP = 0xC223


class Option(NamedTuple):
    """A container: its identifier, and its content."""

    identifier: int
    content: bytes = b""


def decode(octets: bytes) -> list[Option]:
    """Return the options in their order. Raises PeerError."""
    if not octets or not octets[0] & 0x80 or len(octets) > _LONGEST:
        raise PeerError(f"no protocol configuration options in {len(octets)} octets")
    found, at = [], 1
    while at < len(octets):
        end = at + 3 + octets[at + 2] if at + 3 <= len(octets) else len(octets) + 1
        if end > len(octets):
            raise PeerError("protocol configuration options that end early")
        found.append(Option(int.from_bytes(octets[at : at + 2]), octets[at + 3 : end]))
        at = end
    return found


def encode(options: list[Option]) -> bytes:
    """Return the octets of options. Raises ValueError where they are too many."""
    out = _HEAD + b"".join(
        [each.identifier.to_bytes(2) + bytes((len(each.content),)) + each.content for each in options]
    )
    if len(out) > _LONGEST:
        raise ValueError(f"protocol configuration options have {_LONGEST} octets at most, not {len(out)}")
    return out


def answer(asked: list[Option], dns: tuple[str, ...], mtu: int) -> list[Option]:
    """Return what a PGW answers to the options of a device: DNS servers of each version, and the MTU, as asked for.

    Who asks several times for the same is told once, and no more than a NAS message has room for.
    """
    four = [each for each in dns if ":" not in each]
    six = [each for each in dns if ":" in each]
    told = []
    for option in {each.identifier: each for each in asked}.values():
        match option.identifier:
            case Container.DNS_SERVER_IPV4_ADDRESS:
                told += [Option(option.identifier, ipaddress.IPv4Address(each).packed) for each in four]
            case Container.DNS_SERVER_IPV6_ADDRESS:
                told += [Option(option.identifier, ipaddress.IPv6Address(each).packed) for each in six]
            case Container.IPV4_LINK_MTU:
                told.append(Option(option.identifier, mtu.to_bytes(2)))
            case Container.IPCP:
                told += _answer_ipcp(option.content, four)
    room, fitting = _ROOM - len(_HEAD), []
    for each in told:
        if (octets := 3 + len(each.content)) <= room:
            room -= octets
            fitting.append(each)
    return fitting


def told(octets: bytes, mtu: int = 1358) -> tuple[list[str], int]:
    """Return what a PGW told a device: DNS servers, and the MTU (`mtu` if none). Raises PeerError."""
    servers = []
    for option in decode(octets):
        content = option.content
        match option.identifier, len(content):
            case (Container.DNS_SERVER_IPV4_ADDRESS, 4) | (Container.DNS_SERVER_IPV6_ADDRESS, 16):
                servers.append(str(ipaddress.ip_address(content)))
            case Container.IPV4_LINK_MTU, 2:
                mtu = max(int.from_bytes(content), _LEAST_MTU)
    return servers, mtu


def _answer_ipcp(content: bytes, dns: list[str]) -> list[Option]:
    """Tell DNS servers to who asks by IPCP (RFC 1877): they are what it should have asked for."""
    if len(content) < 4 or content[0] != _CONFIGURE_REQUEST:
        return []
    wanted = dict(zip((_PRIMARY_DNS, _SECONDARY_DNS), dns, strict=False))
    told, at = b"", 4
    while at + 2 <= len(content) and content[at + 1] >= 2:
        server = wanted.pop(content[at], None)
        if server is not None:
            told += bytes((content[at], 6)) + ipaddress.IPv4Address(server).packed
        at += content[at + 1]
    same = told == content[4:]
    head = bytes((_CONFIGURE_ACK if same else _CONFIGURE_NAK, content[1])) + (4 + len(told)).to_bytes(2)
    return [Option(Container.IPCP, head + told)] if told else []
