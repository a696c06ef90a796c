"""What the OCS tells the operator's systems, by audited action."""

from __future__ import annotations

from simwarden.operations import event_kinds as kinds

#: the action of a changed quota that a card had, which the limit counts
CHANGE = "quota-changed"

AUDITED = {"quota": kinds.QUOTA, CHANGE: kinds.QUOTA}
EVENTS = kinds.told(AUDITED)
