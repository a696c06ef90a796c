"""Behind freeDiameter, which relays S6a, S13 and SGd of one connection of the MME: an HSS, an EIR and two SMSCs."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from served import Served, serve
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
ConnectPeer = "smsc.{realm}" {{ ConnectTo = "127.0.0.1"; No_TLS; Port = {smsc}; Prefer_TCP; }};
ConnectPeer = "smsc9.{realm}" {{ ConnectTo = "127.0.0.1"; No_TLS; Port = {smsc9}; Prefer_TCP; }};
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
#: the dedicated SMSC, and one that the HSS gives routes to but that the MME does not list
MESSAGES = f"""\
scenario: A meter with two SMSCs behind a relay
network:
  mme: {{sms: {{centres: {{smsc: "+8613800100500"}}}}}}
  esme: {{type: platform, binds_at: smsc, system_id: gateway, password: secret}}
  esme9: {{type: platform, binds_at: smsc9, system_id: gateway, password: secret}}
  smsc: {{type: smsc}}
  smsc9: {{type: smsc}}
cards:
  writes:
    profile: meter
    imsi: "001010000000009"
    msisdn: "1440000000009"
    service_centre: "+8613800100500"
    sms: {{by: smsc, numbers: ["10658000"]}}
devices:
  meter: {{type: module, sms: true}}
steps:
  - insert: {{card: writes, into: meter}}
  - power_on: meter
    expect: accepted
  - submit_message: {{platform: esme, to: writes.msisdn, code: "10658000", text: read the meter}}
    expect: accepted
  - expect:
      meter: {{sms: {{text: read the meter}}}}
      sgd.mt-forward-short-message-request: {{origin_host: smsc.{REALM}, route_record: smsc.{REALM}}}
      decision: {{by: mme, control: sms.centre, on: mt-forward-short-message, verdict: admit, card: writes}}
  - send_sms: {{device: meter, to: "10658000", text: battery low}}
    expect: accepted
  - submit_message: {{platform: esme9, to: writes.msisdn, code: "10658000", text: open the valve}}
    expect: accepted
  - expect:
      esme9: {{receipt: {{state: UNDELIV}}}}
      sgd.mt-forward-short-message-request: {{origin_host: smsc9.{REALM}, route_record: smsc9.{REALM}}}
      sgd.mt-forward-short-message-answer: {{experimental_result: DIAMETER_ERROR_SERVICE_BARRED}}
  - never: {{meter: {{sms: {{text: open the valve}}}}}}
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


def serve_smsc(folder: Path, name: str, hss: int) -> AbstractContextManager[Served]:
    own = folder / name
    own.mkdir()
    cards = CliRunner().invoke(app, ["export", str(folder / "messages.yaml"), "--element", "smsc"])
    (own / "cards.yaml").write_text(cards.output)
    gateways = {"gateway": {"password": "secret", "codes": ["10658000"]}}
    peers = {"mme": {}, "dra": {"relay": "true"}}
    settings = {"host": f"{name}.{REALM}", "gateways": gateways, "peers": peers}
    file = {"listen": {"SGd": "127.0.0.1:0", "SMPP": "127.0.0.1:0"}, "settings": settings}
    return serve(own, "smsc", file | {"peers": {"hss": f"127.0.0.1:{hss}"}, "subscribers": "cards.yaml"})


@pytest.fixture(name="relay", scope="module")
def _relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("relay")
    (folder / "story.yaml").write_text(STORY)
    (folder / "messages.yaml").write_text(MESSAGES)
    files = [str(folder / name) for name in ("story.yaml", "messages.yaml")]
    (folder / "cards.yaml").write_text(CliRunner().invoke(app, ["export", *files]).output)
    (folder / "acl").write_text(f"ALLOW_OLD_TLS mme.{REALM}\nALLOW_IPSEC mme.{REALM}\n")
    nodes = {"mme": {"home_province": "true"}, "dra": {"relay": "true"}}
    centres = dict.fromkeys(("smsc", "smsc9"), "+8613800100500")
    known = {"peers": nodes, "centres": centres}
    hss_file = {"listen": {"S6a": "127.0.0.1:0"}, "settings": known, "subscribers": "cards.yaml"}
    asking = {"mme": {}, "dra": {"relay": "true"}}
    eir_file = {"listen": {"S13": "127.0.0.1:0"}, "settings": {"peers": asking, "prohibited": ["phone"]}}
    with ExitStack() as stack:
        hss = stack.enter_context(serve(folder, "hss", hss_file))
        eir = stack.enter_context(serve(folder, "eir", eir_file))
        smscs = [stack.enter_context(serve_smsc(folder, name, hss.where["S6a"][1])) for name in centres]
        port = free_port()
        text = RELAY.format(
            realm=REALM,
            port=port,
            acl=folder / "acl",
            hss=hss.where["S6a"][1],
            eir=eir.where["S13"][1],
            **{name: each.where["SGd"][1] for name, each in zip(centres, smscs, strict=True)},
        )
        (folder / "dra.conf").write_text(text)
        log = folder / "dra.log"
        with log.open("w") as output:
            process = subprocess.Popen([str(DAEMON), "-c", str(folder / "dra.conf")], stdout=output, stderr=output)  # noqa: S603
        stack.callback(process.wait)
        stack.callback(process.kill)
        wait_for(log, tuple(f"'{name}.{REALM}'" for name in ("hss", "eir", *centres)))
        yield {"folder": folder, "port": port, "log": log, "hss": hss, "eir": eir, "smscs": smscs}


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


def test_the_dedicated_smsc_alone_delivers_through_a_relay(relay: dict[str, Any]) -> None:
    folder, port = relay["folder"], relay["port"]
    agent = {"external": f"127.0.0.1:{port}"}
    where: dict[str, Any] = {"hss": agent, "eir": agent}
    for name, each in zip(("smsc", "smsc9"), relay["smscs"], strict=True):
        smpp = "{}:{}".format(*each.where["SMPP"])
        where[name] = {"type": "smsc", "external": {"SGd": agent["external"], "SMPP": smpp}}
    network = folder / "messages-net.yaml"
    network.write_text(json.dumps(where))
    arguments = ["run", str(folder / "messages.yaml"), "--network", str(network), "--report", str(folder / "report")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output + relay["log"].read_text()
    assert "".join(each.faults() for each in relay["smscs"]) == ""
