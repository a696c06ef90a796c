"""Operations of CAP in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.wire.cap.operations import CAP_USER
from simwarden.wire.tcap.user import ComponentReading

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORT: Final[Mapping[str, str]] = {
    "idp": "initial-dp",
    "rrb": "request-report-bcsm-event",
    "erb": "event-report-bcsm",
    "cue": "continue",
    "cwa": "continue-with-argument",
    "acr": "apply-charging-report",
    "ctr": "connect-to-resource",
    "dfc": "disconnect-forward-connection",
    "srr": "specialized-resource-report",
}


class Cap(ComponentReading):
    """How CAP is read."""

    user = CAP_USER
    specification = "TS 29.078"
    abbreviations = _SHORT
