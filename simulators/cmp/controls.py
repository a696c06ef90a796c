"""The controls of the platform: every refusal that it gives has one of these behind it."""

from __future__ import annotations

import enum
from dataclasses import replace

from simwarden.policy.binding import judge_peer, judge_subscriber
from simwarden.policy.card_states import judge_bindable, judge_state, judge_transition
from simwarden.policy.decision import Control
from simwarden.policy.number_ranges import judge_numbers
from simwarden.policy.operator import change_controls, declared_controls, judge_owner, judge_scope
from simwarden.policy.platform import (
    judge_batch,
    judge_captured,
    judge_lock,
    judge_phone,
    judge_pools,
    judge_record,
)
from simwarden.runtime.diameter.server import CONNECTION


class Occasion(enum.StrEnum):
    """When the platform asks its controls."""

    CONNECTION = CONNECTION
    PROVISION = "provision"
    LOAD = "load"
    """Many cards are provisioned at once."""
    CHECK = "me-identity-check"
    RECORDS = "records"
    """The contacts of the day before are judged."""
    OPERATION = "operation"
    """Something is done to a card's state, by hand."""
    BIND = "bind"
    UNBIND = "unbind"
    BATCH = "batch"
    POOL = "pool"
    ACCOUNT = "account"
    SHUTDOWN = "shutdown"
    LOOK = "look"
    """Somebody asks for a card, or for something to be done to it."""
    ALLOCATE = "allocate-the-code"
    WITHDRAW = "withdraw-the-code"
    API = "api"
    """A call of the API on the north side."""


_On = Occasion
_BINDING = (_On.BIND, _On.UNBIND)

BINDING = Control(
    "bind.cmp",
    "bind.cmp",
    judge_captured,
    (_On.CHECK,),
    "Binding by the platform, given or of the first use",
    "binding",
    also=("mon.separation",),
)
POOL = Control(
    "bind.pool",
    "bind.pool",
    judge_pools,
    (_On.CHECK,),
    "Pools of terminals tied to pools of numbers",
    also=("mon.separation",),
)
RANGE = Control(
    "pre.range",
    "pre.range",
    judge_numbers,
    (_On.PROVISION, _On.LOAD),
    "Numbers of ranges dedicated to IoT cards only",
)
PHONE = Control(
    "cmp.phone", "mon.phone", judge_phone, (_On.CHECK,), "No phone in the operator's library has the card in it"
)
RECORDS = Control(
    "bind.cmp.records",
    "bind.cmp",
    judge_record,
    (_On.RECORDS,),
    "Binding judged from the records of the day before",
    also=("mon.separation",),
)
STATE = Control(
    "cmp.state",
    "reg.contract",
    judge_state,
    (_On.CHECK,),
    "Cards are served in their working states only",
    also=("bind.cmp", "reg.relay"),
)
TRANSITION = Control(
    "cmp.transition", "reg.contract", judge_transition, (_On.OPERATION,), "A card's life follows the table of states"
)
BINDABLE = Control(
    "cmp.bindable", "bind.cmp", judge_bindable, _BINDING, "No binding in the test period, nor after the end"
)
OWN = Control("cmp.own", "bind.operator.own", judge_owner, (_On.LOOK,), "A customer knows of its own cards only")
SCOPE = Control(
    "cmp.scope",
    "bind.operator.own",
    judge_scope,
    (_On.API,),
    "A token is good for its scopes only",
    cardless=(_On.API,),
)
LOCK = Control(
    "bind.change.lock", "bind.change", judge_lock, (*_BINDING, _On.OPERATION), "A card rests between two operations"
)
BATCH = Control(
    "bind.change.batch",
    "bind.change",
    judge_batch,
    (_On.BATCH,),
    "Batches of operations are small",
    cardless=(_On.BATCH,),
)
PEER = Control(
    "cmp.peer",
    "bind.peer",
    judge_peer,
    (_On.CONNECTION, _On.CHECK),
    "Known nodes only speak to the platform",
    cardless=(_On.CONNECTION,),
)
CARD = Control("cmp.card", "reg.issued", judge_subscriber, (_On.CHECK,), "Cards of the platform only are served")

CHANGES = change_controls(
    "bind",
    "binding",
    operator=(*_BINDING, _On.BATCH, _On.POOL, _On.ACCOUNT, _On.SHUTDOWN, _On.OPERATION),
    approval=(*_BINDING, _On.OPERATION, _On.SHUTDOWN),
    changes=_BINDING,
    requirement="bind.operator",
    alone="The operator alone binds, and does what else changes a card",
    approved="A changed binding and a suspension have their approval records",
    cardless=(_On.BATCH, _On.POOL, _On.ACCOUNT, _On.SHUTDOWN),
)
#: scenarios name it so: it is older than the scheme of ids
CHANGES = replace(CHANGES, changes=replace(CHANGES.changes, id="bind.change"))
OPERATOR, APPROVAL = CHANGES.operator, CHANGES.approval

#: access codes for SMS (2.2.3(2)), which customers have from the operator
CODE_CHANGES = change_controls(
    "code",
    "code",
    operator=(_On.ALLOCATE, _On.WITHDRAW),
    approval=(_On.ALLOCATE, _On.WITHDRAW),
    held=(),
    requirement="dir.sms",
    change="dir.sms",
    alone="The operator alone allocates access codes, and withdraws them",
    approved="An allocated or withdrawn code has its approval record",
    cardless=(_On.ALLOCATE, _On.WITHDRAW),
)

ALL = declared_controls(globals())
