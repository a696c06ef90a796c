"""Octets that an OCS grants: no more reach the far ends, whatever it says or does not say, and however many flows."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest
from charging import REALM
from credit_net import APPROVED, GROUPS, ScriptedOcs, card
from gateways import IMSI, NUMBER, SERVER, Gateways
from scapy.contrib import gtp_v2 as scapy

from simulators.ocs.element import Ocs
from simulators.pgw.credit import MOST_WAITING
from simulators.pgw.flow_table import FlowKind
from simwarden.policy.flow_rule import FlowFilter, FlowRule
from simwarden.policy.rule_set import RuleSet
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.trace.events import Note, PacketDropped
from simwarden.trace.records import FlowRecord
from simwarden.wire import ip
from simwarden.wire.diameter import RawAvp, first
from simwarden.wire.gtpv2 import Cause, CauseIe, ChangeReportingAction, RatType, UeTimeZone

if TYPE_CHECKING:
    from pathlib import Path

    from simwarden.wire.gtpv2 import Message

PGW = f"pgw.{REALM}"
OTHER_BEARER = scapy.IE_BearerContext(
    IE_list=[scapy.IE_EPSBearerID(EBI=6), scapy.IE_Bearer_QoS(PCI=1, PriorityLevel=8, PVI=0, QCI=9)]
)
FAST = {"ambr": scapy.IE_AMBR(AMBR_Uplink=900_000, AMBR_Downlink=900_000)}


def units(octets: int, *more: tuple[str, Any], group: int = 1) -> Any:
    return GROUPS, [
        ("Granted-Service-Unit", [("CC-Total-Octets", octets)]),
        ("Rating-Group", group),
        ("Result-Code", 2001),
        *more,
    ]


FINAL = ("Final-Unit-Indication", [("Final-Unit-Action", 0)])


class ScriptedGy(ScriptedOcs):
    """An OCS on Gy that answers what the test has next, the last of it again and again."""

    declaration = Declaration(kind="ocs", title="OCS", lane=86, config=ElementConfig, listens=("Gy",))
    interface = "Gy"

    async def start(self) -> None:
        await super().start()
        self.script: list[Any] = [[units(1000)]]
        self.answers["credit-control"] = self.next
        self.delay = 0.0

    async def answer(self, message: Any, _peer: Any) -> Any:
        await self.site.clock.sleep(self.delay)
        return await super().answer(message, _peer)

    def next(self, asked: Any) -> Any:
        if asked.get("CC-Request-Type") == 3:
            return []
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


class Net(Gateways):
    """Gateways with an OCS, a scripted one or ours."""

    def __init__(
        self, kind: type[Any] = ScriptedGy, *script: Any, ocs: dict[str, Any] | None = None, store: str = "", **apn: Any
    ) -> None:
        super().__init__(pgw={"apns": {"*": {"gy": "ocs", **apn}}}, stores={"ocs": store})
        self.ocs = self.add("ocs", kind, ocs or {})
        self.script = list(script)

    async def start(self) -> None:
        await super().start()
        if self.script:
            self.ocs.script = self.script

    async def provision(self, octets: int) -> None:
        await self.call("PUT", f"/cards/{IMSI}", card({"data": octets}, IMSI, NUMBER), element="ocs")

    async def used(self) -> int:
        return int((await self.call("GET", f"/cards/{IMSI}", element="ocs"))["used"]["data"])

    async def up(self, made: Message, size: int, port: int = 5683, near: int = 40000) -> bool:
        """Send a packet of the device of so many octets; whether it reached SGi."""
        sent = packet(made, size, port, near)
        self.enb.send(made, sent)
        await self.settle()
        return self.net.received() == [sent]

    async def down(self, made: Message, size: int, port: int = 5683) -> bool:
        """Send a packet to the device; whether it reached the eNB."""
        payload = b"d" * (size - 28)
        sent = ip.encode(ip.encode_udp(ip.Udp(port, 40000, payload), SERVER, made["paa"].ipv4))
        self.net.send(sent)
        await self.settle()
        return [each for _, each in self.enb.received()] == [sent]

    def ended(self) -> list[int]:
        """Return the causes by which sessions were ended."""
        return [each["cause"].value for each in self.mme.asked if each.name == "delete-bearer-request"]

    def told(self) -> list[Any]:
        """Return what the scripted OCS was asked: type, and of each group what was used and whether more is wanted."""
        return [
            (
                each.get("CC-Request-Type"),
                *(
                    (
                        first(first(one, "Used-Service-Unit", ()), "CC-Total-Octets"),
                        first(one, "Requested-Service-Unit") is not None,
                    )
                    for one in each.all(GROUPS)
                ),
            )
            for each in self.ocs.asked
        ]


def packet(made: Message, size: int, port: int = 5683, near: int = 40000) -> bytes:
    return ip.encode(ip.encode_udp(ip.Udp(near, port, b"u" * (size - 28)), made["paa"].ipv4, SERVER))


async def test_packets_pass_to_the_octet_and_no_further() -> None:
    async with Net(ScriptedGy, [units(500, FINAL)]) as net:
        made = await net.session(**FAST)
        assert [await net.up(made, 200), await net.down(made, 300)] == [True, True]
        assert not await net.up(made, 29)
        assert net.ended() == [9]
        assert net.told() == [(1, (None, True)), (3, (500, False))]
        assert net.verdicts("data.quota") == [True, False]
    (record,) = net.of(FlowRecord)
    assert (record.uplink_octets, record.downlink_octets, record.dropped_packets) == (200, 300, 1)
    assert record.rule == "data.quota"


async def test_a_packet_that_does_not_fit_waits_for_more_and_others_behind_it() -> None:
    async with Net(ScriptedGy, [units(100)], [units(5000, FINAL)]) as net:
        made = await net.session(**FAST)
        sizes = (90, 300, 40, 50)
        net.enb.send(made, *(packet(made, size) for size in sizes))
        await net.settle()
        assert [len(each) for each in net.net.received()] == list(sizes)
        assert net.told() == [(1, (None, True)), (2, (90, True))]


async def test_a_packet_that_waited_for_octets_makes_its_flow_a_lasting_one() -> None:
    async with Net(ScriptedGy, [units(300)], [units(5000, FINAL)]) as net:
        made = await net.session(**FAST)
        assert [await net.up(made, 90), await net.down(made, 90), await net.down(made, 90)] == [True] * 3
        assert await net.up(made, 300)
        (session,) = net.pgw.core.sessions.values()
        assert [count.kind for count in session.flows.values()] == [FlowKind.DATAGRAMS]


async def test_what_a_grant_has_no_room_for_any_more_has_another_asked_for() -> None:
    async with Net(ScriptedGy, [units(100)], [units(250)], [units(1000)]) as net:
        made = await net.session(**FAST)
        net.enb.send(made, *(packet(made, 200) for _ in range(3)))
        await net.settle()
        assert [len(each) for each in net.net.received()] == [200, 200, 200]
        assert net.told() == [(1, (None, True)), (2, (0, True)), (2, (200, True))]


async def test_what_waits_is_bounded_and_dropped_when_nothing_more_is_granted() -> None:
    async with Net(ScriptedGy, [units(100)], 4012) as net:
        made = await net.session(**FAST)
        net.enb.send(made, *(packet(made, 101) for _ in range(MOST_WAITING + 10)))
        await net.settle()
        assert net.net.received() == []
        assert len(net.of(PacketDropped)) == MOST_WAITING + 10
        assert net.ended() == [9]


async def test_one_packet_of_a_pause_is_paid_when_the_device_is_there_again() -> None:
    """A server that helps sends it large ones, after a small one for which the device has not answered its paging."""
    async with Net(ScriptedGy, [units(1000)]) as net:
        made = await net.session(**FAST)
        teid = made["sender_f_teid"].teid
        await net.mme.release(teid)
        net.mme.answers["downlink-data-notification"] = {"cause": CauseIe(Cause.UNABLE_TO_PAGE_UE)}
        assert not await net.down(made, 30)
        net.mme.answers.clear()
        assert [await net.down(made, size) for size in (400, 500, 300)] == [False] * 3
        await net.mme.modify(teid)
        await net.settle()
        assert [len(each) for _, each in net.enb.received()] == [400]
        await net.mme.delete(teid)
        await net.settle()
        assert net.told() == [(1, (None, True)), (3, (530, False))]


@pytest.mark.parametrize("final", [True, False])
async def test_a_packet_of_a_pause_beyond_the_grant_ends_it(*, final: bool) -> None:
    async with Net(ScriptedGy, [units(100, *([FINAL] if final else []))], 4012) as net:
        made = await net.session(**FAST)
        teid = made["sender_f_teid"].teid
        await net.mme.release(teid)
        net.mme.answers["downlink-data-notification"] = {"cause": CauseIe(Cause.UNABLE_TO_PAGE_UE)}
        await net.down(made, 30)
        net.mme.answers.clear()
        await net.down(made, 400)
        await net.mme.modify(teid)
        await net.settle()
        net.enb.received()
        assert not await net.down(made, 30)
        assert net.ended() == [9]
        assert net.told()[-1] == ((3, (430, False)) if final else (2, (430, True)))


@pytest.mark.parametrize("seed", range(4))
async def test_parallel_flows_of_two_sessions_use_a_quota_to_its_end(seed: int) -> None:
    rng, quota = random.Random(seed), 100_000
    async with Net(Ocs, ocs={"octets": "7 kB", "threshold": rng.choice((0, 20, 90))}) as net:
        await net.provision(quota)
        one = await net.session(**FAST)
        other = await net.mme.create(
            **FAST,
            apn=scapy.IE_APN(APN=b"alarms"),
            bearer=OTHER_BEARER,
        )
        assert other.accepted
        assert (await net.mme.modify(one["sender_f_teid"].teid, 6)).accepted
        passed = 0
        while not net.ended():
            made = rng.choice((one, other))
            flows = [(rng.randint(28, 1300), rng.randint(1, 9)) for _ in range(rng.randint(1, 5))]
            net.enb.send(made, *(packet(made, size, near=40000 + flow) for size, flow in flows))
            net.net.send(
                *(
                    ip.encode(ip.encode_udp(ip.Udp(5683, 40000 + flow, b"d" * size), SERVER, made["paa"].ipv4))
                    for size, flow in flows
                )
            )
            await net.settle()
            passed += sum(map(len, net.net.received())) + sum(len(each) for _, each in net.enb.received())
            assert passed <= quota
        for ebi, made in ((5, one), (6, other)):
            await net.mme.delete(made["sender_f_teid"].teid, ebi)
        await net.settle()
        assert await net.used() == passed
        assert passed > quota - 7000 - 2 * 1328  # what the other session was given, and packets that did not fit
        refused = await net.mme.create()
        assert (refused.accepted, passed < quota) in ((True, True), (False, False))


GONE = [(GROUPS, [("Rating-Group", 1), ("Result-Code", 4012)])]


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (4012, 92),
        (GONE, 92),
        (4010, 92),
        (5003, 92),
        (5030, 92),
        (5031, 100),
        (3004, 100),
        ([], 100),
        ([(GROUPS, [("Rating-Group", 1), ("Result-Code", 2001)])], 100),
        ([units(0)], 100),
        ([units(5000, group=7)], 100),
        ((4012, [units(5000)]), 92),
        ([("Granted-Service-Unit", [("CC-Total-Octets", 5000)])], 100),
    ],
)
async def test_a_session_without_a_grant_is_refused(said: Any, cause: int) -> None:
    async with Net(ScriptedGy, said) as net:
        refused = await net.mme.create()
        assert refused.cause == cause
        assert net.pgw.census() == {"sessions": 0, "EPS bearers": 0}
        assert net.pgw.core.taken == {}
        net.ocs.script = [[units(1000)]]
        assert (await net.mme.create()).accepted


EXEMPT = [(GROUPS, [("Rating-Group", 1), ("Result-Code", 4011)])]


@pytest.mark.parametrize("said", [4011, EXEMPT])
async def test_a_session_that_its_ocs_does_not_count_passes_and_is_not_reported(said: Any) -> None:
    async with Net(ScriptedGy, said) as net:
        made = await net.session(**FAST)
        assert [await net.up(made, 900), await net.down(made, 900)] == [True, True]
        await net.mme.delete(made["sender_f_teid"].teid)
        await net.settle()
        assert net.told() == [(1, (None, True)), *([] if said == 4011 else [(3,)])]


@pytest.mark.parametrize("said", [4011, EXEMPT])
async def test_a_session_that_its_ocs_does_not_count_is_refused_where_all_cards_have_a_quota(said: Any) -> None:
    async with Net(ScriptedGy, said, not_applicable="end") as net:
        assert (await net.mme.create()).cause == 100


@pytest.mark.parametrize("said", [4011, EXEMPT])
async def test_a_session_that_its_ocs_has_counted_ends_when_it_says_that_it_does_not_count_it(said: Any) -> None:
    async with Net(ScriptedGy, [units(100)], said) as net:
        made = await net.session(**FAST)
        assert await net.up(made, 90)
        assert not await net.up(made, 90)
        await net.settle()
        assert len(net.ended()) == 1


async def test_an_rar_about_a_group_that_a_session_does_not_have_is_refused_and_reports_no_other() -> None:
    async with Net() as net:
        await net.session(**FAST)
        order = ("Re-Auth-Request-Type", 0), ("Rating-Group", 99)
        assert (await net.ocs.tell("Re-Auth-Request", PGW, *order)).result_code == 5012
        await net.settle()
        assert net.told() == [(1, (None, True))]


def by_direction(uplink: int, downlink: int, *more: tuple[str, Any]) -> Any:
    content = [("CC-Input-Octets", uplink), ("CC-Output-Octets", downlink), *more]
    return GROUPS, [("Granted-Service-Unit", content), ("Rating-Group", 1), ("Result-Code", 2001)]


async def test_octets_that_are_granted_by_direction_pass_in_that_direction_alone() -> None:
    async with Net(ScriptedGy, [by_direction(500, 100)], [by_direction(0, 200, ("CC-Total-Octets", 150))]) as net:
        made = await net.session(**FAST)
        assert [await net.up(made, 400), await net.down(made, 100), await net.up(made, 100)] == [True, True, True]
        assert await net.down(made, 150)
        assert net.ocs.asked[1].find(GROUPS, "Used-Service-Unit", "CC-Input-Octets") == 500
        assert net.ocs.asked[1].find(GROUPS, "Used-Service-Unit", "CC-Output-Octets") == 100
        assert not await net.up(made, 29)


@pytest.mark.parametrize(("octets", "passes"), [([], True), ([("CC-Total-Octets", 90)], False)])
async def test_seconds_and_octets_end_a_grant_whichever_are_used_up_first(octets: Any, *, passes: bool) -> None:
    grant = GROUPS, [("Granted-Service-Unit", [("CC-Time", 60), *octets]), ("Rating-Group", 1), ("Result-Code", 2001)]
    async with Net(ScriptedGy, [grant], [units(0)]) as net:
        made = await net.session(**FAST)
        await net.sleep(3600)  # its time begins with its first packet
        assert await net.up(made, 90)
        assert await net.up(made, 90) is passes
        await net.sleep(61)
        used = net.ocs.asked[1].find(GROUPS, "Used-Service-Unit")
        assert (dict(used)["CC-Total-Octets"], dict(used)["CC-Time"]) == ((180, 60) if passes else (90, 0))
        assert not await net.up(made, 90)


@pytest.mark.parametrize("order", [1, -1])
async def test_of_two_answers_about_one_group_the_denial_counts(order: int) -> None:
    denied = GROUPS, [("Rating-Group", 1), ("Result-Code", 4012)]
    async with Net(ScriptedGy, [units(100_000), denied][::order]) as net:
        assert (await net.mme.create()).cause == 92


async def test_of_two_grants_for_one_group_the_smaller_one_counts() -> None:
    async with Net(ScriptedGy, [units(100), units(5000)], [units(0)]) as net:
        made = await net.session(**FAST)
        assert [await net.up(made, 90), await net.up(made, 90)] == [True, False]


@pytest.mark.parametrize("mandatory", [True, False])
async def test_an_answer_with_something_mandatory_that_is_not_known_is_none(*, mandatory: bool) -> None:
    """A condition of the grant may be in it (RFC 6733 4.1); it is told by its code."""
    unknown = ("AVP-9999", RawAvp(9999, 0, 0x40 if mandatory else 0, b"1234"))
    async with Net(ScriptedGy, [units(1000, unknown)]) as net:
        assert (await net.mme.create()).accepted is not mandatory
        await net.sleep(120)  # it is told that its session is none
        told = [each.text for each in net.of(Note) if "AVP-9999" in each.text]
        assert told == ["ocs answered with AVP-9999, which has the M bit and is not known"] * mandatory
        assert [each.get("CC-Request-Type") for each in net.ocs.asked] == ([1, 3] if mandatory else [1])


async def test_an_mme_that_knows_the_cause_is_told_who_has_refused() -> None:
    async with Net(ScriptedGy, 4012) as net:
        daf_and_unaccsi = _Raw(bytes.fromhex("4d000600800000000002"))  # TS 29.274 8.12
        assert (await net.mme.create(indication=daf_and_unaccsi)).cause == 125


class _Raw:
    """Octets in place of what scapy has no field for."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def __bytes__(self) -> bytes:
        return self.octets


