"""What the HSS tells the operator's systems, by audited action."""

from __future__ import annotations

from simulators.hss.subscriber import AREA_CHANGE, BINDING_CHANGES, CSI_CHANGE
from simwarden.operations import event_kinds as kinds

AUDITED = {
    "provision": kinds.PROVISIONED,
    "learn": kinds.LEARNED,
    "bind": kinds.REBOUND,
    **dict.fromkeys(BINDING_CHANGES, kinds.REBOUND),
    "mismatch": kinds.RISK,
    "suspend": kinds.SUSPENDED,
    "resume": kinds.RESUMED,
    "cancel-location": kinds.LOCATION,
    "subscription": kinds.SUBSCRIPTION,
    "area": kinds.AREA,
    AREA_CHANGE: kinds.AREA,
    CSI_CHANGE: kinds.SUBSCRIPTION,
}
EVENTS = kinds.told(AUDITED)
