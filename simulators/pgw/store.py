"""What the PGW keeps over a restart: the cells and lists of cards, and the audit of their changes.

What is changed is committed before the method returns. It is held in memory too: packets and requests read no database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simulators.pgw.config import PgwData
from simulators.pgw.events import AUDITED
from simwarden.operations import list_store
from simwarden.operations.list_store import ListTables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

METADATA = sa.MetaData()
_AREAS = sa.Table(
    "areas", METADATA, sa.Column("imsi", sa.String(15), primary_key=True), sa.Column("cells", sa.JSON, nullable=False)
)
_RELATIONS = sa.Table(
    "relations",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("address", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("until", sa.Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class DataCard:
    """A card and with whom it exchanges packets; `data` None: anybody."""

    imsi: str
    data: PgwData | None = None
    #: what it is for, of the catalogue of uses; empty: nobody has said
    use: str = ""

    @property
    def msisdn(self) -> str:
        """None: a PGW knows cards by their IMSI."""
        return ""

    def tell(self) -> dict[str, Any]:
        """Tell of it."""
        shown = self.data.model_dump(mode="json", exclude={"by"}) if self.data is not None else None
        return {"imsi": self.imsi, "data": shown, "untold": list(self.data.untold) if self.data is not None else []}


_LISTS = ListTables(METADATA, DataCard, "data", PgwData, AUDITED, name="lists")


class AreaStore:
    """The cells of cards in the database of one PGW."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        with engine.connect() as connection:
            rows = connection.execute(sa.select(_AREAS)).all()
        self._held = {row.imsi: frozenset(row.cells) for row in rows}

    def get(self, imsi: str) -> frozenset[str]:
        """Return a card's cells; none: any."""
        return self._held.get(imsi, frozenset())

    def put(self, imsi: str, cells: Collection[str], audit: dict[str, Any]) -> None:
        """Keep a card's cells, or (none) that it has none of its own."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_AREAS).where(_AREAS.c.imsi == imsi))
            if cells:
                connection.execute(sa.insert(_AREAS).values(imsi=imsi, cells=sorted(cells)))
            _LISTS.audit.add(connection, [audit])
        self._held.pop(imsi, None)
        if cells:
            self._held[imsi] = frozenset(cells)


class ListStore(list_store.ListStore[DataCard]):
    """The lists of cards in the database of one PGW."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine, _LISTS)

    def card(self, imsi: str) -> DataCard:
        """Return a card; one that nobody has given lists has none."""
        return super().card(imsi) or DataCard(imsi)

    def cards(self) -> Iterator[DataCard]:
        """Yield all cards with lists, by IMSI."""
        return (each for each in super().cards() if each.data is not None)

    def know(self, card: DataCard) -> None:
        """Keep what a card without lists is for: it may be given some later."""
        if card != self.card(card.imsi):
            self.put(card)


class RelationStore:
    """The addresses that cards have used by names of their lists, in the database of one PGW."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def relations(self, now: float) -> list[tuple[str, bytes, str, float]]:
        """Return IMSI, address, name and end of all relations that go on, and delete the others; times are of POSIX."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_RELATIONS).where(_RELATIONS.c.until <= now))
            rows = connection.execute(sa.select(_RELATIONS)).all()
        return [(row.imsi, bytes.fromhex(row.address), row.name, row.until) for row in rows]

    def put_relation(self, imsi: str, address: bytes, names: Collection[str], until: float, now: float) -> None:
        """Store that a card reaches an address by names until a time; delete its relations that have ended."""
        same = (_RELATIONS.c.address == address.hex()) & _RELATIONS.c.name.in_(names)
        of = (_RELATIONS.c.imsi == imsi) & (same | (_RELATIONS.c.until <= now))
        rows = [{"imsi": imsi, "address": address.hex(), "name": name, "until": until} for name in names]
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_RELATIONS).where(of))
            connection.execute(sa.insert(_RELATIONS), rows)
