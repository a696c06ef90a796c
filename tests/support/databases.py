"""Databases for tests: a new one for each, in SQLite and in a PostgreSQL that is started for the session."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from simwarden.runtime.store import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: what makes a server quick to start and to commit; a crash of the machine is not what tests are about
_QUICK = ("fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=40", "shared_buffers=16MB")


def _programs() -> Path | None:
    """Return where Debian or another system keeps the server's programs, the newest first."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]), reverse=True)
    return Path(found).parent if found else debian[0].parent if debian else None


def _owner() -> str | None:
    """Return whom to run the server as: root may not, so Debian's user for it; else whoever we are."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


class PostgreSQL:
    """A server on a socket in a folder of its own, until the end of the block; `new` makes the URL of a database."""

    def __init__(self, programs: Path) -> None:
        self.psycopg = pytest.importorskip("psycopg", reason="needs psycopg (pip install 'simwarden[postgres]')")
        self._programs, self._owner, self._numbers = programs, _owner(), itertools.count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._owner is not None:
            shutil.chown(self.folder, self._owner)
        words = f"-D {self.folder}/data -U simwarden -A trust -E UTF8 --locale=C -N".split()
        self._run("initdb", words, stdout=subprocess.DEVNULL).wait()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self.go_on()
            self.kill(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, words: list[str], **more: Any) -> subprocess.Popen[bytes]:
        command = [str(self._programs / name), *words]
        return subprocess.Popen(command, user=self._owner, cwd=self.folder, **more)  # noqa: S603 - its own path

    def start(self) -> None:
        """Start the server and wait until it serves."""
        log = self.folder / "log"
        words = ["-D", f"{self.folder}/data", "-k", str(self.folder), *(f"-c{each}" for each in _QUICK)]
        with log.open("ab") as out:
            self._server = self._run("postgres", words, stdout=out, stderr=out)
        for _ in range(200):
            try:
                self.execute("SELECT 1")
            except self.psycopg.OperationalError:
                assert self._server.poll() is None, log.read_text()
                time.sleep(0.05)
            else:
                return
        raise AssertionError(log.read_text())

    def kill(self, number: int = signal.SIGQUIT) -> None:
        """End the server: SIGQUIT throws its clients out and writes nothing down, as a crash would."""
        assert self._server is not None
        self._server.send_signal(number)
        self._server.wait(30)
        self._server = None

    def _signal_all(self, number: int) -> None:
        """Send a signal to the server and the processes that serve its clients."""
        assert self._server is not None
        told = subprocess.run(  # noqa: S603 - the system's own program
            ["/usr/bin/env", "pgrep", "-P", str(self._server.pid)], capture_output=True, text=True, check=False
        )
        for pid in (self._server.pid, *map(int, told.stdout.split())):
            with contextlib.suppress(ProcessLookupError):  # what served a client may have ended meanwhile
                os.kill(pid, number)

    def hang(self) -> None:
        """Have the server stop in its tracks: its sockets stay, and nothing is answered."""
        self._signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it go on."""
        self._signal_all(signal.SIGCONT)

    def kill_backend(self) -> None:
        """Take the life of a process that serves a client, whereupon the server throws out all and recovers."""
        with self._connected() as connection:
            pids = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchall()
            for (pid,) in pids[:1]:
                os.kill(pid, signal.SIGKILL)

    def _connected(self) -> Any:
        return self.psycopg.connect(f"host={self.folder} user=simwarden dbname=postgres", autocommit=True)

    def execute(self, statement: str) -> None:
        """Carry out a statement."""
        with self._connected() as connection:
            connection.execute(statement)

    def new(self) -> str:
        """Return the URL of a new, empty database."""
        schema = f"t{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {schema}")
        return f"postgresql://simwarden@/postgres?host={self.folder}&options=-csearch_path%3D{schema}"


def new_server() -> PostgreSQL:
    """Return a server that somebody may kill. Skips the test where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        pytest.skip("needs the server of PostgreSQL (Debian: postgresql)")
    return PostgreSQL(programs)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """Start PostgreSQL for all tests of the session; yield what makes URLs of new, empty databases."""
    with new_server() as server:
        yield server.new


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.interop)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "store.sqlite")
    url: str = request.getfixturevalue("postgresql")()
    return url
