"""Work on very many cards: others are served between its slices, and a kill between them leaves nothing half done."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

import pytest

from simulators.cmp.element import Cmp
from simulators.cmp.platform import Terminals
from simulators.cmp.procedures import pools, records, sweep
from simulators.cmp.procedures.identity_check import check
from simulators.cmp.procedures.sweep import SLICE
from simwarden.errors import ManagementError
from simwarden.operations.approval import By
from simwarden.operations.management import Role
from simwarden.operations.provision import CardProvision
from simwarden.testing import Bench

MANY = 10 * SLICE
METER, PHONE = "99000101000001", "99000201000001"
OTHER = "001019999999999"
APPROVED = {"approver": "J. Okonedo", "reason": "relays", "form": "F-1"}
SHUTDOWN = "/accounts/water/batches/spring/shutdown"


def imsi(number: int) -> str:
    return f"00101{number:010d}"


def cards(**more: str) -> list[dict[str, str]]:
    return [{"imsi": imsi(n), "account": "water", "batch": "spring", "state": "active", **more} for n in range(MANY)]


NEW = [each | {"imsi": "9" + each["imsi"][1:]} for each in cards()]


class Net(Bench):
    """A platform, and somebody who asks it about a card whenever the loop is idle."""

    def __init__(self, store: str = "") -> None:
        super().__init__(stores={"cmp": store})
        self.cmp = self.add("cmp", Cmp, {"hss": "off"})

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        try:
            return await self.cmp.manage(Role.OPERATOR, method, path, body)
        except ManagementError as refusal:
            return refusal.status

    async def load(self, *, seen: str = "") -> None:
        await self.ask("POST", "/cards", {"cards": [*cards(), {"imsi": OTHER, "state": "active"}]})
        for number in range(MANY if seen else 0):
            assert check(self.cmp.platform, imsi(number), seen)

    async def served_meanwhile(self, method: str, path: str, body: Any) -> tuple[Any, int]:
        """Return what is said, and how often others were served until then."""
        work = asyncio.ensure_future(self.ask(method, path, body))
        served = 0
        while not work.done():
            await self.loop.idle()
            served += 1
        return work.result(), served

    async def killed_amidst(self, method: str, path: str, body: Any, slices: int = 3) -> None:
        """Kill the platform when it has done some slices, and start it again."""
        work = asyncio.ensure_future(self.ask(method, path, body))
        for _ in range(slices):
            await self.loop.idle()
        assert not work.done()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        await self.host.stop("cmp", kill=True)
        await self.host.start("cmp")


def provision(number: int, *, state: str = "active", **more: Any) -> CardProvision:
    names = {"name": f"card{number}", "iccid": f"8986{number:015d}", "msisdn": f"1440{number:09d}", "form": "soldered"}
    sections = {"platform": [{"account": "water", "state": state}], "binding": [{"by": "cmp", "imei": METER}]}
    return CardProvision(imsi=imsi(number), profile="meter", sections=sections, **names | more)


async def test_many_cards_are_provisioned_at_once_or_none_of_them() -> None:
    async with Net() as net:
        by = By(caller="list")
        assert await net.cmp.provision_new([provision(1), provision(2, state="stock")], by)
        told = [await net.ask("GET", f"/cards/{imsi(number)}") for number in (1, 2)]
        assert [(each["state"], each["pending"]) for each in told] == [("active", ""), ("stock", "")]
        assert told[0]["binding"] == {"how": "given", "imei": f"{METER}6"}
        assert {each["imsi"] for each in net.observed("card") if each} == {imsi(1), imsi(2)}
        assert {each["imsi"] for each in net.observed("binding") if each} == {imsi(1), imsi(2)}
        audit = (await net.ask("GET", f"/cards/{imsi(1)}/audit"))["records"]
        assert [(each["action"], each["caller"]) for each in audit] == [("provision", "list")]
        assert not await net.cmp.provision_new([provision(3), provision(2)], by)
        assert not await net.cmp.provision_new([provision(3), provision(4, msisdn="1440000000001")], by)
        number = "1440000000009"
        assert not await net.cmp.provision_new([provision(3, msisdn=number), provision(4, msisdn=f"+86{number}")], by)
        assert await net.ask("GET", f"/cards/{imsi(3)}") == 404
        with pytest.raises(ManagementError) as refusal:
            await net.cmp.provision_new([provision(5), provision(6, msisdn="13800000000")], by)
        assert (refusal.value.status, refusal.value.subject) == (403, imsi(6))
        assert await net.ask("GET", f"/cards/{imsi(5)}") == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "said", "times"),
    [
        ("POST", "/cards", {"cards": NEW}, {"cards": MANY}, 1),
        ("POST", "/cards", {"cards": [*NEW, {"imsi": OTHER}]}, 409, 2),  # and while it is taken back
        ("POST", "/cards", {"cards": [each | {"state": "stock"} for each in NEW]}, {"cards": MANY}, 2),
        ("PUT", "/pools/meters", {"imeis": ["99000301"], "account": "water"}, {"ended": 0}, 1),
        ("PUT", "/accounts/water", {"phone": "refuse"}, None, 1),
        ("POST", SHUTDOWN, APPROVED, {"cards": MANY}, 2),  # they are counted before
    ],
)
async def test_others_are_served_between_the_slices(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, *, body: Any, said: Any, times: int
) -> None:
    monkeypatch.setattr(sweep, "COUNTED", SLICE)
    net = Net()

    async with net:
        await net.load()
        told, served = await net.served_meanwhile(method, path, body)
        assert said is None or told == said
        assert served >= times * MANY // SLICE
        assert not any("not told" in each for each in net.notes())


async def test_others_are_served_while_the_records_of_a_day_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "COUNTED", SLICE)
    net = Net()

    async with net:
        await net.ask("PUT", "/accounts/water", {"check": "next-day", "mismatch": "suspend"})
        await net.ask("POST", "/cards", {"cards": cards(imei=METER)})
        for number in range(MANY):
            assert check(net.cmp.platform, imsi(number), PHONE)
        day = net.cmp.platform.now().date().isoformat()
        told, served = await net.served_meanwhile("POST", f"/records/{day}", {})
        assert told == {"cards": MANY}
        assert served >= 2 * MANY // SLICE + MANY, "between the slices, and after each card that is suspended"
        assert not check(net.cmp.platform, imsi(0), METER)


@pytest.mark.parametrize("wrong", [{"imsi": imsi(1)}, {"imsi": OTHER}, {"imsi": "letters"}, 7])
async def test_all_cards_are_loaded_or_none(wrong: Any, store_url: str) -> None:
    net = Net(store_url)

    async with net:
        await net.ask("POST", "/cards", {"cards": [{"imsi": OTHER}]})
        assert await net.ask("POST", "/cards", {"cards": [*cards(), wrong]}) in (400, 409)
        assert (await net.ask("GET", "/cards"))["total"] == 1
        with net.cmp.platform.store._engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT * FROM loads").all() == []
        assert await net.ask("POST", "/cards", {"cards": cards()}) == {"cards": MANY}
        assert (await net.ask("GET", "/cards"))["total"] == MANY + 1


async def test_cards_of_a_load_do_not_exist_before_it_is_over_nor_after_a_kill(store_url: str) -> None:
    net = Net(store_url)

    async with net:
        work = asyncio.ensure_future(net.ask("POST", "/cards", {"cards": cards(msisdn="")}))
        for _ in range(3):
            await net.loop.idle()
        assert not work.done()
        assert (await net.ask("GET", "/cards"))["total"] == 0
        assert not check(net.cmp.platform, imsi(0), METER)
        assert await net.ask("GET", f"/cards/{imsi(0)}") == 404
        body = {"name": "", "imsi": imsi(0), "iccid": "", "msisdn": "", "k": "", "opc": "", "profile": "", "form": ""}
        assert await net.ask("PUT", f"/cards/{imsi(0)}", body) == 409
        assert await work == {"cards": MANY}
        assert check(net.cmp.platform, imsi(0), METER)


async def test_a_load_that_fails_leaves_another_one_alone(store_url: str) -> None:
    async with Net(store_url) as net:
        work = asyncio.ensure_future(net.ask("POST", "/cards", {"cards": NEW}))
        for _ in range(3):
            await net.loop.idle()
        assert await net.ask("POST", "/cards", {"cards": [{"imsi": OTHER}] * 2}) == 400
        assert not work.done()
        assert (await net.ask("GET", "/cards"))["total"] == 0
        assert await work == {"cards": MANY}
        assert (await net.ask("GET", "/cards"))["total"] == MANY
        assert [each["action"] for each in (await net.ask("GET", "/audit"))["records"]] == ["load"]


async def test_a_load_leaves_nothing_pending_of_a_card_of_its_first_slice() -> None:
    async with Net() as net:
        first, *rest = cards()
        await net.ask("POST", "/cards", {"cards": [first | {"state": "stock"}, *rest]})
        told = await net.ask("GET", f"/cards/{imsi(0)}")
        assert (told["state"], told["pending"]) == ("stock", "")


async def test_a_load_that_is_killed_leaves_nothing(store_url: str) -> None:
    net = Net(store_url)

    async with net:
        await net.killed_amidst("POST", "/cards", {"cards": cards()})
        assert (await net.ask("GET", "/cards"))["total"] == 0
        with net.cmp.platform.store._engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT * FROM loads").all() == []
        assert await net.ask("POST", "/cards", {"cards": cards()}) == {"cards": MANY}


async def test_a_whole_batch_is_refused_as_soon_as_its_shutdown_begins_and_after_a_kill(store_url: str) -> None:
    net = Net(store_url)

    async with net:
        await net.load(seen=METER)
        last = imsi(MANY - 1)
        work = asyncio.ensure_future(net.ask("POST", SHUTDOWN, APPROVED))
        for _ in range(3):
            await net.loop.idle()
        assert not work.done()
        assert not check(net.cmp.platform, last, METER)
        assert check(net.cmp.platform, OTHER, METER)
        work.cancel()
        await net.host.stop("cmp", kill=True)
        await net.host.start("cmp")
        assert not check(net.cmp.platform, imsi(MANY - 2), METER)
        await net.host.clock.settle()
        for _ in range(2 * MANY // SLICE):
            await net.loop.idle()
        assert (await net.ask("GET", "/cards?state=suspended"))["total"] == MANY
        assert (await net.ask("POST", f"/cards/{last}/operations/resume", APPROVED))["state"] == "active"
        await net.host.stop("cmp", kill=True)
        await net.host.start("cmp")
        assert check(net.cmp.platform, last, METER)  # it is over, and not taken up again


async def test_who_was_resumed_behind_a_shutdown_that_goes_on_is_served(store_url: str) -> None:
    net = Net(store_url)

    async with net:
        await net.load(seen=METER)
        work = asyncio.ensure_future(net.ask("POST", SHUTDOWN, APPROVED))
        for _ in range(3):
            await net.loop.idle()
        assert not work.done()
        await net.ask("POST", f"/cards/{imsi(0)}/operations/resume", APPROVED)
        assert check(net.cmp.platform, imsi(0), METER)
        assert await work == {"cards": MANY}
        assert check(net.cmp.platform, imsi(0), METER)


async def test_a_pool_whose_sweep_is_killed_ends_what_it_refuses(store_url: str) -> None:
    net = Net(store_url)
    net.cmp.config = net.cmp.config.model_copy(update={"hss": "hss"})

    async with net:
        await net.load(seen=PHONE)
        pool = {"imeis": ["99000101"], "account": "water"}
        await net.killed_amidst("PUT", "/pools/meters", pool)
        assert not check(net.cmp.platform, imsi(MANY - 1), PHONE)
        for _ in range(3 * MANY // SLICE):
            await net.loop.idle()
        pending = [await net.ask("GET", f"/cards/{imsi(number)}") for number in (0, MANY - 1)]
        assert [each["pending"] for each in pending] == ["evict", "evict"]


@pytest.mark.parametrize(("entries", "apart"), [(999, False), (1000, True)])
async def test_very_many_terminals_of_a_pool_are_read_in_a_thread(
    monkeypatch: pytest.MonkeyPatch, *, entries: int, apart: bool
) -> None:
    where: list[bool] = []

    def read(pool: Any) -> Terminals:
        where.append(threading.current_thread() is not threading.main_thread())
        return Terminals(pool)

    monkeypatch.setattr(pools, "Terminals", read)
    net = Net()

    async with net:
        imeis = [f"990001{number:08d}" for number in range(entries)]
        assert await net.ask("PUT", "/pools/meters", {**APPROVED, "imeis": imeis}) == {"ended": 0}
        assert where == [apart]