@pytest.mark.parametrize(
    ("said", "cause"),
    [(4012, 9), (GONE, 9), (4010, 9), ([], 8), (5002, 8), (3002, 8), (4011, 8), ([units(0)], 8)],
)
async def test_a_session_that_is_granted_nothing_more_ends(said: Any, cause: int) -> None:
    async with Net(ScriptedGy, [units(100)], said) as net:
        made = await net.session(**FAST)
        assert await net.up(made, 100)
        assert not await net.up(made, 100)
        assert net.ended() == [cause]
        assert not await net.down(made, 50)


async def test_while_the_ocs_is_silent_sessions_end_for_a_time_and_the_fleet_returns() -> None:
    async with Net(ScriptedGy, [units(100)]) as net:
        made = await net.session(**FAST)
        net.ocs.silent = True
        net.enb.send(made, packet(made, 200))
        await net.sleep(5)
        assert (net.net.received(), net.ended()) == ([], [8])
        refused = await net.mme.create()
        assert refused.cause == 100
        await net.host.stop("ocs", kill=True)
        assert (await net.mme.create()).cause == 100
        await net.host.start("ocs")
        await net.sleep(60)
        assert (await net.mme.create()).accepted


async def test_final_units_that_are_too_few_for_what_waits_end_a_session_once() -> None:
    async with Net(ScriptedGy, [units(100)], [units(150, FINAL)]) as net:
        made = await net.session(**FAST)
        net.enb.send(made, packet(made, 120), packet(made, 120))
        await net.settle()
        assert [len(each) for each in net.net.received()] == [120]
        assert net.ended() == [9]
        assert net.told() == [(1, (None, True)), (2, (0, True)), (3, (120, False))]


