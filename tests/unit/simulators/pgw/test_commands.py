"""Commands of an MME to the PGW, by octets that scapy makes: a changed subscription, and what is not carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateways import Gateways, udp
from scapy.contrib import gtp_v2 as scapy

from simwarden.trace.records import CauseForRecClosing, ChargingRecord
from simwarden.wire.gtpv2 import Ambr, Cause, CauseIe

if TYPE_CHECKING:
    from simwarden.wire import gtpv2

NUMBER = 0x800007
ACCEPTED = CauseIe(Cause.REQUEST_ACCEPTED)


def lowered(ebi: int = 5, *more: Any) -> Any:
    """A Modify Bearer Command: 8 kbit/s up from now on."""
    context = scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=ebi), *more])
    return scapy.GTPV2ModifyBearerCommand(IE_list=[scapy.IE_AMBR(AMBR_Uplink=8, AMBR_Downlink=2000), context])


async def command(
    bench: Gateways,
    teid: int,
    payload: Any,
    *,
    kind: int = 64,
    cause: Cause = Cause.REQUEST_ACCEPTED,
    number: int = NUMBER,
) -> Any:
    """Give the SGW a command; return the last that the MME hears. Orders it answers by a cause."""

    def told(asked: gtpv2.Message) -> dict[str, Any]:
        (context,) = asked["bearer_contexts"]
        return {"cause": CauseIe(cause), "bearer_contexts": ({"ebi": context["ebi"], "cause": CauseIe(cause)},)}

    bench.mme.answers["update-bearer-request"] = told
    octets = bytes(scapy.GTPHeader(P=0, T=1, teid=teid, seq=number, gtp_type=kind) / payload)
    bench.mme.endpoint.send(octets, bench.host.address_of("sgw", "S11"), on="S11")
    await bench.settle()
    return next(reversed(bench.mme.messages()), None)


def rate(bench: Gateways) -> Ambr:
    (session,) = bench.pgw.core.sessions.values()
    return session.ambr


async def passes(bench: Gateways, made: gtpv2.Message, count: int = 4, octets: int = 900) -> int:
    """Send packets at once; return how many come out."""
    bench.enb.send(made, *[udp(made["paa"].ipv4, payload=bytes(octets))] * count)
    await bench.settle()
    return len(bench.net.received())


async def test_a_changed_rate_is_ordered_under_the_commands_number_and_holds() -> None:
    async with Gateways() as bench:
        made = await bench.session(ambr=scapy.IE_AMBR(AMBR_Uplink=80, AMBR_Downlink=2000))
        assert await passes(bench, made) == 4
        quality = scapy.IE_Bearer_QoS(PCI=1, PriorityLevel=3, PVI=0, QCI=8)
        order = await command(bench, made["sender_f_teid"].teid, lowered(5, quality))
        assert (order.name, order.sequence, order["apn_ambr"]) == ("update-bearer-request", NUMBER, Ambr(8, 2000))
        (context,) = order["bearer_contexts"]
        assert (context["ebi"], context["bearer_qos"].qci, context["bearer_qos"].arp.priority) == (5, 8, 3)
        (session,) = bench.pgw.core.sessions.values()
        assert (session.qos.qci, session.ambr) == (8, Ambr(8, 2000))
        assert await passes(bench, made) == 2
        assert {each.partition(":")[0] for each in bench.dropped()} == {"ambr"}
        await bench.mme.delete(made["sender_f_teid"].teid)
        closed = [each.fields["causeForRecClosing"] for each in bench.of(ChargingRecord) if each.element == "pgw"]
        assert closed == [CauseForRecClosing.APN_AMBR_CHANGE, CauseForRecClosing.NORMAL_RELEASE]


async def test_the_rate_holds_though_the_device_is_not_reached() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        await command(bench, made["sender_f_teid"].teid, lowered(), cause=Cause.UNABLE_TO_PAGE_UE)
        assert rate(bench) == Ambr(8, 2000)
        assert await passes(bench, made) == 2


async def test_of_another_bearer_or_session_it_fails() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        teid = made["sender_f_teid"].teid
        for number, (wrong, bearer) in enumerate(((teid, 6), (teid ^ 1, 5)), NUMBER):
            failure = await command(bench, wrong, lowered(bearer), number=number)
            assert (failure.name, failure.sequence) == ("modify-bearer-failure-indication", number)
            assert failure.cause is Cause.CONTEXT_NOT_FOUND
        assert rate(bench) == Ambr(1000, 2000)


async def test_a_foreign_sgw_changes_nothing() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        bench.pgw.core.config = bench.pgw.core.config.model_copy(update={"sgws": ("another",)})
        failure = await command(bench, made["sender_f_teid"].teid, lowered())
        assert (failure.name, failure.cause) == ("modify-bearer-failure-indication", Cause.INVALID_PEER)
        assert failure.teid == 0x11
        assert rate(bench) == Ambr(1000, 2000)
        assert bench.verdicts("pgw.peer")[-1] is False


async def test_a_pgw_that_is_silent_is_told_of() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        await bench.host.stop("pgw", kill=True)
        await command(bench, made["sender_f_teid"].teid, lowered())
        await bench.host.clock.sleep(15)
        await bench.settle()
        failure = next(each for each in bench.mme.messages() if each.name == "modify-bearer-failure-indication")
        assert failure.cause is Cause.REMOTE_PEER_NOT_RESPONDING


async def test_packets_that_a_device_wants_treated_better_are_not() -> None:
    """Bearer Resource Command (7.2.5) is not built: it fails, by the linked bearer and transaction that it names."""
    filters = bytes.fromhex("55000600") + bytes.fromhex("2130ff023011")
    asked = bytes(scapy.IE_EPSBearerID(EBI=5)) + bytes.fromhex("6400010007") + filters
    async with Gateways() as bench:
        made = await bench.session()
        failure = await command(bench, made["sender_f_teid"].teid, asked, kind=68)
        assert (failure.name, failure.sequence) == ("bearer-resource-failure-indication", NUMBER)
        assert (failure.cause, failure["linked_ebi"], failure["pti"]) == (Cause.SERVICE_NOT_SUPPORTED, 5, 7)
        assert failure.teid == 0x11
