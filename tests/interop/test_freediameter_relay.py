"""The MME attaches devices by an HSS and an EIR behind freeDiameter, which relays S6a and S13 of one connection."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from served import serve
from typer.testing import CliRunner
from waiting import LONG

from simwarden.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

DAEMON = shutil.which("freeDiameterd")
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        DAEMON is None or not Path("/usr/lib/freeDiameter/acl_wl.fdx").exists(),
        reason="not installed: freediameterd freediameter-extensions (apt install them)",
    ),
]
REALM = "epc.mnc001.mcc001.3gppnetwork.org"
RELAY = """\
Identity = "dra.{realm}"; Realm = "{realm}"; ListenOn = "127.0.0.1";
No_SCTP; No_IPv6; Port = {port}; SecPort = 0; TwTimer = 6;
LoadExtension = "acl_wl.fdx" : "{acl}";
ConnectPeer = "hss.{realm}" {{ ConnectTo = "127.0.0.1"; No_TLS; Port = {hss}; Prefer_TCP; }};
ConnectPeer = "eir.{realm}" {{ ConnectTo = "127.0.0.1"; No_TLS; Port = {eir}; Prefer_TCP; }};
"""
STORY = """\
scenario: A meter and a phone behind a relay
cards:
  card: {profile: meter}
  other: {profile: meter}
devices:
  meter: {type: module}
  phone: {type: handset}
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
  - expect:
      meter: {attach: accepted}
      s6a.update-location-request: {destination_host: hss.epc.mnc001.mcc001.3gppnetwork.org}
      s6a.update-location-answer: {result_code: DIAMETER_SUCCESS}
      s13.me-identity-check-answer: {equipment_status: ALLOWED}
  - power_off: meter
  - insert: {card: other, into: phone}
  - power_on: phone
  - expect:
      s13.me-identity-check-answer: {equipment_status: PROHIBITED}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_for(log: Path, words: tuple[str, ...]) -> None:
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        text = log.read_text()
        if all(word in text for word in words):
            return
        time.sleep(0.1)
    raise AssertionError(f"{words} not in\n{log.read_text()}")


@pytest.fixture(name="relay", scope="module")
def _relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("relay")
    (folder / "story.yaml").write_text(STORY)
    (folder / "cards.yaml").write_text(CliRunner().invoke(app, ["export", str(folder / "story.yaml")]).output)
    (folder / "acl").write_text(f"ALLOW_OLD_TLS mme.{REALM}\nALLOW_IPSEC mme.{REALM}\n")
    nodes = {"mme": {"home_province": "true"}, "dra": {"relay": "true"}}
    hss_file = {"listen": {"S6a": "127.0.0.1:0"}, "settings": {"peers": nodes}, "subscribers": "cards.yaml"}
    asking = {"mme": {}, "dra": {"relay": "true"}}
    eir_file = {"listen": {"S13": "127.0.0.1:0"}, "settings": {"peers": asking, "prohibited": ["phone"]}}
    with ExitStack() as stack:
        hss = stack.enter_context(serve(folder, "hss", hss_file))
        eir = stack.enter_context(serve(folder, "eir", eir_file))
        port = free_port()
        text = RELAY.format(
            realm=REALM, port=port, acl=folder / "acl", hss=hss.where["S6a"][1], eir=eir.where["S13"][1]
        )
        (folder / "dra.conf").write_text(text)
        log = folder / "dra.log"
        with log.open("w") as output:
            process = subprocess.Popen([str(DAEMON), "-c", str(folder / "dra.conf")], stdout=output, stderr=output)  # noqa: S603
        stack.callback(process.wait)
        stack.callback(process.kill)
        wait_for(log, tuple(f"'{name}.{REALM}'" for name in ("hss", "eir")))
        yield {"folder": folder, "port": port, "log": log, "hss": hss, "eir": eir}


def test_attaches_through_a_relay(relay: dict[str, Any]) -> None:
    folder, port = relay["folder"], relay["port"]
    network = folder / "net.yaml"
    network.write_text(f"hss: {{external: '127.0.0.1:{port}'}}\neir: {{external: '127.0.0.1:{port}'}}\n")
    arguments = ["run", str(folder / "story.yaml"), "--network", str(network), "--report", str(folder / "report")]
    result = CliRunner().invoke(app, arguments)
    log = relay["log"].read_text()
    assert result.exit_code == 0, result.output + log
    opened = [line for line in log.splitlines() if "-> 'STATE_OPEN'" in line and f"'mme.{REALM}'" in line]
    assert len(opened) == 1, log
    for name in ("hss", "eir"):
        assert relay[name].faults() == ""
