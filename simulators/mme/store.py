"""What the MME keeps over a restart: the areas of cards, and the base stations that each was used at.

S6a carries no cells, so that operators hold them in data of their own beside the MME. The count of base stations is
kept where they are seen; a count that a restart forgets is none. It is all held in memory too: contacts read no
database, and write only where a base station is new. What is changed is committed before the method returns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from simwarden.model.identity import Ecgi

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


@dataclass(slots=True)
class CardArea:
    """Where a card may be served: in these cells (none: any), at `stations` base stations (0: any), in a province."""

    cells: frozenset[Ecgi] = frozenset()
    stations: int = 0
    province: str = ""
    used: set[str] = field(default_factory=set)


class AreaStore:
    """The database of one MME."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._held: dict[str, CardArea] = {}
        with engine.connect() as connection:
            for row in connection.execute(sa.select(_AREAS)):
                cells = frozenset(Ecgi.parse(cell) for cell in row.cells)
                self._held[row.imsi] = CardArea(cells, row.stations, row.province)
            for row in connection.execute(sa.select(_USED)):
                if row.imsi in self._held:
                    self._held[row.imsi].used.add(row.station)

    def get(self, imsi: str) -> CardArea | None:
        """Return a card's area, None if it has none."""
        return self._held.get(imsi)

    def put(self, imsi: str, wanted: MmeArea) -> CardArea:
        """Keep a card's area, new or changed; the base stations that count already go on counting."""
        values = {"cells": list(wanted.cells), "stations": wanted.stations, "province": wanted.province}
        with self._engine.begin() as connection:
            if connection.execute(sa.update(_AREAS).where(_AREAS.c.imsi == imsi).values(values)).rowcount == 0:
                connection.execute(sa.insert(_AREAS).values(imsi=imsi, **values))
        held = self._held.setdefault(imsi, CardArea())
        held.cells = frozenset(Ecgi.parse(cell) for cell in wanted.cells)
        held.stations, held.province = wanted.stations, wanted.province
        return held

    def remove(self, imsi: str) -> None:
        """Let a card have no area, and no base station count for it."""
        if self._held.pop(imsi, None) is None:
            return
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_AREAS).where(_AREAS.c.imsi == imsi))
            connection.execute(sa.delete(_USED).where(_USED.c.imsi == imsi))

    def count(self, imsi: str, area: CardArea, station: str) -> None:
        """Let a base station count for a card from now on."""
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_USED).values(imsi=imsi, station=station))
        area.used.add(station)

    def forget_stations(self, imsi: str, area: CardArea) -> None:
        """Let no base station count for a card any more."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_USED).where(_USED.c.imsi == imsi))
        area.used.clear()
