"""Orders of a PCRF and answers of an OCS: failures are reported, and AVPs that may be ignored change nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from charging import REALM
from credit_net import GROUPS, ScriptedOcs
from gateways import Gateways, udp
from gx_gy_page import rows
from scripted_pcrf import LISTED, OTHER, Net, install, rule, to, used

from simulators.pgw.qos import Authorized
from simwarden.policy.flow_rule import Quality
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter.gx_qos import ambr_of, apn_ambr, qos_information, quality_of
from simwarden.wire.diameter.dictionary import AVPS, BY_POINT, COMMANDS, Kind
from simwarden.wire.diameter.dictionary import GROUPS as GRAMMARS
from simwarden.wire.gtpv2 import Ambr, Cause, CauseIe, Message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simwarden.wire.diameter import Avps

REFUSED = {"cause": CauseIe(Cause.UE_REFUSES), "bearer_contexts": ({"ebi": 5, "cause": CauseIe(Cause.UE_REFUSES)},)}
KEYED = (("one", LISTED, b"a"), ("other", OTHER, b"b"))
GRANTED = ("Granted-Service-Unit", [("CC-Total-Octets", 9999)])
SLOW = ("QoS-Information", [("APN-Aggregate-Max-Bitrate-UL", 8000), ("APN-Aggregate-Max-Bitrate-DL", 8999)])
DEFAULT = ("Default-EPS-Bearer-QoS", [("QoS-Class-Identifier", 8)])


@pytest.mark.parametrize(("order", "events"), [([SLOW], [29]), ([DEFAULT], [34]), ([SLOW, DEFAULT], [29, 34])])
async def test_a_qos_that_the_device_refuses_is_reported_though_nobody_has_asked(order: Avps, events: Any) -> None:
    async with Net() as net:
        made = await net.session()
        (session,) = net.pgw.core.sessions.values()
        before = session.ambr, session.qos
        net.mme.answers["update-bearer-request"] = REFUSED
        assert (await net.pcrf.order_rules(*order)).result_code == 2001
        await net.settle()
        assert [each.all("Event-Trigger") for each in net.pcrf.asked] == [[], events]
        assert (session.ambr, session.qos) == before
        assert await net.passes(made, LISTED)


async def test_a_lower_rate_that_the_device_refuses_holds_for_its_packets() -> None:
    async with Net() as net:
        made = await net.session()
        net.mme.answers["update-bearer-request"] = REFUSED
        await net.pcrf.order_rules(SLOW)
        await net.sleep(1)
        sent = [await net.passes(made, LISTED) for _ in range(120)]
        assert sent[0]
        assert not sent[-1]


@pytest.mark.parametrize("way", ["UL", "DL"])
async def test_a_rate_of_a_rule_is_of_its_direction(way: str) -> None:
    rate = ("QoS-Information", [("QoS-Class-Identifier", 9), (f"Max-Requested-Bandwidth-{way}", 8000)])
    async with Net() as net:
        net.pcrf.answers["credit-control"] = [install(rule("listed", to(LISTED), rate))]
        made = await net.session()
        own = made["paa"].ipv4
        net.enb.send(made, *[udp(own, LISTED, bytes(1000))] * 9)
        net.net.send(*[udp(LISTED, own, bytes(1000))] * 9)
        await net.settle()
        assert (len(net.net.received()), len(net.enb.received())) == ((2, 9) if way == "UL" else (9, 2))


async def test_use_of_a_key_is_that_of_its_rules() -> None:
    rules = [rule(name, to(address), ("Monitoring-Key", key)) for name, address, key in KEYED]
    async with Net() as net:
        ordered = ("Usage-Monitoring-Information", [("Monitoring-Key", b"b"), GRANTED, ("Usage-Monitoring-Level", 1)])
        net.pcrf.answers["credit-control"] = [install(*rules), ("Event-Trigger", 33), ordered]
        made = await net.session()
        assert await net.passes(made, LISTED)
        assert await net.passes(made, OTHER)
        await net.mme.delete(made["sender_f_teid"].teid)
        await net.settle()
        assert used(net.pcrf.asked[-1]) == [len(udp(made["paa"].ipv4, OTHER))]


NONE_HAS = [(0, 8), (255, 8), (1, 8), (65, 8), (256, 8), (-1, 8), (9, 0), (9, 16), (9, 0xFFFFFFFF)]


def default_qos(qci: int, priority: int) -> tuple[str, Avps]:
    level: Any = [("Priority-Level", priority)]
    return "Default-EPS-Bearer-QoS", [("QoS-Class-Identifier", qci), ("Allocation-Retention-Priority", level)]


@pytest.mark.parametrize(("qci", "priority"), NONE_HAS)
@pytest.mark.parametrize("by", ["answer", "RAR"])
async def test_a_qos_that_no_default_bearer_has_is_reported_and_the_session_goes_on(
    qci: int, priority: int, by: str
) -> None:
    order = default_qos(qci, priority)
    async with Net() as net:
        if by == "answer":
            net.pcrf.answers["credit-control"] = [install(rule("listed", to(LISTED))), order]
        made = await net.session()
        if by == "RAR":
            assert (await net.pcrf.order_rules(order)).result_code == 2001
        await net.settle()
        assert [each.all("Event-Trigger") for each in net.pcrf.asked] == [[], [34]]
        (session,) = net.pgw.core.sessions.values()
        assert (session.qos.qci, session.qos.arp.priority) == (9, 8)
        assert await net.passes(made, LISTED)


async def test_a_command_for_a_qos_that_no_default_bearer_has_fails() -> None:
    async with Net() as net:
        made = await net.session()
        net.pcrf.answers["credit-control"] = [default_qos(1, 8)]
        (session,) = net.pgw.core.sessions.values()
        ies = {"apn_ambr": Ambr(500, 500), "bearer_context": {"ebi": 5}}
        command = net.sgw.core.node.ask(Message("modify-bearer-command", ies, session.teid), "127.1.4.1", "S5-C")
        failure = await command
        assert (failure.name, failure.cause) == ("modify-bearer-failure-indication", Cause.REQUEST_REJECTED)
        assert await net.passes(made, LISTED)


@pytest.mark.parametrize("repeated", ["QoS", "rule", "report"])
async def test_an_order_that_each_answer_repeats_is_reported_once_a_second_at_most(repeated: str) -> None:
    orders: dict[str, Avps] = {
        "QoS": [SLOW],
        "rule": [install(rule("wrong", "nonsense"))],
        "report": [("Event-Trigger", 33), monitor(("CC-Total-Octets", 9999), Usage_Monitoring_Report=0)],
    }
    async with Net() as net:
        net.mme.answers["update-bearer-request"] = REFUSED
        made = await net.session()
        net.pcrf.answers["credit-control"] = [install(rule("listed", to(LISTED))), *orders[repeated]]
        await net.pcrf.order_rules(("Event-Trigger", 33), monitor(("CC-Total-Octets", 1)))
        assert await net.passes(made, LISTED)  # whose use is reported
        await net.sleep(10)
        assert 2 <= len(net.pcrf.asked) <= 16
        assert await net.passes(made, LISTED)


@pytest.mark.parametrize("cause", [0, 1, 2])
async def test_a_session_that_the_first_answer_releases_does_not_begin(cause: int) -> None:
    async with Net() as net:
        net.pcrf.answers["credit-control"] = [install(rule("listed", to(LISTED))), ("Session-Release-Cause", cause)]
        assert (await net.mme.create()).cause == Cause.REMOTE_PEER_NOT_RESPONDING
        await net.settle()
        assert net.pcrf.kinds() == [1, 3]
        assert net.pgw.census()["sessions"] == 0


async def test_two_changes_of_the_hss_are_asked_one_after_the_other() -> None:
    async with Net() as net:
        await net.session()
        (session,) = net.pgw.core.sessions.values()
        pcrf = net.pgw.core.pcrf
        assert pcrf is not None
        assert pcrf is not None
        changes = [Authorized(Ambr(rate, rate), session.qos) for rate in (32, 64)]
        answers = await asyncio.gather(*(pcrf.authorize(session, each) for each in changes))
        assert answers == changes
        asked = [each.find("QoS-Information", "APN-Aggregate-Max-Bitrate-UL") for each in net.pcrf.asked[1:]]
        assert asked == [32_000, 64_000]
        assert [each.all("Event-Trigger") for each in net.pcrf.asked[1:]] == [[1], [1]]


async def test_a_rate_of_less_than_a_kilobit_is_one() -> None:
    async with Net() as net:
        order = ("QoS-Information", [("APN-Aggregate-Max-Bitrate-UL", 1), ("APN-Aggregate-Max-Bitrate-DL", 64_999)])
        net.pcrf.answers["credit-control"] = [install(rule("listed", to(LISTED))), order]
        made = await net.session()
        assert made["apn_ambr"] == Ambr(1, 64)


def test_a_rate_above_an_unsigned32_is_said_in_kbits() -> None:
    fast = Quality(9, maximum_up=5_000_000_000, maximum_down=1000, guaranteed_up=6_000_000_000)
    _, content = qos_information(fast)
    said = dict(content)
    assert (said["Max-Requested-Bandwidth-UL"], said["Extended-Max-Requested-BW-UL"]) == (0xFFFFFFFF, 5_000_000)
    assert (said["Extended-GBR-UL"], said["Max-Requested-Bandwidth-DL"]) == (6_000_000, 1000)
    assert quality_of(content) == fast
    ((_, rates),) = apn_ambr(5_000_000_000, 64_000)
    assert dict(rates)["Extended-APN-AMBR-UL"] == 5_000_000
    assert ambr_of(rates) == (5_000_000_000, 64_000)


def monitor(*units: tuple[str, int], **more: Any) -> tuple[str, Avps]:
    granted = [("Granted-Service-Unit", list(units))] if units else []
    named = [(name.replace("_", "-"), value) for name, value in more.items()]
    return "Usage-Monitoring-Information", [("Monitoring-Key", b"m"), *granted, ("Usage-Monitoring-Level", 0), *named]


async def test_use_is_reported_by_direction_where_the_threshold_is() -> None:
    async with Net() as net:
        made = await net.session()
        await net.pcrf.order_rules(("Event-Trigger", 33), monitor(("CC-Input-Octets", 30), ("CC-Output-Octets", 9999)))
        assert await net.passes(made, LISTED)
        report = net.pcrf.asked[1].find("Usage-Monitoring-Information", "Used-Service-Unit")
        assert [name for name, _ in report] == ["CC-Total-Octets", "CC-Input-Octets", "CC-Output-Octets"]
        assert report[1][1] == report[0][1] > 30


async def test_use_is_reported_once_more_when_monitoring_ends() -> None:
    async with Net() as net:
        made = await net.session()
        await net.pcrf.order_rules(("Event-Trigger", 33), monitor(("CC-Total-Octets", 9999)))
        assert await net.passes(made, LISTED)
        await net.pcrf.order_rules(monitor(Usage_Monitoring_Support=0))
        await net.settle()
        assert await net.passes(made, LISTED)
        await net.mme.delete(made["sender_f_teid"].teid)
        await net.settle()
        reported = [used(each) for each in net.pcrf.asked]
        assert [len(each) for each in reported] == [0, 1, 0]
        assert reported[1][0] > 0


def value_of(name: str) -> Any:
    """Return an example of an AVP; a group has one AVP that its grammar has."""
    if name in GRAMMARS:
        grammar = GRAMMARS[name]
        return [(each, value_of(each)) for each in grammar.required or list(grammar.rules)[:1]]
    kind = Kind(AVPS[name].kind)
    examples: dict[Kind, Any] = {Kind.TEXT: "a", Kind.IDENTITY: "a.example", Kind.ADDRESS: "192.0.2.1"}
    filters = {Kind.FILTER: "permit out ip from any to any"}
    return {**examples, **filters, Kind.OCTETS: bytes(AVPS[name].size or 4)}.get(kind, 1)


def placed(base: Avps, name: str, rules: Iterable[str], seen: tuple[str, ...] = ()) -> Avps | None:
    """Return content with an AVP in it where the grammar has it: at the top, or in the first group that may hold it."""
    names = list(rules)
    if name in names:
        return [*base, (name, value_of(name))]
    for group in names:
        if group in GRAMMARS and group not in seen:
            held = next((value for key, value in base if key == group), None)
            made = placed(held or [], name, GRAMMARS[group].rules, (*seen, group))
            if made is not None:
                return [*((key, value) for key, value in base if value is not held or key != group), (group, made)]
    return None


def passed_over(point: str) -> list[str]:
    told = [avp for row in rows(point) if row.verdict in ("ignored", "limit") for avp in row.avps]
    return [each for each in told if "/" not in each and each != "Re-Auth-Request-Type"]


def answer_rules(point: str) -> list[str]:
    commands = (COMMANDS[BY_POINT[point], *which].grammar.rules for which in ((272, False), (258, True)))
    return list(dict.fromkeys(name for rules in commands for name in rules))


@pytest.mark.parametrize("name", passed_over("Gx"))
async def test_what_a_pcrf_may_send_and_is_passed_over_changes_nothing(name: str) -> None:
    content = placed([install(rule("listed", to(LISTED)))], name, answer_rules("Gx"))
    assert content is not None
    async with Net() as net:
        net.pcrf.answers["credit-control"] = content
        made = await net.session()
        assert await net.passes(made, LISTED)
        assert [each.all("Charging-Rule-Report") for each in net.pcrf.asked] == [[]]


class Ocs(ScriptedOcs):
    """An OCS that answers the content of a test."""

    declaration = Declaration(kind="ocs", title="OCS", lane=86, config=ElementConfig, listens=("Gy",))
    interface = "Gy"


@pytest.mark.parametrize("name", passed_over("Gy"))
async def test_what_an_ocs_may_send_and_is_passed_over_changes_nothing(name: str) -> None:
    group: Avps = [("Rating-Group", 1), ("Granted-Service-Unit", [("CC-Total-Octets", 5000)])]
    content = placed([(GROUPS, group)], name, answer_rules("Gy"))
    assert content is not None
    net = Gateways(pgw={"apns": {"*": {"gy": "ocs"}}})
    ocs: Any = net.add("ocs", Ocs)
    async with net:
        ocs.answers["credit-control"] = content
        made = await net.session()
        (session,) = net.pgw.core.sessions.values()
        assert session.credit is not None
        assert session.credit.groups[1].left[0] == 5000
        assert made.accepted
        assert REALM in ocs.asked[0].get("Origin-Host")


@pytest.mark.parametrize(("online", "counted"), [(0, False), (1, True), (2, True), (-1, True)])
@pytest.mark.parametrize("by", ["rule", "session"])
async def test_octets_are_free_by_online_0_and_by_no_other_value(online: int, by: str, *, counted: bool) -> None:
    said, group = ("Online", online), ("Rating-Group", 1)
    own = (said, group) if by == "rule" else (group,)
    net = Net(gy="ocs")
    ocs: Any = net.add("ocs", Ocs)
    async with net:
        net.pcrf.answers["credit-control"] = [install(rule("listed", to(LISTED), *own)), said]
        ocs.answers["credit-control"] = [
            (GROUPS, [("Rating-Group", 1), ("Granted-Service-Unit", [("CC-Total-Octets", 5000)])])
        ]
        made = await net.session()
        assert await net.passes(made, LISTED)
        assert bool(ocs.asked) is counted
