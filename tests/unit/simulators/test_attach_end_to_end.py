"""A card, two terminals, two eNBs, MME, HSS and EIR in one process: attach, and the moved card that is refused."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

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
from simulators.uicc.config import UiccConfig
from simulators.uicc.element import Uicc
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Decided, Fault, Frame, PeerFault, StateChange
from simwarden.trace.trace import Trace
from simwarden.wire.nas.enums import EmmCause

IMSI = "001010000000001"
METER, PHONE = "869901000000017", "869902000000015"
CARD = {
    "name": "card",
    "imsi": IMSI,
    "iccid": "8900101000000000014",
    "msisdn": "1440000000001",
    "k": "00112233445566778899aabbccddeeff",
    "opc": "ffeeddccbbaa99887766554433221100",
    "profile": "meter",
    "form": "plug-in",
}


class Network:
    """All elements, with the verbs of a scenario as calls."""

    def __init__(self, loop: TestbedLoop, transport: str, **settings: Any) -> None:
        clock = Clock(loop)
        self.host = Host(loop, clock, Trace(clock.now), HostSettings(transport=transport))
        add = self.host.add
        add("card", Uicc, UiccConfig())
        add("meter", Device, DeviceConfig.model_validate({"imei": METER, "type": "module"}))
        add("phone", Device, DeviceConfig.model_validate({"imei": PHONE, "type": "handset"}))
        for name in ("enb", "enb2"):
            peers = {"x2": ("enb",)} if name == "enb2" else {}
            add(name, Enb, EnbConfig.model_validate(peers | settings.get(name, {})))
        add("mme", Mme, MmeConfig.model_validate(settings.get("mme", {})))
        if "mme_away" in settings:
            add("mme_away", Mme, MmeConfig.model_validate(settings["mme_away"]))
        add("hss", Hss, HssConfig.model_validate(settings.get("hss", {})))
        add("eir", Eir, EirConfig.model_validate(settings.get("eir", {})))

    async def start(self, binding: list[dict[str, Any]] | None = None) -> None:
        await self.host.start_all()
        for name, entries in (("hss", binding or []), ("eir", []), ("card", [])):
            body = {**CARD, "sections": {"binding": entries} if entries else {}}
            await self.host.elements[name].manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", body)

    async def do(self, who: str, what: str, **arguments: Any) -> Any:
        result = await self.host.elements[who].manage(Role.OPERATOR, "POST", f"/verbs/{what}", arguments)
        await self.host.clock.settle()
        return result

    def observed(self, element: str, observable: str, key: str | None = None) -> Any:
        found = [
            event.value
            for event in self.host.trace.events
            if isinstance(event, StateChange)
            and (event.element, event.observable, event.key) == (element, observable, key)
        ]
        return found[-1] if found else None

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.host.trace.events if isinstance(event, kind)]

    def ladder(self) -> list[str]:
        reader = Dissector()
        return [
            f"{event.source}->{event.target} {found.summary}"
            for event, found in reader.walk(self.host.trace.events)
            if isinstance(event, Frame) and found is not None
        ]


Story = Callable[[Network], Coroutine[Any, Any, None]]


@pytest.fixture(params=["memory", "tcp"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[..., Network]]:
    """Run a story in a network; it must end without a bug of ours and without a protocol error between elements."""
    loop = TestbedLoop(virtual=True)

    def carry_out(story: Story, binding: list[dict[str, Any]] | None = None, **settings: Any) -> Network:
        network = Network(loop, request.param, **settings)

        async def whole() -> None:
            await network.start(binding)
            await story(network)
            await network.host.close()

        loop.run_until_complete(whole())
        assert [event.detail or event.reason for event in network.of(Fault)] == []
        assert [f"{event.element}: {event.reason}" for event in network.of(PeerFault)] == []
        assert [line for line in network.ladder() if "alformed" in line] == []
        return network

    yield carry_out
    loop.close()


def test_a_meter_attaches(run: Any) -> None:
    async def story(network: Network) -> None:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        session = network.observed("mme", "session", IMSI)
        assert session["imei"] == METER
        assert session["cell"] == "001-01-0000101"
        assert network.observed("meter", "address") == session["address"]
        assert await network.do("meter", "power_off", device="meter") == "off"
        assert network.observed("mme", "session", IMSI) is None

    run(story)


def test_a_card_that_learned_its_meter_is_refused_in_a_phone(run: Any) -> None:
    async def story(network: Network) -> None:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        assert network.observed("hss", "binding", IMSI)["imei"][:14] == METER[:14]
        await network.do("phone", "move", card="card", to="phone")
        before = len(network.host.trace.events)
        assert await network.do("phone", "power_on", device="phone") == "rejected"
        assert network.observed("phone", "emm_cause") is EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED
        refused = [event.decision for event in network.of(Decided) if not event.decision.admitted]
        assert [decision.control.id for decision in refused] == ["bind.hss.learned"]
        later = [e for e in network.host.trace.events[before:] if isinstance(e, StateChange) and e.element == "mme"]
        assert [e for e in later if e.observable == "session" and e.value is not None] == []

    run(story, binding=[{"by": "hss", "learn": "first-use"}])


def test_equipment_that_the_eir_prohibits_is_refused_before_the_hss_hears_of_it(run: Any) -> None:
    async def story(network: Network) -> None:
        await network.do("phone", "insert", card="card", into="phone")
        assert await network.do("phone", "power_on", device="phone") == "rejected"
        assert network.observed("phone", "emm_cause") is EmmCause.ILLEGAL_ME
        assert network.observed("hss", "registration", IMSI) is None

    run(story, eir={"prohibited": [PHONE]}, binding=[{"by": "hss", "learn": "first-use"}])


def test_a_device_goes_to_sleep_wakes_moves_and_is_handed_over(run: Any) -> None:
    async def story(network: Network) -> None:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        await network.host.clock.sleep(15)
        assert network.observed("mme", "session", IMSI)["state"] == "idle"
        assert await network.do("meter", "service_request", device="meter") == "accepted"
        assert await network.do("meter", "handover", device="meter", cell="enb2/1") == "handed-over"
        assert network.observed("mme", "session", IMSI)["cell"] == "001-01-0000201"
        await network.host.clock.sleep(15)
        assert await network.do("meter", "goto", device="meter", cell="enb/1") == "camped"
        assert await network.do("meter", "tau", device="meter") == "accepted"
        assert network.observed("mme", "session", IMSI)["cell"] == "001-01-0000101"
        await network.host.clock.sleep(15)
        assert await network.do("mme", "page", imsi=IMSI) == "answered"
        assert await network.do("meter", "detach", device="meter") == "accepted"
        assert network.observed("mme", "session", IMSI) is None

    run(story)


@pytest.mark.parametrize("x2", [True, False])
def test_handover_with_and_without_x2(run: Any, x2: bool) -> None:  # noqa: FBT001
    async def story(network: Network) -> None:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        assert await network.do("meter", "handover", device="meter", cell="enb2/1") == "handed-over"
        session = network.observed("mme", "session", IMSI)
        assert (session["cell"], session["state"]) == ("001-01-0000201", "connected")
        names = {frame.interface for frame in network.of(Frame)}
        assert ("X2" in names) == x2
        assert await network.do("meter", "detach", device="meter") == "accepted"

    run(story, enb2={"x2": ("enb",) if x2 else ()})


def test_a_card_pulled_from_a_registered_meter_is_refused_in_a_phone_that_has_its_guti_and_keys(run: Any) -> None:
    async def story(network: Network) -> None:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        await network.do("meter", "power_off", device="meter")
        await network.do("card", "pull_out", card="card")
        await network.do("phone", "insert", card="card", into="phone")
        mark = network.host.trace.last_number
        assert await network.do("phone", "power_on", device="phone") == "rejected"
        later = [frame for frame in network.of(Frame) if frame.number > mark and frame.interface == "S6a"]
        names = [found.name for _, found in Dissector().walk(later) if found]
        assert names == ["update-location-request", "update-location-answer"]
        assert network.observed("phone", "emm_cause") is EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED

    run(story, binding=[{"by": "hss", "learn": "first-use"}])


def test_a_suspended_card_is_put_out_and_returns(run: Any) -> None:
    async def story(network: Network) -> None:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        await network.do("hss", "suspend", card="card")
        assert network.observed("mme", "session", IMSI) is None
        assert await network.do("meter", "attach", device="meter") != "accepted"
        await network.do("hss", "resume", card="card")
        await network.do("meter", "power_off", device="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"

    run(story)


def test_while_the_eir_is_down_nobody_is_served_and_no_card_is_lost(run: Any) -> None:
    async def story(network: Network) -> None:
        await network.do("meter", "insert", card="card", into="meter")
        await network.host.stop("eir", kill=True)
        assert await network.do("meter", "power_on", device="meter") == "rejected"
        assert network.observed("meter", "emm_cause") is EmmCause.NETWORK_FAILURE
        assert network.observed("meter", "usim") == "valid"
        await network.host.start("eir")
        assert await network.do("meter", "attach", device="meter") == "accepted"

    run(story)


def test_an_emergency_call_is_served_without_a_card_and_from_prohibited_equipment(run: Any) -> None:
    async def story(network: Network) -> None:
        assert await network.do("phone", "power_on", device="phone") == "no-card"
        assert await network.do("phone", "emergency_call", device="phone") == "accepted"
        asked = [frame for frame in network.of(Frame) if frame.interface in ("S6a", "S13")]
        assert {found.name for _, found in Dissector().walk(asked) if found} == {
            "capabilities-exchange-request",
            "capabilities-exchange-answer",
        }
        assert network.observed("hss", "registration", IMSI) is None

    run(story, eir={"prohibited": [PHONE]})


def test_an_emergency_call_from_a_phone_whose_card_is_refused(run: Any) -> None:
    async def story(network: Network) -> None:
        await network.do("phone", "insert", card="card", into="phone")
        assert await network.do("phone", "power_on", device="phone") == "rejected"
        assert await network.do("phone", "emergency_call", device="phone") == "accepted"
        assert network.observed("mme", "session", IMSI)["emergency"]
        assert network.observed("hss", "registration", IMSI) is None

    run(story, binding=[{"by": "hss", "imei": METER}])


def test_a_device_that_goes_to_another_province_is_served_by_its_mme_alone(run: Any) -> None:
    async def story(network: Network) -> None:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        await network.host.clock.sleep(15)
        await network.do("meter", "goto", device="meter", cell="enb2/1")
        await network.host.clock.sleep(60)
        assert network.observed("mme", "session", IMSI) is None
        assert network.observed("mme_away", "session", IMSI)["tai"] == "001-01-0007"
        assert network.observed("hss", "registration", IMSI)["mme"].startswith("mme_away")

    run(
        story,
        mme_away={"mme_code": "2"},
        enb2={"mmes": ("mme_away",), "x2": (), "cells": [{"tac": "7"}]},
        hss={"peers": {"mme": {}, "mme_away": {"home_province": False}}},
        eir={"peers": {"mme": {}, "mme_away": {}}},
    )


@pytest.mark.parametrize("kill", [True, False])
def test_after_a_restart_of_the_mme_devices_come_back(run: Any, kill: bool) -> None:  # noqa: FBT001
    async def story(network: Network) -> None:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        await network.host.clock.sleep(15)
        await network.host.stop("mme", kill=kill)
        await network.host.clock.sleep(1)
        assert network.observed("mme", "session", IMSI) is None
        await network.host.start("mme")
        await network.host.clock.sleep(30)
        await network.do("meter", "service_request", device="meter")
        await network.host.clock.sleep(30)
        assert network.observed("mme", "session", IMSI)["imei"] == METER

    run(story)


def test_an_emergency_call_from_a_registered_phone(run: Any) -> None:
    async def story(network: Network) -> None:
        await network.do("phone", "insert", card="card", into="phone")
        assert await network.do("phone", "power_on", device="phone") == "accepted"
        await network.host.clock.sleep(15)
        assert await network.do("phone", "emergency_call", device="phone") == "accepted"

    run(story)


def test_every_message_of_a_life_is_read_by_another_implementation(run: Any) -> None:
    """NAS and S1AP of attach, service, handover, update, detach and refusal, by pycrate."""
    pytest.importorskip("pycrate_mobile")
    from pycrate_asn1dir import S1AP
    from pycrate_mobile.NAS import parse_NAS_MO, parse_NAS_MT

    async def story(network: Network) -> None:
        await network.do("meter", "insert", card="card", into="meter")
        await network.do("meter", "power_on", device="meter")
        await network.host.clock.sleep(15)
        await network.do("meter", "service_request", device="meter")
        await network.do("meter", "handover", device="meter", cell="enb2/1")
        await network.host.clock.sleep(15)
        await network.do("meter", "tau", device="meter")
        await network.do("meter", "detach", device="meter")
        await network.do("phone", "move", card="card", to="phone")
        await network.do("phone", "power_on", device="phone")

    network = run(story, binding=[{"by": "hss", "learn": "first-use"}])
    pdu = S1AP.S1AP_PDU_Descriptions.S1AP_PDU
    seen = set()
    for frame in network.of(Frame):
        if frame.interface == "S1-MME":
            pdu.from_aper(frame.data)
            assert pdu.to_aper() == frame.data
        if frame.clear is not None:
            parse = parse_NAS_MT if frame.source.startswith("mme") else parse_NAS_MO
            message, error = parse(frame.clear, inner=False)
            assert error == 0, frame.clear.hex()
            seen.add(message._name)
    assert {"EMMAttachAccept", "EMMTrackingAreaUpdateAccept", "EMMIdentityRequest", "EMMAttachReject"} <= seen, seen
