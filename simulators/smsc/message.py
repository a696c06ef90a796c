"""A short message as the centre holds it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from simwarden.wire.sms import Address


class Direction(enum.StrEnum):
    """Where a message goes; the value is the word in the database."""

    TO_GATEWAY = "mo"
    """A card's message to a platform."""
    TO_CARD = "mt"
    """A platform's message to a card."""
    REPORT = "report"
    """A STATUS REPORT for a card."""
    RECEIPT = "receipt"
    """A delivery receipt for a gateway."""


class End(enum.StrEnum):
    """How a message ended."""

    DELIVERED = "delivered"
    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    """A rule refused it at an attempt."""
    UNDELIVERABLE = "undeliverable"
    DELETED = "deleted"
    """Its gateway took it back (cancel_sm)."""


@dataclass(slots=True)
class ShortMessage:
    """One message, a part of a long one too. Dates are seconds since 1970; `number` is that of the far end.

    It is not tried before `scheduled`.

    `octets` are its user data (of the 7 bit alphabet a septet an octet), `header` its user data header without length;
    `reference` is TP-MR of a card's message, user_message_reference of a platform's (0: none). `receipt` says whether
    the sender hears of its end: always (1), of a failure (2). `about` is the message that a receipt or report tells of,
    in the words that it is told by.
    """

    id: int
    direction: str
    imsi: str
    number: str
    ton: int
    npi: int
    gateway: str
    protocol_identifier: int
    data_coding: int
    header: bytes
    octets: bytes
    taken: float
    expires: float
    reference: int = 0
    receipt: int = 0
    attempts: int = 0
    about: str = ""
    scheduled: float = 0.0

    @property
    def far_end(self) -> Address:
        """The number of the far end."""
        return Address(self.number, self.ton, self.npi)

    def tell(self) -> dict[str, Any]:
        """Tell what is known of it, not what it says."""
        return {
            "id": str(self.id),
            "direction": self.direction,
            "imsi": self.imsi,
            "number": str(self.far_end),
            "gateway": self.gateway,
            "attempts": self.attempts,
        }
