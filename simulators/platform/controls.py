"""The rule that a platform enforces: the far end of the route of 2.2.3(2)."""

from __future__ import annotations

from typing import Final

from simwarden.policy.access_codes import judge_own_code
from simwarden.policy.decision import Control

#: the gateway hands it a message of a card
DELIVER: Final = "deliver"
CODE: Final = Control(
    "platform.code",
    "dir.sms",
    judge_own_code,
    (DELIVER,),
    "Messages of cards only for the code that it was given",
    cardless=(DELIVER,),
)
