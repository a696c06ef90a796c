"""The rules that the SSP enforces by itself; all else about a call the gsmSCF decides, whose orders it carries out."""

from __future__ import annotations

from typing import Final

from simwarden.policy.calls import judge_trunk
from simwarden.policy.camel import judge_without_orders
from simwarden.policy.decision import Control
from simwarden.policy.equipment import judge_equipment, judge_identified

LOCATION: Final = "location-update"
INVITE: Final = "invite"
#: why nobody says what becomes of a call: silence; a dialogue that ended, failed or cannot be; no phase in common
SILENCE, DIALOGUE, PHASE = "no-order-in-time", "dialogue-lost", "no-common-phase"

EQUIPMENT: Final = Control(
    "ssp.equipment",
    "bind.pool",
    judge_equipment,
    (LOCATION,),
    "The EIR's verdict on a terminal that registers for calls, and what stands in for none",
    also=("bind.cmp", "mon.separation", "mon.phone"),
)
TERMINAL_IDENTITY: Final = Control(
    "ssp.terminal-identity",
    "bind.hss.given",
    judge_identified,
    (LOCATION,),
    "A terminal must say who it is before a card is served with calls",
    also=("bind.hss.learned", "bind.pool", "bind.cmp"),
)
TRUNK: Final = Control(
    "ssp.trunk",
    "dir.voice",
    judge_trunk,
    (INVITE,),
    "Only configured trunks may send calls",
    also=("fn.voice.directed",),
    cardless=(INVITE,),
)
DEFAULT: Final = Control(
    "ssp.default-call-handling",
    "dir.voice",
    judge_without_orders,
    (SILENCE, DIALOGUE, PHASE),
    "A call about which the gsmSCF does not decide ends, unless its CSI says otherwise",
    also=("fn.voice.directed",),
)
ALL: Final = (EQUIPMENT, TERMINAL_IDENTITY, TRUNK, DEFAULT)
