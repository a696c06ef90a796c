"""A network file says what carries frames and where an element is; `serve` says what is not as specified."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import jsonschema
import pytest
from served import NET, serve
from waiting import LONG

from simwarden.cli.options import Order
from simwarden.model.interfaces import INTERFACES
from simwarden.runtime.transport.choose import NAMES, carrier_of, carriers_of, described
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.schema import scenario_schema
from simwarden.trace.events import Frame, Note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STORY = """\
scenario: A meter is served
cards: {card: {profile: meter}}
devices: {meter: {type: module}}
steps:
- insert: {card: card, into: meter}
- power_on: meter
- expect: {meter: {attach: accepted}}
"""


def play(folder: Path, network: str, transport: str = "") -> ScenarioResult:
    (folder / "network.yaml").write_text(network, encoding="utf-8")
    story = Loader(network_file=str(folder / "network.yaml")).load("s.yaml", STORY)
    return run_scenario(story, "s", RunOptions(transport=transport))


def frames(result: ScenarioResult) -> list[tuple[str, str, bytes]]:
    assert result.verdict is Verdict.PASSED, result.failure
    return [(each.source, each.target, each.data) for each in result.events if isinstance(each, Frame)]


@pytest.mark.parametrize(
    ("network", "option", "said"),
    [
        ("transport: tcp\n", "", "tcp (SCTP framed on TCP)"),
        ("transport: tcp\n", "sctp", "sctp"),
        ("transport: {s1-mme: sctp, S6a: tcp}\n", "", "memory, S1-MME on sctp, S6a on tcp"),
        ("transport: {S6a: sctp, S13: sctp-udp}\n", "", "memory, S6a on sctp, S13 on sctp-udp"),
        ("network: {transport: {S1-MME: tcp, Uu: memory}}\n", "sctp", "sctp, S1-MME on tcp, Uu on memory"),
    ],
)
def test_a_network_file_says_what_carries_which_interface(tmp_path: Path, network: str, option: str, said: str) -> None:
    result = play(tmp_path, network, option)
    assert result.transport == said
    assert frames(result) == frames(play(tmp_path, ""))


def test_a_scenario_may_say_it_of_itself() -> None:
    text = STORY.replace("cards:", "network: {transport: {S6a: tcp}}\ncards:", 1)
    assert run_scenario(Loader().load("s.yaml", text), "s", RunOptions()).transport == "memory, S6a on tcp"


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("transport: pigeon", "memory or tcp or udp or sctp or sctp-udp is expected, or one for each interface"),
        ("transport: {S7: tcp}", "interface 'S7' is not known"),
        ("transport: {S6a: udp}", "transport of S6a 'udp' is not known"),
        ("transport: {SGi: sctp}", "transport of SGi 'sctp' is not known"),
        ("hss: {external: {S6a: '192.0.2.1,192.0.2.2:3868'}}", "S6a on tcp has one address, not 2"),
        ("hss: {external: {S6a: '[2001:db8::1]:3868'}}, transport: {S6a: sctp}", "S6a on sctp needs IPv4 addresses"),
        ("mme: {source: {S6a: '192.0.2.1,192.0.2.2'}}", "S6a on tcp has one address, not 2"),
        ("mme: {source: hss.example.com}", "expected an IP address of this machine, got 'hss.example.com'"),
        ("mme: {address: '192.0.2.1,2001:db8::1'}", "'192.0.2.1,2001:db8::1' is no IP address"),
        ("transport: {S1-MME: udp}", "transport of S1-MME 'udp' is not known"),
        ("mme: {address: here}", "'here' is no IP address"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(network: str, said: str) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("s.yaml", STORY.replace("cards:", f"network: {{{network}}}\ncards:", 1))
    assert str(caught.value).startswith("s.yaml:2:")
    assert said in str(caught.value)


def test_editors_know_it() -> None:
    check = jsonschema.Draft202012Validator(scenario_schema(Registry.installed()))
    for network in (
        {"transport": "sctp"},
        {"transport": {"S1-MME": "tcp"}, "mme": {"address": "192.0.2.7"}},
    ):
        check.validate({"scenario": "x", "steps": [{"wait": "1 s"}], "network": network})
    assert not check.is_valid({"scenario": "x", "steps": [{"wait": "1 s"}], "network": {"transport": "pigeon"}})


def test_each_interface_has_a_carrier_for_each_word() -> None:
    for interface in INTERFACES.values():
        for word in NAMES:
            assert carrier_of(interface, word) in carriers_of(interface)
    chosen = {word: carrier_of(INTERFACES["S1-MME"], word) for word in NAMES}
    assert chosen == {"memory": "memory", "tcp": "tcp", "udp": "tcp", "sctp": "sctp", "sctp-udp": "sctp-udp"}
    assert {carrier_of(INTERFACES[each], "sctp") for each in ("Uu", "ME-UICC", "S6a", "MQTT")} == {"tcp"}
    assert described("memory", {}) == "memory"


def test_an_element_at_an_address_is_reached_there_from_outside(tmp_path: Path) -> None:
    """Also in a run that is in memory else: SCTP's messages framed only because the file asks for it."""
    network = "hss: {address: 127.88.1.1}\nmme: {address: 127.88.1.2}\ntransport: {S1-MME: tcp}\n"
    text = STORY + "- wait: 0.5 s\n"
    (tmp_path / "network.yaml").write_text(network, encoding="utf-8")
    story = Loader(network_file=str(tmp_path / "network.yaml")).load("s.yaml", text)
    reached: list[bool] = []

    def look(event: object) -> None:
        if isinstance(event, Frame) and event.interface == "Uu" and not reached:
            for address in (("127.88.1.1", 3868), ("127.88.1.2", 36412)):
                with socket.create_connection(address, timeout=5):
                    reached.append(True)

    result = run_scenario(story, "s", RunOptions(), sink=look)
    assert (result.verdict, result.clock, reached) == (Verdict.PASSED, "real", [True, True]), result.failure
    told = [each.text for each in result.events if isinstance(each, Note) and each.element == "mme"]
    assert "S1-MME is framed on TCP: only simwarden reads that, a real peer needs transport sctp" in told


