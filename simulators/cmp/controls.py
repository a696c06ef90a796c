"""The controls of the platform: every refusal that it gives has one of these behind it."""

from __future__ import annotations

from simwarden.policy.binding import judge_peer, judge_subscriber
from simwarden.policy.card_states import judge_bindable, judge_state, judge_transition
from simwarden.policy.decision import Control
from simwarden.policy.operator import judge_binder, judge_change, judge_frequency, judge_owner, judge_scope
from simwarden.policy.platform import (
    judge_batch,
    judge_captured,
    judge_lock,
    judge_phone,
    judge_pools,
    judge_record,
)

BINDING = Control(
    "bind.cmp", "bind.cmp", judge_captured, "Binding by the platform, given or of the first use", "binding"
)
POOL = Control("bind.pool", "bind.pool", judge_pools, "Pools of terminals tied to pools of numbers")
PHONE = Control("cmp.phone", "mon.phone", judge_phone, "No phone in the operator's library has the card in it")
RECORDS = Control("bind.cmp.records", "bind.cmp", judge_record, "Binding judged from the records of the day before")
STATE = Control("cmp.state", "reg.contract", judge_state, "Cards are served in their working states only")
TRANSITION = Control("cmp.transition", "reg.contract", judge_transition, "A card's life follows the table of states")
BINDABLE = Control("cmp.bindable", "bind.cmp", judge_bindable, "No binding in the test period, nor after the end")
OPERATOR = Control(
    "bind.operator", "bind.operator", judge_binder, "The operator alone binds, and does what else changes a card"
)
OWN = Control("cmp.own", "bind.operator.own", judge_owner, "A customer knows of its own cards only")
SCOPE = Control("cmp.scope", "bind.operator.own", judge_scope, "A token is good for its scopes only")
APPROVAL = Control("bind.approval", "bind.operator", judge_change, "A changed binding has its approval record")
FREQUENCY = Control("fn.change", "fn.change", judge_frequency, "A binding is changed so many times a period")
LOCK = Control("fn.change.lock", "fn.change", judge_lock, "A card rests between two operations")
BATCH = Control("fn.change.batch", "fn.change", judge_batch, "Batches of operations are small")
PEER = Control("cmp.peer", "bind.cmp", judge_peer, "Known nodes only speak to the platform")
CARD = Control("cmp.card", "fn.core", judge_subscriber, "Cards of the platform only are served")

ALL = (
    BINDING,
    POOL,
    PHONE,
    RECORDS,
    STATE,
    TRANSITION,
    BINDABLE,
    OPERATOR,
    OWN,
    SCOPE,
    APPROVAL,
    FREQUENCY,
    LOCK,
    BATCH,
    PEER,
    CARD,
)
