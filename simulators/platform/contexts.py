"""What a platform holds of messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from simwarden.machine.fairness import oldest_of_busiest

if TYPE_CHECKING:
    from simwarden.wire.sms import Concatenation, Header


class Outgoing(NamedTuple):
    """One message to a card, as a gateway is asked for it; `ton` is that of the code."""

    code: str
    ton: int
    to: str
    octets: bytes = b""
    data_coding: int = 0
    protocol_id: int = 0
    udhi: bool = False
    #: registered_delivery (SMPP 3.4 5.2.17): 1 a receipt is wanted, 2 of a failure
    registered: int = 1
    validity: str = ""
    schedule: str = ""


class Outcome(NamedTuple):
    """What the gateway said of one; `status` None: nothing in time."""

    status: int | None
    id: str = ""


class Incoming(NamedTuple):
    """A message of a card, or a part of one."""

    sender: str
    code: str
    octets: bytes
    header: Header
    text: str


class Reported(NamedTuple):
    """A receipt: of which message, in the words of SMPP appendix B (`DELIVRD`), and a code of the network's own."""

    id: str
    state: str
    error: str


@dataclass(slots=True)
class Parts:
    """The parts of long messages that have come, by sender and reference."""

    held: dict[tuple[str, str, int, int], dict[int, str]] = field(default_factory=dict)

    def add(self, came: Incoming, part: Concatenation) -> str | None:
        """Keep a part; return the whole text with the last one."""
        key = (came.sender, came.code, part.reference, part.total)
        parts = self.held.setdefault(key, {})
        parts[part.number] = came.text
        if len(parts) < part.total:
            if len(self.held) > _MOST:
                del self.held[oldest_of_busiest(self.held, lambda key: key[0])]
            return None
        del self.held[key]
        return "".join(parts[number] for number in sorted(parts))


#: long messages of which parts are missing; beyond that the oldest of the busiest sender is dropped
_MOST = 1000
