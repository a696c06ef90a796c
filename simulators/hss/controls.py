"""The controls of the HSS: every refusal that it sends has one of these behind it."""

from __future__ import annotations

import enum

from simwarden.policy.area import judge_extent
from simwarden.policy.binding import (
    judge_features,
    judge_given,
    judge_learned,
    judge_peer,
    judge_subscriber,
    judge_withdrawn,
)
from simwarden.policy.camel import judge_camel, judge_ims, judge_node, judge_voice
from simwarden.policy.decision import Control
from simwarden.policy.number_ranges import judge_number
from simwarden.policy.operator import change_controls, declared_controls
from simwarden.policy.short_messages import judge_service_centre, judge_sms_registration
from simwarden.runtime.diameter.server import CONNECTION


class Occasion(enum.StrEnum):
    """When the HSS asks its controls: the procedures of S6a, S6c and MAP, and what is done to a card by management."""

    CONNECTION = CONNECTION
    VECTORS = "authentication-information"
    LOCATION = "update-location"
    PURGE = "purge-ue"
    NOTIFICATION = "notify"
    ROUTING = "send-routing-info-for-sm"
    REPORT = "report-sm-delivery-status"
    MAP_LOCATION = "map-update-location"
    MAP_ROUTING = "map-send-routing-info"
    MAP_DATA = "map-insert-subscriber-data"
    PROVISION = "provision"
    BIND = "bind"
    UNBIND = "unbind"
    SUBSCRIPTION = "subscription"
    AREA = "change-the-area"
    AREA_END = "end-the-area"
    CSI = "change-the-csi"
    CSI_END = "end-the-csi"


_On = Occasion
_REQUESTS = (_On.VECTORS, _On.LOCATION, _On.PURGE, _On.NOTIFICATION)
_TERMINAL = (_On.LOCATION, _On.NOTIFICATION, _On.MAP_LOCATION)
_BINDING = (_On.BIND, _On.UNBIND)
_AREA = (_On.AREA, _On.AREA_END)
_CSI = (_On.CSI, _On.CSI_END)
_MAP = (_On.MAP_LOCATION, _On.MAP_ROUTING)

GIVEN = Control(
    "bind.hss.given",
    "bind.hss.given",
    judge_given,
    _TERMINAL,
    "Binding by an IMEI given beforehand",
    "binding",
    also=("mon.separation",),
)
LEARNED = Control(
    "bind.hss.learned",
    "bind.hss.learned",
    judge_learned,
    _TERMINAL,
    "Binding by the IMEI of the first use",
    "binding",
    also=("mon.separation",),
)
PEER = Control(
    "hss.peer",
    "bind.peer",
    judge_peer,
    (_On.CONNECTION, *_REQUESTS, _On.ROUTING, _On.REPORT),
    "Known nodes only speak to the HSS",
    cardless=(_On.CONNECTION,),
)
SUBSCRIBER = Control(
    "hss.subscriber",
    "reg.issued",
    judge_subscriber,
    (*_REQUESTS, _On.ROUTING, _On.REPORT, *_MAP),
    "Provisioned cards only are served",
)
ROUTE = Control(
    "sms.route",
    "dir.sms",
    judge_service_centre,
    (_On.ROUTING, _On.REPORT),
    "Dedicated service centres only learn where a card is",
)
SMS = Control(
    "sms.registration",
    "dir.sms",
    judge_sms_registration,
    (_On.LOCATION, _On.ROUTING),
    "Short messages of cards only that they were opened for, by one node a card",
    also=("class.off",),
)
WITHDRAWN = Control(
    "hss.withdrawn",
    "bind.cmp",
    judge_withdrawn,
    (_On.LOCATION, _On.ROUTING, *_MAP),
    "A suspended card's subscription is withdrawn",
    also=("reg.contract", "reg.relay"),
)
RANGE = Control(
    "pre.range", "pre.range", judge_number, (_On.PROVISION,), "Numbers of ranges dedicated to IoT cards only"
)
BARRING = Control(
    "hss.barring",
    "bind.cmp",
    judge_features,
    (_On.LOCATION, _On.MAP_LOCATION, _On.MAP_DATA),
    "A suspended card is registered only where barring is supported (ODB-all-APN, ODB of all outgoing calls)",
)
ZONES = Control(
    "hss.zones",
    "area.range",
    judge_features,
    (_On.LOCATION, _On.MAP_LOCATION),
    "A card with zone codes is registered only where they are supported (RegSub)",
)
NODE = Control("hss.node", "bind.peer", judge_node, _MAP, "Known VLRs and GMSCs only speak to the HLR")
VOICE = Control(
    "voice.registration",
    "class.off",
    judge_voice,
    _MAP,
    "Calls of cards only that they were opened for",
    also=("fn.voice.directed",),
)
CAMEL = Control(
    "voice.camel",
    "dir.voice",
    judge_camel,
    (*_MAP, _On.MAP_DATA),
    "A card with CSIs is served only where they are acted on",
    "csi",
)
IMS = Control(
    "voice.ims",
    "dir.voice",
    judge_ims,
    (_On.PROVISION, _On.SUBSCRIPTION, _On.CSI),
    "No APN leads past directed voice to IMS",
    also=("fn.voice.directed", "class.off"),
)
EXTENT = Control(
    "area.extent",
    "area.range",
    judge_extent,
    (_On.PROVISION, _On.SUBSCRIPTION, _On.AREA),
    "No area is larger than a province",
)

BINDING = change_controls(
    "bind",
    "binding",
    operator=_BINDING,
    approval=_BINDING,
    changes=_BINDING,
    requirement="bind.operator",
    alone="The operator alone binds",
)
AREA = change_controls(
    "area",
    "area",
    operator=(_On.SUBSCRIPTION, *_AREA),
    approval=_AREA,
    changes=_AREA,
    alone="The operator alone says where a card may be",
)
CSI = change_controls(
    "csi",
    "CAMEL subscription",
    operator=_CSI,
    approval=_CSI,
    changes=_CSI,
    change="fn.change",
    alone="The operator alone says whether a card's calls are directed",
)

ALL = declared_controls(globals())
