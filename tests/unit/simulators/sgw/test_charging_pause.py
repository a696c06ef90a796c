"""Charging pauses at the PGW while the SGW does not reach a device (TS 23.401 5.3.6A), and at no other time."""

from __future__ import annotations

from typing import Any

import pytest
from gateways import SERVER, Gateways, udp
from scapy.contrib import gtp_v2 as scapy

from simwarden.trace.events import Frame
from simwarden.trace.records import ChargingRecord
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Cause, CauseIe, FTeid, Indication, InterfaceType

PACKET = udp(SERVER, "10.64.0.1")


async def unreachable(bench: Gateways) -> gtpv2.Message:
    """Set a session up of a device that is idle, and does not answer its paging."""
    made = await bench.session()
    teid = made["sender_f_teid"].teid
    await bench.mme.release(teid)
    bench.mme.answers["downlink-data-notification"] = {"cause": CauseIe(Cause.UNABLE_TO_PAGE_UE)}
    return made


async def down(bench: Gateways, packets: int = 1) -> None:
    """Send packets to the device, one after the other."""
    for _ in range(packets):
        bench.net.send(PACKET)
        await bench.settle()


def flags(bench: Gateways) -> list[Indication]:
    """Return the Indication flags of the Modify Bearer Requests that the SGW has sent."""
    frames = [gtpv2.decode(each.data) for each in bench.of(Frame) if (each.source, each.target) == ("sgw", "pgw")]
    return [each["indication_flags"] for each in frames if each.name == "modify-bearer-request"]


def is_paused(bench: Gateways) -> bool:
    (session,) = bench.pgw.core.sessions.values()
    return session.paused


async def charged(bench: Gateways, made: gtpv2.Message) -> dict[str, tuple[int, int]]:
    """End the session; return octets up and down, by the element that charged them."""
    await bench.mme.delete(made["sender_f_teid"].teid)
    volumes = {each.element: each.fields["listOfTrafficVolumes"][0] for each in bench.of(ChargingRecord)}
    return {name: (each["dataVolumeGPRSUplink"], each["dataVolumeGPRSDownlink"]) for name, each in volumes.items()}


async def test_what_an_unreachable_device_does_not_get_is_charged_until_the_pause() -> None:
    async with Gateways() as bench:
        made = await unreachable(bench)
        await down(bench, 5)
        assert flags(bench) == [Indication.PPON]
        assert is_paused(bench)
        assert bench.dropped() == ["the device was not reached"] * 5
        assert await charged(bench, made) == {"sgw": (0, 0), "pgw": (0, len(PACKET))}


async def test_charging_goes_on_when_the_device_is_reached() -> None:
    async with Gateways() as bench:
        made = await unreachable(bench)
        await down(bench, 3)
        assert (await bench.mme.modify(made["sender_f_teid"].teid)).accepted
        assert (flags(bench), is_paused(bench)) == ([Indication.PPON, Indication.PPOF], False)
        await down(bench, 2)
        assert len(bench.enb.received()) == 2
        assert await charged(bench, made) == {"sgw": (0, 2 * len(PACKET)), "pgw": (0, 4 * len(PACKET))}


async def test_a_packet_of_the_device_ends_the_pause_at_once() -> None:
    async with Gateways() as bench:
        made = await unreachable(bench)
        await down(bench)
        assert is_paused(bench)
        own = udp("10.64.0.1")
        bench.enb.send(made, own)
        await bench.settle()
        assert (bench.net.received(), is_paused(bench)) == ([own], False)
        assert (await charged(bench, made))["pgw"] == (len(own), len(PACKET))


@pytest.mark.parametrize(("threshold", "sent", "paused"), [(1, 1, True), (3, 2, False), (3, 3, True)])
async def test_the_sgw_waits_for_its_threshold(threshold: int, sent: int, *, paused: bool) -> None:
    async with Gateways(sgw={"pause_threshold": threshold}) as bench:
        await unreachable(bench)
        await down(bench, sent)
        assert is_paused(bench) is paused


async def test_packets_beyond_the_buffer_count_as_dropped() -> None:
    async with Gateways(sgw={"buffered_packets": 2}) as bench:
        made = await bench.session()
        await bench.mme.release(made["sender_f_teid"].teid)
        bench.net.send(PACKET, PACKET)
        await bench.settle()
        assert not is_paused(bench)
        await down(bench)
        assert is_paused(bench)


@pytest.mark.parametrize(
    "settings", [{"sgw": {"charging_pause": False}}, {"pgw": {"apns": {"*": {"charging_pause": False}}}}]
)
async def test_without_the_support_of_both_nothing_pauses(settings: dict[str, Any]) -> None:
    async with Gateways(**settings) as bench:
        made = await unreachable(bench)
        await down(bench, 4)
        assert (flags(bench), is_paused(bench)) == ([], False)
        assert (await charged(bench, made))["pgw"] == (0, 4 * len(PACKET))


