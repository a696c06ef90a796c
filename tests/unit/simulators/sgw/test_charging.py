"""CDRs of both gateways: sums equal to what was on the wire, containers by place, and records that go on in others."""

from __future__ import annotations

from typing import Any

import pytest
from gateways import ENB_TEID, IMSI, NUMBER, SERVER, Gateways, udp
from scapy.contrib import gtp_v2 as scapy
from scapy.packet import Raw

from simwarden.operations.management import Role
from simwarden.runtime.gtp.node import Peer
from simwarden.trace.records import CauseForRecClosing, ChargingRecord

_C = CauseForRecClosing
SGW, PGW = "sGWRecord", "pGWRecord"


def place(cell: int) -> Raw:
    """TAI and ECGI: of network 001-01, area 1."""
    return Raw(bytes.fromhex("5600" + "0d00" + "18" + "00f110" + "0001" + "00f110") + cell.to_bytes(4))


def records(bench: Gateways, kind: str) -> list[Any]:
    return [each.fields for each in bench.of(ChargingRecord) if each.record == kind]


def volumes(fields: Any) -> list[tuple[int, int]]:
    return [(each["dataVolumeGPRSUplink"], each["dataVolumeGPRSDownlink"]) for each in fields["listOfTrafficVolumes"]]


async def exchange(bench: Gateways, made: Any, *sizes: int) -> int:
    """Send packets of these sizes both ways; return the octets of each way on the wire."""
    address = made["paa"].ipv4
    packets = [udp(address, payload=bytes(size)) for size in sizes]
    bench.enb.send(made, *packets)
    bench.net.send(*[udp(SERVER, address, bytes(size)) for size in sizes])
    await bench.settle()
    up, down = bench.net.received(), [inner for _, inner in bench.enb.received()]
    assert up == packets
    assert len(down) == len(sizes)
    assert sum(map(len, up)) == sum(map(len, down))
    return sum(map(len, up))


async def test_one_record_with_what_was_on_the_wire() -> None:
    async with Gateways() as bench:
        made = await bench.session(place=place(0x101))
        octets = await exchange(bench, made, 0, 100, 1300)
        await bench.host.clock.sleep(60)
        await bench.mme.delete(made["sender_f_teid"].teid)
        (sgw,), (pgw,) = records(bench, SGW), records(bench, PGW)
        assert volumes(sgw) == volumes(pgw) == [(octets, octets)]
        for fields in (sgw, pgw):
            assert (fields["servedIMSI"], fields["servedMSISDN"]) == (IMSI, NUMBER)
            assert (fields["causeForRecClosing"], fields["duration"]) == (_C.NORMAL_RELEASE, 60)
            assert fields["accessPointNameNI"] == "meters"
            assert (fields["pdpPDNType"], fields["servedPDPPDNAddress"]) == ("IPV4", "10.64.0.1")
            assert "recordSequenceNumber" not in fields
            assert fields["listOfTrafficVolumes"][0]["userLocationInformation"] == "001-01-0001 001-01-0000101"
        assert sgw["chargingID"] == pgw["chargingID"]
        assert (sgw["s-GWAddress"], sgw["p-GWAddressUsed"]) == (bench.sgw.core.node.address, pgw["p-GWAddress"])
        assert (sgw["servingNodeType"], sgw["servingNodeAddress"]) == (["mME"], [bench.mme.address])


async def test_a_container_for_each_place() -> None:
    async with Gateways() as bench:
        made = await bench.session(place=place(0x101))
        teid, sent = made["sender_f_teid"].teid, []
        for cell in (0x102, 0x103):
            sent.append(await exchange(bench, made, 50))
            await bench.host.clock.sleep(10)
            await bench.mme.modify(teid, more=[place(cell)])
        sent.append(await exchange(bench, made, 10, 20))
        await bench.mme.delete(teid)
        for kind in (SGW, PGW):
            (fields,) = records(bench, kind)
            told = fields["listOfTrafficVolumes"]
            assert volumes(fields) == [(each, each) for each in sent]
            assert [each["userLocationInformation"][-7:] for each in told] == ["0000101", "0000102", "0000103"]
            conditions = [each["changeCondition"] for each in told]
            assert conditions == ["userLocationChange", "userLocationChange", "recordClosure"]
            assert told[0]["changeTime"] < told[1]["changeTime"]


LIMITS = [
    ({"volume": 200}, [_C.VOLUME_LIMIT, _C.VOLUME_LIMIT, _C.NORMAL_RELEASE]),
    ({"time": 15}, [_C.TIME_LIMIT, _C.NORMAL_RELEASE]),
    ({"changes": 2}, [_C.MAX_CHANGE_COND, _C.NORMAL_RELEASE]),
]


