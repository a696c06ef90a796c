"""A database of the version before, whose table of messages lacks a column that a migration adds."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simwarden.runtime.store import open_engine


def write_older_store(url: str, metadata: sa.MetaData, column: str, **row: Any) -> None:
    """Make the tables without a column of `messages`, and write one message; what `row` does not give is 0 or empty."""
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
