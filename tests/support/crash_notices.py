"""Subscribers of the platform's north side in the bench of crashes: what they are told is held to account."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simulators.cmp.north.store import METADATA, Subscription
from simwarden.runtime.store import open_engine

if TYPE_CHECKING:
    from collections.abc import Iterable

_IMEI_CHANGE = "org.camaraproject.iot-sim-fraud-prevention.v0.imei-change"
_SINK = "https://127.0.0.1:9/"
#: a sink that takes nothing, so that all events stay
NORTH: dict[str, Any] = {
    "clients": {"bench": {"token": "bench-token", "role": "operator"}},
    "sinks": ["127.0.0.1"],
    "attempts": 1_000_000,
    "backoff": 3600,
}


def subscribe(url: str, imsis: Iterable[str]) -> None:
    """Subscribe to changes of the terminals of cards, before there are any."""
    engine = open_engine(url, METADATA)
    try:
        made = [
            Subscription(f"s{number}", "bench", imsi, _IMEI_CHANGE, _SINK, _about(imsi), "2026-01-01T00:00:00Z")
            for number, imsi in enumerate(imsis)
        ]
        with engine.begin() as connection:
            connection.execute(sa.insert(METADATA.tables["north_subscriptions"]), [asdict(each) for each in made])
    finally:
        engine.dispose()


def _about(imsi: str) -> dict[str, Any]:
    return {"subscriptionDetail": {"device": {"networkAccessIdentifier": f"{imsi}@ims.example"}}}


def hold_notices(connection: sa.Connection) -> int:
    """Hold the events that wait against cards and audit; return how many there are.

    Each terminal that the audit has as a wrong one was told, and each in which a card was after its first one; none
    was told twice in a row, and what subscriptions remember is what was told.
    """
    told: dict[str, list[str]] = {}
    query = sa.text("SELECT subscription, body FROM north_events ORDER BY number").columns(body=sa.JSON)
    for row in connection.execute(query):
        told.setdefault(row.subscription, []).append(row.body["data"]["imei"].replace("-", "")[:14])
    wrong: dict[str, set[str]] = {}
    query = sa.text("SELECT imsi, details FROM audit WHERE action = 'mismatch'").columns(details=sa.JSON)
    for row in connection.execute(query):
        wrong.setdefault(row.imsi, set()).add(row.details["seen"][:14])
    cards = {row.imsi: row for row in connection.execute(sa.text("SELECT imsi, terminal, first FROM cards"))}
    for each in connection.execute(sa.text("SELECT id, imsi, events, last FROM north_subscriptions")):
        found, card = told.get(each.id, []), cards.get(each.imsi)
        assert (each.events, each.last) == (len(found), found[-1] if found else "")
        assert all(one != other for one, other in itertools.pairwise(found)), (each.imsi, found)
        due = wrong.get(each.imsi, set())
        if card is not None and card.terminal != card.first:
            due = due | {card.terminal}
        assert due <= set(found), (each.imsi, due, found)
        assert card is not None or not found
        assert card is None or not found or due or card.first in found, (each.imsi, found)
    return sum(map(len, told.values()))
