"""MAP, by which HLR, VLR, GMSC and EIR speak of subscribers and their calls; TCAP carries it."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family

MAP: Final = Family(
    name="map",
    title="MAP",
    reading="simwarden.wire.map.reading:Map",
    place=89,
    causes=(Causes("simwarden.wire.map.enums", "TS 29.002"),),
    cause_fields=(CauseField("error_code", "MAP error"),),
    exported=True,
    layers=frozenset({"gsm_map"}),
)
