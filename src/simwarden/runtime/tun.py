"""TUN interfaces in network namespaces of their own: programs of this machine send through the emulated network.

Each element that wants one has a namespace, named after it, with the one interface `tun0`. What programs there send
comes to the element, packet by packet, and what the element hands over comes to them. All of it is gone with the run.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simwarden.errors import ConfigError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence

#: of linux/if_tun.h and sched.h
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI, _CLONE_NEWNET = 0x400454CA, 0x0001, 0x1000, 0x40000000
_DEVICE, _NAME = Path("/dev/net/tun"), "tun0"
#: where `ip netns` keeps namespaces, and what programs in one find in place of files in /etc
_SPACES, _ETC = Path("/run/netns"), Path("/etc/netns")
#: packets that are taken at a time, so that others have their turn
_MOST: Final = 64
_LONGEST: Final = 65535
#: ports that the kernel chooses; those above are the element's own
_PORTS: Final = "32768 39999"
_PORT_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def why_not() -> str:
    """Return why this machine has no TUN interfaces for us; empty if it has."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not _DEVICE.exists():
        return f"this system has no {_DEVICE}"
    if shutil.which("ip") is None:
        return "the command ip is missing (apt install iproute2)"
    return ""


class Tun:
    """An interface in a namespace of its own."""

    def __init__(self, space: str, loop: asyncio.AbstractEventLoop, take: Callable[[list[bytes]], None]) -> None:
        """`take` is given what programs send. Raises ConfigError where there can be none."""
        if reason := why_not():
            raise ConfigError(f"no TUN interface: {reason}")
        if (_SPACES / space).exists():
            raise ConfigError(
                f"there is a network namespace {space} already", hint=f"another run, or: ip netns delete {space}"
            )
        self.space, self._loop, self._take = space, loop, take
        self._addresses: tuple[str, ...] = ()
        _ip("netns", "add", space)
        try:
            self._file = _open_in(space)
            _ip("-n", space, "link", "set", "lo", "up")
        except BaseException:
            _ip("netns", "delete", space)
            raise
        loop.add_reader(self._file, self._read)

    def configure(self, addresses: Sequence[str], mtu: int = 1500, resolvers: Iterable[str] = ()) -> None:
        """Have these addresses alone (`10.64.0.1/32`), and a route to everywhere; none: programs reach nobody."""
        if tuple(addresses) == self._addresses:
            return
        self._addresses = tuple(addresses)
        ip = ("-n", self.space)
        _ip(*ip, "addr", "flush", "dev", _NAME)
        _ip(*ip, "link", "set", _NAME, "up" if addresses else "down", "mtu", str(mtu))
        for each in addresses:
            _ip(*ip, "addr", "add", each, "dev", _NAME, *(("nodad",) if ":" in each else ()))
        for version in {"-6" if ":" in each else "-4" for each in addresses}:
            _ip(version, *ip, "route", "replace", "default", "dev", _NAME)
        folder = _ETC / self.space
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resolv.conf").write_text("".join(f"nameserver {each}\n" for each in resolvers))

    def send(self, packet: bytes) -> None:
        """Hand a packet to the programs; one that the kernel does not take is lost, as on any interface."""
        with contextlib.suppress(OSError):
            os.write(self._file, packet)

    def _read(self) -> None:
        packets: list[bytes] = []
        with contextlib.suppress(BlockingIOError):
            while len(packets) < _MOST:
                packets.append(os.read(self._file, _LONGEST))
        if packets:
            self._take(packets)

    def close(self) -> None:
        """Remove interface and namespace. Programs that still run there keep a namespace without an interface."""
        self._loop.remove_reader(self._file)
        os.close(self._file)
        _ip("netns", "delete", self.space)
        shutil.rmtree(_ETC / self.space, ignore_errors=True)
        with contextlib.suppress(OSError):  # others have files there
            _ETC.rmdir()


def _open_in(space: str) -> int:
    """Open a TUN interface inside a namespace, and come back out of it."""
    libc = ctypes.CDLL(None, use_errno=True)
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(_SPACES / space, os.O_RDONLY)
    try:
        if libc.setns(there, _CLONE_NEWNET):
            raise ConfigError(f"no TUN interface: {os.strerror(ctypes.get_errno())}")
        try:
            file = os.open(_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            with contextlib.suppress(OSError):  # where it may not be written, ports may meet, and do so seldom
                _PORT_RANGE.write_text(_PORTS)
            fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH22x", _NAME.encode(), _IFF_TUN | _IFF_NO_PI))
        finally:
            libc.setns(own, _CLONE_NEWNET)
    except OSError as error:
        raise ConfigError(f"no TUN interface: {error}") from None
    finally:
        os.close(own)
        os.close(there)
    return file


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607 - as root finds it
    if done.returncode:
        raise ConfigError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