@pytest.mark.parametrize(("limits", "causes"), LIMITS, ids=["volume", "time", "changes"])
async def test_records_that_go_on_in_others(limits: dict[str, int], causes: list[Any]) -> None:
    settings = {"partial_records": limits}
    async with Gateways(sgw=settings, pgw=settings) as bench:
        made = await bench.session(place=place(0x101))
        teid, sent = made["sender_f_teid"].teid, 0
        for cell in (0x102, 0x103):
            sent += await exchange(bench, made, 100)
            await bench.host.clock.sleep(10)
            await bench.mme.modify(teid, more=[place(cell)])
        await bench.mme.delete(teid)
        for kind in (SGW, PGW):
            found = records(bench, kind)
            assert [each["causeForRecClosing"] for each in found] == causes
            assert [each["recordSequenceNumber"] for each in found] == list(range(1, len(causes) + 1))
            assert [each["localSequenceNumber"] for each in found] == list(range(1, len(causes) + 1))
            counted = [each for fields in found for each in volumes(fields)]
            assert (sum(up for up, _ in counted), sum(down for _, down in counted)) == (sent, sent)
            assert all(each["listOfTrafficVolumes"][-1]["changeCondition"] == "recordClosure" for each in found)
        await bench.host.clock.sleep(60)  # no timer of a closed record
        assert len(records(bench, SGW)) == len(causes)


@pytest.mark.parametrize(
    ("change", "at_sgw", "at_pgw"),
    [
        ("rat", _C.RAT_CHANGE, _C.RAT_CHANGE),
        ("zone", None, _C.MS_TIME_ZONE_CHANGE),
        ("mme", _C.SERVING_NODE_CHANGE, None),
    ],
)
async def test_what_makes_a_record_untrue_closes_it(change: str, at_sgw: Any, at_pgw: Any) -> None:
    async with Gateways() as bench:
        made = await bench.session()
        more = {
            "rat": scapy.IE_RAT(RAT_type=9),
            "zone": Raw(bytes.fromhex("72" + "0002" + "00" + "2300")),  # UE Time Zone: 8 hours before Greenwich
            "mme": scapy.IE_FTEID(ipv4_present=1, InterfaceType=10, GRE_Key=7, ipv4="127.9.9.9"),
        }[change]
        await bench.mme.modify(made["sender_f_teid"].teid, more=[more])
        await bench.mme.delete(made["sender_f_teid"].teid)
        for kind, cause in ((SGW, at_sgw), (PGW, at_pgw)):
            causes = [each["causeForRecClosing"] for each in records(bench, kind)]
            assert causes == [*([cause] if cause is not None else []), _C.NORMAL_RELEASE]
        first, last = records(bench, SGW)[0], records(bench, SGW)[-1]
        assert (first["rATType"], last["rATType"]) == ("EUTRAN", "LTE_M" if change == "rat" else "EUTRAN")
        assert last["servingNodeAddress"] == ["127.9.9.9" if change == "mme" else bench.mme.address]


@pytest.mark.parametrize("who", ["pgw ends", "pgw lost", "mme lost"])
async def test_how_it_ended(who: str) -> None:
    async with Gateways() as bench:
        made = await bench.session()
        await exchange(bench, made, 10)
        if who == "pgw ends":
            await bench.pgw.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        elif who == "pgw lost":
            bench.pgw.core.gateway.plane.close(next(iter(bench.pgw.core.by_teid.values())).user_teid)
            bench.enb.send(made, udp(made["paa"].ipv4))
        else:
            bench.sgw.core.node.on_restart(Peer("mme", bench.mme.address))
        await bench.settle()
        (fields,) = records(bench, SGW)
        expected = _C.NORMAL_RELEASE if who == "pgw ends" else _C.ABNORMAL_RELEASE
        assert fields["causeForRecClosing"] == expected


async def test_what_waits_is_counted_when_it_goes_on() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        await bench.mme.release(made["sender_f_teid"].teid)
        packet = udp(SERVER, made["paa"].ipv4)
        bench.net.send(packet)
        await bench.settle()
        await bench.mme.modify(made["sender_f_teid"].teid)
        await bench.settle()
        assert bench.enb.received() == [(ENB_TEID, packet)]
        await bench.mme.delete(made["sender_f_teid"].teid)
        assert volumes(records(bench, SGW)[0]) == volumes(records(bench, PGW)[0]) == [(0, len(packet))]


async def test_a_session_that_is_refused_leaves_no_record() -> None:
    async with Gateways() as bench:
        refused = await bench.mme.create(msisdn=None)
        assert not refused.accepted
        assert records(bench, SGW) == records(bench, PGW) == []
