"""The kinds of events that elements tell an operator's systems (docs/events.md); each element declares its own.

The data of an event that tells of an audited change are the details of its audit record, and by whom it was made
(`role`, `caller`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from simwarden.model import values as v
from simwarden.model.profile import use_names
from simwarden.operations.management import HOUSE
from simwarden.policy.card_states import CardState
from simwarden.policy.details import DETAILS
from simwarden.policy.requirements import requirements
from simwarden.policy.risk_scenes import SCENES
from simwarden.runtime.declare import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSED = EventKind(
    "card.refused",
    "A control of the element said no about a card; one event a decision.",
    ("control", "requirement", "reason", "details"),
)
LOST_EVENTS = EventKind(
    "events.lost", "The outbox was full: so many events were not kept.", ("events", "since", "until")
)
PROVISIONED = EventKind(
    "card.provisioned",
    "A card was provisioned, and what it is bound to.",
    ("bound", "mode", "profile", "account", "batch", "state"),
)
LOADED = EventKind("cards.loaded", "Many cards were loaded at once.", ("cards",))
SUSPENDED = EventKind("card.suspended", "A card's service was suspended.", ("reason", "how", "before", "after"))
RESUMED = EventKind("card.resumed", "A suspended card works again.", ("how", "before", "after"))
CLOSED = EventKind("card.closed", "A card was terminated, with all functions.", ("before", "after", "reason"))
CHANGED = EventKind("card.changed", "A card went on to another state of its life.", ("before", "after", "reason"))
SHUT_DOWN = EventKind("batch.shutdown", "A batch of a customer was shut down.", ("account", "batch", "cards"))
LEARNED = EventKind("binding.learned", "A first use bound a card to its terminal.", ("imei", "mme"))
REBOUND = EventKind(
    "binding.changed",
    "Somebody bound a card, bound it anew, or took its binding away (`mode` is empty).",
    ("before", "after", "mode", "approver", "reason", "form"),
)
RISK = EventKind(
    "risk.recorded",
    "A card was seen where it may not be: `scene` is the platforms' code of the risk (012: card apart from terminal,"
    " 013: outside its area, 007: in a phone).",
    (
        *("scene", "meaning", "reason", "expected", "seen", "control", "occasion", "tai", "cell"),
        *("where", "action", "teaches", "temporary"),
    ),
)
SUBSCRIPTION = EventKind("subscription.changed", "A card's APNs or zone codes were changed.", ("before", "after"))
AREA = EventKind(
    "area.changed",
    "Where a card may be used was changed.",
    ("before", "after", "approver", "reason", "form"),
)
LOCATION = EventKind("location.cancelled", "A card was detached where it was; it may attach again.", ("reason",))
LIST = EventKind(
    "list.changed",
    "With whom a card exchanges packets or short messages, or has calls, was set, changed, or ended.",
    ("before", "after"),
)
QUOTA = EventKind("quota.changed", "What a card may use in a month was set, changed, or ended.", ("before", "after"))
POOL = EventKind("pool.changed", "A pool of terminals was set or taken away.", ("pool", "imeis", "kinds"))
ACCOUNT = EventKind("account.changed", "What holds for a customer's cards was set.", ("account",))
LISTED = EventKind("equipment.listed", "A terminal, a TAC or a range of TACs was put on a list.", ("status", "reason"))
UNLISTED = EventKind("equipment.unlisted", "A terminal, a TAC or a range of TACs was taken off its list.", ())
LIBRARY = EventKind("library.changed", "The library of terminals was replaced.", ("terminals",))
OPERATION_REFUSED = EventKind(
    "operation.refused", "An operation on no single card was refused.", ("control", "refusal")
)


def told(*sources: dict[str, EventKind]) -> tuple[EventKind, ...]:
    """Return all kinds that an element tells: of audited actions, of refusals, of what was not kept."""
    kinds = [kind for each in sources for kind in each.values()]
    return tuple(dict.fromkeys((*kinds, REFUSED, LOST_EVENTS)))


def topic_of(kind: EventKind) -> str:
    """Return the topic of a kind of event, as a broker shows it: `card/refused`."""
    return kind.type.replace(".", "/")


_STATE = v.one_of(*(each.value for each in CardState))
#: what an MME holds of a card's area, and a register of its subscription
_AREA = {"cells": v.CELL.or_none(), "stations": v.NUMBER, "province": v.GIVEN.or_none(), "used": v.STATION.or_none()}
_SUBSCRIBED = {"apns": v.APN.or_none(), "zones": v.ZONE.or_none()}
#: with whom a card exchanges packets or messages, or has calls
_LIST = dict.fromkeys(("whitelist", "blacklist", "apps", "numbers", "exception"), v.GIVEN.or_none())
#: of all changes: the approval record, and who makes one
_BY = ("approver", "reason", "form", "role", "caller")


def _held(beside: Mapping[str, Any]) -> v.Values:
    """Return what a card's area was before and is after a change: both as an MME, or both as an HSS holds it."""
    named = {key for name in ("before", "after") if isinstance(beside.get(name), dict) for key in beside[name]}
    held = next((each for each in (_AREA, _SUBSCRIBED) if named & each.keys()), _AREA | _SUBSCRIBED)
    return v.mapping(lambda: held).or_none()


