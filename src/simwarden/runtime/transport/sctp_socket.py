"""What an SCTP socket offers to links (one-to-one style, RFC 6458 4), and the kernel's sockets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING, Protocol

from simwarden.runtime.transport.addresses import hosts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simwarden.runtime.transport.addresses import Address

IPPROTO_SCTP = 132
#: octets that one call of receive takes
LARGEST = 1 << 16
#: outgoing streams asked for, and incoming ones allowed
STREAMS = 64
_SOL_SCTP = 132
_SCTP_INITMSG = 2
_SCTP_NODELAY = 3
_SCTP_EVENTS = 11
_SCTP_SNDRCV = 1
_SOCKOPT_BINDX_ADD, _SOCKOPT_CONNECTX = 100, 110
#: struct sctp_sndrcvinfo (RFC 6458 5.3.2): stream, ssn, flags, ppid (network order), context, ttl, tsn, cumtsn, assoc
_SNDRCV = struct.Struct("=HHHxxIIIIIi")
#: struct sctp_initmsg (RFC 6458 5.3.1): streams out and in, attempts and time limit of INIT (0: default)
_INITMSG = struct.Struct("=HHHH")


class SctpSocket(Protocol):
    """A non-blocking socket of one association, or a listening one. Calls raise OSError as those of `socket` do."""

    def fileno(self) -> int:
        """Return a descriptor that is readable when there is something to accept or receive."""

    def bind(self, address: Address) -> None:
        """Take a local address, or several of one port; port 0: any. Raises OSError."""

    def getsockname(self) -> Address:
        """Return the local address."""

    def listen(self) -> None:
        """Accept associations from now on."""

    def carried(self) -> str:
        """Return how its packets travel, in words."""

    def accept(self) -> tuple[SctpSocket, Address]:
        """Return the next association and its peer."""

    async def connect(self, address: Address) -> None:
        """Set up the association."""

    def send(self, data: bytes, stream: int, ppid: int) -> None:
        """Send a message."""

    def receive(self) -> tuple[bytes, int, bool]:
        """Return octets of a message (none: the association is closed), their stream, and whether the message ends."""

    def close(self) -> None:
        """Close."""


class KernelSocket:
    """A socket of a kernel with SCTP."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        self._sock = sock or socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP)
        self._hosts = ""
        self._sock.setblocking(False)
        self._sock.setsockopt(_SOL_SCTP, _SCTP_NODELAY, struct.pack("i", 1))
        self._sock.setsockopt(_SOL_SCTP, _SCTP_INITMSG, _INITMSG.pack(STREAMS, STREAMS, 0, 0))
        # ask for sndrcvinfo with each message (first octet of struct sctp_event_subscribe)
        self._sock.setsockopt(_SOL_SCTP, _SCTP_EVENTS, bytes([1]) + bytes(7))

    def fileno(self) -> int:
        """See SctpSocket."""
        return self._sock.fileno()

    def bind(self, address: Address) -> None:
        """See SctpSocket."""
        first, *others = hosts_of(address)
        self._sock.bind((first, address[1]))
        if others:
            port = self._sock.getsockname()[1]
            self._sock.setsockopt(_SOL_SCTP, _SOCKOPT_BINDX_ADD, _packed(others, port))
            self._hosts = address[0]

    def getsockname(self) -> Address:
        """See SctpSocket."""
        host, port = self._sock.getsockname()[:2]
        return self._hosts or host, port

    def listen(self) -> None:
        """See SctpSocket."""
        self._sock.listen(128)

    def carried(self) -> str:
        """See SctpSocket."""
        return "SCTP of the kernel"

    def accept(self) -> tuple[KernelSocket, Address]:
        """See SctpSocket."""
        sock, peer = self._sock.accept()
        return KernelSocket(sock), (peer[0], peer[1])

    async def connect(self, address: Address) -> None:
        """See SctpSocket."""
        loop, hosts = asyncio.get_running_loop(), hosts_of(address)
        if len(hosts) == 1:
            await loop.sock_connect(self._sock, address)
            return
        with contextlib.suppress(BlockingIOError):
            self._sock.setsockopt(_SOL_SCTP, _SOCKOPT_CONNECTX, _packed(hosts, address[1]))
        writable = asyncio.Event()
        loop.add_writer(self._sock, writable.set)
        try:
            await writable.wait()
        finally:
            loop.remove_writer(self._sock)
        if code := self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, os.strerror(code))

    def send(self, data: bytes, stream: int, ppid: int) -> None:
        """See SctpSocket."""
        info = _SNDRCV.pack(stream, 0, 0, socket.htonl(ppid), 0, 0, 0, 0, 0)
        self._sock.sendmsg([data], [(IPPROTO_SCTP, _SCTP_SNDRCV, info)])

    def receive(self) -> tuple[bytes, int, bool]:
        """See SctpSocket."""
        data, ancillary, flags, _ = self._sock.recvmsg(LARGEST, socket.CMSG_SPACE(_SNDRCV.size))
        return data, _stream_of(ancillary), bool(flags & socket.MSG_EOR)

    def close(self) -> None:
        """See SctpSocket."""
        self._sock.close()


def _packed(hosts: Iterable[str], port: int) -> bytes:
    """Return addresses as the kernel takes several (struct sockaddr_in, one after the other)."""
    family = socket.AF_INET.to_bytes(2, sys.byteorder)
    return b"".join(family + port.to_bytes(2) + socket.inet_aton(host) + bytes(8) for host in hosts)


def _stream_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Find the stream in what recvmsg gave besides the data."""
    for level, kind, data in ancillary:
        if level == IPPROTO_SCTP and kind == _SCTP_SNDRCV and len(data) >= _SNDRCV.size:
            stream: int = _SNDRCV.unpack_from(data)[0]
            return stream
    return 0
