"""HSS and EIR behind a relay: by the realm until the home server is known, and whose word an error is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode
from simwarden.runtime.diameter.relay import Relay
from simwarden.testing import ScriptedHss
from simwarden.testing.diameter import REALM
from simwarden.trace.events import Frame
from simwarden.wire.diameter import decode

from .conftest import Network

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


class Dra(Element[ElementConfig]):
    """An agent before both."""

    declaration = Declaration(kind="dra", title="DRA", lane=55, config=ElementConfig)

    async def start(self) -> None:
        self.carries = {"S6a": "hss", "S13": "eir"}
        relay = Relay(self.carries)
        local = LocalNode(f"dra.{REALM}", REALM)
        self.node = relay.node = DiameterNode(self.site, local, {"S6a": {}, "S13": {}}, relay=relay.handle, timeout=3)
        await self.node.listen()
        for point, target in self.carries.items():
            await self.node.connect(point, target)

    async def stop(self) -> None:
        await self.node.stop()

    async def killed(self) -> None:
        self.node.drop()


class Behind(Network):
    """An MME that knows an agent only."""

    def __init__(self, loop: TestbedLoop) -> None:
        super().__init__(loop, hss="dra", equipment={"eir": "dra"})
        self.hss2 = self.add("hss2", ScriptedHss)
        self.dra = self.add("dra", Dra)

    async def start(self) -> None:
        for name in ("hss2", "hss", "eir", "dra", "pgw", "sgw"):
            await self.host.start(name)
        await super().start()


@pytest.fixture(name="net")
def _net(loop: TestbedLoop) -> Behind:
    return Behind(loop)


async def test_the_home_server_is_asked_by_its_name_once_it_is_known(net: Behind) -> None:
    async with net:
        await net.attached()
        asked = [(message.name, message.get("Destination-Host")) for message in net.hss.asked]
        assert asked == [
            ("authentication-information-request", None),
            ("update-location-request", f"hss.{REALM}"),
        ]
        assert [message.get("Destination-Host") for message in net.eir.asked] == [None]


async def test_a_home_server_that_the_agent_has_lost_is_asked_for_by_the_realm_again(net: Behind) -> None:
    async with net:
        await net.attached()
        net.dra.carries["S6a"] = "hss2"
        await net.dra.node.connect("S6a", "hss2")
        await net.host.stop("hss")
        await net.settle()
        await net.attached()
        assert [message.get("Destination-Host") for message in net.hss2.asked] == [None, f"hss2.{REALM}"]


async def test_an_agents_own_error_is_no_word_of_the_hss(net: Behind) -> None:
    async with net:
        await net.host.stop("hss", kill=True)
        phone = net.phone()
        phone.attach()
        await net.sleep(10)
        reject = net.reject()
        assert reject["emm_cause"].name == "NETWORK_FAILURE"
        (refused,) = [each.reason for each in net.decisions("mme.hss") if not each.admitted]
        assert f"dra.{REALM}, which relays to the HSS, answered Result-Code 3002" in refused
        await net.host.start("hss")
        await net.dra.node.connect("S6a", "hss")
        await net.attached(enb_id=40)
        frames = [decode(each.data) for each in net.of(Frame) if (each.source, each.target) == ("mme", "dra")]
        asked = [each.get("Destination-Host") for each in frames if each.name == "authentication-information-request"]
        assert asked == [None, None], "once at each attach, and never by the name of the agent"


async def test_an_agent_that_does_not_answer_is_asked_for_the_home_server_no_more_than_once(net: Behind) -> None:
    async with net:
        await net.attached()
        asked = len(net.hss.asked)
        net.hss.silent, net.mme.core.home.node.timeout = True, 1
        net.phone(enb_id=40).attach()
        await net.sleep(20)
        assert net.reject()["emm_cause"].name == "NETWORK_FAILURE"
        assert net.reject()["reason"] == "dra did not answer authentication-information-request in time"
        assert len(net.hss.asked) == asked + 1
