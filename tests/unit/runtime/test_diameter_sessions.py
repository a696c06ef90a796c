"""Gx and Gy side by side on one connection: their CCRs have one command code, and each finds its own handler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode, Peer, Unreachable
from simwarden.runtime.diameter.session import Ask, Closed, CreditClient, CreditSettings, Ended, Event, Granted
from simwarden.testing import Bench
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Frame
from simwarden.wire.diameter import Avps, Message, ResultCode, decode

if TYPE_CHECKING:
    from simwarden.runtime.diameter.node import Handler
    from simwarden.runtime.loop import TestbedLoop

REALM = "example"
RULE: Avps = [("Charging-Rule-Name", b"all"), ("Rating-Group", 10), ("Precedence", 1)]
UNITS = ("Granted-Service-Unit", [("CC-Total-Octets", 1000)])


class Nothing(ElementConfig):
    """No settings."""


class Charging(Element[Nothing]):
    """PCRF and OCS in one node."""

    declaration = Declaration(kind="charging", title="Charging", lane=2, config=Nothing)

    async def start(self) -> None:
        self.heard: list[tuple[str, int, int]] = []
        self.silent = self.deaf = False
        handlers: dict[str, dict[str, Handler]] = {
            "Gx": {"credit-control-request": self.policy},
            "Gy": {"credit-control-request": self.credit},
        }
        self.node = DiameterNode(self.site, LocalNode(f"charging.{REALM}", REALM), handlers)
        await self.node.listen()

    async def stop(self) -> None:
        await self.node.stop()

    async def killed(self) -> None:
        self.node.drop()

    async def policy(self, message: Message, _peer: Peer) -> Message:
        self.heard.append(("Gx", message.get("CC-Request-Type"), message.get("CC-Request-Number")))
        more: Avps = [("Charging-Rule-Install", [("Charging-Rule-Definition", RULE)])]
        return self.node.answer(message, 2001, more if message.get("CC-Request-Type") == 1 else ())

    async def credit(self, message: Message, _peer: Peer) -> Message | None:
        if self.deaf:
            return None
        self.heard.append(("Gy", message.get("CC-Request-Type"), message.get("CC-Request-Number")))
        if self.silent:
            await self.site.clock.sleep(100)
        group: Avps = [UNITS, ("Rating-Group", 10), ("Validity-Time", 600)]
        more: Avps = [("Multiple-Services-Credit-Control", group)]
        return self.node.answer(message, 2001, more if message.get("CC-Request-Type") != 3 else ())

    async def tell(self, name: str, session: str, point: str, *avps: tuple[str, Any]) -> Message:
        message = self.node.make(name, avps, realm=REALM, host=f"pgw.{REALM}", point=point, session=session)
        return await self.node.ask(f"pgw.{REALM}", message)


class Gateway(Element[Nothing]):
    """A PGW's Gx and Gy."""

    declaration = Declaration(kind="gateway", title="Gateway", lane=1, config=Nothing, starts_after=("charging",))

    async def start(self) -> None:
        self.events: list[Event] = []
        self.told: list[Avps] = []
        self.node = DiameterNode(self.site, LocalNode(f"pgw.{REALM}", REALM), {"Gx": {}, "Gy": {}})
        self.gx = CreditClient(self.node, "Gx", "charging", REALM, re_auth=self.rules)
        self.gy = CreditClient(self.node, "Gy", "charging", REALM, settings=CreditSettings(tx=4))
        self.up = [await self.node.connect(point, "charging") for point in ("Gx", "Gy")]

    async def stop(self) -> None:
        await self.node.stop()

    async def killed(self) -> None:
        self.node.drop()

    async def rules(self, _session: object, message: Message) -> Message:
        self.told.append(message.avps)
        report = ("Charging-Rule-Report", [("Charging-Rule-Name", b"all"), ("PCC-Rule-Status", 0)])
        return self.node.answer(message, 2001, [report])

    def fill_gx(self, ask: Ask) -> Avps:
        return [("Subscription-Id", [("Subscription-Id-Type", 1), ("Subscription-Id-Data", "001010000000017")])] * (
            ask.number == 0
        )

    def fill_gy(self, ask: Ask) -> Avps:
        used: Avps = [("Used-Service-Unit", [("CC-Total-Octets", 7)])] if ask.number else []
        group: Avps = [("Requested-Service-Unit", []), *used, ("Rating-Group", 10)]
        return [("Service-Context-Id", "32251@3gpp.org"), ("Multiple-Services-Credit-Control", group)]


