"""The outbox of an element: events kept in its own database, in the transaction of what they tell of, until delivered.

Numbers have no gaps: the next one is made in the transaction that keeps the event, so one that is rolled back leaves
none. A subscriber that misses a number has lost an event, and one that sees a number twice may drop it.

The outbox is bounded. When `most` events wait, further ones are not kept but counted, in the same transaction; as soon
as there is room, an event `events.lost` tells how many there were and from when to when. Refusals, of which a single
terminal can cause any number, leave the last tenth to events that tell of changes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simwarden.operations.event_kinds import LOST_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

METADATA = sa.MetaData(info={"schema": "events"})
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("number", _NUMBER, primary_key=True, autoincrement=False),
    *(sa.Column(name, sa.String, nullable=False) for name in ("type", "subject", "at")),
    sa.Column("data", sa.Text, nullable=False),
)
_STATE = sa.Table(
    "outbox_state",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.String(8), nullable=False),
    sa.Column("delivered", sa.BigInteger, nullable=False),
    sa.Column("lost", sa.BigInteger, nullable=False),
    sa.Column("lost_since", sa.String, nullable=False),
    sa.Column("lost_until", sa.String, nullable=False),
)
_LAST = sa.func.coalesce(sa.select(sa.func.max(_OUTBOX.c.number)).scalar_subquery(), _STATE.c.delivered)
#: the lock lets processes that share a database number their events one after the other
_BOUNDS = sa.select(_LAST.label("last"), _STATE.c.delivered).select_from(_STATE).with_for_update()
_ADD = sa.insert(_OUTBOX)
_LOSE = sa.update(_STATE).values(
    lost=_STATE.c.lost + sa.bindparam("events"),
    lost_since=sa.case((_STATE.c.lost == 0, sa.bindparam("since")), else_=_STATE.c.lost_since),
    lost_until=sa.bindparam("until"),
)
_AFTER = (
    sa.select(_OUTBOX)
    .where(_OUTBOX.c.number > sa.bindparam("number"))
    .order_by(_OUTBOX.c.number)
    .limit(sa.bindparam("most"))
)
_DROP = sa.delete(_OUTBOX).where(_OUTBOX.c.number <= sa.bindparam("last"))
_DELIVERED = sa.update(_STATE).values(delivered=sa.bindparam("last"))


#: the option by which connections of an engine know its outbox
_OPTION = "simwarden_outbox"


@dataclass(frozen=True, slots=True)
class Event:
    """An event before it is kept; `at` is when it happened (RFC 3339)."""

    type: str
    subject: str
    at: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits: its number, type and subject, when it happened (RFC 3339), and its data as JSON."""

    number: int
    type: str
    subject: str
    at: str
    data: str


class Outbox:
    """The outbox in one element's database, which transactions of its engine find by `outbox_of`.

    `epoch` is the first half of all events' ids, kept from the first time on. Its owner sets `wake`, called when there
    is something to deliver, before the transaction is over, and `full`, when the first of a row of events is not kept.
    """

    def __init__(self, engine: sa.Engine, *, epoch: str, most: int) -> None:
        self._engine, self._most = engine, most
        self.wake: Callable[[], None] = lambda: None
        self.full: Callable[[], None] = lambda: None
        with engine.begin() as connection:
            row = connection.execute(sa.select(_STATE)).first()
            if row is None:
                first = {"id": 1, "epoch": epoch, "delivered": 0, "lost": 0, "lost_since": "", "lost_until": ""}
                connection.execute(sa.insert(_STATE).values(first))
        self.epoch: str = row.epoch if row is not None else epoch
        self._overflows = row is not None and row.lost > 0
        engine.update_execution_options(**{_OPTION: self})

    def add(self, connection: sa.Connection, events: Sequence[Event], *, share: float = 1) -> None:
        """Keep events as part of a transaction; `share` is how much of the outbox events of their kind may fill."""
        last, delivered = connection.execute(_BOUNDS).one()
        room = max(0, int(self._most * share) - (last - delivered))
        kept, lost = events[:room], events[room:]
        if kept:
            rows = [
                {"number": number, "type": each.type, "subject": each.subject, "at": each.at, "data": _written(each)}
                for number, each in enumerate(kept, last + 1)
            ]
            connection.execute(_ADD, rows)
        if lost:
            connection.execute(_LOSE, {"events": len(lost), "since": lost[0].at, "until": lost[-1].at})
            if not self._overflows:
                self._overflows = True
                self.full()
        self.wake()

    def tell(self, event: Event, *, share: float = 1) -> None:
        """Keep an event that tells of nothing else that is kept."""
        with self._engine.begin() as connection:
            self.add(connection, [event], share=share)

    def after(self, number: int, most: int) -> list[Waiting]:
        """Return the oldest events with a higher number."""
        with self._engine.connect() as connection:
            return [Waiting(*row) for row in connection.execute(_AFTER, {"number": number, "most": most})]

    def delivered(self, number: int) -> None:
        """Forget the events up to a number; if any were not kept before, say so behind those that wait."""
        with self._engine.begin() as connection:
            connection.execute(_DROP, {"last": number})
            connection.execute(_DELIVERED, {"last": number})
            if self._overflows:
                self._tell_lost(connection)
        self._overflows = False

    def _tell_lost(self, connection: sa.Connection) -> None:
        state = connection.execute(sa.select(_STATE)).one()
        if state.lost:
            connection.execute(sa.update(_STATE).values(lost=0, lost_since="", lost_until=""))
            data = {"events": state.lost, "since": state.lost_since, "until": state.lost_until}
            self.add(connection, [Event(LOST_EVENTS.type, "", state.lost_until, data)])


def _written(event: Event) -> str:
    return json.dumps(event.data, default=str, separators=(",", ":"))


class Overheard:
    """Stands for an outbox where no broker is: `hear` is told of each event, and none is kept."""

    def __init__(self, engine: sa.Engine, hear: Callable[[Event], None]) -> None:
        self._hear = hear
        engine.update_execution_options(**{_OPTION: self})

    def add(self, _connection: sa.Connection, events: Sequence[Event]) -> None:
        """See Outbox."""
        for each in events:
            self._hear(each)


def outbox_of(connection: sa.Connection) -> Outbox | Overheard | None:
    """Return the outbox in the database that a transaction is in; None if events are told to nobody."""
    found: Outbox | Overheard | None = connection.get_execution_options().get(_OPTION)
    return found