async def test_grants_that_are_too_small_end_in_no_loop() -> None:
    async with Net(ScriptedGy, [units(10)]) as net:
        made = await net.session(**FAST)
        assert not await net.up(made, 1000)
        assert len(net.ocs.asked) == 2
        assert net.ended() == []


async def test_more_is_asked_for_at_the_threshold_while_packets_pass() -> None:
    threshold = ("Volume-Quota-Threshold", 300)
    async with Net(ScriptedGy, [units(1000, threshold)], [units(1000)]) as net:
        made = await net.session(**FAST)
        assert [await net.up(made, 500), await net.up(made, 250)] == [True, True]
        (used,) = net.ocs.asked[1].all(GROUPS)
        assert first(used, "Used-Service-Unit") == [("Reporting-Reason", 0), ("CC-Total-Octets", 750)]
        assert await net.up(made, 1000)


async def test_an_order_to_ask_again_and_the_end_of_a_validity_report_what_was_used() -> None:
    async with Net(ScriptedGy, [units(1000, ("Validity-Time", 600))], [units(800)]) as net:
        made = await net.session(**FAST)
        assert await net.up(made, 400)
        assert (await net.ocs.tell("Re-Auth-Request", PGW, ("Re-Auth-Request-Type", 0))).result_code == 2002
        await net.settle()
        net.ocs.script = [[units(600, ("Validity-Time", 600))]]
        await net.ocs.tell("Re-Auth-Request", PGW, ("Re-Auth-Request-Type", 0))
        await net.settle()
        assert await net.up(made, 100)
        await net.sleep(601)
        assert net.told() == [(1, (None, True)), (2, (400, True)), (2, (0, True)), (2, (100, True))]
        reasons = [first(each.get(GROUPS), "Reporting-Reason") for each in net.ocs.asked]
        assert reasons == [None, 7, 7, 4]
        assert (await net.ocs.tell("Abort-Session-Request", PGW)).success
        await net.settle()
        assert net.ended() == [8]


