"""What the platform tells the operator's systems, by audited action."""

from __future__ import annotations

from simwarden.operations import event_kinds as kinds
from simwarden.policy.card_states import Operation

_STATES = {
    Operation.SUSPEND: kinds.SUSPENDED,
    Operation.RESUME: kinds.RESUMED,
    Operation.CLOSE: kinds.CLOSED,
}
AUDITED = {
    "provision": kinds.PROVISIONED,
    "load": kinds.LOADED,
    "capture": kinds.LEARNED,
    "bind": kinds.REBOUND,
    "rebind": kinds.REBOUND,
    "unbind": kinds.REBOUND,
    "mismatch": kinds.RISK,
    "phone": kinds.RISK,
    "shutdown": kinds.SHUT_DOWN,
    "pool": kinds.POOL,
    "account": kinds.ACCOUNT,
    **{each.value: _STATES.get(each, kinds.CHANGED) for each in Operation},
    **{f"{action}-refused": kinds.OPERATION_REFUSED for action in ("batch", "pool", "account", "shutdown")},
}
EVENTS = kinds.told(AUDITED)
