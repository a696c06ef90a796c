"""Data that do not fit into one message of SCCP: cut into extended unitdata, and put together again (Q.714 4.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simwarden.machine.fairness import oldest_of_busiest
from simwarden.wire.sccp import MessageType, ReturnCause, Segmentation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.wire.sccp import Message

#: octets of a piece: with two long addresses the pointers still reach behind it
_PIECE: Final = 200
#: pieces of a message: the first says how many come after it, in 4 bits
_MOST_PIECES: Final = 16
#: T(reassembly) in seconds, and messages that may be waited for at a time
_PATIENCE, _MOST = 15.0, 1000


def segments(message: Message, reference: int) -> Iterator[Message]:
    """Yield the pieces of unitdata, all of class 1, so that they arrive in order. Raises ValueError for too much."""
    pieces = [message.data[at : at + _PIECE] for at in range(0, len(message.data), _PIECE)]
    if len(pieces) > _MOST_PIECES:
        raise ValueError(f"{len(message.data)} octets in one message")
    in_sequence = message.protocol_class == 1
    for number, piece in enumerate(pieces):
        first, remaining = not number, len(pieces) - number - 1
        yield message._replace(
            type=MessageType.EXTENDED_UNITDATA,
            data=piece,
            protocol_class=1,
            return_on_error=message.return_on_error and first,
            segmentation=Segmentation(first, remaining, reference, in_sequence),
        )


@dataclass(slots=True)
class _Partial:
    """What has come of a message so far, and how many pieces are to come."""

    data: bytes
    remaining: int
    until: float


class Reassembly:
    """Messages of which some pieces have come."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[object, ...], _Partial] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, message: Message, origin: int | None, now: float) -> bytes | ReturnCause | None:
        """Take a piece; return all data when it is the last one, None before, or why what has come is given up."""
        piece = message.segmentation
        if piece is None:
            return message.data
        for each in [key for key, found in self._waiting.items() if found.until <= now]:
            del self._waiting[each]
        key = (origin, message.calling, piece.reference)
        found = self._waiting.pop(key, None)
        if piece.first:
            if len(self._waiting) >= _MOST and not self._make_room(origin):
                return ReturnCause.SEGMENTATION_FAILURE
            found = _Partial(message.data, piece.remaining, now + _PATIENCE)
        elif found is None or found.remaining != piece.remaining + 1:
            return ReturnCause.SEGMENTATION_FAILURE
        else:
            found.data += message.data
            found.remaining = piece.remaining
        if not found.remaining:
            return found.data
        self._waiting[key] = found
        return None

    def _make_room(self, origin: int | None) -> bool:
        """Drop the oldest message of the busiest origin; return False if `origin` is the busiest one."""
        oldest = oldest_of_busiest(self._waiting, lambda key: key[0])
        if oldest[0] == origin:
            return False
        del self._waiting[oldest]
        return True
