"""What the EIR tells the operator's systems, by audited action."""

from __future__ import annotations

from simwarden.operations import event_kinds as kinds

AUDITED = {"list": kinds.LISTED, "unlist": kinds.UNLISTED, "library": kinds.LIBRARY, "pool": kinds.POOL}
EVENTS = kinds.told(AUDITED)
