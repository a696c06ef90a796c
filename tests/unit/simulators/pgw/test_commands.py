"""Commands of an MME to the PGW, by octets that scapy makes: a changed subscription, and what is not carried out."""

from __future__ import annotations

from typing import Any

import gateways
import pytest
from gateways import Gateways, udp
from scapy.contrib import gtp_v2 as scapy

from simulators.pgw.session import Bearer
from simwarden.trace.events import Frame
from simwarden.trace.records import CauseForRecClosing, ChargingRecord
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Ambr, BearerQos, Cause, CauseIe, FTeid, InterfaceType
from simwarden.wire.tft import Filter

NUMBER = 0x800007
ACCEPTED = CauseIe(Cause.REQUEST_ACCEPTED)


def create(bench: Gateways, session: Any) -> Bearer:
    """A bearer that stands already."""
    bearer = Bearer("alarm", BearerQos(3), (Filter(protocol=17),), session.uplink, session.downlink, 1, ebi=6)
    bench.pgw.core.gateway.open_bearer(session, bearer)
    return bearer


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


async def test_of_a_rate_that_is_not_carried_out_and_the_one_before_the_lower_holds() -> None:
    quality = scapy.IE_Bearer_QoS(PriorityLevel=3, QCI=8)
    async with Gateways() as bench:
        made = await bench.session()
        await command(bench, made["sender_f_teid"].teid, lowered(5, quality), cause=Cause.UNABLE_TO_PAGE_UE)
        (session,) = bench.pgw.core.sessions.values()
        assert (session.ambr, session.qos.qci) == (Ambr(1000, 2000), 9)
        await bench.sleep(1)
        assert await passes(bench, made) == 2


async def test_until_an_order_is_refused_its_rate_holds_and_of_two_the_later_one() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        teid, bench.mme.silent = made["sender_f_teid"].teid, True
        await command(bench, teid, lowered())
        assert (rate(bench), await passes(bench, made)) == (Ambr(8, 2000), 2)
        await bench.sleep(6)  # in the middle of the first
        bench.mme.silent = False
        later = scapy.GTPV2ModifyBearerCommand(
            IE_list=[
                scapy.IE_AMBR(AMBR_Uplink=16, AMBR_Downlink=2000),
                scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=5)]),
            ]
        )
        await command(bench, teid, later, number=NUMBER + 1)
        await bench.sleep(60)
        assert rate(bench) == Ambr(16, 2000)


async def test_a_session_that_ends_in_the_middle_of_a_changed_rate_has_no_other_record() -> None:
    async with Gateways() as bench:
        teid = (await bench.session())["sender_f_teid"].teid
        bench.mme.silent = True
        await command(bench, teid, lowered())
        await bench.mme.delete(teid)
        await bench.sleep(60)
        closed = [each.fields["causeForRecClosing"] for each in bench.of(ChargingRecord) if each.element == "pgw"]
        assert closed == [CauseForRecClosing.APN_AMBR_CHANGE, CauseForRecClosing.NORMAL_RELEASE]


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


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("name", "ies"),
    [
        ("modify-bearer", {"apn_ambr": Ambr(8, 2000), "bearer_context": {"ebi": 6}}),
        ("delete-bearer", {"bearer_contexts": ({"ebi": 6}, {"ebi": 0})}),
        ("bearer-resource", {"linked_ebi": 6, "pti": 7, "tad": bytes.fromhex("213000053011501633")}),
    ],
)
async def test_what_an_sgw_commands_of_another_bearer_or_of_no_session(
    name: str, ies: dict[str, Any], *, known: bool
) -> None:
    async with Gateways() as bench:
        made = await bench.session()
        if not known:  # all else is right
            ies = {each: 5 if each == "linked_ebi" else value for each, value in ies.items()}
            ies |= {"bearer_context": {"ebi": 5}} if "bearer_context" in ies else {}
        teid = made["pgw_s5_f_teid"].teid
        failure = await bench.ask_pgw(f"{name}-command", teid if known else teid ^ 1, **ies)
        assert (failure.name, failure.cause) == (f"{name}-failure-indication", Cause.CONTEXT_NOT_FOUND)
        (session,) = bench.pgw.core.sessions.values()
        assert failure.teid == (session.sgw.teid if known else 0)
        assert (session.ambr, session.bearers) == (Ambr(1000, 2000), {})
        assert bench.pgw.census() == {"sessions": 1, "EPS bearers": 1}


