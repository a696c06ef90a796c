"""The UDP port of SCTP in user space (RFC 6951), and a thread that hands over what comes to it and how time passes.

The socket is bound to all addresses of the machine, whatever its users listen on: what is for other addresses than
theirs is dropped here. Linux only.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.transport.addresses import Address

#: IANA's port, by which Wireshark knows SCTP
UDP_PORT: Final = 9899
#: ip(7): the address that a datagram is for, or comes from (struct in_pktinfo: interface, ours, that of the header)
_IP_PKTINFO: Final = 8
_PKTINFO: Final = struct.Struct("=i4s4s")
#: a number: which of the local addresses, and the peer's
_ENDS: Final = struct.Struct(">H4sH")
_MOST_LOCALS: Final = 1024
_ANY: Final = "0.0.0.0"  # noqa: S104 - compared with, and bound to as said above
_LARGEST: Final = 1 << 16
#: milliseconds after which the library is told how many have passed, and datagrams taken between
_TICK, _AT_ONCE = 10, 64


class SctpOverUdp:
    """Packets to and from pairs of a local address and a peer's, each of which has a number of 64 bits.

    `heard` gets the number and a packet, `ticked` the milliseconds since its last call, both in a thread of this class.
    """

    def __init__(self, heard: Callable[[int, bytes], None], ticked: Callable[[int], None]) -> None:
        self._heard, self._ticked = heard, ticked
        self._guard = socket.socket(socket.AF_UNIX)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._bind()
        self.port: int = self._socket.getsockname()[1]
        self._allowed: set[str] = set()
        #: addresses of this machine, the first is no. 1
        self._locals: list[bytes] = []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="SCTP over UDP", daemon=True)

    def start(self) -> None:
        """Begin to hear, and to tell how time passes."""
        self._thread.start()

    def _bind(self) -> None:
        """Take IANA's port if no other process of ours has it, else one of the system's."""
        with contextlib.suppress(OSError):
            self._guard.bind(f"\0simwarden-sctp-over-udp-{UDP_PORT}")
            self._socket.bind((_ANY, UDP_PORT))
            return
        self._socket.bind((_ANY, 0))

    def close(self) -> None:
        """Hear and send nothing more."""
        self._closed.set()
        self._thread.join()
        self._socket.close()
        self._guard.close()

    def allow(self, host: str) -> None:
        """Hear what is for an address of this machine; `0.0.0.0` is all of them."""
        self._allowed.add(host)

    def towards(self, host: str) -> str:
        """Return the address that a peer sees of this machine, and hear what is for it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))
            local: str = probe.getsockname()[0]
        self.allow(local)
        return local

    def number(self, local: str, peer: Address) -> int:
        """Return the number of a local address with a peer's, in which all is said: nothing grows by who sends.

        Raises OSError for one local address too many, as a loopback of 2^24 may have.
        """
        octets = socket.inet_aton(local)
        if octets not in self._locals:
            if len(self._locals) == _MOST_LOCALS:
                raise OSError(errno.EADDRNOTAVAIL, f"more than {_MOST_LOCALS} addresses of this machine")
            self._locals.append(octets)
        return int.from_bytes(_ENDS.pack(self._locals.index(octets) + 1, socket.inet_aton(peer[0]), peer[1]))

    def ends(self, number: int) -> tuple[str, Address]:
        """Return a local address, and the peer's."""
        local, host, port = _ENDS.unpack(number.to_bytes(_ENDS.size))
        return socket.inet_ntoa(self._locals[local - 1]), (socket.inet_ntoa(host), port)

    def send(self, number: int, packet: bytes) -> int:
        """Send a packet; returns 0, or the error's number. One that is not sent is as lost on the way."""
        local, peer = self.ends(number)
        source = _PKTINFO.pack(0, socket.inet_aton(local), bytes(4))
        try:
            self._socket.sendmsg([packet], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, peer)
        except OSError as error:
            return error.errno or -1
        return 0

    def _run(self) -> None:
        poll, last = select.poll(), time.monotonic()
        poll.register(self._socket, select.POLLIN)
        while not self._closed.is_set():
            if poll.poll(_TICK):
                self._read()
            passed = int((time.monotonic() - last) * 1000)
            if passed >= _TICK:
                last += passed / 1000
                self._ticked(passed)

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                packet, about, _, peer = self._socket.recvmsg(_LARGEST, socket.CMSG_SPACE(_PKTINFO.size))
            except OSError:  # none is left; or what an earlier one caused, at its peer
                return
            local = next((_PKTINFO.unpack(each)[2] for *_, each in about if len(each) == _PKTINFO.size), b"")
            if local and (_ANY in self._allowed or socket.inet_ntoa(local) in self._allowed):
                with contextlib.suppress(OSError):
                    self._heard(self.number(socket.inet_ntoa(local), peer), packet)