class Net(Bench):
    """Both, on one transport."""

    def __init__(self, loop: TestbedLoop, transport: str) -> None:
        super().__init__(loop, transport=transport)
        self.server: Any = self.add("charging", Charging)
        self.pgw: Any = self.add("pgw", Gateway)

    def judge(self) -> None:
        super().judge()
        assert self.peer_faults() == []

    def frames(self) -> list[Frame]:
        return self.of(Frame)


@pytest.fixture(params=["memory", "tcp"])
def net(loop: TestbedLoop, request: pytest.FixtureRequest) -> Net:
    return Net(loop, request.param)


async def test_one_connection_carries_both_and_each_request_finds_its_own_handler(net: Net) -> None:
    async with net:
        assert net.pgw.up == [True, True]
        gx = net.pgw.gx.open(net.pgw.fill_gx, net.pgw.events.append)
        gy = net.pgw.gy.open(net.pgw.fill_gy, net.pgw.events.append)
        policy, credit = await gx.begin(), await gy.begin()
        assert isinstance(policy, Granted)
        assert policy.answer.find("Charging-Rule-Install", "Charging-Rule-Definition") == RULE
        assert isinstance(credit, Granted)
        assert credit.answer.find("Multiple-Services-Credit-Control", "Granted-Service-Unit") == UNITS[1]
        gy.update("QUOTA_EXHAUSTED")
        await net.host.clock.settle()
        await gy.end()
        await gx.end()
        assert net.pgw.gx.sessions == net.pgw.gy.sessions == {}
    frames = net.frames()
    assert net.server.heard == [("Gx", 1, 0), ("Gy", 1, 0), ("Gy", 2, 1), ("Gy", 3, 2), ("Gx", 3, 1)]
    assert [type(each) for each in net.pgw.events] == [Granted, Closed, Closed]
    assert len({frame.link for frame in frames}) == 1
    assert [frame.interface for frame in frames if dissect(frame).name == "credit-control-request"] == [
        "Gx", "Gy", "Gy", "Gy", "Gx",
    ]  # fmt: skip


async def test_a_session_that_its_server_may_still_have_is_ended_there_when_it_answers_again(net: Net) -> None:
    async with net:
        gy = net.pgw.gy.open(net.pgw.fill_gy, net.pgw.events.append)
        await gy.begin()
        net.server.deaf = True
        gy.update("QUOTA_EXHAUSTED")
        await net.host.clock.sleep(20)
        net.server.deaf = False
        await net.host.clock.sleep(120)
        told = len(net.server.heard)
        await net.host.clock.sleep(5000)
        assert len(net.server.heard) == told
    assert isinstance(net.pgw.events[0], Ended)
    assert net.server.heard == [("Gy", 1, 0), ("Gy", 2, 1), ("Gy", 3, 2)], "the update tells what was used"


async def test_a_session_that_was_never_asked_for_is_ended_nowhere(net: Net) -> None:
    async with net:
        await net.host.stop("charging")
        gy = net.pgw.gy.open(net.pgw.fill_gy, net.pgw.events.append)
        assert isinstance(await gy.begin(), Ended)
        await net.host.start("charging")
        await net.host.clock.sleep(5000)
        assert net.server.heard == []


async def test_capabilities_name_the_ietfs_application_plain_and_the_vendors_in_a_group(net: Net) -> None:
    async with net:
        assert net.pgw.up == [True, True]
    cer, cea = (decode(frame.data) for frame in net.frames()[:2])
    for message in (cer, cea):
        assert message.all("Auth-Application-Id") == [4]
        group = [("Vendor-Id", 10415), ("Auth-Application-Id", 16777238)]
        assert message.all("Vendor-Specific-Application-Id") == [group]
        assert message.all("Supported-Vendor-Id") == [10415]


