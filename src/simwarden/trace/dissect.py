"""Frames in the field's own words: which wire family decodes them, and what earlier frames tell about later ones.

`dissect` looks at one frame alone. A `Dissector` reads a trace in its order and knows more: what was ciphered (an eNB
relays NAS that it cannot read, and its frames carry no clear copy), which command a card answers, and messages that
came in pieces of a stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.trace.events import Frame
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Known, families, family_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simwarden.trace.events import Event
    from simwarden.wire.family import Family, Inner

MALFORMED: Final = "malformed"
"""The name of a dissection of bytes that could not be decoded; `cause` says why."""
_SEGMENT: Final = "segment"


def dissect(frame: Frame) -> Dissection:
    """Decode a frame by itself, or return what a Dissector found. Never raises: see `MALFORMED`."""
    return frame.dissection or Dissector().decode(frame)


def malformed(data: bytes, reason: str) -> Dissection:
    """Make the dissection of bytes that could not be decoded."""
    return Dissection(MALFORMED, f"Malformed: {reason}", {"octets": data}, reason)


def carried(frame: Frame) -> tuple[tuple[str, bytes], ...]:
    """Return the messages of other families in a frame, as sent; nothing for a frame that has none or is malformed."""
    family = family_of(frame.protocol)
    if not family.carries:
        return ()
    found: list[tuple[str, bytes]] = []

    def collect(family: str, octets: bytes, *, from_client: bool | None = None, via: int = 0) -> Dissection:
        del from_client, via
        found.append((family, octets))
        return Dissection(family, family)

    try:
        family.read().dissect(frame.data, Known(frame.from_client, inner=collect))
    except PeerError:
        return ()
    return tuple(found)


class Dissector:
    """Decodes the frames of one trace, given in their order."""

    def __init__(self) -> None:
        self._clear: dict[bytes, bytes] = {}
        self._asked: dict[int, bytes] = {}
        self._pieces: dict[tuple[int, bool], bytes] = {}
        self._noted: dict[str, set[int]] = {}

    def walk(self, events: Iterable[Event]) -> Iterator[tuple[Event, Dissection | None]]:
        """Yield the events with the dissection of those that are frames."""
        for event in events:
            yield event, self.dissect(event) if isinstance(event, Frame) else None

    def dissect(self, frame: Frame) -> Dissection:
        """Decode the next frame, once. Never raises: see `MALFORMED`."""
        if frame.dissection is None or self._learns_from(frame):
            frame.dissection = self.decode(frame)
        elif family_of(frame.protocol).paired and frame.from_client:
            self._asked[frame.link] = frame.data
        return frame.dissection

    def decode(self, frame: Frame) -> Dissection:
        """Decode a frame with what earlier ones told. Never raises: see `MALFORMED`."""
        if frame.protocol not in families():
            return Dissection("octets", f"{len(frame.data)} octets of {frame.protocol}", {"octets": frame.data})
        try:
            return self._decode(frame, family_of(frame.protocol))
        except PeerError as error:
            return malformed(frame.data, error.reason)

    def _learns_from(self, frame: Frame) -> bool:
        """Tell whether later frames need what this one says, so that it is read although it was decoded before."""
        if frame.clear is not None:
            return True
        known = frame.dissection is not None and frame.dissection.name == _SEGMENT
        return (bool(self._pieces) or known) and family_of(frame.protocol).streams

    def clear_of(self, pdu: bytes) -> bytes | None:
        """Return a message that was seen ciphered, before it was; None if no frame told."""
        return self._clear.get(pdu)

    def _decode(self, frame: Frame, family: Family) -> Dissection:
        """Decode what a frame completes: mostly it is one message, and then nothing is copied."""
        if family.paired and frame.from_client:
            self._asked[frame.link] = frame.data
        known = Known(frame.from_client, self._asked.get(frame.link, b""), frame.clear, self._inner_reader(frame))
        messages = self._whole(frame, family) if family.streams else [frame.data]
        if len(messages) == 1:
            return family.read().dissect(messages[0], known)
        if messages:
            parts = tuple(_each(family, message, known) for message in messages)
            cause = next((part.cause for part in parts if part.cause), "")
            return Dissection(parts[0].name, "; ".join(part.summary for part in parts), {}, cause, parts)
        return Dissection(_SEGMENT, f"Segment of {len(frame.data)} octets", {"octets": frame.data})

    def _whole(self, frame: Frame, family: Family) -> list[bytes]:
        """Return the messages of a stream that are whole with this piece, and keep the rest."""
        end = (frame.link, frame.from_client)
        messages, rest = family.read().cut(self._pieces.pop(end, b"") + frame.data)
        if rest:
            self._pieces[end] = rest
        return messages

    def _inner_reader(self, frame: Frame) -> Inner:
        """Return what reads messages inside: an element that relays them cannot say what was ciphered, others did."""

        def read(family: str, octets: bytes, *, from_client: bool | None = None, via: int = 0) -> Dissection:
            if frame.clear is not None:
                self._clear[octets] = frame.clear
            noted = self._noted.setdefault(family, set())
            client = frame.from_client if from_client is None else from_client
            known = Known(client, b"", self._clear.get(octets), read, noted, via)
            return family_of(family).read().dissect(octets, known)

        return read


def _each(family: Family, message: bytes, known: Known) -> Dissection:
    try:
        return family.read().dissect(message, known)
    except PeerError as error:
        return malformed(message, error.reason)
