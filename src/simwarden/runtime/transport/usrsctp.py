"""SCTP in user space: sockets of libusrsctp (Debian: libusrsctp2), where the kernel has none. Linux only.

Packets travel in UDP (RFC 6951), which needs no rights; Wireshark decodes them on port 9899, which is IANA's. The first
process of a machine has that port, and with it peers outside; others have a port of the system's, for associations
within the process. The library runs no thread of its own and is called by one at a time: its threads write to sockets
that another one has closed. What it has to tell wakes the event loop by an eventfd.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import errno
import os
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Final

from simwarden.runtime.transport.sctp_over_udp import UDP_PORT, SctpOverUdp
from simwarden.runtime.transport.sctp_socket import IPPROTO_SCTP, LARGEST, STREAMS

if TYPE_CHECKING:
    from simwarden.runtime.transport.addresses import Address

_LIBRARY: Final = "libusrsctp.so.2"

# usrsctp.h; its constants are those of FreeBSD, not of Linux
_INITMSG, _NODELAY, _RECVRCVINFO = 0x03, 0x04, 0x1F
_SNDINFO_TYPE: Final = 1
_EVENT_WRITE, _EVENT_ERROR = 2, 4
_SNDINFO = struct.Struct("=HHIII")
_RCVINFO = struct.Struct("=HHHxxIIIII")
#: struct sockaddr_conn, as packets are carried by us: family, port, and the number of both ends (see SctpOverUdp)
_AF_CONN: Final = 123
_ADDRESS = struct.Struct("=H2s4xQ")
_BUFFER: Final = 1 << 20
#: results that are handles
_HANDLES: Final = frozenset({"socket", "accept"})

_Upcall = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_Output = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint8, ctypes.c_uint8
)


def _packed(port: int, ends: int = 0) -> bytes:
    return _ADDRESS.pack(_AF_CONN, port.to_bytes(2), ends)


def _ring(_socket: int, event: int, _flags: int) -> None:
    os.eventfd_write(event, 1)


_upcall = _Upcall(_ring)


class _Stack:
    """The library, with one UDP port for all its sockets."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(_LIBRARY, use_errno=True)
        self._declare_all()
        self._lock = threading.Lock()
        #: where sockets of this process listen
        self.listening: set[Address] = set()
        self.udp = SctpOverUdp(self._heard, lambda passed: self.call("handle_timers", passed))
        self._output = _Output(self._send)
        self.library.usrsctp_init_nothreads(ctypes.c_uint16(0), self._output, None)
        self.call("register_address", self.udp.number("127.0.0.1", ("127.0.0.1", self.udp.port)))
        self.udp.start()  # not before: it calls the library
        atexit.register(self.udp.close)

    def _declare_all(self) -> None:
        pointer, number, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
        long, octet, octets = ctypes.c_uint32, ctypes.c_uint8, ctypes.c_char_p
        self._declare("socket", pointer, number, number, number, pointer, pointer, long, pointer)
        self._declare("accept", pointer, pointer, pointer, pointer)
        for name in ("bind", "connect"):
            self._declare(name, number, pointer, octets, long)
        self._declare("setsockopt", number, pointer, number, number, octets, long)
        self._declare("listen", number, pointer, number)
        self._declare("getladdrs", number, pointer, long, pointer)
        self._declare("freeladdrs", None, pointer)
        self._declare("set_non_blocking", number, pointer, number)
        self._declare("set_upcall", number, pointer, _Upcall, pointer)
        self._declare("get_events", number, pointer)
        self._declare("close", None, pointer)
        kinds = (octets, size, pointer, number, octets, long, ctypes.c_uint)
        self._declare("sendv", ctypes.c_ssize_t, pointer, *kinds, number)
        self._declare("recvv", ctypes.c_ssize_t, pointer, pointer, size, *[pointer] * 6)
        self._declare("register_address", None, pointer)
        self._declare("conninput", None, pointer, octets, size, octet)
        self._declare("handle_timers", None, long)

    def _declare(self, name: str, result: Any, *arguments: Any) -> None:
        function = getattr(self.library, f"usrsctp_{name}")
        function.restype, function.argtypes = result, arguments

    def call(self, name: str, *arguments: Any) -> Any:
        """Call; raise OSError for a result below 0, or where there is no handle."""
        with self._lock:
            result = getattr(self.library, f"usrsctp_{name}")(*arguments)
            code = ctypes.get_errno()
        if (name in _HANDLES and not result) or (isinstance(result, int) and result < 0):
            raise OSError(code, os.strerror(code))
        return result

    def _send(self, ends: int, octets: int, size: int, _class: int, _whole: int) -> int:
        return self.udp.send(ends, ctypes.string_at(octets, size))

    def _heard(self, ends: int, packet: bytes) -> None:
        """Hand a packet over, unless it is for a port at which another address is listened on."""
        local, port = self.udp.ends(ends)[0], int.from_bytes(packet[2:4])
        hosts = {host for host, listened in tuple(self.listening) if listened == port}
        if not hosts or hosts & {local, "0.0.0.0"}:  # noqa: S104 - compared with
            self.call("conninput", ends, packet, len(packet), 0)


_stacks: list[_Stack] = []


def _stack() -> _Stack:
    if not _stacks:
        _stacks.append(_Stack())
    return _stacks[0]


