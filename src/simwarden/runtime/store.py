"""Databases of elements: SQLite (WAL) by default, PostgreSQL by URL; what is committed survives a killed process.

A lasting database carries the version of its tables. An element that changes its tables appends a step to
`MetaData.info["migrations"]`, a function of a Connection; opening an older database carries out the steps it lacks, in
one transaction. This is a list of functions and one table, and no tool like Alembic, because elements are plug-ins:
each brings its own tables, has a database of its own, and comes up by itself under `serve`, with no command to run
first.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from simwarden.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Engine, MetaData

    Migration = Callable[[Connection], None]

_VERSIONS = "schema_versions"
#: any number that nobody else locks by, for whoever opens a PostgreSQL database first
_LOCK = 0x51A7A4DE


def open_engine(url: str, metadata: MetaData, *, lasting: bool = True) -> Engine:
    """Open a database by SQLAlchemy URL and bring its tables up to date. Raises ConfigError for an unusable one.

    `metadata.info` may hold `schema`, the name of these tables' version (by default ""), and `migrations`. One that
    does not outlive the process (`lasting` False) has no versions and need not reach the disk: what is committed
    survives the element, as it must, but not the run.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - heavy; only elements with state pay for it

    try:
        where = _with_driver(sa.make_url(url))
    except sa.exc.SQLAlchemyError as error:
        raise ConfigError("store: no URL of a database") from error  # not repeated: it may hold a password
    try:
        # A PostgreSQL that was restarted is noticed before a statement is lost on a dead connection.
        engine = sa.create_engine(where, pool_pre_ping=where.get_backend_name() == "postgresql")
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _set_up_lasting if lasting else _set_up_passing)
        with _disposed_on_error(engine):
            prepare(engine, metadata, lasting=lasting)
    except (ConfigError, sa.exc.SQLAlchemyError, ImportError) as error:
        raise ConfigError(f"store {where.render_as_string(hide_password=True)}: {error}") from error
    return engine


@contextmanager
def _disposed_on_error(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def prepare(engine: Engine, metadata: MetaData, *, lasting: bool = True) -> None:
    """Create the tables that an opened database lacks, and carry out the migrations it lacks. Raises ConfigError."""
    if not lasting:
        metadata.create_all(engine)
        return
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # else tables would be changed outside of the transaction
        elif engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        _migrate(connection, metadata, str(metadata.info.get("schema", "")), metadata.info.get("migrations", ()))


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def _with_driver(url: Any) -> Any:
    """Name psycopg 3 where the URL names no driver: which one SQLAlchemy takes by itself depends on its version."""
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _migrate(connection: Connection, metadata: MetaData, name: str, steps: Sequence[Migration]) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 - as above

    versions = sa.Table(
        _VERSIONS,
        sa.MetaData(),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    versions.create(connection, checkfirst=True)
    known = {row.name: row.version for row in connection.execute(sa.select(versions))}
    version = known.get(name)
    if version is None:
        version = len(steps)
        present = set(sa.inspect(connection).get_table_names()) & set(metadata.tables)
        if present and known:
            others, own = ", ".join(sorted(known)), ", ".join(sorted(present))
            raise ConfigError(f"its tables {own} are those of {others}; each element has a database of its own")
        if present:  # made before there were versions
            version = 0
        connection.execute(sa.insert(versions).values(name=name, version=version))
    if version > len(steps):
        raise ConfigError(f"its tables have version {version}, and this program knows {len(steps)}: it is older")
    for step in steps[version:]:
        step(connection)
    metadata.create_all(connection)
    connection.execute(sa.update(versions).where(versions.c.name == name).values(version=len(steps)))


def _set_up_lasting(connection: Any, _record: Any) -> None:
    """WAL with synchronous NORMAL: a commit survives kill -9 (FULL would be needed for a power cut)."""
    _pragmas(connection, "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")


def _set_up_passing(connection: Any, _record: Any) -> None:
    """No waiting for the disk, and no journal beside the file."""
    _pragmas(connection, "journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=ON")


def _pragmas(connection: Any, *pragmas: str) -> None:
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
