"""Lists of directed cards (guideline 3.1.2): what an entry lets through, and whether that is wider than a contract."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from posixpath import normpath
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from simwarden.model.network import Network

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

#: most entries of a list, in principle: 1.1(1) and 1.2(1) (both directions together), 1.3(1)
MOST = {"voice": 5, "sms": 5, "data": 10}
#: the shortest prefixes that still name a contract's servers
_SHORTEST_4, _SHORTEST_6 = 24, 56
_PORTS = {
    "http": 80, "https": 443, "ws": 80, "wss": 443, "mqtt": 1883, "mqtts": 8883, "coap": 5683, "coaps": 5684, "ftp": 21,
    "ssh": 22, "sftp": 22, "rtsp": 554, "amqp": 5672, "amqps": 5671, "coap+tcp": 5683, "coaps+tcp": 5684,
}  # fmt: skip
_TCP, _UDP = 6, 17
#: numbers of protocols (IANA) by scheme, of all schemes that an entry may have
_PROTOCOLS = dict.fromkeys((*_PORTS, "tcp"), _TCP) | dict.fromkeys(("coap", "coaps", "quic", "udp"), _UDP)
_SCHEMES = ", ".join(each for each in sorted(_PROTOCOLS) if each not in ("tcp", "udp"))
#: these are no URLs: behind them stands an address, a network or a name, and its ports
_TRANSPORT = re.compile(r"(tcp|udp)://", re.IGNORECASE)
#: schemes whose paths are said in the clear (RFC 9112 3.2, RFC 6455 1.3)
_CLEAR = frozenset(("http", "ws"))
#: schemes whose clients say whom they are for before anything else (Host, the server name of TLS)
_SAYING = frozenset(("http", "https", "ws", "wss", "quic"))
#: suffixes of content networks and shared hosts, at and below which anybody may have a name, listed publicly or not
_SHARED = frozenset((
    "cloudfront.net", "amazonaws.com", "akamaized.net", "akamaiedge.net", "akamai.net", "fastly.net", "azureedge.net",
    "azurewebsites.net", "cloudflare.net", "workers.dev", "github.io", "aliyuncs.com", "alicdn.com", "kunlunar.com",
    "myqcloud.com", "cdntip.com", "bcebos.com", "bdydns.com", "wscdns.com", "chinanetcenter.com", "qq.com",
    "myhuaweicloud.com", "hwcdn.net", "ksyuncs.com", "qiniucdn.com", "volccdn.com",
))  # fmt: skip
_ENTRY = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*|[^\s/:\[\]@?#]+)"
    r"(?(scheme)|(?P<prefix>/[0-9]{1,3})?)(?::(?P<low>[0-9]{1,5})(?:-(?P<high>[0-9]{1,5}))?)?(?(scheme)(?P<path>/[^\s?#]*)?(?:[?#]\S*)?)",
    re.IGNORECASE,
)
_IPV4 = re.compile(
    r"(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2}):([1-9][0-9]{0,4})"
)
_NAME = re.compile(r"\*|(?:\*\.)?(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?")


#: IPv6 prefixes in whose last 32 bits an IPv4 address stands: mapped (RFC 4291 2.5.5.2) and NAT64 (RFC 6052 2.1)
HOLDS_IPV4 = (Network(0xFFFF << 32, 96, 128), Network(0x64FF9B << 96, 96, 128))
#: 6to4: an IPv4 address stands behind 16 bits (RFC 3056 2)
_SIX_TO_FOUR = Network(0x2002 << 112, 16, 128)


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - 10,000 rules, which most runs do not need

    return PublicSuffixList()


def is_public_suffix(name: str) -> bool:
    """Return True if registries or hosts give names directly below this one to anybody, or a level further down.

    The list is publicsuffix.org's. A rule for a wildcard (`*.compute.example`) makes what it is below public as well.
    """
    return _suffixes().is_public(name)


def leading_to(network: Network) -> tuple[Network, ...]:
    """Return the IPv6 networks whose addresses lead to those of an IPv4 network; of an IPv6 network there are none."""
    if network.width != 32:
        return ()
    held = (Network(each.start | network.start, 96 + network.length, 128) for each in HOLDS_IPV4)
    return *held, Network(_SIX_TO_FOUR.start | network.start << 80, 16 + network.length, 128)


def ipv4_in(address: bytes) -> bytes | None:
    """Return the IPv4 address that an IPv6 address leads to, as octets; None if there is none in it."""
    if len(address) == 4:
        return None
    if any(each.has(address) for each in HOLDS_IPV4):
        return address[-4:]
    return address[2:6] if _SIX_TO_FOUR.has(address) else None


class Destination(NamedTuple):
    """An entry of a data list: a network, or a name (in lower case; `*.` stands for all names below), and ports.

    `open_ended` says why it names no certain destination, so that it directs nothing, and `too_many_ports` why it opens
    more ports than a contract names; both are empty where that is not so. `protocol` is that of its scheme (IANA), None
    for any; `path` that of a URL, where it is said in the clear. `untold` is one that nobody can judge. `says`: clients
    of its scheme say its name first.
    """

    text: str
    host: Network | str
    ports: range | None
    open_ended: str = ""
    too_many_ports: str = ""
    protocol: int | None = None
    path: str = ""
    untold: str = ""
    says: bool = False

    @classmethod
    def parse(cls, text: str) -> Destination:
        """Read `192.0.2.10:443`, `192.0.2.0/28:8883`, `[2001:db8::1]:443`, `*.example.net:443-445`, a URL, or `*`.

        A scheme says the protocol (`udp://192.0.2.0/28:5683`, `mqtts://broker.example.net`). Raises ValueError.
        """
        return _parse(text)

    def within(self, other: Destination) -> bool:
        """Whether another entry lets through all that this one does."""
        if other.ports is not None and (
            self.ports is None or not (self.ports[0] in other.ports and self.ports[-1] in other.ports)
        ):
            return False
        if other.protocol not in (None, self.protocol) or not under(self.path, other.path):
            return False
        if isinstance(self.host, str) or isinstance(other.host, str):
            return isinstance(self.host, str) and isinstance(other.host, str) and _named(self.host, other.host)
        return self.host.within(other.host)


def under(path: str, prefix: str) -> bool:
    """Whether a path of a URL is another one, or below it, with or without a query; an empty one has all below it.

    Both are compared as servers read them: without escapes and dot segments (RFC 3986 6.2.2).
    """
    if not prefix:
        return True
    whole, base = _plain_path(path), _plain_path(prefix)
    return whole == base or whole.startswith(base.rstrip("/") + "/")


def _plain_path(path: str) -> str:
    plain = unquote(path.partition("?")[0].partition("#")[0]).replace("\\", "/")
    while "%" in plain and (again := unquote(plain)) != plain:  # what is escaped twice some servers read twice
        plain = again
    return normpath("/" + plain.lstrip("/"))


def _destination(text: str, host: Network | str, ports: range | None, scheme: str = "", path: str = "") -> Destination:
    told = path.rstrip("/") if scheme in _CLEAR else ""
    untold = path if path.rstrip("/") and not told else ""
    says = scheme in _SAYING and isinstance(host, str)
    rest = _open_ended(host), _too_many(ports), _PROTOCOLS.get(scheme), told, untold, says
    return Destination(text, host, ports, *rest)


def _open_ended(host: Network | str) -> str:
    if not isinstance(host, str):
        return _too_short(host)
    base = host.removeprefix("*").removeprefix(".")
    if not host.startswith("*"):
        return ""
    shared = any(base == each or base.endswith(f".{each}") for each in _SHARED)
    if base.count(".") < 1 or shared or is_public_suffix(base):
        return f"anybody may have a name that {host} stands for"
    return ""


def _too_many(ports: range | None) -> str:
    if ports is None:
        return "names no port"
    return f"opens {len(ports)} ports" if len(ports) > 1 else ""


def _named(name: str, other: str) -> bool:
    return name == other or (other.startswith("*") and name.removeprefix("*").endswith(other.removeprefix("*")))


def _too_short(network: Network) -> str:
    length, shortest = network.length, _SHORTEST_4 if network.width == 32 else _SHORTEST_6
    if any(network.within(each) for each in HOLDS_IPV4):
        length, shortest = length - 96, _SHORTEST_4
    return f"its prefix is shorter than /{shortest}" if length < shortest else ""


@lru_cache(maxsize=1 << 14)
def _parse(text: str) -> Destination:
    text = text.strip()
    plain = _IPV4.fullmatch(text)  # most entries, and an operator has millions of them
    if plain is not None:
        first, second, third, fourth, port = map(int, plain.groups())
        if max(first, second, third, fourth) < 256 and port < 1 << 16:
            address = (first << 24) + (second << 16) + (third << 8) + fourth
            return Destination(text, Network(address, 32, 32), range(port, port + 1))
    if text == "any":
        return _destination(text, "*", None)
    transport = _TRANSPORT.match(text)
    match = _ENTRY.fullmatch(text, transport.end() if transport else 0)
    if match is None or (transport and match["scheme"]):
        raise ValueError(f"{text!r} is no destination; write for example 192.0.2.10:443 or https://www.example.net")
    scheme = ((transport or match)[1] or "").lower()
    low, high = match["low"] or _PORTS.get(scheme), match["high"]
    if scheme and scheme not in _PROTOCOLS:
        raise ValueError(f"{text!r}: unknown scheme {scheme!r}; write tcp:// or udp:// with a port, or {_SCHEMES}")
    ports = None if low is None else range(int(low), int(high or low) + 1)
    if ports is not None and not (ports and ports[0] > 0 and ports[-1] < 1 << 16):
        raise ValueError(f"{text!r}: a port is a number from 1 to 65535, a range has the lower one first")
    host = _host(match["host"].strip("[]"), match["prefix"] or "", text)
    return _destination(text, host, ports, scheme, match["path"] or "")


def _host(host: str, prefix: str, text: str) -> Network | str:
    try:
        return Network.parse(host + prefix)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        # what ends in a number is an address to all who look it up (URL standard 3.5), in some form of its own
        if prefix or not _NAME.fullmatch(host) or last.isdigit() or last.lower().startswith("0x"):
            raise ValueError(f"{text!r} holds neither an address nor a name") from None
        return _as_said(host.rstrip(".").lower(), text)


def _as_said(name: str, text: str) -> str:
    """Return a name as clients and resolvers say it, in ASCII (RFC 5890 2.3.2.1)."""
    if name.isascii():
        return name
    try:
        said = name.encode("idna").decode("ascii")
        read = said.encode("ascii").decode("idna")
    except UnicodeError:
        said = read = ""
    if read != name:
        raise ValueError(f"{text!r} is no name of one reading; write it as it is asked for (xn--...)")
    return said


def check_number(text: str) -> str:
    """Return an entry of a voice or SMS list, a number or short code. Raises ValueError for what is none.

    Patterns (`138*`) are entries, and `open_number` says what is wrong with them.
    """
    digits = text.strip().removeprefix("+")
    if not digits or not set(digits) <= set("0123456789*?x-") or len(digits) > 21:
        raise ValueError(f"{text!r} is no number")
    return digits


def open_number(number: str) -> str:
    """Why an entry of a voice or SMS list names no certain party; empty if it does."""
    return "" if number.isdigit() else f"{number} stands for many numbers"
