"""The database of a server of lists: cards with their lists, the audit, and what cards have used in each month.

Changes of cards are committed before the method returns. What is counted is kept with what is written next.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic

import sqlalchemy as sa

from simwarden.operations.audit_table import AuditTable
from simwarden.operations.held_cards import CardT, HeldCards
from simwarden.operations.record_columns import record_columns, row_of
from simwarden.runtime.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.runtime.declare import EventKind, Model
    from simwarden.runtime.statement import Work

    #: IMSI and month (`2026-03`), and what else is counted apart
    CounterKey = tuple[str, ...]


class ListTables(Generic[CardT]):
    """The tables of cards and of the audit. The card's field `section` is its list, which `model` reads; None: none."""

    def __init__(
        self,
        metadata: sa.MetaData,
        card: type[CardT],
        section: str,
        model: type[Model],
        events: Mapping[str, EventKind],
        *,
        name: str = "cards",
    ) -> None:
        self.card, self.section, self.model = card, section, model
        self.cards = sa.Table(name, metadata, *record_columns(card, "imsi"))
        self.audit = AuditTable(metadata, events=events)
        # made once: SQLAlchemy takes longer to make a statement than SQLite to carry it out
        self.delete, self.insert = (
            sa.delete(self.cards).where(self.cards.c.imsi == sa.bindparam("of")),
            sa.insert(self.cards),
        )


class ListStore(HeldCards[CardT]):
    """The cards in the database of one server of lists."""

    def __init__(self, engine: sa.Engine, tables: ListTables[CardT]) -> None:
        super().__init__()
        self._engine, self._tables = engine, tables
        audit, section = tables.audit, tables.section
        self.audit, self.count = partial(audit.keep, engine), partial(audit.count, engine)
        self.audited = partial(audit.read, engine)
        with engine.connect() as connection:
            rows = connection.execute(sa.select(tables.cards)).mappings().all()
        for row in rows:
            entry = tables.model.model_validate(row[section]) if row[section] is not None else None
            self.take(tables.card(**{**row, section: entry}))

    def put(self, card: CardT, *audit: dict[str, Any]) -> None:
        """Keep a card with the audit record of the change, if that is audited."""
        with self._engine.begin() as connection:
            self._write_card(connection, card, *audit)
        self.take(card)

    def _write_card(self, connection: sa.Connection, card: CardT, *audit: dict[str, Any]) -> None:
        section = self._tables.section
        entry: Model | None = getattr(card, section)
        row = row_of(card) | {section: entry.model_dump(mode="json") if entry is not None else None}
        connection.execute(self._tables.delete, {"of": card.imsi})
        connection.execute(self._tables.insert, row)
        self._tables.audit.add(connection, audit)


class CounterTable:
    """The table of what cards have used in a month; `more` names what is counted apart beside card and month."""

    def __init__(self, metadata: sa.MetaData, *more: str) -> None:
        self.key = ("imsi", "month", *more)
        columns = (sa.Column(name, sa.String, primary_key=True) for name in self.key)
        self.table = sa.Table("counters", metadata, *columns, sa.Column("used", sa.BigInteger, nullable=False))
        this = (self.table.c[name] == sa.bindparam(f"this_{name}") for name in self.key)
        self.delete, self.insert = Statement(sa.delete(self.table).where(*this)), Statement(sa.insert(self.table))


class Counters:
    """What the cards of one store have used in each month: units that are given out are used."""

    def __init__(self, engine: sa.Engine, table: CounterTable) -> None:
        self._table = table
        with engine.connect() as connection:
            self._used: dict[CounterKey, int] = {
                tuple(key): used for *key, used in connection.execute(sa.select(table.table))
            }
        #: those that are to be written, and those that are in the database, or may be
        self._changed: set[CounterKey] = set()
        self._written = set(self._used)

    def charge(self, *key: str, units: int) -> None:
        """Count so many units; negative: take back."""
        self._used[key] = self.used(*key) + units
        self._changed.add(key)

    def used(self, *key: str) -> int:
        """Return the units that were counted."""
        return self._used.get(key, 0)

    def pending(self) -> tuple[Work, Work]:
        """Return the work that writes what has changed: deletions, then insertions.

        It may be carried out from then on: of a transaction that fails that is not always known.
        """
        changed = sorted(self._changed)
        again = [key for key in changed if key in self._written]
        self._written.update(changed)
        this = tuple(f"this_{name}" for name in self._table.key)
        rows = [dict(zip((*self._table.key, "used"), (*key, self.used(*key)), strict=True)) for key in changed]
        deleted = [dict(zip(this, key, strict=True)) for key in again]
        return (self._table.delete, deleted), (self._table.insert, rows)

    def written(self) -> None:
        """Note that all that was pending is committed."""
        self._changed.clear()