@contextmanager
def visitors(host: str) -> Iterator[tuple[int, set[str]]]:
    """Yield a port at which each connection is closed at once, and where these come from."""
    hosts: set[str] = set()

    def serve_all() -> None:
        with suppress(OSError):
            while True:
                link, (host, _) = peer.accept()
                hosts.add(host)
                link.close()

    with socket.create_server((host, 0)) as peer:
        thread = threading.Thread(target=serve_all)
        thread.start()
        yield peer.getsockname()[1], hosts
        peer.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize(
    ("network", "wanted"),
    [
        ("hss: {external: 'AT'}\nmme: {source: 127.88.2.1}", "127.88.2.1"),
        ("hss: {external: 'AT'}\nmme: {address: 127.88.2.2}", "127.88.2.2"),
        ("hss: {external: 'AT'}\nmme: {address: 127.88.2.2, source: {S6a: 127.88.2.3}}", "127.88.2.3"),
        ("scp: {external: {M3UA: 'AT'}}\nssp: {source: {M3UA: 127.88.2.4}}\ntransport: {M3UA: tcp}", "127.88.2.4"),
    ],
)
def test_an_element_connects_to_the_outside_from_its_source(tmp_path: Path, network: str, wanted: str) -> None:
    with visitors("127.0.0.1") as (port, hosts):
        play(tmp_path, network.replace("AT", f"127.0.0.1:{port}") + "\n")
    assert hosts - {"127.0.0.1"} == {wanted}  # whether it speaks TLS is tried from anywhere


@pytest.mark.slow
def test_a_served_element_connects_from_its_source_and_port(tmp_path: Path) -> None:
    with socket.create_server((f"{NET}.7", 0)) as peer, socket.socket() as free:
        peer.settimeout(LONG)
        free.bind((f"{NET}.8", 0))
        source = free.getsockname()
        free.close()
        settings = {
            "listen": {"S1-MME": f"{NET}.6:0", "S11": f"{NET}.6:2123"},
            "peers": {"hss": "{}:{}".format(*peer.getsockname()), "eir": "127.0.0.1:9"},
            "source": {"S6a": "{}:{}".format(*source)},
            "transport": "tcp",
        }
        (tmp_path / "mme.yaml").write_text(json.dumps(settings))
        command = [sys.executable, "-m", "simwarden", "serve", "mme", "--config", str(tmp_path / "mme.yaml")]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - ours
            try:
                link, address = peer.accept()
                link.close()
            finally:
                process.kill()
    assert address == source


@pytest.mark.slow
def test_a_served_mme_frames_s1ap_only_when_asked_and_says_so(tmp_path: Path) -> None:
    peers = {"hss": "127.0.0.1:9", "eir": "127.0.0.1:9"}
    settings = {"listen": {"S1-MME": "127.0.0.1:0", "S11": f"{NET}.9:2123"}, "peers": peers}
    with serve(tmp_path, "mme", {**settings, "transport": "tcp"}) as served:
        assert served.said["S1-MME"] == "(framed on TCP)"
        assert "S1-MME is framed on TCP" in served.log.read_text()
    (tmp_path / "other").mkdir()
    with serve(tmp_path / "other", "mme", settings) as served:
        assert "framed" not in served.said["S1-MME"] + served.log.read_text()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(served.where["S1-MME"], timeout=5)


@pytest.mark.slow
def test_a_served_element_adds_its_records_to_a_file(tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_text("{}\n", encoding="utf-8")
    before = """\
import datetime as dt
from simulators.hss.element import Hss
from simwarden.trace.records import ChargingRecord
made = Hss.start
async def start(self):
    await made(self)
    fields = {"chargingID": 1, "recordOpeningTime": self.site.clock.wall(), "duration": 0, "causeForRecClosing": 0}
    self.site.record(ChargingRecord(element="hss", record="sGWRecord", fields=fields))
Hss.start = start
"""
    with serve(tmp_path, "hss", {"listen": {"S6a": "127.0.0.1:0"}, "records": "records.jsonl"}, before=before):
        lines = (tmp_path / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1])["record"] == "sGWRecord"


def test_a_rerun_says_the_transport_that_was_asked_for() -> None:
    assert Order(["s"]).again() == []
    assert Order(["s"], transport="memory").again() == ["--transport", "memory"]
