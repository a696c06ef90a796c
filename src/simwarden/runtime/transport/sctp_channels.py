"""The sockets that carry the packets of SCTP in user space, and a thread that reads them. Linux only.

Packets travel on IP protocol 132, which needs CAP_NET_RAW, or in UDP (RFC 6951). There is a socket of each kind for
each local address in use, so that several processes, each at an address of its own, use the well-known UDP port.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Final

from simwarden.runtime.transport.sctp_association import Path
from simwarden.runtime.transport.sctp_socket import IPPROTO_SCTP

if TYPE_CHECKING:
    from collections.abc import Callable

#: IANA's port, by which Wireshark knows SCTP in UDP
UDP_PORT: Final = 9899
ANY: Final = "0.0.0.0"  # noqa: S104 - compared with, and bound to where a file says so
#: ip(7): the address that a packet is for, or comes from (struct in_pktinfo: interface, ours, that of the header)
_IP_PKTINFO: Final = 8
_PKTINFO: Final = struct.Struct("=i4s4s")
_LARGEST: Final = 1 << 16
_BUFFER: Final = 1 << 20
#: milliseconds after which the library is told how many have passed, and packets that are read between
_TICK, _AT_ONCE = 10, 64


def may_use_ip() -> bool:
    """Return True if this process may send and receive on IP protocol 132 (CAP_NET_RAW)."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, IPPROTO_SCTP).close()
    except OSError:
        return False
    return True


class Channels:
    """The open sockets, by local address and kind.

    `received` gets the path of a packet and the packet, `ticked` the milliseconds since its last call, both in a
    thread of this class.
    """

    def __init__(self, received: Callable[[Path, bytes], None], ticked: Callable[[int], None]) -> None:
        self._received, self._ticked = received, ticked
        self._sockets: dict[tuple[str, bool], socket.socket] = {}
        self._by_descriptor: dict[int, tuple[socket.socket, bool]] = {}
        self._poll = select.epoll()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="SCTP in user space", daemon=True)

    def start(self) -> None:
        """Begin to read, and to report how time passes."""
        self._thread.start()

    def close(self) -> None:
        """Send and receive nothing more."""
        self._closed.set()
        self._thread.join()
        self._poll.close()
        for sock in self._sockets.values():
            sock.close()

    def open(self, host: str, *, in_udp: bool) -> None:
        """Open the socket of an address, unless it is open. Raises OSError."""
        if self._find(host, in_udp=in_udp) is not None:
            return
        kind = (socket.SOCK_DGRAM, 0) if in_udp else (socket.SOCK_RAW, IPPROTO_SCTP)
        sock = socket.socket(socket.AF_INET, *kind)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            _bind(sock, host, in_udp=in_udp)
        except OSError:
            sock.close()
            raise
        self._by_descriptor[sock.fileno()] = sock, in_udp
        self._sockets[host, in_udp] = sock
        self._poll.register(sock, select.EPOLLIN)

    def udp_port(self, host: str) -> int:
        """Return our UDP port at an address, 0 if there is none."""
        sock = self._find(host, in_udp=True)
        port: int = sock.getsockname()[1] if sock is not None else 0
        return port

    def send(self, path: Path, packet: bytes) -> int:
        """Send a packet; returns 0, or the error's number. A packet that is not sent is as lost on the way."""
        sock = self._find(path.local, in_udp=bool(path.port))
        if sock is None:
            return errno.EADDRNOTAVAIL
        source = _PKTINFO.pack(0, socket.inet_aton(path.local), bytes(4))
        try:
            sock.sendmsg([packet], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, (path.host, path.port))
        except OSError as error:
            return error.errno or -1
        return 0

    def _find(self, host: str, *, in_udp: bool) -> socket.socket | None:
        return self._sockets.get((host, in_udp)) or self._sockets.get((ANY, in_udp))

    def _run(self) -> None:
        last = time.monotonic()
        while not self._closed.is_set():
            for descriptor, _ in self._poll.poll(_TICK / 1000):
                self._read(*self._by_descriptor[descriptor])
            passed = int((time.monotonic() - last) * 1000)
            if passed >= _TICK:
                last += passed / 1000
                self._ticked(passed)

    def _read(self, sock: socket.socket, in_udp: bool) -> None:  # noqa: FBT001 - as it is kept
        for _ in range(_AT_ONCE):
            try:
                packet, about, _, peer = sock.recvmsg(_LARGEST, socket.CMSG_SPACE(_PKTINFO.size))
            except OSError:  # none is left; or what an earlier one caused, at its peer
                return
            local = next((_PKTINFO.unpack(each)[2] for *_, each in about if len(each) == _PKTINFO.size), b"")
            if not in_udp:
                packet = packet[(packet[0] & 0x0F) * 4 :]  # without the IP header
            if local:
                self._received(Path(socket.inet_ntoa(local), peer[0], peer[1] if in_udp else 0), packet)


def _bind(sock: socket.socket, host: str, *, in_udp: bool) -> None:
    """Bind to IANA's port if no other process has it, else to one of the system's."""
    if not in_udp:
        sock.bind((host, 0))
        return
    try:
        sock.bind((host, UDP_PORT))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sock.bind((host, 0))
