"""What a peer or a file says steers no terminal, forges no lines, and floods no log."""

from __future__ import annotations

import io
import json
import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from served import REALM, Client, serve
from typer.testing import CliRunner

from simwarden.cli.main import app
from simwarden.plain import plain, plain_lines
from simwarden.trace.events import Note
from simwarden.trace.jsonl import lines_of
from simwarden.wire import diameter
from simwarden.wire.diameter import ResultCode

if TYPE_CHECKING:
    from pathlib import Path

#: clears the screen, names the window, forges a line, turns the writing round; C1's CSI; half a pair
HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\n2026-01-01T00:00:00Z refused nobody\x7f\x9b31m\u202e\u2028\ud800"
STORY = """\
scenario: "a{}"
cards: {{card: {{profile: meter}}}}
devices: {{meter: {{type: module}}}}
steps:
  - insert: {{card: card, into: meter}}
"""


def is_harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def test_what_cannot_be_printed_is_shown() -> None:
    assert plain(HOSTILE).isprintable()
    assert plain("绑定 ü") == "绑定 ü"
    assert plain("\x1b\n\u202e") == r"\x1b\n\u202e"
    assert plain("x" * 60_000, 5) == "xxxxx... (60000 characters)"
    assert plain_lines("a\n\x07") == "a\n\\x07"


@pytest.mark.parametrize("command", ["run", "list", "validate"])
def test_the_title_of_a_scenario_draws_nothing(tmp_path: Path, command: str) -> None:
    (tmp_path / "story.yaml").write_text(STORY.format(r"\e[2J\e]0;owned\a\n1 scenario: 1 passed\u202e"))
    more = ["--report", str(tmp_path / "report")] if command == "run" else []
    told = CliRunner().invoke(app, [command, str(tmp_path / "story.yaml"), *more]).output
    assert is_harmless(told), told
    assert "\n1 scenario: 1 passed" not in told.removesuffix("\n").rpartition("\n")[0]


def test_the_lines_of_events_are_ascii_where_a_terminal_would_act() -> None:
    (line,) = lines_of([Note(element="hss", text=HOSTILE)])
    assert line.isprintable()
    assert json.loads(line)["text"] == HOSTILE
    io.BytesIO().write(line.encode())


def cer(host: str) -> bytes:
    avps = [("Origin-Host", host), ("Origin-Realm", REALM), ("Host-IP-Address", "127.0.0.1"), ("Vendor-Id", 0)]
    return diameter.encode(diameter.request("Capabilities-Exchange-Request", [*avps, ("Product-Name", "x" * 60_000)]))


@pytest.mark.parametrize("host", ["\x1b[2J", "m\nme", "mmé", "m me", "m" * 300, "\x7f"])
def test_a_diameter_identity_is_ascii(host: str) -> None:
    with pytest.raises(diameter.DiameterError) as wrong:
        diameter.decode(cer(host))
    assert wrong.value.result == ResultCode.DIAMETER_INVALID_AVP_VALUE
    assert wrong.value.failed
    assert "Origin-Host" in wrong.value.reason
    assert len(wrong.value.reason) < 300


@pytest.mark.slow
def test_the_log_of_a_served_element_is_short_and_plain_whatever_peers_say(tmp_path: Path) -> None:
    """Bad octets, bad names and long names of one who has not said who it is; another is still told of."""
    settings = {"listen": {"S6a": "127.0.0.1:0"}, "limits": {"strangers": 500}}
    with serve(tmp_path, "hss", settings) as served:
        for number in range(300):
            with closing(socket.create_connection(served.where["S6a"])) as peer:
                peer.sendall(cer(f"mme{number}\x1b[2J\n2026-01-01T00:00:00Z fault in hss: x") + b"\x1b]0;owned\x07" * 9)
        with Client(served.where["S6a"]) as client:  # of the same address, and known
            update = client.update("\x1b[31m" + "9" * 60_000, "35000000000001")
            assert not client.ask(update).success
        time.sleep(11)  # what was held back is counted
        log = served.log.read_text()
        assert served.faults() == ""
    assert is_harmless(log), log
    lines = log.splitlines()
    assert len(lines) < 60, "one peer makes so many lines in ten seconds, and no more"
    assert max(map(len, lines)) < 1000
    assert any("more lines about peer 127.0.0.1" in line for line in lines)
