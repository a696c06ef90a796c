"""The names of the messages of each wire family, as expectations may name them."""

from __future__ import annotations

from functools import cache

from simwarden.model.interfaces import spoken_on
from simwarden.trace.dissect import MALFORMED
from simwarden.wire.family import with_carried


@cache
def message_names(protocol: str) -> frozenset[str]:
    """Return the names that a family's dissections may have, with those of what they carry; empty: any name."""
    told = [frozenset(each.read().messages()) for each in with_carried(protocol)]
    return frozenset((MALFORMED,)).union(*told) if all(told) else frozenset()


def spoken_names(interface: str) -> frozenset[str]:
    """Return the names that messages of a reference point may have, whatever it is carried by; empty: any name."""
    told = [message_names(each.protocol) for each in spoken_on(interface)]
    return frozenset().union(*told) if all(told) else frozenset()
