"""The store of a server of lists: cards, counters and the columns of records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from simwarden.operations.list_store import Counters, CounterTable, ListStore, ListTables
from simwarden.operations.record_columns import record_columns
from simwarden.runtime.declare import Model
from simwarden.runtime.statement import carry_out
from simwarden.runtime.store import StoreUnavailableError, mend, open_engine, silence, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMSI = "001010000000017"


class Section(Model):
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    imsi: str
    msisdn: str
    large: bool = False
    section: Section | None = None


METADATA = sa.MetaData()
TABLES = ListTables(METADATA, Card, "section", Section, {})
COUNTERS = CounterTable(METADATA, "service")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    opened = open_engine(sqlite_url(tmp_path / "store.sqlite"), METADATA)
    yield opened
    opened.dispose()


def record() -> dict[str, Any]:
    who = {"at": "2026-03-02T00:00:00+00:00", "role": "operator", "caller": "tester"}
    return {**who, "action": "provision", "imsi": IMSI, "details": {}}


@pytest.mark.parametrize("section", [None, Section(), Section(numbers=("10086",))])
def test_a_card_is_read_as_it_was_stored_with_its_audit_record(engine: sa.Engine, section: Section | None) -> None:
    card = Card(IMSI, "1440000000017", large=True, section=section)
    ListStore(engine, TABLES).put(Card(IMSI, ""), record())
    ListStore(engine, TABLES).put(card, record())
    again = ListStore(engine, TABLES)
    assert list(again.cards()) == [card]
    assert again.numbered("1440000000017") == card
    assert [each["action"] for each in again.audited(IMSI)] == ["provision", "provision"]


def test_counters_are_kept_by_card_month_and_what_else_is_counted_apart(engine: sa.Engine) -> None:
    counters = Counters(engine, COUNTERS)
    counters.charge(IMSI, "2026-03", "sms", units=2)
    counters.charge(IMSI, "2026-03", "data", units=5)
    carry_out(engine, counters.pending())
    counters.written()
    counters.charge(IMSI, "2026-03", "sms", units=-1)
    carry_out(engine, counters.pending())
    again = Counters(engine, COUNTERS)
    assert [again.used(IMSI, "2026-03", each) for each in ("sms", "data", "voice")] == [1, 5, 0]


def test_what_could_not_be_written_is_written_next(engine: sa.Engine) -> None:
    counters = Counters(engine, COUNTERS)
    counters.charge(IMSI, "2026-03", "sms", units=2)
    silence(engine)
    with pytest.raises(StoreUnavailableError):
        carry_out(engine, counters.pending())
    mend(engine)
    carry_out(engine, counters.pending())
    counters.written()
    assert Counters(engine, COUNTERS).used(IMSI, "2026-03", "sms") == 2
    assert [rows for _, rows in counters.pending()] == [[], []]


def test_columns_have_the_types_of_fields() -> None:
    columns = {each.name: each for each in record_columns(Card, "imsi", index=("msisdn",), lengths={"msisdn": 15})}
    assert {name: type(each.type) for name, each in columns.items()} == {
        "imsi": sa.String,
        "msisdn": sa.String,
        "large": sa.Boolean,
        "section": sa.JSON,
    }
    assert [name for name, each in columns.items() if each.nullable] == ["section"]
    assert [name for name, each in columns.items() if each.primary_key] == ["imsi"]
    assert columns["msisdn"].index
    assert columns["msisdn"].type.length == 15  # type: ignore[attr-defined]
