"""What the PGW tells the operator's systems, by audited action."""

from __future__ import annotations

from simwarden.operations import event_kinds as kinds
from simwarden.operations.card_lists import CHANGED_LIST, GIVEN_LIST

AUDITED = {GIVEN_LIST: kinds.LIST, CHANGED_LIST: kinds.LIST}
EVENTS = kinds.told(AUDITED)
