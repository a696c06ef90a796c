"""Bearer tokens: who calls over HTTP, known by the hashes of their tokens (RFC 6750).

A token stands in a file as it is, or as `sha256:` and the hexadecimal hash of it; only hashes are kept in memory.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

W = TypeVar("W")
_HASHED = "sha256:"


def digest(token: str) -> str:
    """Return the hash by which a token is known. Raises ValueError for an empty one, or what is no hash."""
    if not token:
        raise ValueError("an empty token is none")
    if not token.startswith(_HASHED):
        return hashlib.sha256(token.encode()).hexdigest()
    found = token.removeprefix(_HASHED).lower()
    if not re.fullmatch("[0-9a-f]{64}", found):
        raise ValueError("after sha256: 64 hexadecimal digits are expected")
    return found


def is_hashed(token: str) -> bool:
    """Whether a file holds the hash of a token only."""
    return token.startswith(_HASHED)


def bearer(header: str) -> str:
    """Return the token in an Authorization header, empty if there is none."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Tokens(Generic[W]):
    """Who calls, by token."""

    def __init__(self, known: Iterable[tuple[str, W]]) -> None:
        """Take pairs of a token (or its `sha256:` hash) and whose it is. Raises ValueError for two with one token."""
        self._known: list[tuple[str, W]] = []
        self.replace(known)

    def replace(self, known: Iterable[tuple[str, W]]) -> None:
        """Have these tokens instead. Raises ValueError as above, and changes nothing then."""
        new = [(digest(token), whose) for token, whose in known]
        if len({each for each, _ in new}) != len(new):
            raise ValueError("two callers have the same token")
        self._known = new

    def take(self, others: Tokens[W]) -> None:
        """Have the tokens of others instead."""
        self._known = others._known

    def whose(self, token: str) -> W | None:
        """Return whose a token is, None for nobody's; takes the same time for all wrong ones."""
        given, found = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest(), None
        for known, whose in self._known:
            if hmac.compare_digest(known, given):
                found = whose
        return found if token else None
