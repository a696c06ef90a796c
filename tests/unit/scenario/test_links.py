"""A link to a foreign element that could not be made is told, with element, address and reason, as inconclusive."""

from __future__ import annotations

import errno
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from simwarden.scenario.failure import text_of
from simwarden.scenario.load import Loader
from simwarden.scenario.report import write_report
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.wire.diameter import ResultCode, Splitter, answer_to, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from simwarden.wire.diameter import Avps

pytestmark = pytest.mark.slow

STORY = """\
scenario: A meter is served
cards: {card: {profile: meter}}
devices: {meter: {type: module}}
steps:
- insert: {card: card, into: meter}
- power_on: meter
- expect: {meter: {attach: accepted}}
"""
ORIGIN = ("hss.example", "example")


def run(folder: Path, *options: str, network: str) -> tuple[int, str]:
    """What a user sees who runs the story against a network file."""
    (folder / "story.yaml").write_text(STORY, encoding="utf-8")
    (folder / "network.yaml").write_text(network, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "simwarden", "run", "story.yaml", "--network", "network.yaml", *options],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


@contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A foreign server at a port of its own, which does this with each connection."""
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def accept() -> None:
        while not stop.is_set():
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer, suppress(OSError):
                serve(peer)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        stop.set()
        server.close()


def closes(_peer: socket.socket) -> None:
    """Takes a connection and closes it at once."""


def says_nothing(peer: socket.socket) -> None:
    while peer.recv(4096):
        pass


def speaks_http(peer: socket.socket) -> None:
    peer.recv(4096)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def refuses_capabilities(peer: socket.socket) -> None:
    asked = decode(peer.recv(4096))
    peer.sendall(encode(answer_to(asked, ResultCode.DIAMETER_UNKNOWN_PEER, ORIGIN, reason="who are you?")))
    peer.recv(4096)


@pytest.fixture(scope="module")
def speaks_tls(tmp_path_factory: pytest.TempPathFactory) -> Callable[[socket.socket], None]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    names = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(  # noqa: S603 - a tool of the system
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=hss.example", "-days", "1", *names],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def serve(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as secure:
            secure.recv(1)

    return serve


def told(output: str) -> str:
    """The lines of a failure that tell of links."""
    return "\n".join(re.findall(r"^  (?:cannot be judged|no link): .*$", output, re.MULTILINE))


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (closes, "closed by peer, before it said anything|connection reset by peer, before it said anything"),
        (speaks_http, "it speaks HTTP, not diameter"),
        (refuses_capabilities, "hss.example refused capabilities with 3010 who are you?"),
    ],
)
def test_a_foreign_hss_that_is_none(tmp_path: Path, serve: Callable[[socket.socket], None], reason: str) -> None:
    with listener(serve) as port:
        code, output = run(tmp_path, network=f"hss: {{external: '127.0.0.1:{port}'}}\n")
    assert (code, output.split()[0]) == (1, "inconclusive"), output
    assert "cannot be judged: hss (external) could not be reached; an expectation was not met" in told(output)
    assert re.search(rf"no link: S6a from mme to hss at 127.0.0.1:{port}: ({reason})", told(output), re.IGNORECASE)
    assert "decided by mme, control mme.hss" in output


def test_a_foreign_hss_that_speaks_tls(tmp_path: Path, speaks_tls: Callable[[socket.socket], None]) -> None:
    with listener(speaks_tls) as port:
        _, output = run(tmp_path, network=f"hss: {{external: '127.0.0.1:{port}'}}\n")
    assert (
        f"S6a from mme to hss at 127.0.0.1:{port}: connection reset by peer, before it said anything: it speaks TLS"
        in told(output)
    ), output


def test_a_port_where_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code, output = run(tmp_path, network=f"hss: {{external: '127.0.0.1:{port}'}}\n")
    assert (code, output.split()[0]) == (1, "inconclusive"), output
    assert f"no link: S6a from mme to hss at 127.0.0.1:{port}: connection refused" in told(output)
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert f"S6a from mme to hss at 127.0.0.1:{port}: connection refused" in page
    assert "connection refused" in (tmp_path / "report" / "junit.xml").read_text(encoding="utf-8")


def test_a_foreign_gateway_that_never_answers(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{silent.getsockname()[1]}"
        network = f"pgw: {{external: '{at}'}}\nsgw: {{t3_response: 0.2 s}}\n"
        code, output = run(tmp_path, network=network)
    assert (code, output.split()[0]) == (1, "inconclusive"), output
    assert "cannot be judged: pgw (external) could not be reached; an expectation was not met" in told(output)
    assert f"no link: S5-C from sgw to pgw at {at}: no answer to create-session-request sent 3 times" in told(output)


def test_a_name_that_nobody_has(tmp_path: Path) -> None:
    code, output = run(tmp_path, network="hss: {external: 'hss.invalid:3868'}\n")
    assert (code, output.split()[0]) == (1, "inconclusive"), output
    assert "no link: S6a from mme to hss at hss.invalid:3868: " in told(output)


@pytest.mark.parametrize("transport", ["tcp", "sctp"])
def test_a_foreign_mme_that_is_not_there(tmp_path: Path, transport: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    network = f"mme: {{external: '127.0.0.1:{port}'}}\n"
    code, output = run(tmp_path, "--transport", transport, network=network)
    assert (code, output.split()[0]) == (1, "inconclusive"), output
    assert re.search(
        rf"no link: S1-MME from enb to mme at 127.0.0.1:{port}: .*(refused|SCTP|abort)", told(output), re.IGNORECASE
    )


def test_a_system_without_sctp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**_: object) -> None:
        raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported")

    for kind in ("KernelSocket", "UserSocket"):
        monkeypatch.setattr(f"simwarden.runtime.transport.sctp.{kind}", missing)
    network = tmp_path / "network.yaml"
    network.write_text("mme: {external: '192.0.2.10:36412'}\n", encoding="utf-8")
    story = Loader(network_file=str(network)).load("s.yaml", STORY)
    result = run_scenario(story, "s", RunOptions(transport="sctp"))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.failure is not None
    (link,) = result.failure.links
    assert link.startswith(
        "S1-MME from enb to mme at 192.0.2.10:36412: this kernel has no SCTP (Protocol not supported)"
    )


def test_a_foreign_element_that_is_not_there_makes_no_story_pass(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    never = STORY.replace("expect: {meter: {attach: accepted}}", "never: {meter: {attach: accepted}}")
    (tmp_path / "story.yaml").write_text(never, encoding="utf-8")
    (tmp_path / "network.yaml").write_text(f"hss: {{external: '127.0.0.1:{port}'}}\n", encoding="utf-8")
    command = [sys.executable, "-m", "simwarden", "run", "story.yaml", "--network", "network.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - as above
    assert (done.returncode, done.stdout.split()[0]) == (1, "inconclusive"), done.stdout
    assert "connection refused" in told(done.stdout)


def test_a_foreign_hss_that_takes_the_connection_and_says_nothing(tmp_path: Path) -> None:
    with listener(says_nothing) as port:
        code, output = run(tmp_path, network=f"hss: {{external: '127.0.0.1:{port}'}}\n")
    assert (code, output.split()[0]) == (1, "inconclusive"), output
    assert f"S6a from mme to hss at 127.0.0.1:{port}: " in told(output)


def is_pcrf(rule: str) -> Callable[[socket.socket], None]:
    """Return a foreign PCRF that installs a predefined rule, or (empty) answers no CCR."""

    def serve(peer: socket.socket) -> None:
        splitter = Splitter()
        while data := peer.recv(65536):
            for octets in splitter.feed(data)[0]:
                asked = decode(octets)
                if asked.name.lower() == "capabilities-exchange-request":
                    more: Avps = [("Host-IP-Address", "127.0.0.1"), ("Vendor-Id", 0), ("Product-Name", "other")]
                    more += [(name, value) for name, value in asked.avps if name == "Vendor-Specific-Application-Id"]
                    peer.sendall(encode(answer_to(asked, ResultCode.DIAMETER_SUCCESS, PCRF, more)))
                elif asked.name.lower() != "credit-control-request":
                    peer.sendall(encode(answer_to(asked, ResultCode.DIAMETER_SUCCESS, PCRF)))
                elif rule:
                    kept = [(name, asked.get(name)) for name in ("CC-Request-Type", "CC-Request-Number")]
                    install = [("Charging-Rule-Install", [("Charging-Rule-Name", rule.encode())])]
                    first = asked.get("CC-Request-Number") == 0
                    answer = answer_to(asked, ResultCode.DIAMETER_SUCCESS, PCRF, [*kept, *(install if first else [])])
                    peer.sendall(encode(answer))

    return serve


PCRF = ("pcrf.example", "example")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", r"not answered by pcrf on Gx: credit-control-request from pgw to pcrf at \d+\.\d+ s"),
        ("no-such-rule", r"refused on Gx: credit-control-request from pgw to pcrf at [\d.]+ s: .*rule_failure_code.*"),
    ],
)
def test_the_reference_points_of_an_external_element_come_first(tmp_path: Path, rule: str, said: str) -> None:
    with listener(is_pcrf(rule)) as port:
        network = f"pcrf: {{type: pcrf, external: '127.0.0.1:{port}'}}\npgw: {{apns: {{iot: {{gx: pcrf}}}}}}\n"
        served = "attach: accepted" if rule == "" else "attach: rejected, emm_cause: 19"
        (tmp_path / "story.yaml").write_text(STORY.replace("attach: accepted", served), encoding="utf-8")
        (tmp_path / "network.yaml").write_text(network, encoding="utf-8")
        scenario = Loader(network_file=str(tmp_path / "network.yaml")).load(tmp_path / "story.yaml")
        result = run_scenario(scenario, "story", RunOptions())
    assert result.failure is not None
    lines = text_of(result.failure).splitlines()
    assert any(re.fullmatch(f"  {said}", line) for line in lines), "\n".join(lines)
    first, second = (
        lines.index(next(line for line in lines if head in line)) for head in ("with external", "messages around")
    )
    assert first < second
    between = "\n".join(lines[first:second])
    assert "Gx" in between
    assert "S11" not in between
    assert result.failure.outside[0] in write_report([result], tmp_path / "report").read_text("utf-8")
