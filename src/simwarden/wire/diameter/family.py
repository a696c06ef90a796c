"""Diameter, with a reference point for each application.

An application of another package is found by its entry point, which has the name of its reference point.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Final

from simwarden.wire.family import CauseField, Causes, Family, Interface, Service

_SUCCESS: Final = range(2000, 3000)
_ON_WHITE_LIST: Final = range(1)
#: the entry points by which other packages bring applications: see `simwarden.wire.diameter.dictionary`
GROUP: Final = "simwarden.diameter"


def _interface(name: str, spec: str = "") -> Interface:
    return Interface(name, "diameter", Service.STREAM, 3868, 46, spec)


DIAMETER: Final = Family(
    name="diameter",
    title="Diameter",
    reading="simwarden.wire.diameter.reading:Diameter",
    place=80,
    interfaces=(
        _interface("S6a", "TS 29.272"),
        _interface("S13", "TS 29.272"),
        _interface("Gx", "TS 29.212"),
        _interface("Gy", "TS 32.299, RFC 8506"),
        _interface("Ro", "TS 32.299, RFC 8506"),
        _interface("SGd", "TS 29.338"),
        _interface("S6c", "TS 29.338"),
        *(_interface(each.name) for each in sorted(entry_points(group=GROUP))),
    ),
    carries=("tpdu",),
    causes=(Causes("simwarden.wire.diameter.codes"),),
    cause_fields=(
        CauseField("experimental_result", "Experimental-Result", _SUCCESS),
        CauseField("result_code", "Result-Code", _SUCCESS),
        CauseField("equipment_status", "Equipment-Status", _ON_WHITE_LIST),
    ),
    introduced=True,
    silenced=True,
    repeats=True,
    results=True,
    layers=frozenset({"diameter", "gsm_sms", "gsm_sms_ud"}),
)
