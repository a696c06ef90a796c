"""What the broker keeps: sessions that are not clean with what waits for them, retained messages, and event sources.

Each change is committed when the method returns, so a PUBACK never tells more than a killed broker would remember.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from simwarden.wire.mqtt import Publish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

METADATA = sa.MetaData(info={"schema": "broker"})
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_SESSIONS = sa.Table("broker_sessions", METADATA, sa.Column("client", sa.String, primary_key=True))
_FILTERS = sa.Table(
    "broker_filters",
    METADATA,
    sa.Column("client", sa.String, primary_key=True),
    sa.Column("filter", sa.String, primary_key=True),
    sa.Column("qos", sa.Integer, nullable=False),
)
_QUEUE = sa.Table(
    "broker_queue",
    METADATA,
    sa.Column("number", _NUMBER, primary_key=True),
    sa.Column("client", sa.String, nullable=False),
    sa.Column("topic", sa.String, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("retain", sa.Boolean, nullable=False),
    sa.Index("broker_queue_of", "client", "number"),
    sqlite_autoincrement=True,  # a number is not used again: clients tell messages apart by it
)
_RETAINED = sa.Table(
    "broker_retained",
    METADATA,
    sa.Column("topic", sa.String, primary_key=True),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("qos", sa.Integer, nullable=False),
)
_SOURCES = sa.Table(
    "broker_sources",
    METADATA,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("epoch", sa.String, primary_key=True),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("received", "repeated", "missing", "last")),
)
_WAITING = (
    sa.select(_QUEUE)
    .where(_QUEUE.c.client == sa.bindparam("of"), _QUEUE.c.number > sa.bindparam("after"))
    .order_by(_QUEUE.c.number)
    .limit(sa.bindparam("most"))
)
_DONE = sa.delete(_QUEUE).where(_QUEUE.c.number == sa.bindparam("done"))
_OF_SOURCE = (_SOURCES.c.source == sa.bindparam("of"), _SOURCES.c.epoch == sa.bindparam("since"))


@dataclass(slots=True)
class Source:
    """What came of one element's events: how many, how many came again, how many never came, the last one's number."""

    source: str
    epoch: str
    received: int = 0
    repeated: int = 0
    missing: int = 0
    last: int = 0

    def count(self, number: int) -> bool:
        """Count an event by its number; True if it was not here before."""
        if number <= self.last:
            self.repeated += 1
            return False
        self.missing += number - self.last - 1
        self.received, self.last = self.received + 1, number
        return True


class Store:
    """The database of one broker, and its machine's memory (`mqtt_broker.Memory`)."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    # -- sessions

    def sessions(self) -> Mapping[str, Mapping[str, int]]:
        """See Memory."""
        with self._engine.connect() as connection:
            clients = connection.execute(sa.select(_SESSIONS.c.client).order_by(_SESSIONS.c.client)).scalars().all()
            found: dict[str, dict[str, int]] = {client: {} for client in clients}
            for row in connection.execute(sa.select(_FILTERS).order_by(_FILTERS.c.filter)):
                found[row.client][row.filter] = row.qos
        return found

    def keep_session(self, client: str) -> None:
        """See Memory."""
        with self._engine.begin() as connection:
            held = connection.execute(sa.select(_SESSIONS).where(_SESSIONS.c.client == client)).first()
            if held is None:
                connection.execute(sa.insert(_SESSIONS).values(client=client))

    def drop_session(self, client: str) -> None:
        """See Memory."""
        with self._engine.begin() as connection:
            for table in (_QUEUE, _FILTERS, _SESSIONS):
                connection.execute(sa.delete(table).where(table.c.client == client))

    def keep_filters(self, client: str, filters: Mapping[str, int]) -> None:
        """See Memory."""
        with self._engine.begin() as connection:
            _forget(connection, client, list(filters))
            rows = [{"client": client, "filter": each, "qos": qos} for each, qos in filters.items()]
            connection.execute(sa.insert(_FILTERS), rows)

    def drop_filters(self, client: str, filters: Sequence[str]) -> None:
        """See Memory."""
        with self._engine.begin() as connection:
            _forget(connection, client, filters)

    # -- messages

    def store(self, message: Publish, clients: Sequence[str], *, retain: bool) -> None:
        """See Memory."""
        row = {"topic": message.topic, "payload": message.payload}
        with self._engine.begin() as connection:
            if retain:
                connection.execute(sa.delete(_RETAINED).where(_RETAINED.c.topic == message.topic))
                if message.payload:
                    connection.execute(sa.insert(_RETAINED).values(**row, qos=message.qos))
            if clients:
                connection.execute(
                    sa.insert(_QUEUE), [{**row, "client": client, "retain": message.retain} for client in clients]
                )

    def waiting(self, client: str, after: int, most: int) -> list[tuple[int, Publish]]:
        """See Memory."""
        with self._engine.connect() as connection:
            rows = connection.execute(_WAITING, {"of": client, "after": after, "most": most}).all()
        return [(row.number, Publish(row.topic, bytes(row.payload), 1, bool(row.retain))) for row in rows]

    def done(self, client: str, number: int) -> None:
        """See Memory."""
        del client
        with self._engine.begin() as connection:
            connection.execute(_DONE, {"done": number})

    def retained(self) -> Iterable[Publish]:
        """See Memory."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_RETAINED).order_by(_RETAINED.c.topic)).all()
        return [Publish(row.topic, bytes(row.payload), row.qos, retain=True) for row in rows]

    def waits(self) -> dict[str, int]:
        """Return how many messages wait for each session that has any."""
        query = sa.select(_QUEUE.c.client, sa.func.count()).group_by(_QUEUE.c.client).order_by(_QUEUE.c.client)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    # -- sources

    def count(self, source: str, epoch: str, number: int) -> tuple[Source, bool]:
        """Count an event of a source; return the source, and whether the event was not here before."""
        where = {"of": source, "since": epoch}
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(_SOURCES).where(*_OF_SOURCE), where).mappings().first()
            found = Source(**row) if row is not None else Source(source, epoch)
            fresh = found.count(number)
            if row is None:
                connection.execute(sa.insert(_SOURCES).values(asdict(found)))
            else:
                changed = {name: getattr(found, name) for name in ("received", "repeated", "missing", "last")}
                connection.execute(sa.update(_SOURCES).where(*_OF_SOURCE).values(changed), where)
        return found, fresh


def _forget(connection: sa.Connection, client: str, filters: Sequence[str]) -> None:
    for each in filters:
        connection.execute(sa.delete(_FILTERS).where(_FILTERS.c.client == client, _FILTERS.c.filter == each))
