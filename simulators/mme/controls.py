"""The controls that the MME itself enforces. What HSS and EIR decide are controls of theirs; the MME carries it out."""

from __future__ import annotations

from simwarden.policy.access import judge_access_point, judge_barring, judge_register
from simwarden.policy.area import judge_cell, judge_extent, judge_province, judge_stations, judge_zones
from simwarden.policy.decision import Control
from simwarden.policy.equipment import judge_equipment, judge_identified
from simwarden.policy.operator import judge_binder, judge_change, judge_frequency

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
CELL = Control("area.cell", "area.cell", judge_cell, "The card's cells only", "area")
COUNT = Control("area.count", "area.count", judge_stations, "So many different base stations at most", "area")
PROVINCE = Control("area.province", "area.range", judge_province, "Base stations of the card's province only", "area")
ZONES = Control("area.zones", "area.range", judge_zones, "Tracking areas of the subscription's zone codes only")
EXTENT = Control("area.extent", "area.range", judge_extent, "No area is larger than a province")
OPERATOR = Control("area.operator", "bind.operator", judge_binder, "The operator alone says where a card may be")
APPROVAL = Control("area.approval", "fn.change", judge_change, "A changed area has its approval record")
FREQUENCY = Control("area.changes", "fn.change", judge_frequency, "An area is changed so many times a period")

CONTROLS = (
    EQUIPMENT,
    TERMINAL_IDENTITY,
    REGISTER,
    BARRING,
    ACCESS_POINT,
    CELL,
    COUNT,
    PROVINCE,
    ZONES,
    EXTENT,
    OPERATOR,
    APPROVAL,
    FREQUENCY,
)
