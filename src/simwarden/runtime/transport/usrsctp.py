"""SCTP in user space: sockets of libusrsctp (Debian: libusrsctp2), where the kernel has none. Linux only.

Packets travel on IP protocol 132 where this process may use it (CAP_NET_RAW), and in UDP (RFC 6951), which needs no
rights: a listening socket takes both, unless it is for UDP alone. The first process at an address has IANA's UDP port
9899, and with it peers outside; others have a port of the system's. The library runs no thread of its own and is
called by one at a time: its threads write to sockets that another one has closed. Its events wake the event loop by an
eventfd. It knows each association by a number (`sctp_association`) instead of addresses.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import errno
import os
import random
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simwarden.runtime.transport.addresses import hosts_of
from simwarden.runtime.transport.sctp_association import Association, Associations, Path
from simwarden.runtime.transport.sctp_channels import ANY, UDP_PORT, Channels, may_use_ip
from simwarden.runtime.transport.sctp_packet import Head, head_of
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
#: struct sockaddr_conn, as packets are carried by us: family, port, and the number of the association
_AF_CONN: Final = 123
_ADDRESS = struct.Struct("=H2s4xQ")
_BUFFER: Final = 1 << 20
#: results that are handles
_HANDLES: Final = frozenset({"socket", "accept"})

_Upcall = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_Output = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint8, ctypes.c_uint8
)


#: results of sending after which the path may still work
_NO_FAULT_OF_THE_PATH: Final = frozenset({0, errno.EAGAIN, errno.ENOBUFS, errno.EMSGSIZE})
#: seconds between two looks at which HEARTBEATs are due
_PROBES_EACH: Final = 0.5
#: ports that a socket may get that asks for any, and how many are tried
_DYNAMIC, _ATTEMPTS = range(49152, 65536), 8


def _packed(port: int, number: int = 0) -> bytes:
    return _ADDRESS.pack(_AF_CONN, port.to_bytes(2), number)


def _ring(_socket: int, event: int, _flags: int) -> None:
    os.eventfd_write(event, 1)


_upcall = _Upcall(_ring)


class _Listening(NamedTuple):
    """Where a socket listens: its addresses, and whether in UDP alone."""

    hosts: tuple[str, ...]
    in_udp: bool


class _Stack:
    """The library, with the channels and associations of all its sockets."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(_LIBRARY, use_errno=True)
        self._declare_all()
        self._lock = threading.RLock()
        self.may_use_ip = may_use_ip()
        #: where sockets of this process listen, by SCTP port
        self.listening: dict[int, _Listening] = {}
        self.channels = Channels(self._receive, self._tick)
        self.associations = Associations(lambda number: self.call("register_address", number))
        #: the path of the packet that the library is given now: answers to it go back there
        self._came: tuple[Association, Path] | None = None
        self._probed = 0.0
        self._output = _Output(self._send)
        self.library.usrsctp_init_nothreads(ctypes.c_uint16(0), self._output, None)
        self.channels.start()  # not before: it calls the library
        atexit.register(self.channels.close)

    def _declare_all(self) -> None:
        pointer, number, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
        long, octet, octets = ctypes.c_uint32, ctypes.c_uint8, ctypes.c_char_p
        self._declare("socket", pointer, number, number, number, pointer, pointer, long, pointer)
        self._declare("accept", pointer, pointer, pointer, pointer)
        for name in ("bind", "connect"):
            self._declare(name, number, pointer, octets, long)
        self._declare("setsockopt", number, pointer, number, number, octets, long)
        self._declare("listen", number, pointer, number)
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

    def associate(self, local: tuple[str, ...], ports: tuple[int, int], peer: tuple[str, ...], udp: int) -> Association:
        """Prepare an association with a peer at addresses of it; `udp` is its UDP port. Raises OSError."""
        with self._lock:
            made = self.associations.add(Path(local[0], peer[0], udp), ports, local)
            if made is None:
                raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
            made.held = True
            made.confirmed.update(peer)
            self.associations.widen(made, peer, udp)
            return made

    def hold(self, number: int) -> Association | None:
        """Return the association of a socket that is accepted; None if its number has become another one's."""
        with self._lock:
            association = self.associations.get(number)
            if association is not None:
                association.held = True
            return association

    def _send(self, number: int, octets: int, size: int, _class: int, _whole: int) -> int:
        association = self.associations.get(number)
        if association is None:
            return errno.EADDRNOTAVAIL
        packet, now = self.associations.prepare(association, ctypes.string_at(octets, size)), time.monotonic()
        came = self._came
        path = came[1] if came is not None and came[0] is association else association.choose(now)
        association.use(path, packet, now)
        error = self.channels.send(path, packet)
        if error in _NO_FAULT_OF_THE_PATH:
            return error
        association.fail(path)
        return self.channels.send(association.choose(now), packet)

    def _receive(self, path: Path, packet: bytes) -> None:
        """Hand a packet to the library, if it is for a socket of this process."""
        head = head_of(packet)
        if head is None:
            return
        with self._lock:
            association = self.associations.find(path, head) or self._welcome(path, head)
            if association is None or not self.associations.receive(association, path, head, packet):
                return
            self._came = association, path
            try:
                self.call("conninput", association.number, packet, len(packet), 0)
            finally:
                self._came = None

    def _welcome(self, path: Path, head: Head) -> Association | None:
        """Return a new association for a packet that belongs to none yet.

        Returns None for an address at which no socket listens on the port, and on IP protocol 132 for any such port:
        another process may have it.
        """
        listening = self.listening.get(head.destination)
        if listening is None:
            hosts: tuple[str, ...] = ()
            if not path.port:
                return None
        elif (listening.in_udp and not path.port) or not {path.local, ANY} & set(listening.hosts):
            return None
        else:
            hosts = tuple(host for host in listening.hosts if host != ANY)
        return self.associations.add(path, (head.destination, head.source), hosts)

    def _tick(self, milliseconds: int) -> None:
        self.call("handle_timers", milliseconds)
        now = time.monotonic()
        if now - self._probed < _PROBES_EACH:
            return
        self._probed = now
        with self._lock:
            for path, packet in self.associations.probes(now):
                self.channels.send(path, packet)


