"""freeDiameter as a peer that a script leads, and elements of ours behind a wire that cuts messages into pieces."""

from __future__ import annotations

import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from waiting import LONG, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DAEMON = shutil.which("freeDiameterd")
SOURCE = Path(__file__).parents[1] / "interop" / "freediameter" / "client.c"
HEADERS = Path("/usr/include/freeDiameter/extension.h")
DICTIONARIES = ("dict_nasreq", "dict_dcca", "dict_dcca_3gpp", "dict_rfc5777", "dict_mip6i")
NEEDED = {
    "freediameterd": DAEMON,
    "freediameter-extensions": Path("/usr/lib/freeDiameter/dict_dcca_3gpp.fdx").exists(),
    "libfreediameter-dev": HEADERS.exists(),
    "gcc": shutil.which("gcc"),
}
REALM = "epc.mnc001.mcc001.3gppnetwork.org"
ALONE = """\
Identity = "{name}.{realm}"; Realm = "{realm}";
No_SCTP; No_IPv6; Port = {port}; SecPort = 0; TwTimer = 6; ListenOn = "127.0.0.1";
LoadExtension = "acl_wl.fdx" : "{acl}";
"""
CONFIG = """\
{alone}
{extensions}
LoadExtension = "{client}" : "{script} {output}";
{peers}
"""
PEER = 'ConnectPeer = "{name}.{realm}" {{ ConnectTo = "{address}"; No_TLS; Port = {port}; Prefer_TCP; }};\n'


def build(folder: Path) -> None:
    """Compile the extension into a folder."""
    command = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"]
    subprocess.run([*command, "-o", str(folder / "client.fdx"), str(SOURCE)], check=True, timeout=60)  # noqa: S603


class Cutter:
    """Carries connections to a port of ours in pieces of 1, 2, 3... octets, and keeps what was said."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.said: dict[str, bytearray] = {"up": bytearray(), "down": bytearray()}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        try:
            while True:
                near = self._listener.accept()[0]
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()
        except OSError:
            return

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self.target)) as far, selectors.DefaultSelector() as both:
            both.register(near, selectors.EVENT_READ, (near, far, "up"))
            both.register(far, selectors.EVENT_READ, (far, near, "down"))
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while all(self._pass_on(*key.data) for key, _ in both.select()):
                pass

    def _pass_on(self, source: socket.socket, sink: socket.socket, way: str) -> bool:
        data = source.recv(65536)
        self.said[way] += data
        size = 1
        while data:
            sink.sendall(data[:size])
            data, size = data[size:], size % 61 + 1
            if not data:
                return True
        return False

    def commands(self, way: str) -> list[int]:
        """Return the command codes of the messages that went one way."""
        data, found = bytes(self.said[way]), []
        while data:
            found.append(int.from_bytes(data[5:8]))
            data = data[int.from_bytes(data[1:4]) :]
        return found


@contextmanager
def daemon(
    folder: Path, name: str, extensions: Sequence[str], peers: dict[str, tuple[str, int]], *, port: int = 0
) -> Iterator[subprocess.Popen[bytes]]:
    """Run freeDiameter with extensions of its own, which logs in `NAME.log`.

    It connects to peers at their addresses, and lets any of the realm in.
    """
    acl, conf, log = (folder / f"{name}.{kind}" for kind in ("acl", "conf", "log"))
    acl.write_text(f"ALLOW_IPSEC *.{REALM}\n")
    loaded = "".join(f"LoadExtension = {each};\n" for each in extensions)
    connected = "".join(
        PEER.format(name=peer, realm=REALM, address=host, port=at) for peer, (host, at) in peers.items()
    )
    conf.write_text(ALONE.format(name=name, realm=REALM, port=port, acl=acl) + loaded + connected)
    with log.open("w") as output:
        process = subprocess.Popen([str(DAEMON), "-c", str(conf)], stdout=output, stderr=output)  # noqa: S603
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def granting_nothing(folder: Path, port: int) -> Iterator[None]:
    """Have freeDiameter's test_cc as an OCS: it answers everybody with success, and grants nobody anything."""
    with daemon(folder, "ocs", [*(f'"{each}.fdx"' for each in DICTIONARIES), '"test_cc.fdx"'], {}, port=port):
        assert until(lambda: _listens(port)), (folder / "ocs.log").read_text()
        yield


