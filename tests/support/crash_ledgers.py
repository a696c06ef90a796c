"""Ledgers of the bench of crashes: the records that an element keeps of changes must lead to what it holds.

They are held after each crash, and in the element's own process after each commit: what a crash just then would leave.
So a change that is kept in two transactions is found, whether or not somebody dies between them.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from crash_notices import hold_notices
from sqlalchemy.engine.default import DefaultDialect

from simulators.cmp.events import AUDITED as CMP_EVENTS
from simulators.hss.events import AUDITED as HSS_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simwarden.runtime.declare import EventKind

METER, PHONE = "35", "86"
State = dict[str, Any]


def terminal(kind: str, imsi: str) -> str:
    """The IMEI, 14 digits, of a card's meter or of a phone."""
    return f"{kind}{int(imsi[5:]):012d}"


class Ledger(ABC):
    """Replays the audit in a database, of which it reads what is new, and holds it against what else is there."""

    actions: ClassVar[Mapping[str, Callable[[State, dict[str, Any]], State]]]
    #: audited actions with the kinds of their events, which nobody takes out of the outbox
    events: ClassVar[Mapping[str, EventKind]]

    def __init__(self, url: str) -> None:
        self.last = 0
        self._engine = sa.create_engine(
            url.replace("postgresql:", "postgresql+psycopg:"),
            **({} if url.startswith("sqlite") else {"isolation_level": "REPEATABLE READ"}),
        )
        self.states: dict[str, State] = {}

    def hold(self) -> int:
        """Hold records and state against each other; return how many cards there are."""
        with self._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")  # one snapshot for all that is read
            query = sa.text("SELECT id, action, imsi, details FROM audit WHERE id > :last ORDER BY id")
            for row in connection.execute(query.columns(details=sa.JSON), {"last": self.last}):
                self.last = row.id
                if row.action in self.actions:
                    self.states[row.imsi] = self.actions[row.action](self.states.get(row.imsi, {}), row.details)
            self._hold_events(connection)
            return self.compare(connection)

    def close(self) -> None:
        """Close what is open of the database, until it is held again."""
        self._engine.dispose()

    def _hold_events(self, connection: sa.Connection) -> None:
        """Hold the outbox against the audit: an event for each record, none without one, numbered without a gap."""
        told: Counter[str] = Counter()
        for action, count in connection.execute(sa.text("SELECT action, count(*) FROM audit GROUP BY action")):
            if action in self.events:
                told[self.events[action].type] += count
        query = "SELECT type, count(*) FROM outbox WHERE type <> 'card.refused' GROUP BY type"
        assert Counter(dict(tuple(row) for row in connection.execute(sa.text(query)))) == told
        rows, last = connection.execute(sa.text("SELECT count(*), max(number) FROM outbox")).one()
        assert rows == (last or 0)

    @abstractmethod
    def compare(self, connection: sa.Connection) -> int:
        """Compare what the records lead to with what is held; return how many cards there are."""


class HssLedger(Ledger):
    """The HSS's: each binding, learned or by hand, each suspension and each area has its record."""

    events: ClassVar = HSS_EVENTS
    actions: ClassVar = {
        "learn": lambda state, details: state | {"mode": "learned", "bound": details["imei"]},
        **dict.fromkeys(
            ("bind", "rebind"), lambda s, details: s | {"mode": details["mode"], "bound": details["after"]}
        ),
        "unbind": lambda state, _: state | {"mode": "", "bound": ""},
        "suspend": lambda state, details: state | {"suspended": details["how"]},
        "resume": lambda state, _: state | {"suspended": ""},
        **dict.fromkeys(("area", "area-change"), lambda s, details: s | {"zones": details["after"]["zones"]}),
        "provision": lambda state, _: state,
    }

    def compare(self, connection: sa.Connection) -> int:
        query = "SELECT imsi, mode, bound, suspended, mme, imei, subscription FROM subscribers"
        rows = connection.execute(sa.text(query).columns(subscription=sa.JSON)).mappings().all()
        assert {row["imsi"] for row in rows} == set(self.states)
        for row in rows:
            state = self.states[row["imsi"]]
            given = {"bound": terminal(METER, row["imsi"])} if row["mode"] == "given" else {}
            want = {"bound": "", "suspended": "", **given, **state}
            assert (row["bound"], row["suspended"]) == (want["bound"], want["suspended"]), (dict(row), state)
            assert row["mode"] == want.get("mode", row["mode"])
            assert row["subscription"].get("zones", []) == want.get("zones", [])
            if row["mme"] and row["bound"]:  # served, so in the terminal that it is bound to
                assert row["imei"] == row["bound"], (dict(row), state)
        return len(rows)


