"""What a gateway holds of messages, customers and their cards while it runs."""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from simwarden.policy.numbers import COUNTRY, PartyKind

if TYPE_CHECKING:
    from simulators.sms_gateway.config import Account
    from simwarden.policy.numbers import Party


class State(enum.Enum):
    """What becomes of a message."""

    HELD = "held"
    """A part of a long one, of which others are missing."""
    WAITING = "waiting"
    """For the SMSC, or of one to a platform for its bind."""
    FORWARDED = "forwarded"
    """The SMSC has it; its receipt is to come."""
    DELIVERED = "delivered"
    REJECTED = "rejected"
    """A rule or the SMSC will not have it."""
    UNDELIVERABLE = "undeliverable"
    EXPIRED = "expired"
    OTHER = "other"
    """It ended in another way, as the receipt says."""


class Kind(enum.IntEnum):
    """Where a message goes."""

    TO_CARD = 0
    FROM_CARD = 1
    RECEIPT = 2
    CANCEL = 3
    """None: it has the SMSC end what waits there from `code` to `card`."""


@dataclass(slots=True)
class Message:
    """One message; times are seconds of the calendar (POSIX). Of a receipt `octets` are the text, with our number.

    `card` is the IMSI of the card that it is to or from, `number` its MSISDN; `about` the number of the message that a
    receipt tells of.
    """

    id: int
    kind: Kind
    account: str
    code: str
    card: str
    number: str
    submitted: float
    until: float
    octets: bytes
    data_coding: int = 0
    protocol_id: int = 0
    udhi: bool = False
    priority: int = 0
    registered: int = 0
    state: State = State.WAITING
    centre_id: str = ""
    about: int = 0
    #: what the receipt says: the state, and three digits of the network's own
    outcome: str = ""
    error: str = "000"
    #: times that it was sent without an answer, so that it may have come twice
    repeated: int = 0
    #: scheduled delivery time (POSIX), 0 for none
    scheduled: float = 0.0

    @property
    def reference(self) -> int:
        """Its user_message_reference towards the SMSC (SMPP 3.4 5.3.2.17), the same each time it is sent, never 0."""
        return (self.id - 1) % 0xFFFF + 1

    @property
    def text_id(self) -> str:
        """The message_id that SMPP knows it by (SMPP 3.4 appendix B: ten digits)."""
        return f"{self.id:010}"


@dataclass(frozen=True, slots=True)
class Card:
    """A card as the gateway knows it."""

    imsi: str
    msisdn: str
    account: str
    opened: bool
    numbers: tuple[str, ...]
    parties: frozenset[Party] = frozenset()


def in_full(number: Party) -> str:
    """Return a number as SMPP and CMPP have it: with its country code, without signs."""
    return f"{COUNTRY}{number.number}" if number.kind is PartyKind.SUBSCRIBER else number.number


class Bind(Protocol):
    """A bind of a customer's platform."""

    @property
    def room(self) -> int:
        """How many messages of cards and receipts may be sent to it now; none to one that only transmits."""

    def hand(self, message: Message) -> None:
        """Send it a message; `handed` of the procedures hears what became of that."""

    def end(self) -> None:
        """Say goodbye and close."""


class Request(NamedTuple):
    """A message that a platform submits, whichever protocol it speaks; numbers are with their type of number."""

    source: tuple[str, int]
    destination: tuple[str, int]
    octets: bytes
    data_coding: int = 0
    protocol_id: int = 0
    udhi: bool = False
    priority: int = 0
    registered: int = 0
    #: the time until which it is to be kept (POSIX); None: as long as messages are
    until: float | None = None
    #: scheduled delivery time (POSIX), 0 for none
    scheduled: float = 0.0


@dataclass(slots=True)
class Group:
    """The parts of a long message that are held until all are there."""

    total: int
    parts: dict[int, Message] = field(default_factory=dict)
    #: numbers of parts that are in the database
    kept: set[int] = field(default_factory=set)
    refused: bool = False


@dataclass(slots=True)
class Customer:
    """An account with its binds, and what waits for them."""

    name: str
    account: Account
    #: the last time stamp with which it was connected by CMPP
    stamp: int | None = None
    binds: list[Bind] = field(default_factory=list)
    #: what goes to the platform, in order, and how many messages of it wait for the SMSC
    queued: deque[Message] = field(default_factory=deque)
    waiting: int = 0
    #: submitted in the second of the clock
    second: int = -1
    sent: int = 0
