"""A PGW (or SMF) and an MME of other cores around our SGW, by octets composed as those compose them.

Open source SMFs send no Recovery, no charging id, and no QoS or AMBR that nobody has changed; their orders have one
bearer each. Open source MMEs leave all bearer contexts out of a refusal, and acknowledge data when the paging is over.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from gateways import ENB_TEID, Gateways, GtpMme, Scripted, udp
from scapy.contrib import gtp_v2 as scapy

from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.trace.records import ChargingRecord
from simwarden.wire import gtpu, gtpv2
from simwarden.wire.gtpv2 import Cause

from .test_foreign import LATER, QOS, V6, end, ie, message

CAUSE = ie(2, b"\x10\x00")
#: one filter of UDP each way, as an SMF writes a flow description: local and remote address, protocol, port
TFT = bytes.fromhex("21 3101 17 10c6336450ffffffff 11c6336409ffffffff 3011 501633")


class Smf(Scripted):
    """A PGW's control plane, with a user plane at the same address."""

    declaration = Declaration(kind="smf-script", title="SMF", lane=90, config=ElementConfig)
    interfaces: ClassVar[tuple[str, ...]] = ("S5-C",)
    more = bearer = b""

    async def start(self) -> None:
        await super().start()
        self.user = self.site.endpoint("S5-U")
        self.user.on_packets = self.take
        self.sgw = 0

    def receive(self, data: bytes, source: Any) -> None:
        request = gtpv2.decode(data)
        self.heard.append(data)
        number = request.sequence
        if request.name == "create-session-request":
            self.sgw = request["sender_f_teid"].teid
            context = ie(93, ie(73, b"\x05") + CAUSE + end(5, 0x72, self.address, 2, V6) + self.bearer)
            paa = ie(79, b"\x01" + bytes((198, 51, 100, 9)))
            content = CAUSE + end(7, 0x71, self.address, 1, V6) + paa + ie(127, b"\x00") + context + self.more
            self.endpoint.send(message(33, self.sgw, number, content), source)
        elif request.spec.role is gtpv2.Role.REQUEST and request.name != "echo-request":
            self.endpoint.send(message(data[1] + 1, self.sgw, number, CAUSE + self.more), source)

    def order(self, kind: int, content: bytes, number: int) -> None:
        self.endpoint.send(message(kind, self.sgw, number, content), self.site.address_of("sgw", "S5-C"))

    def answer(self) -> gtpv2.Message:
        return gtpv2.decode(self.heard[-1])


class Bench(Gateways):
    """Our SGW between them."""

    def __init__(self) -> None:
        super().__init__(sgw={"pgws": ["another"]})
        self.smf = self.add("another", Smf)

    async def session(self, **changed: Any) -> gtpv2.Message:
        to = scapy.IE_FTEID(ipv4_present=1, InterfaceType=7, GRE_Key=0, ipv4=self.smf.address, instance=1)
        return await super().session(pgw=to, **changed)


def raw(mme: GtpMme, answers: dict[int, bytes]) -> None:
    """Let an MME answer with octets, by the type of the request."""
    before = mme.receive

    def receive(data: bytes, source: Any) -> None:
        content = answers.get(data[1])
        if content is None:
            before(data, source)
            return
        mme.heard.append(data)
        own = next(iter(mme.site.host.elements["sgw"].core.by_teid), 0)  # type: ignore[attr-defined]
        mme.endpoint.send(message(data[1] + 1, own, int.from_bytes(data[8:11]), content), source)

    mme.endpoint.on_receive = receive


@pytest.mark.parametrize("more", [b"", LATER], ids=["as it is", "later"])
async def test_a_session_with_packets_both_ways(more: bytes) -> None:
    async with Bench() as bench:
        bench.smf.more = more
        made = await bench.session()
        (context,) = made["bearer_contexts_created"]
        assert (made["paa"].ipv4, context["bearer_qos"].qci) == ("198.51.100.9", 9)  # what nobody has changed
        bench.enb.send(made, up := udp("198.51.100.9"))
        await bench.settle()
        assert [gtpu.unwrap(each) for each in bench.smf.packets] == [(0x72, up)]
        (own,) = [each.s5_teid for each in bench.sgw.core.connections()]
        down = udp("198.51.100.80", "198.51.100.9")
        to = bench.sgw.core.plane.address, 2152
        for head in ("30ff", "32ff", "34ff", "36ff"):
            options = b"" if head == "30ff" else bytes(4)
            if head in {"34ff", "36ff"}:  # a PDU session container, which nobody on the way must understand
                options = b"\0\0\0\x85" + b"\x01\x10\x09\0"
            body = options + down
            bench.smf.user.send_packets([bytes.fromhex(head) + len(body).to_bytes(2) + own.to_bytes(4) + body], to)
        await bench.settle()
        assert {packet for _, packet in bench.enb.received()} == {down}
        told = await bench.mme.delete(made["sender_f_teid"].teid)
        assert told.cause == Cause.REQUEST_ACCEPTED
        fields = [each.fields for each in bench.of(ChargingRecord)]
        assert [each["listOfTrafficVolumes"][0]["dataVolumeGPRSUplink"] for each in fields] == [len(up)]


def wanted(smf: Smf, tft: bytes = TFT) -> bytes:
    return ie(73, b"\x05") + ie(93, ie(73, b"\x00") + end(5, 0x73, smf.address, 1, V6) + ie(80, QOS) + ie(84, tft))


