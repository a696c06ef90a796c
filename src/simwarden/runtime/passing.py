"""Databases in memory that need not last: what is committed survives its element, as it must, and not the run."""

from __future__ import annotations

import weakref
from functools import cache, partial
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from simwarden.runtime.store import set_pragmas, store_error

_NUMBERS = count(1)
#: what all of them have in common: a dialect, and the statements that it has compiled
_DIALECT = sa.create_engine("sqlite://").dialect
_COMPILED: dict[Any, Any] = {}
#: emptied databases of runs before, by what they were called and their first tables: making one takes longer
_IDLE: dict[tuple[str, sa.MetaData], list[_Database]] = {}


class Passing:
    """The databases of one run, which have no versions."""

    def __init__(self) -> None:
        self._open: dict[str, _Database] = {}

    def open(self, key: str, metadata: sa.MetaData) -> sa.Engine:
        """Open the database called `key`, with some tables at least."""
        found = self._open.get(key)
        if found is None:
            idle = _IDLE.get((key, metadata))
            found = self._open[key] = idle.pop() if idle else _Database(key, metadata)
        found.add(metadata)
        return found.engine()

    def add(self, key: str, metadata: sa.MetaData) -> None:
        """Make further tables in an open database."""
        self._open[key].add(metadata)

    def close(self) -> None:
        """Forget what is in them."""
        while self._open:
            self._open.popitem()[1].retire()


class _Engine(sa.Engine):
    """One of the engines that a database has one after the other: its connections are those of the next."""

    def dispose(self, close: bool = True) -> None:  # noqa: FBT001, FBT002 - as SQLAlchemy has it
        """Let go of it."""


class _Database:
    """A database that several connections of this process have in common (VFS `memdb`), of which one keeps it."""

    def __init__(self, key: str, metadata: sa.MetaData) -> None:
        self._name = key, metadata
        self._url = sa.URL.create("sqlite", database=f"file:/{next(_NUMBERS)}", query={"vfs": "memdb", "uri": "true"})
        arguments, options = _DIALECT.create_connect_args(self._url)
        connect = partial(_DIALECT.connect, *arguments, **options)
        self._kept: Any = connect()
        self._pool = sa.QueuePool(connect)
        connections = [self._kept]
        sa.event.listen(self._pool, "connect", _set_up)
        sa.event.listen(self._pool, "connect", lambda connection, _record: connections.append(connection))
        # whoever is left in the middle of something has a connection that the pool cannot close: it ends with the pool
        weakref.finalize(self._pool, _close, connections)
        self._made: set[sa.MetaData] = set()

    def add(self, metadata: sa.MetaData) -> None:
        """Make the tables that it lacks."""
        if metadata not in self._made:
            self._kept.executescript(_script(metadata))
            self._made.add(metadata)

    def engine(self) -> sa.Engine:
        """Return an engine of its own for an element that starts; statements are compiled once for all of them."""
        made = _Engine(self._pool, _DIALECT, self._url, execution_options={"compiled_cache": _COMPILED})
        sa.event.listen(made, "handle_error", store_error, retval=True)
        return made

    def retire(self) -> None:
        """Empty it for a later run, or let go of it if somebody has left it in the middle of something."""
        if self._pool.checkedout() == 0:
            tables = self._kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            self._kept.executescript(";".join(f'DELETE FROM "{name}"' for (name,) in tables))  # noqa: S608 - our own tables
            _IDLE.setdefault(self._name, []).append(self)


@cache
def _script(metadata: sa.MetaData) -> str:
    """Return what makes the tables that a database lacks."""
    tables = metadata.sorted_tables
    made = [str(CreateTable(each, if_not_exists=True).compile(dialect=sqlite.dialect())) for each in tables]
    indexes = [index for each in tables for index in sorted(each.indexes, key=lambda index: str(index.name))]
    made += [str(CreateIndex(each, if_not_exists=True).compile(dialect=sqlite.dialect())) for each in indexes]
    return ";".join(made)


def _close(connections: list[Any]) -> None:
    for each in connections:
        each.close()


def _set_up(connection: Any, _record: Any) -> None:
    """All of it is in memory."""
    set_pragmas(connection, "journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=ON")
