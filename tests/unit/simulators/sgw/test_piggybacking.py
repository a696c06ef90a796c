"""A request in the datagram of an answer (TS 29.274 5.5.1, TS 23.401 annex F): who sends one, and who takes one."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from gateways import Gateways, GtpMme, Scripted
from scapy.contrib import gtp_v2 as scapy

from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.trace.events import Frame
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Arp, BearerQos, Cause, CauseIe, FTeid, InterfaceType, Message, Paa, PdnType
from simwarden.wire.tft import Filter, Operation, Tft, encode

from .test_foreign import asked, foreign, ie, message

ALARM = {"qci": 7, "filters": [{"protocol": "udp", "ports": "5683"}]}
OTHER = {"qci": 8, "filters": [{"protocol": "tcp", "ports": "443"}]}
PGW = {"apns": {"*": {"bearers": {"alarm": ALARM, "other": OTHER}}}}
#: indication flags of an MME that takes two messages in one datagram, and of one that does not say so
PS, NOT_PS = ie(77, bytes.fromhex("0008")), ie(77, bytes.fromhex("0010"))
ACCEPTED = CauseIe(Cause.REQUEST_ACCEPTED)
QOS = BearerQos(7, Arp(8, may_preempt=False, preemptable=True))
TFT = encode(Tft(Operation.CREATE, (Filter(0, 0, protocol=17),)))


async def heard(flags: bytes) -> list[bytes]:
    """Ask our PGW for a session as an SGW of another core; return the datagrams that this hears at once."""
    bench, sgw = foreign(PGW)
    async with bench:
        sgw.endpoint.send(
            message(32, 0, 7, asked(bench, sgw, more=flags)), bench.host.address_of("pgw", "S5-C"), on="S5-C"
        )
        await bench.settle()
        return list(sgw.heard)


async def test_our_pgw_sends_the_first_order_with_the_answer() -> None:
    (datagram,) = await heard(PS)
    first, second = gtpv2.split(datagram)
    assert first[0] == 0x58
    assert second[0] == 0x48
    assert [gtpv2.decode(each).name for each in (first, second)] == ["create-session-response", "create-bearer-request"]
    theirs = scapy.GTPHeader(first)
    assert (theirs.P, theirs.seq, theirs.length) == (1, 7, len(first) - 4)
    assert scapy.GTPHeader(second).gtp_type == 95


async def test_it_does_not_where_the_mme_does_not_say_that_it_takes_it() -> None:
    names = [gtpv2.decode(each).name for each in await heard(NOT_PS)]
    assert names == ["create-session-response", "create-bearer-request"]


async def test_a_repeated_request_gets_both_again_and_a_silent_sgw_the_order_alone() -> None:
    bench, sgw = foreign(PGW)
    async with bench:
        octets = message(32, 0, 7, asked(bench, sgw, more=PS))
        to = bench.host.address_of("pgw", "S5-C")
        for _ in range(2):
            sgw.endpoint.send(octets, to, on="S5-C")
            await bench.settle()
        assert sgw.heard[0] == sgw.heard[1]
        await bench.sleep(3.5)
        assert sgw.heard[2:] == [gtpv2.split(sgw.heard[0])[1]]
        assert len(bench.pgw.core.sessions) == 1


class ForeignPgw(Scripted):
    """A PGW of another core, which orders a bearer with its answer."""

    declaration = Declaration(kind="pgw-script", title="PGW", lane=90, config=ElementConfig)
    interfaces: ClassVar[tuple[str, ...]] = ("S5-C",)

    def receive(self, data: bytes, source: Any) -> None:
        request = gtpv2.decode(data)
        self.heard.append(data)
        if request.name != "create-session-request":
            return
        teid = request["sender_f_teid"].teid
        made = {"ebi": 5, "cause": ACCEPTED, "s5_u_pgw": self.end(InterfaceType.S5_S8_PGW_GTP_U, 0x72)}
        ies = {
            "cause": ACCEPTED,
            "pgw_s5_f_teid": self.end(InterfaceType.S5_S8_PGW_GTP_C, 0x71),
            "paa": Paa(PdnType.IPV4, "198.51.100.9"),
            "bearer_contexts_created": (made,),
        }
        answer = Message("create-session-response", ies, teid, request.sequence)
        wanted = {"ebi": 0, "bearer_tft": TFT, "bearer_qos": QOS}
        wanted["s5_u_pgw"] = self.end(InterfaceType.S5_S8_PGW_GTP_U, 0x73)
        order = Message("create-bearer-request", {"linked_ebi": 5, "bearer_contexts": (wanted,)}, teid, 0x3333)
        self.endpoint.send(gtpv2.encode(answer, followed=True) + gtpv2.encode(order), source)

    def end(self, kind: InterfaceType, teid: int) -> FTeid:
        return FTeid.at(kind, teid, self.address)


def set_up_by(mme: GtpMme, enb: Scripted) -> None:
    """Let the MME set up what it is asked for, as bearer 6."""

    def told(asked_for: Message) -> dict[str, Any]:
        (context,) = asked_for["bearer_contexts"]
        end = FTeid.at(InterfaceType.S1_U_ENODEB_GTP_U, 0xE2, enb.address)
        made = {"ebi": 6, "cause": ACCEPTED, "s1_u_enodeb": end, "s1_u_sgw": context["s1_u_sgw"]}
        return {"cause": ACCEPTED, "bearer_contexts": (made,)}

    mme.answers["create-bearer-request"] = told


@pytest.mark.parametrize("transport", ["memory", "tcp"])
async def test_our_sgw_takes_both_of_another_pgw_and_brings_them_to_the_mme_one_by_one(transport: str) -> None:
    bench = Gateways(transport=transport, sgw={"pgws": ["another"]})
    pgw = bench.add("another", ForeignPgw)
    async with bench:
        set_up_by(bench.mme, bench.enb)
        to = scapy.IE_FTEID(ipv4_present=1, InterfaceType=7, GRE_Key=0, ipv4=pgw.address, instance=1)
        made = await bench.mme.create(pgw=to)
        await bench.settle()
        assert made.accepted
        frames = [gtpv2.decode(each.data).name for each in bench.of(Frame) if each.target == "mme"]
        assert frames == ["create-session-response", "create-bearer-request"]
        answer = gtpv2.decode(pgw.heard[-1])
        assert (answer.name, answer.sequence, answer.teid) == ("create-bearer-response", 0x3333, 0x71)
        assert answer["bearer_contexts"][0]["ebi"] == 6