async def test_heads_of_messages_are_those_of_their_grammars(net: Net) -> None:
    async with net:
        await net.pgw.gx.open(net.pgw.fill_gx, net.pgw.events.append).begin()
        await net.pgw.gy.open(net.pgw.fill_gy, net.pgw.events.append).begin()
    decoded = [decode(frame.data) for frame in net.frames()]
    gx, gx_answer, gy, gy_answer = [each for each in decoded if each.command == 272]
    assert [name for name, _ in gx.avps[:7]] == [
        "Session-Id", "Auth-Application-Id", "Origin-Host", "Origin-Realm", "Destination-Realm", "CC-Request-Type",
        "CC-Request-Number",
    ]  # fmt: skip
    assert [name for name, _ in gy.avps[:8]] == [
        "Session-Id", "Origin-Host", "Origin-Realm", "Destination-Realm", "Auth-Application-Id", "CC-Request-Type",
        "CC-Request-Number", "Service-Context-Id",
    ]  # fmt: skip
    for answer, application in ((gx_answer, 16777238), (gy_answer, 4)):
        assert [name for name, _ in answer.avps[:7]] == [
            "Session-Id", "Result-Code", "Origin-Host", "Origin-Realm", "Auth-Application-Id", "CC-Request-Type",
            "CC-Request-Number",
        ]  # fmt: skip
        assert (answer.application, answer.get("Auth-Application-Id")) == (application, application)


async def test_rars_find_their_sessions_and_their_applications(net: Net) -> None:
    async with net:
        gx = net.pgw.gx.open(net.pgw.fill_gx, net.pgw.events.append)
        gy = net.pgw.gy.open(net.pgw.fill_gy, net.pgw.events.append)
        await gx.begin()
        await gy.begin()
        asked = ("Re-Auth-Request-Type", 0)
        removed = ("Charging-Rule-Remove", [("Charging-Rule-Name", b"all")])
        answer = await net.server.tell("Re-Auth-Request", gx.id, "Gx", asked, removed)
        assert (answer.result_code, answer.find("Charging-Rule-Report", "PCC-Rule-Status")) == (2001, 0)
        assert removed in net.pgw.told[0]
        answer = await net.server.tell("Re-Auth-Request", gy.id, "Gy", asked)
        assert answer.result_code == ResultCode.DIAMETER_LIMITED_SUCCESS
        await net.host.clock.settle()
        assert net.server.heard[-1] == ("Gy", 2, 1)
        crossed = await net.server.tell("Re-Auth-Request", gy.id, "Gx", asked)
        assert crossed.result_code == 5002, "a session of Gy is none of Gx"


async def test_an_asr_ends_the_service_and_a_ccr_t_follows(net: Net) -> None:
    async with net:
        gy = net.pgw.gy.open(net.pgw.fill_gy, net.pgw.events.append)
        await gy.begin()
        answer = await net.server.tell("Abort-Session-Request", gy.id, "Gy")
        assert answer.result_code == 2001
        await net.host.clock.settle()
        assert [type(each) for each in net.pgw.events] == [Ended, Closed]
        assert net.server.heard[-1] == ("Gy", 3, 1)
        assert (await net.server.tell("Abort-Session-Request", gy.id, "Gy")).result_code == 5002


async def test_validity_that_is_over_asks_again(net: Net) -> None:
    async with net:
        gy = net.pgw.gy.open(net.pgw.fill_gy, net.pgw.events.append)
        await gy.begin()
        await net.host.clock.sleep(1201)
        assert net.server.heard == [("Gy", 1, 0), ("Gy", 2, 1), ("Gy", 2, 2)]
        await gy.end()


async def test_a_node_that_lost_power_asks_for_nothing_more_and_its_sessions_tell_nothing(net: Net) -> None:
    async with net:
        gy = net.pgw.gy.open(net.pgw.fill_gy, net.pgw.events.append)
        await gy.begin()
        net.pgw.node.drop()
        gy.update("QUOTA_EXHAUSTED")
        await net.host.clock.sleep(700)
        assert net.pgw.events == []
        assert net.server.heard == [("Gy", 1, 0)]


async def test_a_silent_server_ends_the_service_after_tx_and_its_late_grant_counts_for_nothing(net: Net) -> None:
    await net.start()
    net.server.silent = True
    gy = net.pgw.gy.open(net.pgw.fill_gy, net.pgw.events.append)
    begun = net.clock.now()
    outcome = await gy.begin()
    assert isinstance(outcome, Ended)
    assert net.clock.now() - begun == pytest.approx(4)
    assert net.pgw.gy.sessions == {}
    await net.host.close()  # what came late is a peer's fault here


async def test_what_the_peer_does_not_speak_is_said(net: Net) -> None:
    async with net:
        message = net.server.node.make("Credit-Control-Request", [], realm=REALM, point="Gx")
        message.application = 16777251
        with pytest.raises(Unreachable, match="does not speak"):
            await net.server.node.ask(f"pgw.{REALM}", message)
