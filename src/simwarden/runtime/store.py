"""Databases of elements: SQLite (WAL) by default, PostgreSQL by URL; what is committed survives a killed process.

A lasting database carries the version of its tables. An element that changes its tables appends a step to
`MetaData.info["migrations"]`, a function of a Connection; opening an older database carries out the steps it lacks, in
one transaction. This is a list of functions and one table, and no tool like Alembic, because elements are plug-ins:
each brings its own tables, has a database of its own, and comes up by itself under `serve`, with no command to run
first.

What a database refuses is a StoreError here, whichever database it is: StoreUnavailableError, after which nobody knows
whether a transaction under way was committed, so that what is in memory of its rows has to be read anew (Rows); or
UnstorableError, for a value that it cannot hold.
"""

from __future__ import annotations

import os
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from simwarden.errors import ConfigError, SimwardenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import URL, Connection, Engine, MetaData
    from sqlalchemy.engine import ExceptionContext

    Migration = Callable[[Connection], None]

_VERSIONS = "schema_versions"
#: any number that nobody else locks by, for whoever opens a PostgreSQL database first
_LOCK = 0x51A7A4DE
#: seconds in which PostgreSQL has to take a connection, or acknowledge what it was sent (libpq's own words)
_PATIENCE = {"connect_timeout": 3, "tcp_user_timeout": 3000}
#: seconds in which PostgreSQL has to be over with a statement, or has said nothing at all
_ANSWER = 10.0
#: milliseconds that SQLite waits for a lock of somebody else's
_LOCKED = 100
_DRIVER = "pip install 'simwarden[postgres]'"
T = TypeVar("T")


class StoreError(SimwardenError):
    """A database does not do what it was asked to. What was asked has no effect that anybody may rely on."""


class StoreUnavailableError(StoreError):
    """A database is not there, or went away; a transaction that was under way may or may not have been committed."""


class UnstorableError(StoreError):
    """A value is one that the database cannot hold: a NUL, half a surrogate pair, a text that is too long."""


def open_engine(url: str, metadata: MetaData) -> Engine:
    """Open a database by SQLAlchemy URL and bring its tables up to date. Raises ConfigError for an unusable one.

    `metadata.info` may hold `schema`, the name of these tables' version (by default ""), `migrations`, and `first`, the
    version that the first of them starts from (by default 0): older databases are refused.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - heavy; only elements with state pay for it

    where = parse_url(url)
    try:
        engine = engine_for(where)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _set_up_lasting)
            _keep_private(where.database)
        with _disposed_on_error(engine):
            prepare(engine, metadata)
            if engine.dialect.name == "sqlite":
                engine.dispose()  # a migration may wait for another; what comes after it holds up the whole element
                sa.event.listen(engine, "connect", _set_impatient)
            if where.drivername.endswith("+psycopg"):
                from simwarden.runtime.postgresql import be_patient  # noqa: PLC0415 - psycopg is heavy, and need not be there

                engine.dispose()  # a migration may take as long as it needs; what comes after it may not
                be_patient(engine, _ANSWER)
    except sa.exc.NoSuchModuleError as error:
        name = where.get_backend_name()
        raise ConfigError(f"store: no database is called {name!r}", hint="known: sqlite, postgresql") from error
    except ImportError as error:
        told = f"store {where.render_as_string(hide_password=True)}: {error}"
        raise ConfigError(told, hint=_DRIVER if where.get_backend_name() == "postgresql" else "") from error
    except (ConfigError, StoreError, sa.exc.SQLAlchemyError) as error:
        raise ConfigError(f"store {where.render_as_string(hide_password=True)}: {error}") from error
    return engine


def parse_url(url: str) -> URL:
    """Return a database's URL with the driver that is used. Raises ConfigError, without repeating a password."""
    import sqlalchemy as sa  # noqa: PLC0415 - as above

    try:
        return _with_driver(sa.make_url(url))
    except sa.exc.SQLAlchemyError as error:
        raise ConfigError("store: no URL of a database") from error


