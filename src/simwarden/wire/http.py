"""The head of a request of HTTP/1 (RFC 9112), by h11, and for whom it is: what servers read in two ways is refused."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from simwarden.errors import PeerError
from simwarden.wire.shown import By, Shown

#: octets of the longest head that is read
LONGEST: Final = 1 << 14
#: octets of the longest body that is skipped
LONGEST_BODY: Final = 1 << 30
#: octets of the longest method that is read; servers answer to those that they do not know as well, and go on
_LONGEST_METHOD: Final = 255
#: how a request begins: empty lines (RFC 9112 2.2), or what else lenient servers leave out, a method, white space (3)
_BEGINNING: Final = re.compile(rb"[ \t\r\n]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]|\Z)|\Z)")
#: what is no request, and some servers refuse only, to go on behind it: text that is not at the end of its line
_TEXT: Final = re.compile(rb"[\t\r\n -~]*\Z")
_EMPTY: Final = re.compile(rb"(?:\r?\n)+")
_LINE: Final = re.compile(rb"[ \t\r\n]*([^ \t\r\n][^\n]*)\n")
_END: Final = re.compile(rb"\n\r?\n")
_HOST: Final = re.compile(r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{0,5})?")
#: a line that goes on with the next one (RFC 9112 5.2): some servers read a field of its own there
_FOLDED: Final = re.compile(rb"\n[ \t]")
#: a field behind a chunked body (RFC 9112 7.1.2)
_TRAILER: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n]*\r?\n")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")


#: what one server looks up otherwise than another, in a path without escapes: what ends it, or a part of it, elsewhere,
#: octets of no text, dots and spaces that some leave out
_READ_OTHERWISE: Final = re.compile(r"[\\;?#\ufffd]|//|/(?!\.{1,2}(?:/|\Z))[. ]+(?:/|\Z)")


#: the field that says the host, however it is written
_HOST_FIELD: Final = re.compile(rb"\n[ \t]*host[ \t]*:", re.IGNORECASE)
#: octets of a target that clients should escape (RFC 3986 2.1); servers read them as if they were
_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
#: a line that some server may take for that of a request: it names a version, or begins with a method
_REQUEST_LIKE: Final = re.compile(
    rb"(?i:HTTP/)|\A[ \t\r]*(?:[A-Z]{3,16}[ \t]|(?i:[A-Z-]{1,32}[ \t]+(?:[/*]|[A-Z][A-Z0-9+.-]*:)))"
)


class Request(NamedTuple):
    """A head: whom it shows, and what comes behind it.

    `shown` has several where its target and Host say several, and one without a host where neither does. `body` is how
    many octets follow, None if they come in chunks. `leaves`: another protocol may follow (CONNECT, Upgrade).
    """

    shown: tuple[Shown, ...]
    body: int | None
    leaves: bool


def drop_empty_lines(octets: bytearray) -> bool:
    """Take the lines without content off a beginning (RFC 9112 2.2); whether there were some. Raises PeerError."""
    found = _EMPTY.match(octets)
    if found is None and octets != b"\r":
        raise PeerError("request that begins with half the end of a line")
    del octets[: found.end() if found else 0]
    return found is not None


def first_line(octets: bytes | bytearray) -> bytes | None:
    """Return the line that octets begin with, empty if none of a request can become of them, None if it is not whole.

    Raises PeerError if it is too long, or its method is, and for one of HTTP/0.9 that names a host, to which servers
    answer.
    """
    begins, found = _BEGINNING.match(octets, 0, LONGEST), _LINE.match(octets)
    if begins is None:
        if found is None and len(octets) < LONGEST and _TEXT.match(octets):
            return None
        return found[1] if found and b"HTTP/" in found[1].upper() else b""
    if len(begins[1] or b"") > _LONGEST_METHOD:
        raise PeerError("method that is too long")
    if found is None and len(octets) > LONGEST:
        raise PeerError("line of a request that is too long")
    words = found[1].split() if found else []
    if len(words) == 2 and b"://" in words[1]:
        raise PeerError("request of HTTP/0.9 for a URI")
    return found[1] if found else None


def head_length(octets: bytes | bytearray, begin: int = 0) -> int | None:
    """Return how many octets a head has, None if it is not all there; its end is looked for from `begin` on.

    Raises PeerError if it is too long.
    """
    end = _END.search(octets, max(begin - 2, 0))
    if (end.end() if end else len(octets)) > LONGEST:
        raise PeerError("head of a request that is too long")
    return end.end() if end else None


def is_request_like(line: bytes | bytearray) -> bool:
    """Return True if a server may take a line, or the beginning of one, for that of a request."""
    return _REQUEST_LIKE.search(line) is not None


def chunk_size(line: bytes) -> int:
    """Return how many octets a chunk has, by the line before it (RFC 9112 7.1). Raises PeerError."""
    found = _CHUNK.fullmatch(line)
    if found is None:
        raise PeerError("chunk without a size")
    return _bounded(int(found[1], 16))


def ends_trailer(line: bytes) -> bool:
    """Whether a line behind the last chunk is the empty one; else it is a field. Raises PeerError if it is neither."""
    ends = line in (b"\r\n", b"\n")
    if not ends and not _TRAILER.fullmatch(line):
        raise PeerError("no field behind a body in chunks")
    return ends


def simple_request(line: bytes) -> Shown | None:
    """Return what a line shows that is a whole request of HTTP/0.9, to which servers answer yet; None if it is none."""
    words = line.split()
    if len(words) != 2 or not words[1].startswith(b"/") or not words[1].isascii():
        return None
    return Shown("", By.HTTP, _path(words[1].decode("ascii")))


def _bounded(length: int) -> int:
    if length > LONGEST_BODY:
        raise PeerError(f"body of {length} octets")
    return length


def read(head: bytes) -> Request:
    """Return what a whole head says. Raises PeerError."""
    import h11  # noqa: PLC0415 - few flows are of clear HTTP

    if _FOLDED.search(head):
        raise PeerError("field of HTTP over several lines")
    line, end, rest = head.lstrip(b"\r\n").partition(b"\n")
    if not _HOST_FIELD.search(end + rest):  # HTTP/1.1 requires it (RFC 9112 3.2), yet many servers answer
        end += b"Host:\r\n"
    method, space, target = line.partition(b" ")
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=4 * LONGEST)
    server.receive_data(method + space + _NOT_ASCII.sub(_escaped, target) + end + rest)
    try:
        request = server.next_event()
    except h11.RemoteProtocolError as error:
        raise PeerError(f"request of HTTP: {error}") from None
    if not isinstance(request, h11.Request) or request.http_version not in (b"1.0", b"1.1"):
        raise PeerError("no request of HTTP/1")  # HTTP/2 with prior knowledge begins with one of HTTP/2.0
    fields: dict[bytes, bytes] = {}
    for name, value in request.headers:
        fields[name] = fields[name] + b"," + value if name in fields else value
    connects = request.method == b"CONNECT"
    body = _body(fields, request)
    if connects and body != 0:
        raise PeerError("CONNECT with a body, which some proxies take for what goes through them (RFC 9110 9.3.6)")
    leaves = connects or b"upgrade" in fields
    return Request(_shown(request.target, fields.get(b"host", b""), connects=connects), body, leaves)


def _escaped(octet: re.Match[bytes]) -> bytes:
    return b"%%%02X" % octet[0][0]


def _body(fields: dict[bytes, bytes], request: object) -> int | None:
    """Return how long the body is (RFC 9112 6.3); two lengths, or chunks in HTTP/1.0, are how requests are smuggled."""
    if b"transfer-encoding" not in fields:
        return _bounded(int(fields.get(b"content-length", b"0")))
    if b"content-length" in fields or getattr(request, "http_version", b"") != b"1.1":
        raise PeerError("request with two lengths")
    return None


def _shown(target: bytes, host: bytes, *, connects: bool) -> tuple[Shown, ...]:
    """Return whom target and Host say: they are the same, or both count."""
    text, said = target.decode("ascii"), _host(host.decode("latin-1"))
    if connects:
        first = _host(text)
        if not first:
            raise PeerError("CONNECT to nobody")
        return (Shown(first, By.CONNECT), *((Shown(said, By.CONNECT),) if said not in ("", first) else ()))
    scheme, separator, rest = text.partition("://")
    if text.startswith(("/", "*")) or not separator:
        if text[:1] not in ("/", "*"):
            raise PeerError("request for neither a path nor a URI")
        return (Shown(said, By.HTTP, _path(text)),)
    authority, slash, path = re.split(r"([/?#]|\Z)", rest, maxsplit=1)
    named = _host(authority)
    if not scheme.isalpha() or not named:
        raise PeerError("request for a URI without a host")
    where = _path(slash + path if slash == "/" else "/")
    hosts = (named,) if said in ("", named) else (named, said)
    return tuple(Shown(each, By.HTTP, where) for each in hosts)


def _host(text: str) -> str:
    """Return a host without its port, "" if there is none. Raises PeerError for what servers read in two ways."""
    if not text:
        return ""
    found = _HOST.fullmatch(text.lower())
    if found is None:
        raise PeerError("request for a host that is no name")
    return found[1].removesuffix(".")


def _path(target: str) -> str | None:
    """Return a path as servers look it up, None where they differ: dots are gone, and what needs no escape has none."""
    path = unquote_to_bytes(target.partition("?")[0].partition("#")[0]).decode("utf-8", "replace")
    if _READ_OTHERWISE.search(path) or not path.isprintable():
        return None
    kept: list[str] = []
    for each in path.split("/")[1:]:
        if each == "..":
            del kept[-1:]
        elif each != ".":
            kept.append(each)
    ends_open = path.endswith(("/.", "/..")) and kept[-1:] != [""]
    return "/" + "/".join(kept) + ("/" if ends_open and kept else "") if path.startswith("/") else path
