"""The names of the messages of each wire family, as expectations may name them."""

from __future__ import annotations

from functools import cache
from importlib import import_module


@cache
def message_names(protocol: str) -> frozenset[str]:
    """Return the names that a family's dissections may have (with those they carry); empty where it tells none."""
    names: set[str] = set()
    for family in (protocol, "nas") if protocol in ("s1ap", "uu") else (protocol,):
        try:
            module = import_module(f"simwarden.wire.{family}")
        except ModuleNotFoundError:
            return frozenset()
        told = getattr(module, "message_names", None)
        if told is None:
            return frozenset()
        names.update(told())
    return frozenset(names)
