"""osmo-stp of Osmocom: a signalling transfer point that is not ours, with M3UA over TCP."""

from __future__ import annotations

import selectors
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from waiting import LONG, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STP = shutil.which("osmo-stp") or ""
CONFIG = """\
log stderr
 logging filter all 1
 logging color 0
 logging level set-all info
line vty
 no login
 bind 127.0.0.1 {vty}
cs7 instance 0
 point-code 0.0.1
 listen m3ua {port} tcp
  local-ip 127.0.0.1
{processes}
 route-table system
{routes}
"""
ROUTE = """\
  update route {code} 7.255.7 linkset {name}
"""
PROCESS = """\
 asp {name} 0 {port} m3ua tcp
  remote-ip {address}
  role sg
  transport-role server
 as {name} m3ua
  asp {name}
  routing-key {context} {code}
"""


def code_text(point_code: int) -> str:
    """Return a point code as 3-8-3 bits."""
    return f"{point_code >> 11}.{point_code >> 3 & 255}.{point_code & 7}"


@contextmanager
def osmo_stp(folder: Path, port: int, vty: int, processes: dict[str, tuple[str, int, int]]) -> Iterator[Path]:
    """Run it for processes, each by name with its address, routing context and point code; yield its log."""
    texts = [
        PROCESS.format(name=name, port=port, address=address, context=context, code=code_text(code))
        for name, (address, context, code) in processes.items()
    ]
    routes = [ROUTE.format(name=name, code=code_text(code)) for name, (_, _, code) in processes.items()]
    config, log = folder / "osmo-stp.cfg", folder / "osmo-stp.log"
    config.write_text(CONFIG.format(vty=vty, port=port, processes="".join(texts), routes="".join(routes)))
    with log.open("w") as out, subprocess.Popen([STP, "-c", str(config)], stdout=out, stderr=out) as process:  # noqa: S603 - its own path
        try:
            assert until(lambda: reachable(port)), log.read_text()
            yield log
        finally:
            process.terminate()
            process.wait(timeout=LONG)


def reachable(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Wire:
    """Carries connections to a port from an address of its own, in pieces of a few octets, and keeps what was said.

    osmo-stp knows a process by the address that it comes from.
    """

    def __init__(self, source: str, target: int, piece: int = 0) -> None:
        self._source, self._target, self._piece = source, target, piece
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.down = bytearray()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        for each in self._open:
            each.close()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        try:
            while True:
                near = self._listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self._target), source_address=(self._source, 0))
                for each in (near, far):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()
        except OSError:
            return

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with selectors.DefaultSelector() as both:
            both.register(near, selectors.EVENT_READ, (near, far))
            both.register(far, selectors.EVENT_READ, (far, near))
            try:
                while all(self._pass_on(key.data[0], key.data[1], near) for key, _ in both.select()):
                    pass
            except (OSError, ValueError):
                pass
            for each in (near, far):
                each.close()

    def _pass_on(self, source: socket.socket, sink: socket.socket, near: socket.socket) -> bool:
        data = source.recv(65536)
        if sink is near:
            self.down += data
        size = self._piece if sink is near and self._piece else len(data) or 1
        for at in range(0, len(data), size):
            sink.sendall(data[at : at + size])
        return bool(data)
