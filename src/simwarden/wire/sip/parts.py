"""Parts of header fields: URIs, addresses with their parameters, Via and CSeq (RFC 3261 19.1, 20, 25)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Mapping

_BAD: Final = 400
_NUMBER: Final = re.compile(r"\+?[0-9*#()\-. ]+", re.ASCII)
_SEPARATORS: Final = str.maketrans("", "", "()-. ")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-_]+)(?::(\d{1,5}))?", re.ASCII)
_COOKIE: Final = "z9hG4bK"
"""What a branch begins with (8.1.1.7): transactions are told apart by it."""


def _parameters(text: str) -> dict[str, str]:
    """Read `;name=value` behind something; names are in small letters, values as they are, without quotes."""
    found = {}
    for each in _split(text, ";"):
        name, _, value = each.partition("=")
        if name.strip():
            found[name.strip().lower()] = value.strip().strip('"')
    return found


def _split(text: str, mark: str) -> list[str]:
    """Split at a mark that is neither quoted nor within angle brackets."""
    if '"' not in text and "<" not in text:
        return text.split(mark)
    parts, start, quoted, inside = [], 0, False, False
    for at, letter in enumerate(text):
        if letter == '"' and (not at or text[at - 1] != "\\"):
            quoted = not quoted
        elif not quoted and letter in "<>":
            inside = letter == "<"
        elif letter == mark and not quoted and not inside:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def split_list(value: str) -> list[str]:
    """Split a header field that is a list of several."""
    return [each.strip() for each in _split(value, ",") if each.strip()]


def _shown(parameters: Mapping[str, str]) -> str:
    return "".join(f";{name}={value}" if value else f";{name}" for name, value in parameters.items())


def _host_port(text: str) -> tuple[str, int | None]:
    match = _HOST.fullmatch(text.strip())
    port = int(match[2]) if match is not None and match[2] else None
    if match is None or (port is not None and not 0 < port < 1 << 16):
        raise PeerError(f"no host: {text!r}", code=_BAD)
    return match[1], port


@dataclass(frozen=True, slots=True)
class Uri:
    """A sip, sips or tel URI. Of tel the number is the `user`, and there is no host."""

    user: str
    host: str = ""
    port: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "sip"

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Read a URI; what a sip URI has in headers behind `?` is left out. Raises PeerError (400, 416)."""
        scheme, colon, rest = text.strip().partition(":")
        scheme = scheme.lower()
        if not colon or scheme not in ("sip", "sips", "tel"):
            raise PeerError(f"no URI of sip or tel: {text!r}", code=416 if colon else _BAD)
        rest = rest.partition("?")[0]
        if scheme == "tel":
            number, _, more = rest.partition(";")
            if not _NUMBER.fullmatch(number):
                raise PeerError(f"no number: {number!r}", code=_BAD)
            return cls(number, parameters=_parameters(more), scheme=scheme)
        user, at, place = rest.rpartition("@")
        where, _, more = place.partition(";")
        host, port = _host_port(where)
        return cls(user.partition(":")[0] if at else "", host, port, _parameters(more), scheme)

    @property
    def number(self) -> str:
        """The telephone number that it has, without what only separates digits; empty if it has none."""
        user = self.user.partition(";")[0]
        return user.translate(_SEPARATORS) if _NUMBER.fullmatch(user) else ""

    def __str__(self) -> str:
        place = self.host if self.port is None else f"{self.host}:{self.port}"
        where = self.user if self.scheme == "tel" else f"{self.user}@{place}" if self.user else place
        return f"{self.scheme}:{where}{_shown(self.parameters)}"


@dataclass(frozen=True, slots=True)
class NameAddress:
    """Who or where: From, To, Contact, Route, P-Asserted-Identity."""

    uri: Uri
    display: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> NameAddress:
        """Read one address. Without angle brackets parameters belong to the header field (20.10). Raises PeerError."""
        head, *_ = _split(text, ";")
        if "<" in head:
            display, _, rest = head.partition("<")
            uri, closed, _ = rest.partition(">")
            more = text.strip()[len(head.strip()) :]
            if not closed:
                raise PeerError(f"an address without its end: {text!r}", code=_BAD)
            return cls(Uri.parse(uri), display.strip().strip('"'), _parameters(more.lstrip(";")))
        uri, _, more = text.strip().partition(";")
        return cls(Uri.parse(uri), "", _parameters(more))

    @property
    def tag(self) -> str:
        """Its tag, empty if it has none."""
        return self.parameters.get("tag", "")

    def with_tag(self, tag: str) -> NameAddress:
        """Return the same with a tag."""
        return NameAddress(self.uri, self.display, {**self.parameters, "tag": tag})

    def __str__(self) -> str:
        display = f'"{self.display}" ' if self.display else ""
        return f"{display}<{self.uri}>{_shown(self.parameters)}"


@dataclass(frozen=True, slots=True)
class Via:
    """Where a response goes (20.42)."""

    host: str
    port: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    transport: str = "UDP"

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one Via. Raises PeerError."""
        protocol, blank, rest = text.strip().partition(" ")
        name, _, version_transport = protocol.partition("/")
        version, _, transport = version_transport.partition("/")
        if not blank or name.strip().upper() != "SIP" or version.strip() != "2.0" or not transport:
            raise PeerError(f"no Via: {text!r}", code=_BAD)
        where, _, more = rest.strip().partition(";")
        host, port = _host_port(where)
        return cls(host, port, _parameters(more), transport.strip().upper())

    @property
    def branch(self) -> str:
        """Its branch, empty for one that is not by RFC 3261."""
        branch = self.parameters.get("branch", "")
        return branch if branch.startswith(_COOKIE) else ""

    @property
    def sent_by(self) -> str:
        """Host and port as they were sent."""
        return f"{self.host.lower()}:{self.port or 5060}"

    def __str__(self) -> str:
        place = self.host if self.port is None else f"{self.host}:{self.port}"
        return f"SIP/2.0/{self.transport} {place}{_shown(self.parameters)}"


class CSeq(NamedTuple):
    """The number and method of a request (20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Read it. Raises PeerError."""
        number, _, method = text.strip().partition(" ")
        if not (number.isascii() and number.isdigit()) or int(number) >= 1 << 31 or not method.strip():
            raise PeerError(f"no CSeq: {text!r}", code=_BAD)
        return cls(int(number), method.strip())

    def __str__(self) -> str:
        return f"{self.number} {self.method}"
