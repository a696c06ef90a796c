"""DTAP: what a terminal and its MSC say of mobility and of calls, here without a cell between them."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family, Interface, Service

UM: Final = "Um"
"""The reference point: the radio of 2G, without a cell between terminal and MSC."""

DTAP: Final = Family(
    name="dtap",
    title="DTAP",
    reading="simwarden.wire.dtap.reading:Dtap",
    place=25,
    interfaces=(
        Interface(
            UM, "dtap", Service.MESSAGES, 4998, spec="TS 24.008 between terminal and MSC, without a cell between"
        ),
    ),
    causes=(Causes("simwarden.wire.dtap.enums", "TS 24.008"), Causes("simwarden.wire.q850", "Q.850")),
    cause_fields=(CauseField("mm_cause", "MM"), CauseField("cc_cause", "CC", range(16, 17))),
    access=True,
    exported=True,
    layers=frozenset({"gsm_a.dtap", "gsm_a.rr"}),
)
