"""A database belongs to one process of its element, for as long as that lives.

Two would each keep in memory what the other changes: one would not see a suspension, and SQNs would be given twice. In
SQLite the holder has a lock file beside the database (flock: the system takes it back from a process that is killed),
in PostgreSQL an advisory lock of a session of its own. That session may be ended while its process lives; so the
database says who has had it last, by which a process finds that another one has been there meanwhile.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import select
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa

from simwarden.errors import ConfigError
from simwarden.runtime.store import StoreUnavailableError, engine_for, parse_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

#: seconds in which a PostgreSQL notices that a process is gone which was killed a moment ago
_GRACE = 3.0
_HELD = "another process has this database"
_HINT = "one element, one database, one process: end the other, or name another database"
#: a client whose machine went away is noticed by the server in 25 s, not in hours (PostgreSQL 20.3.2)
_NOTICE = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}


#: who has a database, or has had it last, by what locks it
_HOLDERS = "element_holders"
_MADE = f"CREATE TABLE IF NOT EXISTS {_HOLDERS} (name VARCHAR PRIMARY KEY, holder VARCHAR NOT NULL)"
_TAKEN = (
    f"INSERT INTO {_HOLDERS} VALUES (%(name)s, %(holder)s) "  # noqa: S608 - the table's name is ours
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder"
)
_LAST = f"SELECT holder FROM {_HOLDERS} WHERE name = %(name)s"  # noqa: S608 - as above


class Lock(Protocol):
    """A database that is held."""

    def guard(self, engine: Engine) -> None:
        """Let an engine of the database work only while it is held: its connections raise StoreUnavailableError."""

    def release(self) -> None:
        """Let others have it."""


def hold(url: str, name: str) -> Lock | None:
    """Take the lock called `name` of a database; None for one that no other process can open (in memory).

    Raises ConfigError if another process has it.
    """
    where = parse_url(url)
    if where.get_backend_name() == "postgresql":
        lock: Lock = _SessionLock(url, name)
        return lock
    path = (where.database or ":memory:").removeprefix("file:")
    return None if where.get_backend_name() != "sqlite" or path == ":memory:" else _FileLock(path, name)


class _FileLock:
    def __init__(self, path: str, name: str) -> None:
        real = Path(path).resolve()  # a symbolic link to a database is that database
        if real.exists() and real.stat().st_nlink > 1:  # undefined behaviour: sqlite.org/howtocorrupt
            raise ConfigError(
                f"store sqlite:///{path}: the file has {real.stat().st_nlink} names (hard links)",
                hint="two names have two write-ahead logs, which damages the database: copy it instead",
            )
        self._path, self._mark = real, Path(f"{real}-{name}.lock")
        try:
            self._file = os.open(self._mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"store sqlite:///{path}: its lock file cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise ConfigError(f"store sqlite:///{path}: {_HELD}", hint=_HINT) from error

    def guard(self, engine: Engine) -> None:
        """Nothing takes the lock from a process that lives, but somebody may remove or replace what it stands for."""
        held = [(self._mark, os.fstat(self._file))]
        if self._path.exists():  # else it is no file: a database in memory by another name
            held.append((self._path, self._path.stat()))
            _Journal(Path(f"{self._path}-wal")).guard(engine)
        for moment in ("do_connect", "checkout"):  # connecting would make a file where there is none
            sa.event.listen(engine, moment, lambda *_: _check_files(held))

    def release(self) -> None:
        os.close(self._file)  # the file stays: who removed it could remove one that somebody else has just locked


def _check_files(held: Sequence[tuple[Path, os.stat_result]]) -> None:
    """See to it that files are those that they were: what is written to a removed one is lost with the process."""
    for path, was in held:
        if not _is_same(path, was):
            raise StoreUnavailableError(f"the database does not answer: {path.name} was removed or replaced")


def _is_same(path: Path, was: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), was)
    except OSError:
        return False


class _Journal:
    """The write-ahead log of a database, which SQLite makes with the first connection and removes after the last one.

    If somebody else removes it, what was committed since the last checkpoint is in a file without a name. So the
    connections are closed then, by which SQLite takes it into the database, and no others are made: they would begin
    another log beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._was: os.stat_result | None = None
        self._connections = 0
        self._lost = False

    def guard(self, engine: Engine) -> None:
        sa.event.listen(engine, "do_connect", lambda *_: self._check())
        sa.event.listen(engine, "connect", lambda *_: self._opened())
        sa.event.listen(engine, "checkout", lambda *_: self._check())
        sa.event.listen(engine, "close", lambda *_: self._closed())

    def _opened(self) -> None:
        self._connections += 1
        if self._was is None and self._path.exists():
            self._was = self._path.stat()

    def _closed(self) -> None:
        self._connections -= 1
        if not self._connections:
            self._was = None

    def _check(self) -> None:
        self._lost = self._lost or (self._was is not None and not _is_same(self._path, self._was))
        if self._lost:
            told = f"{self._path.name} was removed or replaced: the element is to be started anew"
            raise StoreUnavailableError(f"the database does not answer: {told}")