async def test_a_session_that_ends_while_packets_wait_is_not_paused() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        await bench.mme.release(made["sender_f_teid"].teid)
        await down(bench)
        await bench.mme.delete(made["sender_f_teid"].teid)
        assert flags(bench) == []


async def test_another_connection_of_the_device_goes_on_being_charged() -> None:
    async with Gateways() as bench:
        made = await unreachable(bench)
        qos = scapy.IE_Bearer_QoS(PCI=1, PriorityLevel=8, PVI=0, QCI=9)
        bearer = scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=6), qos])
        assert (await bench.mme.create(bearer=bearer, apn=scapy.IE_APN(APN=b"service"))).accepted
        await down(bench)
        paused = {each.ebi: each.paused for each in bench.pgw.core.sessions.values()}
        assert paused == {5: True, 6: False}
        assert (await bench.mme.modify(made["sender_f_teid"].teid, 6)).accepted
        assert flags(bench) == [Indication.PPON]  # of the other one nothing is told


async def test_another_sgw_resumes_charging_and_says_whether_it_may_pause() -> None:
    async with Gateways() as bench:
        made = await unreachable(bench)
        await down(bench)
        (session,) = bench.pgw.core.sessions.values()
        sender = session.sgw._replace(teid=0x77)
        told = await bench.ask_pgw(
            "modify-bearer-request", session.teid, sender_f_teid=sender, indication_flags=Indication.PPSI
        )
        assert (session.paused, told["indication_flags"]) == (False, Indication.PPON)
        told = await bench.ask_pgw("modify-bearer-request", session.teid, sender_f_teid=session.sgw._replace(teid=0x78))
        assert (session.pausable, "indication_flags" in told.ies) == (False, False)
        assert made.accepted


@pytest.mark.parametrize(("most", "delivered"), [(0, 0), (1, 1), (2, 2), (64, 9)])
async def test_packets_of_the_pause_are_delivered_beyond_one_only_where_that_is_asked_for(
    most: int, delivered: int
) -> None:
    """A server that helps sends packets to a device that has not answered its paging, and answers it now."""
    async with Gateways(sgw={"paused_packets": most}) as bench:
        made = await unreachable(bench)
        await down(bench)
        bench.mme.answers["downlink-data-notification"] = {"cause": CauseIe(Cause.REQUEST_ACCEPTED)}
        await down(bench, 9)
        assert (await bench.mme.modify(made["sender_f_teid"].teid)).accepted
        await bench.settle()
        assert len(bench.enb.received()) == delivered
        assert bench.dropped().count("it was received during a charging pause") == 9 - delivered
        octets = delivered * len(PACKET), 2 * len(PACKET)  # the PGW: the one before the pause, and one of it
        assert await charged(bench, made) == {"sgw": (0, octets[0]), "pgw": (0, octets[1])}


async def test_packets_that_were_charged_before_the_pause_are_delivered() -> None:
    async with Gateways(sgw={"buffered_packets": 3}) as bench:
        made = await bench.session()
        await bench.mme.release(made["sender_f_teid"].teid)
        await down(bench, 5)  # the fourth is dropped, and the fifth is not charged
        assert is_paused(bench)
        assert (await bench.mme.modify(made["sender_f_teid"].teid)).accepted
        await bench.settle()
        assert len(bench.enb.received()) == 3
        assert await charged(bench, made) == {"sgw": (0, 3 * len(PACKET)), "pgw": (0, 5 * len(PACKET))}


async def test_packets_of_an_idle_bearer_pause_nothing_while_the_device_is_connected() -> None:
    alarm = {"qci": 7, "filters": [{"remote": "203.0.113.66/32"}]}
    async with Gateways(pgw={"apns": {"*": {"bearers": {"alarm": alarm}}}}, sgw={"buffered_packets": 2}) as bench:
        end = FTeid.at(InterfaceType.S1_U_ENODEB_GTP_U, 0xE2, bench.enb.address)

        def told_by_mme(asked: gtpv2.Message) -> dict[str, Any]:
            (context,) = asked["bearer_contexts"]
            accepted = CauseIe(Cause.REQUEST_ACCEPTED)
            made = {"ebi": 6, "cause": accepted, "s1_u_enodeb": end, "s1_u_sgw": context["s1_u_sgw"]}
            return {"cause": accepted, "bearer_contexts": (made,)}

        bench.mme.answers["create-bearer-request"] = told_by_mme
        made = await bench.session()
        await bench.settle()
        await bench.mme.release(made["sender_f_teid"].teid)
        assert (await bench.mme.modify(made["sender_f_teid"].teid)).accepted  # the radio bearer of alarms is not there
        bench.net.send(*[udp("203.0.113.66", "10.64.0.1")] * 4)
        await bench.settle()
        assert bench.dropped() == ["too many packets wait for the device"] * 2
        assert (flags(bench), is_paused(bench)) == ([], False)
        await down(bench)
        assert len(bench.enb.received()) == 1
        assert (await charged(bench, made))["pgw"] == (0, 4 * len(udp("203.0.113.66", "10.64.0.1")) + len(PACKET))
