"""A story and commands for tests of SCTP between processes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

from simwarden.errors import ConfigError
from simwarden.runtime.transport.sctp import open_socket
from simwarden.runtime.transport.usrsctp import UserSocket

if TYPE_CHECKING:
    from pathlib import Path

#: addresses of the elements, of which packets to one are swallowed by an interface without a reader where it is cut
HSS, MME, ENB = ("192.0.2.11", "192.0.2.12"), ("192.0.2.21", "192.0.2.22"), ("192.0.2.31", "192.0.2.32")
STORY: Final = """\
scenario: A meter is served
cards: {card: {profile: meter}}
devices: {meter: {type: module}}
steps:
- insert: {card: card, into: meter}
- power_on: meter
- expect: {meter: {attach: accepted}}
"""


def has_sctp(*, in_udp: bool = False) -> bool:
    """Return True if this machine has SCTP, in its kernel or in user space."""
    try:
        open_socket(in_udp=in_udp).close()
    except ConfigError:
        return False
    return True


def is_in_user_space() -> bool:
    """Return True if SCTP is that of libusrsctp."""
    if not has_sctp():
        return False
    sock = open_socket()
    sock.close()
    return isinstance(sock, UserSocket)


def simwarden(folder: Path, *arguments: str) -> str:
    """Run a command of simwarden and return its output. Raises AssertionError if it failed."""
    command = [sys.executable, "-m", "simwarden", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ip(arguments: str) -> None:
    """Run ip(8)."""
    subprocess.run(["ip", *arguments.split()], check=True, capture_output=True)  # noqa: S603, S607 - of this network


def make_network() -> None:
    """Give the loopback the addresses of all elements, in a network that has nothing else."""
    ip("link set lo up")
    for host in (*HSS, *MME, *ENB):
        ip(f"address add {host}/32 dev lo")
    ip("tuntap add sink mode tun")  # without a reader
    ip("link set sink up")
    ip("route add default dev sink table 99")
    ip("rule add pref 100 lookup local")  # after what a test cuts off
    ip("rule del pref 0")


def cut(host: str, directions: str = "to from") -> None:
    """Swallow all packets to and from an address."""
    for direction in directions.split():
        ip(f"rule add pref 9 {direction} {host} lookup 99")


def mend() -> None:
    """Remove all cuts."""
    while subprocess.run(["ip", "rule", "del", "pref", "9"], check=False, capture_output=True).returncode == 0:  # noqa: S607 - as above
        pass
