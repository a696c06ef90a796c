"""Answers and orders of PyHSS 2.0 as PCRF, octet for octet as its lib/diameter.py writes them (Answer_16777238_272).

The codes, flags and order of AVPs are PyHSS's own; none of the octets are made by our codec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scripted_pcrf import Net, Pcrf

if TYPE_CHECKING:
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message

TGPP: Final = 10415
HOST, REALM = "pcrf.epc.mnc001.mcc001.3gppnetwork.org", "epc.mnc001.mcc001.3gppnetwork.org"
_FEATURES = "0000010a4000000c000028af0000027580000010000028af000000010000027680000010000028af0000000b"


def avp(code: int, flags: int, content: bytes | int | str, vendor: int = 0) -> bytes:
    """Write an AVP; a number has four octets."""
    data = (
        content.to_bytes(4) if isinstance(content, int) else content.encode() if isinstance(content, str) else content
    )
    head = code.to_bytes(4) + bytes((flags,)) + (len(data) + (12 if vendor else 8)).to_bytes(3)
    return head + (vendor.to_bytes(4) if vendor else b"") + data + bytes(-len(data) % 4)


def arp(priority: int, *, capability: bool, vulnerability: bool) -> bytes:
    """Write an Allocation-Retention-Priority without M bits."""
    content = avp(1046, 0x80, priority, TGPP) + avp(1047, 0x80, int(not capability), TGPP)
    return avp(1034, 0x80, content + avp(1048, 0x80, int(not vulnerability), TGPP), TGPP)


def rule(name: str, tfts: tuple[str, ...], *, qci: int = 9, mbr: int = 128_000, gbr: int = 0) -> bytes:
    """Write the Charging-Rule-Install of one rule for both directions (Charging_Rule_Generator)."""
    flows = b"".join(avp(1058, 0x80, avp(1080, 0x80, 3, TGPP) + avp(507, 0xC0, tft, TGPP), TGPP) for tft in tfts)
    rates = avp(516, 0xC0, mbr, TGPP) + avp(515, 0xC0, mbr, TGPP)
    if gbr:
        rates += avp(1026, 0xC0, gbr, TGPP) + avp(1025, 0xC0, gbr, TGPP)
    quality = avp(1028, 0xC0, qci, TGPP) + arp(8, capability=False, vulnerability=True) + rates
    definition = avp(1005, 0xC0, name, TGPP) + flows + avp(511, 0xC0, 2, TGPP) + avp(1016, 0xC0, quality, TGPP)
    definition += avp(1010, 0xC0, 100, TGPP) + avp(432, 0x40, 1)
    return avp(1001, 0xC0, avp(1003, 0xC0, definition, TGPP), TGPP)


def answer(session: str, kind: int, number: int, rules: bytes = b"", ambr: int = 64_000) -> bytes:
    """Write the AVPs of a CCA; only that of a CCR-I has a QoS and rules."""
    content = avp(263, 0x40, session) + avp(264, 0x40, HOST) + avp(296, 0x40, REALM) + avp(258, 0x40, 16777238)
    content += avp(416, 0x40, kind) + avp(415, 0x40, number)
    if kind == 1:
        content += avp(628, 0x80, bytes.fromhex(_FEATURES), TGPP)
        quality = avp(1028, 0xC0, 9, TGPP) + arp(8, capability=False, vulnerability=True)
        content += avp(1049, 0x80, quality, TGPP)
        rates = avp(1041, 0x80, ambr, TGPP) + avp(1040, 0x80, ambr, TGPP)
        content += avp(1016, 0x80, rates, TGPP) + rules
    return content + avp(268, 0x40, 2001)


class PyHss(Pcrf):
    """A PCRF that answers with PyHSS's octets."""

    rules = b""

    async def answer(self, message: Message, peer: Peer) -> Message:
        """Answer a CCR, which PyHSS cannot without Called-Station-Id."""
        made: Message = await super().answer(message, peer)
        assert message.get("Called-Station-Id"), "PyHSS crashes"
        kind, number = message.get("CC-Request-Type"), message.get("CC-Request-Number")
        made.body = answer(message.get("Session-Id"), kind, number, self.rules)
        return made


class PyHssNet(Net):
    """Our gateways behind it."""

    def __init__(self, *rules: bytes, **apn: Any) -> None:
        super().__init__(kind=PyHss, **apn)
        self.rules = b"".join(rules)

    async def start(self) -> None:
        """Start, and have it give its rules."""
        await super().start()
        self.pcrf.rules = self.rules
