"""Checks of the platform that only a rare moment shows: what comes between, what comes twice, what is away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from cmp_net import APPROVED, IMSI, METER, OTHER, PHONE, THIRD, Net

from simulators.cmp.procedures import lifecycle, records, sweep
from simulators.cmp.store import Store
from simwarden.operations.approval import By
from simwarden.operations.provision import CardProvision
from simwarden.runtime.store import StoreUnavailableError

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

PATH = f"/cards/{IMSI}"
SHUTDOWN = "/accounts/fernweh/batches/spring/shutdown"


def away(*_: Any, **__: Any) -> None:
    raise StoreUnavailableError("the database is away")


# -- the records of the day before


@pytest.mark.parametrize(
    ("place", "binding", "before_it_is_judged", "suspended"),
    [
        ({}, {"imei": METER}, "", True),
        ({}, {"imei": METER}, "suspend", False),
        ({"state": "test"}, {}, "", False),
        ({"state": "test"}, {"imei": METER}, "", True),
    ],
)
async def test_the_records_judge_whom_the_network_serves(
    loop: TestbedLoop, place: dict[str, str], binding: dict[str, str], before_it_is_judged: str, *, suspended: bool
) -> None:
    async with Net(loop, others={"check": "next-day"}) as net:
        await net.card(binding=binding, **place)
        assert await net.mme.allowed(PHONE)
        if before_it_is_judged:
            await net.call("POST", f"{PATH}/operations/{before_it_is_judged}", APPROVED)
        await net.sleep(86400)
        assert ("012" in [each["scene"] for each in await net.listed("/risks")]) is suspended
        actions = [each["action"] for each in await net.listed(f"{PATH}/audit")]
        assert actions.count("suspend") == 1 * (suspended or bool(before_it_is_judged))


@pytest.mark.parametrize(
    ("account", "states"),
    [
        ({"mismatch": "suspend", "grace": 1}, ["active", "suspended"]),
        ({"mismatch": "suspend", "grace": 0}, ["suspended", "suspended"]),
        ({"mismatch": "alarm", "grace": 0}, ["active", "active"]),
    ],
)
async def test_a_card_is_suspended_by_the_records_once_its_grace_is_over(
    loop: TestbedLoop, account: dict[str, Any], states: list[str]
) -> None:
    async with Net(loop, others={"check": "next-day", **account}) as net:
        await net.card(binding={"imei": METER})
        found = []
        for _ in states:
            await net.mme.status(PHONE)
            await net.sleep(86400)
            found.append(net.held().state.value)
        assert found == states


async def test_of_two_wrong_terminals_of_a_day_the_first_one_is_told(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "SLICE", 2)
    monkeypatch.setattr(records, "COUNTED", 1)
    async with Net(loop, others={"check": "next-day"}) as net:
        await net.card(binding={"imei": METER})
        for imei in (METER, PHONE, THIRD):
            assert await net.mme.allowed(imei)
        await net.sleep(86400)
        assert [each["seen"][:14] for each in await net.listed("/risks") if each["scene"] == "012"] == [PHONE]
        assert net.cmp.platform.store.unjudged("9999") == []


async def test_a_card_that_another_process_bound_is_judged_by_that(loop: TestbedLoop, store_url: str) -> None:
    async with Net(loop, store=store_url, others={"check": "next-day"}) as net:
        await net.card(binding={"learn": "first-use"})
        assert await net.mme.allowed(METER)
        assert net.held().bound == ""
        other = sa.create_engine(store_url)
        with other.begin() as connection:
            connection.execute(sa.text("UPDATE cards SET bound = :imei"), {"imei": PHONE})
        other.dispose()
        await net.sleep(86400)
        assert (net.held().bound, net.held().state.value) == (PHONE, "suspended")


@pytest.mark.parametrize("meanwhile", ["suspend", "close"])
async def test_a_card_that_is_out_of_service_before_the_records_reach_it_is_not_suspended_by_them(
    loop: TestbedLoop, meanwhile: str
) -> None:
    async with Net(loop, others={"check": "next-day"}) as net:
        for imsi in (IMSI, OTHER):
            await net.card(imsi, binding={"imei": METER})
            assert (await net.mme.ecr(PHONE, imsi)).success
        net.hss.pause = 10  # it hears of the first card as the second one is not yet judged
        net.cmp.site.spawn(net.call("POST", f"/records/{net.host.clock.wall().date().isoformat()}"), "judged")
        await net.sleep(1)
        net.cmp.site.spawn(net.call("POST", f"/cards/{OTHER}/operations/{meanwhile}", APPROVED), meanwhile)
        await net.sleep(60)
        done = [[each["action"] for each in await net.listed(f"/cards/{imsi}/audit")] for imsi in (IMSI, OTHER)]
        assert [each[-2:] for each in done] == [["mismatch", "suspend"], [meanwhile, "mismatch"]]
        assert [each["action"] for each in await net.listed("/risks")][-2:] == ["suspend", "alarm"]


@pytest.mark.parametrize(
    ("accounts", "others", "judged"),
    [({}, {}, 0), ({"fernweh": {"check": "next-day"}}, {}, 1), ({}, {"check": "next-day"}, 1)],
)
async def test_the_records_are_judged_from_the_start_where_an_account_wants_it(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch, accounts: Any, others: Any, judged: int
) -> None:
    monkeypatch.setattr(Store, "unjudged", away)
    async with Net(loop, accounts=accounts, others=others) as net:
        await net.settle()
        assert sum("judged later" in each for each in net.notes()) == judged


async def test_accounts_that_want_the_records_one_after_another_have_them_judged_once(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Net(loop) as net:
        await net.card(binding={"imei": METER})
        with monkeypatch.context() as fault:
            fault.setattr(net.cmp.platform.store, "unjudged", away)
            for account, check, judging in (("water", "at-once", 0), ("fernweh", "next-day", 1), ("a", "next-day", 1)):
                await net.call("PUT", f"/accounts/{account}", {"check": check, "mismatch": "alarm"})
                await net.settle()
                assert sum("judged later" in each for each in net.notes()) == judging
        assert await net.mme.allowed(PHONE)
        await net.sleep(86400)
        assert net.held().mismatches == 1


# -- what is pending for the HSS


async def test_a_card_that_is_operated_on_while_the_register_is_away_is_told_what_came_first(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        await net.card()
        assert await net.mme.allowed(METER)
        await net.host.stop("hss")
        await net.call("POST", f"{PATH}/operations/suspend", APPROVED)
        await net.call("POST", f"{PATH}/operations/pre-cancel", APPROVED)
        await net.host.start("hss")
        await net.sleep(31)
        assert net.hss.heard == (f"withdrawal {IMSI}",)


@pytest.mark.parametrize("state", ["active", "suspended", "resumed"])
async def test_a_binding_elsewhere_ends_what_runs_and_nothing_else(loop: TestbedLoop, state: str) -> None:
    async with Net(loop) as net:
        await net.card()
        assert await net.mme.allowed(METER)
        if state != "active":
            await net.call("POST", f"{PATH}/operations/suspend", APPROVED)
        if state == "resumed":
            await net.host.stop("hss")
            await net.call("POST", f"{PATH}/operations/resume", APPROVED)
            assert net.held().pending == "resume"
        for imei in (PHONE, THIRD):
            await net.call("PUT", f"{PATH}/binding", {"imei": imei, **APPROVED})
            await net.pause()
        if state == "resumed":
            assert net.held().pending == "reopen"
            await net.host.start("hss")
            await net.sleep(31)
        heard = [each.split()[0] for each in net.hss.heard]
        told = {"active": ["ended"] * 2, "suspended": ["withdrawal"], "resumed": ["ended", "resume"]}
        assert heard[-len(told[state]) :] == told[state]
        assert heard.count("ended") == told[state].count("ended")


async def test_a_card_that_is_being_told_is_told_the_rest_after_that(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        await net.card()
        assert await net.mme.allowed(METER)
        net.hss.pause = 10
        net.cmp.site.spawn(net.quietly("POST", f"{PATH}/operations/suspend", APPROVED), "suspended")
        await net.sleep(1)
        net.hss.pause = 0
        await net.call("POST", f"{PATH}/operations/resume", APPROVED)
        assert net.hss.heard == ()
        await net.sleep(10)
        assert net.hss.heard == (f"withdrawal {IMSI}", f"ended {IMSI}", f"resume {IMSI}")


@pytest.mark.parametrize("cards", [[IMSI], [IMSI, OTHER]])
async def test_what_the_register_has_heard_is_told_again_where_the_database_did_not_keep_it(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch, cards: list[str]
) -> None:
    async with Net(loop) as net:
        for imsi in cards:
            await net.card(imsi, batch="spring")
            assert (await net.mme.ecr(METER, imsi)).success
        net.hss.batches = True
        with monkeypatch.context() as fault:
            fault.setattr(net.cmp.platform.store, "told", away)
            assert await net.refused("POST", SHUTDOWN, APPROVED) == 503
        heard = len(net.hss.heard)
        await net.sleep(61)
        assert len(net.hss.heard) > heard
        assert not any(card.pending for card in net.cmp.platform.store.some(most=9))


async def test_what_could_not_be_told_of_two_cards_is_told_again_by_one_who_waits(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        await net.host.stop("hss")
        for imsi in (IMSI, OTHER):
            await net.card(imsi)
            await net.call("POST", f"/cards/{imsi}/operations/suspend", APPROVED)
        before = len(net.notes())
        await net.sleep(31)
        assert len(net.notes()) == before + 3  # both at once, and one by one
        await net.host.start("hss")
        await net.sleep(31)
        assert net.hss.heard == (f"withdrawal {IMSI}", f"withdrawal {OTHER}")


async def test_one_card_is_not_suspended_as_a_batch(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        await net.card(batch="spring")
        assert await net.call("POST", SHUTDOWN, APPROVED) == {"cards": 1}
        assert net.hss.heard == (f"withdrawal {IMSI}",)
        assert not any("at once" in each for each in net.notes())


async def test_what_stops_a_card_and_what_binds_it_after_its_first_use_waits_for_no_lock(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        await net.card()
        assert await net.mme.allowed(METER)
        await net.call("PUT", f"{PATH}/binding", {"imei": METER, **APPROVED})
        assert [each.details["seen"] for each in net.decisions("bind.change.lock")] == [None]
        for operation in ("suspend", "resume", "suspend"):
            await net.call("POST", f"{PATH}/operations/{operation}", APPROVED)
        assert await net.refused("POST", f"{PATH}/operations/pre-cancel") == 423
        await net.pause()
        await net.call("POST", f"{PATH}/operations/pre-cancel")
        await net.call("POST", f"{PATH}/operations/suspend", APPROVED)
        assert await net.refused("POST", f"{PATH}/operations/close") == 423
        assert [each.split()[0] for each in net.hss.heard] == ["withdrawal", "resume", "withdrawal"]


async def test_what_is_pending_at_the_start_waits_for_the_database(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Net(loop) as net:
        await net.card()
        assert await net.mme.allowed(METER)
        await net.host.stop("hss")
        await net.call("POST", f"{PATH}/operations/suspend", APPROVED)
        await net.host.start("hss")
        with monkeypatch.context() as fault:
            fault.setattr(net.cmp.platform.store, "some", away)
            await net.sleep(31)
            assert any("the database is away" in each for each in net.notes())
        await net.sleep(31)
        assert net.hss.heard == (f"withdrawal {IMSI}",)


async def test_cards_that_are_being_told_are_suspended_by_no_second_call(
    loop: TestbedLoop,
) -> None:
    async with Net(loop) as net:
        for imsi in (IMSI, OTHER):
            await net.card(imsi, batch="spring")
            assert (await net.mme.ecr(METER, imsi)).success
        net.hss.pause, net.hss.batches = 10, True
        net.cmp.site.spawn(net.quietly("POST", SHUTDOWN, APPROVED), "shut down")
        await net.sleep(1)
        await lifecycle.tell_pending(net.cmp.platform)
        await net.sleep(60)
        assert len(net.hss.heard) == 1


# -- work on many cards


async def test_a_shutdown_goes_on_when_the_database_is_back(loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Net(loop) as net:
        for imsi in (IMSI, OTHER):
            await net.card(imsi, batch="spring")
            assert (await net.mme.ecr(METER, imsi)).success
        with monkeypatch.context() as fault:
            fault.setattr(net.cmp.platform.store, "keep", away)
            assert await net.refused("POST", SHUTDOWN, APPROVED) == 503
            await net.sleep(31)
            assert net.held(OTHER).state.value == "active"
        await net.sleep(31)
        assert [net.held(imsi).state.value for imsi in (IMSI, OTHER)] == ["suspended"] * 2
        assert net.cmp.platform.sweeps == {}


async def test_who_was_the_last_of_a_slice_and_is_resumed_is_served(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "SLICE", 1)
    async with Net(loop) as net:
        for imsi in (IMSI, OTHER):
            await net.card(imsi, batch="spring")
            assert (await net.mme.ecr(METER, imsi)).success
        net.hss.pause = 10
        net.cmp.site.spawn(net.quietly("POST", SHUTDOWN, APPROVED), "shut down")
        await net.sleep(1)
        assert net.held().state.value == "suspended"
        await net.call("POST", f"{PATH}/operations/resume", APPROVED)
        assert (await net.mme.ecr(METER)).get("Equipment-Status") == 0
        assert (await net.mme.ecr(METER, OTHER)).get("Equipment-Status") == 1
        await net.sleep(60)
        assert net.hss.heard.count(f"withdrawal {OTHER}") == 1


# -- bindings, pools and places


async def test_a_bound_card_outside_its_pool_is_refused_wherever_it_is_bound(loop: TestbedLoop) -> None:
    pools = {"meters": {"account": "fernweh", "imeis": [METER[:8]]}}
    async with Net(loop, pools=pools, others={"mismatch": "refuse"}) as net:
        await net.card(binding={"imei": PHONE})
        assert not await net.mme.allowed(PHONE)
        assert net.verdicts("bind.pool") == [False]


@pytest.mark.parametrize(
    ("mismatch", "imeis", "bound", "state", "allowed", "mismatches"),
    [
        ("refuse", [METER, PHONE], METER, "active", False, 1),
        ("refuse", [METER, PHONE], PHONE, "active", True, 0),
        ("alarm", [METER], PHONE, "active", True, 1),
        ("refuse", [METER, PHONE], METER, "test", False, 1),
    ],
)
async def test_a_card_is_held_to_its_pool_and_in_it_to_its_terminal(
    loop: TestbedLoop, mismatch: str, imeis: list[str], *, bound: str, state: str, allowed: bool, mismatches: int
) -> None:
    pools = {"meters": {"account": "fernweh", "imeis": imeis}}
    async with Net(loop, pools=pools, others={"mismatch": mismatch}) as net:
        told: list[str] = []
        net.cmp.platform.listeners.append(lambda happenings: told.extend(each.kind for each in happenings))
        await net.card(binding={"imei": bound}, state=state)
        assert await net.mme.allowed(PHONE) is allowed
        assert (net.held().mismatches, told.count("mismatch")) == (mismatches, mismatches)


@pytest.mark.parametrize(("mode", "terminal"), [("", METER), ("learn", METER), ("", PHONE)])
async def test_a_card_that_is_where_it_was_is_served_while_the_database_is_away(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch, mode: str, terminal: str
) -> None:
    async with Net(loop) as net:
        await net.card(binding={mode: "first-use"} if mode else None)
        assert await net.mme.allowed(terminal)
        assert (net.held().terminal, net.held().strayed) == (terminal, False)
        monkeypatch.setattr(net.cmp.platform.store, "keep", away)
        assert await net.mme.allowed(terminal)
        assert net.verdicts("bind.pool") == []


async def test_settings_of_which_nobody_knows_whether_they_were_kept_are_read_again(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Net(loop) as net:
        await net.card()
        assert await net.mme.allowed(PHONE)
        keep = net.cmp.platform.store.set

        def kept(*given: Any) -> None:
            keep(*given)
            away()

        monkeypatch.setattr(net.cmp.platform.store, "set", kept)
        assert await net.refused("PUT", "/accounts/fernweh", {"phone": "refuse"}) == 503
        assert not await net.mme.allowed(PHONE)


@pytest.mark.parametrize("given", [{}, {"imei": METER}, {"learn": "first-use"}])
async def test_a_card_that_is_provisioned_again_as_it_is_stays_as_it_is(loop: TestbedLoop, given: Any) -> None:
    async with Net(loop, others={"grace": 1}) as net:
        for _ in range(2):
            await net.card(binding=given)
            assert await net.mme.allowed(METER)
        assert net.held().bound == (METER if given else "")
        assert await net.mme.allowed(PHONE)  # of grace
        await net.card(binding=given)
        assert (net.held().bound, net.held().terminal) == (METER if given else "", PHONE)
        assert net.hss.heard == ()


async def test_cards_that_are_served_come_without_a_word_to_the_register(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        await net.card()
        await net.host.stop("hss")
        await net.call("POST", f"{PATH}/operations/suspend", APPROVED)
        await net.host.start("hss")
        await net.call("POST", "/cards", {"cards": [{"imsi": OTHER, "state": "active"}]})
        new = {"imsi": "001010000000019", "iccid": "8986", "msisdn": "1440000000019", "profile": "meter"}
        assert await net.cmp.provision_new([CardProvision(name="new", form="nano", **new)], By())
        assert net.hss.heard == ()  # nor of the one that is pending: that is told again in a while
        await net.sleep(31)
        assert net.hss.heard == (f"withdrawal {IMSI}",)


async def test_a_first_use_in_the_terminal_of_its_test_makes_a_card_active(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        told: list[str] = []
        net.cmp.platform.listeners.append(lambda happenings: told.extend(each.kind for each in happenings))
        await net.card(state="test")
        assert await net.mme.allowed(METER)
        await net.call("POST", f"{PATH}/operations/issue", APPROVED)
        assert net.held().state.value == "to-activate"
        assert await net.mme.allowed(METER)
        assert net.held().state.value == "active"
        assert (net.held().terminal, net.held().first, told) == (METER, METER, [])
        assert await net.mme.allowed(PHONE)
        assert (net.held().terminal, net.held().first, told) == (PHONE, METER, ["terminal-changed"])
        assert [each["action"] for each in await net.listed(f"{PATH}/audit")].count("first-use") == 1


@pytest.mark.parametrize(
    ("seen", "binding", "ended"),
    [
        ("", {"learn": "first-use"}, False),
        ("", {"imei": METER}, False),
        (METER, {"learn": "first-use"}, True),
        (METER, {"imei": METER}, False),
        (METER, {"imei": PHONE}, True),
    ],
)
async def test_a_binding_ends_what_runs_where_it_may_not_or_is_to_be_learned(
    loop: TestbedLoop, seen: str, binding: dict[str, str], *, ended: bool
) -> None:
    async with Net(loop) as net:
        await net.card()
        assert not seen or await net.mme.allowed(seen)
        await net.call("PUT", f"{PATH}/binding", binding | APPROVED)
        assert net.hss.heard == (f"ended {IMSI}",) * ended


@pytest.mark.parametrize(
    ("place", "binding", "seen", "check", "ended"),
    [
        ({}, {}, PHONE, "at-once", 1),
        ({}, {}, METER, "at-once", 0),
        ({}, {}, PHONE, "next-day", 0),  # what is over is judged by its records
        ({"state": "test"}, {}, PHONE, "at-once", 0),
        ({"state": "test"}, {"imei": PHONE}, PHONE, "at-once", 1),
        ({}, {}, "", "at-once", 0),
    ],
)
async def test_a_pool_ends_what_it_refuses(
    loop: TestbedLoop, place: dict[str, str], binding: dict[str, str], *, seen: str, check: str, ended: int
) -> None:
    async with Net(loop, others={"check": check}) as net:
        await net.card(binding=binding, **place)
        assert not seen or await net.mme.allowed(seen)
        pool = {"imeis": [METER], "numbers": [IMSI], **APPROVED}  # of any account
        assert await net.call("PUT", "/pools/meters", pool) == {"ended": ended}
        assert net.hss.heard == (f"ended {IMSI}",) * ended


async def test_a_pool_ends_nothing_of_another_account_nor_where_no_register_is_told(loop: TestbedLoop) -> None:
    pool = {"imeis": [METER], "account": "gas", **APPROVED}
    async with Net(loop) as net:
        for imsi, account in ((IMSI, "water"), (OTHER, "gas")):
            await net.card(imsi, account=account)
            assert (await net.mme.ecr(PHONE, imsi)).get("Equipment-Status") == 0
        for _ in range(2):  # as often as it is told: the card may have been seen there again
            assert await net.call("PUT", "/pools/gas", pool) == {"ended": 1}
        assert await net.call("PUT", "/pools/water", pool | {"account": "water"}) == {"ended": 1}
        assert net.hss.heard == (f"ended {OTHER}",) * 2 + (f"ended {IMSI}",)


async def test_where_no_register_is_told_nothing_waits_for_it(loop: TestbedLoop) -> None:
    async with Net(loop, hss="off") as net:
        await net.card()
        assert await net.mme.allowed(PHONE)
        assert await net.call("PUT", "/pools/x", {"imeis": [METER], "account": "fernweh", **APPROVED}) == {"ended": 0}
        await net.call("POST", f"{PATH}/operations/suspend", APPROVED)
        assert net.held().pending == ""
        assert not any("not told" in each for each in net.notes())


async def test_an_unbound_card_in_what_has_no_imei_stays_there(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        await net.card()
        assert await net.mme.allowed("0" * 14)
        await net.call("PUT", "/accounts/fernweh", {"grace": 1})
        assert net.hss.heard == ()


@pytest.mark.parametrize(("form", "scenes"), [("plug-in", []), ("soldered", ["012"]), ("esim", ["012"])])
async def test_the_records_hold_an_embedded_card_to_its_first_terminal(
    loop: TestbedLoop, form: str, scenes: list[str]
) -> None:
    pools = {"meters": {"account": "fernweh", "imeis": [METER, PHONE]}}
    async with Net(loop, pools=pools, others={"check": "next-day", "phone": "serve"}) as net:
        new = {"imsi": IMSI, "form": form, "account": "fernweh", "state": "active"}
        await net.call("POST", "/cards", {"cards": [new]})
        for imei in (METER, PHONE):
            assert await net.mme.allowed(imei)
        await net.sleep(86400)
        assert [each["scene"] for each in await net.listed("/risks")] == scenes


async def test_a_batch_binds_learns_and_unbinds(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        for imsi in (IMSI, OTHER):
            await net.card(imsi, binding={"imei": METER})
        cards = [{"imsi": IMSI, "learn": "first-use"}, {"imsi": OTHER}]
        await net.call("POST", "/bindings", {"cards": cards, **APPROVED})
        assert [(net.held(imsi).mode, net.held(imsi).bound) for imsi in (IMSI, OTHER)] == [("learned", ""), ("", "")]


async def test_a_batch_takes_the_approval_of_the_whole_where_a_card_has_none(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        for imsi in (IMSI, OTHER):
            await net.card(imsi)
        cards = [{"imsi": IMSI, "imei": METER, "form": "F-9"}, {"imsi": OTHER, "imei": PHONE}]
        said = await net.call("POST", "/bindings", {"cards": cards, **APPROVED})
        assert [each["status"] for each in said["cards"]] == [200, 200]
        assert [net.held(imsi).bound for imsi in (IMSI, OTHER)] == [METER, PHONE]
        kept = [(await net.listed(f"/cards/{imsi}/audit"))[-1]["details"]["form"] for imsi in (IMSI, OTHER)]
        assert kept == ["F-9", APPROVED["form"]]


async def test_a_card_that_waits_for_its_first_use_is_unbound(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        await net.card(binding={"learn": "first-use"})
        await net.call("DELETE", f"{PATH}/binding", APPROVED)
        assert (await net.listed(f"{PATH}/audit"))[-1]["action"] == "unbind"
        assert (await net.call("GET", PATH))["binding"] is None
        await net.pause()
        await net.call("PUT", f"{PATH}/binding", {"imei": METER, **APPROVED})
        assert net.observed("binding")[-1] == {"imsi": IMSI, "imei": f"{METER}6", "how": "given"}


@pytest.mark.parametrize(("binding", "status"), [({}, 409), ({"learn": "first-use"}, None), ({"imei": METER}, 409)])
async def test_a_binding_to_the_first_use_stays_as_a_card_is_provisioned_anew(
    loop: TestbedLoop, binding: dict[str, str], status: int | None
) -> None:
    async with Net(loop) as net:
        await net.card(binding={"learn": "first-use"})
        if status is None:
            await net.card(binding=binding)
        else:
            with pytest.raises(Exception, match="approval record"):
                await net.card(binding=binding)
        assert (net.held().mode, net.held().bound) == ("learned", "")