def engine_for(where: URL, *, alone: bool = False) -> Engine:
    """Return an engine whose errors are StoreErrors; `alone`: for one session, that commits by itself."""
    import sqlalchemy as sa  # noqa: PLC0415 - as above

    options: dict[str, Any] = {"poolclass": sa.NullPool, "isolation_level": "AUTOCOMMIT"} if alone else {}
    if where.get_backend_name() == "postgresql":
        # A PostgreSQL that was restarted is noticed before a statement is lost on a dead connection.
        patience = {name: value for name, value in _PATIENCE.items() if name not in where.query}
        arguments = patience if where.drivername.endswith("psycopg") else {}
        options |= {"connect_args": arguments, **({} if alone else {"pool_pre_ping": True})}
    engine = sa.create_engine(where, **options)
    sa.event.listen(engine, "handle_error", store_error, retval=True)
    return engine


def store_error(context: ExceptionContext) -> BaseException | None:
    """Return what to raise for an error that SQLAlchemy has met; None: what it is."""
    return told_error(context.original_exception)


def told_error(error: BaseException) -> StoreError | None:
    """Return what to raise for an error of a database's driver; None: what it is, as it is a bug of ours."""
    kinds = {each.__name__ for each in type(error).__mro__}  # drivers call them the same (PEP 249)
    reason = (str(error).strip() or type(error).__name__).partition("\n")[0]  # what follows may repeat the values
    if isinstance(error, UnicodeError) or "DataError" in kinds:
        return UnstorableError(f"a text that the database cannot hold: {reason}")
    if kinds & {"IntegrityError", "ProgrammingError", "NotSupportedError"}:
        return None
    if kinds & {"DatabaseError", "InterfaceError"}:  # damaged ones too
        return StoreUnavailableError(f"the database does not answer: {reason}")
    return None


