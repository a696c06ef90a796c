"""Suffixes below which anybody may have a name, by the Public Suffix List (publicsuffix.org)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - 10,000 rules, which most runs do not need

    return PublicSuffixList()


def is_public_suffix(name: str) -> bool:
    """Return True if registries or hosts give names directly below this one to anybody, or a level further down.

    A rule for a wildcard (`*.compute.example`) makes what it is below public as well.
    """
    return _suffixes().is_public(name)
