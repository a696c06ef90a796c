"""Requests of Open5GS' SMF on Gx and Gy, octet for octet as its src/smf/gx-path.c and gy-path.c (v2.8) write them.

The octets are made here, from codes and M bits of freeDiameter's dictionary, which Open5GS uses: none by our codec.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

REALM: Final = "epc.mnc001.mcc001.3gppnetwork.org"
IMSI, MSISDN = "001010000000017", "861440000000017"
INITIAL, UPDATE, TERMINATION = 1, 2, 3
_LISTED = (Path(__file__).parents[1] / "vectors" / "diameter" / "gy_ccr_avps.txt").read_text().splitlines()
#: by name: vendor, code, M bit
AVPS: Final = {
    name: (int(vendor), int(code), flag == "M")
    for vendor, code, flag, name in (line.split() for line in _LISTED if not line.startswith("#"))
} | {
    "Framed-IP-Address": (0, 8, True),
    "Network-Request-Support": (10415, 1024, True),
    "IP-CAN-Type": (10415, 1027, True),
    "RAT-Type": (10415, 1032, False),
    "Default-EPS-Bearer-QoS": (10415, 1049, False),
    "AN-GW-Address": (10415, 1050, False),
    "Online": (10415, 1009, True),
    "Offline": (10415, 1008, True),
    "Access-Network-Charging-Address": (10415, 501, True),
    "Access-Network-Charging-Identifier-Gx": (10415, 1022, True),
    "Access-Network-Charging-Identifier-Value": (10415, 503, True),
    "Vendor-Id": (0, 266, True),
    "Feature-List-ID": (10415, 629, False),
    "Feature-List": (10415, 630, False),
    "Supported-Features": (10415, 628, True),
}
_SGW = struct.pack("!H4s", 1, bytes([192, 0, 2, 3]))
_PGW = struct.pack("!H4s", 1, bytes([192, 0, 2, 4]))
_ULI = bytes.fromhex("8200f110000100f11000000101")


def write(tree: list[tuple[str, Any]]) -> bytes:
    """Write AVPs: an int is 32 bits, a float 64 bits, a list a group."""
    out = b""
    for name, value in tree:
        vendor, code, mandatory = AVPS[name]
        data = _data(value)
        flags, head = (0x80 if vendor else 0) | (0x40 if mandatory else 0), 12 if vendor else 8
        out += struct.pack("!II", code, flags << 24 | head + len(data))
        out += (struct.pack("!I", vendor) if vendor else b"") + data + bytes(-len(data) % 4)
    return out


def _data(value: Any) -> bytes:
    if isinstance(value, list):
        return write(value)
    if isinstance(value, int):
        return struct.pack("!I", value)
    if isinstance(value, float):
        return struct.pack("!Q", int(value))
    return value.encode() if isinstance(value, str) else bytes(value)


def _message(application: int, content: bytes) -> bytes:
    head = struct.pack("!IIIII", 1 << 24 | 20 + len(content), 0xC0 << 24 | 272, application, 7, 7)
    return head + content


def _begin(host: str, session: str) -> list[tuple[str, Any]]:
    return [("Session-Id", session), ("Origin-Host", host), ("Origin-Realm", REALM), ("Destination-Realm", REALM)]


def _subscriber() -> list[tuple[str, Any]]:
    ids = [(1, IMSI), (0, MSISDN)]
    return [("Subscription-Id", [("Subscription-Id-Type", kind), ("Subscription-Id-Data", data)]) for kind, data in ids]


def _qos() -> list[tuple[str, Any]]:
    arp = [("Priority-Level", 8), ("Pre-emption-Capability", 1), ("Pre-emption-Vulnerability", 0)]
    return [("QoS-Class-Identifier", 9), ("Allocation-Retention-Priority", arp)]


def _rates() -> list[tuple[str, Any]]:
    return [("APN-Aggregate-Max-Bitrate-UL", 50_000_000), ("APN-Aggregate-Max-Bitrate-DL", 150_000_000)]


def gy_request(host: str, kind: int, number: int, used: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    """Write a CCR of Gy; `used` are seconds and octets up and down. There is no Rating-Group."""
    content = [
        *_begin(host, f"{host};1;1;app_gy"),
        ("Auth-Application-Id", 4),
        ("Service-Context-Id", "32251@3gpp.org"),
        ("CC-Request-Type", kind),
        ("CC-Request-Number", number),
        ("Event-Timestamp", 0xED50_0000),
        *_subscriber(),
        *([("Termination-Cause", 1)] if kind == TERMINATION else []),
        ("Requested-Action", 0),
        ("AoC-Request-Type", 1),
        *([("Multiple-Services-Indicator", 0)] if kind == INITIAL else []),
    ]
    group: list[tuple[str, Any]] = []
    if kind != TERMINATION:
        group.append(("Requested-Service-Unit", [("CC-Total-Octets", 1_000_000.0)]))
    if kind != INITIAL:
        octets = [("CC-Input-Octets", float(used[1])), ("CC-Output-Octets", float(used[2]))]
        reason = [("Reporting-Reason", 0)] if kind == UPDATE else []
        group.append(("Used-Service-Unit", [*reason, ("CC-Time", used[0]), *octets]))
    if kind == TERMINATION:
        group.append(("Reporting-Reason", 2))
    content.append(("Multiple-Services-Credit-Control", [*group, ("QoS-Information", [*_qos(), *_rates()])]))
    information = [
        ("3GPP-Charging-Id", 1),
        *([("3GPP-PDP-Type", 0)] if kind == INITIAL else []),
        ("PDP-Address", struct.pack("!H4s", 1, bytes([10, 45, 0, 2]))),
        ("SGSN-Address", _SGW),
        ("GGSN-Address", _PGW),
        ("Called-Station-Id", "iot"),
        ("3GPP-Selection-Mode", "0"),
        ("3GPP-Charging-Characteristics", "0400"),
        ("3GPP-SGSN-MCC-MNC", "00101"),
        ("3GPP-NSAPI", b"\x05"),
        ("3GPP-MS-TimeZone", b"\x23\x00"),
        ("3GPP-User-Location-Info", _ULI),
        ("3GPP-RAT-Type", b"\x06"),
        ("User-Equipment-Info", [("User-Equipment-Info-Type", 0), ("User-Equipment-Info-Value", "9900010100000101")]),
    ]
    content.append(("Service-Information", [("PS-Information", information)]))
    return _message(4, write(content))


def gx_request(host: str, kind: int, number: int) -> bytes:
    """Write a CCR of Gx: its default charging method is offline."""
    content = [
        *_begin(host, f"{host};1;2;app_gx"),
        ("Auth-Application-Id", 16777238),
        ("CC-Request-Type", kind),
        ("CC-Request-Number", number),
        *_subscriber(),
    ]
    if kind != TERMINATION:
        features = [("Vendor-Id", 10415), ("Feature-List-ID", 1), ("Feature-List", 0xB)]
        content += [
            ("Supported-Features", features),
            ("Network-Request-Support", 1),
            ("Framed-IP-Address", bytes([10, 45, 0, 2])),
            ("IP-CAN-Type", 5),
            ("RAT-Type", 1004),
            ("QoS-Information", _rates()),
            ("Default-EPS-Bearer-QoS", _qos()),
            ("3GPP-User-Location-Info", _ULI),
            ("3GPP-MS-TimeZone", b"\x23\x00"),
            ("3GPP-SGSN-MCC-MNC", "00101"),
            ("AN-GW-Address", _SGW),
        ]
    content += [("3GPP-Charging-Characteristics", "0400"), ("Called-Station-Id", "iot")]
    if kind == TERMINATION:
        content.append(("Termination-Cause", 1))
    else:
        identifier = [("Access-Network-Charging-Identifier-Value", b"\0\0\0\x01")]
        content += [
            ("Online", 0),
            ("Offline", 1),
            ("Access-Network-Charging-Address", _PGW),
            ("Access-Network-Charging-Identifier-Gx", identifier),
        ]
    return _message(16777238, write(content))