async def test_a_rate_that_stays_opens_no_other_record() -> None:
    async with Gateways() as bench:
        made = await bench.session(ambr=scapy.IE_AMBR(AMBR_Uplink=8, AMBR_Downlink=2000))
        await command(bench, made["sender_f_teid"].teid, lowered(5, scapy.IE_Bearer_QoS(PriorityLevel=3, QCI=8)))
        (session,) = bench.pgw.core.sessions.values()
        assert (session.qos.qci, rate(bench)) == (8, Ambr(8, 2000))
        await bench.mme.delete(made["sender_f_teid"].teid)
        (record,) = [each for each in bench.of(ChargingRecord) if each.element == "pgw"]
        assert record.fields["causeForRecClosing"] == CauseForRecClosing.NORMAL_RELEASE


ALARM: dict[str, Any] = {
    "qci": 3,
    "guaranteed": [64, 64],
    "maximum": [128, 128],
    "filters": [{"protocol": "udp", "ports": "5683"}],
}
UDP, ALARMS = "2130000230" + "11", "21300005" + "3011" + "501633"
#: QCI 3 with guaranteed rates, uplink and downlink
RATES = "03" + "00000000800000000080" + "{:010x}{:010x}"


def wanted(tad: str = ALARMS, qos: str = RATES.format(64, 64), ebi: int = 0, linked: int = 5) -> bytes:
    """A Bearer Resource Command (7.2.5) of procedure transaction 7, in the order of its table."""

    def ie(kind: int, content: bytes, instance: int = 0) -> bytes:
        return bytes((kind,)) + len(content).to_bytes(2) + bytes((instance,)) + content

    parts = [ie(73, bytes((linked,))), ie(100, b"\x07"), ie(85, bytes.fromhex(tad)), ie(82, b"\x06")]
    parts += [ie(81, bytes.fromhex(qos))] if qos else []
    return b"".join([*parts, *([ie(73, bytes((ebi,)), 1)] if ebi else [])])


def failures(bench: Gateways) -> int:
    """How often the PGW has said that it does not do what a device asks for."""
    told = [gtpv2.decode(each.data) for each in bench.of(Frame) if each.source == "pgw" and each.interface == "S5-C"]
    return sum(each.name == "bearer-resource-failure-indication" for each in told)


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        (wanted(UDP), Cause.REQUEST_REJECTED),  # more packets than it may have
        (wanted(qos=RATES.format(65, 64)), Cause.REQUEST_REJECTED),
        (wanted(qos=RATES.format(64, 65)), Cause.REQUEST_REJECTED),
        (wanted(qos="01" + RATES.format(64, 64)[2:]), Cause.REQUEST_REJECTED),
        (wanted(qos=""), Cause.REQUEST_REJECTED),
        (wanted("a100"), Cause.REQUEST_REJECTED),  # filters of a bearer are to go, and it names none
        (wanted("a100", ebi=6), Cause.REQUEST_REJECTED),
        (wanted("20"), Cause.SYNTACTIC_ERROR_IN_THE_TAD_OPERATION),
        (wanted("21300000"), Cause.SYNTACTIC_ERRORS_IN_PACKET_FILTERS),
        (wanted("21300008" + "400001" + "4100010002"), Cause.SEMANTIC_ERRORS_IN_PACKET_FILTERS),
        (wanted(linked=6), Cause.CONTEXT_NOT_FOUND),
    ],
)
async def test_what_a_device_may_not_have(asked: bytes, cause: Cause) -> None:
    async with Gateways(pgw={"apns": {"*": {"requests": {"alarm": ALARM}}}}) as bench:
        made = await bench.session()
        failure = await command(bench, made["sender_f_teid"].teid, asked, kind=68)
        assert (failure.name, failure.sequence) == ("bearer-resource-failure-indication", NUMBER)
        assert (failure.cause, failure["pti"], failure.teid) == (cause, 7, 0x11)
        assert failure["cause"].remote is (cause is not Cause.CONTEXT_NOT_FOUND)
        assert bench.sgw.census()["tunnels"] == 2


async def test_by_itself_a_device_gets_no_bearer_and_of_a_foreign_sgw_none() -> None:
    async with Gateways() as bench:
        teid = (await bench.session())["sender_f_teid"].teid
        failure = await command(bench, teid, wanted(), kind=68)
        assert failure.cause is Cause.REQUEST_REJECTED
        bench.pgw.core.config = bench.pgw.core.config.model_copy(update={"sgws": ("another",)})
        failure = await command(bench, teid, wanted(), kind=68, number=NUMBER + 1)
        assert failure.cause is Cause.INVALID_PEER
        assert bench.verdicts("pgw.peer")[-1] is False


