"""What the MME tells the operator's systems, by audited action."""

from __future__ import annotations

from simwarden.operations import event_kinds as kinds

#: the action of the record that a card was found outside its area
OUTSIDE = "outside-area"
#: the action of the record that an eNB gives no location reports
UNREPORTED = "no-location-reports"
#: the action of a changed area that a card had, which the limit counts
CHANGE = "area-change"

AUDITED = {
    "area": kinds.AREA,
    CHANGE: kinds.AREA,
    OUTSIDE: kinds.RISK,
}
EVENTS = kinds.told(AUDITED)
