"""A terminal of 2G: it registers at an MSC, calls, is called, and keeps to the causes that it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from meter_card import CARD
from ssp_net import IMSI, LISTED, MSISDN, SspNet

from simulators.device.element import Device
from simulators.uicc.element import Uicc
from simwarden.errors import ManagementError
from simwarden.wire.map import ErrorCode

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


class LiftNet(SspNet):
    """A lift with a card; keywords are its settings."""

    def __init__(self, loop: TestbedLoop, transport: str = "memory", **config: Any) -> None:
        super().__init__(loop, transport)
        self.add("card", Uicc)
        self.lift = self.add("lift", Device, {"msc": "ssp", **config})

    async def start(self) -> None:
        await super().start()
        await self.call("PUT", f"/cards/{IMSI}", CARD, element="card")

    async def on(self) -> str:
        """Insert the card and switch on."""
        await self.do("lift", "insert", card="card", into="lift")
        return str(await self.do("lift", "power_on", device="lift"))

    async def dials(self, number: str = LISTED, **more: Any) -> str:
        """Call a number."""
        return str(await self.do("lift", "call", device="lift", to=number, **more))

    def last(self, observable: str) -> Any:
        """Return the last value of something about the lift."""
        return self.observed(observable, element="lift")[-1]


@pytest.mark.parametrize("transport", ["memory", "tcp"])
async def test_it_registers_calls_and_says_goodbye(loop: TestbedLoop, transport: str) -> None:
    async with LiftNet(loop, transport) as net:
        assert await net.on() == "accepted"
        assert await net.dials(lasts=10) == "connected"
        assert net.last("call_cause") == 16
        assert net.records()[0].fields["callDuration"] == 10
        await net.do("lift", "power_off", device="lift")
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "480 20"
        assert net.last("location_update") == "detached"
        assert net.peer_faults() == []


@pytest.mark.parametrize(
    ("does", "word", "cause"), [("17", "busy", 17), ("19", "no-answer", 19), ("21", "refused", 21), ("1", "refused", 1)]
)
async def test_how_a_call_ends_is_told_by_its_cause(loop: TestbedLoop, does: str, word: str, cause: int) -> None:
    async with LiftNet(loop) as net:
        await net.on()
        net.far.does = does
        assert await net.dials() == word
        assert (net.last("call"), net.last("call_cause")) == (word, cause)


async def test_who_hangs_up_first_is_told_apart(loop: TestbedLoop) -> None:
    async with LiftNet(loop) as net:
        await net.on()
        assert await net.dials() == "connected"
        assert await net.do("lift", "dial", device="lift", digits="12#") == "accepted"
        with pytest.raises(ManagementError, match="has a call already"):
            await net.dials()
        assert await net.do("lift", "hang_up", device="lift") == "released"
        calling = asyncio.ensure_future(net.dials(lasts=60))
        await net.sleep(5)
        net.far.hang_up()
        assert await calling == "released"
        with pytest.raises(ManagementError, match="has no call"):
            await net.do("lift", "hang_up", device="lift")


@pytest.mark.parametrize(
    ("how", "outcome"), [("answer", "answered"), ("busy", "486 17"), ("refuse", "403 21"), ("ring", "ringing")]
)
async def test_what_it_does_when_it_is_called(loop: TestbedLoop, how: str, outcome: str) -> None:
    async with LiftNet(loop, on_call=how) as net:
        await net.on()
        net.far.call(f"+{MSISDN}")
        await net.sleep(3)
        assert net.far.outcome == outcome
        assert net.last("caller") == LISTED
        if how == "ring":
            assert await net.do("lift", "answer", device="lift") == "connected"
        if how in ("ring", "answer"):
            await net.do("lift", "hang_up", device="lift")


async def test_after_a_refusal_for_good_the_card_is_held_invalid_until_it_is_off(loop: TestbedLoop) -> None:
    async with LiftNet(loop) as net:
        net.hlr.fails["update"] = ErrorCode.UNKNOWN_SUBSCRIBER
        assert await net.on() == "rejected"
        assert net.last("mm_cause") == 2
        assert await net.do("lift", "location_update", device="lift") == "usim-invalid"
        assert await net.dials() == "not-registered"
        net.hlr.fails.clear()
        await net.do("lift", "power_off", device="lift")
        assert await net.do("lift", "power_on", device="lift") == "accepted"


async def test_who_is_not_known_any_more_registers_anew(loop: TestbedLoop) -> None:
    async with LiftNet(loop) as net:
        await net.on()
        del net.ssp.core.subscribers[IMSI]
        assert await net.dials() == "refused"
        assert net.last("mm_cause") is None or net.last("mm_cause") == 4
        await net.settle()
        assert await net.dials(lasts=1) == "connected"


async def test_without_a_card_it_calls_for_help_alone(loop: TestbedLoop) -> None:
    async with LiftNet(loop) as net:
        assert await net.do("lift", "power_on", device="lift") == "no-card"
        assert await net.dials() == "not-registered"
        assert await net.do("lift", "call_emergency", device="lift") == "connected"
        assert net.far.invited[0].uri.startswith("sip:110@")
        await net.do("lift", "hang_up", device="lift")


async def test_without_an_msc_there_are_no_calls(loop: TestbedLoop) -> None:
    async with LiftNet(loop) as net:
        await net.on()
        await net.host.stop("ssp", kill=True)
        await net.settle()
        assert await net.dials() == "not-registered"
        assert await net.do("lift", "location_update", device="lift") == "no-cell"
