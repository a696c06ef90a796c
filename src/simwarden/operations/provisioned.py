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
    from collections.abc import Iterable, Mapping

METADATA = sa.MetaData(info={"schema": "provisioned"})
_ROWS = sa.Table(
    "provisioned_rows",
    METADATA,
    sa.Column("imsi", sa.String, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
)
#: kept in the place of an IMSI when a file was taken to its end
_WHOLE = {"imsi": "", "digest": "whole"}


class Provisioned:
    """The rows that one element has taken, in the element's own database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def new(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Return the IMSIs of rows that are new or have changed, with the digests of these rows."""
        digests = {str(row["imsi"]): _digest(row) for row in rows}
        with self._engine.connect() as connection:
            known = connection.execute(sa.select(_ROWS).where(_ROWS.c.imsi.in_(list(digests)))).all()
        for row in known:
            if digests[row.imsi] == row.digest:
                del digests[row.imsi]
        return digests

    @property
    def whole(self) -> bool:
        """Whether a file was taken to its end at some start."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(_ROWS).where(_ROWS.c.imsi == _WHOLE["imsi"])).first() is not None

    def ended(self) -> None:
        """Keep that a file was taken to its end."""
        if not self.whole:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(_ROWS).values(_WHOLE))

    def taken(self, digests: Mapping[str, str]) -> None:
        """Keep that rows were taken."""
        if not digests:
            return
        rows = [{"imsi": imsi, "digest": digest} for imsi, digest in digests.items()]
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_ROWS).where(_ROWS.c.imsi.in_(list(digests))))
            connection.execute(sa.insert(_ROWS), rows)


def _digest(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()
