"""What events cost: a refusal told and untold, and an outbox in which very many events wait."""

from __future__ import annotations

import gc
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import figures
import sqlalchemy as sa

from simulators.broker.config import BrokerConfig
from simulators.broker.element import Broker
from simulators.hss.config import HssConfig
from simulators.hss.element import Hss
from simwarden.model.identity import Plmn
from simwarden.operations.management import Role
from simwarden.operations.outbox import METADATA, Event, Outbox
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import EventSettings, Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.store import open_engine, sqlite_url
from simwarden.testing import ScriptedMme
from simwarden.testing.diameter import MmeConfig
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOME = Plmn.parse("001-01")
REALM = HOME.realm
IMSI = "001010000000001"
REFUSALS = 1000
WAITING = int(os.environ.get("EVENTS_WAITING", "100000"))
#: statements that a refusal with its record of risk may add: each of the two events is numbered and kept
STATEMENTS = 4


async def refused(mme: ScriptedMme) -> None:
    """Ask for a card in a terminal that it is not bound to."""
    assert (await mme.ulr("99000201000002")).experimental_result == 5001


@contextmanager
def counted() -> Iterator[list[str]]:
    """Count the statements of all databases."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield said
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def _refuse(*, broker: str) -> tuple[float, int]:
    """Refuse a card; return CPU seconds and statements a refusal. `broker`: `none`, `down` or `up`."""
    loop = TestbedLoop(virtual=True)
    clock = Clock(loop)
    trace = Trace(clock.now, keep=False)
    settings = HostSettings(events=EventSettings("broker") if broker != "none" else None)
    host = Host(loop, clock, trace, settings)
    hss = host.add("hss", Hss, HssConfig(peers={"mme": {}}))
    mme = host.add("mme", ScriptedMme, MmeConfig(hss="hss", imsi=IMSI))
    if broker == "up":
        host.add("broker", Broker, BrokerConfig())
    assert isinstance(mme, ScriptedMme)

    async def story() -> tuple[float, int]:
        await host.start_all()
        body = {
            "name": "card",
            "imsi": IMSI,
            "iccid": "8900",
            "msisdn": "1440000000001",
            "k": "00" * 16,
            "opc": "11" * 16,
        }
        binding = [{"by": "hss", "imei": "99000101000001"}]
        body |= {"profile": "meter", "form": "", "sections": {"binding": binding}}  # type: ignore[dict-item]
        await hss.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", body)
        for _ in range(20):
            await refused(mme)
        await clock.settle()
        gc.collect()
        with counted() as said:
            began = time.process_time()
            for _ in range(REFUSALS):
                await refused(mme)
            taken = time.process_time() - began
        await clock.settle()
        await host.close()
        return taken / REFUSALS, len(said) // REFUSALS

    try:
        return loop.run_until_complete(story())
    finally:
        loop.close()


def test_what_telling_a_refusal_costs() -> None:
    found = {broker: min(_refuse(broker=broker) for _ in range(3)) for broker in ("none", "down", "up")}
    for broker, (seconds, statements) in found.items():
        what = {"none": "no broker", "down": "broker down", "up": "broker up"}[broker]
        figures.tell(f"a refused ULR, {what}", f"{seconds * 1e3:.2f} ms, {statements} statements")
    assert found["down"][1] - found["none"][1] == STATEMENTS


def _event(number: int) -> Event:
    data = {"control": "bind.hss.given", "requirement": "bind.hss.given", "reason": "the terminal is not the bound one"}
    details = {"expected": "990001010000016", "seen": "990002010000022"}
    return Event(
        "card.refused", f"00101{number % 10_000:010d}", "2026-03-02T08:00:00+00:00", {**data, "details": details}
    )


def _cost(outbox: Outbox) -> float:
    began = time.process_time()
    for number in range(500):
        outbox.tell(_event(number))
    return (time.process_time() - began) / 500


def test_an_outbox_in_which_very_many_events_wait(tmp_path: Path) -> None:
    file = tmp_path / "outbox.sqlite"
    engine = open_engine(sqlite_url(file), METADATA)
    outbox = Outbox(engine, epoch="aa", most=WAITING + 1000)
    empty = _cost(outbox)
    for start in range(500, WAITING, 5000):
        with engine.begin() as connection:
            outbox.add(connection, [_event(number) for number in range(start, start + 5000)])
    full = _cost(outbox)
    began = time.process_time()
    first = outbox.after(0, 64)
    taken = time.process_time() - began
    assert [each.number for each in first] == list(range(1, 65))
    for _ in range(1000):
        outbox.tell(_event(0))
    assert len(outbox.after(0, 2 * WAITING)) == WAITING + 1000  # and no more, whatever came
    size = sum(each.stat().st_size for each in tmp_path.iterdir())
    engine.dispose()
    figure = f"{full * 1e3:.2f} ms behind {WAITING:,}, {empty * 1e3:.2f} ms in an empty outbox"
    more = f"; the next 64 read in {taken * 1e3:.2f} ms; {size / WAITING:.0f} octets an event on disk"
    figures.tell("an event kept behind many that wait", figure + more)
