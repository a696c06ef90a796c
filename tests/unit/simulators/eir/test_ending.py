"""What cards have is ended by the HSS: told once, again while it is not heard, and anew where it was ordered anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simulators.eir.element import Eir
from simwarden.errors import ManagementError
from simwarden.operations.element import Element
from simwarden.operations.management import HOUSE, Call, route
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.store import StoreUnavailableError
from simwarden.testing import Bench

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

CARDS = ("001010000000017", "001010000000018")
APPROVED = {"approver": "Li Wei", "reason": "meters replaced", "form": "F-21"}
POOL = {"imeis": ["99000101000001"], **APPROVED}

CARD = {
    "name": "card",
    "imsi": CARDS[0],
    "iccid": "1",
    "msisdn": "1",
    "k": "00",
    "opc": "00",
    "profile": "meter",
    "form": "plug-in",
    "sections": {"binding": [{"by": "eir", "imeis": POOL["imeis"]}]},
}


class Register(Element[ElementConfig]):
    """Stands in for the HSS: keeps what it was told, late or with an error where it is to."""

    declaration = Declaration(kind="hss", title="HSS", lane=2, config=ElementConfig)
    heard: tuple[str, ...] = ()
    status = 0
    pause = 0.0

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    @route("DELETE", "/cards/{imsi}/location")
    async def end(self, call: Call) -> None:
        self.heard += (call.path["imsi"][-2:],)
        await self.site.clock.sleep(self.pause)
        if self.status:
            raise ManagementError(self.status, "not now")


class Net(Bench):
    """An EIR and an HSS."""

    subject = "eir"

    def __init__(self, loop: TestbedLoop, store: str = "", **config: Any) -> None:
        super().__init__(loop, stores={"eir": store})
        self.hss = self.add("hss", Register)
        self.eir = self.add("eir", Eir, {"retry": 30, **config})

    async def tie(self, imsi: str = CARDS[0]) -> None:
        await self.call("PUT", f"/cards/{imsi}/pool", POOL)

    def pending(self) -> list[str]:
        return [imsi[-2:] for imsi in self.eir.store.pending()]


@pytest.mark.parametrize(
    ("caller", "held", "ends"), [(HOUSE, False, False), ("portal", False, True), ("portal", True, False)]
)
async def test_what_a_card_has_is_over_as_a_pool_is_provisioned_for_it_while_it_may_be_in_use(
    loop: TestbedLoop, caller: str, *, held: bool, ends: bool
) -> None:
    """Not where the network begins, nor where the card has that pool already."""
    async with Net(loop) as net:
        if held:
            await net.call("PUT", f"/cards/{CARDS[0]}", CARD, caller=HOUSE)
        net.hss.status = 503
        await net.call("PUT", f"/cards/{CARDS[0]}", CARD, caller=caller)
        assert (net.pending(), net.hss.heard) == ((["17"], ("17",)) if ends else ([], ()))
        assert {each["action"] for each in await net.call("GET", "/audit")} == {"pool"}


async def test_nothing_ends_where_a_card_is_tied_to_no_pool_any_more(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        await net.call("PUT", f"/cards/{CARDS[0]}", CARD, caller=HOUSE)
        await net.call(
            "DELETE", f"/cards/{CARDS[0]}/pool", {each: POOL[each] for each in ("approver", "reason", "form")}
        )
        assert (net.pending(), net.hss.heard) == ([], ())


async def test_without_an_hss_nothing_is_pending(loop: TestbedLoop, store_url: str) -> None:
    async with Net(loop, store_url, hss="off") as net:
        await net.tie()
        assert (net.pending(), net.notes()) == ([], [])
        await net.sleep(100)
        assert net.hss.heard == ()


async def test_what_is_pending_waits_until_there_is_an_hss_again(loop: TestbedLoop, store_url: str) -> None:
    async with Net(loop, store_url) as net:
        net.hss.status = 503
        await net.tie()
        config = net.eir.config
        for hss in ("off", "hss"):
            await net.host.stop("eir")
            net.eir.config = config.model_copy(update={"hss": hss})
            await net.host.start("eir")
            net.hss.status, net.hss.heard, noted = 0, (), net.notes()
            await net.sleep(100)
            assert net.pending() == (["17"] if hss == "off" else [])
            assert (net.hss.heard, net.notes()) == (() if hss == "off" else ("17",), noted)


@pytest.mark.parametrize(("status", "told"), [(404, 1), (503, 4)])
async def test_an_hss_that_has_no_such_card_is_told_once(loop: TestbedLoop, status: int, told: int) -> None:
    async with Net(loop) as net:
        net.hss.status = status
        await net.tie()
        await net.sleep(100)
        assert len(net.hss.heard) == told
        assert net.pending() == ([] if status == 404 else ["17"])


async def test_what_is_ordered_anew_while_it_is_told_is_over_with_the_last_answer(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.hss.pause = 10
        for _ in range(2):
            net.eir.site.spawn(net.tie(), "tied")
            await net.sleep(5)
        await net.sleep(1)
        assert net.pending() == ["17"], "the first answer knows nothing of the second order"
        await net.sleep(10)
        assert (net.pending(), net.hss.heard) == ([], ("17", "17"))


async def test_an_end_that_was_told_while_the_database_was_away_is_told_again(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise StoreUnavailableError("the database is away")

    async with Net(loop) as net:
        with monkeypatch.context() as fault:
            fault.setattr(net.eir.store, "told", away)
            assert await net.refused("PUT", f"/cards/{CARDS[0]}/pool", POOL) == 503
        assert net.hss.heard == ("17",)
        await net.sleep(31)
        assert (net.pending(), net.hss.heard) == ([], ("17", "17"))


async def test_an_hss_that_is_away_is_told_of_each_card_once_in_a_while(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.hss.status = 503
        for imsi in CARDS:
            await net.tie(imsi)
        for _ in range(3):
            net.hss.heard = ()
            await net.sleep(30)
            assert net.hss.heard == ("17", "18")


async def test_a_card_that_was_told_meanwhile_is_left_out_as_the_others_are_told(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.hss.status = 503
        for imsi in CARDS:
            await net.tie(imsi)
        net.hss.status, net.hss.heard, net.hss.pause = 0, (), 10
        await net.sleep(31)
        assert net.hss.heard == ("17",)
        net.hss.pause = 0
        await net.tie(CARDS[1])
        await net.sleep(20)
        assert net.hss.heard == ("17", "18")
        assert net.pending() == []


async def test_an_empty_library_means_the_one_of_the_settings(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        shipped = len(net.eir.register.library)
        assert await net.call("POST", "/library", {"csv": "tac,kind\n99000201,phone\n"}) == {"terminals": 1}
        assert await net.call("POST", "/library", {"csv": "tac,kind\n"}) == {"terminals": shipped}