def reasons(net: Net) -> list[Any]:
    """Return why what was used of the first group is reported, request by request."""
    groups = [first(each.avps, GROUPS, ()) for each in net.ocs.asked]
    return [
        first(each, "Reporting-Reason", first(first(each, "Used-Service-Unit", ()), "Reporting-Reason"))
        for each in groups
    ]


async def test_a_grant_that_no_packet_uses_is_given_back_and_asked_for_again() -> None:
    """TS 32.299 7.2.160: the time counts from each packet, and stands while an answer is awaited."""
    holding = ("Quota-Holding-Time", 100)
    idle = [(GROUPS, [("Rating-Group", 1), ("Result-Code", 2001)])]
    async with Net(ScriptedGy, [units(1000, holding)], idle, [units(500, FINAL, holding)]) as net:
        made = await net.session(**FAST)
        assert await net.up(made, 300)
        await net.sleep(60)
        assert await net.down(made, 100)
        await net.sleep(60)
        assert net.told() == [(1, (None, True))]
        await net.sleep(41)
        assert (net.told()[1:], reasons(net)) == ([(2, (400, False))], [None, 1])
        await net.sleep(3600)
        assert net.ended() == []
        assert await net.up(made, 500)
        assert net.told()[2:] == [(2, (0, True))]
        net.ocs.script = [idle, [units(200)]]
        await net.sleep(101)  # final units as well
        assert net.told()[3:] == [(2, (500, False))]
        assert [await net.up(made, 200), net.ended()] == [True, []]
        await net.sleep(1000)
        assert len(net.ocs.asked) == 5, "the answer to that names no holding time"


