"""A PGW and a scripted PCRF: what is asked and told, what is installed, and what happens when nobody answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from gateways import udp
from scapy.contrib import gtp_v2 as scapy
from scripted_pcrf import LISTED, OTHER, Net, accept_bearers, failed, install, monitor, rule, to, used

from simwarden.wire.diameter import check_request, decode, encode
from simwarden.wire.diameter.codes import GxFeature
from simwarden.wire.diameter.dictionary import BY_POINT
from simwarden.wire.diameter.features import features_of
from simwarden.wire.gtpv2 import Cause, CauseIe

if TYPE_CHECKING:
    from simwarden.wire.diameter import Avps

#: of an app of people, by its network
APP = "149.154.160.1"
BOTH = {
    "pdn_type": scapy.IE_PDN_type(PDN_type=3),
    "paa": scapy.IE_PAA(PDN_type=3, ipv6=0, ipv4="0.0.0.0"),  # noqa: S104
}


async def test_a_session_is_introduced_and_its_rules_alone_let_packets_pass() -> None:
    async with Net() as net:
        made = await net.session(**BOTH)
        (asked,) = net.pcrf.asked
        check_request(decode(encode(asked)), [BY_POINT["Gx"]])
        assert features_of(asked, GxFeature) == GxFeature.REL8 | GxFeature.REL9 | GxFeature.REL10 | GxFeature.ADC
        assert asked.get("Called-Station-Id") == "meters"
        assert asked.get("Framed-IP-Address") == bytes(map(int, made["paa"].ipv4.split(".")))
        assert asked.get("Framed-IPv6-Prefix")[:2] == b"\0\x40"
        assert (asked.get("IP-CAN-Type"), asked.get("RAT-Type")) == (5, 1004)
        assert asked.find("Default-EPS-Bearer-QoS", "QoS-Class-Identifier") == 9
        (session,) = net.pgw.core.sessions.values()
        rates = [asked.find("QoS-Information", f"APN-Aggregate-Max-Bitrate-{way}") for way in ("UL", "DL")]
        assert rates == [rate * 1000 for rate in session.ambr]
        assert await net.passes(made, LISTED)
        assert not await net.passes(made, OTHER)
        await net.mme.delete(made["sender_f_teid"].teid)
        await net.settle()
        assert net.pcrf.kinds() == [1, 3]
        assert net.pcrf.asked[-1].get("Termination-Cause") == 1
        assert [each.get("Called-Station-Id") for each in net.pcrf.asked] == ["meters", "meters"]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (5030, Cause.USER_AUTHENTICATION_FAILED),
        (5003, Cause.USER_AUTHENTICATION_FAILED),
        (4010, Cause.USER_AUTHENTICATION_FAILED),
        (5012, Cause.REMOTE_PEER_NOT_RESPONDING),
        (3004, Cause.REMOTE_PEER_NOT_RESPONDING),
        (4011, Cause.REMOTE_PEER_NOT_RESPONDING),
    ],
)
async def test_a_refused_session_is_refused_by_the_cause_for_it(answer: int, cause: Cause) -> None:
    async with Net() as net:
        net.pcrf.answers["credit-control"] = answer
        refused = await net.mme.create()
        assert refused.cause == cause
        assert await net.call("GET", "/sessions", element="pgw") == []
        net.pcrf.answers.clear()
        assert await net.passes(await net.session(), LISTED)


async def test_a_silent_pcrf_lets_no_session_begin_and_takes_no_address() -> None:
    async with Net(ipv4="10.9.0.0/30") as net:
        net.pcrf.silent = True
        for _ in range(4):
            assert (await net.mme.create()).cause == Cause.REMOTE_PEER_NOT_RESPONDING
        net.pcrf.silent = False
        assert await net.passes(await net.session(), LISTED)


async def test_an_answer_without_rules_opens_nothing() -> None:
    async with Net() as net:
        net.pcrf.answers["credit-control"] = []
        made = await net.session()
        assert not await net.passes(made, LISTED)


async def test_orders_act_on_flows_that_run() -> None:
    async with Net() as net:
        made = await net.session()
        assert await net.passes(made, LISTED)
        remove = ("Charging-Rule-Remove", [("Charging-Rule-Name", b"listed")])
        answer = await net.pcrf.order_rules(remove, install(rule("other", to(OTHER))))
        assert (answer.result_code, failed(answer)) == (2001, [])
        assert not await net.passes(made, LISTED)
        assert await net.passes(made, OTHER)
        # what is not told again stays: the gates of the same flows
        await net.pcrf.order_rules(
            install(("Charging-Rule-Definition", [("Charging-Rule-Name", b"other"), ("Flow-Status", 3)]))
        )
        assert not await net.passes(made, OTHER)
        await net.pcrf.order_rules(install(("Charging-Rule-Name", b"upload")))
        assert await net.passes(made, LISTED)


async def test_what_cannot_be_installed_is_reported_and_the_rest_is_in_force() -> None:
    wrong = rule("wrong", "deny in ip from any to any")
    six = rule("six", to("2001:db8::1"))
    nameless = ("Charging-Rule-Definition", rule("", to(OTHER))[1][1:])
    async with Net() as net:
        net.pcrf.answers["credit-control"] = lambda message: (
            [install(rule("listed", to(LISTED)), wrong, six, nameless)] if message.get("CC-Request-Type") == 1 else []
        )
        made = await net.session()
        await net.settle()
        assert net.pcrf.kinds() == [1, 2]
        assert failed(net.pcrf.asked[1]) == [([b"wrong"], 16), ([b"six"], 12), ([b""], 1)]
        assert [await net.passes(made, each) for each in (LISTED, OTHER)] == [True, False]
        answer = await net.pcrf.order_rules(install(wrong))
        assert (answer.experimental_result, failed(answer)) == (5142, [([b"wrong"], 16)])
        answer = await net.pcrf.order_rules(install(wrong, rule("other", to(OTHER))))
        assert (answer.result_code, failed(answer)) == (2001, [([b"wrong"], 16)])
        assert await net.passes(made, OTHER)
        # a rule that is changed to what cannot be is one that is not there
        answer = await net.pcrf.order_rules(install(rule("listed", "nonsense")))
        assert (answer.experimental_result, failed(answer)) == (5142, [([b"listed"], 16)])
        assert not await net.passes(made, LISTED)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ([("Charging-Rule-Name", b"nobody")], 1),
        ([("Charging-Rule-Name", b"\xff")], 1),
        ([("Charging-Rule-Base-Name", "group")], 1),
        ([rule("timed", to(OTHER)), ("Rule-Activation-Time", 0xE0000000)], 5),
        ([rule("timed", to(OTHER)), ("Rule-Deactivation-Time", 0xE0000000)], 5),
    ],
)
async def test_names_that_nobody_knows_and_times_are_not_installed(what: Avps, code: int) -> None:
    async with Net() as net:
        made = await net.session()
        answer = await net.pcrf.order_rules(install(*what))
        assert answer.experimental_result == 5142
        assert [each[1] for each in failed(answer)] == [code]
        assert not await net.passes(made, OTHER)


async def test_a_denial_stays_where_its_change_cannot_be() -> None:
    """And is in force at once, whatever bearer it names."""
    everything = rule("all", "permit out ip from any to assigned", ("Precedence", 9))
    closed: Avps = [("Charging-Rule-Name", b"closed"), ("Flow-Status", 3), ("Precedence", 1)]
    flow = [("Flow-Description", to(OTHER)), ("Flow-Direction", 3)]
    async with Net() as net:
        made = await net.session()
        other = ("QoS-Information", [("QoS-Class-Identifier", 5)])
        denied = ("Charging-Rule-Definition", [*closed, ("Flow-Information", flow), other])
        await net.pcrf.order_rules(install(everything, denied))
        assert not await net.passes(made, OTHER)
        for wrong in (
            install(rule("closed", "nonsense", ("Precedence", 1))),
            install(rule("closed", to(OTHER), ("Precedence", 1)), ("Rule-Deactivation-Time", 0xE0000000)),
        ):
            answer = await net.pcrf.order_rules(wrong)
            assert dict(answer.get("Charging-Rule-Report"))["PCC-Rule-Status"] == 0
            assert not await net.passes(made, OTHER)
            assert await net.passes(made, LISTED)
        await net.pcrf.order_rules(("Charging-Rule-Remove", [("Charging-Rule-Name", b"closed")]))
        assert await net.passes(made, OTHER)


@pytest.mark.parametrize("name", ["social", "social@meter"])
async def test_apps_are_closed_by_the_lists_of_the_pgw(name: str) -> None:
    def apps(status: int, called: str = name) -> tuple[str, Avps]:
        avps: Avps = [("Charging-Rule-Name", b"apps"), ("TDF-Application-Identifier", called.encode())]
        return install(("Charging-Rule-Definition", [*avps, ("Flow-Status", status)]))

    everything = install(rule("all", "permit out ip from any to assigned", ("Precedence", 9)))
    async with Net() as net:
        net.pcrf.answers["credit-control"] = [everything]
        made = await net.session()
        assert await net.passes(made, APP)
        assert (await net.pcrf.order_rules(apps(3))).result_code == 2001
        assert not await net.passes(made, APP)
        assert await net.passes(made, OTHER)
        answer = await net.pcrf.order_rules(apps(2))  # they are never opened
        assert failed(answer) == [([b"apps"], 14)]
        assert not await net.passes(made, APP)
        await net.pcrf.order_rules(("Charging-Rule-Remove", [("Charging-Rule-Name", b"apps")]))
        assert await net.passes(made, APP)
        for unknown in ("nothing", "social@nobody"):
            assert failed(await net.pcrf.order_rules(apps(3, unknown))) == [([b"apps"], 14)]
        await net.pcrf.order_rules(install(("Charging-Rule-Name", f"not {name}".encode())))
        assert not await net.passes(made, APP)


async def test_an_order_for_no_session_or_of_another_server_changes_nothing() -> None:
    async with Net() as net:
        made = await net.session()
        answer = await net.pcrf.order_rules(install(rule("other", to(OTHER))), session="nobody's")
        assert answer.result_code == 5002
        assert not await net.passes(made, OTHER)


async def test_a_session_that_its_pcrf_releases_or_knows_no_more_ends() -> None:
    async with Net() as net:
        made = await net.session()
        assert (await net.pcrf.order_rules(("Session-Release-Cause", 0))).result_code == 2001
        await net.settle()
        assert await net.call("GET", "/sessions", element="pgw") == []
        assert net.pcrf.kinds() == [1, 3]
        made = await net.session()
        net.pcrf.answers["credit-control"] = 5002
        wrong = rule("wrong", "nonsense")
        second = net.pcrf.asked[2].get("Session-Id")
        await net.pcrf.order_rules(install(wrong), ("Event-Trigger", 2), session=second)
        session = next(iter(net.pgw.core.sessions.values()))
        assert session.gx is not None
        assert session.gx.credit is not None
        session.gx.credit.update("a report")
        await net.settle()
        assert await net.call("GET", "/sessions", element="pgw") == []
        assert not await net.passes(made, LISTED)


async def test_an_order_waits_until_the_answer_before_it_is_carried_out() -> None:
    async with Net() as net:
        made = await net.session()
        session = next(iter(net.pgw.core.sessions.values()))
        assert session.gx is not None
        session.gx.begun = begun = asyncio.Event()  # as if both had come in one segment
        order = net.loop.create_task(net.pcrf.order_rules(install(rule("other", to(OTHER)))))
        await net.settle()
        assert not await net.passes(made, OTHER)
        begun.set()
        assert (await order).result_code == 2001
        assert await net.passes(made, OTHER)


async def test_only_what_is_asked_for_is_reported() -> None:
    more = scapy.IE_RAT(RAT_type=9)
    async with Net() as net:
        made = await net.session()
        await net.mme.modify(made["sender_f_teid"].teid, more=[more])
        await net.settle()
        assert net.pcrf.kinds() == [1]
        await net.pcrf.order_rules(("Event-Trigger", 2))
        await net.mme.modify(made["sender_f_teid"].teid, more=[scapy.IE_RAT(RAT_type=6)])
        await net.settle()
        assert net.pcrf.kinds() == [1, 2]
        told = net.pcrf.asked[1]
        assert (told.all("Event-Trigger"), told.get("RAT-Type")) == ([2], 1004)
        check_request(decode(encode(told)), [BY_POINT["Gx"]])
        await net.mme.modify(made["sender_f_teid"].teid, more=[scapy.IE_RAT(RAT_type=1)])  # UTRAN
        await net.settle()
        assert (net.pcrf.asked[2].all("Event-Trigger"), net.pcrf.asked[2].get("RAT-Type")) == ([2], None)


@pytest.mark.parametrize(
    ("trigger", "more"),
    [
        (2, scapy.IE_RAT(RAT_type=8)),
        (
            13,
            scapy.IE_ULI(
                length=13, TAI_Present=1, ECGI_Present=1, TAI=scapy.ULI_TAI(TAC=9), ECGI=scapy.ULI_ECGI(ECI=9)
            ),
        ),
        (25, scapy.IE_UE_Timezone(Timezone=0x40, DST=0)),
    ],
)
async def test_each_kind_of_change_is_reported_by_itself(trigger: int, more: Any) -> None:
    async with Net() as net:
        made = await net.session()
        await net.pcrf.order_rules(*(("Event-Trigger", each) for each in (2, 13, 25)))
        for _ in range(2):  # what comes again is no change
            await net.mme.modify(made["sender_f_teid"].teid, more=[more])
            await net.settle()
        assert [each.all("Event-Trigger") for each in net.pcrf.asked] == [[], [trigger]]


async def test_use_is_reported_after_so_many_octets_and_at_the_end_each_octet_once() -> None:
    async with Net() as net:
        made = await net.session()
        size = len(udp(made["paa"].ipv4, LISTED))
        await net.pcrf.order_rules(("Event-Trigger", 33), monitor(2 * size), monitor(1, level=1))
        for _ in range(2):
            assert await net.passes(made, LISTED)
        assert not await net.passes(made, OTHER)
        assert [used(each) for each in net.pcrf.asked] == [[], [2 * size]]
        assert net.pcrf.asked[1].all("Event-Trigger") == [33]
        for _ in range(3):  # no other threshold was given
            assert await net.passes(made, LISTED)
        await net.mme.delete(made["sender_f_teid"].teid)
        await net.settle()
        assert [used(each) for each in net.pcrf.asked] == [[], [2 * size], [3 * size, 0]]  # no rule has the key


async def test_use_that_is_to_be_reported_goes_on_where_it_is_told_again() -> None:
    async with Net() as net:
        made = await net.session()
        size = len(udp(made["paa"].ipv4, LISTED))
        await net.pcrf.order_rules(("Event-Trigger", 33), monitor(2 * size))
        assert await net.passes(made, LISTED)
        await net.pcrf.order_rules(monitor(2 * size))
        assert await net.passes(made, LISTED)
        assert [used(each) for each in net.pcrf.asked] == [[], [2 * size]]


# -- rules with a QoS of their own

RATES = [f"{kind}-{way}" for kind in ("Guaranteed-Bitrate", "Max-Requested-Bandwidth") for way in ("UL", "DL")]


def qos(qci: int, priority: int = 4, guaranteed: int = 0) -> tuple[str, Avps]:
    arp = [("Priority-Level", priority), ("Pre-emption-Capability", 1), ("Pre-emption-Vulnerability", 0)]
    rates = [(name, guaranteed) for name in RATES]
    return "QoS-Information", [
        ("QoS-Class-Identifier", qci),
        *(rates if guaranteed else []),
        ("Allocation-Retention-Priority", arp),
    ]


async def test_a_rule_of_another_qos_is_in_force_with_its_bearer() -> None:
    async with Net() as net:
        accept_bearers(net)
        made = await net.session()
        quality = qos(1, guaranteed=64_999)
        answer = await net.pcrf.order_rules(install(rule("other", to(OTHER), quality)))
        assert answer.result_code == 2001
        await net.settle()
        (session,) = net.pgw.core.sessions.values()
        bearer = session.bearers["other"]
        assert (bearer.qos.qci, bearer.qos.arp.priority, bearer.qos.gbr_uplink) == (1, 4, 64)
        assert [(each.remote, each.local_ports) for each in bearer.filters] == [(f"{OTHER}/32", None)]
        remove = ("Charging-Rule-Remove", [("Charging-Rule-Name", b"other")])
        assert (await net.pcrf.order_rules(remove)).result_code == 2001
        await net.settle()
        assert session.bearers == {}
        assert [each.name for each in net.mme.asked][-1] == "delete-bearer-request"
        assert await net.passes(made, LISTED)


async def test_a_rule_that_changes_is_in_force_when_its_bearer_has_changed() -> None:
    async with Net() as net:
        accept_bearers(net)
        made = await net.session()
        quality = qos(1, guaranteed=64_999)
        await net.pcrf.order_rules(install(rule("other", to(OTHER), quality)))
        await net.settle()
        (session,) = net.pgw.core.sessions.values()
        assert session.gx is not None
        assert session.gx.standing == {b"other"}
        net.mme.silent = True
        await net.pcrf.order_rules(install(rule("other", to("203.0.113.7"), quality)))
        await net.settle()
        assert not await net.passes(made, "203.0.113.7")
        assert not await net.passes(made, OTHER)


async def test_rules_of_one_qos_share_a_bearer_until_one_of_them_gets_another() -> None:
    async with Net() as net:
        accept_bearers(net)
        await net.session()
        (session,) = net.pgw.core.sessions.values()
        both = [rule(name, to(address), qos(7)) for name, address in (("a", OTHER), ("b", "203.0.113.7"))]
        await net.pcrf.order_rules(install(*both))
        await net.settle()
        assert {name: len(each.filters) for name, each in session.bearers.items()} == {"a": 2}
        await net.pcrf.order_rules(install(rule("a", to(OTHER), qos(8))))
        await net.settle()
        kept, own = session.bearers["a"], session.bearers["a (QCI 8, ARP 4, 0)"]
        assert [each.remote for each in kept.filters] == ["203.0.113.7/32"]
        assert ([each.remote for each in own.filters], own.qos.qci) == ([f"{OTHER}/32"], 8)
        assert session.gx is not None
        assert session.gx.standing == {b"a", b"b"}
        await net.pcrf.order_rules(("Charging-Rule-Remove", [("Charging-Rule-Name", each) for each in (b"a", b"b")]))
        await net.settle()
        assert session.bearers == {}


async def test_rules_whose_filters_are_too_many_for_one_bearer_get_another() -> None:
    async with Net() as net:
        accept_bearers(net)
        await net.session()
        (session,) = net.pgw.core.sessions.values()
        made = []
        for number in range(3):
            flows = [
                (
                    "Flow-Information",
                    [("Flow-Description", to(f"203.0.113.{number * 8 + each}")), ("Flow-Direction", 3)],
                )
                for each in range(8)
            ]
            made.append(
                (
                    "Charging-Rule-Definition",
                    [("Charging-Rule-Name", b"r%d" % number), *flows, ("Flow-Status", 2), qos(7)],
                )
            )
        await net.pcrf.order_rules(install(*made))
        await net.settle()
        assert [len(each.filters) for each in session.bearers.values()] == [8, 8, 8]


async def test_a_rule_of_the_default_bearers_qos_makes_none() -> None:
    async with Net() as net:
        made = await net.session()
        (session,) = net.pgw.core.sessions.values()
        same = qos(9, session.qos.arp.priority)
        bare = ("QoS-Information", [("QoS-Class-Identifier", 9)])
        for each in (same, bare):
            await net.pcrf.order_rules(install(rule("other", to(OTHER), each)))
            await net.settle()
            assert await net.passes(made, OTHER)
            assert session.bearers == {}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (rule("other", to(OTHER), qos(7)), 10),
        (rule("other", to(OTHER), qos(0)), 11),
        (rule("other", to(OTHER), qos(7, priority=99)), 11),
        (rule("other", f"{to(OTHER)} 5000", qos(7)), 15),
        (
            (
                "Charging-Rule-Definition",
                [("Charging-Rule-Name", b"other"), ("TDF-Application-Identifier", b"named"), qos(7)],
            ),
            15,
        ),
    ],
)
async def test_a_rule_without_its_bearer_opens_nothing_and_is_reported(wrong: tuple[str, Avps], code: int) -> None:
    async with Net() as net:
        net.mme.answers["create-bearer-request"] = lambda _asked: {"cause": CauseIe(Cause.NO_RESOURCES_AVAILABLE)}
        made = await net.session()
        assert (await net.pcrf.order_rules(install(wrong))).result_code == 2001
        assert not await net.passes(made, OTHER)
        await net.sleep(30)
        assert failed(net.pcrf.asked[-1]) == [([b"other"], code)]
        assert not await net.passes(made, OTHER)
        assert await net.passes(made, LISTED)


async def test_a_rule_whose_bearer_is_lost_is_in_force_no_more() -> None:
    async with Net() as net:
        accept_bearers(net)
        made = await net.session()
        await net.pcrf.order_rules(install(rule("other", to(OTHER), qos(7))))
        await net.settle()
        assert await net.passes(made, OTHER)
        (session,) = net.pgw.core.sessions.values()
        net.pgw.core.close_bearer(session, session.bearers["other"])
        await net.settle()
        assert failed(net.pcrf.asked[-1]) == [([b"other"], 10)]
        assert not await net.passes(made, OTHER)
