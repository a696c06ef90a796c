"""The rules that the PCRF enforces, by what it tells PGWs."""

from __future__ import annotations

from typing import Final

from simwarden.policy.binding import judge_peer, judge_subscriber
from simwarden.policy.data_access import judge_destinations, judge_directed
from simwarden.policy.decision import Control
from simwarden.policy.operator import CHANGE_LIST, PROVISION, list_controls
from simwarden.runtime.diameter.server import CONNECTION

#: a session begins; its PGW is told of other rules; any request of a PGW that is no peer itself
INITIAL, RE_AUTH, ASKED = "credit-control-initial", "re-auth", "credit-control"
#: a PGW reports another QoS of the default bearer, which its rules get as well
UPDATE = "credit-control-update"

PEER: Final = Control(
    "pcrf.peer",
    "dir.data.whitelist",
    judge_peer,
    (CONNECTION, ASKED),
    "PGWs of the dedicated core only",
    cardless=(CONNECTION, ASKED),
)
SUBSCRIBER: Final = Control(
    "pcrf.subscriber", "reg.issued", judge_subscriber, (INITIAL,), "Rules for provisioned cards only"
)
LIST: Final = Control(
    "data.whitelist",
    "dir.data.whitelist",
    judge_directed,
    (INITIAL, UPDATE, RE_AUTH),
    "A card with a whitelist gets rules for its destinations only",
    also=("fn.data.directed",),
    narrows=True,
)
ENTRIES: Final = Control(
    "data.entries",
    "fn.data.directed",
    judge_destinations,
    (PROVISION, CHANGE_LIST),
    "At most 10 destinations a card, none of them anybody's, unless an exception is approved",
)
LIST_CHANGES: Final = list_controls("data", "The operator alone says with whom a card exchanges packets")
ALL: Final = (PEER, SUBSCRIBER, LIST, ENTRIES, *LIST_CHANGES.declared)