async def test_a_grant_is_not_given_back_while_more_is_asked_for() -> None:
    async with Net(ScriptedGy, [units(100, ("Quota-Holding-Time", 2))], [units(500)]) as net:
        made = await net.session(**FAST)
        net.ocs.delay = 3.0
        assert not await net.up(made, 200)
        await net.sleep(10)
        assert net.told() == [(1, (None, True)), (2, (0, True))]
        assert [len(each) for each in net.net.received()] == [200]
        assert await net.up(made, 300)


async def test_a_held_grant_is_that_of_another_session_at_our_ocs() -> None:
    async with Net(Ocs, ocs={"octets": "1 kB", "holding": 100}) as net:
        await net.provision(1000)
        made = await net.session(**FAST)
        assert await net.up(made, 300)
        assert await net.used() == 1000
        await net.sleep(101)
        assert await net.used() == 300
        assert [await net.up(made, 700), await net.up(made, 28)] == [True, False]


async def change_access(net: Net, **ies: Any) -> None:
    """Tell the PGW of another access of the only session, as an SGW does."""
    (session,) = net.pgw.core.sessions.values()
    assert (await net.ask_pgw("modify-bearer-request", session.teid, **ies)).accepted
    await net.settle()


async def test_changes_of_access_are_reported_that_the_ocs_wants_to_hear_of() -> None:
    trigger = ("Trigger", [("Trigger-Type", 4)])
    async with Net(ScriptedGy, [units(1000, trigger)], [units(800)], [units(700, ("Trigger", []))]) as net:
        made = await net.session(**FAST)
        assert await net.up(made, 400)
        await change_access(net, ue_time_zone=UeTimeZone(32, 0))
        assert len(net.ocs.asked) == 1
        for rat in (RatType.LTE_M, RatType.EUTRAN, RatType.LTE_M):
            await change_access(net, rat_type=rat)
        assert net.told()[1:] == [(2, (400, True)), (2, (0, True))]
        assert reasons(net) == [None, 6, 6]
        change = net.ocs.asked[1]
        assert first(change.get(GROUPS), "Trigger") == [("Trigger-Type", 4)]
        assert change.find("Service-Information", "PS-Information", "3GPP-RAT-Type") == bytes((RatType.LTE_M,))


