"""What the PGW keeps over a restart: the cells of cards, and the audit of their changes.

What is changed is committed before the method returns. It is held in memory too: packets and requests read no database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simwarden.operations.audit_table import AuditTable

if TYPE_CHECKING:
    from collections.abc import Collection

METADATA = sa.MetaData()
_AREAS = sa.Table(
    "areas", METADATA, sa.Column("imsi", sa.String(15), primary_key=True), sa.Column("cells", sa.JSON, nullable=False)
)
_AUDIT = AuditTable(METADATA)
_ALL = sa.select(_AREAS)


class AreaStore:
    """The database of one PGW."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        with engine.connect() as connection:
            rows = connection.execute(_ALL).all()
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
            _AUDIT.add(connection, [audit])
        self._held.pop(imsi, None)
        if cells:
            self._held[imsi] = frozenset(cells)

    def count_changes(self, imsi: str, actions: tuple[str, ...], since: str) -> int:
        """Return how often some of its actions were carried out on a card since a time (ISO, UTC)."""
        return _AUDIT.count(self._engine, imsi, actions, since)

    def audit(self, record: dict[str, Any]) -> None:
        """Keep an audit record."""
        _AUDIT.keep(self._engine, record)

    def audited(self, imsi: str = "") -> list[dict[str, Any]]:
        """Return audit records in order, of one card or of all."""
        return _AUDIT.read(self._engine, imsi)