async def test_what_a_device_may_have_is_set_up_and_ended_under_its_commands_numbers() -> None:
    end = FTeid.at(InterfaceType.S1_U_ENODEB_GTP_U, 0xE2, "192.0.2.99")

    def told(asked: gtpv2.Message) -> dict[str, Any]:
        (context,) = asked["bearer_contexts"]
        made = {"ebi": 6, "cause": ACCEPTED, "s1_u_enodeb": end, "s1_u_sgw": context["s1_u_sgw"]}
        return {"cause": ACCEPTED, "bearer_contexts": (made,)}

    both = {**ALARM, "filters": [*ALARM["filters"], {"protocol": 1}], "cards": [gateways.IMSI]}
    async with Gateways(pgw={"apns": {"*": {"requests": {"alarm": both}}}}) as bench:
        bench.mme.answers["create-bearer-request"] = told
        teid = (await bench.session())["sender_f_teid"].teid
        order = await command(bench, teid, wanted(), kind=68)
        assert (order.name, order.sequence, order["pti"]) == ("create-bearer-request", NUMBER, 7)
        (session,) = bench.pgw.core.sessions.values()
        assert (session.bearers["alarm"].ebi, session.bearers["alarm"].qos.qci) == (6, 3)
        assert failures(bench) == 0
        again = await command(bench, teid, wanted(), kind=68, number=NUMBER + 1)
        assert again.cause is Cause.REQUEST_REJECTED  # it has it
        for number, changed in enumerate((UDP, "a100", "a101"), NUMBER + 2):  # it keeps packets, and so the bearer
            kept = await command(bench, teid, wanted(changed, "", 6), kind=68, number=number)
            assert kept.cause is Cause.REQUEST_REJECTED
        order = await command(bench, teid, wanted("a20001", "", 6), kind=68, number=NUMBER + 5)
        assert (order.name, order.sequence, order["pti"], order["ebis"]) == (
            "delete-bearer-request",
            NUMBER + 5,
            7,
            (6,),
        )
        assert session.bearers == {}
        assert bench.sgw.census()["tunnels"] == 2
        assert failures(bench) == 4


async def test_rates_are_no_matter_of_a_bearer_without_guaranteed_ones() -> None:
    video = {"qci": 8, "filters": ALARM["filters"]}
    async with Gateways(pgw={"apns": {"*": {"requests": {"video": video}}}}) as bench:
        bench.mme.answers["create-bearer-request"] = {"cause": CauseIe(Cause.NO_RESOURCES_AVAILABLE)}
        teid = (await bench.session())["sender_f_teid"].teid
        order = await command(bench, teid, wanted(qos="08" + RATES.format(64, 64)[2:]), kind=68)
        assert (order.name, order["bearer_contexts"][0]["bearer_qos"].qci) == ("create-bearer-request", 8)


async def test_what_is_another_cards_to_ask_for() -> None:
    other = {**ALARM, "cards": ["001010000000002"]}
    async with Gateways(pgw={"apns": {"*": {"requests": {"alarm": other}}}}) as bench:
        teid = (await bench.session())["sender_f_teid"].teid
        assert (await command(bench, teid, wanted(), kind=68)).cause is Cause.REQUEST_REJECTED


async def test_a_bearer_of_the_networks_is_not_the_devices_to_end() -> None:
    async with Gateways(pgw={"apns": {"*": {"bearers": {"alarm": ALARM}}}}) as bench:
        bench.mme.answers["create-bearer-request"] = {"cause": CauseIe(Cause.NO_RESOURCES_AVAILABLE)}
        teid = (await bench.session())["sender_f_teid"].teid
        (session,) = bench.pgw.core.sessions.values()
        session.bearers["alarm"] = bearer = create(bench, session)
        failure = await command(bench, teid, wanted("a100", "", 6), kind=68)
        assert failure.cause is Cause.REQUEST_REJECTED
        assert session.bearers == {"alarm": bearer}


async def test_a_silent_pgw_has_given_no_bearer() -> None:
    async with Gateways() as bench:
        teid = (await bench.session())["sender_f_teid"].teid
        await bench.host.stop("pgw", kill=True)
        await command(bench, teid, wanted(), kind=68)
        await bench.sleep(15)
        failure = next(each for each in bench.mme.messages() if each.name == "bearer-resource-failure-indication")
        assert (failure.cause, failure["pti"]) == (Cause.REMOTE_PEER_NOT_RESPONDING, 7)
