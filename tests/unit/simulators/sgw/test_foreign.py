"""Other cores at our gateways, by octets composed as those compose them: an MME on S11, an SGW on S5.

Open source MMEs send no Recovery in a session's messages, set the spare bits of Selection Mode, name eNBs and
themselves by addresses of both versions, and put in elements of later releases.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, ClassVar

import pytest
from gateways import Gateways, Scripted, udp
from scapy.contrib import gtp_v2 as scapy

from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.wire import gtpu, gtpv2, pco
from simwarden.wire.gtpv2 import Cause, InterfaceType

V6 = ip_address("2001:db8::e").packed
#: IPCP, DNS by IPv4, addresses by NAS; of handsets also P-CSCFs, BCM, MTU, local addresses in filters, data off
PCO = bytes.fromhex("80 80211001000010810600000000830600000000 000d00 000a00")
HANDSET = PCO + bytes.fromhex("000100 000200 000300 000c00 000500 001000 001100 001200 00170101 ff000400112233")


def ie(kind: int, content: bytes, instance: int = 0) -> bytes:
    return bytes((kind,)) + len(content).to_bytes(2) + bytes((instance,)) + content


def end(kind: int, teid: int, host: str, instance: int = 0, six: bytes = b"") -> bytes:
    head = 0x80 | (0x40 if six else 0) | kind
    return ie(87, bytes((head,)) + teid.to_bytes(4) + ip_address(host).packed + six, instance)


def message(kind: int, teid: int, number: int, content: bytes) -> bytes:
    body = teid.to_bytes(4) + number.to_bytes(3) + b"\0" + content
    return bytes((0x48, kind)) + len(body).to_bytes(2) + body


QOS = bytes.fromhex("4509") + bytes(20)


def create(sender: bytes, pgw: str, context: bytes = b"", options: bytes = PCO, more: bytes = b"") -> bytes:
    """The elements of a Create Session Request in the order of their numbers in the tables of TS 29.274."""
    return b"".join(
        (
            ie(1, bytes.fromhex("00010100000000f1")),
            ie(76, bytes.fromhex("6841040000000010")[:7] + b"\xf1"),
            ie(75, bytes.fromhex("6899100000001070")),
            ie(86, bytes.fromhex("1800f110000100f11000000101")),
            ie(83, bytes.fromhex("00f110")),
            ie(82, b"\x06"),
            sender,
            end(7, 0, pgw, 1),
            ie(71, b"\x06meters\x06mnc001\x06mcc001\x04gprs"),
            ie(128, b"\xfc"),
            ie(99, b"\x01"),
            ie(79, b"\x01" + bytes(4)),
            ie(127, b"\x00"),
            ie(72, (1000).to_bytes(4) + (2000).to_bytes(4)),
            ie(78, options),
            ie(93, ie(73, b"\x05") + context + ie(80, QOS)),
            ie(114, b"\x40\x00"),
            ie(95, b"\x08\x00"),
            more,
        )
    )


#: elements of later releases, and of no meaning where they stand
LATER = b"".join(
    (
        ie(77, bytes.fromhex("080000000000000000")),  # nine octets of flags
        ie(197, bytes.fromhex("80000d00")),  # extended options
        ie(72, bytes(8), 3),  # an instance that nobody knows
        ie(73, b"", 7),
        ie(176, b"\x00\x04node"),
        ie(255, b"\x12\x34private"),
        ie(254, b"\x01\x02octets"),
    )
)


async def said(
    bench: Gateways, peer: Any, octets: bytes, to: str = "S11", at: str = "sgw"
) -> tuple[Any, gtpv2.Message]:
    """Send octets; return what scapy and we read of the answer."""
    heard: list[bytes] = []
    peer.endpoint.on_receive = lambda data, _source: heard.append(data)
    peer.endpoint.send(octets, bench.host.address_of(at, to), on=to)
    await bench.settle()
    (answer,) = [each for each in heard if each[1] == octets[1] + 1]
    return scapy.GTPHeader(answer), gtpv2.decode(answer)


@pytest.mark.parametrize("number", [0, 1, 0x7FFFFF, 0x800001, 0xFFFFFF])
@pytest.mark.parametrize("more", [b"", LATER], ids=["release 8", "later"])
async def test_an_mme_of_another_core_sets_up_and_ends_a_session(number: int, more: bytes) -> None:
    async with Gateways() as bench:
        pgw = bench.host.address_of("pgw", "S5-C")[0]
        sender = end(10, 0x80000084, bench.mme.address, six=V6)
        theirs, made = await said(bench, bench.mme, message(32, 0, number, create(sender, pgw, more=more)))
        assert (theirs.teid, theirs.seq, made.cause) == (0x80000084, number, Cause.REQUEST_ACCEPTED)
        elements = {(each.ietype, each.instance): each for each in theirs.payload.IE_list}
        assert elements[87, 0].InterfaceType == InterfaceType.S11_S4_SGW_GTP_C
        assert elements[87, 1].InterfaceType == InterfaceType.S5_S8_PGW_GTP_C
        assert elements[79, 0].ipv4 == "10.64.0.1"
        inner = {(each.ietype, each.instance): each for each in elements[93, 0].IE_list}
        assert (inner[73, 0].EBI, inner[2, 0].Cause) == (5, 16)
        assert inner[87, 0].InterfaceType == InterfaceType.S1_U_SGW_GTP_U
        assert inner[87, 2].InterfaceType == InterfaceType.S5_S8_PGW_GTP_U
        own = made["sender_f_teid"].teid
        context = ie(93, ie(73, b"\x05") + end(0, 0xE1, bench.enb.address, six=V6))
        theirs, modified = await said(bench, bench.mme, message(34, own, number ^ 2, context + more))
        assert (theirs.teid, modified.cause) == (0x80000084, Cause.REQUEST_ACCEPTED)
        bench.net.send(packet := udp("198.51.100.80", "10.64.0.1"))
        await bench.settle()
        assert bench.enb.received() == [(0xE1, packet)]
        _, idle = await said(bench, bench.mme, message(170, own, number ^ 4, b""))
        assert idle.cause == Cause.REQUEST_ACCEPTED
        where = ie(86, bytes.fromhex("1800f110000100f11000000101"))
        ended = ie(73, b"\x05") + where + ie(77, bytes.fromhex("08000000")) + more
        _, gone = await said(bench, bench.mme, message(36, own, number ^ 6, ended))
        assert gone.cause == Cause.REQUEST_ACCEPTED
        assert bench.sgw.census()["sessions"] == bench.pgw.census()["sessions"] == 0


class ForeignSgw(Scripted):
    """An SGW of another core, at addresses of its own."""

    declaration = Declaration(kind="sgw-script", title="SGW", lane=4, config=ElementConfig)
    interfaces: ClassVar[tuple[str, ...]] = ("S5-C",)

    async def start(self) -> None:
        await super().start()
        self.user = self.site.endpoint("S5-U")
        self.user.on_packets = self.take


def foreign(pgw: dict[str, Any] | None = None) -> tuple[Gateways, ForeignSgw]:
    bench = Gateways(pgw={"sgws": ["another"], **(pgw or {})})
    return bench, bench.add("another", ForeignSgw)


def asked(bench: Gateways, sgw: ForeignSgw, teid: int = 0x51, options: bytes = PCO, more: bytes = b"") -> bytes:
    pgw = bench.host.address_of("pgw", "S5-C")[0]
    return create(end(6, teid, sgw.address, six=V6), pgw, end(4, teid + 1, sgw.address, 2), options, more)


@pytest.mark.parametrize("more", [b"", LATER, ie(3, b"\x07")], ids=["release 8", "later", "with Recovery"])
async def test_an_sgw_of_another_core_has_a_session_at_our_pgw(more: bytes) -> None:
    bench, sgw = foreign()
    async with bench:
        theirs, made = await said(bench, sgw, message(32, 0, 0x900000, asked(bench, sgw, more=more)), "S5-C", "pgw")
        assert (theirs.teid, theirs.seq, made.cause) == (0x51, 0x900000, Cause.REQUEST_ACCEPTED)
        (context,) = made["bearer_contexts_created"]
        assert context["charging_id"] > 0
        end_of_pgw = context["s5_u_pgw"]
        up, down = udp("10.64.0.1"), udp("198.51.100.80", "10.64.0.1")
        sgw.user.send_packets([gtpu.g_pdu(end_of_pgw.teid, up)], (end_of_pgw.address, 2152), on="S5-U")
        await bench.settle()
        bench.net.send(down)
        await bench.settle()
        assert bench.net.received() == [up]
        assert [gtpu.unwrap(each) for each in sgw.packets] == [(0x52, down)]
        own = made["pgw_s5_f_teid"].teid
        _, moved = await said(bench, sgw, message(34, own, 0x900001, ie(82, b"\x06") + more), "S5-C", "pgw")
        assert moved.cause == Cause.REQUEST_ACCEPTED
        _, gone = await said(bench, sgw, message(36, own, 0x900002, ie(73, b"\x05")), "S5-C", "pgw")
        assert gone.cause == Cause.REQUEST_ACCEPTED
        assert bench.pgw.census()["sessions"] == 0


async def test_a_session_that_is_asked_for_again_takes_the_place_of_the_first() -> None:
    bench, sgw = foreign()
    async with bench:
        ends = []
        for teid, number in ((0x51, 1), (0x61, 2)):
            _, made = await said(bench, sgw, message(32, 0, number, asked(bench, sgw, teid)), "S5-C", "pgw")
            assert made.cause == Cause.REQUEST_ACCEPTED
            ends.append(made["pgw_s5_f_teid"].teid)
        assert bench.pgw.census()["sessions"] == 1
        _, lost = await said(bench, sgw, message(36, ends[0], 3, ie(73, b"\x05")), "S5-C", "pgw")
        assert lost.cause == Cause.CONTEXT_NOT_FOUND
        bench.net.send(udp("198.51.100.80", made["paa"].ipv4))
        await bench.settle()
        assert [gtpu.unwrap(each)[0] for each in sgw.packets] == [0x62]


@pytest.mark.parametrize("options", [PCO, HANDSET], ids=["modem", "handset"])
async def test_options_of_real_devices_are_answered(options: bytes) -> None:
    bench, sgw = foreign()
    async with bench:
        _, made = await said(bench, sgw, message(32, 0, 1, asked(bench, sgw, options=options)), "S5-C", "pgw")
        told = pco.decode(made["pco"])
        assert (0x000D, ip_address("192.0.2.53").packed) in told
        ipcp = next(each.content for each in told if each.identifier == 0x8021)
        assert ipcp.hex() == "0300000a" + "8106c0000235"  # NAK: the primary server; there is no other
        if options is HANDSET:
            assert (0x0010, (1358).to_bytes(2)) in told
            assert {each.identifier for each in told} == {0x8021, 0x000D, 0x0003, 0x0010}


@pytest.mark.parametrize("mode", range(4))
async def test_selection_mode_3_is_read_as_2(mode: int) -> None:
    bench, sgw = foreign()
    async with bench:
        octets = asked(bench, sgw).replace(ie(128, b"\xfc"), ie(128, bytes((0xFC | mode,))))
        _, made = await said(bench, sgw, message(32, 0, 1, octets), "S5-C", "pgw")
        assert made.cause == Cause.REQUEST_ACCEPTED
        (session,) = bench.pgw.core.sessions.values()
        assert session.selection_mode == min(mode, 2)


async def test_an_echo_of_another_core_is_answered() -> None:
    bench, sgw = foreign()
    async with bench:
        octets = bytes((0x40, 1, 0, 14)) + bytes.fromhex("ffffff00") + ie(3, b"\x05") + ie(152, b"\x01")
        heard: list[bytes] = []
        sgw.endpoint.on_receive = lambda data, _source: heard.append(data)
        sgw.endpoint.send(octets, bench.host.address_of("pgw", "S5-C"), on="S5-C")
        await bench.settle()
        theirs = scapy.GTPHeader(heard[0])
        assert (theirs.gtp_type, theirs.seq) == (2, 0xFFFFFF)
        assert theirs.payload.IE_list[0].restart_counter == bench.pgw.core.node.counter