def _operated(state: State, details: dict[str, Any]) -> State:
    assert details["before"] == state.get("state", "to-activate"), (state, details)
    return state | {"state": details["after"]}


def _rebound(state: State, details: dict[str, Any]) -> State:
    assert details["before"] == state.get("bound", ""), (state, details)
    return state | {"mode": details["mode"], "bound": details["after"], "mismatches": 0}


class CmpLedger(Ledger):
    """The platform's: each record follows from the one before, and mismatches have records of risk."""

    events: ClassVar = CMP_EVENTS
    actions: ClassVar = {
        "capture": lambda state, details: state | {"bound": details["imei"][:14], "captured": True},
        "mismatch": lambda s, _: s | {"mismatches": s.get("mismatches", 0) + 1, "ever": s.get("ever", 0) + 1},
        **dict.fromkeys(("bind", "unbind", "rebind"), _rebound),
        **dict.fromkeys(("suspend", "resume", "close", "first-use"), _operated),
    }

    def compare(self, connection: sa.Connection) -> int:
        # cards of a load that is under way do not exist
        there = "loaded_by NOT IN (SELECT id FROM loads)"
        query = f"SELECT imsi, state, mode, bound, terminal, mismatches FROM cards WHERE {there}"  # noqa: S608
        rows = connection.execute(sa.text(query)).mappings().all()
        risks = dict(
            tuple(row) for row in connection.execute(sa.text("SELECT imsi, count(*) FROM risks GROUP BY imsi"))
        )
        for row in rows:
            state = {"state": "to-activate", "mode": "learned", "bound": "", "mismatches": 0}
            state |= self.states.get(row["imsi"], {})
            ever, captured = state.pop("ever", 0), state.pop("captured", False)
            assert {name: row[name] for name in state} == state, (dict(row), state)
            assert risks.get(row["imsi"], 0) == ever
            assert row["terminal"] or not captured
        loads = connection.execute(sa.text("SELECT details FROM audit WHERE action = 'load'").columns(details=sa.JSON))
        assert sum(row.details["cards"] for row in loads) == len(rows)
        hold_notices(connection)
        return len(rows)


LEDGERS: Mapping[str, type[Ledger]] = {"hss": HssLedger, "cmp": CmpLedger}


def held_at_each_commit(kind: str, url: str) -> str:
    """Return what an element's process runs first (`serve(before=...)`), so that what it commits is held at once."""
    folder = str(Path(__file__).parent)
    return f"import sys\nsys.path.insert(0, {folder!r})\nimport crash_ledgers\ncrash_ledgers.watch({kind!r}, {url!r})"


def watch(kind: str, url: str) -> None:
    """Hold the ledger after each commit of this process; what is wrong is said as a fault, once."""
    ledger, commit, said = LEDGERS[kind](url), DefaultDialect.do_commit, False

    def commit_and_hold(dialect: DefaultDialect, connection: Any) -> None:
        nonlocal said
        commit(dialect, connection)  # type: ignore[no-untyped-call]
        try:
            ledger.hold()
        except (sa.exc.OperationalError, sa.exc.ProgrammingError):
            ledger.close()  # the database is gone, or not set up yet
        except AssertionError as error:
            if not said:
                said = True
                print(f"fault in {kind}: half a change is kept: {error}", file=sys.stderr, flush=True)  # noqa: T201

    DefaultDialect.do_commit = commit_and_hold  # type: ignore[method-assign]
