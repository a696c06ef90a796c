"""X2AP between eNBs."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Family, Interface, Service

X2: Final = Family(
    name="x2",
    title="X2AP",
    reading="simwarden.wire.x2.reading:X2",
    place=45,
    interfaces=(Interface("X2", "x2", Service.MESSAGES, 36422, 27, "TS 36.423"),),
    cause_fields=(CauseField("cause", "X2AP"),),
    reasons=frozenset({"handover-cancel", "handover-request"}),
    layers=frozenset({"x2ap", "lte_rrc"}),
)
