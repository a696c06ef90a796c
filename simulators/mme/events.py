"""What the MME tells the operator's systems, by audited action."""

from __future__ import annotations

from simulators.mme.area_risk import CHANGE, OUTSIDE
from simwarden.operations import event_kinds as kinds

AUDITED = {
    "area": kinds.AREA,
    CHANGE: kinds.AREA,
    OUTSIDE: kinds.RISK,
}
EVENTS = kinds.told(AUDITED)