#: what was before and is after a change, by the first word of the event's type
_CHANGED = {
    "card": lambda _: _STATE.or_none(),
    "binding": lambda _: v.IMEI.or_none(),
    "area": _held,
    "subscription": lambda _: v.mapping(lambda: _SUBSCRIBED).or_none(),
    "list": lambda _: v.mapping(lambda: _LIST).or_none(),
}
_PLACE = v.IMEI | v.CELL | v.TAI | v.STATION


def _of_kind(beside: Mapping[str, Any]) -> v.Values:
    """Return what the data of an event may hold whose type or topic stands beside it."""
    said = f"{beside.get('type', '')} {beside.get('topic', '')}".replace("/", ".")
    kind = next((each for each in EventKind.all if re.search(rf"\b{re.escape(each.type)}\b", said)), None)
    return v.mapping(partial(data_values, kind))


@cache
def data_values(kind: EventKind | None = None) -> Mapping[str, v.Values]:
    """Return what the data of an event may hold, by name: what its kind declares, and by whom and why it was done.

    Without its kind: what any event may.
    """
    values = _values(kind.type.partition(".")[0] if kind is not None else "")
    return values if kind is None else {name: values[name] for name in values if name in (*kind.data, *_BY)}


def _values(word: str) -> dict[str, v.Values]:
    """Return what the data of events may hold, of which `word` is the first word of their type, if it is known."""
    narrowed = _CHANGED.get(word, lambda beside: _STATE | v.IMEI | _held(beside))
    changed = replace((_STATE | v.IMEI | v.mapping(lambda: _AREA | _SUBSCRIBED | _LIST)).or_none(), narrowed=narrowed)
    return {name: v.TEXT for each in EventKind.all for name in each.data} | {
        "account": v.GIVEN.or_none(),
        "action": v.one_of("alarm", "refuse", "suspend"),
        "after": changed,
        "approver": v.GIVEN.or_none(),
        "form": v.GIVEN.or_none(),
        "control": v.CONTROL,
        "batch": v.GIVEN.or_none(),
        "before": changed,
        "bound": v.IMEI.or_none(),
        "caller": v.GIVEN | v.instance_of("element") | v.one_of("operator", "customer", HOUSE).or_none(),
        "cards": v.NUMBER,
        "cell": _PLACE,
        "details": v.mapping(lambda: DETAILS),
        "enb": v.STATION,
        "events": v.NUMBER,
        "expected": _PLACE | v.GIVEN | v.one_of("no phone"),
        "how": v.one_of("withdrawal", "barring", "ended"),
        "imei": v.IMEI,
        "imeis": v.NUMBER,
        "kinds": v.KIND,
        "meaning": v.one_of(*SCENES.values()),
        "mme": v.HOST,
        "mode": v.one_of("given", "learned").or_none(),
        "occasion": v.OCCASION,
        "pool": v.GIVEN,
        "profile": v.one_of(*use_names()),
        "requirement": v.one_of(*requirements()),
        "role": v.one_of("operator", "customer", "network"),
        "scene": v.one_of(*SCENES),
        "seen": _PLACE | v.GIVEN | v.one_of("no province"),
        "since": v.TIME,
        "source": v.one_of("network", "records"),
        "state": _STATE,
        "status": v.one_of("allowed", "prohibited", "tracked"),
        "tai": v.TAI,
        "teaches": v.IMEI.or_none(),
        "temporary": v.SWITCH,
        "terminals": v.NUMBER,
        "until": v.TIME,
        "where": v.one_of("update-location-request", "notify-request"),
    }


TOPIC = v.Values("the topic of an event", fits=lambda text: text in {topic_of(kind) for kind in EventKind.all})


def _is_topic(text: str) -> bool:
    """Whether a message may have a topic: that of an event below the house and the element, with whom it is about."""
    return any(re.fullmatch(f"[^/]+/[^/]+/{topic_of(kind)}(/[^/]+)?", text) for kind in EventKind.all)


def _is_filter(text: str) -> bool:
    """Whether the topic of some event may match a filter (MQTT 3.1.1 4.7)."""
    wanted = text.split("/")
    return any(
        _match(wanted, ["+", "+", *topic_of(kind).split("/"), *about])
        for kind in EventKind.all
        for about in ([], ["+"])
    )


def _match(wanted: list[str], topic: list[str]) -> bool:
    """Whether a filter matches a topic of which some levels may be anything."""
    if "#" in wanted:
        level = wanted.index("#")
        return level == len(wanted) - 1 and level <= len(topic) and _match(wanted[:level], topic[:level])
    return len(wanted) == len(topic) and all(
        "+" in pair or len(set(pair)) == 1 for pair in zip(wanted, topic, strict=True)
    )


DATA = replace(v.mapping(data_values), narrowed=_of_kind)
#: what messages of events say, by their fields
MESSAGE: Mapping[str, v.Values] = {
    "topic": v.Values("the topic of a message, as simwarden/hss/card/refused/IMSI", fits=_is_topic),
    "type": v.Values(
        "the type of an event", fits=lambda text: text in {f"simwarden.{each.type}" for each in EventKind.all}
    ),
    "source": v.shaped("the source of an event, as /simwarden/hss", "/[^/]+/[^/]+"),
    "time": v.TIME,
    "sequence": v.NUMBER,
    "data": DATA,
    "topic_filters": v.Values("a filter that topics of events match, as simwarden/+/card/#", fits=_is_filter),
    "client_identifier": v.CLIENT,
}
