"""The rules that an SGW enforces."""

from __future__ import annotations

from typing import Final

from simwarden.policy.core import judge_core_element
from simwarden.policy.decision import Control

CREATE_SESSION: Final = "create-session"
PEER: Final = Control(
    "sgw.peer", "fn.core", judge_core_element, (CREATE_SESSION,), "Sessions only for MMEs that are dedicated to IoT"
)
PGW: Final = Control(
    "sgw.pgw", "fn.core", judge_core_element, (CREATE_SESSION,), "Sessions only to PGWs that are dedicated to IoT"
)
ALL: Final = (PEER, PGW)
