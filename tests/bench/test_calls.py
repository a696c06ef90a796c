"""Calls through SSP and SCP, with terminals, an HLR and telephones in the same process, so on one core.

What is asserted is that each call stood and ended; printed are rates by processor time, after a first round in which
what calls need is loaded.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import figures
import pytest
from ssp_net import EIR, HLR, LISTED, Eir, Far, Hlr, Ms, T, o_csi, t_csi

from simulators.scp.element import Scp
from simulators.ssp.bcsm import O_BCSM
from simulators.ssp.call import Half, Nobody, Nowhere, Setup
from simulators.ssp.element import Ssp
from simulators.ssp.procedures.calls import scf_of
from simwarden.runtime.loop import TestbedLoop
from simwarden.testing import Bench
from simwarden.wire import map as m
from simwarden.wire.q850 import Cause
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from simwarden.wire.dtap import Message

TERMINALS, ROUNDS = 40, 25


def imsi(number: int) -> str:
    return f"00101000000{number:04d}"


def msisdn(number: int) -> str:
    return f"861440{number:09d}"


class ManyHlr(Hlr):
    """An HLR of many cards, each with O-CSI and T-CSI."""

    async def _update(self, asked: m.UpdateLocation, dialogue: Any) -> m.UpdateLocationResult:
        data = m.InsertSubscriberData(
            msisdn=AddressString(msisdn(int(asked.imsi[-4:]))),
            subscriber_status=m.SubscriberStatus.SERVICE_GRANTED,
            teleservices=(b"\x11",),
            vlr_camel_subscription=m.VlrCamelSubscription(o_csi()),
        )
        await dialogue.ask(m.INSERT_SUBSCRIBER_DATA, data)
        return m.UpdateLocationResult(AddressString("8613800000006"))

    async def _route(self, asked: m.SendRoutingInfo, _dialogue: Any) -> m.SendRoutingInfoResult:
        card = imsi(int(asked.msisdn.digits[-4:]))
        if asked.camel_info is not None and not asked.camel_info.suppress_t_csi:
            camel = m.CamelRoutingInfo(m.GmscCamelSubscription(t_csi()))
            return m.SendRoutingInfoResult(card, m.ExtendedRoutingInfo(camel_routing_info=camel))
        wanted = m.ProvideRoamingNumber(card, AddressString("8613800000008"))
        told = await self.tell(m.ROAMING_NUMBER_ENQUIRY, m.PROVIDE_ROAMING_NUMBER, wanted)
        return m.SendRoutingInfoResult(card, m.ExtendedRoutingInfo(m.RoutingInfo(told.roaming_number)))


class Caller(Ms):
    """A terminal that hangs up when it is connected, and has the next call begun when it is idle."""

    left = connected = 0
    begin: Any

    def _receive(self, data: bytes, stream: int) -> None:
        super()._receive(data, stream)
        message: Message = self.heard.pop()
        if message.type in (T.CONNECT, T.CONNECT_ACKNOWLEDGE):
            self.connected += 1
            self.hang_up(answering=not message.answering)
        elif message.type is T.CHANNEL_RELEASE and self.left:
            self.left -= 1
            self.begin(self)


class Exchange(Bench):
    """All of them."""

    subject = "scp"

    def __init__(self, loop: TestbedLoop) -> None:
        super().__init__(loop)
        self.add("hss", ManyHlr, {"point_code": HLR})
        self.add("eir", Eir, {"point_code": EIR})
        self.add("scp", Scp)
        self.far = self.add("pstn", Far)
        self.ssp = self.add("ssp", Ssp, {"trunks": {"pstn": {"prefixes": [""]}}})
        self.terminals = [self.add(f"ms{number}", Caller) for number in range(TERMINALS)]

    async def start(self) -> None:
        await super().start()
        await self.settle()
        voice = {"voice": [{"by": "scp", "numbers": [LISTED]}]}
        for number, each in enumerate(self.terminals):
            each.imsi = imsi(number)
            card = {"name": "card", "imsi": each.imsi, "iccid": "", "msisdn": msisdn(number)}
            card |= {"profile": "elevator-alarm", "form": "plug-in"}
            await self.call("PUT", f"/cards/{each.imsi}", {**card, "sections": voice})
            each.register()
        await self.settle()

    async def rounds(self, begin: Any, rounds: int) -> float:
        """Have each terminal's calls follow one another; return the processor time."""
        for each in self.terminals:
            each.begin, each.left, each.connected = begin, rounds - 1, 0
        before = time.process_time()
        for each in self.terminals:
            begin(each)
        while any(each.connected < rounds for each in self.terminals):
            await self.sleep(0.1)
            self.trace.events.clear()
        await self.sleep(1)
        return time.process_time() - before


@pytest.mark.parametrize("kind", ["of", "to"])
def test_calls_through_ssp_and_scp(kind: str) -> None:
    loop = TestbedLoop(virtual=True)
    took: list[float] = []

    async def story() -> None:
        asserted = ("P-Asserted-Identity", f"<sip:{LISTED}@192.0.2.9>")
        async with Exchange(loop) as net:

            def call(terminal: Caller) -> None:
                if kind == "of":
                    terminal.call("13800001111")
                else:
                    net.far.call(f"+{msisdn(int(terminal.imsi[-4:]))}", LISTED, asserted)

            await net.rounds(call, 1)
            took.append(await net.rounds(call, ROUNDS))

    loop.run_until_complete(story())
    loop.close()
    calls = TERMINALS * ROUNDS
    figures.tell(f"calls {kind} terminals through SSP and SCP", f"{calls / took[0]:,.0f}/s")


def test_dialogues_from_initial_dp_to_connect() -> None:
    loop = TestbedLoop(virtual=True)
    connected: list[Half] = []
    took: list[float] = []

    def route(half: Half, _setup: Setup) -> Nowhere:
        connected.append(half)
        return Nowhere()

    async def story() -> None:
        async with Exchange(loop) as net:
            setup = Setup(AddressString("13800001111", 0), reference=b"\0\0\0\1")

            async def ask(dialogues: int) -> None:
                for first in range(0, dialogues, TERMINALS):
                    for number in range(first, first + TERMINALS):
                        half = Half(net.ssp.core, O_BCSM, Nobody(), route, imsi(number % TERMINALS))
                        half.scf = scf_of(half, o_csi())
                        half.begin(setup)
                    await net.settle()
                    net.trace.events.clear()

            await ask(TERMINALS)
            before = time.process_time()
            await ask(TERMINALS * ROUNDS)
            took.append(time.process_time() - before)
            for each in connected:
                each.release(Cause(16))

    loop.run_until_complete(story())
    loop.close()
    assert len(connected) == TERMINALS * (ROUNDS + 1)
    figures.tell("InitialDP to Connect, at the SSP and back", f"{TERMINALS * ROUNDS / took[0]:,.0f}/s")
