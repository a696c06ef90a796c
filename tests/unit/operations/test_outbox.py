"""The outbox: events in the transaction of what they tell of, numbered without gaps, bounded, on both databases."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from simwarden.operations.audit_table import AuditTable
from simwarden.operations.event_kinds import LEARNED
from simwarden.operations.outbox import METADATA, Event, Outbox, outbox_of
from simwarden.runtime.store import open_engine, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHERS = sa.MetaData()
AUDIT = AuditTable(OTHERS, events={"learn": LEARNED})


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(store_url, METADATA)
    OTHERS.create_all(engine)
    yield engine
    engine.dispose()


def event(name: str) -> Event:
    return Event("card.refused", name, "2026-03-02T08:00:00+00:00", {"name": name})


def names(outbox: Outbox) -> list[tuple[int, str]]:
    return [(each.number, each.subject or each.type) for each in outbox.after(0, 1000)]


def record(imsi: str, action: str = "learn") -> dict[str, object]:
    return {"at": "now", "role": "network", "caller": "", "action": action, "imsi": imsi, "details": {"imei": "1"}}


def test_events_wait_in_order_until_they_are_delivered(engine: sa.Engine) -> None:
    outbox = Outbox(engine, epoch="aa", most=100)
    for name in "abc":
        outbox.tell(event(name))
    assert names(outbox) == [(1, "a"), (2, "b"), (3, "c")]
    assert [each.number for each in outbox.after(1, 1)] == [2]
    outbox.delivered(2)
    assert names(outbox) == [(3, "c")]
    assert len(outbox.after(0, 100)) == 1


def test_numbers_and_epoch_go_on_after_a_restart_of_an_empty_outbox(engine: sa.Engine) -> None:
    outbox = Outbox(engine, epoch="aa", most=100)
    outbox.tell(event("a"))
    outbox.delivered(1)
    again = Outbox(engine, epoch="bb", most=100)
    again.tell(event("b"))
    assert (again.epoch, names(again)) == ("aa", [(2, "b")])


def test_an_event_is_there_if_and_only_if_its_change_is(engine: sa.Engine) -> None:
    outbox = Outbox(engine, epoch="aa", most=100)
    with engine.begin() as connection:
        AUDIT.add(connection, [record("1")])
        connection.rollback()
    assert names(outbox) == []
    with engine.begin() as connection:
        AUDIT.add(connection, [record("2"), record("3", "something else"), record("4")])
    assert names(outbox) == [(1, "2"), (2, "4")]
    told = outbox.after(0, 1)[0]
    assert (told.type, told.at) == ("binding.learned", "now")
    assert json.loads(told.data) == {"imei": "1", "role": "network", "caller": ""}


def test_without_an_outbox_nothing_is_kept_of_events(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        assert outbox_of(connection) is None
        AUDIT.add(connection, [record("1")])
    assert len(AUDIT.read(engine)) == 1
    assert names(Outbox(engine, epoch="aa", most=100)) == []


def test_a_full_outbox_counts_what_it_does_not_keep_and_says_so(engine: sa.Engine) -> None:
    outbox, said = Outbox(engine, epoch="aa", most=10), []
    outbox.full = lambda: said.append("full")
    for number in range(15):
        outbox.tell(event(str(number)), share=0.5)
    assert len(outbox.after(0, 100)) == 5  # refusals leave room
    assert said == ["full"]
    with engine.begin() as connection:
        outbox.add(connection, [event(f"change {number}") for number in range(7)])
    assert len(outbox.after(0, 100)) == 10
    outbox.delivered(3)
    kept = outbox.after(0, 100)
    assert [each.number for each in kept] == [4, 5, 6, 7, 8, 9, 10, 11]  # no gap, and the last one tells what is lost
    assert (kept[-1].type, json.loads(kept[-1].data)["events"]) == ("events.lost", 12)
    outbox.tell(event("after"))
    outbox.delivered(11)
    assert names(outbox) == [(12, "after")]  # told once


def test_waking_and_data_that_json_does_not_know(engine: sa.Engine, tmp_path: Path) -> None:
    outbox, woken = Outbox(engine, epoch="aa", most=10), []
    outbox.wake = lambda: woken.append(1)
    outbox.tell(Event("t", "s", "now", {"path": tmp_path, "text": "说"}))
    assert woken == [1]
    assert json.loads(outbox.after(0, 1)[0].data) == {"path": str(tmp_path), "text": "说"}


def test_a_database_that_was_made_before_there_were_events_takes_them(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "old.sqlite")
    open_engine(url, OTHERS).dispose()
    engine = open_engine(url, OTHERS)
    from simwarden.runtime.store import prepare

    prepare(engine, METADATA)
    Outbox(engine, epoch="aa", most=10).tell(event("a"))
    engine.dispose()
    with sqlite3.connect(tmp_path / "old.sqlite") as plain:
        assert plain.execute("SELECT count(*) FROM outbox").fetchone() == (1,)
    plain.close()


def test_what_was_lost_is_told_after_a_restart_as_well(engine: sa.Engine) -> None:
    outbox = Outbox(engine, epoch="aa", most=2)
    for name in "abc":
        outbox.tell(event(name))
    again = Outbox(engine, epoch="bb", most=2)
    again.delivered(1)
    assert names(again) == [(2, "b"), (3, "events.lost")]


def test_a_loss_that_is_rolled_back_is_none(engine: sa.Engine) -> None:
    outbox = Outbox(engine, epoch="aa", most=1)
    outbox.tell(event("a"))
    with engine.begin() as connection:
        outbox.add(connection, [event("b")])
        connection.rollback()
    outbox.delivered(1)
    assert names(outbox) == []
