"""`live`: what is said of the address, the token and the browser, and of an address that is not to be had."""

from __future__ import annotations

import socket
import sys
import webbrowser
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from simwarden.cli import living
from simwarden.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("host", ["127.0.0.1", "no.such.host.example", "a" * 300])
def test_an_address_that_is_not_to_be_had_is_said(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = CliRunner().invoke(app, ["live", "--host", host, "--port", str(taken.getsockname()[1])])
    assert found.exit_code == 2
    assert "cannot be listened on" in found.output
    assert "Traceback" not in found.output


@pytest.mark.parametrize(
    ("screen", "opens", "said"),
    [("", True, "no browser is here"), (":0", False, "no browser is here"), (":0", True, "")],
)
def test_it_is_opened_where_there_is_a_browser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, screen: str, opens: bool, said: str
) -> None:
    opened: list[str] = []

    def serve(host: str, port: int, told: Callable[[str, str], None]) -> None:
        told(f"http://{host}:{port}/", "secret")

    monkeypatch.setattr(living, "serve", serve)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or opens)
    living.serve_live("192.0.2.1", 8700, to_open=True)
    out = capsys.readouterr().out
    assert "simwarden live: http://192.0.2.1:8700/" in out
    assert "token: secret" in out
    assert (said in out) if said else ("no browser" not in out)
    assert opened == (["http://192.0.2.1:8700/"] if screen else [])
