"""What the MME keeps over a restart: the areas of cards, the base stations that each was used at, and the audit.

S6a carries no cells, so that operators hold them in data of their own beside the MME. The count of base stations is
kept where they are seen; a count that a restart forgets is none. What is changed is committed before the method
returns. Data of one MME alone is held in memory too: contacts read no database, and write only where a base station is
new. Data that the MMEs of a pool have in common is read at each contact, since another one may have changed it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simulators.mme.events import AUDITED
from simwarden.operations.audit_table import AuditTable

if TYPE_CHECKING:
    from simulators.mme.config import MmeArea

METADATA = sa.MetaData()
_AREAS = sa.Table(
    "areas",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("cells", sa.JSON, nullable=False),
    sa.Column("stations", sa.Integer, nullable=False),
    sa.Column("province", sa.String, nullable=False),
)
_USED = sa.Table(
    "used_stations",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("station", sa.String(16), primary_key=True),
)
_AUDIT = AuditTable(METADATA, events=AUDITED)
_ALL_AREAS = sa.select(_AREAS, _USED.c.station).select_from(_AREAS.outerjoin(_USED, _USED.c.imsi == _AREAS.c.imsi))
_AREA_OF = _ALL_AREAS.where(_AREAS.c.imsi == sa.bindparam("key"))
_USED_BY = sa.select(_USED.c.station).where(_USED.c.imsi == sa.bindparam("key"))
_USE = sa.insert(_USED)
_LIMIT = sa.select(_AREAS.c.stations).where(_AREAS.c.imsi == sa.bindparam("key"))
#: a write locks the card's row, in SQLite the whole database: of two MMEs at once one counts after the other
_LOCK = sa.update(_AREAS).where(_AREAS.c.imsi == sa.bindparam("key")).values(province=_AREAS.c.province)


@dataclass(slots=True)
class CardArea:
    """Where a card may be served: in these cells, at `stations` base stations, in a province (none, 0: any).

    A base station among the cells stands for all that it has.
    """

    cells: frozenset[str] = frozenset()
    stations: int = 0
    province: str = ""
    used: set[str] = field(default_factory=set)

    def same(self, wanted: MmeArea) -> bool:
        """Whether it is what somebody wants."""
        return (self.cells, self.stations, self.province) == (frozenset(wanted.cells), wanted.stations, wanted.province)

    def tell(self) -> dict[str, Any]:
        """Tell it, for a person or a system."""
        cells, used = sorted(self.cells), sorted(self.used)
        return {"cells": cells, "stations": self.stations, "province": self.province, "used": used}


class AreaStore:
    """The database of one MME, or of all MMEs of a pool (`shared`)."""

    def __init__(self, engine: sa.Engine, *, shared: bool = False) -> None:
        self._engine, self._shared = engine, shared
        self._held: dict[str, CardArea] = {}
        if shared:
            return
        with engine.connect() as connection:
            for row in connection.execute(_ALL_AREAS):
                held = self._held.setdefault(row.imsi, _area(row))
                if row.station is not None:
                    held.used.add(row.station)

    def get(self, imsi: str) -> CardArea | None:
        """Return a card's area, None if it has none."""
        if not self._shared:
            return self._held.get(imsi)
        with self._engine.connect() as connection:
            rows = connection.execute(_AREA_OF, {"key": imsi}).all()
        if not rows:
            self._held.pop(imsi, None)
            return None
        area = self._held[imsi] = _area(rows[0])
        area.used.update(row.station for row in rows if row.station is not None)
        return area

    def recent(self, imsi: str) -> CardArea | None:
        """Return a card's area as it was read last, in the same contact; counting a base station reads it anew."""
        return self._held.get(imsi)

    def put(self, imsi: str, wanted: MmeArea, audit: dict[str, Any]) -> None:
        """Keep a card's area, new or changed; the base stations that count already go on counting."""
        values = {"cells": list(wanted.cells), "stations": wanted.stations, "province": wanted.province}
        with self._engine.begin() as connection:
            if connection.execute(sa.update(_AREAS).where(_AREAS.c.imsi == imsi).values(values)).rowcount == 0:
                connection.execute(sa.insert(_AREAS).values(imsi=imsi, **values))
            _AUDIT.add(connection, [audit])
        held = self._held.setdefault(imsi, CardArea())
        held.cells = frozenset(wanted.cells)
        held.stations, held.province = wanted.stations, wanted.province

    def remove(self, imsi: str, audit: dict[str, Any]) -> None:
        """Let a card have no area, and no base station count for it."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_AREAS).where(_AREAS.c.imsi == imsi))
            connection.execute(sa.delete(_USED).where(_USED.c.imsi == imsi))
            _AUDIT.add(connection, [audit])
        self._held.pop(imsi, None)

    def count(self, imsi: str, area: CardArea, station: str) -> bool:
        """Let a base station count for a card from now on; False if meanwhile so many others do that it may not."""
        with self._engine.begin() as connection:
            connection.execute(_LOCK, {"key": imsi})
            limit = connection.execute(_LIMIT, {"key": imsi}).scalar()
            used = set(connection.execute(_USED_BY, {"key": imsi}).scalars())
            if limit is None or station in used:
                counted = True
            else:
                counted = len(used) < limit
                if counted:
                    connection.execute(_USE, {"imsi": imsi, "station": station})
        area.used.clear()
        area.used.update(used, (station,) if counted else ())
        return counted

    def forget_stations(self, imsi: str, area: CardArea, audit: dict[str, Any]) -> None:
        """Let no base station count for a card any more."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_USED).where(_USED.c.imsi == imsi))
            _AUDIT.add(connection, [audit])
        area.used.clear()

    # -- records

    def count_changes(self, imsi: str, actions: tuple[str, ...], since: str) -> int:
        """Return how often some of its actions were carried out on a card since a time (ISO, UTC)."""
        return _AUDIT.count(self._engine, imsi, actions, since)

    def audit(self, record: dict[str, Any]) -> None:
        """Keep an audit record."""
        _AUDIT.keep(self._engine, record)

    def audited(
        self, imsi: str = "", *, action: str = "", after: int = 0, most: int | None = None
    ) -> list[dict[str, Any]]:
        """Return audit records in order, after one, of one card or of all, and of an action or of all."""
        only = _AUDIT.table.c.action == action if action else None
        return _AUDIT.read(self._engine, imsi, after=after, most=most, only=only)


def _area(row: Any) -> CardArea:
    return CardArea(frozenset(row.cells), row.stations, row.province)
