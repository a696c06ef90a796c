"""What the PGW's management interface answers."""

from __future__ import annotations

from simwarden.runtime.declare import Model


class CellsTold(Model):
    """The cells in which a card's packets pass; none: everywhere."""

    imsi: str
    cells: tuple[str, ...]


class SessionTold(Model):
    """A PDN connection."""

    imsi: str
    apn: str
    ebi: int
    """The EPS bearer identity of its default bearer."""
    ipv4: str
    ipv6: str


class SessionsEnded(Model):
    """How many sessions ended."""

    ended: int


class BearerTold(Model):
    """A dedicated bearer that stands."""

    name: str
    ebi: int
    qci: int


class BearerEnded(Model):
    """A dedicated bearer that ended, by its name."""

    ended: str
