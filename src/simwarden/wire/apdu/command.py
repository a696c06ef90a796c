"""Command and response APDUs with short lengths: ISO/IEC 7816-4 5.1 and TS 102.221 10.1."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.apdu.status import StatusWord, explain, is_normal


class Ins(IntEnum):
    """Instruction codes: TS 102.221 table 10.5 and TS 31.102 7.1."""

    DEACTIVATE_FILE = 0x04
    TERMINAL_PROFILE = 0x10
    FETCH = 0x12
    TERMINAL_RESPONSE = 0x14
    VERIFY_PIN = 0x20
    CHANGE_PIN = 0x24
    DISABLE_PIN = 0x26
    ENABLE_PIN = 0x28
    UNBLOCK_PIN = 0x2C
    INCREASE = 0x32
    ACTIVATE_FILE = 0x44
    MANAGE_CHANNEL = 0x70
    GET_CHALLENGE = 0x84
    AUTHENTICATE = 0x88
    SEARCH_RECORD = 0xA2
    SELECT = 0xA4
    TERMINAL_CAPABILITY = 0xAA
    READ_BINARY = 0xB0
    READ_RECORD = 0xB2
    GET_RESPONSE = 0xC0
    ENVELOPE = 0xC2
    UPDATE_BINARY = 0xD6
    UPDATE_RECORD = 0xDC
    STATUS = 0xF2


PROPRIETARY_CLASS = frozenset(
    {
        Ins.TERMINAL_PROFILE,
        Ins.FETCH,
        Ins.TERMINAL_RESPONSE,
        Ins.INCREASE,
        Ins.TERMINAL_CAPABILITY,
        Ins.ENVELOPE,
        Ins.STATUS,
    }
)
"""Instructions whose class is 8X; the others have 0X (TS 102.221 table 10.5)."""

PIN_INSTRUCTIONS = frozenset({Ins.VERIFY_PIN, Ins.CHANGE_PIN, Ins.DISABLE_PIN, Ins.ENABLE_PIN, Ins.UNBLOCK_PIN})


class CommandApdu(NamedTuple):
    """A command. `le` is the length asked for (256 is sent as 00), None when no response data is asked for."""

    cla: int
    ins: int
    p1: int = 0
    p2: int = 0
    data: bytes = b""
    le: int | None = None

    def to_bytes(self) -> bytes:
        """Encode as case 1 to 4. Raises ValueError for what short lengths cannot carry."""
        head = bytes((self.cla, self.ins, self.p1, self.p2))
        if len(self.data) > 255 or (self.le is not None and not 0 < self.le <= 256):
            raise ValueError("a short APDU carries at most 255 bytes and asks for 1 to 256")
        body = bytes((len(self.data),)) + self.data if self.data else b""
        return head + body + (b"" if self.le is None else bytes((self.le & 0xFF,)))

    @classmethod
    def parse(cls, octets: bytes) -> CommandApdu:
        """Decode case 1 to 4. Raises PeerError (with 67 00) for lengths that do not fit."""
        size = len(octets)
        if size < 4:
            raise PeerError(f"command APDU of {size} bytes has no header", code=StatusWord.WRONG_LENGTH)
        cla, ins, p1, p2 = octets[:4]
        if size == 4:
            return cls(cla, ins, p1, p2)
        third = octets[4]
        if size == 5:
            return cls(cla, ins, p1, p2, b"", third or 256)
        if third and size == 5 + third:
            return cls(cla, ins, p1, p2, octets[5:])
        if third and size == 6 + third:
            return cls(cla, ins, p1, p2, octets[5:-1], octets[-1] or 256)
        raise PeerError(f"Lc {third} does not fit a command APDU of {size} bytes", code=StatusWord.WRONG_LENGTH)

    def __repr__(self) -> str:
        """Show the command without the PIN or key that it may carry."""
        shown = "***" if self.ins in PIN_INSTRUCTIONS and self.data else self.data.hex()
        le = "" if self.le is None else f", le={self.le}"
        return f"CommandApdu({self.cla:02x} {self.ins:02x} {self.p1:02x} {self.p2:02x} data={shown}{le})"


class ResponseApdu(NamedTuple):
    """A response: data and status word. The data may be keys (AUTHENTICATE), so it is not shown."""

    data: bytes = b""
    sw: int = StatusWord.NORMAL_ENDING

    def to_bytes(self) -> bytes:
        """Encode: data, SW1, SW2."""
        return self.data + self.sw.to_bytes(2, "big")

    @classmethod
    def parse(cls, octets: bytes) -> ResponseApdu:
        """Decode. Raises PeerError when there is no room for a status word or more data than an APDU can carry."""
        if not 2 <= len(octets) <= 258:
            raise PeerError(f"response APDU of {len(octets)} bytes, want 2 to 258")
        return cls(octets[:-2], int.from_bytes(octets[-2:], "big"))

    @property
    def ok(self) -> bool:
        """The command ended well (90 00, 91 XX, 61 XX)."""
        return is_normal(self.sw)

    @property
    def text(self) -> str:
        """What the status word says."""
        return explain(self.sw)

    def __repr__(self) -> str:
        """Show length and status word, never the data."""
        return f"ResponseApdu({len(self.data)} bytes, {self.sw:04x} {self.text})"


def get_response(count: int) -> CommandApdu:
    """GET RESPONSE for the bytes that a 61 XX announced (TS 102.221 7.3.1.1)."""
    return CommandApdu(0x00, Ins.GET_RESPONSE, le=count or 256)


def again_with(command: CommandApdu, sw: int) -> CommandApdu | None:
    """Return what a terminal sends next: GET RESPONSE on 61 XX, the same with the right Le on 6C XX, else None."""
    high, low = sw >> 8, sw & 0xFF
    if high == 0x61:
        return get_response(low)
    return command._replace(le=low or 256) if high == 0x6C else None
