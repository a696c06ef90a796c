"""The rules that the OCS decides by; who asked it enforces what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.ocs.service import Service
from simwarden.policy.binding import judge_peer
from simwarden.policy.decision import Control
from simwarden.policy.operator import PROVISION, change_controls
from simwarden.policy.quota import judge_units, judge_volume
from simwarden.runtime.diameter.server import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Mapping

#: the interrogations of a session, and the event that is none (RFC 8506 8.3)
INITIAL, UPDATE, EVENT = "initial-request", "update-request", "event-request"
ASKED = "credit-control"
#: the quota that a card has is given, changed and taken away
CHANGE_QUOTA, END_QUOTA = "change-the-quota", "end-the-quota"

DATA: Final = Control(
    "ocs.data",
    "quota",
    judge_units,
    (INITIAL, UPDATE),
    "So many octets a month, over all of a card's sessions",
    also=("fn.data.small", "fn.data.large"),
    function="data",
)
SMS: Final = Control("ocs.sms", "quota", judge_units, (EVENT,), "So many messages a month", function="sms")
VOICE: Final = Control(
    "ocs.voice", "quota", judge_units, (INITIAL, UPDATE), "So many minutes of calls a month", function="voice"
)
SMALL: Final = Control(
    "ocs.small",
    "fn.data.small",
    judge_volume,
    (PROVISION, CHANGE_QUOTA),
    "A card of small data has at most 100 MB a month",
    also=("fn.data.large",),
)
PEER: Final = Control(
    "ocs.peer",
    "quota",
    judge_peer,
    (CONNECTION, ASKED),
    "Known nodes only are given units, and tell what was used",
    cardless=(CONNECTION,),
)
_CHANGES: Final = (CHANGE_QUOTA, END_QUOTA)
QUOTA_CHANGES: Final = change_controls(
    "ocs",
    "quota",
    operator=_CHANGES,
    approval=_CHANGES,
    changes=_CHANGES,
    change="quota",
    alone="The operator alone says what a card may use",
)
OF: Final[Mapping[Service, Control]] = {Service.DATA: DATA, Service.SMS: SMS, Service.VOICE: VOICE}
"""The control of each service."""
ALL: Final = (*OF.values(), SMALL, PEER, *QUOTA_CHANGES.declared)
