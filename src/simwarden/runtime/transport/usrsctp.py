"""SCTP in user space: sockets of libusrsctp (Debian: libusrsctp2), where the kernel has none. Linux only.

Packets travel in UDP (RFC 6951), which needs no rights; Wireshark decodes them on port 9899, which is IANA's. The first
process of a machine has that port, and with it peers outside; others have a port of the system's, for associations
within the process. The library runs threads of its own; what they have to tell wakes the event loop by an eventfd.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import errno
import itertools
import os
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

from simwarden.runtime.transport.sctp_socket import IPPROTO_SCTP, LARGEST, STREAMS
from simwarden.runtime.transport.usrsctp_fence import Fence, descriptors

if TYPE_CHECKING:
    from simwarden.runtime.transport.addresses import Address

_LIBRARY = "libusrsctp.so.2"
UDP_PORT = 9899

# usrsctp.h; its constants are those of FreeBSD, not of Linux
_INITMSG, _NODELAY, _RECVRCVINFO, _UDP_ENCAPS = 0x03, 0x04, 0x1F, 0x24
_SNDINFO_TYPE = 1
_EVENT_WRITE, _EVENT_ERROR = 2, 4
_SNDINFO = struct.Struct("=HHIII")
_RCVINFO = struct.Struct("=HHHxxIIIII")
_ADDRESS = struct.Struct("=H2s4s8x")
_LINGER = struct.Struct("ii")
_BUFFER = 1 << 20

_Upcall = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)


def _packed(address: Address) -> bytes:
    return _ADDRESS.pack(socket.AF_INET, address[1].to_bytes(2), socket.inet_aton(socket.gethostbyname(address[0])))


def _unpacked(octets: bytes) -> Address:
    _, port, host = _ADDRESS.unpack(octets)
    return socket.inet_ntoa(host), int.from_bytes(port)


class _Stack:
    """The library, with one UDP port for all its sockets."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(_LIBRARY, use_errno=True)
        pointer, number = ctypes.c_void_p, ctypes.c_int
        self._declare("socket", pointer, number, number, number, pointer, pointer, ctypes.c_uint32, pointer)
        self._declare("accept", pointer, pointer, pointer, pointer)
        for name in ("bind", "connect"):
            self._declare(name, number, pointer, ctypes.c_char_p, ctypes.c_uint32)
        self._declare("setsockopt", number, pointer, number, number, ctypes.c_char_p, ctypes.c_uint32)
        self._declare("listen", number, pointer, number)
        self._declare("getladdrs", number, pointer, ctypes.c_uint32, pointer)
        self._declare("freeladdrs", None, pointer)
        self._declare("set_non_blocking", number, pointer, number)
        self._declare("set_upcall", number, pointer, _Upcall, pointer)
        self._declare("get_events", number, pointer)
        self._declare("close", None, pointer)
        kinds = (ctypes.c_char_p, ctypes.c_size_t, pointer, number, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_uint)
        self._declare("sendv", ctypes.c_ssize_t, pointer, *kinds, number)
        into = (pointer, ctypes.c_size_t, pointer, pointer, pointer, pointer, pointer, pointer)
        self._declare("recvv", ctypes.c_ssize_t, pointer, *into)
        self.udp_port = _free_port()
        before = descriptors()
        self.library.usrsctp_init(ctypes.c_uint16(self.udp_port), None, None)
        self.fence = Fence(descriptors() - before, self.udp_port)
        # A stack that stays up would leave threads running into an interpreter that is gone.
        atexit.register(self.library.usrsctp_finish)

    def _declare(self, name: str, result: Any, *arguments: Any) -> None:
        function = getattr(self.library, f"usrsctp_{name}")
        function.restype, function.argtypes = result, arguments

    def call(self, name: str, *arguments: Any) -> int:
        """Call; raise OSError for a result below 0."""
        result: int = getattr(self.library, f"usrsctp_{name}")(*arguments)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result


def _free_port() -> int:
    """Return IANA's port if it is this process's, else one of the system's."""
    guard = socket.socket(socket.AF_UNIX)
    try:
        # The library shares its port with whoever asks (SO_REUSEADDR), and packets go astray. This name is not shared.
        guard.bind(f"\0simwarden-sctp-over-udp-{UDP_PORT}")
    except OSError:
        guard.close()
        return _probed(0)
    atexit.register(guard.close)  # after the library's end, which is registered later
    return _probed(UDP_PORT) or _probed(0)


