"""What the platform's management interface answers, and how its lists are asked for."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema

from simwarden.operations.access_codes import AllocatedCode  # noqa: TC001 - a field's type, resolved by pydantic
from simwarden.operations.card_lists import ListHeld
from simwarden.operations.provision import AuditTold, CardsPage, Iccid, ImeiKey, Msisdn
from simwarden.policy.card_states import CardState, Operation
from simwarden.runtime.declare import Model


def _by_hand(operation: Operation) -> Operation:
    if operation is Operation.FIRST_USE:
        raise ValueError("a first use is the network's")
    return operation


_BY_HAND = [each.value for each in Operation if each is not Operation.FIRST_USE]
#: operations by somebody's hand; a first use is the network's
ByHand = Annotated[Operation, AfterValidator(_by_hand), WithJsonSchema({"type": "string", "enum": _BY_HAND})]


def _day(text: object) -> object:
    """Take a date as ISO 8601 writes it, and no number of seconds."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("a day is written as 2026-03-02")
    return text


Day = Annotated[dt.date, BeforeValidator(_day)]


def _time(text: object) -> object:
    """Take a time as RFC 3339 writes it, and no number of seconds."""
    if not isinstance(text, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]", text):
        raise ValueError("a time is written as 2026-03-02T08:00:00Z")
    return text


def _in_utc(time: dt.datetime) -> dt.datetime:
    try:
        return time.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("no time of a year from 1 to 9999") from None


Time = Annotated[AwareDatetime, BeforeValidator(_time), AfterValidator(_in_utc)]


class CardsAsked(CardsPage):
    """Which cards are listed, by IMSI."""

    account: str = ""
    """Only those of an account."""
    batch: str = ""
    """Only those of a batch."""
    state: CardState | None = None
    """Only those in a state."""
    msisdn: Msisdn = ""
    """Only the one with a number."""
    iccid: Iccid = ""
    """Only the one with an ICCID."""
    imei: ImeiKey = ""
    """Only those that are bound to a terminal, or were seen in it last."""


class RecordsAsked(Model):
    """Which records of a card are listed, the newest first."""

    after: int = Field(default=0, ge=0, lt=1 << 31)
    """Where the list goes on: `next` of the page before."""
    limit: int = Field(default=1000, ge=1, le=1000)
    """Records at most."""
    since: Time | None = None
    """Only those of this time (RFC 3339) and later."""
    until: Time | None = None
    """Only those before this time."""


class AllRecordsAsked(RecordsAsked):
    """Which records are listed, the newest first."""

    imsi: Annotated[str, Field(pattern="^([0-9]{6,15})?$")] = ""
    """Only those of a card."""


class BindingTold(Model):
    """How a card is bound."""

    how: str
    """`given` or `learned`."""
    imei: str
    """The IMEI, 15 digits; empty before the first use."""


class CardTold(Model):
    """A card as the platform holds it."""

    imsi: str
    iccid: str
    msisdn: str
    account: str
    """The customer's account."""
    batch: str
    """The batch that it was handed over in."""
    state: CardState
    binding: BindingTold | None
    pools: tuple[str, ...]
    """Pools of terminals that it may be used in."""
    terminal: str
    """The IMEI of the terminal that it was seen in last, 15 digits; empty: never seen."""
    mismatches: int
    """Times that it was in a terminal that is not its own, since it was bound."""
    pending: str
    """What the HSS has still to be told."""


class CardsTold(Model):
    """A page of cards."""

    cards: tuple[CardTold, ...]
    next: str
    """`after` of the next page; empty: there is none."""
    total: int
    """How many cards there are on all pages."""


class Loaded(Model):
    """How many cards something was done to."""

    cards: int


class Ended(Model):
    """How many cards' use ended by a change of a pool."""

    ended: int


class CodesTold(Model):
    """The access codes; to a customer its own, without the rest."""

    codes: dict[str, AllocatedCode]
    version: int | None = None
    gateways: dict[str, int] | None = None
    """The version of the list that each gateway has."""


class CodeTold(Model):
    """A code that was allocated, or withdrawn: then without whose it is."""

    code: str
    version: int
    account: str = ""
    ota: bool = False


class ServiceTold(ListHeld):
    """The list or quota that an element has of a card."""

    element: str


class ServicesTold(Model):
    """What elements have of a card, in the order of `services` in the settings, but those that have no such card."""

    services: tuple[ServiceTold, ...]


class BatchOutcome(Model):
    """What became of one card of a batch."""

    imsi: str
    status: int
    """As of a call about this card alone."""
    reason: str


class BatchTold(Model):
    """What became of the cards of a batch."""

    cards: tuple[BatchOutcome, ...]


class RiskTold(Model):
    """A record of risk."""

    id: int
    at: str
    imsi: str
    msisdn: str
    account: str
    batch: str
    scene: str
    """Code of the scene, three digits."""
    meaning: str
    expected: str
    seen: str
    source: str
    action: str


class _RecordsTold(Model):
    next: int
    """`after` of the next page; 0: there is none."""
    total: int
    """How many records there are on all pages."""


class AuditsTold(_RecordsTold):
    """A page of audit records."""

    records: tuple[AuditTold, ...]


class RisksTold(_RecordsTold):
    """A page of records of risk."""

    records: tuple[RiskTold, ...]
