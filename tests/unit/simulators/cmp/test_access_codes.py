"""Access codes: allocated at the platform by the operator, known at gateways at once, and what becomes of gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from business import ACCOUNTS, APPROVAL, CODE, IMSI, MSISDN, OTHER_CODE, provision

from simulators.cmp import access_codes
from simulators.cmp.config import CodesConfig
from simulators.cmp.element import Cmp
from simulators.platform.element import Platform
from simulators.sms_gateway.config import SmsGatewayConfig
from simulators.sms_gateway.element import SmsGateway
from simwarden.operations.access_codes import CodeList
from simwarden.operations.management import Role
from simwarden.runtime.site import Site
from simwarden.runtime.store import sqlite_url
from simwarden.testing import Bench

if TYPE_CHECKING:
    from pathlib import Path

    from simwarden.runtime.declare import Model

OURS = {"account": "waterworks", **APPROVAL}


class Net(Bench):
    """A platform that keeps the codes, a gateway, and a customer's platform."""

    subject = "cmp"

    def __init__(self, store: str = "", *, keeper: str = "cmp", **codes: Any) -> None:
        super().__init__(stores={"cmp": store})
        settings = {"hss": "off", "codes": {"gateways": ["sms_gateway"], **codes}}
        self.cmp = self.add("cmp", Cmp, settings)
        self.gateway = self.add("sms_gateway", SmsGateway, {"accounts": ACCOUNTS, "keeper": keeper, "smsc": ""})
        self.platform = self.add("platform", Platform, {"system_id": "meters", "password": "s3cret", "code": CODE})

    async def start(self) -> None:
        await super().start()
        await self.settle()
        await self.call("PUT", f"/cards/{IMSI}", provision(), element="sms_gateway")

    async def submit(self) -> str:
        return str(await self.do("platform", "submit_message", platform="platform", to=f"+{MSISDN}", text="x"))

    async def held(self) -> dict[str, Any]:
        """Return the list as the gateway has it."""
        found: dict[str, Any] = await self.call("GET", "/codes", element="sms_gateway")
        return found


async def test_a_code_is_good_when_its_allocation_is_answered_and_no_more_when_it_is_withdrawn() -> None:
    async with Net() as bench:
        assert await bench.submit() == "refused"
        told = await bench.call("PUT", f"/codes/{CODE}", OURS)
        assert told == {"code": CODE, "account": "waterworks", "ota": False, "version": 1}
        assert await bench.submit() == "accepted"
        assert bench.clock.now() < 1
        await bench.call("DELETE", f"/codes/{CODE}", APPROVAL)
        assert await bench.submit() == "refused"
        assert (await bench.call("GET", "/codes"))["codes"] == {}
        assert await bench.refused("DELETE", f"/codes/{CODE}", APPROVAL) == 404
        assert bench.clock.now() < 1
        assert [each["action"] for each in bench.cmp.platform.store.history("")] == ["code-allocated", "code-withdrawn"]


async def test_a_code_that_is_allocated_again_to_whose_it_is_changes_where_something_is_other() -> None:
    async with Net() as bench:
        for ota, version in ((False, 1), (True, 2), (True, 2)):
            told = await bench.call("PUT", f"/codes/{CODE}", OURS | {"ota": ota})
            assert (told["ota"], told["version"]) == (ota, version)
        assert (await bench.held())["codes"] == {CODE: {"account": "waterworks", "ota": True}}


async def test_a_code_is_written_in_one_way() -> None:
    async with Net() as bench:
        await bench.call("PUT", f"/codes/0086{CODE}", OURS)
        assert list((await bench.call("GET", "/codes"))["codes"]) == [CODE]


@pytest.mark.parametrize("code", ["13800000000", "BANK", "01065800012"])
async def test_what_is_no_code_is_not_allocated(code: str) -> None:
    async with Net() as bench:
        assert await bench.refused("PUT", f"/codes/{code}", OURS) == 404


async def test_only_the_operator_allocates_and_withdraws_with_an_approval() -> None:
    async with Net(allocated={CODE: {"account": "waterworks"}}) as bench:
        assert await bench.refused("PUT", f"/codes/{OTHER_CODE}", OURS, role=Role.CUSTOMER) == 403
        assert await bench.refused("PUT", f"/codes/{OTHER_CODE}", {"account": "waterworks"}) == 403
        assert await bench.refused("DELETE", f"/codes/{CODE}", APPROVAL, role=Role.CUSTOMER) == 403
        assert await bench.refused("DELETE", f"/codes/{CODE}", {}) == 403
        assert await bench.refused("DELETE", f"/codes/{OTHER_CODE}", APPROVAL) == 404
        assert await bench.refused("PUT", f"/codes/{CODE}", {"account": "heating", **APPROVAL}) == 409
        assert list((await bench.held())["codes"]) == [CODE]
        assert bench.verdicts("code.operator") == [False, True, False, True, True, True]
        assert bench.verdicts("code.approval") == [False, False, True, True]


async def test_a_customer_sees_its_own_codes() -> None:
    codes = {CODE: {"account": "waterworks"}, OTHER_CODE: {"account": "heating"}}
    async with Net(allocated=codes) as bench:
        bench.accounts = ("heating",)
        assert await bench.call("GET", "/codes", role=Role.CUSTOMER) == {
            "codes": {OTHER_CODE: {"account": "heating", "ota": False}}
        }
        assert (await bench.call("GET", "/codes"))["gateways"] == {"sms_gateway": 2}


