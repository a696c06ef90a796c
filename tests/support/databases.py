"""Databases for tests: a new one for each, in SQLite and in a PostgreSQL that is started for the session."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """Start PostgreSQL on a socket in a folder of its own; yield what makes URLs of new, empty databases."""
    programs = _programs()
    if programs is None:
        pytest.skip("needs the server of PostgreSQL (Debian: postgresql)")
    psycopg = pytest.importorskip("psycopg", reason="needs psycopg (pip install 'simwarden[postgres]')")
    owner, folder = _owner(), Path(tempfile.mkdtemp(prefix="pg-"))
    if owner is not None:
        shutil.chown(folder, owner)
    data, log = folder / "data", folder / "log"
    run: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        "simwarden",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "-N",
    ]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL, user=owner, cwd=folder)  # noqa: S603 - its own path
    serve: list[str | Path] = [programs / "postgres", "-D", data, "-k", folder, *(f"-c{each}" for each in _QUICK)]
    with (
        log.open("wb") as out,
        subprocess.Popen(serve, stdout=out, stderr=out, user=owner, cwd=folder) as server,  # noqa: S603 - as above
    ):
        try:
            connection = None
            for _ in range(200):
                try:
                    connection = psycopg.connect(f"host={folder} user=simwarden dbname=postgres", autocommit=True)
                    break
                except psycopg.OperationalError:
                    assert server.poll() is None, log.read_text()
                    time.sleep(0.05)
            assert connection is not None, log.read_text()
            numbers = itertools.count(1)

            def new() -> str:
                schema = f"t{next(numbers)}"
                connection.execute(f"CREATE SCHEMA {schema}")
                return f"postgresql://simwarden@/postgres?host={folder}&options=-csearch_path%3D{schema}"

            yield new
            connection.close()
        finally:
            server.terminate()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.interop)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "store.sqlite")
    url: str = request.getfixturevalue("postgresql")()
    return url
