"""What reaches libusrsctp: it binds its sockets to all addresses of the machine, whatever its users listen on.

A filter in the kernel (BPF; it needs no rights) drops there what is for other addresses, so that nobody beyond them
speaks to the library at all.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import stat
import struct
from pathlib import Path

from simwarden.runtime.transport.sctp_socket import IPPROTO_SCTP

_SO_ATTACH_FILTER = 26
_INSTRUCTION = struct.Struct("=HBBI")
#: where the destination stands in the header of IPv4, counted from that (SKF_NET_OFF)
_DESTINATION = 0x100000000 - 0x100000 + 16
_LOAD, _IS, _RETURN = 0x20, 0x15, 0x06
_WHOLE = 0xFFFFFFFF


def descriptors() -> set[int]:
    """Return the sockets that this process has open."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(each.name)).st_mode):
                found.add(int(each.name))
    return found


class Fence:
    """Around the sockets of the library, of which `opened` are those that came while it was started."""

    def __init__(self, opened: set[int], port: int) -> None:
        self._sockets: dict[int, int] = {}
        self._allowed: set[bytes] = set()
        for each in opened:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(each)) as sock:
                raw = sock.type == socket.SOCK_RAW and sock.proto == IPPROTO_SCTP
                if raw or (sock.type == socket.SOCK_DGRAM and sock.getsockname()[1] == port):
                    self._sockets[each] = sock.family

    def allow(self, host: str) -> None:
        """Let through what is for an address of this machine; `0.0.0.0` is all of them.

        Raises OSError where the kernel takes no filter of a socket: all addresses would be heard.
        """
        self._allowed.add(socket.inet_aton(socket.gethostbyname(host)))
        accept = _INSTRUCTION.pack(_RETURN, 0, 0, _WHOLE)
        program = _INSTRUCTION.pack(_LOAD, 0, 0, _DESTINATION)
        for address in sorted(self._allowed):
            program += _INSTRUCTION.pack(_IS, 0, 1, int.from_bytes(address)) + accept
        if bytes(4) in self._allowed:
            program = accept
        else:
            program += _INSTRUCTION.pack(_RETURN, 0, 0, 0)
        failed: list[OSError] = []
        for each, family in self._sockets.items():
            try:
                # Nobody here listens on IPv6.
                self._attach(each, program if family == socket.AF_INET else _INSTRUCTION.pack(_RETURN, 0, 0, 0))
            except OSError as error:
                failed.append(error)
        if failed and bytes(4) not in self._allowed:
            told = f"libusrsctp cannot be kept from other addresses ({failed[0].strerror}); 0.0.0.0 is all of them"
            raise OSError(failed[0].errno, told) from failed[0]

    def allow_towards(self, host: str) -> None:
        """Let through what is for the address that a peer sees of this machine."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))
            self.allow(probe.getsockname()[0])

    @staticmethod
    def _attach(descriptor: int, program: bytes) -> None:
        held = ctypes.create_string_buffer(program, len(program))
        words = struct.pack("@HP", len(program) // _INSTRUCTION.size, ctypes.addressof(held))
        with socket.socket(fileno=os.dup(descriptor)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, words)
