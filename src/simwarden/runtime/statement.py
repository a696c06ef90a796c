"""Statements on the path of each request: made by SQLAlchemy, carried out by the driver of the database.

SQLAlchemy takes longer around a statement (to find what it has compiled, what values have to become, and who listens)
than SQLite to carry it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.runtime.store import told_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Delete, Engine, Insert, Update
    from sqlalchemy.engine import Dialect
    from sqlalchemy.engine.interfaces import DBAPICursor

    Rows = Sequence[Mapping[str, Any]]
    Work = tuple["Statement", Rows]


class Statement:
    """A statement that changes rows, compiled once for each kind of database."""

    def __init__(self, statement: Insert | Update | Delete) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...], bool, Mapping[str, Callable[[Any], Any]]]] = {}

    def execute(self, cursor: DBAPICursor, dialect: Dialect, rows: Rows) -> None:
        """Carry it out for each of the rows, of which there may be none. Raises what the driver does."""
        if not rows:
            return
        if dialect.driver not in self._compiled:
            self._compile(dialect)
        text, names, positional, become = self._compiled[dialect.driver]
        ready = [{name: become[name](row[name]) if name in become else row[name] for name in names} for row in rows]
        told: Any = [tuple(row.values()) for row in ready] if positional else ready
        if len(told) == 1:
            cursor.execute(text, told[0])
        else:
            cursor.executemany(text, told)

    def _compile(self, dialect: Dialect) -> None:
        compiled: Any = self._statement.compile(dialect=dialect)
        names = tuple(compiled.positiontup or compiled.binds)
        found = {name: compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names}
        become = {name: each for name, each in found.items() if each is not None}
        self._compiled[dialect.driver] = str(compiled), names, compiled.positional, become


def carry_out(engine: Engine, work: Iterable[Work]) -> None:
    """Carry out statements, each for all of its rows, in one transaction. Raises StoreError: as `engine.begin()`."""
    try:
        _carry_out(engine, work)
    except (engine.dialect.loaded_dbapi.Error, UnicodeError) as error:
        told = told_error(error)
        if told is None:
            raise
        raise told from error


def _carry_out(engine: Engine, work: Iterable[Work]) -> None:
    dialect, connection = engine.dialect, engine.raw_connection()
    try:
        cursor = connection.cursor()
        for statement, rows in work:
            statement.execute(cursor, dialect, rows)
        connection.commit()
    except dialect.loaded_dbapi.Error as error:
        if dialect.is_disconnect(error, connection.dbapi_connection, None):
            connection.invalidate(error)
        raise
    finally:
        connection.close()  # the pool takes back what is not committed
