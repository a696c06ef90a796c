"""Statements that a database's driver carries out: what they write, and what is left of those that fail."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from simwarden.runtime.statement import Statement, carry_out
from simwarden.runtime.store import StoreUnavailableError, UnstorableError, open_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

METADATA = sa.MetaData(info={"schema": "kinds"})
KINDS = sa.Table(
    "kinds",
    METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("list", sa.JSON),
    sa.Column("over", sa.Boolean),
    sa.Column("octets", sa.LargeBinary),
    sa.Column("ends", sa.Float),
)
NAME = KINDS.c.name
INSERT = Statement(sa.insert(KINDS))
CHANGE = Statement(sa.update(KINDS).where(sa.bindparam("which") == NAME).values(over=sa.bindparam("now")))
DROP = Statement(sa.delete(KINDS).where(sa.bindparam("which") == NAME))
VALUES: dict[str, Any] = {"list": ["a", {"b": None}], "over": True, "octets": b"\0\xff", "ends": 1.5}
ROWS = [VALUES | {"name": name} for name in ("100 %", "b'", "c")]


@contextmanager
def opened(url: str) -> Iterator[sa.Engine]:
    engine = open_engine(url, METADATA)
    yield engine
    engine.dispose()


def found(engine: sa.Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(KINDS).order_by(NAME)).mappings()]


def test_what_they_write_is_what_sqlalchemy_reads(store_url: str) -> None:
    with opened(store_url) as engine:
        carry_out(
            engine,
            (
                (INSERT, ROWS[:1]),
                (INSERT, ROWS[1:]),
                (INSERT, []),
                (CHANGE, [{"now": False, "which": "b'"}]),
                (DROP, [{"which": "c"}]),
            ),
        )
        assert found(engine) == [ROWS[0], ROWS[1] | {"over": False}]


@pytest.mark.parametrize(
    ("name", "error"),
    [("half a pair \ud800", "UnstorableError"), ("100 %", "IntegrityError"), (None, "IntegrityError")],
    ids=["a text that cannot be", "a key that is there", "no key"],
)
def test_of_those_of_which_one_fails_none_is_carried_out(store_url: str, name: str, error: str) -> None:
    with opened(store_url) as engine:
        carry_out(engine, [(INSERT, ROWS[:1])])
        kind = UnstorableError if error == "UnstorableError" else engine.dialect.loaded_dbapi.IntegrityError
        with pytest.raises(kind):
            carry_out(engine, ((INSERT, ROWS[1:]), (INSERT, [VALUES | {"name": name}])))
        assert found(engine) == ROWS[:1]
        carry_out(engine, [(DROP, [{"which": "100 %"}])])  # nothing is left of the one that failed
        assert found(engine) == []


def test_a_database_that_is_not_as_it_was_is_unavailable(store_url: str) -> None:
    with opened(store_url) as engine:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropTable(KINDS))
        kind = StoreUnavailableError if engine.dialect.name == "sqlite" else engine.dialect.loaded_dbapi.Error
        with pytest.raises(kind, match="kinds"):
            carry_out(engine, [(INSERT, ROWS)])


@pytest.mark.interop
def test_a_session_that_the_server_ends_is_another_one_next_time(postgresql: Callable[[], str]) -> None:
    end: Any = sa.text("SELECT pg_terminate_backend(pg_backend_pid())")
    with opened(postgresql()) as engine:
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            carry_out(engine, ((INSERT, ROWS[:1]), (Statement(end), [{}])))
        assert found(engine) == []
        carry_out(engine, [(INSERT, ROWS[:1])])
        assert found(engine) == ROWS[:1]
