"""What the EIR's management interface answers."""

from __future__ import annotations

from typing import Any

from simulators.eir.config import EirBinding  # noqa: TC001 - a field's type, resolved by pydantic
from simwarden.policy.equipment_lists import Status  # noqa: TC001 - as above
from simwarden.runtime.declare import Model


class EntryTold(Model):
    """An entry of the lists: an IMEI, a TAC or a range of TACs."""

    entry: str
    status: Status


class EntryRemoved(Model):
    """Whether an entry was there."""

    removed: bool


class EquipmentTold(Model):
    """What is known of a terminal."""

    imei: str
    status: Status | None
    """The list that it is on; null: on none."""
    kind: str
    maker: str
    model: str


class LibraryTold(Model):
    """How many types of terminals the library has."""

    terminals: int


class PoolTold(Model):
    """The pool of terminals that a card is tied to; null: none."""

    imsi: str
    pool: EirBinding | None


class ChangeTold(Model):
    """A change, by whom and why."""

    id: int
    at: str
    role: str
    """`operator`, or `customer` whose call was refused."""
    caller: str
    action: str
    subject: str
    """An IMSI, or an entry of the lists; empty for the library."""
    details: dict[str, Any]
