"""Diameter between MME, HSS, EIR and CMP."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family, Interface, Service

_SUCCESS: Final = range(2000, 3000)
_ON_WHITE_LIST: Final = range(1)

DIAMETER: Final = Family(
    name="diameter",
    title="Diameter",
    reading="simwarden.wire.diameter.reading:Diameter",
    place=80,
    interfaces=(
        Interface("S6a", "diameter", Service.STREAM, 3868, 46, "TS 29.272"),
        Interface("S13", "diameter", Service.STREAM, 3868, 46, "TS 29.272"),
    ),
    causes=(Causes("simwarden.wire.diameter.codes"),),
    cause_fields=(
        CauseField("experimental_result", "Experimental-Result", _SUCCESS),
        CauseField("result_code", "Result-Code", _SUCCESS),
        CauseField("equipment_status", "Equipment-Status", _ON_WHITE_LIST),
    ),
    introduced=True,
    silenced=True,
    results=True,
    layers=frozenset({"diameter"}),
)
