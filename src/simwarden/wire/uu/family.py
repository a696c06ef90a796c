"""The radio between a device and an eNB."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import Family, Interface, Service

UU: Final = Family(
    name="uu",
    title="radio",
    reading="simwarden.wire.uu.reading:Uu",
    place=20,
    interfaces=(
        Interface(
            "Uu", "uu", Service.MESSAGES, 4997, spec="NAS by TS 24.301 in a frame of ours for TS 36.331", own_frame=True
        ),
    ),
    carries=("nas",),
    carriers=frozenset({"ul-information-transfer", "dl-information-transfer"}),
    access=True,
    radio=True,
    exported=True,
    layers=frozenset({"exported_pdu"}),
)
