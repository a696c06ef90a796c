"""A terminal that leaves its connection in a call: the call ends at both ends, and a parallel request ends none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ssp_net import GO_ON, IMSI, MSISDN, E, SspNet, T, arm, charge, o_csi, release

from simwarden.wire.cap import MonitorMode
from simwarden.wire.dtap import MmCause
from simwarden.wire.nas import IdentityType, MobileIdentity
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.loop import TestbedLoop

SMS, SUPPLEMENTARY, EMERGENCY = 4, 8, 2
TERMINAL = MobileIdentity(IdentityType.IMEI, "990001010000010")
OTHER_CARD = "001010000000002"
ORDERS = [arm((E.O_DISCONNECT, MonitorMode.NOTIFY_AND_CONTINUE, 1)), charge(600)]
LEAVES: dict[str, Callable[[SspNet], None]] = {
    "detach": lambda net: net.ms.detach(),
    "location-update": lambda net: net.ms.register(),
    "lost": lambda net: net.ms.link.close(),
    "emergency": lambda net: net.ms.ask_service(EMERGENCY),
}


async def stand(net: SspNet, *, called: bool) -> None:
    """Connect a call, made by the terminal or to it."""
    net.scf.script, net.scf.ends = [*ORDERS, GO_ON], False
    await net.registered(o_csi=o_csi())
    if called:
        net.far.call(f"+{MSISDN}")
        await net.settle()
    else:
        await net.mo()
    assert net.far.outcome == "answered"


@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize("leave", LEAVES)
async def test_a_call_whose_terminal_leaves_ends_at_both_ends(loop: TestbedLoop, leave: str, *, called: bool) -> None:
    async with SspNet(loop) as net:
        await stand(net, called=called)
        LEAVES[leave](net)
        await net.settle()
        assert net.far.outcome == "released 27"
        assert called or len(net.scf.said("applyChargingReport")) == 1
        assert len(net.ssp.core.scfs) == 0


@pytest.mark.parametrize("purpose", [SMS, SUPPLEMENTARY, 1])
async def test_a_request_for_another_service_leaves_a_call_alone(loop: TestbedLoop, purpose: int) -> None:
    async with SspNet(loop) as net:
        await stand(net, called=False)
        net.ms.ask_service(purpose)
        await net.settle()
        assert net.ms.last(T.CM_SERVICE_REJECT)["mm_cause"] is MmCause.SERVICE_OPTION_NOT_SUPPORTED
        assert net.ms.names()[-1] == "CM_SERVICE_REJECT"
        assert net.far.outcome == "answered"
        net.ms.hang_up()
        await net.settle()
        assert (net.far.outcome, net.ms.names()[-1]) == ("released 16", "CHANNEL_RELEASE")


async def test_an_emergency_call_takes_the_place_of_the_call_in_progress(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await stand(net, called=False)
        net.ms.ask_service(EMERGENCY)
        net.ms.say(T.EMERGENCY_SETUP, 1)
        await net.settle()
        assert (len(net.far.invited), len(net.ssp.core.calls)) == (2, 1)
        net.ms.link.close()


async def test_a_terminal_is_paged_as_its_card_after_an_emergency_call_by_its_imei(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.ask_service(EMERGENCY, TERMINAL)
        net.ms.say(T.EMERGENCY_SETUP)
        await net.settle()
        assert "P-Asserted-Identity" not in net.far.invited[0].headers
        net.ms.hang_up()
        await net.settle()
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.ms.last(T.PAGING_REQUEST_TYPE_1)["mobile_identity"].digits == IMSI
        assert net.far.outcome == "answered"
        net.far.hang_up()


async def test_a_card_that_registers_in_another_terminal_has_its_call_cleared(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await stand(net, called=False)
        await net.ms.join()
        net.ms.register()
        await net.settle()
        assert net.far.outcome == "released 27"
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "answered"
        net.far.hang_up()


async def test_a_terminal_with_another_card_is_not_called_as_the_first(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.quiet.add(T.PAGING_REQUEST_TYPE_1)
        net.far.call(f"+{MSISDN}")
        await net.settle()
        net.ms.imsi = OTHER_CARD
        await net.registered()
        assert net.far.outcome == "480 20"
        net.ms.answer_page(net.ms.identity)
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert T.SETUP not in [each.type for each in net.ms.heard]
        assert net.peer_faults() == ["PAGING RESPONSE of whom nobody has paged"]
        assert net.ssp.core.subscribers[IMSI].terminal is None


async def test_an_identity_of_another_type_than_was_asked_is_none(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.ms.quiet.add(T.IDENTITY_REQUEST)
        net.ms.register()
        await net.settle()
        net.ms.say(T.IDENTITY_RESPONSE, mobile_identity=net.ms.identity)
        await net.settle()
        assert net.ms.last(T.LOCATION_UPDATING_REJECT)["mm_cause"] is MmCause.ILLEGAL_ME
        assert net.verdicts("ssp.terminal-identity") == [False]


@pytest.mark.parametrize(
    ("bearer", "cause"),
    [
        (b"\xa0", None),  # speech, full rate
        (bytes.fromhex("6004000581"), None),  # speech, half rate preferred
        (bytes.fromhex("a2b88121156380"), 57),  # unrestricted digital information
        (bytes.fromhex("a3b8"), 57),  # group 3 facsimile
        (b"\xa8", 57),  # packet mode
        (b"", 96),
    ],
)
@pytest.mark.parametrize("number", ["13800001111", "110"])
async def test_a_setup_is_for_speech(loop: TestbedLoop, bearer: bytes, cause: int | None, number: str) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi())
        net.ms.ask_service()
        asked: dict[str, Any] = {"bearer_capability": bearer} if bearer else {}
        net.ms.say(T.SETUP, **asked, called_party_bcd_number=AddressString(number, 0))
        await net.settle()
        assert (net.ms.cause, len(net.far.invited)) == (cause, int(cause is None))
        assert not (cause and net.scf.heard)
        if cause is None:
            net.ms.hang_up()


@pytest.mark.parametrize(
    ("number", "nature", "centre"), [("112", 0, "110"), ("911", 0, "110"), ("119", 0, "119"), ("112", 1, "")]
)
async def test_a_setup_to_an_emergency_number_reaches_its_service(
    loop: TestbedLoop, number: str, nature: int, centre: str
) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(o_csi=o_csi())
        net.ms.ask_service()
        net.ms.say(T.SETUP, bearer_capability=b"\xa0", called_party_bcd_number=AddressString(number, nature))
        await net.settle()
        assert [each.uri.partition("@")[0] for each in net.far.invited] == ([f"sip:{centre}"] if centre else [])
        assert bool(net.scf.heard) is not bool(centre)
        net.ms.hang_up()


async def test_a_connection_without_a_call_is_released(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.ask_service(EMERGENCY, TERMINAL)
        await net.sleep(29)
        assert net.ms.names()[-1] == "CM_SERVICE_ACCEPT"
        await net.sleep(2)
        assert net.ms.names()[-1] == "CHANNEL_RELEASE"
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "answered"
        await net.sleep(60)
        net.far.hang_up()


async def test_a_card_that_registers_in_another_terminal_is_paged_there_only(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.quiet.add(T.PAGING_REQUEST_TYPE_1)
        net.far.call(f"+{MSISDN}")
        await net.settle()
        await net.ms.join()
        await net.registered()
        assert net.far.outcome == "480 20"


async def test_a_terminal_that_has_left_hears_no_more_of_its_call(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [arm((E.O_DISCONNECT, MonitorMode.INTERRUPTED, 1)), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.ms.heard.clear()
        net.ms.detach()
        await net.settle()
        net.scf.order(release(), end=True)
        await net.sleep(60)
        assert net.ms.names() == ["CHANNEL_RELEASE"]
        assert net.far.outcome == "released 21"
