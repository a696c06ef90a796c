"""The table of audit records that each element with a store keeps. Apart from `approval`: SQLAlchemy is heavy.

What is audited is told as well: where somebody takes events, a record's event is kept in the record's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from simwarden.operations.outbox import Event, outbox_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.runtime.declare import EventKind


class Page(NamedTuple):
    """Records, the newest first; `next` is the number after which the list goes on, 0 at its end."""

    records: list[dict[str, Any]]
    next: int
    total: int


def newest(
    engine: sa.Engine, table: sa.Table, only: Sequence[sa.ColumnElement[bool]], *, after: int, most: int
) -> Page:
    """Return a page of a table's records with numbers (`id`), and how many there are on all pages."""
    query = sa.select(table).where(*only).order_by(table.c.id.desc()).limit(most + 1)
    if after:
        query = query.where(table.c.id < after)
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
        total = connection.execute(sa.select(sa.func.count()).select_from(table).where(*only)).scalar_one()
    return Page(found[:most], found[most - 1]["id"] if len(found) > most else 0, total)


class AuditTable:
    """Audit records in the order in which they were made; `key` is the column of whom they are about.

    `events` says of which kind the event of an action is; an action that is not there has none.
    """

    def __init__(self, metadata: sa.MetaData, key: str = "imsi", events: Mapping[str, EventKind] | None = None) -> None:
        self.table = sa.Table(
            "audit",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            *(sa.Column(name, sa.String, nullable=False) for name in ("at", "role", "caller", "action")),
            sa.Column(key, sa.String, nullable=False, index=True),
            sa.Column("details", sa.JSON, nullable=False),
        )
        self._key = self.table.c[key]
        self._add = sa.insert(self.table)
        self._after = sa.select(self.table).where(self.table.c.id > sa.bindparam("after")).order_by(self.table.c.id)
        self._events = events or {}

    def add(self, connection: sa.Connection, records: Sequence[dict[str, Any]]) -> None:
        """Keep records within a transaction, with the change that they are about."""
        if not records:
            return
        connection.execute(self._add, list(records))
        outbox = outbox_of(connection)
        if outbox is not None:
            told = list(self._told(records))
            if told:
                outbox.add(connection, told)

    def _told(self, records: Sequence[dict[str, Any]]) -> Iterator[Event]:
        for each in records:
            kind = self._events.get(each["action"])
            if kind is not None:
                data = {**each["details"], "role": each["role"], "caller": each["caller"]}
                yield Event(kind.type, each[self._key.name], each["at"], data)

    def keep(self, engine: sa.Engine, record: dict[str, Any]) -> None:
        """Keep a record by itself."""
        with engine.begin() as connection:
            self.add(connection, [record])

    def read(
        self,
        engine: sa.Engine,
        subject: str = "",
        *,
        after: int = 0,
        most: int | None = None,
        only: sa.ColumnElement[bool] | None = None,
    ) -> list[dict[str, Any]]:
        """Return records in order, of one subject or of all, and `only` those for which something holds.

        `after` is the number of a record, of those behind which at most so many are returned.
        """
        query = self._after.limit(most)
        if subject:
            query = query.where(self._key == subject)
        if only is not None:
            query = query.where(only)
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(query, {"after": after}).mappings()]

    def last(self, connection: sa.Connection) -> int:
        """Return the number of the last record, 0 if there is none."""
        return connection.execute(sa.select(sa.func.max(self.table.c.id))).scalar() or 0

    def count(self, engine: sa.Engine, subject: str, action: str | tuple[str, ...], since: str) -> int:
        """Return how often something, or one of several things, was done to a subject since a time (ISO, UTC)."""
        columns, actions = self.table.c, (action,) if isinstance(action, str) else action
        about = (self._key == subject, columns.action.in_(actions), columns.at >= since)
        with engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(self.table).where(*about)).scalar_one()