def _probed(port: int) -> int:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", port))
        found: int = probe.getsockname()[1]
        return found
    return 0


class _Bells:
    """The eventfds that the library's threads ring, by number: a socket may be gone when a thread comes to ring."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[int, int] = {}
        self._numbers = itertools.count(1)
        # one for all sockets and never freed: a thread may be on its way into it at any time
        self.upcall = _Upcall(self._ring)

    def hang(self, event: int) -> int:
        """Return the number under which an eventfd is rung."""
        number = next(self._numbers)
        self._events[number] = event
        return number

    def take_down(self, number: int) -> None:
        """Close an eventfd; it is not rung any more."""
        with self._lock:
            os.close(self._events.pop(number))

    def _ring(self, _socket: int, number: int, _flags: int) -> None:
        with self._lock:
            event = self._events.get(number)
            if event is not None:
                os.eventfd_write(event, 1)


_bells = _Bells()
_stacks: list[_Stack] = []
#: where sockets of this process listen, at its own UDP port
_listening: set[Address] = set()


def _stack() -> _Stack:
    if not _stacks:
        _stacks.append(_Stack())
    return _stacks[0]


class UserSocket:
    """See SctpSocket. Raises OSError where the library is not installed."""

    def __init__(self, handle: int | None = None) -> None:
        self._stack = _stack()
        self._open = handle or self._made()
        self._listens: Address = ("", 0)
        self._bound = False
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._bell = _bells.hang(self._event)
        self._stack.call("set_non_blocking", self._open, 1)
        self._set(IPPROTO_SCTP, _NODELAY, struct.pack("i", 1))
        self._set(IPPROTO_SCTP, _RECVRCVINFO, struct.pack("i", 1))
        self._stack.call("set_upcall", self._open, _bells.upcall, self._bell)
        os.eventfd_write(self._event, 1)  # what came before the upcall was set

    def _made(self) -> int:
        handle = self._stack.library.usrsctp_socket(
            socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP, None, None, 0, None
        )
        if not handle:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        self._open = int(handle)
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
        self._stack.fence.allow(address[0])
        self._bound = True
        self._stack.call("bind", self._open, _packed(address), _ADDRESS.size)

    def getsockname(self) -> Address:
        """See SctpSocket."""
        found = ctypes.c_void_p()
        self._stack.call("getladdrs", self._open, 0, ctypes.byref(found))
        octets = ctypes.string_at(found.value or 0, _ADDRESS.size)
        self._stack.library.usrsctp_freeladdrs(found)
        return _unpacked(octets)

    def listen(self) -> None:
        """See SctpSocket."""
        self._stack.call("listen", self._open, 128)
        self._listens = self.getsockname()
        _listening.add(self._listens)

    def accept(self) -> tuple[UserSocket, Address]:
        """See SctpSocket."""
        self._quiet()
        peer = ctypes.create_string_buffer(_ADDRESS.size)
        size = ctypes.c_uint32(_ADDRESS.size)
        handle = self._stack.library.usrsctp_accept(self._open, peer, ctypes.byref(size))
        if not handle:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        os.eventfd_write(self._event, 1)  # there may be more
        return UserSocket(int(handle)), _unpacked(peer.raw)

    async def connect(self, address: Address) -> None:
        """See SctpSocket."""
        if not self._bound:
            self._stack.fence.allow_towards(address[0])
        port = self._stack.udp_port if address[0] == "127.0.0.1" and address in _listening else UDP_PORT
        # struct sctp_udpencaps: address (all zero: every one of this socket), association, port
        self._set(IPPROTO_SCTP, _UDP_ENCAPS, bytes(128) + struct.pack("=I2sxx", 0, port.to_bytes(2)))
        with contextlib.suppress(BlockingIOError):
            self._stack.call("connect", self._open, _packed(address), _ADDRESS.size)
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
                events = self._stack.library.usrsctp_get_events(self._open)
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
        _listening.discard(self._listens)
        self._stack.call("set_upcall", handle, _Upcall(), None)
        self._stack.library.usrsctp_close(handle)
        _bells.take_down(self._bell)

    def _quiet(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._event)