async def test_bearers_that_an_smf_orders_and_an_mme_sets_up() -> None:
    async with Bench() as bench:
        await bench.session()
        (teid,) = bench.sgw.core.by_teid
        enb = end(0, 0xE2, bench.enb.address, six=V6)
        where = ie(86, bytes.fromhex("1800f110000100f11000000101")) + ie(114, b"\x40\x00")

        def told(asked: gtpv2.Message) -> dict[str, Any]:
            (context,) = asked["bearer_contexts"]
            sgw = context["s1_u_sgw"]
            parts = ie(73, b"\x06") + enb + end(1, sgw.teid, sgw.ipv4, 1) + CAUSE
            return gtpv2.decode(message(96, teid, 1, CAUSE + ie(93, parts) + where)).ies

        bench.mme.answers["create-bearer-request"] = told
        bench.smf.order(95, wanted(bench.smf), 0x100)
        await bench.settle()
        made = bench.smf.answer()
        assert (made.name, made.sequence, made.cause) == ("create-bearer-response", 0x100, Cause.REQUEST_ACCEPTED)
        (context,) = made["bearer_contexts"]
        assert (context["ebi"], context["s5_u_pgw"].teid) == (6, 0x73)
        assert {"user_location_information", "ue_time_zone"} < made.ies.keys()
        packet = udp("198.51.100.80", "198.51.100.9")
        far = context["s5_u_sgw"]
        bench.smf.user.send_packets([gtpu.g_pdu(far.teid, packet)], (far.address, 2152))
        await bench.settle()
        assert bench.enb.received() == [(0xE2, packet)]
        done = CAUSE + ie(93, ie(73, b"\x06") + CAUSE) + where
        raw(bench.mme, {97: done, 99: done})
        rate = ie(72, (500).to_bytes(4) + (600).to_bytes(4))
        bench.smf.order(97, ie(93, ie(73, b"\x06") + ie(80, QOS) + ie(84, TFT)) + rate, 0x101)
        await bench.settle()
        assert bench.smf.answer().name == "update-bearer-response"
        assert bench.smf.answer()["bearer_contexts"][0]["ebi"] == 6
        bench.smf.order(99, ie(73, b"\x06", 1), 0x102)
        await bench.settle()
        assert (bench.smf.answer().name, bench.smf.answer().cause) == ("delete-bearer-response", Cause.REQUEST_ACCEPTED)
        bench.smf.user.send_packets([gtpu.g_pdu(far.teid, packet)], (far.address, 2152))
        await bench.settle()
        assert bench.enb.received() == []
        bench.smf.order(99, ie(73, b"\x05"), 0x103)
        await bench.settle()
        assert bench.smf.answer()["linked_ebi"] == 5
        assert bench.sgw.census()["sessions"] == 0


@pytest.mark.parametrize("cause", [Cause.UE_REFUSES, Cause.NO_RESOURCES_AVAILABLE, Cause.CONTEXT_NOT_FOUND])
async def test_a_refusal_without_bearer_contexts_goes_back(cause: Cause) -> None:
    async with Bench() as bench:
        await bench.session()
        raw(bench.mme, {95: ie(2, bytes((cause, 0)))})
        tunnels = bench.sgw.census()["tunnels"]
        bench.smf.order(95, wanted(bench.smf), 0x900001)
        await bench.settle()
        told = bench.smf.answer()
        assert (told.name, told.sequence, told.cause) == ("create-bearer-response", 0x900001, cause)
        assert told["cause"].remote
        assert bench.sgw.census()["tunnels"] == tunnels


async def test_an_acknowledgement_after_the_service_request_is_no_fault() -> None:
    async with Bench() as bench:
        made = await bench.session()
        teid = made["sender_f_teid"].teid
        assert (await bench.mme.release(teid)).accepted
        bench.mme.silent = True
        (own,) = [each.s5_teid for each in bench.sgw.core.connections()]
        packet = udp("198.51.100.80", "198.51.100.9")
        bench.smf.user.send_packets([gtpu.g_pdu(own, packet)], (bench.sgw.core.plane.address, 2152))
        await bench.settle()
        asked = bench.mme.heard[-1]
        assert gtpv2.decode(asked).name == "downlink-data-notification"
        assert (await bench.mme.modify(teid)).accepted
        await bench.settle()
        assert bench.enb.received() == [(ENB_TEID, packet)]
        late = message(177, teid, int.from_bytes(asked[8:11]), CAUSE)
        bench.mme.endpoint.send(late, bench.host.address_of("sgw", "S11"), on="S11")
        await bench.sleep(40)
        assert bench.dropped() == []


async def test_a_device_that_another_sgw_has_leaves_nothing_here_and_all_at_the_pgw() -> None:
    async with Bench() as bench:
        made = await bench.session()
        heard = len(bench.smf.heard)
        told = await bench.mme.delete(made["sender_f_teid"].teid, SI=1)
        assert told.cause == Cause.REQUEST_ACCEPTED
        assert bench.sgw.census() == {"sessions": 0, "EPS bearers": 0, "bearers": 0, "tunnels": 0}
        assert len(bench.smf.heard) == heard
        (record,) = bench.of(ChargingRecord)
        assert record.fields["causeForRecClosing"].name == "SGW_CHANGE"
