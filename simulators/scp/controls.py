"""The rules that the SCP enforces."""

from __future__ import annotations

from typing import Final

from simwarden.policy.calls import (
    judge_call_hours,
    judge_call_numbers,
    judge_call_party,
    judge_call_state,
    judge_call_time,
    judge_pin,
    judge_same_owner,
    judge_ssp,
)
from simwarden.policy.decision import Control
from simwarden.policy.operator import CHANGE_LIST, PROVISION, list_controls

#: a call of the card's, also a forwarded one; one to it; where its logic connects it elsewhere; while it goes on
MO, MT, REDIRECTED, IN_CALL = "originating-call", "terminating-call", "redirected-call", "call-in-progress"
REPORT, DIGITS, ASKED = "apply-charging-report", "prompt-and-collect", "initial-dp"
_CALLS = (MO, MT)

SSP: Final = Control(
    "scp.ssp",
    "dir.voice",
    judge_ssp,
    (ASKED,),
    "Calls come by SSPs of the dedicated core only",
    cardless=(ASKED,),
)
STATE: Final = Control(
    "voice.suspended", "dir.voice", judge_call_state, (*_CALLS, IN_CALL), "A suspended card has no calls"
)
LIST: Final = Control(
    "voice.directed",
    "fn.voice.directed",
    judge_call_party,
    (*_CALLS, REDIRECTED, IN_CALL),
    "Calls with the numbers of the card's list only, both ways; without a list voice is off",
    also=("fn.voice.open", "dir.voice", "class.off", "mon.whitelist"),
)
HOURS: Final = Control(
    "voice.hours", "dir.voice", judge_call_hours, (*_CALLS, REPORT), "Calls at the card's hours only"
)
PIN: Final = Control("voice.pin", "dir.voice", judge_pin, (DIGITS,), "Calls of the card by who knows its PIN")
QUOTA: Final = Control("voice.quota", "quota", judge_call_time, (*_CALLS, REPORT), "So many minutes of calls a month")
OWNER: Final = Control(
    "voice.owner", "fn.change", judge_same_owner, (IN_CALL,), "A call ends with the ownership of its card"
)
NUMBERS: Final = Control(
    "voice.numbers",
    "fn.voice.directed",
    judge_call_numbers,
    (PROVISION, CHANGE_LIST),
    "At most 5 numbers a card, in and out together, unless an exception is approved",
)
LIST_CHANGES: Final = list_controls("voice", "The operator alone says with whom a card has calls")
ALL: Final = (SSP, STATE, LIST, HOURS, PIN, QUOTA, OWNER, NUMBERS, *LIST_CHANGES.declared)
