"""Deleting and forgetting cost the same with many rows and entries as with few."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

import simulators.pcrf.store as pcrf
from simulators.pcrf.card import GxSession
from simwarden.runtime.statement import Statement
from simwarden.runtime.store import open_engine, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

NOW = 1_800_000_000.0


def statements() -> Iterator[tuple[str, sa.MetaData, sa.Delete]]:
    """Yield each deletion that a store keeps ready, with its name and the tables of that store."""
    for package in ("simulators", "simwarden.operations"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if module.ispkg or not ("store" in module.name or module.name.endswith(("outbox", "provisioned"))):
                continue
            loaded = import_module(module.name)
            for name, value in vars(loaded).items():
                made = getattr(value, "_statement", None) if isinstance(value, Statement) else value
                if isinstance(made, sa.Delete) and isinstance(made.table, sa.Table):
                    yield f"{module.name}.{name}", made.table.metadata, made


@pytest.mark.parametrize(("metadata", "statement"), [pytest.param(*rest, id=name) for name, *rest in statements()])
def test_a_deletion_finds_its_rows_by_an_index(metadata: sa.MetaData, statement: sa.Delete, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "store.sqlite"), metadata)
    compiled = statement.compile(dialect=engine.dialect)
    values = tuple(0 for _ in compiled.positiontup or ())
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values).fetchall()
    engine.dispose()
    assert [row[3] for row in plan if "SCAN" in row[3]] == []


def steps(call: Callable[[], Any]) -> int:
    """Return how many lines of the PCRF's store a call runs through."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename != pcrf.__file__:
            return None
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)
    return count


def ended(store: pcrf.Store, number: int, when: float) -> None:
    session = GxSession(f"pgw;1;{number}", "001010000000001", "iot", "pgw.example", "example", adc=True)
    store.keep(session, (0, b"answer"))
    store.end(session.id, (1, b"answer"), when)


def test_the_end_of_a_session_takes_the_same_steps_after_many_as_after_few(tmp_path: Path) -> None:
    taken = []
    for many in (5, 300):
        engine = open_engine(sqlite_url(tmp_path / f"{many}.sqlite"), pcrf.METADATA)
        store = pcrf.Store(engine)
        for number in range(many):
            ended(store, number, NOW + number / 1000)
        taken.append(steps(lambda: ended(store, 1000, NOW + 1)))  # noqa: B023 - called at once
        engine.dispose()
    assert taken[0] == taken[1]


def test_an_answer_is_forgotten_when_its_time_is_over_and_no_earlier(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "store.sqlite"), pcrf.METADATA)
    store = pcrf.Store(engine)
    ended(store, 1, NOW)
    ended(store, 2, NOW + 300)
    ended(store, 3, NOW + 600)
    assert store.answered("pgw;1;1") == 1
    ended(store, 4, NOW + 601)
    assert [store.answered(f"pgw;1;{number}") for number in (1, 2, 3, 4)] == [None, 1, 1, 1]
    engine.dispose()
