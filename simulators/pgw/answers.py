"""What the PGW's management interface answers."""

from __future__ import annotations

from simulators.pgw.config import PgwData  # noqa: TC001 - a field's type, resolved by pydantic
from simwarden.runtime.declare import Model


class CellsTold(Model):
    """The cells in which a card's packets pass; none: everywhere."""

    imsi: str
    cells: tuple[str, ...]


class ListsTold(Model):
    """With whom a card exchanges packets; no lists: with anybody."""

    imsi: str
    data: PgwData | None
    untold: tuple[str, ...]
    """The entries whose path nobody can judge, as it is not said in the clear: their host is listed."""


class CardTold(ListsTold):
    """A card as it is provisioned here."""

    cells: tuple[str, ...]
    """The cells in which its packets pass; none: everywhere."""


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
