"""What the OCS keeps over a restart: cards with their quotas, what they have used, open sessions, and the audit.

What is given is committed as used before the answer leaves, in groups (`runtime.batch`), together with that answer and
with what is reserved by it. What was not needed is given back by a report, and by nothing else. Changes of cards are
committed before the method returns.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from simulators.ocs.card import QuotaCard
from simulators.ocs.config import OcsQuota
from simulators.ocs.events import AUDITED
from simulators.ocs.service import Service
from simwarden.operations.list_store import Counters, CounterTable, ListStore, ListTables
from simwarden.runtime.statement import Statement, carry_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

METADATA = sa.MetaData()
_LISTS = ListTables(METADATA, QuotaCard, "quota", OcsQuota, AUDITED)
#: octets, messages, seconds
_COUNTERS = CounterTable(METADATA, "service")
_SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("session", sa.String, primary_key=True),
    sa.Column("imsi", sa.String(15), nullable=False),
    sa.Column("service", sa.String(8), nullable=False),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("realm", sa.String, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Column("reserves", sa.JSON, nullable=False),
    sa.Column("over", sa.Boolean, nullable=False),
    sa.Column("ends", sa.Float, nullable=False),
)
_S = _SESSIONS.c
_FORGET = Statement(sa.delete(_SESSIONS).where(_S.session == sa.bindparam("key")))
_KEEP = Statement(sa.insert(_SESSIONS))
_COLUMNS = tuple(_S.keys())


class Reserve(NamedTuple):
    """Units that were given for a rating group and are not reported, and the month in which they count."""

    month: str
    units: int


@dataclass(slots=True)
class Session:
    """A session of credit control, or an event, for as long as it may be repeated. Dates are seconds since 1970.

    `number` is that of the last request, `answer` what it got; `reserves` are by rating group; `ends` is when it is
    given up, or forgotten if it is `over`.
    """

    session: str
    imsi: str
    service: Service
    host: str
    realm: str
    number: int = -1
    answer: bytes = b""
    reserves: dict[str, Reserve] = field(default_factory=dict)
    over: bool = False
    ends: float = 0.0
    #: it is in the database, or may be
    kept: bool = False

    @property
    def reserved(self) -> int:
        """Return all units that are given and not reported."""
        return sum(each.units for each in self.reserves.values())

    def row(self) -> dict[str, Any]:
        """Return it as the database has it."""
        return {name: getattr(self, name) for name in _COLUMNS}


@dataclass(slots=True)
class Change:
    """What became of a session by one request, as a batch counts it."""

    id: int
    session: Session


@dataclass(slots=True)
class _Memory:
    sessions: dict[str, Session] = field(default_factory=dict)
    #: when sessions end, the first one first; one that has moved on stands there again
    ends: list[tuple[float, str]] = field(default_factory=list)


class Store(ListStore[QuotaCard]):
    """The database of one OCS."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine, _LISTS)
        self._counters = Counters(engine, _COUNTERS)
        self.charge, self.used = self._counters.charge, self._counters.used
        self._held = _Memory()
        with engine.connect() as connection:
            for kept in connection.execute(sa.select(_SESSIONS)).mappings():
                reserves = {group: Reserve(*each) for group, each in kept["reserves"].items()}
                self.hold(Session(**{**kept, "service": Service(kept["service"]), "reserves": reserves}, kept=True))

    # -- sessions

    def session(self, session: str) -> Session | None:
        """Return a session by its Session-Id."""
        return self._held.sessions.get(session)

    def open_sessions(self, imsi: str = "") -> tuple[Session, ...]:
        """Return the sessions that go on, of a card or all."""
        return tuple(each for each in self._held.sessions.values() if not each.over and imsi in ("", each.imsi))

    def hold(self, session: Session) -> None:
        """Have a session in memory, with what it has become."""
        self._held.sessions[session.session] = session
        heapq.heappush(self._held.ends, (session.ends, session.session))

    def let_go(self, session: Session) -> None:
        """Have a session no longer in memory."""
        self._held.sessions.pop(session.session, None)

    def ended(self, now: float) -> Iterator[Session]:
        """Yield the sessions whose time is over, and forget them; each is to be dropped from the table."""
        ends = self._held.ends
        while ends and ends[0][0] <= now:
            when, name = heapq.heappop(ends)
            session = self._held.sessions.get(name)
            if session is not None and session.ends == when:
                self.let_go(session)
                yield session

    def write(self, added: Iterable[Change], changed: Iterable[Change], dropped: Iterable[Change]) -> None:
        """Keep what became of sessions, which are forgotten, and what was counted, in one transaction."""
        del changed
        sessions = {each.session.session: each.session for each in added}
        known = {name for name, each in sessions.items() if each.kept} | {each.session.session for each in dropped}
        for each in sessions.values():
            each.kept = True  # or may be: of a transaction that fails it is not always known whether it was carried out
        work = (
            (_FORGET, [{"key": each} for each in known]),
            (_KEEP, [each.row() for each in sessions.values()]),
            *self._counters.pending(),
        )
        carry_out(self._engine, work)
        self._counters.written()
