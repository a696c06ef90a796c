"""What the PCRF's management interface answers."""

from __future__ import annotations

from simulators.pcrf.config import PcrfData  # noqa: TC001 - a field's type, resolved by pydantic
from simwarden.runtime.declare import Model


class CardTold(Model):
    """With whom a card exchanges packets; null: with anybody."""

    imsi: str
    msisdn: str
    data: PcrfData | None


class SessionTold(Model):
    """A session of a card."""

    id: str
    """Its Session-Id on Gx."""
    imsi: str
    apn: str
    pgw: str
    """The Diameter identity of its PGW."""
    rules: tuple[str, ...]
    """Those in force, by name."""
    not_in_force: tuple[str, ...]
    """Entries and rules that its PGW cannot be told, or could not install: they open nothing."""
    tai: str
    cell: str
    """Where its PGW saw it last; empty: that is not known."""
    used: int
    """Octets that its PGW has reported."""
    pending: bool
    """Whether its PGW has still to hear of a change."""


class CardChanged(CardTold):
    """A card with its sessions, to which the change has been told."""

    sessions: tuple[SessionTold, ...]
