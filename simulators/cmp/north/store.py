"""What the north side keeps: subscriptions, and events until they are delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from simwarden.operations.record_columns import record_columns, row_of

METADATA = sa.MetaData(info={"schema": "cmp-north", "first": 1})


@dataclass(slots=True)
class Subscription:
    """One subscription. Times are RFC 3339, empty for none; `last` is the terminal told of last, 14 digits."""

    id: str
    client: str
    imsi: str
    type: str
    sink: str
    config: dict[str, Any]
    starts: str
    expires: str = ""
    token: str = field(default="", repr=False)
    token_expires: str = ""
    status: str = "ACTIVE"
    events: int = 0
    last: str = ""

    def told(self) -> dict[str, Any]:
        """Return it as the API shows it: without the sink's credential."""
        told = {
            "id": self.id,
            "sink": self.sink,
            "protocol": "HTTP",
            "types": [self.type],
            "config": self.config,
            "startsAt": self.starts,
            "status": self.status,
        }
        return {**told, "expiresAt": self.expires} if self.expires else told


#: events, each with its subscription as it is after it
Events = Sequence[tuple[Subscription, dict[str, Any]]]


@dataclass(slots=True)
class Event:
    """An event that waits to be delivered."""

    number: int
    id: str
    subscription: str
    attempts: int
    body: dict[str, Any]


_SUBSCRIPTIONS = sa.Table(
    "north_subscriptions", METADATA, *record_columns(Subscription, "id", index=("client", "imsi"))
)
#: `number` is their order; that of an event that is gone may come again
_EVENTS = sa.Table("north_events", METADATA, *record_columns(Event, "number", index=("subscription",)))


class Outbox:
    """The database of subscriptions and waiting events; each change is committed when the method returns."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def change(self, subscription: Subscription) -> None:
        """Keep a changed subscription."""
        with self._engine.begin() as connection:
            self._change(connection, subscription)

    @staticmethod
    def _change(connection: sa.Connection, subscription: Subscription) -> None:
        changed = {name: getattr(subscription, name) for name in ("status", "events", "last")}
        where = _SUBSCRIPTIONS.c.id == subscription.id
        connection.execute(sa.update(_SUBSCRIPTIONS).where(where).values(changed))

    def get(self, subscription: str) -> Subscription | None:
        """Return a subscription."""
        found = self._select(_SUBSCRIPTIONS.c.id == subscription)
        return found[0] if found else None

    def of(self, client: str) -> list[Subscription]:
        """Return a client's subscriptions that it has not deleted."""
        return self._select(_SUBSCRIPTIONS.c.client == client, _SUBSCRIPTIONS.c.status != "DELETED")

    def about(self, imsi: str, kind: str) -> list[Subscription]:
        """Return the active subscriptions to a kind of event about a card, without one to any."""
        columns = _SUBSCRIPTIONS.c
        of_kind = (columns.type == kind,) if kind else ()
        return self._select(columns.imsi == imsi, columns.status == "ACTIVE", *of_kind)

    def active(self) -> list[Subscription]:
        """Return all active subscriptions."""
        return self._select(_SUBSCRIPTIONS.c.status == "ACTIVE")

    def _select(self, *where: sa.ColumnElement[bool]) -> list[Subscription]:
        query = sa.select(_SUBSCRIPTIONS).where(*where).order_by(_SUBSCRIPTIONS.c.starts, _SUBSCRIPTIONS.c.id)
        with self._engine.connect() as connection:
            return [Subscription(**row) for row in connection.execute(query).mappings()]

    def keep(self, events: Events, *, new: Subscription | None = None, instead: str = "") -> None:
        """Keep events by themselves, with a new subscription, or `instead` of all that wait for a subscription."""
        with self._engine.begin() as connection:
            if new is not None:
                connection.execute(sa.insert(_SUBSCRIPTIONS).values(row_of(new)))
            if instead:
                connection.execute(sa.delete(_EVENTS).where(_EVENTS.c.subscription == instead))
            self.add(connection, events)

    def add(self, connection: sa.Connection, events: Events) -> None:
        """Keep events that are to be delivered, with what they change of their subscriptions, in a transaction."""
        for subscription, body in events:
            self._change(connection, subscription)
            values = {"id": body["id"], "subscription": subscription.id, "attempts": 0, "body": body}
            connection.execute(sa.insert(_EVENTS).values(values))

    def waiting(self) -> list[str]:
        """Return the subscriptions for which events wait."""
        with self._engine.connect() as connection:
            query = sa.select(_EVENTS.c.subscription).distinct().order_by(_EVENTS.c.subscription)
            return list(connection.execute(query).scalars())

    def first(self, subscription: str) -> Event | None:
        """Return the event that waits longest for a subscription."""
        query = sa.select(_EVENTS).where(_EVENTS.c.subscription == subscription).order_by(_EVENTS.c.number).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return Event(**row) if row is not None else None

    def attempted(self, event: Event) -> None:
        """Keep how often an event was tried, if it still waits."""
        with self._engine.begin() as connection:
            connection.execute(sa.update(_EVENTS).where(_of(event)).values(attempts=event.attempts))

    def done(self, event: Event) -> None:
        """Forget an event that is delivered or given up."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_EVENTS).where(_of(event)))

    def remove(self, subscription: str) -> None:
        """Forget a subscription with its events."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_EVENTS).where(_EVENTS.c.subscription == subscription))
            connection.execute(sa.delete(_SUBSCRIPTIONS).where(_SUBSCRIPTIONS.c.id == subscription))

    def drop_events(self, subscription: str) -> None:
        """Forget all events of a subscription."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_EVENTS).where(_EVENTS.c.subscription == subscription))


def _of(event: Event) -> sa.ColumnElement[bool]:
    """Mean this event, and none that has its number since it is gone."""
    return sa.and_(_EVENTS.c.number == event.number, _EVENTS.c.id == event.id)
