"""The restart counter of a node of GTP-C, which survives it (TS 23.007 18)."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()
_COUNTER = sa.Table("restart_counter", METADATA, sa.Column("value", sa.Integer, nullable=False))


def next_counter(engine: sa.Engine) -> int:
    """Count a start of this node."""
    with engine.begin() as connection:
        before = connection.execute(sa.select(_COUNTER.c.value)).scalar()
        value = ((before or 0) + 1) % 256
        connection.execute(sa.delete(_COUNTER))
        connection.execute(sa.insert(_COUNTER).values(value=value))
    return value
