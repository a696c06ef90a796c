"""A database of the version before, whose table of messages lacks a column that a migration adds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simwarden.runtime.store import open_engine

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def upgraded_store(url: str, metadata: sa.MetaData, column: str, **row: Any) -> Iterator[sa.Engine]:
    """Write a database whose `messages` lack a column, then open it as the current version does.

    It holds one message: what `row` does not give is 0 or empty.
    """
    _write(url, metadata, column, row)
    engine = open_engine(url, metadata)
    try:
        yield engine
    finally:
        engine.dispose()


def _write(url: str, metadata: sa.MetaData, column: str, row: dict[str, Any]) -> None:
    older = sa.MetaData(info={"schema": metadata.info.get("schema", "")})
    for table in metadata.tables.values():
        kept = [each._copy() for each in table.columns if (table.name, each.name) != ("messages", column)]
        sa.Table(table.name, older, *kept)
    engine = open_engine(url, older)
    values: dict[type, Any] = {sa.String: "", sa.LargeBinary: b"", sa.Boolean: False}
    messages = older.tables["messages"]
    empty = {
        each.name: next((v for k, v in values.items() if isinstance(each.type, k)), 0) for each in messages.columns
    }
    with engine.begin() as connection:
        connection.execute(sa.insert(messages), empty | row)
    engine.dispose()
