"""SCCP, which MTP3's users on M3UA carry, and which carries TCAP."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family

SCCP: Final = Family(
    name="sccp",
    title="SCCP",
    reading="simwarden.wire.sccp.reading:Sccp",
    place=86,
    carries=("tcap",),
    causes=(Causes("simwarden.wire.sccp.enums", "Q.713"),),
    cause_fields=(CauseField("return_cause", "SCCP"),),
    carriers=frozenset({"unitdata", "extended-unitdata"}),
    exported=True,
    layers=frozenset({"sccp", "tcap", "camel", "gsm_map"}),
)
