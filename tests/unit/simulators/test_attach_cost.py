"""An attach with its session costs at most 1.6 times one on a stub of the gateways: by calls, which no load changes."""

from __future__ import annotations

import cProfile
from typing import Any

import stub_gateways
from meter_card import CARD

from simulators.device.element import Device
from simulators.uicc.element import Uicc
from simwarden.model.identity import luhn_digit
from simwarden.runtime.loop import TestbedLoop

from .test_attach_end_to_end import Network

DEVICES = 4


def calls(*, stub: bool) -> float:
    """Return how many functions are called for a first attach, in all elements together."""
    loop, profile = TestbedLoop(virtual=True), cProfile.Profile()

    async def story() -> None:
        network = Network(loop, "memory")
        for number in range(DEVICES):
            key = f"86990100{number + 100:06d}"
            network.add(f"card{number}", Uicc)
            network.add(f"device{number}", Device, {"imei": key + luhn_digit(key), "type": "module"})
        await network.start()
        for number in range(DEVICES):
            own = {"imsi": f"00101{number + 100:010d}", "msisdn": f"144{number + 100:010d}", "name": f"card{number}"}
            body = {**CARD, **own, "iccid": f"8900101{number + 100:012d}", "sections": {}}
            for name in ("hss", "eir", f"card{number}"):
                await network.call("PUT", f"/cards/{own['imsi']}", body, element=name)
            await network.do(f"device{number}", "insert", card=f"card{number}", into=f"device{number}")
        if stub:
            stub_gateways.put(network.host.elements["mme"])
        await network.do("device0", "power_on", device="device0")
        profile.enable()
        for number in range(1, DEVICES):
            assert await network.do(f"device{number}", "power_on", device=f"device{number}") == "accepted"
        profile.disable()
        sessions = network.host.elements["pgw"].census()["sessions"]
        assert sessions == (0 if stub else DEVICES)
        await network.host.close()

    try:
        loop.run_until_complete(story())
    finally:
        loop.close()
    stats: Any = profile
    stats.create_stats()
    return sum(each[1] for each in stats.stats.values()) / (DEVICES - 1)


def test_a_session_adds_little_to_an_attach() -> None:
    with_session, without = calls(stub=False), calls(stub=True)
    assert 1.05 < with_session / without <= 1.6, (with_session, without)