def _listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def credit_load(folder: Path, where: tuple[str, int], least: int) -> dict[str, int]:
    """Have freeDiameter's test_ccload ask an OCS so many times, or more.

    Returns how many requests were `sent`, and of them `success`, `errors` and `missing`; it counts answers in several
    threads at once, so that one or another is not counted.
    """
    asking = f'"test_ccload.fdx" : "ocs.{REALM}"'
    with daemon(folder, "load", [*(f'"{each}.fdx"' for each in DICTIONARIES), asking], {"ocs": where}) as process:
        log = folder / "load.log"
        assert until(lambda: "-> 'STATE_OPEN'" in log.read_text().replace("\t", " ")), log.read_text()
        process.send_signal(signal.SIGUSR2)
        assert until(lambda: _told(log).get("sent", 0) >= least), log.read_text()
        process.send_signal(signal.SIGUSR2)
        assert until(lambda: "generation of CCRs off" in log.read_text()), log.read_text()
        time.sleep(1)  # the last one is on its way, on a busy machine longer
        until(lambda: (told := _told(log))["success"] + told["errors"] > 0.9 * told["sent"])
        process.terminate()
        process.wait(LONG)
    return _told(log)


def _told(log: Path) -> dict[str, int]:
    """Read the last statistics that test_ccload wrote."""
    *_, last = ["", *(line for line in log.read_text().splitlines() if "CCR messages sent" in line)]
    return {name: int(number) for number, name in re.findall(r"(\d+) (?:CCR messages )?(\w+)", last)}


class Answer(NamedTuple):
    """A message as freeDiameter printed it: AVPs by name, those in groups too; of several of a name the first."""

    command: str
    flags: int
    grammar: str
    avps: dict[str, str]

    @classmethod
    def read(cls, text: str) -> Answer:
        head, *lines = text.strip().split("\n")
        command, flags, grammar = head.split(" ", 2)
        avps: dict[str, str] = {}
        for line in lines:
            name, _, value = line.strip().partition(" ")
            avps.setdefault(name, value)
        return cls(command, int(flags.removeprefix("flags="), 16), grammar.removeprefix("grammar="), avps)

    @property
    def result(self) -> int:
        return int(self.avps.get("Result-Code") or self.avps["Experimental-Result-Code"])


@contextmanager
def served(folder: Path, name: str, interface: str, settings: str) -> Iterator[Cutter]:
    """Run one of our elements alone, behind a cutter."""
    path = folder / f"{name}.yaml"
    path.write_text(f"listen: {{{interface}: '127.0.0.1:0'}}\nsettings: {settings}\n")
    if name == "hss":
        path.write_text(path.read_text() + "subscribers: cards.yaml\n")
    command = [sys.executable, "-m", "simwarden", "serve", name, "--config", str(path)]
    with (
        (folder / f"{name}.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,  # noqa: S603
    ):
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("ready"), (folder / f"{name}.log").read_text()
        cutter = Cutter(int(ready.rpartition(":")[2]))
        try:
            yield cutter
        finally:
            cutter.close()
            process.terminate()
            process.communicate(timeout=LONG)
    assert "fault" not in (folder / f"{name}.log").read_text()


class Client:
    """freeDiameter with our extension, for one script; it connects to `ports`, or a `caller` to it, `at` one."""

    def __init__(
        self, folder: Path, name: str, script: str, ports: dict[str, int], *, at: int = 0, caller: str = ""
    ) -> None:
        self.output, self.log = folder / f"{name}.out", folder / f"{name}.log"
        peers = [*ports, caller] if caller else list(ports)
        (folder / f"{name}.script").write_text("".join(f"peer {peer}.{REALM}\n" for peer in peers) + script)
        (folder / f"{name}.acl").write_text(f"ALLOW_IPSEC *.{REALM}\n")
        (folder / f"{name}.conf").write_text(
            CONFIG.format(
                alone=ALONE.format(name=name, realm=REALM, port=at, acl=folder / f"{name}.acl"),
                extensions="".join(f'LoadExtension = "{each}.fdx";\n' for each in DICTIONARIES),
                client=folder / "client.fdx",
                script=folder / f"{name}.script",
                output=self.output,
                peers="".join(
                    PEER.format(name=peer, realm=REALM, address="127.0.0.1", port=port) for peer, port in ports.items()
                ),
            )
        )
        with self.log.open("w") as log:
            command = [str(DAEMON), "-c", str(folder / f"{name}.conf")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def came(self) -> int:
        """How many messages have come so far."""
        return self.output.read_text().count("\n.\n") if self.output.exists() else 0

    def answers(self) -> list[Answer]:
        """Wait for the script's end; return what came."""
        assert self.process.wait(2 * LONG) == 0, self.log.read_text()
        *messages, end = self.output.read_text().split("\n.\n")
        assert end == "done\n", f"{end}\n{self.output.read_text()}\n{self.log.read_text()}"
        return [Answer.read(each) for each in messages]


def request(command: str, to: str, *avps: str) -> str:
    """Write a request for the script."""
    common = ["Auth-Session-State 1", f"Destination-Host {to}.{REALM}", f"Destination-Realm {REALM}"]
    return "\n".join([command, *common, *avps, "send", ""])


def group(name: str, *avps: str) -> str:
    return "\n".join([f"{name} {{", *avps, "}"])