_stacks: list[_Stack] = []


def _stack() -> _Stack:
    if not _stacks:
        _stacks.append(_Stack())
    return _stacks[0]


class UserSocket:
    """See SctpSocket; `in_udp`: not on IP protocol 132. Raises OSError where the library is not installed."""

    def __init__(
        self, handle: int | None = None, association: Association | None = None, *, in_udp: bool = False
    ) -> None:
        self._stack = _stack()
        self._in_udp = in_udp or not self._stack.may_use_ip
        self._association = association
        self._open = handle or self._made()
        self._hosts = association.locals if association is not None else ()
        self._port = 0
        self._listens = False
        self._guards: list[socket.socket] = []
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
        self._hosts = tuple(socket.gethostbyname(host) for host in hosts_of(address))
        for host in self._hosts:
            self._stack.channels.open(host, in_udp=self._in_udp)
        ports = (address[1],) if address[1] else random.sample(_DYNAMIC, _ATTEMPTS)
        for port in ports:
            try:
                self._take(port)
            except OSError:
                if port == ports[-1]:
                    raise
            else:
                return

    def _take(self, port: int) -> None:
        """Bind to a port, as a kernel's SCTP does. Raises OSError if another socket of this machine has it."""
        if not self._in_udp:  # in UDP, processes are apart by their UDP ports
            for host in self._hosts:
                guard = socket.socket(socket.AF_UNIX)
                self._guards.append(guard)
                guard.bind(f"\0simwarden-sctp-{host}-{port}")
        self._stack.call("bind", self._open, _packed(port), _ADDRESS.size)
        self._port = port

    def getsockname(self) -> Address:
        """See SctpSocket."""
        return ",".join(self._hosts), self._port

    def listen(self) -> None:
        """See SctpSocket."""
        for host in self._hosts:
            self._stack.channels.open(host, in_udp=True)
        self._stack.call("listen", self._open, 128)
        self._listens = True
        self._stack.listening[self._port] = _Listening(self._hosts, self._in_udp)

    def carried(self) -> str:
        """See SctpSocket."""
        ports = dict.fromkeys(self._stack.channels.udp_port(host) for host in self._hosts)
        in_udp = f"in UDP {' and '.join(map(str, ports))}"
        return f"SCTP {in_udp}" if self._in_udp else f"SCTP on IP protocol {IPPROTO_SCTP} and {in_udp}"

    def accept(self) -> tuple[UserSocket, Address]:
        """See SctpSocket."""
        self._quiet()
        peer = ctypes.create_string_buffer(_ADDRESS.size)
        handle = self._stack.call("accept", self._open, peer, ctypes.byref(ctypes.c_uint32(_ADDRESS.size)))
        os.eventfd_write(self._event, 1)  # there may be more
        _, port, number = _ADDRESS.unpack(peer.raw)
        association = self._stack.hold(number)
        if association is None:
            self._stack.call("close", handle)
            raise ConnectionAbortedError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))
        sock = UserSocket(handle, association, in_udp=self._in_udp)
        return sock, (association.hosts[0], int.from_bytes(port))

    async def connect(self, address: Address) -> None:
        """See SctpSocket."""
        channels, peer = self._stack.channels, tuple(socket.gethostbyname(host) for host in hosts_of(address))
        if not self._hosts:
            self.bind((_source_to(peer[0]), 0))
        listening, udp = self._stack.listening.get(address[1]), 0
        if self._in_udp:
            is_ours = listening is not None and bool({peer[0], ANY} & set(listening.hosts))
            udp = channels.udp_port(peer[0]) if is_ours else UDP_PORT
        local = tuple(_source_to(peer[0]) if host == ANY else host for host in self._hosts)
        self._association = self._stack.associate(local, (self._port, address[1]), peer, udp)
        with contextlib.suppress(BlockingIOError):
            self._stack.call("connect", self._open, _packed(address[1], self._association.number), _ADDRESS.size)
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
        if self._listens:
            del self._stack.listening[self._port]
        for guard in self._guards:
            guard.close()
        if self._association is not None:
            self._association.held = self._association.established = False
        self._stack.call("set_upcall", handle, _Upcall(), None)
        self._stack.call("close", handle)
        os.close(self._event)

    def _quiet(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._event)


def _source_to(host: str) -> str:
    """Return the address of this machine that packets to a host come from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, UDP_PORT))
        source: str = probe.getsockname()[0]
    return source
