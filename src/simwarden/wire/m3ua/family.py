"""M3UA, which carries the signalling of calls and of mobility between SSP, SCP, HLR and EIR."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family, Interface, Service

SIGTRAN: Final = "M3UA"
"""The reference point: one association carries what both ends have for each other, and a relay's what goes through."""

M3UA: Final = Family(
    name="m3ua",
    title="M3UA",
    reading="simwarden.wire.m3ua.reading:M3ua",
    place=85,
    interfaces=(Interface(SIGTRAN, "m3ua", Service.MESSAGES, 2905, 3, "RFC 4666", self_delimiting=True),),
    carries=("sccp",),
    causes=(Causes("simwarden.wire.m3ua.enums", "RFC 4666"),),
    cause_fields=(CauseField("error_code", "M3UA"),),
    carriers=frozenset({"data"}),
    layers=frozenset({"m3ua", "sccp", "tcap", "camel", "gsm_map"}),
)
