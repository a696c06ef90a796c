"""What a serving node enforces of a subscription: barring, the access point, and the subscriber register's silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.model.values import APN, SWITCH
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Collection


@tells(temporary=SWITCH)
def judge_barring(*, barred: bool) -> Ruling:
    """Rule on packet services by operator determined barring of all of them (TS 23.015)."""
    if barred:
        return Ruling.refuse("all packet services of the subscription are barred", temporary=True)
    return Ruling.admit("packet services are not barred")


@tells(seen=APN.or_none(), expected=APN)
def judge_access_point(*, requested: str, subscribed: Collection[str]) -> Ruling:
    """Rule on the access point asked for: it must be subscribed, by itself or by a wildcard (TS 23.003 9.2.1)."""
    names = sorted(subscribed)
    if "*" in subscribed or requested.lower() in {name.lower() for name in subscribed}:
        return Ruling.admit("the access point is subscribed", seen=requested, expected=names)
    return Ruling.refuse("the access point is not subscribed", seen=requested, expected=names)


@tells(temporary=SWITCH)
def judge_register(*, reachable: bool, reason: str = "") -> Ruling:
    """Rule on a registration whose subscriber register may be silent: without its word nobody is served."""
    if reachable:
        return Ruling.admit("the subscriber register answered")
    return Ruling.refuse(reason or "the subscriber register cannot be reached", temporary=True)
