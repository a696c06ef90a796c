"""One element, one database, one process: a second process is refused at its start, and the first serves on."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from databases import new_server
from served import PLMN, Client, card, serve
from waiting import LONG, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def settings(url: str, **more: Any) -> dict[str, Any]:
    return {"listen": {"S6a": "127.0.0.1:0"}, "store": url, "subscribers": "cards.json", **more}


@pytest.fixture(autouse=True)
def _cards(tmp_path: Path) -> None:
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": [card(1, learn="first-use")]}))


def try_again(folder: Path, what: dict[str, Any], name: str = "second") -> subprocess.CompletedProcess[str]:
    """Serve what a running process serves, from a file of one's own."""
    file = folder / f"{name}.yaml"
    file.write_text(json.dumps({"type": "hss", **what}))
    command = [sys.executable, "-m", "simwarden", "serve", name, "--config", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=LONG, check=False)  # noqa: S603


def is_served(client: Client) -> bool:
    """Whether the HSS gives an authentication vector, with an SQN that it keeps first."""
    wanted = [("Number-Of-Requested-Vectors", 1)]
    avps = (("User-Name", "001010000000001"), ("Requested-EUTRAN-Authentication-Info", wanted))
    return client.ask(client.make("Authentication-Information-Request", *avps, ("Visited-PLMN-Id", PLMN))).success


def test_a_second_process_is_refused_whatever_it_is_called(tmp_path: Path, store_url: str) -> None:
    with serve(tmp_path, "hss", settings(store_url)) as first, Client(first.where["S6a"]) as client:
        done = try_again(tmp_path, settings(store_url))
        assert (done.returncode, done.stdout) == (2, "")
        assert "another process has this database" in done.stderr
        assert "second.yaml:1:" in done.stderr
        assert "Traceback" not in done.stderr
        assert is_served(client)


def test_a_link_to_a_database_is_that_database(tmp_path: Path) -> None:
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "store.sqlite")
    with serve(tmp_path, "hss", settings(f"sqlite:///{tmp_path}/store.sqlite")):
        assert try_again(tmp_path, settings(f"sqlite:///{tmp_path}/link.sqlite")).returncode == 2


def test_a_database_of_two_names_is_refused_also_to_its_holder(tmp_path: Path) -> None:
    """A hard link has a lock file and a write-ahead log of its own, so that neither shows the other's process."""
    with serve(tmp_path, "hss", settings(f"sqlite:///{tmp_path}/store.sqlite")):
        (tmp_path / "link.sqlite").hardlink_to(tmp_path / "store.sqlite")
        for name in ("link", "store"):
            done = try_again(tmp_path, settings(f"sqlite:///{tmp_path}/{name}.sqlite"))
            assert done.returncode == 2
            assert f"{name}.sqlite: the file has 2 names (hard links)" in done.stderr


def test_a_database_that_was_removed_or_replaced_is_not_written_to(tmp_path: Path) -> None:
    """SQLite would go on in the removed file, and all that was answered would be gone with the process."""
    store = tmp_path / "store.sqlite"
    with serve(tmp_path, "hss", settings(f"sqlite:///{store}")) as process, Client(process.where["S6a"]) as client:
        assert is_served(client)
        store.rename(tmp_path / "away")
        assert not is_served(client)
        (tmp_path / "copy").write_bytes((tmp_path / "away").read_bytes())
        (tmp_path / "copy").rename(store)
        assert not is_served(client)
        (tmp_path / "away").rename(store)
        assert is_served(client)
        assert process.faults() == ""


@pytest.mark.parametrize("put_back", [False, True])
def test_without_its_write_ahead_log_nothing_is_written_and_nothing_is_lost(tmp_path: Path, *, put_back: bool) -> None:
    """SQLite would go on in the removed file, and what was committed since the checkpoint be gone with the process."""
    store, log = tmp_path / "store.sqlite", tmp_path / "store.sqlite-wal"
    what = settings(f"sqlite:///{store}")
    with serve(tmp_path, "hss", what) as process, Client(process.where["S6a"]) as client:
        assert is_served(client)
        log.rename(tmp_path / "away")
        if put_back:
            (tmp_path / "copy").write_bytes((tmp_path / "away").read_bytes()[:4096])
            (tmp_path / "copy").rename(log)
        assert not is_served(client)
        assert not is_served(client)
        told = process.log.read_text()
        assert "store.sqlite-wal was removed or replaced: the element is to be started anew" in told
        assert process.faults() == ""
        process.process.kill()
        process.process.wait(20)
    log.unlink(missing_ok=True)
    with closing(sqlite3.connect(store)) as database:
        assert database.execute("SELECT seq FROM subscribers").fetchone()[0]
    with serve(tmp_path, "hss", what) as process, Client(process.where["S6a"]) as client:
        assert is_served(client)