async def test_places_are_asked_for_where_the_ocs_wants_to_hear_of_them() -> None:
    async with Net(ScriptedGy, [units(1000, ("Trigger", [("Trigger-Type", 3)]))]) as net:
        made = await net.mme.create(indication=_Raw(bytes.fromhex("4d0006008010000000 00")))
        assert made["change_reporting_action"] == ChangeReportingAction.START_REPORTING_TAI_AND_ECGI


async def test_a_card_in_another_network_has_the_quota_of_that() -> None:
    tiers = [{"networks": ["LTE-M"], "data": "500 B"}, {"data": "5 kB"}]
    async with Net(Ocs, ocs={"octets": "2 kB", "tiers": tiers}) as net:
        await net.call("PUT", f"/cards/{IMSI}", card({}, IMSI, NUMBER), element="ocs")
        made = await net.session(**FAST)
        assert await net.up(made, 600)
        await change_access(net, rat_type=RatType.LTE_M)
        assert net.ended() == [9]
        assert await net.used() == 600


CONTINUE = ("Credit-Control-Failure-Handling", 1)


@pytest.mark.parametrize("obeyed", [False, True])
@pytest.mark.parametrize("way", ["silent", "killed", "busy"])
async def test_what_an_ocs_wants_when_it_is_not_there_is_done_only_where_that_is_set(way: str, *, obeyed: bool) -> None:
    async with Net(ScriptedGy, [units(1000), CONTINUE], without_ocs="continue" if obeyed else "end") as net:
        made = await net.session(**FAST)
        assert await net.up(made, 900)
        if way == "killed":
            await net.host.stop("ocs", kill=True)
        else:
            net.ocs.silent, net.ocs.script = way == "silent", [3004]
        net.enb.send(made, packet(made, 200), packet(made, 300))
        await net.sleep(5)
        assert [len(each) for each in net.net.received()] == ([200, 300] if obeyed else [])
        assert net.ended() == ([] if obeyed else [8])
        assert [await net.up(made, 1000), await net.down(made, 1000)] == [obeyed, obeyed]
        assert net.verdicts("data.quota") == [True, obeyed] if obeyed else [True]
        assert (await net.mme.create(bearer=OTHER_BEARER)).cause == 100, "no session begins without an answer"


