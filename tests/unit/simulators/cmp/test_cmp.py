"""The platform on S13 and by its management interface, with an HSS that keeps what it is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from cmp_net import APPROVED, IMSI, METER, OTHER, PHONE, REALM, THIRD, Net

import simulators.cmp
from simulators.cmp.config import CmpConfig
from simwarden.model.identity import Imei
from simwarden.operations.management import Role
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Frame

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


@pytest.mark.parametrize("transport", ["memory", "tcp"])
async def test_the_first_use_binds_and_a_kill_forgets_nothing(
    loop: TestbedLoop, transport: str, store_url: str
) -> None:
    net = Net(loop, transport, store=store_url)

    async with net:
        await net.card(binding={"learn": "first-use"}, state="to-activate")
        assert await net.mme.allowed(METER + "7")
        assert net.held().bound == METER
        assert net.held().state.value == "active"
        assert net.observed("binding")[-1] == {"imsi": IMSI, "imei": Imei(METER).imei, "how": "learned"}
        assert (net.observed("card")[-1]["state"], net.observed("equipment")[-1]["status"]) == ("active", "allowed")
        assert [each["action"] for each in await net.listed(f"/cards/{IMSI}/audit")][1:] == ["capture", "first-use"]
        assert not await net.mme.allowed(PHONE)
        await net.host.stop("cmp", kill=True)
        await net.host.start("cmp")
        assert net.held().bound == METER
        assert not await net.mme.allowed(PHONE)
        assert await net.mme.allowed(METER)
        assert net.held().mismatches == 2
        risks = await net.listed(f"/cards/{IMSI}/risks")
        assert [(each["scene"], each["action"]) for each in risks] == [("012", "refuse")] * 2
        assert risks[0]["expected"] == Imei(METER).imei
        assert risks[0]["seen"] == Imei(PHONE).imei


@pytest.mark.parametrize("kill", [False, True])
async def test_the_platform_says_goodbye_unless_it_is_killed(loop: TestbedLoop, *, kill: bool) -> None:
    async with Net(loop) as net:
        await net.host.stop("cmp", kill=kill)
        await net.settle()
        said = [dissect(frame).name for frame in net.of(Frame) if frame.source == "cmp"]
        assert ("disconnect-peer-request" in said) is not kill
        assert net.mme.node.peers == ()


async def test_two_first_uses_at_once_bind_one(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        await net.card(binding={"learn": "first-use"})
        answers = await asyncio.gather(net.mme.allowed(METER), net.mme.allowed(PHONE))
        assert sorted(answers) == [False, True]


async def test_a_first_use_that_comes_too_late_binds_nothing_and_is_judged_by_what_the_first_one_bound(
    loop: TestbedLoop,
) -> None:
    net = Net(loop)

    async with net:
        await net.card(binding={"learn": "first-use"})
        assert net.held().bound == ""  # and is held in memory so
        with net.cmp.platform.store._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE cards SET bound = ? WHERE imsi = ?", (METER, IMSI))
        assert not await net.mme.allowed(PHONE)
        assert net.held().bound == METER
        assert await net.mme.allowed(METER)


async def test_a_first_use_that_comes_after_the_binding_was_ended_binds_nothing(loop: TestbedLoop) -> None:
    net = Net(loop)
    async with net:
        await net.card(binding={"learn": "first-use"})
        assert net.held().mode == "learned"  # and is held in memory so
        with net.cmp.platform.store._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE cards SET mode = '' WHERE imsi = ?", (IMSI,))
        assert await net.mme.allowed(PHONE)
        assert (net.held().mode, net.held().bound) == ("", "")
        assert await net.mme.allowed(METER)


async def test_wrong_questions(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        await net.card()
        assert (await net.mme.ecr(METER, realm="other.example")).result_code == 3003
        assert (await net.mme.ecr(None)).result_code == 5005
        assert (await net.mme.ecr("99")).result_code == 5004
        assert (await net.mme.ecr(METER, host=f"eir.{REALM}")).result_code == 5004  # the MME is no relay
        assert (await net.eir.ecr(METER, host=f"mme.{REALM}")).success
        assert await net.mme.allowed(METER, imsi="")
        assert not await net.mme.allowed(METER, imsi="001010000000099")


async def test_a_suspended_card_is_stopped_in_the_register_and_resumed(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        await net.card()
        assert await net.mme.allowed(METER)
        assert await net.refused("POST", f"/cards/{IMSI}/operations/suspend", APPROVED | {"form": ""}) == 403
        await net.call("POST", f"/cards/{IMSI}/operations/suspend", APPROVED)
        assert not await net.mme.allowed(METER)
        await net.call("POST", f"/cards/{IMSI}/operations/resume")
        assert await net.mme.allowed(METER)
        await net.call("POST", f"/cards/{IMSI}/operations/close", APPROVED)
        assert not await net.mme.allowed(METER)
        assert net.hss.heard == (f"withdrawal {IMSI}", f"resume {IMSI}", f"close {IMSI}")
        assert await net.refused("POST", f"/cards/{IMSI}/operations/resume") == 409
        assert await net.refused("POST", f"/cards/{IMSI}/operations/first-use") == 404
        assert await net.refused("POST", f"/cards/{IMSI}/operations/dance") == 404
        assert await net.refused("POST", f"/cards/{IMSI}/operations/suspend", APPROVED, role=Role.CUSTOMER) == 403
        audit = await net.listed(f"/cards/{IMSI}/audit")
        assert [each["action"] for each in audit][-2:] == ["resume-refused", "suspend-refused"]
        done = {each["action"]: each["details"] for each in audit}
        assert done["suspend"] == {"before": "active", "after": "suspended", "reason": "replaced"} | APPROVED


async def test_what_the_register_could_not_be_told_it_is_told_later_and_after_a_restart(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        await net.card()
        await net.mme.allowed(METER)
        await net.host.stop("hss")
        await net.call("POST", f"/cards/{IMSI}/operations/suspend", APPROVED)
        assert net.held().pending == "suspend"
        await net.host.stop("cmp", kill=True)
        await net.host.start("hss")
        await net.host.start("cmp")
        await net.host.clock.sleep(31)
        assert net.hss.heard == (f"withdrawal {IMSI}",)
        assert net.held().pending == ""


async def test_a_mismatch_suspends_and_ends_what_runs(loop: TestbedLoop) -> None:
    net = Net(loop, accounts={"waterworks": {"mismatch": "suspend", "grace": 1}})

    async with net:
        await net.card(binding={"imei": METER}, account="waterworks")
        assert await net.mme.allowed(PHONE)  # grace
        assert not await net.mme.allowed(PHONE)
        await net.settle()
        assert net.hss.heard == (f"withdrawal {IMSI}",)
        assert not await net.mme.allowed(METER)
        risks = await net.listed(f"/cards/{IMSI}/risks")
        assert [each["action"] for each in risks if each["scene"] == "012"] == ["alarm", "suspend"]


async def test_changes_of_a_binding_are_limited_and_recorded(loop: TestbedLoop) -> None:
    net, path = Net(loop), f"/cards/{IMSI}/binding"

    async with net:
        await net.card(binding={"imei": METER})
        assert await net.refused("PUT", path, {"imei": "99", **APPROVED}) == 400
        assert await net.refused("PUT", path, APPROVED) == 400
        assert await net.refused("PUT", path, {"imei": PHONE}) == 403
        assert await net.refused("DELETE", path) == 403
        assert await net.refused("PUT", path, {"imei": PHONE, **APPROVED}, role=Role.CUSTOMER) == 403
        await net.call("PUT", path, {"imei": PHONE, **APPROVED})
        assert await net.refused("PUT", path, {"imei": THIRD, **APPROVED}) == 423
        await net.pause()
        await net.call("DELETE", path, APPROVED)  # a held binding that is taken away counts as well
        await net.pause()
        await net.call("PUT", path, {"imei": METER, **APPROVED})  # binding an unbound card does not
        await net.pause()
        assert await net.refused("PUT", path, {"imei": PHONE, **APPROVED}) == 429
        audit = await net.listed(f"/cards/{IMSI}/audit")
        done = [each for each in audit if each["action"] in ("bind", "rebind", "unbind")]
        assert [each["action"] for each in done] == ["rebind", "rebind", "bind"]
        assert all(each["details"]["form"] == "F-1" and each["caller"] == "tester" for each in done)


async def test_a_binding_that_is_changed_under_a_running_card_ends_its_use(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        await net.card(binding={"imei": METER})
        await net.mme.allowed(METER)
        await net.call("PUT", f"/cards/{IMSI}/binding", {"imei": PHONE, **APPROVED})
        assert net.hss.heard == (f"ended {IMSI}",)
        assert await net.mme.allowed(PHONE)


async def test_a_use_that_was_to_end_while_the_register_was_away_ends_although_the_card_is_resumed(
    loop: TestbedLoop,
) -> None:
    net = Net(loop)

    async with net:
        await net.card(binding={"imei": METER})
        await net.mme.allowed(METER)
        await net.host.stop("hss", kill=True)
        await net.call("PUT", f"/cards/{IMSI}/binding", {"imei": PHONE, **APPROVED})
        for operation in ("suspend", "resume"):
            await net.call("POST", f"/cards/{IMSI}/operations/{operation}", APPROVED)
            assert net.held().pending == {"suspend": "suspend", "resume": "reopen"}[operation]
        await net.host.start("hss")
        await net.host.clock.sleep(60)
        assert net.hss.heard == (f"ended {IMSI}", f"resume {IMSI}")


async def test_a_batch_has_an_outcome_for_each_card(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        await net.card()
        await net.card(OTHER, state="test")
        cards = [
            {"imsi": IMSI, "imei": METER},
            {"imsi": OTHER, "imei": METER},
            {"imsi": "001010000000099", "imei": METER},
            {"imsi": IMSI, "imei": "12"},
        ]
        said = await net.call("POST", "/bindings", {"cards": cards, **APPROVED})
        assert [each["status"] for each in said["cards"]][:3] == [200, 403, 404]
        assert said["cards"][3]["status"] in (400, 423)
        many = [{"imsi": IMSI, "imei": METER}] * 101
        assert await net.refused("POST", "/bindings", {"cards": many, **APPROVED}) == 400
        assert await net.refused("POST", "/bindings", {"cards": [], **APPROVED}, role=Role.CUSTOMER) == 403


async def test_pools_of_imeis_and_codes_change_at_once(loop: TestbedLoop) -> None:
    net = Net(loop, pools={"meters": {"account": "waterworks", "imeis": [METER, "99000200-99000299"]}})

    async with net:
        await net.card(account="waterworks")
        await net.card(OTHER)
        assert await net.mme.allowed(METER)
        assert await net.mme.allowed(PHONE)
        assert not await net.mme.allowed(THIRD)
        assert await net.mme.allowed(THIRD, OTHER)
        said = await net.call("PUT", "/pools/meters", {"account": "waterworks", "imeis": [METER], **APPROVED})
        assert said == {"ended": 1}
        assert not await net.mme.allowed(PHONE)
        await net.host.stop("cmp")
        await net.host.start("cmp")
        assert not await net.mme.allowed(PHONE)
        await net.call("DELETE", "/pools/meters", APPROVED)
        assert await net.mme.allowed(PHONE)
        assert await net.refused("DELETE", "/pools/meters", APPROVED) == 404
        assert await net.refused("PUT", "/pools/x", {"imeis": ["1"], **APPROVED}) == 400
        assert await net.refused("PUT", "/pools/x", {"imeis": [METER], "numbers": ["9-1"]}) == 400
        assert await net.refused("PUT", "/pools/x", {"imeis": [METER]}, role=Role.CUSTOMER) == 403
        assert await net.refused("PUT", "/accounts/waterworks", {"grace": 9}, role=Role.CUSTOMER) == 403


async def test_the_test_period_binds_nothing(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        await net.card(binding={"learn": "first-use"}, state="test")
        assert await net.mme.allowed(PHONE)
        assert net.held().bound == ""
        assert await net.refused("PUT", f"/cards/{IMSI}/binding", {"imei": PHONE, **APPROVED}) == 403
        await net.call("POST", f"/cards/{IMSI}/operations/issue", APPROVED)
        assert await net.mme.allowed(METER)
        assert net.held().bound == METER


async def test_records_are_judged_the_next_day(loop: TestbedLoop) -> None:
    net = Net(loop, others={"check": "next-day"})

    async with net:
        await net.card(binding={"learn": "first-use"})
        assert await net.mme.allowed(METER)
        assert await net.mme.allowed(PHONE)
        assert await net.call("POST", "/records/2026-03-01") == {"cards": 0}
        await net.host.clock.sleep(86400)
        assert net.observed("binding")[-1]["imei"] == Imei(METER).imei
        done = [each["action"] for each in await net.listed(f"/cards/{IMSI}/audit")]
        assert [each for each in done if each in ("capture", "mismatch")] == ["capture", "mismatch"]
        assert net.held().state.value == "suspended"
        assert net.hss.heard == (f"withdrawal {IMSI}",)
        assert [each["source"] for each in await net.listed("/risks") if each["scene"] == "012"] == ["records"]
        assert await net.refused("POST", "/records/yesterday") == 404


async def test_a_shutdown_takes_one_batch(loop: TestbedLoop, store_url: str) -> None:
    net = Net(loop, store=store_url)

    async with net:
        numbers = range(300)
        cards = [
            {"imsi": f"00101{n:010d}", "account": "waterworks", "batch": "spring" if n < 250 else "autumn"}
            for n in numbers
        ]
        assert await net.call("POST", "/cards", {"cards": cards}) == {"cards": 300}
        assert await net.refused("POST", "/cards", {"cards": cards[:1]}) == 409
        assert await net.refused("POST", "/cards", {"cards": [{"imsi": IMSI}, {"imsi": IMSI}]}) == 400
        path = "/accounts/waterworks/batches/spring/shutdown"
        assert await net.refused("POST", path, role=Role.CUSTOMER) == 403
        assert await net.refused("POST", path, {"reason": "relays"}) == 403
        assert await net.call("POST", path, APPROVED) == {"cards": 250}
        assert sorted(net.hss.heard) == [f"withdrawal 00101{n:010d}" for n in range(250)]
        assert not await net.mme.allowed(METER, "001010000000007")
        assert await net.mme.allowed(METER, "001010000000299")
        assert await net.refused("POST", "/accounts/waterworks/batches/summer/shutdown", APPROVED) == 404
        assert sum(each["action"] == "suspend" for each in await net.listed("/audit")) == 250


def test_the_example_profile_is_valid() -> None:
    text = Path(simulators.cmp.__file__).with_name("profile.yaml").read_text("utf-8")
    CmpConfig.model_validate(yaml.safe_load(text))


@pytest.mark.parametrize("numbers", ["1440000000000-15", "15-1440000000000", "1440000000009-1440000000000", "14a-150"])
def test_a_range_of_numbers_is_of_one_length_and_in_order(numbers: str) -> None:
    with pytest.raises(ValueError, match="no range of numbers"):
        CmpConfig.model_validate({"pools": {"meters": {"imeis": ["99000101"], "numbers": [numbers]}}})


async def test_a_day_that_ended_while_the_platform_was_away_is_judged_at_the_hour(
    loop: TestbedLoop, tmp_path: Path
) -> None:
    net = Net(loop, store=f"sqlite:///{tmp_path}/cmp.sqlite", others={"check": "next-day"}, records_at="2 h")

    async with net:
        await net.card(binding={"learn": "first-use"})
        assert await net.mme.allowed(METER)
        assert await net.mme.allowed(PHONE)
        await net.host.stop("cmp", kill=True)
        await net.host.clock.sleep(86400 - net.host.clock.wall().hour * 3600 + 3600)
        await net.host.start("cmp")
        await net.settle()
        assert net.held().state.value == "active"  # it is one o'clock
        await net.host.clock.sleep(3700)
        assert net.held().state.value == "suspended"


async def test_a_day_that_is_judged_again_counts_a_card_once(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = Net(loop, others={"check": "next-day", "mismatch": "alarm"})

    async with net:
        await net.card(binding={"learn": "first-use"})
        assert await net.mme.allowed(METER)
        assert await net.mme.allowed(PHONE)
        path = f"/records/{net.host.clock.wall().date().isoformat()}"
        with monkeypatch.context() as dead:  # before it keeps what it has judged
            dead.setattr(net.cmp.platform.store, "judged", lambda *_, **__: False)
            assert await net.call("POST", path) == {"cards": 1}
        assert await net.call("POST", path) == {"cards": 1}
        assert net.held().mismatches == 1


async def test_contacts_end_when_they_are_judged_and_later_ones_of_the_day_are_judged_too(loop: TestbedLoop) -> None:
    net = Net(loop, others={"check": "next-day"})

    async with net:
        await net.card(binding={"learn": "first-use"})
        assert await net.mme.allowed(METER)
        assert await net.mme.allowed(METER)  # each contact is kept, also of a card that is where it was
        day = net.host.clock.wall().date().isoformat()
        assert [imei for _, _, imei in net.cmp.platform.store.contacts(day, after=0, most=9)] == [METER, METER]
        assert await net.call("POST", f"/records/{day}") == {"cards": 0}
        assert net.cmp.platform.store.contacts(day, after=0, most=9) == []
        assert await net.mme.allowed(PHONE)
        await net.host.clock.sleep(86400)
        assert net.held().state.value == "suspended"


async def test_an_account_that_management_has_set_holds_over_a_restart(loop: TestbedLoop, tmp_path: Path) -> None:
    net = Net(loop, store=f"sqlite:///{tmp_path}/cmp.sqlite")

    async with net:
        await net.card(account="waterworks")
        await net.call("PUT", "/accounts/waterworks", {"phone": "refuse"})
        await net.host.stop("cmp", kill=True)
        await net.host.start("cmp")
        await net.settle()
        assert not await net.mme.allowed(PHONE)
