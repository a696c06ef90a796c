"""The controls that the MME itself enforces. What HSS and EIR decide are controls of theirs; the MME carries it out."""

from __future__ import annotations

import enum

from simwarden.policy.access import (
    judge_apn,
    judge_barring,
    judge_emergency,
    judge_hss,
    judge_station,
)
from simwarden.policy.area import judge_cell, judge_extent, judge_province, judge_stations, judge_zones
from simwarden.policy.core import judge_core_element
from simwarden.policy.decision import Control
from simwarden.policy.equipment import judge_equipment, judge_identified
from simwarden.policy.operator import change_controls, declared_controls
from simwarden.policy.short_messages import judge_service_centre, judge_sms_registration


class Occasion(enum.StrEnum):
    """When the MME asks its controls."""

    ATTACH = "attach"
    UPDATE = "tracking-area-update"
    SERVICE = "service-request"
    CONNECTIVITY = "pdn-connectivity"
    """A device in service asks for another PDN connection."""
    PREPARATION = "handover-preparation"
    """The target base station and tracking area are known, the cell is not."""
    ARRIVAL = "handover-arrival"
    PATH_SWITCH = "path-switch"
    UPLINK = "uplink-nas"
    """A message came from another cell of the same base station."""
    REPORT = "location-report"
    """The base station reports that a device is in another cell of its own."""
    PROVISION = "provision"
    CHANGE = "change-the-area"
    """The device is where it was, and the area is another one."""
    END = "end-the-area"
    COUNT_ANEW = "count-base-stations-anew"
    INSERT = "insert-subscriber-data"
    SUBSCRIPTION = "subscriber-data"
    """APNs were changed by IDR, or taken away by DSR."""
    VECTORS = "authentication-information"
    LOCATION = "update-location"
    NOTIFICATION = "notify"
    SETUP = "s1-setup"
    EMERGENCY = "emergency-attach"
    UNPROVEN = "emergency-attach-without-authentication"
    MO_SMS = "mo-forward-short-message"
    MT_SMS = "mt-forward-short-message"
    AREA_DATA = "area-data"
    """The database of areas does not answer."""


_On = Occasion
_CONTACT = (_On.ATTACH, _On.UPDATE, _On.SERVICE)
_MOVE = (*_CONTACT, _On.PREPARATION, _On.ARRIVAL, _On.PATH_SWITCH, _On.UPLINK, _On.REPORT)
_PLACE = (*_MOVE, _On.CHANGE)
_CHANGE = (_On.CHANGE, _On.END, _On.COUNT_ANEW)

EQUIPMENT = Control(
    "mme.equipment",
    "bind.pool",
    judge_equipment,
    _CONTACT,
    "The EIR's verdict on the terminal, and what stands in for none",
    also=("bind.cmp", "mon.separation", "mon.phone"),
)
TERMINAL_IDENTITY = Control(
    "mme.terminal-identity",
    "bind.hss.given",
    judge_identified,
    _CONTACT,
    "A terminal must say who it is before a card is served",
    also=("bind.hss.learned", "bind.pool", "bind.cmp"),
)
REGISTER = Control(
    "mme.hss",
    "bind.hss.given",
    judge_hss,
    (_On.VECTORS, _On.LOCATION, _On.NOTIFICATION),
    "Nobody is served while the HSS cannot say whether to",
    also=("bind.hss.learned",),
)
BARRING = Control(
    "mme.barring",
    "bind.cmp",
    judge_barring,
    (*_CONTACT, _On.INSERT),
    "Suspended subscriptions get no packet service",
    also=("reg.contract", "reg.relay"),
)
APN = Control(
    "mme.apn",
    "dir.data.apn",
    judge_apn,
    (*_CONTACT, _On.CONNECTIVITY, _On.SUBSCRIPTION),
    "Only subscribed APNs",
)
GATEWAY = Control(
    "mme.gateway",
    "fn.core",
    judge_core_element,
    (_On.ATTACH, _On.CONNECTIVITY),
    "Sessions only at PGWs that are dedicated to IoT",
)
CELL = Control("area.cell", "area.cell", judge_cell, _PLACE, "The card's cells only", "area", also=("mon.area",))
COUNT = Control(
    "area.count",
    "area.count",
    judge_stations,
    _PLACE,
    "So many different base stations at most",
    "area",
    also=("mon.area",),
)
PROVINCE = Control(
    "area.province",
    "area.range",
    judge_province,
    _PLACE,
    "Base stations of the card's province only",
    "area",
    also=("mon.area",),
)
ZONES = Control(
    "area.zones",
    "area.range",
    judge_zones,
    (*_MOVE, _On.INSERT),
    "Tracking areas of the subscription's zone codes only",
    also=("mon.area",),
)
AREA_DATA = Control(
    "area.data",
    "area.cell",
    judge_hss,
    (_On.AREA_DATA,),
    "Nobody is served while a card's area cannot be read",
    also=("area.count", "area.range"),
)
EXTENT = Control(
    "area.extent", "area.range", judge_extent, (_On.PROVISION, _On.CHANGE), "No area is larger than a province"
)
AREA_CHANGES = change_controls(
    "area",
    "area",
    operator=_CHANGE,
    approval=_CHANGE,
    changes=_CHANGE,
    alone="The operator alone says where a card may be",
)
STATION = Control(
    "mme.enb",
    "bind.peer",
    judge_station,
    (_On.SETUP,),
    "Listed base stations and tracking areas only are served",
    cardless=(_On.SETUP,),
)
EMERGENCY = Control(
    "mme.emergency",
    "reg.issued",
    judge_emergency,
    (_On.EMERGENCY, _On.UNPROVEN),
    "Emergency calls of those whom the network serves so",
    terminals=(_On.EMERGENCY, _On.UNPROVEN),
)
SMS_CENTRE = Control(
    "sms.centre",
    "dir.sms",
    judge_service_centre,
    (_On.MO_SMS, _On.MT_SMS),
    "Short messages by the dedicated service centre only",
    also=("fn.core",),
)
SMS_REGISTERED = Control(
    "sms.registered",
    "dir.sms",
    judge_sms_registration,
    (_On.MO_SMS,),
    "Short messages of devices only that are registered for them",
)

CONTROLS = declared_controls(globals())