async def test_an_ocs_that_is_there_again_counts_again() -> None:
    """An answer that came late is an answer."""
    async with Net(ScriptedGy, [units(1000), CONTINUE], [units(500, FINAL)], without_ocs="continue") as net:
        made = await net.session(**FAST)
        assert await net.up(made, 1000)
        net.ocs.delay = 6.0
        net.enb.send(made, packet(made, 200))
        await net.sleep(3)
        assert net.net.received() == []
        await net.sleep(2)
        assert [len(each) for each in net.net.received()] == [200]
        assert await net.up(made, 100)
        await net.sleep(2)
        assert [await net.up(made, 200), await net.up(made, 28), net.ended()] == [True, False, [9]]


async def test_each_rating_group_has_its_own_grant() -> None:
    async with Net(ScriptedGy, [units(100, FINAL)], [units(1000, group=7)]) as net:
        made = await net.session(**FAST)
        (session,) = net.pgw.core.sessions.values()
        named = FlowRule("firmware", (FlowFilter(ports=range(80, 81)),), rating_group=7)
        session.rules = RuleSet([named, FlowRule("others", (FlowFilter(),), precedence=9)])
        assert [await net.up(made, 100), await net.up(made, 500, port=80)] == [True, True]
        assert [await net.up(made, 100), net.ended()] == [False, []]
        assert [await net.up(made, 500, port=80), await net.down(made, 50)] == [True, False]
        told = [
            [
                (first(one, "Rating-Group"), first(first(one, "Used-Service-Unit", ()), "CC-Total-Octets"))
                for one in groups
            ]
            for groups in (each.all(GROUPS) for each in net.ocs.asked)
        ]
        assert told == [[(1, None)], [(7, 0)], [(1, 100)]]
        net.ocs.script = [[(GROUPS, [("Rating-Group", 7), ("Result-Code", 4012)])]]
        assert await net.up(made, 500, port=80) is False
        assert net.ended() == [9]


async def test_rating_groups_whose_packets_come_together_are_asked_for_in_one_request() -> None:
    async with Net(ScriptedGy, [units(100)], [units(1000), units(1000, group=7)]) as net:
        made = await net.session(**FAST)
        (session,) = net.pgw.core.sessions.values()
        named = FlowRule("firmware", (FlowFilter(ports=range(80, 81)),), rating_group=7)
        session.rules = RuleSet([named, FlowRule("others", (FlowFilter(),), precedence=9)])
        net.enb.send(made, packet(made, 200), packet(made, 500, port=80))
        await net.settle()
        assert [len(each) for each in net.net.received()] == [200, 500]
        assert net.told() == [(1, (None, True)), (2, (0, True), (0, True))]


async def test_an_ocs_that_is_not_there_opens_no_group_that_it_has_ended() -> None:
    grants = [units(100, FINAL), units(100, group=7), CONTINUE]
    async with Net(ScriptedGy, grants, [CONTINUE], without_ocs="continue") as net:
        made = await net.session(**FAST)
        (session,) = net.pgw.core.sessions.values()
        assert session.credit is not None
        named = FlowRule("firmware", (FlowFilter(ports=range(80, 81)),), rating_group=7)
        session.rules = RuleSet([named, FlowRule("others", (FlowFilter(),), precedence=9)])
        net.ocs.script = [[units(100, group=7), CONTINUE]]
        assert [await net.up(made, 100), await net.up(made, 50, port=80), await net.up(made, 100)] == [
            True,
            True,
            False,
        ]
        await net.host.stop("ocs", kill=True)
        net.enb.send(made, packet(made, 500, port=80))
        await net.sleep(5)
        assert [len(each) for each in net.net.received()] == [500]
        assert [await net.up(made, 100), net.ended()] == [False, []]


async def test_a_rating_group_that_comes_while_another_is_asked_for_waits_for_its_own_answer() -> None:
    async with Net(ScriptedGy, [units(100)], [units(1000)], [units(1000, group=7)]) as net:
        made = await net.session(**FAST)
        (session,) = net.pgw.core.sessions.values()
        named = FlowRule("firmware", (FlowFilter(ports=range(80, 81)),), rating_group=7)
        session.rules = RuleSet([named, FlowRule("others", (FlowFilter(),), precedence=9)])
        net.ocs.delay = 1.0
        net.enb.send(made, packet(made, 200))
        await net.sleep(0.5)
        net.enb.send(made, packet(made, 500, port=80))
        await net.sleep(4)
        assert [len(each) for each in net.net.received()] == [200, 500]
        assert net.ended() == []


