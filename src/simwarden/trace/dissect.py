"""Frames in the field's own words: which wire family decodes them, and what earlier frames tell about later ones.

`dissect` looks at one frame alone. A `Dissector` reads a trace in its order and knows more: what was ciphered (an eNB
relays NAS that it cannot read, and its frames carry no clear copy), which command a card answers, and messages that
came in pieces of a stream.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, TypeAlias

from simwarden.errors import PeerError
from simwarden.trace.events import Frame
from simwarden.wire.dissection import Dissection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from simwarden.trace.events import Event

MALFORMED: Final = "malformed"
"""The name of a dissection of bytes that could not be decoded; `cause` says why."""

_FAMILIES: Final[Mapping[str, str]] = {
    "apdu": "simwarden.wire.apdu",
    "diameter": "simwarden.wire.diameter",
    "mqtt": "simwarden.wire.mqtt",
    "s1ap": "simwarden.wire.s1ap",
    "uu": "simwarden.wire.uu",
    "x2": "simwarden.wire.x2",
}
_CARRY_NAS: Final = frozenset({"s1ap", "uu"})
_DIAMETER_HEADER: Final = 20
_APDU_HEADER: Final = 4

_UNKNOWN: Final = Dissection("", "")

NasDissect: TypeAlias = "Callable[[bytes], Dissection]"
Cutter: TypeAlias = "Callable[[bytes], tuple[list[bytes], bytes]]"


@cache
def _family(protocol: str) -> Callable[..., Dissection]:
    """Return the `dissect` of a wire family, imported when first needed."""
    found: Callable[..., Dissection] = import_module(_FAMILIES[protocol]).dissect
    return found


@cache
def _nas() -> Callable[..., Dissection]:
    found: Callable[..., Dissection] = import_module("simwarden.wire.nas").dissect
    return found


def dissect(frame: Frame) -> Dissection:
    """Decode a frame by itself, or return what a Dissector found. Never raises: see `MALFORMED`."""
    return frame.dissection or Dissector().decode(frame)


def malformed(data: bytes, reason: str) -> Dissection:
    """Make the dissection of bytes that could not be decoded."""
    return Dissection(MALFORMED, f"Malformed: {reason}", {"octets": data}, reason)


def carried_nas(frame: Frame) -> tuple[bytes, ...]:
    """Return the NAS messages in a frame, as sent; nothing for a frame that carries none or is malformed."""
    if frame.protocol not in _CARRY_NAS:
        return ()
    found: list[bytes] = []

    def collect(pdu: bytes) -> Dissection:
        found.append(pdu)
        return Dissection("nas", "NAS")

    try:
        _family(frame.protocol)(frame.data, collect)
    except PeerError:
        return ()
    return tuple(found)


def is_response(frame: Frame) -> bool:
    """Tell whether a frame between terminal and card is the card's: the terminal connects, the card listens."""
    return not frame.from_client


