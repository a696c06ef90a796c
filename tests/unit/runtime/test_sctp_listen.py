"""`listen` of an SCTP interface in user space: nothing that is for another address reaches the library."""

from __future__ import annotations

import re
import socket
import struct
from pathlib import Path

import pytest
from sctp_lab import is_in_user_space
from served import NET, Client, serve

from simwarden.runtime.transport.sctp_channels import may_use_ip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_in_user_space(), reason="needs libusrsctp (Debian: libusrsctp2), and no kernel's SCTP"),
]


def udp_port(pid: int) -> int:
    """Return the port that the library of a process has; that of GTP-C is another socket of an MME."""
    names = [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {found[1] for name in names if (found := re.match(r"socket:\[(\d+)\]", name))}
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    ports = {int(row[1].partition(":")[2], 16) for row in rows if row[9] in inodes}
    (port,) = ports - {2123}
    return port


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def init(port: int) -> bytes:
    """An INIT for a port (RFC 9260 3.3.2), which an endpoint answers by INIT ACK or ABORT."""
    chunk = struct.pack(">BBHIIHHI", 1, 0, 20, 7, 1 << 16, 1, 1, 7)
    head = struct.pack(">HHI", 36412, port, 0)
    return head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk


def is_answered(host: str, udp: int, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(1)
        for _ in range(2):
            peer.sendto(init(port), (host, udp))
            try:
                return bool(peer.recv(4096))
            except TimeoutError:
                continue
    return False


@pytest.mark.parametrize(
    ("listen", "heard", "not_heard"),
    [("127.0.0.1", ["127.0.0.1"], ["127.0.0.2", "127.9.9.9"]), ("0.0.0.0", ["127.0.0.1", "127.0.0.2"], [])],  # noqa: S104 - what is asked for
)
def test_what_is_for_another_address_is_not_heard(
    tmp_path: Path, listen: str, heard: list[str], not_heard: list[str]
) -> None:
    nowhere = {"hss": "127.0.0.1:9", "eir": "127.0.0.1:9"}
    settings = {"listen": {"S1-MME": f"{listen}:36412", "S11": f"{NET}.9:2123"}, "transport": "sctp", "peers": nowhere}
    with serve(tmp_path, "mme", settings) as served:
        udp = udp_port(served.process.pid)
        answered = {host: is_answered(host, udp, 36412) for host in (*heard, *not_heard)}
    assert answered == {**dict.fromkeys(heard, True), **dict.fromkeys(not_heard, False)}


def test_a_diameter_server_listens_on_sctp_and_tcp_at_one_port_where_both_are_named(tmp_path: Path) -> None:
    with socket.create_server((f"{NET}.5", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "listen": {"S6a": f"{NET}.5:{port}"},
        "transport": {"S6a": "sctp", "S6c": "tcp"},
        "settings": {"centres": {"smsc": "+8613800100500"}},
    }
    with serve(tmp_path, "hss", settings) as served:
        assert served.said["S6a"].startswith("(SCTP on IP protocol 132 and in UDP" if may_use_ip() else "(SCTP in UDP")
        assert served.said["S6c"] == ""
        with Client((f"{NET}.5", port)) as client:  # its application is that of S6a
            client.close()