def _keep_private(database: str | None) -> None:
    """Make a file that SQLite has not made yet, so that only its owner reads it: it will hold keys.

    SQLite gives its journals the mode of the file. A file that all may read is closed; what its owner set is left. One
    that is there is not opened: closing it would take the locks of whoever in this process has that database open
    (POSIX), and the next reader from outside would remove the journal under it.
    """
    if database in (None, "", ":memory:"):
        return
    with suppress(OSError):
        os.close(os.open(str(database), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with suppress(OSError):  # what is wrong with the path is SQLite's to say
        for each in (database, f"{database}-wal", f"{database}-shm"):
            if os.stat(str(each)).st_mode & 0o007:  # noqa: PTH116 - a text of a URL
                os.chmod(str(each), 0o600)  # noqa: PTH101 - as above


@contextmanager
def _disposed_on_error(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def prepare(engine: Engine, metadata: MetaData) -> None:
    """Create the tables that an opened database lacks, and carry out the migrations it lacks. Raises ConfigError."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # else tables would be changed outside of the transaction
        elif engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        _migrate(connection, metadata, str(metadata.info.get("schema", "")), metadata.info.get("migrations", ()))


class Rows(Generic[T]):
    """Rows of a database that are kept in memory, one object for each key for as long as anybody holds it.

    `read` returns the values of a row by key, None if there is none, and `make` an object of them whose attributes
    have the same names. Writes go through `writing`, and into memory (`taken`) only when they are committed.
    """

    def __init__(
        self,
        engine: Engine,
        read: Callable[[Connection, str], Mapping[str, Any] | None],
        make: Callable[..., T],
        *,
        most: int = 1 << 62,
    ) -> None:
        self._engine, self._row, self._make, self._most = engine, read, make, most
        self._held: dict[str, T] = {}
        #: no longer kept, and still in somebody's hands
        self._let_go: weakref.WeakValueDictionary[str, T] = weakref.WeakValueDictionary()
        self._doubted: set[str] = set()

    def get(self, key: str) -> T | None:
        """Return a row's object, None if there is no row. Raises StoreError."""
        found = self._held.get(key)
        if found is not None and key not in self._doubted:
            return found
        with self._engine.connect() as connection:
            row = self._row(connection, key)
        self._doubted.discard(key)
        if row is None:
            self._held.pop(key, None)
            return None
        return self.taken(key, row)

    def seen(self, key: str, values: Mapping[str, Any]) -> T:
        """Return the object of a row that was just read among others."""
        found = self._held.get(key)
        return found if found is not None and key not in self._doubted else self.taken(key, values)

    def taken(self, key: str, values: Mapping[str, Any]) -> T:
        """Take over what a row is now, whole or in part; return its object."""
        found = self._held.get(key)
        if found is None:
            found = self._let_go.pop(key, None)
        if found is None:
            found = self._make(**values)
        else:
            for name, value in values.items():
                setattr(found, name, value)
        self._held[key] = found
        if len(self._held) > self._most:
            oldest = next(iter(self._held))
            self._let_go[oldest] = self._held.pop(oldest)
        return found

    def doubt(self, *keys: str) -> None:
        """Have rows read anew before anybody sees them again."""
        self._doubted.update(keys)

    @contextmanager
    def writing(self, *keys: str) -> Iterator[Connection]:
        """Change rows in one transaction. If it fails nobody knows what became of it, and they are read anew."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except BaseException:
            self.doubt(*keys)
            raise


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def _with_driver(url: URL) -> URL:
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
    first = int(metadata.info.get("first", 0))
    version, newest = known.get(name), first + len(steps)
    if version is None:
        version = newest
        present = set(sa.inspect(connection).get_table_names()) & set(metadata.tables)
        if present and known:
            others, own = ", ".join(sorted(known)), ", ".join(sorted(present))
            raise ConfigError(f"its tables {own} are those of {others}; each element has a database of its own")
        if present:  # made before there were versions
            version = 0
        connection.execute(sa.insert(versions).values(name=name, version=version))
    if version > newest:
        raise ConfigError(f"its tables have version {version}, and this program knows {newest}: it is older")
    if version < first:
        raise ConfigError(f"its tables have version {version}, and this program reads {first} and later: use a new one")
    for step in steps[version - first :]:
        step(connection)
    metadata.create_all(connection)
    connection.execute(sa.update(versions).where(versions.c.name == name).values(version=newest))


def _set_up_lasting(connection: Any, _record: Any) -> None:
    """WAL with synchronous NORMAL: a commit survives kill -9 (FULL would be needed for a power cut).

    Of two who turn a new file to WAL at once SQLite refuses one at once, since each has read what the other changes;
    it waits for the other here by asking to write, and finds it turned.
    """
    pragmas = "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"
    try:
        set_pragmas(connection, *pragmas)
    except StoreUnavailableError:
        _execute(connection, "BEGIN IMMEDIATE", "ROLLBACK")
        set_pragmas(connection, *pragmas)


def _set_impatient(connection: Any, _record: Any) -> None:
    """Wait only so long for somebody else who has the file locked (a backup, a person at a prompt)."""
    set_pragmas(connection, f"busy_timeout={_LOCKED}")


def set_pragmas(connection: Any, *pragmas: str) -> None:
    """Set up a connection of SQLite's. Raises StoreUnavailableError."""
    _execute(connection, *(f"PRAGMA {each}" for each in pragmas))


def _execute(connection: Any, *statements: str) -> None:
    import sqlite3  # noqa: PLC0415 - as above

    cursor = connection.cursor()
    try:
        for each in statements:
            cursor.execute(each)
    except sqlite3.Error as error:  # SQLAlchemy knows nothing of it
        raise StoreUnavailableError(f"the database does not answer: {error}") from error
    finally:
        cursor.close()


def silence(engine: Engine) -> None:
    """Make a database give no answer, until `mend`."""
    from sqlalchemy import event  # noqa: PLC0415 - few runs have a database that fails

    event.listen(engine, "checkout", _no_answer)


def mend(engine: Engine) -> bool:
    """Make a database answer again; return True if it did not."""
    from sqlalchemy import event  # noqa: PLC0415 - as above

    failing: bool = event.contains(engine, "checkout", _no_answer)
    if failing:
        event.remove(engine, "checkout", _no_answer)
    return failing


def _no_answer(*_: Any) -> None:
    raise StoreUnavailableError("the database does not answer")
