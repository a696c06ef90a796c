"""Handover with all elements: a device that was handed over is paged where it is."""

from __future__ import annotations

import pytest
from meter_card import CARD, IMSI

from simulators.device.config import DeviceConfig
from simulators.device.element import Device
from simulators.eir.config import EirConfig
from simulators.eir.element import Eir
from simulators.enb.config import EnbConfig
from simulators.enb.element import Enb
from simulators.hss.config import HssConfig
from simulators.hss.element import Hss
from simulators.mme.config import MmeConfig
from simulators.mme.element import Mme
from simulators.pgw.config import PgwConfig
from simulators.pgw.element import Pgw
from simulators.sgw.config import SgwConfig
from simulators.sgw.element import Sgw
from simulators.uicc.config import UiccConfig
from simulators.uicc.element import Uicc
from simwarden.operations.element import element_of
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Fault, Frame, PeerFault
from simwarden.trace.trace import Trace


def build(loop: TestbedLoop, *, x2: bool) -> Host:
    clock = Clock(loop)
    host = Host(loop, clock, Trace(clock.now), HostSettings())
    host.add("card", Uicc, UiccConfig())
    host.add("meter", Device, DeviceConfig.model_validate({"imei": "869901000000017", "type": "module"}))
    host.add("enb", Enb, EnbConfig())
    cells = [{"tac": 2}, {"tac": 2}]
    host.add("enb2", Enb, EnbConfig.model_validate({"cells": cells, "x2": ["enb"] if x2 else []}))
    host.add("mme", Mme, MmeConfig())
    host.add("pgw", Pgw, PgwConfig())
    host.add("sgw", Sgw, SgwConfig())
    host.add("hss", Hss, HssConfig())
    host.add("eir", Eir, EirConfig())
    return host


async def do(host: Host, who: str, what: str, **arguments: str) -> object:
    outcome = await element_of(host, who).manage(Role.OPERATOR, "POST", f"/verbs/{what}", arguments)
    await host.clock.settle()
    return outcome


async def put_into_service(host: Host) -> None:
    """Start the network, with the card provisioned and its meter attached."""
    await host.start_all()
    for name in ("hss", "eir", "card"):
        await element_of(host, name).manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", CARD)
    await do(host, "meter", "insert", card="card", into="meter")
    assert await do(host, "meter", "power_on", device="meter") == "accepted"


@pytest.mark.parametrize("x2", [True, False], ids=["by X2", "by S1"])
def test_paged_where_it_was_handed_over_to(*, x2: bool) -> None:
    loop = TestbedLoop(virtual=True)

    async def story() -> Host:
        host = build(loop, x2=x2)
        await put_into_service(host)
        for cell in ("enb2/1", "enb2/2"):
            assert await do(host, "meter", "handover", device="meter", cell=cell) == "handed-over"
        await host.clock.sleep(15)
        before = len(host.trace.events)
        assert await do(host, "mme", "page", imsi=IMSI) == "answered"
        later = [event for event in host.trace.events[before:] if isinstance(event, Frame)]
        assert [frame.source for frame in later if frame.interface == "Uu" and frame.data[0] == 4] == ["enb2"]
        await host.close()
        return host

    host = loop.run_until_complete(story())
    loop.close()
    assert [event for event in host.trace.events if isinstance(event, (Fault, PeerFault))] == []
