"""The far side of a network: nginx (HTTP/1.1, 2 and 3) and unbound (DNS, DoT, DoH) in the internet's namespace.

Two servers: one has the names that a card's lists have, the other those that they have not, and both serve whatever
name is said to them. What counts is what nginx, unbound and the network have noted.
"""

# ruff: noqa: S603, S607 - it runs programs, as root finds them

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

from user_programs import OUTSIDE

if TYPE_CHECKING:
    from pathlib import Path

    from user_programs import Programs

RESOLVER, LISTED, UNLISTED = "192.0.2.53", "203.0.113.10", "203.0.113.20"
#: another resolver, and the name servers of tunnels by iodine and dns2tcp
OTHER_RESOLVER, IODINED, DNS2TCPD = "203.0.113.53", "203.0.113.30", "203.0.113.31"
#: the servers by IPv6
LISTED6, UNLISTED6 = "2001:db8:10::10", "2001:db8:20::20"
ADDRESSES = (RESOLVER, LISTED, UNLISTED, OTHER_RESOLVER, IODINED, DNS2TCPD, LISTED6, UNLISTED6)
NAMES = {
    "listed.example": LISTED,
    "neighbour.example": LISTED,
    "unlisted.example": UNLISTED,
    "weixin.qq.com": LISTED,
    "api.mch.weixin.qq.com": LISTED,
}
_NGINX = """\
daemon off; master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  log_format told '$server_protocol $host $server_addr $request_uri';
  access_log {folder}/access.log told;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 203.0.113.10:80; listen 203.0.113.10:443 ssl; listen 203.0.113.10:443 quic reuseport;
    listen 203.0.113.20:80; listen 203.0.113.20:443 ssl; listen 203.0.113.20:443 quic reuseport;
    listen [2001:db8:10::10]:443 ssl; listen [2001:db8:10::10]:443 quic reuseport;
    listen [2001:db8:20::20]:443 ssl; listen [2001:db8:20::20]:443 quic reuseport;
    http2 on;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    default_type text/html;
    location / {{ return 200 "through"; }}
    location = /page {{ root {folder}; try_files /page.html =404; }}
  }}
}}
"""
_UNBOUND = """\
server:
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  logfile: "{folder}/unbound.log"
  use-syslog: no
  log-queries: yes
  do-daemonize: no
  module-config: "iterator"
  qname-minimisation: no
  do-not-query-localhost: no
  interface: 192.0.2.53@53
  interface: 203.0.113.53@53
  interface: 203.0.113.53@853
  interface: 203.0.113.53@443
  access-control: 0.0.0.0/0 allow
  tls-service-key: "{folder}/server.key"
  tls-service-pem: "{folder}/server.pem"
  local-zone: "." static
  local-zone: "tunnel.example." transparent
{names}
stub-zone:
  name: "t.tunnel.example"
  stub-addr: 203.0.113.30
stub-zone:
  name: "d.tunnel.example"
  stub-addr: 203.0.113.31
"""


class Fetched(NamedTuple):
    """A request that a server has had."""

    protocol: str
    host: str
    address: str
    path: str


class FarSide:
    """Servers that run from `start` to `stop`, with their files in a folder."""

    def __init__(self, bench: Programs, folder: Path) -> None:
        self.bench, self.folder = bench, folder
        self._running: list[subprocess.Popen[bytes]] = []

    def begin(self, space: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a program in a namespace, which is ended by `stop` at the latest."""
        log = (self.folder / f"{command[0].rpartition('/')[2]}{len(self._running)}.out").open("wb")
        with log:
            begun = subprocess.Popen(
                ["ip", "netns", "exec", space, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._running.append(begun)
        return begun

    async def start(self) -> None:
        """Start both, and see that they answer."""
        folder = self.folder
        names = "\n".join(
            f'  local-data: "{name}. 60 IN {kind} {address}"'
            for name, four in NAMES.items()
            for kind, address in (("A", four), ("AAAA", LISTED6 if four == LISTED else UNLISTED6))
        )
        (folder / "nginx.conf").write_text(_NGINX.format(folder=folder))
        (folder / "unbound.conf").write_text(_UNBOUND.format(folder=folder, names=names))
        made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        made += ["-subj", "/CN=far.example", "-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem")]
        subprocess.run(made, check=True, capture_output=True)
        self.begin(OUTSIDE, "nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"))
        self.begin(OUTSIDE, "unbound", "-d", "-c", str(folder / "unbound.conf"))
        again = ("--retry", "60", "--retry-connrefused", "--retry-delay", "1")
        await self.bench.output(OUTSIDE, "curl", "-s", *again, f"http://{LISTED}/ready")
        await self.bench.output(OUTSIDE, "kdig", "+retry=30", "+time=1", f"@{RESOLVER}", "listed.example")

    def fetched(self) -> set[Fetched]:
        """Return what the web servers were asked for since they were ready."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return {found for line in lines if (found := Fetched(*line.split(" "))).path != "/ready"}

    def asked(self) -> str:
        """Return what the resolver has noted of its questions."""
        return (self.folder / "unbound.log").read_text()

    def stop(self) -> None:
        """End what runs."""
        for each in self._running:
            each.kill()
            each.wait()
