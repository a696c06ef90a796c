"""Calls on trunks: what the other network says of them, and who calls by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ssp_net import LISTED, MSISDN, OTHER, SspNet, connect, release, t_csi

from simulators.ssp.clients.trunk import _identity
from simulators.ssp.numbers import number_of, read
from simwarden.machine.sip_call import CallState
from simwarden.machine.sip_events import Released
from simwarden.trace.events import Frame
from simwarden.wire.sip import Status

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


async def test_what_is_heard_before_it_rings_is_a_sign_of_life_and_no_ringing(loop: TestbedLoop) -> None:
    async with SspNet(loop, answer="20 s") as net:
        net.far.does = "nothing"
        await net.registered()
        await net.mo()
        await net.sleep(15)
        agent = net.far.trunk.agent
        agent._respond(agent._of(net.far.calls[-1], CallState.OFFERED), Status.SESSION_PROGRESS, net.clock.now())
        net.far.trunk.flush()
        await net.sleep(15)
        assert (net.ms.cause, net.ms.names()[-1]) == (None, "CALL_PROCEEDING")
        await net.sleep(6)
        assert net.ms.cause == 102


async def test_what_is_told_of_a_call_that_was_forgotten_is_nothing(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.ssp.core.trunks._take(Released(99, 16))
        assert len(net.ssp.core.trunks) == 0


@pytest.mark.parametrize("number", ["lobby", ""])
async def test_what_is_no_number_at_all_is_refused_as_that(loop: TestbedLoop, number: str) -> None:
    async with SspNet(loop) as net:
        net.far.call(number)
        await net.settle()
        assert net.far.outcome == "484 28"


async def test_an_exchange_that_is_killed_asks_no_more(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.host.stop("pstn", kill=True)
        await net.mo()
        await net.host.stop("ssp", kill=True)
        before = len(net.of(Frame))
        await net.sleep(60)
        assert len(net.of(Frame)) == before
        net.ssp.core.calls.clear()
        net.ssp.core.trunks._legs.clear()


@pytest.mark.parametrize(
    ("caller", "asserted", "additional"),
    [("anonymous", OTHER, None), (OTHER, OTHER, None), (LISTED, OTHER, LISTED[1:]), (LISTED, "", None)],
)
async def test_what_a_caller_says_besides_is_told_where_it_is_something_else(
    loop: TestbedLoop, caller: str, asserted: str, additional: str | None
) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        await net.registered(t_csi=t_csi())
        more = (("P-Asserted-Identity", f"<sip:{asserted}@192.0.2.1>"),) if asserted else ()
        net.far.call(f"+{MSISDN}", caller, *more)
        await net.settle()
        told = net.scf.said("initialDP")[0].additional_calling_party_number
        assert (told and told.number.digits) == additional


async def test_who_calls_is_passed_on_as_it_was_said_and_vouched_for_no_more_than_before(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [connect(OTHER)]
        await net.registered(t_csi=t_csi())
        net.far.call(f"+{MSISDN}", "13800001111")
        await net.settle()
        (invite,) = net.far.invited
        assert invite.sender.uri.user == "13800001111"
        assert (invite.headers.get("P-Asserted-Identity"), invite.headers.get("Privacy")) == (None, None)
        net.far.hang_up()


@pytest.mark.parametrize(
    ("trunk", "answer"),
    [
        ({"pstn": {}}, "answered"),
        ({"other": {}}, "403 21"),
        ({"other": {"addresses": ["127.1.0.0/16"]}}, "answered"),
        ({"other": {"addresses": ["192.0.2.0/24"]}}, "403 21"),
        ({}, "403 21"),
    ],
)
async def test_calls_come_from_configured_trunks(loop: TestbedLoop, trunk: dict[str, Any], answer: str) -> None:
    async with SspNet(loop, trunks=trunk) as net:
        await net.registered()
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == answer
        assert net.verdicts("ssp.trunk") == [answer == "answered"]
        if answer == "answered":
            net.far.hang_up()


@pytest.mark.parametrize("trusted", [True, False])
async def test_what_a_trunk_outside_the_trust_domain_asserts_is_ignored(loop: TestbedLoop, *, trusted: bool) -> None:
    async with SspNet(loop, trunks={"pstn": {"trusted": trusted}}) as net:
        net.scf.script = [release()]
        await net.registered(t_csi=t_csi())
        net.far.call(f"+{MSISDN}", OTHER, ("P-Asserted-Identity", f"<sip:{LISTED}@192.0.2.1>"))
        await net.settle()
        caller = net.scf.said("initialDP")[0].calling_party_number
        assert (f"+{caller.digits}", caller.screening) == ((LISTED, 3) if trusted else (OTHER, 0))


@pytest.mark.parametrize("trusted", [True, False])
def test_nothing_is_asserted_of_a_hidden_caller_outside_the_trust_domain(*, trusted: bool) -> None:
    caller = number_of(read(LISTED), presentation=1, screening=3)
    shown, more = _identity(caller, "192.0.2.8", trusted=trusted)
    assert shown.uri.user == "anonymous"
    asserted = {"P-Asserted-Identity": f"<sip:{LISTED}@192.0.2.8>"} if trusted else {}
    assert dict(more) == {"Privacy": "id"} | asserted


async def test_trunks_at_one_address_are_trusted_together_or_not_at_all(loop: TestbedLoop) -> None:
    trunks = {"pstn": {"prefixes": ["+86"]}, "other": {"addresses": ["127.0.0.0/8"], "trusted": False}}
    async with SspNet(loop, trunks=trunks) as net:
        net.scf.script = [release()]
        await net.registered(t_csi=t_csi())
        net.far.call(f"+{MSISDN}", OTHER, ("P-Asserted-Identity", f"<sip:{LISTED}@192.0.2.1>"))
        await net.settle()
        assert net.scf.said("initialDP")[0].calling_party_number.screening == 0
