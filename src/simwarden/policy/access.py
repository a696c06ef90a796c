"""What a serving node enforces of a subscription: barring, the APN, and the HSS's silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.model.values import APN, NUMBER, SWITCH, one_of
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
def judge_apn(*, requested: str, subscribed: Collection[str]) -> Ruling:
    """Rule on the APN asked for: it must be subscribed, by itself or by a wildcard (TS 23.003 9.2.1)."""
    names = sorted(subscribed)
    if "*" in subscribed or requested.lower() in {name.lower() for name in subscribed}:
        return Ruling.admit("the APN is subscribed", seen=requested, expected=names)
    return Ruling.refuse("the APN is not subscribed", seen=requested, expected=names)


@tells(temporary=SWITCH)
def judge_hss(*, reachable: bool, reason: str = "") -> Ruling:
    """Rule on a registration whose HSS may be silent: without its word nobody is served."""
    if reachable:
        return Ruling.admit("the HSS answered")
    return Ruling.refuse(reason or "the HSS cannot be reached", temporary=True)


@tells(expected=one_of("everybody", "authenticated", "nobody"))
def judge_emergency(*, allowed: str, proven: bool) -> Ruling:
    """Rule on an attach for an emergency call by whom the network serves so (TS 23.401 4.3.12).

    `allowed` is `everybody`, `authenticated` or `nobody`; `proven` says that the card has not failed to prove itself.
    """
    if allowed == "nobody":
        return Ruling.refuse("emergency calls are not served here", expected=allowed)
    if allowed == "authenticated" and not proven:
        return Ruling.refuse("emergency calls are served with a card that proves itself only", expected=allowed)
    return Ruling.admit(f"emergency calls of {allowed} are served", expected=allowed)


@tells(expected=NUMBER, seen=NUMBER)
def judge_station(
    *, station: int, stations: Collection[int], areas: Collection[int], served: Collection[int]
) -> Ruling:
    """Rule whether a base station may serve: it is listed, and so is one of its tracking areas; no list: all are."""
    if stations and station not in stations:
        return Ruling.refuse("the base station is not listed", expected=sorted(stations), seen=station)
    if served and not set(areas) & set(served):
        return Ruling.refuse(
            "no tracking area of the base station is listed", expected=sorted(served), seen=sorted(areas)
        )
    return Ruling.admit("the base station and a tracking area of it are served here", seen=station)
