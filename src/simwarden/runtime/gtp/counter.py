"""The restart counter of a node of GTP-C, which survives it (TS 23.007 18)."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()
_COUNTER = sa.Table("restart_counter", METADATA, sa.Column("value", sa.Integer, nullable=False))
_READ, _FIRST = sa.select(_COUNTER.c.value), sa.insert(_COUNTER)
_COUNT = sa.update(_COUNTER).values(value=sa.bindparam("new"))


def next_counter(engine: sa.Engine) -> int:
    """Count a start of this node."""
    with engine.begin() as connection:
        before = connection.execute(_READ).scalar()
        if before is None:
            connection.execute(_FIRST, {"value": 1})
            return 1
        value: int = (before + 1) % 256
        connection.execute(_COUNT, {"new": value})
    return value
