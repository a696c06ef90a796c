"""What the PGW tells the operator's systems, by audited action."""

from __future__ import annotations

from simwarden.operations import event_kinds as kinds
from simwarden.operations.card_lists import CHANGED_LIST, GIVEN_LIST

#: the audited actions of cells that a card is bound to for the first time, and of changed ones, which the limit counts
GIVEN_AREA, CHANGED_AREA = "area", "area-changed"
AUDITED = {
    GIVEN_LIST: kinds.LIST,
    CHANGED_LIST: kinds.LIST,
    GIVEN_AREA: kinds.AREA,
    CHANGED_AREA: kinds.AREA,
}
EVENTS = kinds.told(AUDITED)