class _SessionLock:
    def __init__(self, url: str, name: str) -> None:
        self._engine, self._name = engine_for(parse_url(url), alone=True), name
        self._connection: Connection | None = None
        self._poll = select.poll()
        self._lost = False
        #: what this process is called as the holder; empty until it has been that
        self._holder = ""
        deadline = time.monotonic() + _GRACE
        told = f"store {parse_url(url).render_as_string(hide_password=True)}: "
        try:
            while not self._taken():
                if time.monotonic() > deadline:
                    raise ConfigError(told + _HELD, hint=_HINT)
                time.sleep(0.05)
        except StoreUnavailableError as error:
            raise ConfigError(f"{told}{error}") from error

    def _taken(self) -> bool:
        """Take the lock in a new session, if nobody has it."""
        connection = self._engine.connect()
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
        key = int.from_bytes(hashlib.sha256(f"simwarden {schema} {self._name}".encode()).digest()[:8], signed=True)
        if not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({key})").scalar_one():
            connection.close()
            return False
        for option, seconds in _NOTICE.items():
            connection.exec_driver_sql(f"SET {option} = {seconds}")
        self._connection = connection
        self._poll = select.poll()
        self._poll.register(connection.connection.driver_connection.fileno(), select.POLLIN)  # type: ignore[union-attr]
        return self._is_ours(connection)

    def _is_ours(self, connection: Connection) -> bool:
        """Whether nobody else has had the database since this process had; say that this one has it."""
        if self._holder:
            return connection.exec_driver_sql(_LAST, {"name": self._name}).scalar() == self._holder
        self._holder = os.urandom(16).hex()
        connection.exec_driver_sql(_MADE)
        connection.exec_driver_sql(_TAKEN, {"name": self._name, "holder": self._holder})
        return True

    def guard(self, engine: Engine) -> None:
        sa.event.listen(engine, "checkout", lambda *_: self._check())

    def _check(self) -> None:
        """See to it that the lock is held: the server says nothing on its session before it ends it."""
        if self._connection is not None and not self._poll.poll(0):
            return
        if self._connection is not None:
            try:
                self._connection.exec_driver_sql("SELECT 1")
            except StoreUnavailableError:
                self._close()
            else:
                return
        # What is in memory may be so no longer if somebody else has had the database: only a new start helps.
        self._lost = self._lost or not self._taken()
        if self._lost:
            raise StoreUnavailableError(f"{_HELD}: this one is to be started anew")

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def release(self) -> None:
        if self._connection is not None:
            try:
                self._connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")  # at once, not when it is noticed
            except StoreUnavailableError:
                self._close()
            else:
                self._connection.close()
                self._connection = None
        self._engine.dispose()
