"""Each command APDU that we know, with what Wireshark calls it (checked in tests/interop/test_tshark_apdu.py)."""

from __future__ import annotations

from simwarden.wire.apdu.authenticate import authenticate_command
from simwarden.wire.apdu.command import CommandApdu, Ins

_AID = bytes.fromhex("a0000000871002ffffffff8907090000")
_PIN = b"0000\xff\xff\xff\xff"

VECTORS: dict[Ins, tuple[CommandApdu, str]] = {
    Ins.DEACTIVATE_FILE: (CommandApdu(0x00, 0x04), "INVALIDATE"),
    Ins.TERMINAL_PROFILE: (CommandApdu(0x80, 0x10, 0, 0, bytes(8)), "TERMINAL PROFILE"),
    Ins.FETCH: (CommandApdu(0x80, 0x12, 0, 0, b"", 16), "FETCH"),
    Ins.TERMINAL_RESPONSE: (
        CommandApdu(0x80, 0x14, 0, 0, bytes.fromhex("810301260182028281830100")),
        "TERMINAL RESPONSE",
    ),
    Ins.VERIFY_PIN: (CommandApdu(0x00, 0x20, 0, 1, _PIN), "VERIFY CHV CHV=1"),
    Ins.CHANGE_PIN: (CommandApdu(0x00, 0x24, 0, 1, _PIN * 2), "CHANGE CHV CHV=1"),
    Ins.DISABLE_PIN: (CommandApdu(0x00, 0x26, 0, 1, _PIN), "DISABLE CHV CHV=1"),
    Ins.ENABLE_PIN: (CommandApdu(0x00, 0x28, 0, 1, _PIN), "ENABLE CHV CHV=1"),
    Ins.UNBLOCK_PIN: (CommandApdu(0x00, 0x2C, 0, 1, _PIN * 2), "UNBLOCK CHV CHV=1"),
    Ins.INCREASE: (CommandApdu(0x80, 0x32, 0, 0, b"\0\0\1"), "INCREASE"),
    Ins.ACTIVATE_FILE: (CommandApdu(0x00, 0x44), "REHABILITATE / ACTIVATE"),
    Ins.MANAGE_CHANNEL: (CommandApdu(0x00, 0x70, 0, 0, b"", 1), "MANAGE CHANNEL Operation=Open Channel"),
    Ins.GET_CHALLENGE: (CommandApdu(0x00, 0x84, 0, 0, b"", 8), "GET CHALLENGE"),
    Ins.AUTHENTICATE: (authenticate_command(bytes(16), bytes(16)), "RUN GSM ALGORITHM / AUTHENTICATE"),
    Ins.SEARCH_RECORD: (CommandApdu(0x00, 0xA2, 1, 4, b"\x98"), "SEARCH RECORD"),
    Ins.SELECT: (CommandApdu(0x00, 0xA4, 4, 4, _AID), f"SELECT Application {_AID.hex()}"),
    Ins.TERMINAL_CAPABILITY: (CommandApdu(0x80, 0xAA, 0, 0, b"\xa9\x00"), "TERMINAL CAPABILITY"),
    Ins.READ_BINARY: (CommandApdu(0x00, 0xB0, 0, 3, b"", 9), "READ BINARY Offset=3"),
    Ins.READ_RECORD: (CommandApdu(0x00, 0xB2, 2, 4, b"", 9), "READ RECORD RecordNr=2"),
    Ins.GET_RESPONSE: (CommandApdu(0x00, 0xC0, 0, 0, b"", 28), "GET RESPONSE"),
    Ins.ENVELOPE: (CommandApdu(0x80, 0xC2, 0, 0, bytes.fromhex("d100")), "ENVELOPE"),
    Ins.UPDATE_BINARY: (CommandApdu(0x00, 0xD6, 0, 3, b"\x01"), "UPDATE BINARY Offset=3"),
    Ins.UPDATE_RECORD: (CommandApdu(0x00, 0xDC, 2, 4, b"\x01"), "UPDATE RECORD RecordNr=2"),
    Ins.STATUS: (CommandApdu(0x80, 0xF2, 0, 0, b"", 28), "STATUS"),
}
