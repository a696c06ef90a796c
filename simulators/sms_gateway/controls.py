"""The rules that a business gateway enforces."""

from __future__ import annotations

from typing import Final

from simwarden.policy.access_codes import (
    judge_bind,
    judge_card_owner,
    judge_code,
    judge_content,
    judge_list_age,
    judge_listed,
    judge_rate,
)
from simwarden.policy.decision import Control
from simwarden.policy.operator import CHANGE_LIST, PROVISION, list_controls
from simwarden.policy.short_messages import judge_numbers

#: a platform binds; it submits a message, which is judged again when it goes to the SMSC; a card's message arrives
BIND, SUBMIT, FORWARD, DELIVER = "bind", "submit", "forward", "deliver"
_MESSAGES: Final = (SUBMIT, FORWARD, DELIVER)

BINDS: Final = Control(
    "sms.bind", "dir.sms", judge_bind, (BIND,), "Binds only of who proves to be a customer", cardless=(BIND,)
)
LIST_AGE: Final = Control(
    "sms.list-age", "dir.sms", judge_list_age, (SUBMIT, DELIVER), "Messages only by a list of codes that is up to date"
)
CODE: Final = Control("sms.code", "dir.sms", judge_code, _MESSAGES, "Messages only from and to codes of the customer")
OWNER: Final = Control(
    "sms.owner", "fn.sms.directed", judge_card_owner, _MESSAGES, "Messages only of a customer and its own cards", "sms"
)
LISTED: Final = Control(
    "fn.sms.directed",
    "fn.sms.directed",
    judge_listed,
    _MESSAGES,
    "Messages only of a card and the platforms on its list",
    "sms",
    also=("class.off",),
)
CONTENT: Final = Control(
    "sms.content", "dir.sms", judge_content, (SUBMIT,), "What works on the card itself from the operator's code only"
)
RATE: Final = Control("sms.rate", "dir.sms", judge_rate, (SUBMIT,), "Messages only at the rate of the contract")
NUMBERS: Final = Control(
    "sms.numbers",
    "fn.sms.directed",
    judge_numbers,
    (PROVISION, CHANGE_LIST),
    "Lists of so many numbers that are certain",
)
LIST_CHANGES: Final = list_controls("sms", "The operator alone says with whom a card exchanges messages")
ALL: Final = (BINDS, LIST_AGE, CODE, OWNER, LISTED, CONTENT, RATE, NUMBERS, *LIST_CHANGES.declared)
