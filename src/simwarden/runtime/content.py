"""Content of user traffic, as a file states it and as it is shown where it arrives."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Self

from pydantic import model_validator

from simwarden.model.values import GIVEN, NUMBER, OCTETS
from simwarden.runtime.declare import HISTORY, Hexadecimal, Model, Observable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.model.values import Values
    from simwarden.runtime.site import Site

#: octets of the longest datagram (UDP by IPv4)
_LONGEST_DATAGRAM: Final = 65507
#: contents that an element remembers, to count how often each arrived; of more the first is forgotten
_MOST: Final = 4096


class Content(Model):
    """Octets of an application, as text or in hexadecimal digits."""

    text: str = ""
    """The octets as text (UTF-8). In double quotes YAML reads `\\r\\n` as the end of a line."""
    hex: Hexadecimal = ""
    """The octets in hexadecimal digits; blanks may separate them."""

    @model_validator(mode="after")
    def _is_either(self) -> Self:
        if self.text and self.hex:
            raise ValueError("expected text or hex, got both")
        return self

    @property
    def content(self) -> bytes:
        """The octets."""
        return self.text.encode() or bytes.fromhex(self.hex)

    def check_datagram(self) -> None:
        """Raise ValueError for content that does not fit in one datagram."""
        if len(self.content) > _LONGEST_DATAGRAM:
            raise ValueError(f"{len(self.content)} octets do not fit in a datagram (at most {_LONGEST_DATAGRAM})")


def payload_of(doc: str, facts: Mapping[str, Values]) -> Observable:
    """Return the observable of octets that arrive, with these facts beside them."""
    content = {"text": GIVEN.or_none(), "hex": OCTETS, "octets": NUMBER, "times": NUMBER}
    return Observable("payload", doc, fields={**facts, **content}, passing=HISTORY)


class Payloads:
    """The octets that have arrived at an element, and how often."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._times: dict[str, int] = {}

    def note(self, data: bytes, facts: Mapping[str, str | int]) -> None:
        """Report octets that have arrived, with the facts that the observable declares."""
        key = " ".join(map(str, (*facts.values(), hashlib.sha256(data).hexdigest()[:16])))
        if key not in self._times and len(self._times) >= _MOST:
            del self._times[next(iter(self._times))]
        times = self._times[key] = self._times.get(key, 0) + 1
        shown = {"text": _as_text(data), "hex": data.hex(), "octets": len(data), "times": times}
        self._site.observe("payload", {**facts, **shown}, key=key)


def _as_text(data: bytes) -> str | None:
    """Return octets as text, None if they are not text."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if all(each.isprintable() or each in "\r\n\t" for each in text) else None