def test_a_lock_that_was_removed_lets_no_two_serve(tmp_path: Path) -> None:
    what = settings(f"sqlite:///{tmp_path}/store.sqlite")
    with serve(tmp_path, "hss", what) as first, Client(first.where["S6a"]) as client:
        assert is_served(client)
        (tmp_path / "store.sqlite-hss.lock").unlink()
        other = tmp_path / "other"
        other.mkdir()
        (other / "cards.json").write_text((tmp_path / "cards.json").read_text())
        with serve(other, "hss", what) as second, Client(second.where["S6a"]) as successor:
            assert is_served(successor)
            assert not is_served(client)


def test_who_comes_after_it_has_the_database_at_once(tmp_path: Path, store_url: str) -> None:
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        with serve(tmp_path, "hss", settings(store_url)) as process, Client(process.where["S6a"]) as client:
            assert is_served(client)
            process.process.send_signal(number)
            process.process.wait(20)


def test_elements_of_other_kinds_share_a_file_with_it(tmp_path: Path, store_url: str) -> None:
    """The broker of an element's own stands in the same database, and its lock is another."""
    with serve(tmp_path, "hss", settings(store_url, events={"listen": "127.0.0.1:0"})):
        assert try_again(tmp_path, settings(store_url)).returncode == 2


@pytest.mark.interop
def test_a_postgresql_that_was_restarted_is_held_again_and_by_the_first(tmp_path: Path) -> None:
    with new_server() as server:
        url = server.new()
        with serve(tmp_path, "hss", settings(url)) as first, Client(first.where["S6a"]) as client:
            server.kill()
            server.start()
            assert until(lambda: is_served(client), 20)
            assert try_again(tmp_path, settings(url)).returncode == 2
            server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'")
            assert until(lambda: is_served(client), 20)
            assert try_again(tmp_path, settings(url)).returncode == 2


@pytest.mark.interop
def test_who_has_lost_a_postgresql_to_another_serves_nobody(tmp_path: Path) -> None:
    with new_server() as server:
        url = server.new()
        with serve(tmp_path, "hss", settings(url)) as first, Client(first.where["S6a"]) as client:
            assert is_served(client)
            first.process.send_signal(signal.SIGSTOP)  # a process that hangs while its connections are ended
            server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'")
            other = tmp_path / "other"
            other.mkdir()
            (other / "cards.json").write_text((tmp_path / "cards.json").read_text())
            with serve(other, "hss", settings(url)) as second, Client(second.where["S6a"]) as successor:
                first.process.send_signal(signal.SIGCONT)
                assert not is_served(client)
                assert is_served(successor)
                assert "another process has this database" in first.log.read_text()
            assert not is_served(client), "what it remembers may be so no longer"


@pytest.mark.interop
def test_who_has_slept_while_another_had_the_postgresql_serves_nobody(tmp_path: Path) -> None:
    with new_server() as server:
        url = server.new()
        with serve(tmp_path, "hss", settings(url)) as first, Client(first.where["S6a"]) as client:
            assert is_served(client)
            first.process.send_signal(signal.SIGSTOP)
            server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'")
            other = tmp_path / "other"
            other.mkdir()
            (other / "cards.json").write_text((tmp_path / "cards.json").read_text())
            with serve(other, "hss", settings(url)) as second, Client(second.where["S6a"]) as successor:
                assert is_served(successor)
            second.process.wait(20)
            first.process.send_signal(signal.SIGCONT)
            assert not is_served(client), "the SQN that it remembers was given by the other"
            assert "another process has this database" in first.log.read_text()
