"""What happens amid something else: lists change, a PCRF ends the session, packets wait, ports are scanned."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from charging import REALM
from credit_net import GROUPS, ScriptedOcs, card
from gateways import IMSI, NUMBER, SERVER, Gateways, udp
from scapy.contrib import gtp_v2 as scapy
from scapy.layers.inet import IP, TCP

from simulators.pgw.flow_table import BOUNDS, FlowKind
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.testing import ScriptedServer

if TYPE_CHECKING:
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message

PGW = f"pgw.{REALM}"
APPROVED = {"approver": "Li Wei", "reason": "explored", "form": "F-21"}


def units(octets: int) -> Any:
    granted = ("Granted-Service-Unit", [("CC-Total-Octets", octets)])
    return GROUPS, [granted, ("Rating-Group", 1), ("Result-Code", 2001)]


def used_units(asked: Message) -> list[dict[str, Any]]:
    """Return the units that a request reports as used."""
    groups = [dict(group) for group in asked.all(GROUPS)]
    return [dict(group["Used-Service-Unit"]) for group in groups if "Used-Service-Unit" in group]


class Ocs(ScriptedOcs):
    """An OCS on Gy whose answers wait until a test wants them; what it says is `script`, the last of it for ever."""

    declaration = Declaration(kind="ocs", title="OCS", lane=86, config=ElementConfig, listens=("Gy",))
    interface = "Gy"

    async def start(self) -> None:
        await super().start()
        self.script: list[Any] = [[units(1000)]]
        self.free = asyncio.Event()
        self.free.set()

    async def answer(self, message: Message, peer: Peer) -> Message:
        answer = await super().answer(message, peer)
        await self.free.wait()
        return answer

    def credit_control(self, _message: object) -> Any:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    async def holds(self, times: int) -> None:
        """Wait until so many requests have come."""
        while len(self.asked) < times:  # noqa: ASYNC110 - nobody tells of one
            await asyncio.sleep(0.001)


class Pcrf(ScriptedServer):
    """A PCRF that lets all pass, and can end the session."""

    declaration = Declaration(kind="pcrf", title="PCRF", lane=80, config=ElementConfig, listens=("Gx",))
    interface, requests = "Gx", ("credit-control",)

    def credit_control(self, asked: Message) -> Any:
        flow = [("Flow-Description", "permit out ip from any to assigned"), ("Flow-Direction", 3)]
        rule = [("Charging-Rule-Name", b"all"), ("Flow-Information", flow)]
        installs = [("Charging-Rule-Install", [("Charging-Rule-Definition", rule)])]
        return installs if asked.get("CC-Request-Type") == 1 else []

    async def release(self) -> int | None:
        avps = [("Re-Auth-Request-Type", 0), ("Session-Release-Cause", 0)]
        session = self.asked[0].get("Session-Id")
        request = self.node.make("Re-Auth-Request", avps, realm=REALM, host=PGW, point="Gx", session=session)
        return (await self.node.ask(PGW, request)).result_code


class Net(Gateways):
    """Gateways with both, or with the OCS alone."""

    def __init__(self, *script: Any, gx: str = "") -> None:
        super().__init__(pgw={"apns": {"*": {"gy": "ocs", "gx": gx}}})
        self.ocs, self.script = self.add("ocs", Ocs), list(script)
        self.pcrf = self.add("pcrf", Pcrf)

    async def start(self) -> None:
        await super().start()
        self.ocs.script = self.script

    async def direct(self, *entries: str) -> None:
        """Give the card a whitelist."""
        sections = {"data": [{"by": "pgw", "whitelist": entries}]}
        await self.call("PUT", f"/cards/{IMSI}", card(None, IMSI, NUMBER, sections=sections), element="pgw")


async def test_a_list_that_changes_while_the_ocs_is_asked_holds_for_the_session_that_begins() -> None:
    async with Net([units(1000)]) as net:
        await net.direct(f"udp://{SERVER}:40001")
        net.ocs.free.clear()
        begins = net.loop.create_task(net.mme.create())
        await net.ocs.holds(1)
        other = {**APPROVED, "whitelist": ["udp://192.0.2.99:5683"]}
        await net.call("PUT", f"/cards/{IMSI}/data", other, element="pgw")
        net.ocs.free.set()
        made = await begins
        net.enb.send(made, udp(made["paa"].ipv4))
        await net.settle()
        assert net.net.received() == []
        assert net.verdicts("data.whitelist") == [False]


@pytest.mark.parametrize(("said", "cause", "result"), [([units(1000)], 16, 2001), (4012, 92, 5002)])
async def test_a_session_that_its_pcrf_ends_while_the_ocs_is_asked_does_not_stay(
    said: Any, cause: int, result: int
) -> None:
    async with Net(said, gx="pcrf") as net:
        net.ocs.free.clear()
        begins = net.loop.create_task(net.mme.create())
        await net.ocs.holds(1)
        release = net.loop.create_task(net.pcrf.release())
        await asyncio.sleep(0.001)
        net.ocs.free.set()
        assert ((await begins).cause, await release) == (cause, result)
        await net.settle()
        assert net.pgw.core.sessions == {}
        assert [each.get("CC-Request-Type") for each in net.pcrf.asked] == [1, 3]


@pytest.mark.parametrize(("many", "reached"), [(3000, True), (15_000, False)])
async def test_an_unnamed_flow_passes_no_more_by_letting_its_packets_wait_for_octets(
    many: int, *, reached: bool
) -> None:
    async with Net([units(150)], [units(900_000)]) as net:
        await net.direct("http://up.example")
        made = await net.session(ambr=scapy.IE_AMBR(AMBR_Uplink=900_000, AMBR_Downlink=900_000))
        (session,) = net.pgw.core.sessions.values()
        session.bindings.resolvers = None
        session.bindings.learn("up.example", [bytes(map(int, SERVER.split(".")))], 600, 0.0)
        ends, back = {"src": made["paa"].ipv4, "dst": SERVER}, {"dst": made["paa"].ipv4, "src": SERVER}
        net.enb.send(made, bytes(IP(**ends) / TCP(sport=50000, dport=80, flags="S", seq=99)))
        await net.settle()
        net.net.send(bytes(IP(**back) / TCP(sport=80, dport=50000, flags="SA", seq=7, ack=100)))
        await net.settle()
        net.ocs.free.clear()
        octets = b"GET /" + b"a" * many
        for at in range(0, many, 500):
            said = TCP(sport=50000, dport=80, flags="PA", seq=100 + at, ack=8) / octets[at : at + 500]
            net.enb.send(made, bytes(IP(**ends) / said))
        await net.ocs.holds(2)
        net.ocs.free.set()
        await net.settle()
        passed = sum(map(len, net.net.received()))
        assert (passed > many) is reached
        assert passed <= net.pgw.core.config.unnamed_octets
        more = TCP(sport=50000, dport=80, flags="PA", seq=100 + many + 5, ack=8) / b"aaa"
        net.enb.send(made, bytes(IP(**ends) / more))
        await net.settle()
        assert bool(net.net.received()) is reached


@pytest.mark.parametrize("closed", [False, True])
async def test_octets_of_a_packet_that_is_dropped_after_their_grant_are_not_used(*, closed: bool) -> None:
    async with Net([units(100)], [units(900)]) as net:
        made = await net.session()
        own = made["paa"].ipv4
        first, second = udp(own, payload=bytes(52)), udp(own, payload=bytes(172))
        net.enb.send(made, first)
        await net.settle()
        net.ocs.free.clear()
        net.enb.send(made, second)
        await net.ocs.holds(2)
        if closed:
            net.net.link.close()  # type: ignore[union-attr]
        net.ocs.free.set()
        await net.settle()
        assert net.net.received() == [first, *([] if closed else [second])]
        await net.mme.delete(made["sender_f_teid"].teid)
        await net.settle()
        used = [unit["CC-Total-Octets"] for asked in net.ocs.asked for unit in used_units(asked)]
        assert sum(used) == len(first) + (0 if closed else len(second))


async def test_who_scans_the_ports_of_a_device_has_none_of_its_flows_forgotten() -> None:
    async with Net([units(900_000)]) as net:
        await net.direct("up.example:40001")
        made = await net.session(ambr=scapy.IE_AMBR(AMBR_Uplink=900_000, AMBR_Downlink=900_000))
        (session,) = net.pgw.core.sessions.values()
        session.bindings.resolvers = None
        session.bindings.learn("up.example", [bytes(map(int, SERVER.split(".")))], 60, net.clock.now())
        net.enb.send(made, udp(made["paa"].ipv4))
        await net.settle()
        assert len(net.net.received()) == 1
        await net.sleep(61)
        net.net.send(*(udp("203.0.113.66", made["paa"].ipv4, port=port) for port in range(1, 5000)))
        await net.settle()
        assert net.enb.received() == []
        assert len(session.flows) == BOUNDS[FlowKind.UNSERVED] + 1
        net.enb.send(made, udp(made["paa"].ipv4))
        await net.settle()
        assert len(net.net.received()) == 1
