"""Octets to messages of SIP and back (RFC 3261 7, 18.3, 25)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.wire.sip.enums import Status
from simwarden.wire.sip.message import Headers, Message, Request, Response, written

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 65_507
"""Octets of the largest datagram in UDP on IPv4."""
_MOST_HEADERS: Final = 256
_NEEDED: Final = ("Via", "From", "To", "Call-ID", "CSeq")
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+", re.ASCII)
_VERSION: Final = "SIP/2.0"


def _bad(reason: str, status: Status = Status.BAD_REQUEST) -> PeerError:
    return PeerError(reason, code=status)


def encode(message: Message) -> bytes:
    """Return the octets of a message, its Content-Length at the end of its header fields."""
    if isinstance(message, Request):
        start = f"{message.method} {message.uri} {_VERSION}"
    else:
        known = message.status in {*Status}
        phrase = message.phrase or (Status(message.status).phrase if known else "Unknown")
        start = f"{_VERSION} {message.status} {phrase}"
    lines = [start, *(f"{name}: {value}" for name, value in message.headers if name != "Content-Length")]
    head = "\r\n".join([*lines, f"Content-Length: {len(message.body)}", "", ""])
    return head.encode("utf-8", "surrogateescape") + message.body


def decode(data: bytes) -> Message:
    """Read the message of one datagram. Raises PeerError with the status that answers what is wrong.

    Line ends may be LF alone, empty lines may come before (7.5), and octets behind the body are left out (18.3).
    """
    if len(data) > LONGEST:
        raise _bad(f"{len(data)} octets", Status.MESSAGE_TOO_LARGE)
    head, body = _cut(data.lstrip(b"\r\n"))
    start, *lines = _unfolded(head)
    headers = Headers(_headers(lines))
    for name in _NEEDED:
        if headers.get(name) is None:
            raise _bad(f"no {name}")
    message = _start(start, headers, _body(headers, body))
    _check(message)
    return message


def _cut(data: bytes) -> tuple[bytes, bytes]:
    found = re.search(rb"\r?\n\r?\n", data)
    if found is None:
        raise _bad("header fields without an end")
    return data[: found.start()], data[found.end() :]


def _unfolded(head: bytes) -> list[str]:
    """Return lines, those that go on in the next (7.3.1) as one."""
    lines: list[str] = []
    for each in head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n"):
        if lines and each[:1] in (" ", "\t") and len(lines) > 1:
            lines[-1] += " " + each.strip()
        else:
            lines.append(each)
    return lines


def _headers(lines: list[str]) -> Iterable[tuple[str, str]]:
    if len(lines) > _MOST_HEADERS:
        raise _bad(f"{len(lines)} header fields", Status.MESSAGE_TOO_LARGE)
    for each in lines:
        name, colon, value = each.partition(":")
        if not colon or not _TOKEN.fullmatch(name.strip()) or "\r" in value:
            raise _bad(f"no header field: {each[:60]!r}")
        yield written(name.strip()), value.strip()


def _body(headers: Headers, rest: bytes) -> bytes:
    told = headers.get("Content-Length")
    if told is None:
        return rest
    if not (told.isascii() and told.isdigit()) or len(told) > 9 or int(told) > len(rest):
        raise _bad(f"Content-Length {told[:20]} with {len(rest)} octets")
    return rest[: int(told)]


def _start(line: str, headers: Headers, body: bytes) -> Message:
    first, _, rest = line.partition(" ")
    kept = headers.without("Content-Length")
    if first.upper() == _VERSION:
        status, _, phrase = rest.partition(" ")
        if not (status.isascii() and status.isdigit() and len(status) == 3 and 100 <= int(status) < 700):
            raise _bad(f"status {status[:20]!r}")
        return Response(int(status), kept, body, phrase.strip())
    uri, _, version = rest.partition(" ")
    if first.upper().startswith("SIP/") or (version.upper().startswith("SIP/") and version.upper() != _VERSION):
        raise _bad(f"version {version or first}", Status.VERSION_NOT_SUPPORTED)
    if version.upper() != _VERSION or not _TOKEN.fullmatch(first) or not uri:
        raise _bad(f"no start line: {line[:60]!r}")
    return Request(first, uri, kept, body)


def _check(message: Message) -> None:
    """Check what every message is told apart by: what cannot be read is answered now, and not in its middle."""
    told = (message.vias, message.sender, message.to, message.contact, message.call_id, message.cseq)
    if not told[0]:
        raise _bad("no Via")
    if isinstance(message, Request) and message.cseq.method != message.method:
        raise _bad(f"CSeq of {message.cseq.method} in {message.method}")
