"""What the PCRF keeps over a restart: cards with their lists, sessions with the last answer of each, and the audit.

All is committed before the method returns: an answer leaves after the session that it is about is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from simulators.pcrf.card import DataCard, GxSession
from simulators.pcrf.config import PcrfData
from simulators.pcrf.events import AUDITED
from simulators.pcrf.qos import SessionQos
from simwarden.operations.list_store import ListStore, ListTables
from simwarden.operations.record_columns import record_columns, row_of
from simwarden.runtime.statement import Statement, carry_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simwarden.runtime.statement import Work


def _add_qos(connection: sa.Connection) -> None:
    """Version 1: the QoS that PGWs ask for, and an index by which old answers are found."""
    connection.exec_driver_sql("ALTER TABLE sessions ADD COLUMN qos JSON NOT NULL DEFAULT '[]'")
    connection.exec_driver_sql("CREATE INDEX IF NOT EXISTS ix_answers_over ON answers (over)")


METADATA = sa.MetaData(info={"migrations": (_add_qos,)})
_LISTS = ListTables(METADATA, DataCard, "data", PcrfData, AUDITED)
_SESSIONS = sa.Table("sessions", METADATA, *record_columns(GxSession, "id"))
#: octets that PGWs have reported of a card in a month
_USAGE = sa.Table(
    "usage",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("month", sa.String(7), nullable=False),
    sa.Column("octets", sa.BigInteger, nullable=False),
)
#: of each session the number of the last CCR with its answer; of one that is over, for a while
_ANSWERS = sa.Table(
    "answers",
    METADATA,
    sa.Column("session", sa.String, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Column("over", sa.Float, index=True),
)
#: seconds for which the answer to the last CCR of a session is kept: no PGW repeats it later
_KEPT: Final = 600.0
_NO_SESSION = Statement(sa.delete(_SESSIONS).where(_SESSIONS.c.id == sa.bindparam("session")))
_NO_ANSWER = Statement(sa.delete(_ANSWERS).where(_ANSWERS.c.session == sa.bindparam("of")))
_LATE = Statement(sa.delete(_ANSWERS).where(_ANSWERS.c.over < sa.bindparam("since")))
_SESSION, _ANSWER = Statement(sa.insert(_SESSIONS)), Statement(sa.insert(_ANSWERS))
_ANSWER_OF = sa.select(_ANSWERS.c.answer).where(_ANSWERS.c.session == sa.bindparam("of"))
_NO_USE, _USE = Statement(sa.delete(_USAGE).where(_USAGE.c.imsi == sa.bindparam("card"))), Statement(sa.insert(_USAGE))


@dataclass(slots=True)
class _Memory:
    sessions: dict[str, GxSession] = field(default_factory=dict)
    #: by card their Session-Ids, in order
    by_card: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: of each session the number of the last CCR; what it was answered is in the database alone
    answers: dict[str, int] = field(default_factory=dict)
    #: answers of sessions that are over, the first first
    over: OrderedDict[str, float] = field(default_factory=OrderedDict)
    #: of each card the month in which use was reported last, and the octets
    used: dict[str, tuple[str, int]] = field(default_factory=dict)


class Store(ListStore[DataCard]):
    """The database of one PCRF."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine, _LISTS)
        self._held = _Memory()
        with engine.begin() as connection:
            for held in connection.execute(sa.select(_SESSIONS)).mappings():
                lists = {name: tuple(held[name]) for name in ("rules", "failed", "lacking")}
                self._hold(GxSession(**{**held, **lists, "qos": SessionQos(*held["qos"])}))
            for used in connection.execute(sa.select(_USAGE)):
                self._held.used[used.imsi] = used.month, used.octets
            of = sa.select(_ANSWERS.c.session, _ANSWERS.c.number, _ANSWERS.c.over).order_by(_ANSWERS.c.over)
            for row in connection.execute(of):
                self._held.answers[row.session] = row.number
                if row.over is not None:
                    self._held.over[row.session] = row.over

    # -- cards

    def put(self, card: DataCard, *audit: dict[str, Any]) -> None:
        """Keep a card with the audit record of the change; its sessions have to be told, if it is one."""
        before = self.card(card.imsi)
        changed = before is None or (before.data, before.use) != (card.data, card.use)
        sessions = [replace(each, pending=each.pending + 1) for each in self.sessions_of(card.imsi)] if changed else []
        with self._engine.begin() as connection:
            self._write_card(connection, card, *audit)
            for each in sessions:
                connection.execute(sa.update(_SESSIONS).where(_SESSIONS.c.id == each.id).values(row_of(each)))
        self.take(card)
        for each in sessions:
            self._hold(each)

    # -- sessions

    @property
    def sessions(self) -> Iterable[GxSession]:
        """All sessions."""
        return self._held.sessions.values()

    def session(self, identity: str) -> GxSession | None:
        """Return a session by its Session-Id."""
        return self._held.sessions.get(identity)

    def sessions_of(self, imsi: str) -> tuple[GxSession, ...]:
        """Return the sessions of a card."""
        return tuple(self._held.sessions[each] for each in self._held.by_card.get(imsi, ()))

    def answered(self, session: str) -> int | None:
        """Return the number of a session's last CCR, also of one that is over."""
        return self._held.answers.get(session)

    def answer(self, session: str) -> bytes:
        """Return what the last CCR of a session was answered, which has been answered."""
        with self._engine.connect() as connection:
            found: bytes = connection.execute(_ANSWER_OF, {"of": session}).scalar_one()
        return found

    def keep(
        self, session: GxSession, answer: tuple[int, bytes] | None = None, used: tuple[str, int] | None = None
    ) -> None:
        """Keep a session, with the number of a CCR and its answer, and what its card has `used` of a month."""
        again = [{"session": session.id}] if session.id in self._held.sessions else []
        answered = self._answer_written(session.id, answer) if answer is not None else ()
        counted = self._use_written(session.imsi, used)
        carry_out(self._engine, ((_NO_SESSION, again), (_SESSION, [row_of(session)]), *answered, *counted))
        self._hold(session)
        if answer is not None:
            self._held.answers[session.id] = answer[0]
        if used is not None:
            self._held.used[session.imsi] = used

    def end(
        self, identity: str, answer: tuple[int, bytes] | None, now: float, used: tuple[str, int] | None = None
    ) -> None:
        """Keep that a session is over, or will not be; `now` is the date, in seconds since 1970."""
        session = self._held.sessions.get(identity)
        counted = self._use_written(session.imsi, used) if session is not None else ()
        forgotten = ((_NO_SESSION, [{"session": identity}]), (_LATE, [{"since": now - _KEPT}]))
        carry_out(self._engine, (*forgotten, *self._answer_written(identity, answer, now), *counted))
        if session is not None:
            del self._held.sessions[identity]
            others = self._held.by_card[session.imsi]
            self._held.by_card[session.imsi] = tuple(each for each in others if each != identity)
            if used is not None:
                self._held.used[session.imsi] = used
        self._forget_answers(now - _KEPT)
        self._held.answers.pop(identity, None)
        self._held.over.pop(identity, None)
        if answer is not None:
            self._held.answers[identity], self._held.over[identity] = answer[0], now

    def _forget_answers(self, since: float) -> None:
        """Forget answers of sessions that were over before a date; they are in the order in which sessions ended."""
        over = self._held.over
        while over and over[next(iter(over))] < since:
            identity, _ = over.popitem(last=False)
            del self._held.answers[identity]

    def used(self, imsi: str, month: str) -> int:
        """Return the octets that PGWs have reported of a card in a month (`2026-03`)."""
        last, octets = self._held.used.get(imsi, (month, 0))
        return octets if last == month else 0

    def _use_written(self, imsi: str, used: tuple[str, int] | None) -> tuple[Work, ...]:
        """Return what writes the use of a card in the place of the one before."""
        if used is None:
            return ()
        again = [{"card": imsi}] if imsi in self._held.used else []
        return (_NO_USE, again), (_USE, [{"imsi": imsi, "month": used[0], "octets": used[1]}])

    def _answer_written(
        self, session: str, answer: tuple[int, bytes] | None, over: float | None = None
    ) -> tuple[Work, Work]:
        """Return what writes an answer in the place of the one before."""
        again = [{"of": session}] if session in self._held.answers else []
        rows = []
        if answer is not None:
            rows.append({"session": session, "number": answer[0], "answer": answer[1], "over": over})
        return (_NO_ANSWER, again), (_ANSWER, rows)

    def _hold(self, session: GxSession) -> None:
        self._held.sessions[session.id] = session
        others = self._held.by_card.get(session.imsi, ())
        if session.id not in others:
            self._held.by_card[session.imsi] = tuple(sorted((*others, session.id)))
