"""The platform with the HSS itself: what it is told of states, batches, accounts and phones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simulators.cmp.element import Cmp
from simulators.cmp.procedures.identity_check import check
from simulators.cmp.store import Records
from simulators.hss.element import Hss
from simwarden.errors import ConfigError
from simwarden.operations.approval import By
from simwarden.operations.provision import CardProvision
from simwarden.testing import Bench
from simwarden.trace.events import Note

if TYPE_CHECKING:
    from pathlib import Path

CARDS = [f"0010100000000{number}" for number in (11, 21, 31)]
METER, PHONE = "99000101000001", "99000201000001"


class Pair(Bench):
    """A platform and an HSS that has the cards."""

    def __init__(self, store: str = "", **config: Any) -> None:
        super().__init__(stores={"cmp": store})
        self.hss = self.add("hss", Hss)
        self.cmp = self.add("cmp", Cmp, config)

    async def start(self) -> None:
        await super().start()
        for imsi in CARDS:
            await self.register(imsi)

    async def register(self, imsi: str) -> None:
        body = {"name": f"card{imsi[-2:]}", "imsi": imsi, "iccid": imsi, "msisdn": f"1440{imsi[-9:]}"}
        body |= {"profile": "meter"}
        await self.ask("hss", "PUT", f"/cards/{imsi}", body | {"form": "plug-in", "k": "00" * 16, "opc": "11" * 16})

    async def ask(self, whom: str, method: str, path: str, body: Any = None) -> Any:
        return await self.call(method, path, body, element=whom, caller="desk")

    async def load(self, **states: str) -> None:
        cards = [{"imsi": imsi, "account": "water", "batch": "b", "state": "active"} for imsi in CARDS]
        await self.ask("cmp", "POST", "/cards", {"cards": [each | states for each in cards]})

    async def suspended(self) -> list[str]:
        return [(await self.ask("hss", "GET", f"/cards/{imsi}"))["suspended"] for imsi in CARDS]

    def risks(self) -> list[tuple[str, str, str]]:
        found = self.cmp.platform.store.risks(Records(CARDS[0])).records[::-1]
        return [(each["scene"], each["action"], each["source"]) for each in found]


@pytest.mark.parametrize(("state", "told"), [("stock", "withdrawal"), ("pre-cancelled", "withdrawal"), ("test", "")])
async def test_cards_that_are_loaded_in_a_state_that_is_not_served_are_not_served_by_the_register(
    state: str, told: str
) -> None:
    net = Pair()

    async with net:
        await net.load(state=state)
        assert await net.suspended() == [told] * 3
        assert not any(card.pending for card in net.cmp.platform.store.some(most=9))


async def test_a_single_stock_card_is_told_too_and_again_when_it_is_given_out() -> None:
    net = Pair()

    async with net:
        sections = {"platform": [{"state": "stock"}]}
        body = {
            "name": "a",
            "imsi": CARDS[0],
            "iccid": "1",
            "msisdn": "1440000000001",
            "profile": "meter",
            "form": "plug-in",
        }
        told = await net.ask("cmp", "PUT", f"/cards/{CARDS[0]}", body | {"k": "", "opc": "", "sections": sections})
        assert (told["state"], told["pending"]) == ("stock", "")
        assert await net.suspended() == ["withdrawal", "", ""]
        await net.ask("cmp", "POST", f"/cards/{CARDS[0]}/operations/issue", {})
        assert await net.suspended() == ["", "", ""]


async def test_new_cards_of_a_list_that_are_in_stock_are_told_too() -> None:
    async with Pair() as net:
        names = {"name": "new", "iccid": "1", "msisdn": "1440000000001", "profile": "meter", "form": "plug-in"}
        new = CardProvision(imsi=CARDS[0], sections={"platform": [{"state": "stock"}]}, **names)
        assert await net.cmp.provision_new([new], By())
        assert await net.suspended() == ["withdrawal", "", ""]


async def test_a_register_that_is_down_is_told_of_stock_cards_when_it_is_back() -> None:
    net = Pair(retry=30)

    async with net:
        await net.host.stop("hss", kill=True)
        await net.load(state="stock")
        assert [card.pending for card in net.cmp.platform.store.some(most=9)] == ["suspend"] * 3
        await net.host.start("hss")
        await net.host.clock.sleep(31)
        assert await net.suspended() == ["withdrawal"] * 3


async def test_many_cards_are_suspended_by_one_call_and_unknown_ones_are_named() -> None:
    net = Pair()

    async with net:
        unknown = "001010000000099"
        body = {"cards": [CARDS[0], unknown, CARDS[2]], "how": "barring", "reason": "relays"}
        said = await net.ask("hss", "POST", "/suspensions", body)
        assert said == {"suspended": 2, "unknown": [unknown], "told": {"nobody": 2}}
        assert await net.suspended() == ["barring", "", "barring"]
        audit = await net.ask("hss", "GET", f"/cards/{CARDS[2]}/audit")
        assert audit[-1]["details"] == {"how": "barring", "reason": "relays"}
        with pytest.raises(Exception, match="cards"):
            await net.ask("hss", "POST", "/suspensions", {"cards": ["x"], "how": "barring"})


async def test_a_shutdown_makes_one_call_and_leaves_nothing_pending(store_url: str) -> None:
    net = Pair(store_url)
    calls: list[str] = []

    async with net:
        await net.load()
        told = net.cmp.site.manage

        class Listening(type(net.cmp.site)):  # type: ignore[misc]
            async def manage(self, target: str, method: str, path: str, body: Any = None) -> Any:
                calls.append(f"{method} {path}")
                return await told(target, method, path, body)

        net.cmp.platform.site = Listening(net.host, "cmp")
        said = await net.ask(
            "cmp",
            "POST",
            "/accounts/water/batches/b/shutdown",
            {"approver": "J. Okonedo", "reason": "relays", "form": "F-1"},
        )
        assert said == {"cards": 3}
        assert calls == ["POST /suspensions"]
        assert await net.suspended() == ["withdrawal"] * 3
        assert not any(card.pending for card in net.cmp.platform.store.some(most=9))
        await net.ask("cmp", "POST", f"/cards/{CARDS[1]}/operations/resume", {})
        assert await net.suspended() == ["withdrawal", "", "withdrawal"]


async def test_of_a_card_that_the_register_does_not_have_nothing_is_left_to_tell() -> None:
    async with Pair() as net:
        new = "001010000000099"
        await net.ask("cmp", "POST", "/cards", {"cards": [{"imsi": new, "state": "stock"}]})
        assert net.cmp.platform.card(new).pending == ""


async def test_an_account_that_refuses_from_now_on_ends_what_is_wrong_and_nothing_else() -> None:
    net = Pair(accounts={"water": {"mismatch": "alarm", "phone": "serve"}})

    async def _withdrawals(net: Pair) -> list[int]:
        audits = [await net.ask("hss", "GET", f"/cards/{imsi}/audit") for imsi in CARDS]
        return [sum(each["action"] == "cancel-location" for each in audit) for audit in audits]

    async with net:
        cards = [{"imsi": imsi, "account": "water", "state": "active", "imei": METER} for imsi in CARDS]
        await net.ask("cmp", "POST", "/cards", {"cards": cards})
        for imsi, imei in zip(CARDS, (PHONE, METER, ""), strict=True):
            assert not imei or check(net.cmp.platform, imsi, imei)
        await net.ask("cmp", "PUT", "/accounts/water", {"mismatch": "alarm", "phone": "serve", "grace": 1})
        assert await _withdrawals(net) == [0, 0, 0]
        await net.ask("cmp", "PUT", "/accounts/water", {"mismatch": "refuse", "phone": "serve", "grace": 9})
        assert await _withdrawals(net) == [0, 0, 0]  # the grace is not used up
        await net.ask("cmp", "PUT", "/accounts/water", {"mismatch": "refuse", "phone": "serve"})
        assert await _withdrawals(net) == [1, 0, 0]
        assert await net.suspended() == ["", "", ""]
        assert not check(net.cmp.platform, CARDS[0], PHONE)


@pytest.mark.parametrize(("pool", "ended"), [(METER, 1), (PHONE, 0)])
async def test_a_card_that_changes_hands_is_judged_by_what_its_new_account_wants(pool: str, ended: int) -> None:
    net = Pair(
        accounts={"water": {"phone": "serve"}, "gas": {"phone": "serve"}},
        pools={"gas": {"imeis": [pool], "account": "gas"}},
    )

    async with net:
        await net.load()
        assert check(net.cmp.platform, CARDS[0], PHONE)
        card = {"name": "", "imsi": CARDS[0], "iccid": "", "msisdn": "", "k": "", "opc": "", "profile": "", "form": ""}
        sections: dict[str, Any] = {"platform": [{"account": "gas"}]}
        await net.ask("cmp", "PUT", f"/cards/{CARDS[0]}", {**card, "sections": sections})
        audit = await net.ask("hss", "GET", f"/cards/{CARDS[0]}/audit")
        assert sum(each["action"] == "cancel-location" for each in audit) == ended
        assert await net.suspended() == ["", "", ""]
        assert check(net.cmp.platform, CARDS[0], PHONE) != bool(ended)


async def test_an_account_that_wants_no_phones_any_more_ends_a_card_in_one() -> None:
    net = Pair(accounts={"water": {"phone": "alarm"}})

    async with net:
        await net.load()
        assert check(net.cmp.platform, CARDS[0], PHONE)
        assert check(net.cmp.platform, CARDS[1], METER)
        assert check(net.cmp.platform, CARDS[0], PHONE)  # it stays there: the same event
        assert net.risks() == [("007", "alarm", "network")]
        await net.ask("cmp", "PUT", "/accounts/water", {"phone": "suspend"})
        audit = await net.ask("hss", "GET", f"/cards/{CARDS[0]}/audit")
        assert [each["action"] for each in audit] == ["provision", "cancel-location"]
        assert not check(net.cmp.platform, CARDS[0], PHONE)
        await net.host.clock.settle()
        assert net.risks() == [("007", "alarm", "network"), ("007", "suspend", "network")]
        assert net.cmp.platform.card(CARDS[0]).state.value == "suspended"
        assert await net.suspended() == ["withdrawal", "", ""]


async def test_a_refused_mismatch_in_a_phone_is_the_scene_of_the_mismatch_only() -> None:
    net = Pair(others={"phone": "alarm"})

    async with net:
        await net.ask("cmp", "POST", "/cards", {"cards": [{"imsi": CARDS[0], "imei": METER, "state": "active"}]})
        assert not check(net.cmp.platform, CARDS[0], PHONE)
        assert net.risks() == [("012", "refuse", "network")]


async def test_phones_are_those_of_the_operators_own_library(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("tac,kind\n99000101,phone\n")
    net = Pair(library=str(tmp_path / "own.csv"), others={"phone": "refuse"})

    async with net:
        await net.load()
        assert check(net.cmp.platform, CARDS[0], PHONE)
        assert not check(net.cmp.platform, CARDS[0], METER)
        assert net.risks() == [("007", "refuse", "network")]
    (tmp_path / "own.csv").write_text("tac,kind\n1,phone\n")
    bad = Pair(library=str(tmp_path / "own.csv"))

    with pytest.raises(ConfigError, match=r"own\.csv:2"):
        await bad.start()
    await bad.host.close()


async def test_a_register_that_takes_no_batches_is_told_card_by_card() -> None:
    net = Pair()

    async with net:
        await net.load()
        element: Any = net.host.elements["hss"]
        element.routes = tuple(each for each in type(element).routes if each.path != "/suspensions")
        await net.ask(
            "cmp",
            "POST",
            "/accounts/water/batches/b/shutdown",
            {"approver": "J. Okonedo", "reason": "relays", "form": "F-1"},
        )
        assert await net.suspended() == ["withdrawal"] * 3
        assert any("at once" in e.text for e in net.host.trace.events if isinstance(e, Note))
