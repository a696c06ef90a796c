"""Guideline 2.1.3: binding is done by the operator only."""

from __future__ import annotations

from simwarden.policy.decision import Ruling


def judge_binder(*, role: str, caller: str = "") -> Ruling:
    """Rule whether somebody may set, change or remove a binding; `role` is that of the management interface."""
    facts = {"expected": "operator", "seen": role}
    if role == "operator":
        return Ruling.admit("the operator binds", **facts)
    return Ruling.refuse(f"{caller or 'the ' + role} may not bind, the operator does", **facts)
