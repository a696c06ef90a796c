"""Databases in memory: an element that starts again finds what it left, a run that begins finds nothing."""

from __future__ import annotations

import gc
import sqlite3

import pytest
import sqlalchemy as sa

from simwarden.runtime.passing import Passing

METADATA = sa.MetaData()
CARDS = sa.Table(
    "cards",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("imsi", sa.String, nullable=False),
    sqlite_autoincrement=True,
)
FURTHER = sa.MetaData()
CELLS = sa.Table("cells", FURTHER, sa.Column("card", sa.Integer, primary_key=True))


def keep(engine: sa.Engine, imsi: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(CARDS).values(imsi=imsi))


def kept(engine: sa.Engine) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        return [(row.number, row.imsi) for row in connection.execute(sa.select(CARDS))]


def test_they_last_as_long_as_their_run_and_have_nothing_in_common() -> None:
    passing, other = Passing(), Passing()
    engines = [passing.open("one", METADATA), passing.open("two", METADATA), other.open("one", METADATA)]
    for number, engine in enumerate(engines[:2]):
        keep(engine, str(number))
        engine.dispose()
    held = [kept(each) for each in (*engines, passing.open("one", METADATA))]
    passing.close()
    other.close()
    assert held == [[(1, "0")], [(1, "1")], [], [(1, "0")]]


def test_one_of_a_run_before_is_as_if_it_were_new() -> None:
    before = Passing()
    keep(before.open("again", METADATA), "1")
    before.add("again", FURTHER)
    before.close()

    after = Passing()
    engine = after.open("again", METADATA)
    assert kept(engine) == []
    keep(engine, "2")
    assert kept(engine) == [(1, "2")]
    after.close()


def test_who_listens_to_an_element_s_engine_hears_nothing_of_the_next_one() -> None:
    heard: list[str] = []
    passing = Passing()
    first = passing.open("heard", METADATA)
    sa.event.listen(first, "commit", lambda _: heard.append("commit"))
    keep(first, "1")
    keep(passing.open("heard", METADATA), "2")
    passing.close()
    assert heard == ["commit"]


def test_one_that_is_left_in_the_middle_of_something_is_used_no_more() -> None:
    before = Passing()
    engine = before.open("left", METADATA)
    under_way = engine.connect()
    under_way.execute(sa.insert(CARDS).values(imsi="1"))
    before.close()

    after = Passing()
    assert kept(after.open("left", METADATA)) == []
    after.close()
    under_way.close()


def test_one_that_nobody_closed_is_closed_with_its_last_user(recwarn: pytest.WarningsRecorder) -> None:
    left = Passing()
    under_way = left.open("forgotten", METADATA).connect()
    under_way.execute(sa.insert(CARDS).values(imsi="1"))
    raw = under_way.connection.dbapi_connection
    assert raw is not None
    del left, under_way
    gc.collect()  # the pool takes back what its user has lost
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError):
        raw.cursor()
    assert not recwarn.list
