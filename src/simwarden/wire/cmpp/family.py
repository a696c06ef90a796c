"""CMPP 2.0, which platforms of customers in China speak to a gateway."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family, Interface, Service

CMPP: Final = Family(
    name="cmpp",
    title="CMPP",
    reading="simwarden.wire.cmpp.reading:Cmpp",
    place=96,
    interfaces=(Interface("CMPP", "cmpp", Service.STREAM, 7890, spec="CMPP 2.0"),),
    causes=(Causes("simwarden.wire.cmpp.enums", "CMPP 2.0"),),
    cause_fields=(CauseField("status", "CMPP", range(1)), CauseField("result", "CMPP", range(1))),
    layers=frozenset({"cmpp"}),
)
