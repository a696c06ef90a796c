"""The controls of the HSS: every refusal that it sends has one of these behind it."""

from __future__ import annotations

from simwarden.policy.area import judge_extent
from simwarden.policy.binding import (
    judge_given,
    judge_learned,
    judge_peer,
    judge_subscriber,
    judge_withdrawn,
)
from simwarden.policy.decision import Control
from simwarden.policy.operator import judge_binder, judge_change, judge_frequency

GIVEN = Control("bind.hss.given", "bind.hss.given", judge_given, "Binding by an IMEI given beforehand", "binding")
LEARNED = Control(
    "bind.hss.learned", "bind.hss.learned", judge_learned, "Binding by the IMEI of the first use", "binding"
)
OPERATOR = Control("bind.operator", "bind.operator", judge_binder, "The operator alone binds")
APPROVAL = Control("bind.approval", "bind.operator", judge_change, "A changed binding has its approval record")
PEER = Control("hss.peer", "bind.hss.learned", judge_peer, "Known nodes only speak to the register")
SUBSCRIBER = Control("hss.subscriber", "fn.core", judge_subscriber, "Provisioned cards only are served")
WITHDRAWN = Control("hss.withdrawn", "bind.cmp", judge_withdrawn, "A suspended card's subscription is withdrawn")
EXTENT = Control("area.extent", "area.range", judge_extent, "No area is larger than a province")
SETTER = Control("area.operator", "bind.operator", judge_binder, "The operator alone says where a card may be")
AREA_APPROVAL = Control("area.approval", "fn.change", judge_change, "A changed area has its approval record")
FREQUENCY = Control("area.changes", "fn.change", judge_frequency, "An area is changed so many times a period")

ALL = (
    GIVEN,
    LEARNED,
    OPERATOR,
    APPROVAL,
    PEER,
    SUBSCRIBER,
    WITHDRAWN,
    EXTENT,
    SETTER,
    AREA_APPROVAL,
    FREQUENCY,
)
