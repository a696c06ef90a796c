"""One connection to each peer, whatever it is called; agents between two nodes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from sctp_lab import has_sctp

from simwarden.operations.element import Element
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode, Peer, Unreachable
from simwarden.runtime.diameter.relay import Relay
from simwarden.runtime.host import Host, HostSettings, Placement
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Fault, Frame, Note, PeerFault
from simwarden.trace.trace import Trace
from simwarden.wire.diameter import Message, RawAvp, ResultCode, answer_to, decode, encode
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simwarden.runtime.link import Link

REALM = "example"
IMSI = "001010000000017"
AIR = "Authentication-Information-Request"
ECR = "ME-Identity-Check-Request"
CLR = "Cancel-Location-Request"
CAPABILITIES = 257


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Settings(ElementConfig):
    """Who a node is, what it serves and whom it calls."""

    host: str = ""
    serves: tuple[str, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()
    routes: dict[str, str] = {}  # noqa: RUF012 - a pydantic field
    realm: str = REALM


class Node(Element[Settings]):
    """A node that answers all with success and keeps what it heard; or an agent, if it has routes."""

    declaration = Declaration(kind="node", title="Node", lane=1, config=Settings)

    async def start(self) -> None:
        self.heard: list[Message] = []
        self.up: list[bool] = []
        config = self.config
        points: dict[str, Any] = {point: {} for _, point in config.calls} | {point: {} for point in config.serves}
        if "S6a" in points and not config.routes:
            points["S6a"] = dict.fromkeys(("authentication-information-request", "cancel-location-request"), self.hear)
        if "S13" in config.serves and not config.routes:
            points["S13"] = {"me-identity-check-request": self.hear}
        local = LocalNode(config.host or f"{self.site.name}.{REALM}", config.realm)
        relay = Relay(config.routes) if config.routes else None
        self.node = DiameterNode(self.site, local, points, relay=relay.handle if relay else None)
        if relay is not None:
            relay.node = self.node
        await self.node.listen(*config.serves)
        for target, point in config.calls:
            self.up.append(await self.node.connect(point, target))

    async def stop(self) -> None:
        await self.node.stop()

    async def killed(self) -> None:
        self.node.drop()

    async def hear(self, message: Message, _peer: Peer) -> Message:
        self.heard.append(message)
        return self.node.answer(message, ResultCode.DIAMETER_SUCCESS)

    async def ask(self, name: str, to: str, *more: tuple[str, Any], host: str = "", realm: str = REALM) -> Message:
        avps: list[tuple[str, Any]] = [("User-Name", IMSI)]
        if name == AIR:
            avps.append(("Visited-PLMN-Id", b"\x00\xf1\x10"))
        if name == CLR:
            avps.append(("Cancellation-Type", 2))
        if name == ECR:
            avps.append(("Terminal-Information", [("IMEI", "99000101000001")]))
        return await self.node.ask(to, self.node.make(name, [*avps, *more], realm=realm, host=host))


class Net:
    """Elements in the order in which they start."""

    def __init__(self, transport: str = "memory", **nodes: Settings) -> None:
        self.loop = TestbedLoop(virtual=True)
        clock = Clock(self.loop)
        self.host = Host(self.loop, clock, Trace(clock.now), HostSettings(transport=transport))
        self.of: dict[str, Any] = {name: self.host.add(name, Node, config) for name, config in nodes.items()}

    def play(self, story: Callable[..., Awaitable[None]]) -> list[Frame]:
        async def run() -> None:
            for name in self.host.elements:
                await self.host.start(name)
            await story(**self.of)
            await self.host.close()

        self.loop.run_until_complete(run())
        self.loop.close()
        assert not [each for each in self.host.trace.events if isinstance(each, Fault)]
        return [each for each in self.host.trace.events if isinstance(each, Frame)]


MME = Settings(calls=(("home", "S6a"), ("home", "S13")))
HOME = Settings(serves=("S6a", "S13"))


@pytest.fixture(params=["memory", "tcp"])
def transport(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_hss_and_eir_of_one_node_are_asked_on_one_connection(transport: str) -> None:
    async def story(mme: Node, home: Node) -> None:
        assert mme.up == [True, True]
        assert (await mme.ask(AIR, "home")).success
        assert (await mme.ask(ECR, "home")).success
        assert (await home.ask(CLR, "mme.example", host="mme.example")).success

    frames = Net(transport, home=HOME, mme=MME).play(story)
    assert len({frame.link for frame in frames}) == 1
    told = [(dissect(frame).name, frame.interface) for frame in frames if frame.source == "mme"]
    assert told == [
        ("capabilities-exchange-request", "S6a"),
        ("authentication-information-request", "S6a"),
        ("me-identity-check-request", "S13"),
        ("cancel-location-answer", "S6a"),
        ("disconnect-peer-request", "S6a"),
    ]


def test_a_node_at_one_address_outside_is_one_peer_whatever_it_is_called() -> None:
    """Both names of the network file have one address; what comes in one segment is told apart by its application."""

    async def run() -> list[Frame]:
        clock = Clock(loop)
        there = Host(loop, clock, Trace(clock.now), HostSettings(transport="tcp"))
        home: Any = there.add("home", Node, HOME)
        await there.start("home")
        address = there.transport.address_of("home", "S6a")  # of TcpTransport
        external = {name: {"": address} for name in ("hss", "eir")}
        here = Host(loop, clock, Trace(clock.now), HostSettings(transport="tcp", external=external))
        mme: Any = here.add("mme", Node, Settings(calls=(("hss", "S6a"), ("eir", "S13"))))
        await here.start("mme")
        assert mme.up == [True, True]
        assert (await mme.ask(AIR, "hss")).success
        assert (await mme.ask(ECR, "eir")).success
        assert [message.name for message in home.heard] == [AIR.lower(), ECR.lower()]
        await here.close()
        await there.close()
        return [each for each in here.trace.events if isinstance(each, Frame)]

    loop = TestbedLoop(virtual=False)
    frames = loop.run_until_complete(run())
    loop.close()
    assert len({frame.link for frame in frames}) == 1
    answers = {dissect(frame).name: frame.interface for frame in frames if frame.target == "mme"}
    assert answers["authentication-information-answer"] == "S6a"
    assert answers["me-identity-check-answer"] == "S13"


class Twice(Element[Settings]):
    """What answers at another place for a node that is connected: refuses a second connection, as RFC 6733 wants."""

    declaration = Declaration(kind="twice", title="Twice", lane=1, config=Settings)

    async def start(self) -> None:
        self.asked = 0
        await self.site.listen("S13", self._accept)

    async def stop(self) -> None:
        """Nothing is open."""

    def _accept(self, link: Link) -> None:
        def refuse(data: bytes, _stream: int) -> None:
            self.asked += 1
            link.send(encode(answer_to(decode(data), 5012, (f"home.{REALM}", REALM), reason="connected already")))

        link.on_receive = refuse


def test_a_second_connection_that_is_refused_is_the_peer_that_is_connected() -> None:
    net = Net(home=HOME)
    twice: Any = net.host.add("twice", Twice, Settings())
    calls = (("home", "S6a"), ("twice", "S13"))
    net.of["mme"] = net.host.add("mme", Node, Settings(calls=calls))

    async def story(mme: Node, home: Node) -> None:
        assert mme.up == [True, True]
        assert (await mme.ask(ECR, "twice")).success
        assert home.heard[-1].name == ECR.lower()
        await net.host.clock.sleep(600)
        assert twice.asked == 1, "nobody knocks for ever"
        await net.host.stop("home")
        await net.host.clock.settle()
        with pytest.raises(Unreachable):
            await mme.ask(ECR, "twice")
        await net.host.start("home")
        assert (await mme.ask(ECR, "twice")).success, "found again with the other"

    net.play(story)
    assert "twice is home.example, which is connected from home" in [
        each.text for each in net.host.trace.events if isinstance(each, Note)
    ]


def test_two_names_that_say_one_identity_are_one_peer() -> None:
    async def story(mme: Node, home: Node, other: Node) -> None:
        assert mme.up == [True, True]
        assert (await mme.ask(ECR, "other")).success
        assert (len(home.heard), len(other.heard)) == (1, 0)

    other = Settings(host=f"home.{REALM}", serves=("S13",))
    calls = (("home", "S6a"), ("other", "S13"))
    Net(home=HOME, other=other, mme=Settings(calls=calls)).play(story)


def test_what_a_connected_node_does_not_speak_is_not_up() -> None:
    async def story(mme: Node, home: Node) -> None:
        del home
        assert mme.up == [True, False]
        with pytest.raises(Unreachable, match="does not speak"):
            await mme.ask(ECR, "home")
        assert (await mme.ask(AIR, "home")).success

    Net(home=Settings(serves=("S6a",)), mme=MME).play(story)


def test_of_two_nodes_that_call_each_other_at_once_one_connection_stays(transport: str) -> None:
    net = Net(transport, a=Settings(serves=("S6a",)), b=Settings(serves=("S6a",)))

    async def story(a: Node, b: Node) -> None:
        a.site.spawn(dial(a, "b"))
        b.site.spawn(dial(b, "a"))
        await net.host.clock.sleep(10)
        assert (await a.ask(AIR, "b")).success
        assert (await b.ask(AIR, "a")).success
        assert (len(a.node.peers), len(b.node.peers)) == (1, 1)

    async def dial(node: Node, to: str) -> None:
        await node.node.connect("S6a", to)

    frames = net.play(story)
    airs = [frame for frame in frames if dissect(frame).name == AIR.lower()]
    assert len({frame.link for frame in airs}) == 1
    assert (airs[0].source, airs[0].from_client) == ("a", True), "the greater identity gave up its own"


# -- agents

DRA = Settings(serves=("S6a", "S13"), routes={"S6a": "hss", "S13": "eir"}, calls=(("hss", "S6a"), ("eir", "S13")))
AROUND = Settings(calls=(("dra", "S6a"), ("dra", "S13")))


def around(transport: str = "memory", **more: Settings) -> Net:
    nodes = {"hss": Settings(serves=("S6a",)), "eir": Settings(serves=("S13",)), "dra": DRA, "mme": AROUND}
    return Net(transport, **(nodes | more))


def test_hss_and_eir_behind_an_agent_are_asked_by_the_realm(transport: str) -> None:
    async def story(mme: Node, hss: Node, eir: Node, dra: Node) -> None:
        del dra
        assert mme.up == [True, True]
        answer = await mme.ask(AIR, "dra")
        assert (answer.result_code, answer.get("Origin-Host")) == (2001, "hss.example")
        assert hss.heard[0].all("Route-Record") == ["mme.example"]
        assert hss.heard[0].get("Destination-Host") is None
        assert (await mme.ask(ECR, "dra")).get("Origin-Host") == "eir.example"
        assert eir.heard[0].all("Route-Record") == ["mme.example"]
        assert (await mme.ask(AIR, "dra", host="hss.example")).success
        told = await hss.ask(CLR, "dra", host="mme.example")
        assert (told.success, told.get("Origin-Host")) == (True, "mme.example")
        assert mme.heard[0].all("Route-Record") == ["hss.example"]

    frames = around(transport).play(story)
    by_mme = {frame.link for frame in frames if "mme" in (frame.source, frame.target)}
    assert len(by_mme) == 1
    cea = next(decode(frame.data) for frame in frames if (frame.source, frame.target) == ("dra", "mme"))
    assert cea.all("Auth-Application-Id") == [0xFFFFFFFF]


def test_an_agent_changes_no_octet_but_adds_its_record() -> None:
    odd = RawAvp(9999, 10415, 0xC0, b"odd")
    flagged = RawAvp(1, 0, 0x60, IMSI.encode())  # User-Name with the P flag

    async def story(mme: Node, hss: Node, **_: Node) -> None:
        answer = await mme.ask(AIR, "dra", (odd.name, odd), ("User-Name", flagged))
        assert answer.result_code == 5001, "it is the HSS that does not know the AVP"
        assert answer.get("Origin-Host") == "hss.example"
        assert hss.heard == []

    frames = around().play(story)
    sent, passed_on = [frame.data for frame in frames if dissect(frame).name == AIR.lower()]
    assert passed_on[20:].startswith(sent[20:])
    assert decode(passed_on).avps[-1] == ("Route-Record", "mme.example")
    answered, passed_back = [
        frame.data for frame in frames if decode(frame.data).command == 318 and not frame.data[4] & 0x80
    ]
    assert passed_back[20:] == answered[20:]
    assert (sent[12:16] == passed_back[12:16], sent[16:20] == passed_on[16:20]) == (True, True)


def test_what_an_agent_cannot_deliver_it_answers_itself() -> None:
    async def story(mme: Node, **_: Node) -> None:
        await net.host.stop("hss", kill=True)
        lost = await mme.ask(AIR, "dra")
        assert (lost.result_code, lost.error, lost.get("Origin-Host")) == (3002, True, "dra.example")
        away = await mme.ask(ECR, "dra", host="eir9.example")
        assert (away.result_code, away.get("Origin-Host")) == (3002, "dra.example")
        foreign = await mme.ask(ECR, "dra", realm="elsewhere.example")
        assert (foreign.result_code, foreign.get("Origin-Host")) == (3003, "dra.example")
        await net.host.start("hss")
        assert (await mme.ask(AIR, "dra")).success

    net = around()
    net.play(story)
    assert not [each for each in net.host.trace.events if isinstance(each, PeerFault)]


def test_an_application_without_a_route_is_not_relayed() -> None:
    async def story(mme: Node, **_: Node) -> None:
        answer = await mme.ask(ECR, "dra")
        assert (answer.result_code, answer.error) == (3007, True)

    around(dra=Settings(serves=("S6a", "S13"), routes={"S6a": "hss"}, calls=(("hss", "S6a"),))).play(story)


def test_a_request_that_comes_round_again_is_a_loop() -> None:
    """Two agents that each take the other for the way to the HSS."""
    first = Settings(serves=("S6a",), routes={"S6a": "dra2"})
    second = Settings(serves=("S6a",), routes={"S6a": "dra"}, calls=(("dra", "S6a"),))

    async def story(mme: Node, dra: Node, **_: Node) -> None:
        await dra.node.connect("S6a", "dra2")
        answer = await mme.ask(AIR, "dra")
        assert (answer.result_code, answer.error) == (3005, True)

    net = Net(dra=first, dra2=second, mme=Settings(calls=(("dra", "S6a"),)))
    net.play(story)


def test_a_server_that_finds_itself_on_the_way_says_so() -> None:
    async def story(mme: Node, hss: Node, **_: Node) -> None:
        answer = await mme.ask(AIR, "dra", ("Route-Record", "HSS.example"))
        assert (answer.result_code, answer.get("Origin-Host")) == (3005, "hss.example")
        assert hss.heard == []

    around().play(story)


def test_an_agent_keeps_the_t_flag_and_sets_none_of_its_own() -> None:
    async def story(mme: Node, hss: Node, **_: Node) -> None:
        message = mme.node.make(AIR, [("User-Name", IMSI), ("Visited-PLMN-Id", b"\x00\xf1\x10")], realm=REALM)
        message.flags |= FLAG_RETRANSMITTED
        assert (await mme.node.ask("dra", message)).success
        assert (await mme.ask(AIR, "dra")).success
        assert [bool(each.flags & FLAG_RETRANSMITTED) for each in hss.heard] == [True, False]
        await net.host.stop("dra", kill=True)
        await net.host.start("dra")
        assert (await mme.ask(AIR, "dra")).success, "found again"

    net = around()
    net.play(story)


def ask_over_sockets(carrier: str, home: str, mme: str) -> list[tuple[str, ...]]:
    """Ask on S13 over a connection of S6a and S13 at one port; return the Host-IP-Addresses of CER and CEA."""
    port = free_port()
    listen = dict.fromkeys(("S6a", "S13"), (home, port))
    carriers = dict.fromkeys(listen, carrier)

    async def run() -> list[tuple[str, ...]]:
        clock = Clock(loop)
        placements = {"home": Placement(listen)}
        settings = HostSettings(transport="tcp", carriers=carriers, placements=placements)
        there = Host(loop, clock, Trace(clock.now), settings)
        there.add("home", Node, HOME)
        await there.start("home")
        external = {"home": {"": (home, port)}}
        source = {"mme": Placement(source={"": (mme, 0)})}
        settings = HostSettings(transport="tcp", carriers=carriers, external=external, placements=source)
        here = Host(loop, clock, trace := Trace(clock.now), settings)
        asking: Any = here.add("mme", Node, MME)
        await here.start("mme")
        assert asking.up == [True, True]
        assert (await asking.ask(ECR, "home")).success
        await here.close()
        await there.close()
        messages = [decode(each.data) for each in trace.events if isinstance(each, Frame)]
        return [tuple(map(str, each.all("Host-IP-Address"))) for each in messages if each.command == CAPABILITIES]

    loop = TestbedLoop(virtual=False)
    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


def test_reference_points_that_are_given_one_address_have_one_port() -> None:
    assert ask_over_sockets("tcp", "127.0.0.1", "127.0.0.3") == [("127.0.0.1",)] * 2


@pytest.mark.skipif(not has_sctp(), reason="neither the kernel nor libusrsctp has SCTP")
def test_a_multi_homed_association_of_sctp_tells_all_addresses_of_both_ends() -> None:
    found = ask_over_sockets("sctp", "127.0.0.1,127.0.0.2", "127.0.0.3,127.0.0.4")
    assert found == [("127.0.0.3", "127.0.0.4"), ("127.0.0.1", "127.0.0.2")]
