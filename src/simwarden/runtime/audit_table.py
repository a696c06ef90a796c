"""The table of audit records that each element with a store keeps. Apart from `approval`: SQLAlchemy is heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Sequence


class AuditTable:
    """Audit records in the order in which they were made; `key` is the column of whom they are about."""

    def __init__(self, metadata: sa.MetaData, key: str = "imsi") -> None:
        self.table = sa.Table(
            "audit",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            *(sa.Column(name, sa.String, nullable=False) for name in ("at", "role", "caller", "action")),
            sa.Column(key, sa.String, nullable=False, index=True),
            sa.Column("details", sa.JSON, nullable=False),
        )
        self._key = self.table.c[key]

    def add(self, connection: sa.Connection, records: Sequence[dict[str, Any]]) -> None:
        """Keep records within a transaction, with the change that they are about."""
        if records:
            connection.execute(sa.insert(self.table), list(records))

    def keep(self, engine: sa.Engine, record: dict[str, Any]) -> None:
        """Keep a record by itself."""
        with engine.begin() as connection:
            self.add(connection, [record])

    def read(self, engine: sa.Engine, subject: str = "") -> list[dict[str, Any]]:
        """Return records in order, of one subject or of all."""
        query = sa.select(self.table).order_by(self.table.c.id)
        if subject:
            query = query.where(self._key == subject)
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def count(self, engine: sa.Engine, subject: str, action: str, since: str) -> int:
        """Return how often something was done to a subject since a time (ISO, UTC)."""
        columns = self.table.c
        about = (self._key == subject, columns.action == action, columns.at >= since)
        with engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(self.table).where(*about)).scalar_one()
