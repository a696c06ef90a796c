"""The stores of all elements, on SQLite and PostgreSQL: what they keep, what they refuse, and what nobody knows."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from databases import new_server

import simulators.cmp.north.store as north
import simulators.cmp.store as cmp
import simulators.eir.store as eir
import simulators.hss.store as hss
import simulators.mme.store as mme
from simulators.cmp.card import Card, Change
from simulators.eir.config import EirBinding
from simulators.hss.subscriber import Due, Notice, Subscriber
from simulators.mme.config import MmeArea
from simwarden.operations.terminal_library import TerminalType
from simwarden.policy.card_states import CardState
from simwarden.policy.equipment_lists import EquipmentRange, Status
from simwarden.runtime.store import StoreUnavailableError, UnstorableError, open_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMSI, METER, PHONE = "001010000000017", "99000101000001", "99000201000001"
#: what came with the HLR part
_CALLS = ("vlr", "msc", "vlr_imei", "csi", "camel")
MME, REALM = "mme.epc.example", "epc.example"
ELEMENTS = pytest.mark.parametrize("store", [hss, cmp, north, eir, mme], ids=lambda module: module.__name__)


@contextmanager
def opened(url: str, store: Any) -> Iterator[sa.Engine]:
    engine = open_engine(url, store.METADATA)
    try:
        yield engine
    finally:
        engine.dispose()


def record(action: str, key: str = "imsi", **details: Any) -> dict[str, Any]:
    who = {"at": "2026-03-02T00:00:00+00:00", "role": "operator", "caller": "tester"}
    return {**who, "action": action, key: IMSI, "details": details}


def subscriber(**more: Any) -> Subscriber:
    names: dict[str, Any] = {
        "name": "card",
        "iccid": "8900100000000000017",
        "msisdn": "1440000000017",
        "profile": "meter",
    }
    return Subscriber(imsi=IMSI, **names, k="00" * 16, opc="11" * 16, mode="learned", **more)


def register(store: hss.Store, card: Subscriber, imei: str, mme: str = MME) -> bool:
    audit = record("learn", imei=imei)
    teaches = "" if card.bound else imei
    return store.register(card, mme=mme, realm=REALM, plmn="001-01", imei=imei, teaches=teaches, audit=audit)


@ELEMENTS
def test_who_opens_a_new_store_at_once_finds_it_whole(store_url: str, store: Any) -> None:
    def look(_number: int) -> set[str]:
        with opened(store_url, store) as engine:
            return set(sa.inspect(engine).get_table_names())

    with ThreadPoolExecutor(6) as pool:
        for tables in pool.map(look, range(6)):
            assert set(store.METADATA.tables) <= tables


@ELEMENTS
def test_tables_that_an_older_program_lacked_are_made(store_url: str, store: Any) -> None:
    newest = store.METADATA.sorted_tables[-1]
    with opened(store_url, store) as engine:
        newest.drop(engine)
    with opened(store_url, store) as engine:
        assert newest.name in sa.inspect(engine).get_table_names()


def test_hss_keeps_what_is_pending_for_mmes(store_url: str) -> None:
    with opened(store_url, hss) as engine:
        store = hss.Store(engine)
        store.put(subscriber(), record("provision"))
        card = store.get(IMSI)
        assert card is not None
        assert register(store, card, METER)
        assert store.change(card, record("suspend"), due=Due.BARRING, suspended="barring") is not None
        assert register(store, card, METER, "other.epc.example")
    with opened(store_url, hss) as engine:
        store = hss.Store(engine)
        barring, update = store.pending()
        assert [barring, update] == [Notice(IMSI, MME, what, REALM) for what in (Due.BARRING, Due.UPDATE)]
        assert store.pending(MME) == [barring, update]
        card = store.get(IMSI)
        assert card is not None
        assert (card.bound, card.suspended, card.mme) == (METER, "barring", "other.epc.example")
        notice = store.change(card, record("suspend"), due=Due.WITHDRAWAL, suspended="withdrawal")
        assert notice == Notice(IMSI, "other.epc.example", Due.WITHDRAWAL, REALM)
        assert (store.pending(MME), store.pending("other.epc.example")) == ([barring, update], [notice])
        assert card.mme == ""
        store.told(barring)
        store.told(barring)
    with opened(store_url, hss) as engine:
        store = hss.Store(engine)
        assert store.pending() == [update, notice]
        card = store.get(IMSI)
        assert card is not None
        assert register(store, card, METER)  # at the MME for which it was pending: the answer tells it
        assert store.pending() == [notice]
        assert [each["action"] for each in store.audited(IMSI)] == ["provision", "learn", "suspend", "suspend"]
        store.purge(card, "other.epc.example")  # which has forgotten the card
        assert store.pending() == []
    with opened(store_url, hss) as engine:
        assert hss.Store(engine).pending() == []


def test_two_first_uses_at_once_bind_once(store_url: str) -> None:
    with opened(store_url, hss) as one, opened(store_url, hss) as two:
        first, second = hss.Store(one), hss.Store(two)
        first.put(subscriber(), record("provision"))
        here, there = first.get(IMSI), second.get(IMSI)
        assert here is not None
        assert there is not None
        assert register(first, here, METER)
        assert not register(second, there, PHONE)
        assert second.get(IMSI) is there
        assert there.bound == METER


def test_cmp_keeps_a_change_whole(store_url: str) -> None:
    with opened(store_url, cmp) as engine:
        store = cmp.Store(engine)
        store.put(Card(imsi=IMSI, mode="learned", account="a", batch="b"), record("provision"))
        card = store.get(IMSI)
        assert card is not None
        change = Change(card, {"state": CardState.ACTIVE, "terminal": METER}, [record("capture")], first_use=METER)
        assert store.keep([change])
        assert (card.bound, card.state, card.terminal) == (METER, CardState.ACTIVE, METER)
        again = Change(card, {"terminal": PHONE}, [record("capture")], first_use=PHONE)
        contact = Change(card, contacts=[{"day": "1", "at": "1", "imsi": IMSI, "imei": PHONE}])
        assert not store.keep([contact, again])
        assert store.unjudged("9") == []
        stop = Change(card, {"state": CardState.SUSPENDED, "pending": "suspend"}, [record("suspend")])
        store.set(record("pool"), ("pool", "meters", {"imeis": ["99000101"]}))
        assert store.keep([stop])
        store.told([card], "resume")
        assert card.pending == "suspend"
    with opened(store_url, cmp) as engine:
        store = cmp.Store(engine)
        (card,) = store.some(pending=True, most=9)
        assert (card.bound, card.state, card.terminal, card.pending) == (METER, CardState.SUSPENDED, METER, "suspend")
        assert store.settings("pool") == {"meters": {"imeis": ["99000101"]}}
        assert [each["action"] for each in store.history()] == ["provision", "capture", "pool", "suspend"]
        store.told([card], "suspend")
        assert store.some(pending=True, most=9) == []


def test_eir_keeps_lists_pools_and_library(store_url: str) -> None:
    entry = EquipmentRange.parse("99000201-99000299")
    with opened(store_url, eir) as engine:
        store = eir.Store(engine)
        store.put_entry(entry, Status.TRACKED, record("list", "subject"))
        store.put_entry(entry, Status.PROHIBITED, record("list", "subject"))
        store.put_pool(IMSI, EirBinding(by="eir", imeis=("99000101",)), record("pool", "subject"), pending=True)
        store.put_pool(IMSI, EirBinding(by="eir", imeis=("99000101",)), record("pool", "subject"), pending=True)
        row = {"tac": "99000101", "kind": "module", "maker": "Example", "model": "M1"}
        with engine.begin() as connection:  # as an older program kept it
            connection.execute(sa.insert(eir.METADATA.tables["library"]).values(row))
        assert store.library() == {"99000101": TerminalType(**row)}
        store.put_library("tac,kind\n99000201,phone\n", record("library", "subject"))
    with opened(store_url, eir) as engine:
        store = eir.Store(engine)
        assert store.library() == {"99000201": TerminalType("99000201", "phone")}
        assert store.entries() == {entry: Status.PROHIBITED}
        assert store.pools()[IMSI].imeis == ("99000101",)
        assert [each["action"] for each in store.audited()] == ["list", "list", "pool", "pool", "library"]
        assert store.pending() == [IMSI]
        store.told(IMSI)
        assert store.pending() == []


@pytest.mark.parametrize("shared", [False, True])
def test_mme_keeps_areas_and_the_stations_that_count(store_url: str, *, shared: bool) -> None:
    with opened(store_url, mme) as engine:
        store = mme.AreaStore(engine, shared=shared)
        store.put(IMSI, MmeArea(cells=("001-01-0000101",), stations=1), record("area"))
        area = store.get(IMSI)
        assert area is not None
        assert store.count(IMSI, area, "001-01-00001")
        assert not store.count(IMSI, area, "001-01-00002")
    with opened(store_url, mme) as engine:
        store = mme.AreaStore(engine, shared=shared)
        area = store.get(IMSI)
        assert area is not None
        assert (area.tell()["cells"], area.used) == (["001-01-0000101"], {"001-01-00001"})
        store.remove(IMSI, record("area-change"))
        assert store.get(IMSI) is None
        assert [each["action"] for each in store.audited(IMSI)] == ["area", "area-change"]


def changes_nothing(url: str, text: str) -> None:
    """Check that neither a change nor a new card with a text that cannot be kept leaves anything behind."""
    with opened(url, hss) as engine:
        store = hss.Store(engine)
        store.put(subscriber(), record("provision"))
        card = store.get(IMSI)
        assert card is not None
        with pytest.raises(UnstorableError):
            store.change(card, {**record("suspend"), "caller": text}, suspended="barring")
        assert (card.suspended, card.why) == ("", "")
        with pytest.raises(UnstorableError):
            store.put(subscriber(why=text), record("provision"))
        assert store.get(IMSI) is card
        assert (card.why, len(store.audited())) == ("", 1)


def test_half_a_surrogate_pair_changes_nothing(store_url: str) -> None:
    changes_nothing(store_url, "\ud800")


@pytest.mark.interop
def test_a_nul_changes_nothing_where_it_cannot_be_kept(postgresql: Any) -> None:
    changes_nothing(postgresql(), "\x00")


@pytest.mark.interop
def test_a_text_that_is_too_long_changes_nothing(postgresql: Any) -> None:
    with opened(postgresql(), cmp) as engine:
        store = cmp.Store(engine)
        with pytest.raises(UnstorableError, match="too long"):
            store.put(Card(imsi=IMSI, iccid="8" * 21), record("load"))
        assert store.get(IMSI) is None
        assert store.history() == []


@pytest.mark.parametrize("committed", [False, True])
def test_what_nobody_knows_to_be_committed_is_read_again(
    store_url: str, monkeypatch: pytest.MonkeyPatch, *, committed: bool
) -> None:
    with opened(store_url, hss) as engine:
        store = hss.Store(engine)
        store.put(subscriber(), record("provision"))
        card = store.get(IMSI)
        assert card is not None
        assert register(store, card, METER)
        with monkeypatch.context() as patch:
            commit = engine.dialect.do_commit

            def broken(connection: Any) -> None:
                if committed:
                    commit(connection)
                raise engine.dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

            patch.setattr(engine.dialect, "do_commit", broken)
            with pytest.raises(StoreUnavailableError, match="does not answer"):
                store.change(card, record("suspend"), due=Due.WITHDRAWAL, suspended="withdrawal")
        assert store.get(IMSI) is card
        assert (card.suspended, card.mme) == (("withdrawal", "") if committed else ("", MME))
        assert [notice.what for notice in store.pending()] == [Due.WITHDRAWAL] * committed
        assert len(store.audited()) == 2 + committed


@pytest.mark.interop
def test_a_database_that_was_away_is_used_again() -> None:
    with new_server() as server, opened(server.new(), cmp) as engine:
        store = cmp.Store(engine)
        store.put(Card(imsi=IMSI), record("provision"))
        card = store.get(IMSI)
        assert card is not None
        server.kill()
        with pytest.raises(StoreUnavailableError):
            store.keep([Change(card, {"state": CardState.CLOSED}, [record("close")])])
        with pytest.raises(StoreUnavailableError):
            store.get(IMSI)
        server.start()
        assert store.get(IMSI) is card
        assert card.state is CardState.TO_ACTIVATE
        assert store.keep([Change(card, {"state": CardState.CLOSED}, [record("close")])])
        assert [each["action"] for each in store.history()] == ["provision", "close"]


@pytest.mark.interop
def test_a_postgresql_that_hangs_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simwarden.runtime.store._ANSWER", 0.5)
    monkeypatch.setattr("simwarden.runtime.store._PATIENCE", {"connect_timeout": 2})
    bound = 60  # without an end to the wait it hangs for ever
    with new_server() as server, opened(server.new(), cmp) as engine:
        store = cmp.Store(engine)
        store.put(Card(imsi=IMSI), record("provision"))
        card = store.get(IMSI)
        assert card is not None

        def stop_at_commit(_connection: object) -> None:
            server.hang()

        sa.event.listen(engine, "commit", stop_at_commit)
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError, match="the server is silent"):  # may be kept, may not
            store.keep([Change(card, {"state": CardState.CLOSED}, [record("close")])])
        assert time.monotonic() - began < bound
        sa.event.remove(engine, "commit", stop_at_commit)
        for ask in (lambda: store.get(IMSI), store.history):
            began = time.monotonic()
            with pytest.raises(StoreUnavailableError):
                ask()
            assert time.monotonic() - began < bound
        server.go_on()
        assert store.get(IMSI) is card
        assert len(store.history()) == (2 if card.state is CardState.CLOSED else 1)


@pytest.mark.interop
def test_a_statement_that_waits_for_a_lock_ends_at_the_server(
    monkeypatch: pytest.MonkeyPatch, postgresql: Callable[[], str]
) -> None:
    monkeypatch.setattr("simwarden.runtime.store._ANSWER", 0.5)
    with opened(postgresql(), cmp) as one, opened(str(one.url.render_as_string(hide_password=False)), cmp) as two:
        first, second = cmp.Store(one), cmp.Store(two)
        first.put(Card(imsi=IMSI), record("provision"))
        with one.begin() as held:
            held.exec_driver_sql("LOCK TABLE cards")
            with pytest.raises(StoreUnavailableError, match="statement timeout"):
                second.get(IMSI)
        assert second.get(IMSI) is not None