async def test_a_session_that_ends_while_its_ocs_is_asked_is_ended_once_and_what_waited_is_dropped() -> None:
    for said in (4012, 5012, [units(500)]):
        async with Net(ScriptedGy, [units(100, ("Quota-Holding-Time", 60))], said) as net:
            made = await net.session(**FAST)
            net.ocs.delay = 1.0
            net.enb.send(made, packet(made, 90), packet(made, 200))
            await net.sleep(0.5)
            assert (await net.mme.delete(made["sender_f_teid"].teid)).accepted
            assert [each.reason for each in net.of(PacketDropped)] == ["data.quota: no octets are granted to it"]
            await net.sleep(600)
            assert [len(each) for each in net.net.received()] == [90]
            assert net.ended() == []
            ended = net.told()[2:]
            assert ended == ([(3, (0, False))] if isinstance(said, list) else [])
            assert net.verdicts("data.quota") == [True]


async def test_an_ocs_is_told_what_is_known_of_a_session_and_no_more() -> None:
    async with Net() as net:
        assert (await net.mme.create()).accepted
        (asked,) = net.ocs.asked
        ids = [first(each, "Subscription-Id-Type") for each in asked.all("Subscription-Id")]
        told = asked.find("Service-Information", "PS-Information")
        assert (ids, asked.get("User-Equipment-Info")) == ([1, 0], None)
        assert [name for name, _ in told] == [
            *("3GPP-Charging-Id", "Called-Station-Id", "3GPP-RAT-Type", "3GPP-PDP-Type", "PDP-Address"),
            *("QoS-Information", "SGSN-Address", "GGSN-Address", "3GPP-IMSI-MCC-MNC", "3GPP-GGSN-MCC-MNC"),
            *("3GPP-NSAPI", "3GPP-Selection-Mode"),
        ]
        known = dict(told)
        assert (known["3GPP-PDP-Type"], known["3GPP-NSAPI"], known["3GPP-IMSI-MCC-MNC"]) == (0, b"5", IMSI[:5])
        (made,) = net.pgw.core.sessions.values()
        assert known["PDP-Address"] == made.paa.ipv4
        assert dict(known["QoS-Information"])["APN-Aggregate-Max-Bitrate-UL"] == made.ambr.uplink * 1000


async def test_a_quota_that_is_changed_holds_for_a_session_at_once() -> None:
    async with Net(Ocs, ocs={"octets": "1 kB"}) as net:
        await net.provision(9000)
        made = await net.session(**FAST)
        assert await net.up(made, 600)
        await net.call("PUT", f"/cards/{IMSI}/quota", {"data": 600, **APPROVED}, element="ocs")
        await net.settle()
        assert net.ended() == [9]
        assert await net.used() == 600


async def test_a_killed_gateway_gives_nothing_back() -> None:
    async with Net(Ocs, ocs={"octets": "1 kB"}) as net:
        await net.provision(1500)
        made = await net.session(**FAST)
        assert await net.up(made, 600)
        await net.host.stop("pgw", kill=True)
        await net.host.start("pgw")
        assert await net.used() == 1000
        again = await net.session(**FAST)
        assert await net.up(again, 500)
        assert not await net.up(again, 500)


@pytest.mark.parametrize("back", [1.0, 20.0, 100.0, 1000.0])
@pytest.mark.parametrize("lost", ["request", "answer", "node"])
async def test_what_passed_counts_once_whatever_message_about_it_gets_lost(
    tmp_path: Path, lost: str, back: float
) -> None:
    """The session ends while the OCS does not hear of 1,400 octets, or hears of them and is not heard."""
    async with Net(Ocs, ocs={"octets": "1 kB", "threshold": 0}, store=f"sqlite:///{tmp_path}/ocs.db") as net:
        await net.provision(100_000)
        made = await net.session(**FAST)
        assert [await net.up(made, 900), await net.up(made, 500)] == [True, True]
        if lost == "node":
            await net.host.stop("ocs", kill=True)
        elif lost == "request":
            net.ocs.core.node.handle("Gy", "credit-control-request", _deaf)
        else:
            net.ocs.core.keep = lambda _session: asyncio.get_running_loop().create_future()
        net.enb.send(made, packet(made, 900))
        await net.sleep(back)
        if lost != "node":
            await net.host.stop("ocs", kill=True)
        await net.host.start("ocs")
        await net.sleep(5000)
        passed = 1400 + sum(map(len, net.net.received()))
        if net.ended() == []:  # it was asked again in time
            await net.mme.delete(made["sender_f_teid"].teid)
            await net.sleep(5000)
        assert await net.used() == passed


async def _deaf(_asked: Any, _peer: Any) -> None:
    """Answer nothing."""