class Dissector:
    """Decodes the frames of one trace, given in their order."""

    def __init__(self) -> None:
        self._clear: dict[bytes, bytes] = {}
        self._commands: dict[int, bytes] = {}
        self._pieces: dict[tuple[int, bool], bytes] = {}

    def walk(self, events: Iterable[Event]) -> Iterator[tuple[Event, Dissection | None]]:
        """Yield the events with the dissection of those that are frames."""
        for event in events:
            yield event, self.dissect(event) if isinstance(event, Frame) else None

    def dissect(self, frame: Frame) -> Dissection:
        """Decode the next frame, once. Never raises: see `MALFORMED`."""
        if frame.dissection is None or self._learns_from(frame):
            frame.dissection = self.decode(frame)
        elif frame.protocol == "apdu" and not is_response(frame):
            self._note_command(frame)
        return frame.dissection

    def decode(self, frame: Frame) -> Dissection:
        """Decode a frame with what earlier ones told. Never raises: see `MALFORMED`."""
        if frame.protocol not in _FAMILIES:
            return Dissection("octets", f"{len(frame.data)} octets of {frame.protocol}", {"octets": frame.data})
        try:
            return self._decode(frame)
        except PeerError as error:
            return malformed(frame.data, error.reason)

    def _learns_from(self, frame: Frame) -> bool:
        """Tell whether later frames need what this one says, so that it is read although it was decoded before."""
        if frame.protocol in _CARRY_NAS:
            return frame.clear is not None
        return bool(self._pieces) or (frame.dissection or _UNKNOWN).name == "segment"

    def clear_of(self, pdu: bytes) -> bytes | None:
        """Return a NAS message that was seen ciphered, before it was; None if no frame told."""
        return self._clear.get(pdu)

    def _decode(self, frame: Frame) -> Dissection:
        family = _family(frame.protocol)
        if frame.protocol in _CARRY_NAS:
            return family(frame.data, self._nas_reader(frame))
        if frame.protocol == "apdu":
            return self._apdu(family, frame)
        if frame.protocol in _CUTTERS:
            return self._stream(family, frame, _CUTTERS[frame.protocol])
        return family(frame.data)

    def _nas_reader(self, frame: Frame) -> NasDissect:
        nas = _nas()

        def read(pdu: bytes) -> Dissection:
            if frame.clear is not None:
                self._clear[pdu] = frame.clear
            return nas(pdu, self._clear.get(pdu))

        return read

    def _apdu(self, family: Callable[..., Dissection], frame: Frame) -> Dissection:
        if is_response(frame):
            command = self._commands.get(frame.link)
            return family(frame.data, is_response=True, command=command)
        self._note_command(frame)
        return family(frame.data)

    def _note_command(self, frame: Frame) -> None:
        """Remember what the card is asked. Less than four octets are a contact (power, reset, insertion), no APDU."""
        if len(frame.data) >= _APDU_HEADER:
            self._commands[frame.link] = frame.data
        else:
            self._commands.pop(frame.link, None)

    def _stream(self, family: Callable[..., Dissection], frame: Frame, cut: Cutter) -> Dissection:
        """Decode what a piece of the stream completes: mostly it is one message, and then nothing is copied."""
        end = (frame.link, frame.from_client)
        stream = self._pieces.pop(end, b"") + frame.data
        messages, rest = cut(stream)
        if rest:
            self._pieces[end] = rest
        if len(messages) == 1:
            return family(messages[0])
        if messages:
            parts = tuple(_each(family, message) for message in messages)
            cause = next((part.cause for part in parts if part.cause), "")
            return Dissection(parts[0].name, "; ".join(part.summary for part in parts), {}, cause, parts)
        return Dissection("segment", f"Segment of {len(frame.data)} octets", {"octets": frame.data})


def _each(family: Callable[..., Dissection], message: bytes) -> Dissection:
    try:
        return family(message)
    except PeerError as error:
        return malformed(message, error.reason)


def _cut_diameter(stream: bytes) -> tuple[list[bytes], bytes]:
    """Cut whole Diameter messages off a stream; a length that cannot be true makes all the rest one (bad) message."""
    messages: list[bytes] = []
    while len(stream) >= 4:
        length = int.from_bytes(stream[1:4], "big")
        if stream[0] != 1 or length < _DIAMETER_HEADER:
            return [*messages, stream], b""
        if length > len(stream):
            break
        messages.append(stream[:length])
        stream = stream[length:]
    return messages, stream


def _cut_mqtt(stream: bytes) -> tuple[list[bytes], bytes]:
    """Cut whole MQTT packets off a stream (MQTT 3.1.1, 2.2.3), as `_cut_diameter` does."""
    packets: list[bytes] = []
    while len(stream) >= 2:
        if stream[0] >> 4 in (0, 15):  # no such packet
            return [*packets, stream], b""
        digits = stream[1:5]
        size = next((number for number, octet in enumerate(digits, 1) if octet < 0x80), 0)
        if not size:
            return ([*packets, stream], b"") if len(digits) == 4 else (packets, stream)
        length = 1 + size + sum((octet & 0x7F) << 7 * number for number, octet in enumerate(digits[:size]))
        if length > len(stream):
            break
        packets.append(stream[:length])
        stream = stream[length:]
    return packets, stream


_CUTTERS: Final[Mapping[str, Cutter]] = {"diameter": _cut_diameter, "mqtt": _cut_mqtt}
