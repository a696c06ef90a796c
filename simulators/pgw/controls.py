"""The rules that a PGW enforces."""

from __future__ import annotations

from typing import Final

from simwarden.policy.area import judge_cell
from simwarden.policy.core import judge_core_element, judge_core_number
from simwarden.policy.data_access import judge_denied, judge_destinations, judge_flow, judge_inbound
from simwarden.policy.decision import Control
from simwarden.policy.operator import CHANGE_LIST, PROVISION, change_controls, declared_controls, list_controls
from simwarden.policy.quota import judge_granted

#: the procedures in which rules are asked (TS 29.274 7.2)
CREATE_SESSION, MODIFY_BEARER, DELETE_SESSION = "create-session", "modify-bearer", "delete-session"
CHANGE_NOTIFICATION, UPDATE_BEARER = "change-notification", "update-bearer"
DELETE_BEARER_COMMAND, MODIFY_BEARER_COMMAND = "delete-bearer-command", "modify-bearer-command"
BEARER_RESOURCE_COMMAND = "bearer-resource-command"
#: the operator gives a card other cells, whose place is known
CHANGE, END = "change-the-area", "end-the-area"
#: the first packet of a flow comes, in either direction; a flow shows a name, or shows none
FLOW, SHOWN_NAME = "flow", "shown-name"
#: the PCRF gives a session other rules
RE_AUTH = "re-auth"
#: an OCS answers about a session that goes on, or the final units are used that an answer of it has granted
CREDIT = "credit-control-answer"
NUMBER: Final = Control(
    "fn.core", "fn.core", judge_core_number, (CREATE_SESSION,), "Sessions only for numbers that are dedicated to IoT"
)
PEER: Final = Control(
    "pgw.peer",
    "fn.core",
    judge_core_element,
    (
        *(CREATE_SESSION, MODIFY_BEARER, DELETE_SESSION, CHANGE_NOTIFICATION),
        *(DELETE_BEARER_COMMAND, MODIFY_BEARER_COMMAND, BEARER_RESOURCE_COMMAND),
    ),
    "Requests only of SGWs that are dedicated to IoT",
)
CELL: Final = Control(
    "area.cell",
    "area.cell",
    judge_cell,
    (CREATE_SESSION, MODIFY_BEARER, CHANGE_NOTIFICATION, UPDATE_BEARER, CHANGE),
    "Packets of a card in its cells only",
    "area",
)
AREA_CHANGES: Final = change_controls(
    "area",
    "area",
    operator=(CHANGE, END),
    approval=(CHANGE, END),
    changes=(CHANGE, END),
    alone="The operator alone says where a card may be",
)
WHITELIST: Final = Control(
    "data.whitelist",
    "dir.data.whitelist",
    judge_flow,
    (FLOW, SHOWN_NAME, CHANGE_LIST, RE_AUTH),
    "Packets with the destinations of the card's list only, both ways",
    also=("fn.data.directed", "mon.whitelist"),
    section="data",
)
BLACKLIST: Final = Control(
    "data.blacklist",
    "black",
    judge_denied,
    (FLOW, SHOWN_NAME, CHANGE_LIST, RE_AUTH),
    "No packets with destinations that are denied to the card",
    section="data",
)
ENTRIES: Final = Control(
    "data.entries",
    "fn.data.directed",
    judge_destinations,
    (PROVISION, CHANGE_LIST),
    "At most 10 destinations a card, none of them anybody's, unless an exception is approved",
)
GATE: Final = Control(
    "data.gate",
    "quota",
    judge_inbound,
    (FLOW,),
    "Packets from outside only of flows that the device began, and of listed servers",
)
QUOTA: Final = Control(
    "data.quota",
    "quota",
    judge_granted,
    (CREATE_SESSION, CREDIT),
    "No more octets than an OCS has granted, both ways",
    also=("fn.data.small", "fn.data.large"),
    function="data",
)
LIST_CHANGES: Final = list_controls("data", "The operator alone says with whom a card exchanges packets")
ALL: Final = declared_controls(globals())
