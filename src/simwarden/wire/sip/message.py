"""Requests and responses (RFC 3261 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from simwarden.errors import PeerError
from simwarden.wire.sip.enums import Status
from simwarden.wire.sip.parts import CSeq, NameAddress, Via, split_list

if TYPE_CHECKING:
    from collections.abc import Iterator

#: compact forms (7.3.3)
COMPACT: Final = {
    "i": "Call-ID",
    "m": "Contact",
    "e": "Content-Encoding",
    "l": "Content-Length",
    "c": "Content-Type",
    "f": "From",
    "s": "Subject",
    "k": "Supported",
    "t": "To",
    "v": "Via",
}
_WRITTEN: Final = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate"}


def written(name: str) -> str:
    """Return the name of a header field as the specification writes it."""
    short = COMPACT.get(name.lower())
    return short or _WRITTEN.get(name.lower()) or "-".join(each.capitalize() for each in name.split("-"))


class Headers(tuple[tuple[str, str], ...]):
    """Header fields in their order, by the names that the specification writes."""

    __slots__ = ()

    def get(self, name: str) -> str | None:
        """Return the first value of a field."""
        return next((value for each, value in self if each == name), None)

    def all(self, name: str) -> list[str]:
        """Return all values of a field that may be a list."""
        return [part for each, value in self if each == name for part in split_list(value)]

    def without(self, *names: str) -> Headers:
        """Return these but for some."""
        return Headers(each for each in self if each[0] not in names)


class _Parts:
    """What both kinds of messages have."""

    __slots__ = ()
    headers: Headers

    def _needed(self, name: str) -> str:
        found = self.headers.get(name)
        if found is None:
            raise PeerError(f"no {name}", code=Status.BAD_REQUEST)
        return found

    @property
    def vias(self) -> list[Via]:
        """All Vias, the newest first. Raises PeerError, as all of these do."""
        return [Via.parse(each) for each in self.headers.all("Via")]

    @property
    def sender(self) -> NameAddress:
        """From."""
        return NameAddress.parse(self._needed("From"))

    @property
    def to(self) -> NameAddress:
        """To."""
        return NameAddress.parse(self._needed("To"))

    @property
    def contact(self) -> NameAddress | None:
        """The first Contact, None where there is none."""
        found = self.headers.all("Contact")
        return NameAddress.parse(found[0]) if found else None

    @property
    def call_id(self) -> str:
        """Call-ID."""
        return self._needed("Call-ID").strip()

    @property
    def cseq(self) -> CSeq:
        """CSeq."""
        return CSeq.parse(self._needed("CSeq"))


@dataclass(frozen=True, slots=True)
class Request(_Parts):
    """A request; Content-Length is written by itself."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response(_Parts):
    """A response."""

    status: int
    headers: Headers
    body: bytes = b""
    phrase: str = ""


Message: TypeAlias = Request | Response


def answer(request: Request, status: int, *more: tuple[str, str], tag: str = "", body: bytes = b"") -> Response:
    """Make a response to a request (8.2.6); a `tag` is put to To where it has none."""
    to = request.to
    written_to = str(to.with_tag(tag)) if tag and not to.tag else request.headers.get("To") or ""

    def kept() -> Iterator[tuple[str, str]]:
        for name, value in request.headers:
            if name in ("Via", "From", "Call-ID", "CSeq") or (name == "Record-Route" and status < 300):
                yield name, value
            elif name == "To":
                yield name, written_to

    return Response(status, Headers((*kept(), *more)), body)
