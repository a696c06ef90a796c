"""The rules that a PGW enforces."""

from __future__ import annotations

from typing import Final

from simwarden.policy.core import judge_core_element, judge_core_number
from simwarden.policy.decision import Control

#: the procedures in which rules are asked (TS 29.274 7.2)
CREATE_SESSION, MODIFY_BEARER, DELETE_SESSION = "create-session", "modify-bearer", "delete-session"
CHANGE_NOTIFICATION = "change-notification"
NUMBER: Final = Control(
    "fn.core", "fn.core", judge_core_number, (CREATE_SESSION,), "Sessions only for numbers that are dedicated to IoT"
)
PEER: Final = Control(
    "pgw.peer",
    "fn.core",
    judge_core_element,
    (CREATE_SESSION, MODIFY_BEARER, DELETE_SESSION, CHANGE_NOTIFICATION),
    "Requests only of SGWs that are dedicated to IoT",
)
ALL: Final = (NUMBER, PEER)
