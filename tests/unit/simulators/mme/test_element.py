"""How an MME leaves, by itself or without power, and what it says that it holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from simulators.mme.contexts import SmsState
from simulators.mme.views import views
from simwarden.testing.diameter import IMSI
from simwarden.trace.events import Frame
from simwarden.wire.diameter import decode
from simwarden.wire.nas.enums import MessageType

from .test_gateways import asked
from .test_s1 import _admit, _required

if TYPE_CHECKING:
    from simwarden.wire import gtpv2

_T = MessageType


def _from_mme(network: Any) -> list[Frame]:
    return [each for each in network.of(Frame) if each.source == "mme"]


@pytest.mark.parametrize("kill", [True, False])
async def test_an_mme_that_leaves_does_nothing_more(run: Any, *, kill: bool) -> None:
    """Neither for who is in service, nor idle, nor on the way to another eNB, nor attaching: timers end with it."""
    async with run() as network:
        network.host.clock.skip_keep_alives = False
        never = asyncio.get_running_loop().create_future()
        handed_over = await network.attached()
        _required(handed_over)
        await network.settle()
        _admit(network)
        idle = await network.attached(imsi="001010000000002", enb_id=20)
        idle.idle()
        await network.settle()
        asks = network.phone(imsi="001010000000003", enb_id=30, replies={_T.AUTHENTICATION_REQUEST: None})
        asks.attach()

        async def silent(_message: gtpv2.Message, _peer: Any) -> gtpv2.Message:
            answer: gtpv2.Message = await never
            return answer

        network.host.elements["sgw"].core.node._handlers["create-session-request"] = silent
        network.phone(imsi="001010000000004", enb_id=40).attach()
        await network.settle()
        assert asked(network)[-1] == "create-session"
        closed: list[str] = []
        network.enb.link.on_close = closed.append
        hss = network.hss.node
        await network.host.stop("mme", kill=kill)
        await network.settle()
        assert closed == ["connection lost" if kill else "mme stops"]
        assert hss.peers == ()
        said = [decode(each.data).name for each in _from_mme(network) if each.interface == "S6a"]
        assert (said[-1] == "disconnect-peer-request") is not kill
        assert [network.session(imsi) for imsi in (IMSI, "001010000000002")] == [None, None]
        assert "delete-session" not in asked(network)
        frames, notes = len(_from_mme(network)), network.notes()
        await network.sleep(7200)
        assert len(_from_mme(network)) == frames
        assert network.notes() == notes
        never.cancel()


async def test_what_is_counted_of_devices_and_what_others_hold_of_them_too(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        core, ue = network.mme.core, network.mme.core.by_imsi[IMSI]
        counted = {"connections": 1, "attempts": 0, "sessions": 1, "EPS bearers": 1, "bearers": 1}
        assert network.mme.census() == counted
        of_connected = ("UE-AMBR", "NAS security", "TAI lists", "EPS bearers", "E-RABs", "S1-U tunnels")
        of_sessions = ("S11 tunnels", "PDN connections", "QoS")
        told = views(core)
        assert {name: len(list(told[name])) for name in (*of_connected, *of_sessions)} == dict.fromkeys(
            (*of_connected, *of_sessions), 1
        )
        assert list(told["SMS in MME"]) == []
        assert list(told["S11 tunnels"]) == [(ue.s11_teid, ue.sgw.teid)]
        assert list(told["S1-U tunnels"]) == [(5, *ue.bearer.enb.end, *ue.bearer.sgw.end)]
        ue.sms = SmsState.REGISTERED
        assert list(views(core)["SMS in MME"]) == [(IMSI, core.home.node.local.host)]
        ue.sms = SmsState.NONE
        phone.idle()
        await network.settle()
        assert network.mme.census() == {**counted, "connections": 0, "bearers": 0}
        told = views(core)
        assert {name: len(list(told[name])) for name in of_connected} == dict.fromkeys(of_connected, 0)
        assert {name: len(list(told[name])) for name in of_sessions} == dict.fromkeys(of_sessions, 1)
        core.end_session(ue)
        await network.settle()
        assert list(views(core)["S11 tunnels"]) == []
        phone.replies[_T.ATTACH_ACCEPT] = None
        phone.attach()
        await network.settle()
        assert core.by_imsi[IMSI].connection is not None
        told = views(core)
        assert {name: len(list(told[name])) for name in of_connected[:4]} == dict.fromkeys(of_connected[:4], 0)
