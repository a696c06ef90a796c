"""Databases by URL: versions, migrations, and what stands in the way, in SQLite and PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from simwarden.errors import ConfigError
from simwarden.runtime.store import open_engine, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def tables(*migrations: Any, more: bool = False, schema: str = "shop") -> sa.MetaData:
    metadata = sa.MetaData(info={"schema": schema, "migrations": migrations})
    colour = [sa.Column("colour", sa.String)] if more else []
    sa.Table("things", metadata, sa.Column("name", sa.String, primary_key=True), *colour)
    return metadata


def add_colour(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE things ADD COLUMN colour VARCHAR")
    connection.exec_driver_sql("UPDATE things SET colour = 'grey'")


def fall_over(connection: sa.Connection) -> None:
    add_colour(connection)
    raise KeyboardInterrupt


@contextmanager
def opened(url: str, metadata: sa.MetaData) -> Iterator[sa.Engine]:
    engine = open_engine(url, metadata)
    yield engine
    engine.dispose()


def told(url: str, metadata: sa.MetaData, query: str) -> list[tuple[Any, ...]]:
    with opened(url, metadata) as engine, engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def with_a_spoon(url: str) -> None:
    with opened(url, tables()) as engine, engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO things (name) VALUES ('spoon')")


def test_an_older_database_is_migrated_once_and_keeps_its_rows(store_url: str) -> None:
    with_a_spoon(store_url)
    for _ in range(2):
        now = tables(add_colour, more=True)
        assert told(store_url, now, "SELECT * FROM things") == [("spoon", "grey")]
        assert told(store_url, now, "SELECT * FROM schema_versions") == [("shop", 1)]


def test_a_new_database_needs_no_migration(store_url: str) -> None:
    now = tables(add_colour, more=True)
    assert told(store_url, now, "SELECT * FROM things") == []
    assert told(store_url, now, "SELECT * FROM schema_versions") == [("shop", 1)]


def test_a_database_from_before_versions_is_migrated_from_the_start(store_url: str) -> None:
    with_a_spoon(store_url)
    told_of = tables()
    with opened(store_url, told_of) as engine, engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE schema_versions")
    assert told(store_url, tables(add_colour, more=True), "SELECT * FROM things") == [("spoon", "grey")]


def test_a_migration_that_is_broken_off_leaves_no_trace(store_url: str) -> None:
    with_a_spoon(store_url)
    with pytest.raises(KeyboardInterrupt):
        open_engine(store_url, tables(fall_over, more=True))
    assert told(store_url, tables(), "SELECT * FROM things") == [("spoon",)]
    assert told(store_url, tables(add_colour, more=True), "SELECT * FROM things") == [("spoon", "grey")]


def test_a_newer_database_is_refused(store_url: str) -> None:
    told(store_url, tables(add_colour, more=True), "SELECT 1")
    with pytest.raises(ConfigError, match="its tables have version 1, and this program knows 0"):
        open_engine(store_url, tables())


def test_a_database_older_than_the_first_migration_is_refused_and_kept(store_url: str) -> None:
    with_a_spoon(store_url)
    later = tables(more=True)
    later.info["first"] = 1
    with pytest.raises(ConfigError, match="its tables have version 0, and this program reads 1 and later"):
        open_engine(store_url, later)
    assert told(store_url, tables(), "SELECT * FROM things") == [("spoon",)]


def test_migrations_begin_at_the_first_version(store_url: str) -> None:
    told(store_url, tables(lambda _connection: None), "SELECT 1")
    with opened(store_url, tables(lambda _connection: None)) as engine, engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO things (name) VALUES ('spoon')")
    later = tables(add_colour, more=True)
    later.info["first"] = 1
    assert told(store_url, later, "SELECT * FROM things") == [("spoon", "grey")]
    assert told(store_url, later, "SELECT * FROM schema_versions") == [("shop", 2)]


def test_another_elements_tables_are_refused(store_url: str) -> None:
    told(store_url, tables(), "SELECT 1")
    with pytest.raises(ConfigError, match="its tables things are those of shop"):
        open_engine(store_url, tables(schema="other"))


def test_many_who_open_an_old_database_at_once_migrate_it_once(store_url: str) -> None:
    with_a_spoon(store_url)

    def look(_number: int) -> list[tuple[Any, ...]]:
        return told(store_url, tables(add_colour, more=True), "SELECT * FROM things")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(look, range(8))) == [[("spoon", "grey")]] * 8


def test_who_opens_a_new_database_while_another_writes_its_first_page_waits_for_it(tmp_path: Path) -> None:
    """As two do that open it at once: each reads what the other changes, and SQLite has neither wait by itself."""
    url = sqlite_url(tmp_path / "store.sqlite")
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(told, url, tables(), "PRAGMA journal_mode")
        with pytest.raises(TimeoutError):
            found.result(0.3)
        other.execute("ROLLBACK")
        assert found.result() == [("wal",)]
    other.close()


def test_a_password_is_not_told() -> None:
    with pytest.raises(ConfigError) as wrong:
        open_engine("postgresql://me:secret@127.0.0.1:1/x", tables())
    assert "store postgresql+psycopg://me:***@127.0.0.1:1/x" in str(wrong.value)
    assert "secret" not in str(wrong.value)


@pytest.mark.parametrize("before", [None, 0o644, 0o640])
def test_a_database_is_its_owners_and_an_open_one_is_closed(tmp_path: Path, before: int | None) -> None:
    """It holds keys. A group that its owner let read it by hand stays."""
    file, former = tmp_path / "store.sqlite", os.umask(0o022)
    try:
        if before is not None:
            told(sqlite_url(file), tables(), "SELECT 1")
            file.chmod(before)
        with opened(sqlite_url(file), tables()) as engine, engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO things (name) VALUES ('spoon')")
            modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    finally:
        os.umask(former)
    wanted = 0o640 if before == 0o640 else 0o600
    assert modes == dict.fromkeys(("store.sqlite", "store.sqlite-wal", "store.sqlite-shm"), wanted)


@pytest.mark.slow
def test_who_reads_a_database_of_two_elements_from_outside_takes_no_journal_from_them(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "store.sqlite")
    count = "import sqlite3; print(*sqlite3.connect('store.sqlite').execute('SELECT count(*) FROM things').fetchone())"

    def keep(engine: sa.Engine, name: str) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO things (name) VALUES (:name)"), {"name": name})

    def read() -> str:
        command = [sys.executable, "-c", count]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout  # noqa: S603

    with opened(url, tables()) as one:
        keep(one, "spoon")
        with opened(url, tables()):
            assert read() == "1\n"
        keep(one, "fork")
        assert read() == "2\n"
