"""An SGW and a PGW with a scripted MME, eNB and network around them, on virtual time; scapy makes what the MME says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from scapy.contrib import gtp_v2 as scapy

from simulators.pgw.element import Pgw
from simulators.sgw.element import Sgw
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.loop import TestbedLoop
from simwarden.testing import Bench
from simwarden.trace.events import PacketDropped
from simwarden.wire import gtpu, gtpv2, ip

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from simwarden.runtime.link import Link
    from simwarden.runtime.transport.addresses import Address
    from simwarden.trace.trace import Trace

IMSI, NUMBER = "001010000000001", "861440000000001"
#: TEIDs of the MME and of the eNB
MME_TEID, ENB_TEID = 0x11, 0xE1
SERVER = "198.51.100.80"


class Scripted(Element[ElementConfig]):
    """An end of GTP that says what it is told, and keeps what it hears."""

    declaration = Declaration(kind="scripted", title="Scripted", lane=1, config=ElementConfig)
    interfaces: ClassVar[tuple[str, ...]] = ()

    async def start(self) -> None:
        self.heard: list[bytes] = []
        self.packets: list[bytes] = []
        self.silent = False
        self.endpoint = self.site.endpoint(*self.interfaces)
        self.endpoint.on_receive = self.receive
        self.endpoint.on_packets = self.take

    async def stop(self) -> None:
        """ElementConfig is left to end."""

    def receive(self, data: bytes, _source: Address) -> None:
        self.heard.append(data)

    def take(self, packets: Sequence[bytes], _source: Address) -> None:
        self.packets.extend(packets)

    @property
    def address(self) -> str:
        return self.endpoint.address[0]

    def messages(self) -> list[gtpv2.Message]:
        found, self.heard = [gtpv2.decode(each) for each in self.heard], []
        return found


class GtpMme(Scripted):
    """An MME: requests that scapy makes, answers that it reads; of the SGW's requests it answers each as told."""

    declaration = Declaration(kind="mme-script", title="MME", lane=2, config=ElementConfig)
    interfaces = ("S11",)

    async def start(self) -> None:
        await super().start()
        self.number = 100
        self.answers: dict[str, Any] = {}
        self.asked: list[gtpv2.Message] = []
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    def receive(self, data: bytes, source: Address) -> None:
        message = gtpv2.decode(data)
        waiting = self._waiting.pop(message.sequence, None)
        if waiting is not None and message.spec.role is gtpv2.Role.RESPONSE:
            waiting.set_result(data)
            return
        self.heard.append(data)
        if message.spec.answer and not self.silent:
            self.asked.append(message)
            ies = self.answers.get(message.name, {"cause": gtpv2.CauseIe(gtpv2.Cause.REQUEST_ACCEPTED)})
            if callable(ies):  # what it answers depends on what is asked
                ies = ies(message)
            if message.name == "echo-request":
                ies = {"recovery": 1}
            teid = self.site.host.elements["sgw"].core.by_teid  # type: ignore[attr-defined]
            own = next(iter(teid), 0)
            self.endpoint.send(gtpv2.encode(gtpv2.Message(message.spec.answer, ies, own, message.sequence)), source)

    async def ask(self, kind: str | int, payload: Any, teid: int, to: Address | None = None) -> gtpv2.Message:
        """Send a request that scapy makes; what scapy reads of the answer is what we do."""
        self.number = number = self.number + 1
        octets = bytes(scapy.GTPHeader(P=0, T=1, teid=teid, seq=number, gtp_type=kind) / payload)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self.endpoint.send(octets, to or self.site.address_of("sgw", "S11"), on="S11")
        data = await asyncio.wait_for(future, 60)
        theirs, message = scapy.GTPHeader(data), gtpv2.decode(data)
        assert (theirs.teid, theirs.seq) == (message.teid, number)
        elements = getattr(theirs.payload, "IE_list", ())  # it does not know all messages
        causes = [each.Cause for each in elements if isinstance(each, scapy.IE_Cause)]
        assert not elements or causes == [message.cause]
        return message

    async def create(self, **changed: Any) -> gtpv2.Message:
        """Ask for a session."""
        return await self.ask("create_session_req", create_session(self, **changed), 0)

    async def modify(self, teid: int, ebi: int = 5, enb: int = ENB_TEID, **elements: Any) -> gtpv2.Message:
        """Bring packets to the eNB."""
        host = self.site.host.elements["enb"].address  # type: ignore[attr-defined]
        bearer = [scapy.IE_EPSBearerID(EBI=ebi), f_teid(0, enb, host)]
        request = scapy.GTPV2ModifyBearerRequest(
            IE_list=[scapy.IE_BearerContext(IE_list=bearer), *elements.get("more", ())]
        )
        return await self.ask("modify_bearer_req", request, teid)

    async def delete(self, teid: int, ebi: int = 5, **flags: int) -> gtpv2.Message:
        """End a session."""
        wanted: dict[str, Any] = flags or {"OI": 1}
        elements = [scapy.IE_EPSBearerID(EBI=ebi), scapy.IE_Indication(length=2, **wanted)]
        return await self.ask("delete_session_req", scapy.GTPV2DeleteSessionRequest(IE_list=elements), teid)

    async def release(self, teid: int) -> gtpv2.Message:
        """Take the device for idle."""
        return await self.ask(170, b"", teid)


