"""A capture of the trace for Wireshark: pcapng with an interface for each reference point.

Times are those of the run's own clock. A packet's comments tell the decisions that it carries or that it led to. NAS
messages that were ciphered are shown as before ciphering, under their security header: Wireshark could not read them
otherwise, or would take the ciphertext for a message. All other octets are those of the wire.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from simwarden.trace.dissect import Dissector, carried
from simwarden.trace.events import Decided, Frame
from simwarden.trace.mask import masked
from simwarden.trace.packets import LINKTYPE_RAW, LINKTYPE_WIRESHARK_UPPER_PDU, Packets, service_in_ip
from simwarden.trace.rows import clause_of, reason_of
from simwarden.trace.verdicts import WINDOW, frames_of_decisions
from simwarden.wire.family import carried_by, family_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from pathlib import Path

    from simwarden.trace.events import Event

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _HARDWARE, _OS, _APPLICATION = 1, 2, 3, 4
_NAME, _DESCRIPTION, _RESOLUTION = 2, 3, 9
_NANOSECONDS: Final = 9
_LONGEST: Final = 10000


class Capture:
    """A sink that writes frames into a pcapng stream.

    `start` is the date of time 0 of the trace. With `mask` the keys that the wire carries are zeroed and checksums
    are those of the zeroed octets. What happens within an instant is written when the instant is over, since a
    decision may come before or after the message that its comment belongs to: `close` writes the last one (and
    leaves the stream open).
    """

    def __init__(self, stream: BinaryIO, start: dt.datetime, *, mask: bool = False) -> None:
        self._stream, self._mask = stream, mask
        self._start = int(start.timestamp()) * 10**9 + start.microsecond * 1000
        self._interfaces: dict[str, int] = {}
        self._packets = Packets()
        self._dissector = Dissector()
        self._instant: list[Event] = []
        self._waiting: dict[int, list[str]] = {}
        self._write(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _options((_APPLICATION, "simwarden")))

    def __call__(self, event: Event) -> None:
        """Take an event of the trace."""
        if not isinstance(event, (Frame, Decided)):
            return
        if self._instant and event.time > self._instant[0].time + WINDOW:
            self.close()
        self._instant.append(event)

    def close(self) -> None:
        """Write what is held back."""
        events, self._instant = self._instant, []
        comments: dict[int, list[str]] = {}
        for decided, frame in frames_of_decisions(events):
            comments.setdefault(frame.number, []).append(comment_of(decided))
        for event in events:
            if isinstance(event, Frame):
                self._frame(event, comments.get(event.number, []))

    def _frame(self, frame: Frame, comments: list[str]) -> None:
        found = self._dissector.dissect(frame)
        octets = masked(frame) if self._mask else frame.data
        inner = []
        for protocol, pdu in carried(frame):
            shown = self._deciphered(protocol, pdu)
            octets = octets.replace(pdu, shown)
            inner.append((protocol, shown))
        interface = self._interface(frame)
        # A command to a card is in the packet of its response, and so is what was decided about it.
        comments = self._waiting.pop(frame.link, []) + comments
        packets = list(self._packets.of(frame, octets, found, tuple(inner)))
        if not packets:
            self._waiting[frame.link] = comments
        options = _options(*((_COMMENT, text) for text in comments))
        stamp = self._start + round(frame.time * 10**9)
        for packet in packets:
            length = len(packet)
            head = struct.pack("<IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF, length, length)
            self._write(_PACKET, head + packet + bytes(-length % 4) + options)

    def _deciphered(self, protocol: str, pdu: bytes) -> bytes:
        """Return a message inside another with its payload in clear, as long as it was."""
        clear = self._dissector.clear_of(pdu)
        return pdu if clear is None else family_of(protocol).read().clear(pdu, clear)

    def _interface(self, frame: Frame) -> int:
        number = self._interfaces.get(frame.interface)
        if number is None:
            number = self._interfaces[frame.interface] = len(self._interfaces)
            link = LINKTYPE_WIRESHARK_UPPER_PDU if service_in_ip(frame) is None else LINKTYPE_RAW
            inside = carried_by(family_of(frame.protocol))
            about = [(_DESCRIPTION, each.deciphered) for each in inside if each.deciphered]
            options = _options((_NAME, frame.interface), *about, (_RESOLUTION, bytes((_NANOSECONDS,))))
            self._write(_INTERFACE, struct.pack("<HHI", link, 0, 0) + options)
        return number

    def _write(self, kind: int, body: bytes) -> None:
        length = struct.pack("<I", len(body) + 12)
        self._stream.write(struct.pack("<I", kind) + length + body + length)


def create_capture(path: Path, *, mask: bool = False) -> BinaryIO:
    """Create a capture's file; one that is not masked holds keys, and is its owner's alone. Raises OSError."""
    mode = 0o666 if mask else 0o600
    path.unlink(missing_ok=True)  # one of an earlier run has its mode, and maybe readers
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb")


def write_capture(events: Iterable[Event], stream: BinaryIO, start: dt.datetime, *, mask: bool = False) -> None:
    """Write a whole trace as a pcapng file."""
    capture = Capture(stream, start, mask=mask)
    for event in events:
        capture(event)
    capture.close()


def comment_of(decided: Decided) -> str:
    """Return the comment that tells a decision."""
    decision = decided.decision
    clause = clause_of(decision.control)
    verdict = "REFUSED" if not decision.admitted else "admitted"
    where = f"{decision.control.id} ({clause})" if clause else decision.control.id
    return f"{verdict} by {decided.element}: {where}: {reason_of(decided)}"


def _options(*options: tuple[int, str | bytes]) -> bytes:
    """Encode options (pcapng 3.5); none at all need no end of options."""
    parts = []
    for code, value in options:
        octets = value[:_LONGEST].encode() if isinstance(value, str) else value
        parts.append(struct.pack("<HH", code, len(octets)) + octets + bytes(-len(octets) % 4))
    return b"".join([*parts, bytes(4)]) if parts else b""
