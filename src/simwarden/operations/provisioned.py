"""What an element was provisioned with from a file at its start, so that a restart undoes nothing.

A row is provisioned when it is new, or has changed since it was provisioned last. One that has not is left alone: what
management has made of the card since then holds.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

METADATA = sa.MetaData(info={"schema": "provisioned"})
_ROWS = sa.Table(
    "provisioned_rows",
    METADATA,
    sa.Column("imsi", sa.String, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
)

Row = dict[str, Any]


class Provisioned:
    """The rows that one element has taken, in the element's own database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def new(self, rows: Collection[Row]) -> list[Row]:
        """Return the rows that are new or have changed."""
        which = _ROWS.c.imsi.in_([str(row["imsi"]) for row in rows])
        with self._engine.connect() as connection:
            known = {row.imsi: row.digest for row in connection.execute(sa.select(_ROWS).where(which))}
        return [row for row in rows if known.get(str(row["imsi"])) != _digest(row)]

    def taken(self, rows: Iterable[Row]) -> None:
        """Keep that rows were taken."""
        values = {str(row["imsi"]): {"imsi": str(row["imsi"]), "digest": _digest(row)} for row in rows}
        if not values:
            return
        with self._engine.begin() as connection:
            connection.execute(
                sa.delete(_ROWS).where(_ROWS.c.imsi == sa.bindparam("key")), [{"key": imsi} for imsi in values]
            )
            connection.execute(sa.insert(_ROWS), list(values.values()))


def _digest(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()