def f_teid(kind: int, teid: int, host: str, instance: int = 0) -> Any:
    return scapy.IE_FTEID(ipv4_present=1, InterfaceType=kind, GRE_Key=teid, ipv4=host, instance=instance)


def create_session(mme: GtpMme, **changed: Any) -> Any:
    """Make a request for a session; an element that is changed to None is left out."""
    pgw = mme.site.address_of("pgw", "S5-C")[0]
    qos = scapy.IE_Bearer_QoS(PCI=1, PriorityLevel=8, PVI=0, QCI=9)
    parts: dict[str, Any] = {
        "imsi": scapy.IE_IMSI(IMSI=IMSI.encode()),
        "msisdn": scapy.IE_MSISDN(digits=NUMBER.encode()),
        "rat": scapy.IE_RAT(RAT_type=6),
        "indication": scapy.IE_Indication(length=2, DAF=1),
        "sender": f_teid(10, MME_TEID, mme.address),
        "pgw": f_teid(7, 0, pgw, 1),
        "apn": scapy.IE_APN(APN=b"meters"),
        "pdn_type": scapy.IE_PDN_type(PDN_type=1),
        "paa": scapy.IE_PAA(PDN_type=1, ipv4="0.0.0.0"),  # noqa: S104 - asks for any address
        "ambr": scapy.IE_AMBR(AMBR_Uplink=1000, AMBR_Downlink=2000),
        "bearer": scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=5), qos]),
    }
    return scapy.GTPV2CreateSessionRequest(IE_list=[each for each in (parts | changed).values() if each is not None])


class Enb(Scripted):
    """An eNB: packets in tunnels."""

    declaration = Declaration(kind="enb-script", title="eNB", lane=3, config=ElementConfig)
    interfaces = ("S1-U",)

    def send(self, session: gtpv2.Message, *packets: bytes) -> None:
        """Send packets of a device into the tunnel of its session."""
        end = session["bearer_contexts_created"][0]["s1_u_sgw"]
        self.endpoint.send_packets([gtpu.g_pdu(end.teid, each) for each in packets], (end.address, 2152))

    def received(self) -> list[tuple[int, bytes]]:
        """Return TEIDs and packets that came, and forget them."""
        found, self.packets = [gtpu.unwrap(each) for each in self.packets], []
        return found


class Net(Element[ElementConfig]):
    """What is on SGi."""

    declaration = Declaration(kind="net", title="Network", lane=99, config=ElementConfig)

    async def start(self) -> None:
        self.packets: list[bytes] = []
        self.link: Link | None = None
        await self.site.listen("SGi", self.accept)

    async def stop(self) -> None:
        """It goes without a word."""

    def accept(self, link: Link) -> None:
        self.link = link
        link.on_packets = lambda packets: self.packets.extend(packets)  # noqa: PLW0108 - of the list that is now

    def send(self, *packets: bytes) -> None:
        assert self.link is not None
        self.link.send_packets(packets)

    def received(self) -> list[bytes]:
        found, self.packets = self.packets, []
        return found


class Gateways(Bench):
    """Both gateways, with what stands around them; keep-alives are sent where a test is about them."""

    def __init__(
        self,
        loop: TestbedLoop | None = None,
        *,
        transport: str = "memory",
        keep_alives: bool = False,
        sgw: dict[str, Any] | None = None,
        pgw: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(loop, transport=transport, **more)
        self.clock.skip_keep_alives = not keep_alives
        self.net = self.add("net", Net)
        self.mme = self.add("mme", GtpMme)
        self.enb = self.add("enb", Enb)
        self.pgw = self.add("pgw", Pgw, {"internet": "net", **(pgw or {})})
        self.sgw = self.add("sgw", Sgw, sgw)

    async def session(self, **changed: Any) -> gtpv2.Message:
        """Set a session up, with packets to the eNB."""
        made = await self.mme.create(**changed)
        assert made.accepted, made
        assert (await self.mme.modify(made["sender_f_teid"].teid)).accepted
        return made

    async def ask_pgw(self, name: str, teid: int, **ies: Any) -> gtpv2.Message:
        """Have the SGW's node ask something of the PGW that the SGW would not."""
        request = gtpv2.Message(name, ies, teid)
        return await self.sgw.core.node.ask(request, self.pgw.core.node.address, "S5-C")

    def dropped(self) -> list[str]:
        return [each.reason for each in self.of(PacketDropped)]


def play(story: Callable[[Gateways], Awaitable[None]], **settings: Any) -> Trace:
    """Play a story where no loop runs; return what happened."""
    loop = TestbedLoop(virtual=True)

    async def whole() -> Trace:
        async with Gateways(loop, **settings) as gateways:
            await story(gateways)
        return gateways.trace

    try:
        return loop.run_until_complete(whole())
    finally:
        loop.close()


def udp(source: str, target: str = SERVER, payload: bytes = b"hello", port: int = 40000) -> bytes:
    """A datagram of a device, or to it."""
    return ip.encode(ip.encode_udp(ip.Udp(port, 40001, payload), source, target))
