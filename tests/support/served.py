"""An element served by a process of its own, and a plain Diameter client for it."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from waiting import LONG

from simwarden.wire.diameter import Message, Splitter, application_id, decode, encode, request
from simwarden.wire.diameter.codes import Feature
from simwarden.wire.diameter.features import supported_features

if TYPE_CHECKING:
    from collections.abc import Iterator

Where = tuple[str, int]
REALM = "epc.mnc001.mcc001.3gppnetwork.org"
FEATURES = supported_features(Feature.ODB_ALL_APN | Feature.REG_SUB)
PLMN = bytes.fromhex("00f110")
#: loopback addresses that no other test process has, for what listens at a well-known port (GTP has no other)
NET = f"127.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"


def card(number: int, **binding: str) -> dict[str, Any]:
    """A card as `export` writes it, bound in the HSS as is said."""
    sections = {"binding": [{"by": "hss", **binding}]} if binding else {}
    imsi = f"00101{number:010d}"
    names = {"name": f"card{number}", "imsi": imsi, "iccid": f"89001{number:014d}", "msisdn": f"1440{number:09d}"}
    return {**names, "k": "00" * 16, "opc": "11" * 16, "profile": "meter", "form": "plug-in", "sections": sections}


class Served:
    """A process that serves one element."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, where: dict[str, str]) -> None:
        self.process, self.log = process, log
        #: what was said beside an address
        self.said = {name: text.partition(" ")[2] for name, text in where.items()}
        self.where = {name: _address(text.partition(" ")[0]) for name, text in where.items()}

    def faults(self) -> str:
        """What the element said of faults of its own."""
        return "".join(line for line in self.log.read_text().splitlines(keepends=True) if "fault in" in line)

    @property
    def memory(self) -> int:
        """Octets in use."""
        with open(f"/proc/{self.process.pid}/statm") as file:  # noqa: PTH123 - no path of ours
            return int(file.read().split()[1]) * 4096

    @property
    def cpu(self) -> float:
        """Seconds of processor time that it has had."""
        return cpu_of(self.process.pid)


def cpu_of(pid: int) -> float:
    """Return the seconds of processor time that a process has had."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _address(text: str) -> Where:
    host, _, port = text.rpartition("/")[2].rpartition(":")
    return host, int(port)


@contextmanager
def serve(folder: Path, kind: str, settings: dict[str, Any], *, before: str = "") -> Iterator[Served]:
    """Serve an element until the end of the block; its file holds `settings`, which YAML reads as JSON.

    `before` is Python that its process runs first.
    """
    file, log = folder / f"{kind}.yaml", folder / f"{kind}.log"
    file.write_text(json.dumps(settings))
    run = [sys.executable, "-m", "simwarden"]
    if before:
        code = f"{before}\nimport runpy\nrunpy.run_module('simwarden', run_name='__main__')"
        run = [sys.executable, "-c", code]
    command = [*run, "serve", kind, "--config", str(file)]
    with log.open("ab") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().decode()
            assert ready.startswith(f"ready {kind}: "), log.read_text()
            parts = ready.split(": ", 1)[1].strip().split(", ")
            yield Served(process, log, dict(part.split(" ", 1) for part in parts if " " in part and ":" in part))
        finally:
            process.kill()


class Client:
    """A Diameter peer on a blocking socket; many requests may be outstanding."""

    def __init__(
        self, where: Where, *, host: str = "mme", application: int = 16777251, connect_only: bool = False
    ) -> None:
        self.host = f"{host}.{REALM}"
        self.socket = socket.create_connection(where, timeout=LONG)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._splitter = Splitter()
        self._waiting: list[bytes] = []
        self._count = 0
        if connect_only:
            return
        try:
            self.send(self.capabilities(application))
            answer = self.receive()
            assert answer.success, answer
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def capabilities(self, application: int = 16777251) -> Message:
        """Make a Capabilities-Exchange-Request."""
        ours = [("Host-IP-Address", "127.0.0.1"), ("Vendor-Id", 10415), ("Product-Name", "client")]
        return request("Capabilities-Exchange-Request", [*self._origin(), *ours, application_id(application)])

    def _origin(self) -> list[tuple[str, Any]]:
        return [("Origin-Host", self.host), ("Origin-Realm", REALM)]

    def send(self, message: Message) -> int:
        """Send a request; return its Hop-by-Hop Identifier."""
        self._count += 1
        message.hop_by_hop = message.end_to_end = self._count
        self.socket.sendall(encode(message))
        return self._count

    def make(self, name: str, *avps: tuple[str, Any]) -> Message:
        """Make a request with what all begin with."""
        made = request(name, [("Session-Id", f"{self.host};1;{self._count}")])
        made.avps += [application_id(made.application), ("Auth-Session-State", 1), *self._origin()]
        made.avps += [("Destination-Realm", REALM), *avps]
        return made

    def update(self, imsi: str, imei: str) -> Message:
        """Make an Update-Location-Request of a card in a terminal."""
        terminal = [("IMEI", imei), ("Software-Version", "01")]
        flags = [FEATURES, ("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", PLMN)]
        return self.make("Update-Location-Request", ("User-Name", imsi), ("Terminal-Information", terminal), *flags)

    def receive(self) -> Message:
        """Return the next message. Raises ConnectionError when there is none any more."""
        while not self._waiting:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionResetError("closed")
            self._waiting += self._splitter.feed(data)[0]
        return decode(self._waiting.pop(0))

    def hears_within(self, seconds: float) -> bool:
        """Whether octets come within a time."""
        return bool(select.select([self.socket], [], [], seconds)[0])

    def ask(self, message: Message) -> Message:
        """Send a request and return its answer."""
        number = self.send(message)
        while True:
            answer = self.receive()
            if answer.hop_by_hop == number and not answer.request:
                return answer

    def close(self) -> None:
        """Drop the connection."""
        self.socket.close()
