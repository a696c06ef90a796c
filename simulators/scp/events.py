"""What the SCP tells the operator's systems, by audited action."""

from __future__ import annotations

from simwarden.operations import event_kinds as kinds

#: the action of a changed list that a card had, which the limit counts
CHANGE = "list-changed"

AUDITED = {"list": kinds.LIST, CHANGE: kinds.LIST, "suspend": kinds.SUSPENDED, "resume": kinds.RESUMED}
EVENTS = kinds.told(AUDITED)
