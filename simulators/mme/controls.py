"""The controls that the MME itself enforces. What HSS and EIR decide are controls of theirs; the MME carries it out."""

from __future__ import annotations

from simwarden.policy.access import judge_access_point, judge_barring, judge_register
from simwarden.policy.decision import Control
from simwarden.policy.equipment import judge_equipment, judge_identified

EQUIPMENT = Control(
    "mme.equipment", "bind.pool", judge_equipment, "The EIR's verdict on the terminal, and what stands in for none"
)
TERMINAL_IDENTITY = Control(
    "mme.terminal-identity", "bind.hss.given", judge_identified, "A terminal must say who it is before a card is served"
)
REGISTER = Control(
    "mme.register", "bind.hss.given", judge_register, "Nobody is served while the HSS cannot say whether to"
)
BARRING = Control("mme.barring", "bind.cmp", judge_barring, "Suspended subscriptions get no packet service")
ACCESS_POINT = Control("mme.access-point", "dir.data.apn", judge_access_point, "Only subscribed access points")

CONTROLS = (EQUIPMENT, TERMINAL_IDENTITY, REGISTER, BARRING, ACCESS_POINT)
