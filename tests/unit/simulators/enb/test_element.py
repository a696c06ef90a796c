"""The eNB as an element: set up with an MME over links, reconnecting, stopped, killed and started again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from simulators.enb.config import EnbConfig
from simulators.enb.element import Enb
from simwarden.model.identity import Plmn
from simwarden.operations.element import Element
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Fault, Frame, StateChange
from simwarden.trace.trace import Trace
from simwarden.wire import s1ap, uu
from simwarden.wire.s1ap.values import ServedGummei

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.runtime.link import Link

PLMN = Plmn("001", "01")


class NoConfig(ElementConfig):
    """Nothing to set."""


class ScriptedMme(Element[NoConfig]):
    """Answers S1 Setup, and the first NAS message of a device with another."""

    declaration = Declaration(kind="mme", title="MME", lane=40, config=NoConfig, listens=("S1-MME",))

    async def start(self) -> None:
        self.links: list[Link] = []
        self.heard: list[s1ap.Message] = []
        await self.site.listen("S1-MME", self.accept)

    async def stop(self) -> None:
        for link in self.links:
            link.close("MME stopped")

    def accept(self, link: Link) -> None:
        self.links.append(link)
        link.on_receive = lambda data, _stream: self.answer(link, s1ap.decode(data))

    def answer(self, link: Link, message: s1ap.Message) -> None:
        self.heard.append(message)
        if message.name == "s1-setup-request":
            served = (ServedGummei((PLMN,), (4,), (1,)),)
            ies = {"served_gummeis": served, "relative_mme_capacity": 255}
            link.send(s1ap.encode(s1ap.Message("s1-setup-response", ies)))
        elif message.name == "initial-ue-message":
            ies = {"mme_ue_s1ap_id": 1, "enb_ue_s1ap_id": message["enb_ue_s1ap_id"], "nas_pdu": b"\x07\x55\x01"}
            link.send(s1ap.encode(s1ap.Message("downlink-nas-transport", ies)))


class Phone(Element[NoConfig]):
    """A device of which only the radio is there."""

    declaration = Declaration(kind="device", title="Device", lane=10, config=NoConfig, calls=("Uu",))

    async def start(self) -> None:
        self.heard: list[uu.Message] = []
        self.link = await self.site.connect("Uu", "enb")
        self.link.on_receive = lambda data, _stream: self.heard.append(uu.decode(data))

    async def stop(self) -> None:
        self.link.close("switched off")

    def send(self, message: uu.Message) -> None:
        self.link.send(uu.encode(message))


@pytest.fixture
def loop() -> Iterator[TestbedLoop]:
    loop = TestbedLoop(virtual=True)
    yield loop
    loop.close()


def make(loop: TestbedLoop, transport: str = "memory", **settings: Any) -> Host:
    clock = Clock(loop)
    host = Host(loop, clock, Trace(clock.now), HostSettings(transport=transport))
    host.add("mme", ScriptedMme, NoConfig())
    host.add("enb", Enb, EnbConfig.model_validate(settings))
    return host


def s1_states(host: Host) -> list[str]:
    return [e.value["state"] for e in host.trace.events if isinstance(e, StateChange) and e.observable == "s1"]


def no_faults(host: Host) -> bool:
    return not any(isinstance(event, Fault) for event in host.trace.events)


@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_a_device_speaks_with_the_mme(loop: TestbedLoop, transport: str) -> None:
    async def story() -> None:
        host = make(loop, transport)
        phone: Any = host.add("phone", Phone, NoConfig())
        await host.start_all()
        phone.send(uu.CellSearch())
        phone.send(uu.RrcConnectionRequest(0x101, uu.RandomValue(1), uu.EstablishmentCause.MO_SIGNALLING))
        await host.clock.settle()
        phone.send(uu.RrcConnectionSetupComplete(PLMN, b"\x07\x41"))
        await host.clock.settle()
        assert [type(message) for message in phone.heard] == [
            uu.SystemInformation,
            uu.RrcConnectionSetup,
            uu.DlInformationTransfer,
        ]
        await host.stop("phone")
        await host.clock.settle()
        mme: Any = host.elements["mme"]
        assert mme.heard[-1].name == "ue-context-release-request"
        await host.close()
        assert no_faults(host)

    loop.run_until_complete(story())


def test_s1_comes_back_with_the_mme(loop: TestbedLoop) -> None:
    async def story() -> None:
        host = make(loop)
        await host.start_all()
        assert s1_states(host) == ["setting-up", "up"]
        await host.stop("mme")
        await host.clock.sleep(3600)
        assert s1_states(host)[2:] == ["down"]
        await host.start("mme")
        await host.clock.sleep(601)
        assert s1_states(host)[3:] == ["setting-up", "up"]
        assert host.clock.now() < 3600 + 700
        await host.close()
        assert no_faults(host)

    loop.run_until_complete(story())


def test_without_an_mme_it_starts_and_refuses(loop: TestbedLoop) -> None:
    async def story() -> None:
        host = make(loop, mmes=["elsewhere"])
        phone: Any = host.add("phone", Phone, NoConfig())
        await host.start_all()
        assert host.clock.now() < 1
        phone.send(uu.RrcConnectionRequest(0x101, uu.RandomValue(1), uu.EstablishmentCause.MO_DATA))
        await host.clock.settle()
        assert isinstance(phone.heard[-1], uu.RrcConnectionReject)
        await host.close()
        assert no_faults(host)

    loop.run_until_complete(story())


@pytest.mark.parametrize("kill", [False, True])
def test_stopped_and_started_again(loop: TestbedLoop, *, kill: bool) -> None:
    async def story() -> None:
        host = make(loop)
        await host.start_all()
        await host.stop("enb", kill=kill)
        await host.clock.settle()
        await host.start("enb")
        assert s1_states(host)[-2:] == ["setting-up", "up"]
        await host.close()
        assert no_faults(host)

    loop.run_until_complete(story())


def test_x2_between_two(loop: TestbedLoop) -> None:
    async def story() -> None:
        host = make(loop, x2=["enb2"])
        second: Any = host.add("enb2", Enb, EnbConfig.model_validate({"x2": ["enb"], "cells": [{"tac": 2}]}))
        await host.start_all()
        await host.clock.settle()
        first: Any = host.elements["enb"]
        assert [n.enb_id for n in first.station.neighbours] == [2]
        assert [n.enb_id for n in second.station.neighbours] == [1]
        await host.stop("enb2")
        await host.clock.settle()
        assert first.station.neighbours == []
        await host.close()
        assert no_faults(host)
        frames = [e for e in host.trace.events if isinstance(e, Frame) and e.interface == "X2"]
        assert len(frames) == 2

    loop.run_until_complete(story())


@pytest.mark.parametrize("restarted", ["enb", "enb2"])
def test_x2_comes_back(loop: TestbedLoop, restarted: str) -> None:
    async def story() -> None:
        host = make(loop)
        second: Any = host.add("enb2", Enb, EnbConfig.model_validate({"x2": ["enb"]}))
        await host.start_all()
        first: Any = host.elements["enb"]
        await host.stop(restarted)
        await host.clock.sleep(7)
        await host.start(restarted)
        await host.clock.sleep(60)
        assert [n.enb_id for n in first.station.neighbours] == [2]
        assert [n.enb_id for n in second.station.neighbours] == [1]
        await host.close()
        assert no_faults(host)

    loop.run_until_complete(story())


def test_long_quiet_costs_nothing(loop: TestbedLoop) -> None:
    async def story() -> int:
        host = make(loop, x2=["enb2"])
        host.add("enb2", Enb, EnbConfig.model_validate({"x2": ["enb"]}))
        await host.start_all()
        await host.clock.settle()
        before = len(host.trace.events)
        await host.clock.sleep(90 * 86400)
        said = len(host.trace.events) - before
        await host.close()
        return said

    assert loop.run_until_complete(story()) == 0


def test_profile_shows_the_defaults() -> None:
    profile = Path(__file__).parents[4] / "simulators" / "enb" / "profile.yaml"
    assert EnbConfig.model_validate(yaml.safe_load(profile.read_text(encoding="utf-8"))) == EnbConfig()