async def test_the_list_stays_young_as_long_as_the_platform_runs() -> None:
    async with Net(allocated={CODE: {"account": "waterworks"}}) as bench:
        await bench.sleep(3600)
        assert await bench.submit() == "accepted"
        await bench.host.stop("cmp", kill=True)
        await bench.sleep(361)
        assert await bench.submit() == "refused"
        assert bench.verdicts("sms.list-age")[-1] is False
        await bench.host.start("cmp")
        await bench.settle()
        assert await bench.submit() == "accepted"


async def test_a_gateway_that_was_away_is_told_what_it_missed() -> None:
    async with Net() as bench:
        await bench.host.stop("sms_gateway", kill=True)
        await bench.call("PUT", f"/codes/{CODE}", OURS)
        assert [each["state"] for each in bench.observed("gateway")][1:] == ["untold"]
        await bench.host.start("sms_gateway")
        await bench.sleep(31)
        assert list((await bench.held())["codes"]) == [CODE]
        assert bench.observed("gateway")[-1] == {"gateway": "sms_gateway", "version": 1, "state": "in-step"}


async def test_a_gateway_with_another_list_is_found_and_told_the_whole() -> None:
    async with Net(allocated={CODE: {"account": "waterworks"}}) as bench:
        other = {"version": 5, "codes": {OTHER_CODE: {"account": "heating"}}}
        await bench.call("PUT", "/codes", other, element="sms_gateway")
        await bench.sleep(61)
        assert [each["state"] for each in bench.observed("gateway")][-2:] == ["drift", "in-step"]
        assert (await bench.held())["codes"] == {CODE: {"account": "waterworks", "ota": False}}
        said = len(bench.observed("gateway"))
        await bench.sleep(50)
        assert len(bench.observed("gateway")) == said


async def test_codes_survive_a_killed_platform_and_the_file_gives_them_once(tmp_path: Path) -> None:
    third = "10658000777"
    async with Net(sqlite_url(tmp_path / "store"), allocated={CODE: {"account": "waterworks"}}) as bench:
        await bench.call("DELETE", f"/codes/{CODE}", APPROVAL)
        for code in (third, OTHER_CODE):
            await bench.call("PUT", f"/codes/{code}", {"account": "heating", **APPROVAL})
        await bench.host.stop("cmp", kill=True)
        await bench.host.start("cmp")
        await bench.settle()
        told = await bench.call("GET", "/codes")
        assert (told["version"], sorted(told["codes"])) == (4, sorted([third, OTHER_CODE]))
        assert sorted((await bench.held())["codes"]) == sorted(told["codes"])


async def test_changes_at_once_are_all_told() -> None:
    async with Net() as bench:
        for number in range(20):
            bench.cmp.site.spawn(_allocate(bench, f"10658001{number:03}"))
        await bench.settle()
        assert len((await bench.held())["codes"]) == 20
        assert (await bench.held())["version"] == 20


async def _allocate(bench: Net, code: str) -> None:
    await bench.call("PUT", f"/codes/{code}", OURS)


@pytest.mark.parametrize(("remembered", "words"), [(1, ["POST", "PUT"]), (100, ["POST", "POST"])])
async def test_changes_while_a_gateway_is_being_told_are_told_after_that(
    monkeypatch: pytest.MonkeyPatch, remembered: int, words: list[str]
) -> None:
    async with Net() as bench:
        manage, told = Site.manage, list[str]()

        async def slowly(site: Site, name: str, method: str, *more: Any) -> Any:
            told.append(method)
            await site.clock.sleep(1)
            return await manage(site, name, method, *more)

        monkeypatch.setattr(access_codes, "_REMEMBERED", remembered)
        monkeypatch.setattr(Site, "manage", slowly)
        for number in range(3):
            bench.cmp.site.spawn(_allocate(bench, f"1065800{number}"))
        await bench.sleep(3)
        assert told == words
        assert len((await bench.held())["codes"]) == 3


async def test_a_gateway_that_keeps_its_own_list_is_told_again_later_and_one_at_a_time() -> None:
    async with Net(keeper="", confirm=3600) as bench:
        assert bench.observed("gateway")[-1] == {"gateway": "sms_gateway", "version": 0, "state": "untold"}
        for number in range(3):
            await _allocate(bench, f"1065800{number}")
        notes = len(bench.notes())
        await bench.sleep(29)
        assert len(bench.notes()) == notes
        await bench.sleep(2)
        assert len(bench.notes()) == notes + 1
        await bench.sleep(30)
        assert len(bench.notes()) == notes + 2


@pytest.mark.parametrize("spelling", [f"86{CODE}", f"+86{CODE}", f"0086{CODE}", f"{CODE[:3]} {CODE[3:]}"])
@pytest.mark.parametrize("config", [CodesConfig, SmsGatewayConfig, CodeList])
def test_a_code_of_two_accounts_is_refused_in_every_spelling(config: type[Model], spelling: str) -> None:
    key = "allocated" if config is CodesConfig else "codes"
    codes = {CODE: {"account": "waterworks"}, spelling: {"account": "lottery"}}
    with pytest.raises(ValueError, match="a code is listed twice"):
        config.model_validate({key: codes, "version": 1} if config is CodeList else {key: codes})


async def test_the_code_of_another_account_is_not_allocated_with_its_country_code() -> None:
    async with Net() as bench:
        await bench.call("PUT", f"/codes/{CODE}", OURS)
        for spelling in (f"86{CODE}", f"+86{CODE}"):
            assert await bench.refused("PUT", f"/codes/{spelling}", {**OURS, "account": "lottery"}) == 409
