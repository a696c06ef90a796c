"""A card, two terminals, two eNBs, MME, HSS and EIR in one process: attach, and the moved card that is refused."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from meter_card import CARD, IMSI

from simulators.device.element import Device
from simulators.eir.element import Eir
from simulators.enb.element import Enb
from simulators.hss.element import Hss
from simulators.mme.element import Mme
from simulators.pgw.element import Pgw
from simulators.sgw.element import Sgw
from simulators.uicc.element import Uicc
from simwarden.testing import Bench
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Decided, Frame, StateChange
from simwarden.wire.nas.enums import EmmCause

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.loop import TestbedLoop

METER, PHONE = "869901000000017", "869902000000015"


class Network(Bench):
    """All elements; between them there may be no protocol error."""

    def __init__(
        self, loop: TestbedLoop, transport: str, binding: list[dict[str, Any]] | None = None, **settings: Any
    ) -> None:
        super().__init__(loop, transport=transport)
        self.binding = binding or []
        self.add("card", Uicc)
        self.add("meter", Device, {"imei": METER, "type": "module"})
        self.add("phone", Device, {"imei": PHONE, "type": "handset"})
        for name in ("enb", "enb2"):
            peers = {"x2": ("enb",)} if name == "enb2" else {}
            self.add(name, Enb, peers | settings.get(name, {}))
        self.add("mme", Mme, settings.get("mme"))
        if "mme_away" in settings:
            self.add("mme_away", Mme, settings["mme_away"])
        self.add("pgw", Pgw)
        self.add("sgw", Sgw, {"mmes": ("mme", "mme_away")})
        self.add("hss", Hss, settings.get("hss"))
        self.add("eir", Eir, settings.get("eir"))

    async def start(self) -> None:
        await super().start()
        for name, entries in (("hss", self.binding), ("eir", []), ("card", [])):
            body = {**CARD, "sections": {"binding": entries} if entries else {}}
            await self.call("PUT", f"/cards/{IMSI}", body, element=name)

    def judge(self) -> None:
        super().judge()
        assert self.peer_faults() == []
        assert [line for line in self.ladder() if "alformed" in line] == []

    def last(self, element: str, observable: str, key: str | None = None) -> Any:
        found = self.observed(observable, element=element, key=key)
        return found[-1] if found else None

    def ladder(self) -> list[str]:
        reader = Dissector()
        return [
            f"{event.source}->{event.target} {found.summary}"
            for event, found in reader.walk(self.host.trace.events)
            if isinstance(event, Frame) and found is not None
        ]


@pytest.fixture(params=["memory", "tcp"])
def run(request: pytest.FixtureRequest, loop: TestbedLoop) -> Callable[..., Network]:
    """Make a network."""
    return partial(Network, loop, request.param)


async def test_a_meter_attaches(run: Any) -> None:
    async with run() as network:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        session = network.last("mme", "session", IMSI)
        assert session["imei"] == METER
        assert session["cell"] == "001-01-0000101"
        assert network.last("meter", "address") == session["address"]
        assert await network.do("meter", "power_off", device="meter") == "off"
        assert network.last("mme", "session", IMSI) is None


async def test_a_card_that_learned_its_meter_is_refused_in_a_phone(run: Any) -> None:
    async with run(binding=[{"by": "hss", "learn": "first-use"}]) as network:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        assert network.last("hss", "binding", IMSI)["imei"][:14] == METER[:14]
        await network.do("phone", "move", card="card", to="phone")
        before = len(network.host.trace.events)
        assert await network.do("phone", "power_on", device="phone") == "rejected"
        assert network.last("phone", "emm_cause") is EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED
        refused = [event.decision for event in network.of(Decided) if not event.decision.admitted]
        assert [decision.control.id for decision in refused] == ["bind.hss.learned"]
        later = [e for e in network.host.trace.events[before:] if isinstance(e, StateChange) and e.element == "mme"]
        assert [e for e in later if e.observable == "session" and e.value is not None] == []


async def test_equipment_that_the_eir_prohibits_is_refused_before_the_hss_hears_of_it(run: Any) -> None:
    async with run(eir={"prohibited": [PHONE]}, binding=[{"by": "hss", "learn": "first-use"}]) as network:
        await network.do("phone", "insert", card="card", into="phone")
        assert await network.do("phone", "power_on", device="phone") == "rejected"
        assert network.last("phone", "emm_cause") is EmmCause.ILLEGAL_ME
        assert network.last("hss", "registration", IMSI) is None


async def test_a_device_goes_to_sleep_wakes_moves_and_is_handed_over(run: Any) -> None:
    async with run() as network:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        await network.host.clock.sleep(15)
        assert network.last("mme", "session", IMSI)["state"] == "idle"
        assert await network.do("meter", "service_request", device="meter") == "accepted"
        assert await network.do("meter", "handover", device="meter", cell="enb2/1") == "handed-over"
        assert network.last("mme", "session", IMSI)["cell"] == "001-01-0000201"
        await network.host.clock.sleep(15)
        assert await network.do("meter", "goto", device="meter", cell="enb/1") == "camped"
        assert await network.do("meter", "tau", device="meter") == "accepted"
        assert network.last("mme", "session", IMSI)["cell"] == "001-01-0000101"
        await network.host.clock.sleep(15)
        assert await network.do("mme", "page", imsi=IMSI) == "answered"
        assert await network.do("meter", "detach", device="meter") == "accepted"
        assert network.last("mme", "session", IMSI) is None


@pytest.mark.parametrize("x2", [True, False])
async def test_handover_with_and_without_x2(run: Any, x2: bool) -> None:  # noqa: FBT001
    async with run(enb2={"x2": ("enb",) if x2 else ()}) as network:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        assert await network.do("meter", "handover", device="meter", cell="enb2/1") == "handed-over"
        session = network.last("mme", "session", IMSI)
        assert (session["cell"], session["state"]) == ("001-01-0000201", "connected")
        names = {frame.interface for frame in network.of(Frame)}
        assert ("X2" in names) == x2
        assert await network.do("meter", "detach", device="meter") == "accepted"


async def test_a_card_pulled_from_a_registered_meter_is_refused_in_a_phone_that_has_its_guti_and_keys(run: Any) -> None:
    async with run(binding=[{"by": "hss", "learn": "first-use"}]) as network:
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
        assert network.last("phone", "emm_cause") is EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED


async def test_a_suspended_card_is_put_out_and_returns(run: Any) -> None:
    async with run() as network:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        await network.do("hss", "suspend", card="card")
        assert network.last("mme", "session", IMSI) is None
        assert await network.do("meter", "attach", device="meter") != "accepted"
        await network.do("hss", "resume", card="card")
        await network.do("meter", "power_off", device="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"


async def test_while_the_eir_is_down_nobody_is_served_and_no_card_is_lost(run: Any) -> None:
    async with run() as network:
        await network.do("meter", "insert", card="card", into="meter")
        await network.host.stop("eir", kill=True)
        assert await network.do("meter", "power_on", device="meter") == "rejected"
        assert network.last("meter", "emm_cause") is EmmCause.NETWORK_FAILURE
        assert network.last("meter", "usim") == "valid"
        await network.host.start("eir")
        assert await network.do("meter", "attach", device="meter") == "accepted"


async def test_an_emergency_call_is_served_without_a_card_and_from_prohibited_equipment(run: Any) -> None:
    async with run(eir={"prohibited": [PHONE]}) as network:
        assert await network.do("phone", "power_on", device="phone") == "no-card"
        assert await network.do("phone", "emergency_call", device="phone") == "accepted"
        asked = [frame for frame in network.of(Frame) if frame.interface in ("S6a", "S13")]
        assert {found.name for _, found in Dissector().walk(asked) if found} == {
            "capabilities-exchange-request",
            "capabilities-exchange-answer",
        }
        assert network.last("hss", "registration", IMSI) is None


async def test_an_emergency_call_from_a_phone_whose_card_is_refused(run: Any) -> None:
    async with run(binding=[{"by": "hss", "imei": METER}]) as network:
        await network.do("phone", "insert", card="card", into="phone")
        assert await network.do("phone", "power_on", device="phone") == "rejected"
        assert await network.do("phone", "emergency_call", device="phone") == "accepted"
        assert network.last("mme", "session", IMSI)["emergency"]
        assert network.last("hss", "registration", IMSI) is None


async def test_a_device_that_goes_to_another_province_is_served_by_its_mme_alone(run: Any) -> None:
    async with run(
        mme_away={"mme_code": "2"},
        enb2={"mmes": ("mme_away",), "x2": (), "cells": [{"tac": "7"}]},
        hss={"peers": {"mme": {}, "mme_away": {"home_province": False}}},
        eir={"peers": {"mme": {}, "mme_away": {}}},
    ) as network:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        await network.host.clock.sleep(15)
        await network.do("meter", "goto", device="meter", cell="enb2/1")
        await network.host.clock.sleep(60)
        assert network.last("mme", "session", IMSI) is None
        assert network.last("mme_away", "session", IMSI)["tai"] == "001-01-0007"
        assert network.last("hss", "registration", IMSI)["mme"].startswith("mme_away")


@pytest.mark.parametrize("kill", [True, False])
async def test_after_a_restart_of_the_mme_devices_come_back(run: Any, kill: bool) -> None:  # noqa: FBT001
    async with run() as network:
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        await network.host.clock.sleep(15)
        await network.host.stop("mme", kill=kill)
        await network.host.clock.sleep(1)
        assert network.last("mme", "session", IMSI) is None
        await network.host.start("mme")
        await network.host.clock.sleep(30)
        await network.do("meter", "service_request", device="meter")
        await network.host.clock.sleep(30)
        assert network.last("mme", "session", IMSI)["imei"] == METER


async def test_an_emergency_call_from_a_registered_phone(run: Any) -> None:
    async with run() as network:
        await network.do("phone", "insert", card="card", into="phone")
        assert await network.do("phone", "power_on", device="phone") == "accepted"
        await network.host.clock.sleep(15)
        assert await network.do("phone", "emergency_call", device="phone") == "accepted"


async def test_every_message_of_a_life_is_read_by_another_implementation(run: Any) -> None:
    """NAS and S1AP of attach, service, handover, update, detach and refusal, by pycrate."""
    pytest.importorskip("pycrate_mobile")
    from pycrate_asn1dir import S1AP
    from pycrate_mobile.NAS import parse_NAS_MO, parse_NAS_MT

    async with run(binding=[{"by": "hss", "learn": "first-use"}]) as network:
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
