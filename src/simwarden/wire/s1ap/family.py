"""S1AP between eNB and MME."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family, Interface, Service

S1_MME: Final = "S1-MME"
"""The reference point between eNB and MME."""

S1AP: Final = Family(
    name="s1ap",
    title="S1AP",
    reading="simwarden.wire.s1ap.reading:S1ap",
    place=40,
    interfaces=(Interface(S1_MME, "s1ap", Service.MESSAGES, 36412, 18, "TS 36.413"),),
    carries=("nas",),
    causes=(Causes("simwarden.wire.s1ap.enums", "TS 36.413"),),
    cause_fields=(CauseField("cause", "S1AP"),),
    reasons=frozenset(
        {
            "e-rab-release-command",
            "e-rab-release-indication",
            "handover-cancel",
            "handover-request",
            "handover-required",
            "reset",
            "ue-context-release-command",
            "ue-context-release-request",
        }
    ),
    carriers=frozenset({"uplink-nas-transport", "downlink-nas-transport"}),
    access=True,
    layers=frozenset({"s1ap", "lte_rrc"}),
)
