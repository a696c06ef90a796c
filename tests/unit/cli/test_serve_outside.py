"""What somebody outside does to a served element, and what becomes of its disk: no traceback, and it serves on."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from served import Client, Served, card, serve
from typer.testing import CliRunner

from simwarden.cli.main import app
from simwarden.wire import mqtt

if TYPE_CHECKING:
    from pathlib import Path


def assert_serves_without_a_word(served: Served) -> None:
    assert served.process.poll() is None
    assert served.faults() == ""
    assert "Traceback" not in served.log.read_text()


def publish(where: tuple[str, int], *payloads: bytes) -> int:
    """Publish what is given, and return how many times that was acknowledged."""
    with closing(socket.create_connection(where, timeout=20)) as peer:
        peer.sendall(mqtt.encode(mqtt.Connect("tester")))
        splitter, acknowledged = mqtt.Splitter(1 << 18), 0
        for number, payload in enumerate(payloads, 1):
            peer.sendall(mqtt.encode(mqtt.Publish("simwarden/x", payload, 1, identifier=number)))
        while acknowledged < len(payloads):
            data = peer.recv(65536)
            if not data:
                break
            acknowledged += sum(isinstance(each, mqtt.Ack) for each in splitter.feed(data))
    return acknowledged


BAD_TEXTS = ["\\ud800", "a\\u0000b", "x\\udfff"]


@pytest.mark.slow
@pytest.mark.parametrize("text", BAD_TEXTS)
def test_an_event_with_a_text_that_no_database_keeps_is_none_of_ours(tmp_path: Path, store_url: str, text: str) -> None:
    known = {"specversion": '"1.0"', "id": '"e-1"', "source": '"s"', "type": '"simwarden.x"', "subject": '"1"'}
    events = [
        "{" + ",".join(f'"{name}":{value}' for name, value in {**known, field: f'"{text}-1"'}.items()) + "}"
        for field in ("id", "source", "type", "subject")
    ]
    with serve(tmp_path, "broker", {"listen": {"MQTT": "127.0.0.1:0"}, "store": store_url}) as served:
        for each in events:
            assert publish(served.where["MQTT"], each.encode()) == 1
        assert_serves_without_a_word(served)


def damage(file: Path) -> None:
    """Overwrite a database from its second page on, after a change by somebody else, so that it is read again."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("INSERT INTO schema_versions VALUES ('other', 0)")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"x" * (file.stat().st_size - 4096))


@pytest.mark.slow
def test_a_damaged_database_is_one_that_does_not_answer(tmp_path: Path) -> None:
    rows = [card(each, learn="first-use") for each in range(200)]
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": rows}))
    settings: dict[str, Any] = {"listen": {"S6a": "127.0.0.1:0"}, "subscribers": "cards.json"}
    settings |= {"management": "127.0.0.1:0", "tokens": {"operator": "o"}, "store": f"sqlite:///{tmp_path}/hss.sqlite"}
    with serve(tmp_path, "hss", settings) as served, Client(served.where["S6a"]) as client:
        url, headers = "http://{}:{}".format(*served.where["management"]), {"Authorization": "Bearer o"}
        assert httpx.get(f"{url}/cards", headers=headers).status_code == 200
        damage(tmp_path / "hss.sqlite")
        answer = httpx.get(f"{url}/cards", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert not client.ask(client.update("001010000000150", "35000000000001")).success
        assert_serves_without_a_word(served)


HEAD = "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer o\r\n"
HEAD += "Content-Type: application/json\r\nContent-Length: 99\r\n\r\n"


@pytest.mark.slow
def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_nothing(tmp_path: Path) -> None:
    north = {"listen": "127.0.0.1:0", "mme": "off", "clients": {"desk": {"token": "o"}}}
    settings = {"listen": {"S13": "127.0.0.1:0"}, "management": "127.0.0.1:0", "tokens": {"operator": "o"}}
    with serve(tmp_path, "cmp", {**settings, "settings": {"hss": "off", "north": north}}) as served:
        found = re.search(r"north side http://127\.0\.0\.1:(\d+)", served.log.read_text())
        assert found
        paths = ("/cards", "/iot-sim-fraud-prevention/vwip/query")
        for port, path in zip((served.where["management"][1], int(found[1])), paths, strict=True):
            for _ in range(5):
                with closing(socket.create_connection(("127.0.0.1", port))) as peer:
                    peer.sendall(HEAD.format(path).encode() + b'{"a"')
                    time.sleep(0.05)
        time.sleep(0.3)
        assert_serves_without_a_word(served)


@pytest.mark.parametrize("where", ["0.0.0.0:0", "192.0.2.1:1883", "[::]:0", "broker.example.com:1883"])
@pytest.mark.parametrize(
    "text", ["listen: {{S6a: '127.0.0.1:0'}}\nevents: {{listen: '{}'}}\n", "type: broker\nlisten: {{MQTT: '{}'}}\n"]
)
def test_the_broker_of_ours_is_for_one_machine(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "hss.yaml").write_text(text.format(where))
    result = CliRunner().invoke(app, ["serve", "hss", "--config", str(tmp_path / "hss.yaml")])
    assert result.exit_code == 2, result.output
    assert "hss.yaml:2:" in result.output
    assert "on this machine only" in result.output
