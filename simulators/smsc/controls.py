"""The rules that the centre enforces."""

from __future__ import annotations

from typing import Final

from simwarden.policy.access_codes import judge_content
from simwarden.policy.binding import judge_peer
from simwarden.policy.core import judge_core_number
from simwarden.policy.decision import Control
from simwarden.policy.operator import CHANGE_LIST, PROVISION, list_controls
from simwarden.policy.short_messages import (
    judge_correspondent,
    judge_gateway,
    judge_message_quota,
    judge_numbers,
    judge_originator,
)
from simwarden.runtime.diameter.server import CONNECTION

#: a card's message, a platform's, and each attempt to deliver one that is kept
MO, SUBMIT, ATTEMPT = "mo-forward-short-message", "submit-sm", "delivery-attempt"
BIND, ALERT = "bind", "alert-service-centre"

NUMBER: Final = Control(
    "fn.core", "fn.core", judge_core_number, (MO, SUBMIT), "Messages of and for numbers that are dedicated to IoT only"
)
LIST: Final = Control(
    "sms.directed",
    "fn.sms.directed",
    judge_correspondent,
    (MO, SUBMIT, ATTEMPT),
    "Messages with the numbers of the card's list only, both ways; without a list SMS is off",
    also=("fn.sms.open", "dir.sms", "class.off", "mon.whitelist"),
)
ORIGINATOR: Final = Control(
    "sms.originator", "dir.sms", judge_originator, (SUBMIT,), "A gateway sends by its own codes only"
)
CONTENT: Final = Control(
    "sms.content", "dir.sms", judge_content, (SUBMIT,), "What works on the card itself from the operator's code only"
)
GATEWAY: Final = Control(
    "smsc.gateway",
    "dir.sms",
    judge_gateway,
    (BIND,),
    "Listed gateways only, by their passwords",
    cardless=(BIND,),
)
QUOTA: Final = Control(
    "sms.quota", "quota", judge_message_quota, (MO, SUBMIT, ATTEMPT), "So many messages a month", function="sms"
)
NUMBERS: Final = Control(
    "sms.numbers",
    "fn.sms.directed",
    judge_numbers,
    (PROVISION, CHANGE_LIST),
    "At most 5 numbers of platforms a card, unless an exception is approved",
)
PEER: Final = Control(
    "smsc.peer",
    "dir.sms",
    judge_peer,
    (CONNECTION, MO, ALERT),
    "Messages come by MMEs of the dedicated core only",
    cardless=(CONNECTION,),
)
LIST_CHANGES: Final = list_controls("sms", "The operator alone says with whom a card exchanges messages")
ALL: Final = (NUMBER, LIST, ORIGINATOR, CONTENT, GATEWAY, QUOTA, NUMBERS, PEER, *LIST_CHANGES.declared)