class UserSocket:
    """See SctpSocket. Raises OSError where the library is not installed."""

    def __init__(self, handle: int | None = None, host: str = "") -> None:
        self._stack = _stack()
        self._open = handle or self._made()
        self._host = host
        self._listens: Address = ("", 0)
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stack.call("set_non_blocking", self._open, 1)
        self._set(IPPROTO_SCTP, _NODELAY, struct.pack("i", 1))
        self._set(IPPROTO_SCTP, _RECVRCVINFO, struct.pack("i", 1))
        self._stack.call("set_upcall", self._open, _upcall, self._event)
        os.eventfd_write(self._event, 1)  # what came before the upcall was set

    def _made(self) -> int:
        self._open = self._stack.call("socket", _AF_CONN, socket.SOCK_STREAM, IPPROTO_SCTP, None, None, 0, None)
        self._set(IPPROTO_SCTP, _INITMSG, struct.pack("=HHHH", STREAMS, STREAMS, 0, 0))
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            self._set(socket.SOL_SOCKET, buffer, struct.pack("i", _BUFFER))
        return self._open

    def _set(self, level: int, option: int, value: bytes) -> None:
        self._stack.call("setsockopt", self._open, level, option, value, len(value))

    def fileno(self) -> int:
        """See SctpSocket."""
        return self._event

    def bind(self, address: Address) -> None:
        """See SctpSocket."""
        self._host = socket.gethostbyname(address[0])
        self._stack.udp.allow(self._host)
        self._stack.call("bind", self._open, _packed(address[1]), _ADDRESS.size)

    def getsockname(self) -> Address:
        """See SctpSocket."""
        found = ctypes.c_void_p()
        self._stack.call("getladdrs", self._open, 0, ctypes.byref(found))
        _, port, _ = _ADDRESS.unpack(ctypes.string_at(found.value or 0, _ADDRESS.size))
        self._stack.call("freeladdrs", found)
        return self._host, int.from_bytes(port)

    def listen(self) -> None:
        """See SctpSocket."""
        self._stack.call("listen", self._open, 128)
        self._listens = self.getsockname()
        self._stack.listening.add(self._listens)

    def accept(self) -> tuple[UserSocket, Address]:
        """See SctpSocket."""
        self._quiet()
        peer = ctypes.create_string_buffer(_ADDRESS.size)
        handle = self._stack.call("accept", self._open, peer, ctypes.byref(ctypes.c_uint32(_ADDRESS.size)))
        os.eventfd_write(self._event, 1)  # there may be more
        _, port, ends = _ADDRESS.unpack(peer.raw)
        local, (host, _) = self._stack.udp.ends(ends)
        return UserSocket(handle, local), (host, int.from_bytes(port))

    async def connect(self, address: Address) -> None:
        """See SctpSocket."""
        udp, host = self._stack.udp, socket.gethostbyname(address[0])
        local = self._host if self._host not in ("", "0.0.0.0") else udp.towards(host)  # noqa: S104 - compared with
        is_ours = host == "127.0.0.1" and (host, address[1]) in self._stack.listening
        ends = udp.number(local, (host, udp.port if is_ours else UDP_PORT))
        with contextlib.suppress(BlockingIOError):
            self._stack.call("connect", self._open, _packed(address[1], ends), _ADDRESS.size)
        await self._established()

    async def _established(self) -> None:
        loop = asyncio.get_running_loop()
        happened = asyncio.Event()
        loop.add_reader(self._event, happened.set)
        try:
            while True:
                await happened.wait()
                happened.clear()
                self._quiet()
                events = self._stack.call("get_events", self._open)
                if events & _EVENT_ERROR:
                    raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
                if events & _EVENT_WRITE:
                    return
        finally:
            loop.remove_reader(self._event)
            os.eventfd_write(self._event, 1)  # a message may have come with the last event

    def send(self, data: bytes, stream: int, ppid: int) -> None:
        """See SctpSocket."""
        info = _SNDINFO.pack(stream, 0, socket.htonl(ppid), 0, 0)
        self._stack.call("sendv", self._open, data, len(data), None, 0, info, len(info), _SNDINFO_TYPE, 0)

    def receive(self) -> tuple[bytes, int, bool]:
        """See SctpSocket."""
        self._quiet()
        data, info = ctypes.create_string_buffer(LARGEST), ctypes.create_string_buffer(_RCVINFO.size)
        no_address, info_size = ctypes.c_uint32(0), ctypes.c_uint32(_RCVINFO.size)
        kind, flags = ctypes.c_uint(0), ctypes.c_int(0)
        about = (info, *map(ctypes.byref, (info_size, kind, flags)))
        size = self._stack.call("recvv", self._open, data, LARGEST, None, ctypes.byref(no_address), *about)
        os.eventfd_write(self._event, 1)  # there may be more
        return data.raw[:size], _RCVINFO.unpack(info.raw)[0], bool(flags.value & socket.MSG_EOR)

    def close(self) -> None:
        """See SctpSocket."""
        handle, self._open = self._open, 0
        if not handle:
            return
        self._stack.listening.discard(self._listens)
        self._stack.call("set_upcall", handle, _Upcall(), None)
        self._stack.call("close", handle)
        os.close(self._event)

    def _quiet(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._event)
