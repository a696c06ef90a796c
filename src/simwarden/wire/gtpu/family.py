"""GTP-U between eNBs, SGW and PGW."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import Family, Interface, Service

GTPU: Final = Family(
    name="gtpu",
    title="GTP-U",
    reading="simwarden.wire.gtpu.reading:Gtpu",
    place=62,
    interfaces=tuple(
        Interface(name, "gtpu", Service.DATAGRAMS, 2152, spec="TS 29.281") for name in ("S1-U", "S5-U", "X2-U")
    ),
    carries=("ip",),
    carriers=frozenset({"g-pdu"}),
    layers=frozenset({"gtp"}),
)
