"""What the octets of a flow show of whom it is for; `http`, `tls`, `quic` and `dns` read it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class By(StrEnum):
    """What shows a name."""

    HTTP = "http"
    CONNECT = "connect"
    TLS = "tls"
    QUIC = "quic"
    DNS = "dns"
    #: octets that one server reads otherwise than another, or than we: nobody can say what they show
    UNREADABLE = "unreadable"


class Shown(NamedTuple):
    """A name that a client shows.

    `host` is in lower case, without port and final dot, "" if `by` is UNREADABLE, or a request of HTTP says none; an
    IPv6 address is in brackets.
    `path` is that of a request of clear HTTP, without its query and in the form of RFC 3986 6.2.2; None if there is
    none, or servers read it in several ways. `kind` is the type that a DNS question asks for (`A`, `TYPE65400`).
    """

    host: str
    by: By
    path: str | None = None
    kind: str = ""


#: no entry of a list has this name
UNREADABLE: Final = Shown("", By.UNREADABLE)


def host_text(octets: bytes) -> str:
    """Return a name from outside as text: what no name has in it is shown by escapes, so that it is none of a list."""
    text = octets[:253].decode("ascii", "backslashreplace").lower().removesuffix(".")
    return text if text.isprintable() else text.encode("unicode_escape").decode()
