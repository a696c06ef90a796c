"""Calls whose time an OCS gives: they last no longer than what it gave, whatever it says or does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from charging import REALM
from credit_net import APPROVED, GROUPS, ScriptedOcs, card, group
from scripted_ssp import E, SspCall, originating
from voice_bench import IMSI, LISTED, MSISDN, VOICE, VoiceBench

from simulators.ocs.element import Ocs
from simwarden.wire import cap

if TYPE_CHECKING:
    from simwarden.wire.diameter import Message

CHARGING = "applyCharging"
SCP = f"scp.{REALM}"
ASKED = originating(IMSI, LISTED, own=MSISDN)


def grants(seconds: int, *more: tuple[str, Any]) -> Any:
    return [(GROUPS, [("Granted-Service-Unit", [("CC-Time", seconds)]), ("Result-Code", 2001), *more])]


class Net(VoiceBench):
    """An SCP with an OCS, a scripted one or ours."""

    def __init__(self, kind: type[Any] = ScriptedOcs, **config: Any) -> None:
        super().__init__(ocs="ocs", **config)
        self.ocs = self.add("ocs", kind, {} if kind is ScriptedOcs else {"peers": {"scp": {}}})
        if kind is ScriptedOcs:
            self.answer: Any = grants(60)

    async def ready(self, minutes: int = 2, **voice: Any) -> None:
        await self.provision(VOICE | voice)
        if isinstance(self.ocs, Ocs):
            await self.call("PUT", f"/cards/{IMSI}", card({"voice": minutes}, IMSI, MSISDN), element="ocs")
        else:
            self.ocs.answers["credit-control"] = lambda _: self.answer

    async def given(self) -> int:
        return int((await self.call("GET", f"/cards/{IMSI}", element="ocs"))["used"]["voice"])

    def asked(self) -> list[Any]:
        """Return what was asked of the scripted OCS: type, number, and the group of each request."""
        told: list[Message] = self.ocs.asked
        return [(each.get("CC-Request-Type"), each.get("CC-Request-Number"), each.get(GROUPS)) for each in told]


def lasts(call: SspCall) -> Any:
    return call.last(CHARGING).time_duration_charging


def time(used: int | None = None, ask: int | None = 60) -> Any:
    return group(used, ask=ask, rating=None, unit="CC-Time")


async def test_session_of_a_call() -> None:
    async with Net() as net:
        await net.ready()
        call = await net.dial(LISTED)
        assert lasts(call) == cap.TimeCharging(600)
        call.tell(E.O_ANSWER)
        call.report(600, active=True)
        await net.settle()
        call.report(723)
        call.tell(E.O_DISCONNECT, waits=True)
        await net.settle()
        assert net.asked() == [(1, 0, time()), (2, 1, time(60)), (3, 2, time(13, ask=None))]
        assert {each.get("Service-Context-Id") for each in net.ocs.asked} == {"32276@3gpp.org"}
        assert [each.get("Multiple-Services-Indicator") for each in net.ocs.asked] == [1, None, None]
        assert call.end == "ended"
        assert net.scp.core.ocs is not None
        assert net.scp.core.ocs.client.sessions == {}


async def test_minutes_of_the_ocs_are_shared_by_calls_and_end_them() -> None:
    async with Net(Ocs) as net:
        await net.ready(minutes=2, quota=1)  # that of its list means nothing
        one, other, third = await net.dial(LISTED), await net.dial(LISTED), await net.dial(LISTED)
        assert [lasts(each) for each in (one, other)] == [cap.TimeCharging(600), cap.TimeCharging(600, True)]
        assert third.cause == 47
        one.tell(E.O_ANSWER)
        await net.settle()
        one.report(123)
        one.tell(E.O_DISCONNECT, waits=True)
        await net.settle()
        assert await net.given() == 60 + 13  # begun seconds count
        assert lasts(await net.dial(LISTED)) == cap.TimeCharging(470, True)
    assert net.verdicts("ocs.voice") == [True, True, False, True]


async def test_call_of_which_nothing_is_told_has_used_all_that_it_was_given() -> None:
    async with Net(Ocs) as net:
        await net.ready(minutes=5)
        call = await net.dial(LISTED)
        call.tell(E.O_ANSWER)
        call.report(600, active=True)
        await net.settle()
        call.abort()
        await net.settle()
        assert await net.given() == 120


async def test_call_that_was_refused_by_its_far_end_costs_nothing() -> None:
    async with Net(Ocs) as net:
        await net.ready(minutes=5)
        call = await net.dial(LISTED)
        assert await net.given() == 60
        call.tell(E.O_CALLED_PARTY_BUSY)
        call.report(0, end=True)
        await net.settle()
        assert await net.given() == 0


async def test_last_time_ends_a_call_only_where_it_is_all_that_is_ordered() -> None:
    final = ("Final-Unit-Indication", [("Final-Unit-Action", 0)])
    for seconds, ordered in ((17, cap.TimeCharging(170, True)), (60, cap.TimeCharging(600, True))):
        async with Net() as net:
            net.answer = grants(seconds, final)
            await net.ready()
            assert lasts(await net.dial(LISTED)) == ordered
    async with Net() as net:
        net.answer = grants(90, final)
        await net.ready()
        assert lasts(await net.dial(LISTED)) == cap.TimeCharging(600)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (4012, 47),
        ([(GROUPS, [("Result-Code", 4012)])], 47),
        ([], 41),
        ([(GROUPS, [("Result-Code", 2001)])], 41),
        (grants(0), 41),
        ((4010, grants(60)), 41),
        (4011, 41),
        (5003, 41),
        (5030, 41),
        (5031, 41),
        (3004, 41),
        ([(GROUPS, [("Granted-Service-Unit", [("CC-Total-Octets", 5)])])], 41),
    ],
)
async def test_what_grants_no_time_connects_no_call(said: Any, cause: int) -> None:
    async with Net() as net:
        net.answer = said
        await net.ready()
        call = await net.dial(LISTED)
        assert (call.names(), call.cause) == (["releaseCall"], cause)
        net.answer = grants(60)
        assert lasts(await net.dial(LISTED)) == cap.TimeCharging(600)
        assert net.scp.census() == {"directed_calls": 1}


@pytest.mark.parametrize(
    ("said", "cause"), [(4012, 47), ([], 41), (5002, 41), ([(GROUPS, [("Result-Code", 4012)])], 47)]
)
async def test_what_grants_no_more_time_ends_a_call(said: Any, cause: int) -> None:
    async with Net() as net:
        await net.ready()
        call = await net.dial(LISTED)
        call.tell(E.O_ANSWER)
        net.answer = said
        call.report(600, active=True)
        await net.settle()
        assert call.cause == cause


async def test_calls_are_refused_for_a_time_while_the_ocs_is_not_there() -> None:
    async with Net() as net:
        await net.ready()
        lasting = await net.dial(LISTED)
        lasting.tell(E.O_ANSWER)
        net.ocs.silent = True
        call = net.ssp.ask(ASKED)
        await net.sleep(1.9)  # an SSP waits 2 s for orders
        assert call.cause == 41
        lasting.report(600, active=True)
        await net.sleep(1.9)
        assert lasting.cause == 41
        net.ocs.silent = False
        await net.host.stop("ocs", kill=True)
        call = net.ssp.ask(ASKED)
        await net.sleep(1.9)
        assert call.cause == 41
        await net.host.start("ocs")
        net.ocs.answers["credit-control"] = lambda _: net.answer
        await net.sleep(60)
        assert lasts(await net.dial(LISTED)) == cap.TimeCharging(600)


async def test_an_ocs_that_ends_the_session_ends_the_call() -> None:
    async with Net() as net:
        await net.ready()
        call = await net.dial(LISTED)
        assert (await net.ocs.tell("Re-Auth-Request", SCP, ("Re-Auth-Request-Type", 0))).result_code == 2002
        await net.settle()
        assert net.asked()[-1] == (2, 1, None)  # a report alone tells how long it is
        assert call.cause is None
        assert (await net.ocs.tell("Abort-Session-Request", SCP)).success
        await net.settle()
        assert call.cause == 31
        call.report(0, end=True)
        await net.settle()
        assert net.asked()[-1][0] == 3


async def test_changed_minutes_hold_from_the_next_report() -> None:
    async with Net(Ocs) as net:
        await net.ready(minutes=5)
        call = await net.dial(LISTED)
        call.tell(E.O_ANSWER)
        await net.call("PUT", f"/cards/{IMSI}/quota", {"voice": 1, **APPROVED}, element="ocs")
        await net.settle()
        assert call.cause is None
        call.report(600, active=True)
        await net.settle()
        assert call.cause == 47
        assert await net.given() == 60


async def test_an_scp_that_was_killed_gives_nothing_back() -> None:
    async with Net(Ocs) as net:
        await net.ready(minutes=5)
        await net.dial(LISTED)
        await net.host.stop("scp", kill=True)
        await net.sleep(3 * 3600)
        await net.host.start("scp")
        assert await net.given() == 60
