"""Our PGW under a PCRF of another hand: only what comes out at SGi and at the meter counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from foreign_credit import kind_of
from foreign_network import APN, ELSEWHERE, SERVER, SERVER6, SIZE, Network, imsi
from foreign_pcrf import ADC, DISABLED, ENABLED, ForeignPcrf, install
from waiting import reserved_port

from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from foreign_diameter import Received, Tree

    Story = Callable[[Network, ForeignPcrf], Awaitable[None]]

pytestmark = pytest.mark.interop
#: lists of its own are for another APN
GX: Tree = {"apns": {APN: {"gx": "pcrf"}, "other": {}}}
NOBODY = "192.0.2.99"
#: Flow-Status (TS 29.214 5.3.11)
UPLINK_ONLY, DOWNLINK_ONLY, REMOVED = 0, 1, 4
#: Rule-Failure-Code (TS 29.212 5.3.38)
UNKNOWN_RULE_NAME, MISSING_FLOW, INCORRECT_FLOW, APPLICATION_ERROR, RESTRICTED = 1, 9, 12, 14, 16


def rule(name: str, *flows: str, precedence: int = 10, **more: Any) -> Tree:
    return {"name": name, "precedence": precedence, "flows": list(flows), "status": ENABLED, **more}


def to(address: str, protocol: int | str = 17, port: int | str = "") -> str:
    """Describe a flow with a host (TS 29.212 5.4.2): downlink, from it to the meter."""
    return f"permit out {protocol} from {address} {port} to assigned".replace("  ", " ")


def answer(*rules: Any, **more: Any) -> Tree:
    """Make a script that installs rules as a session begins."""
    return {"answers": {"initial": [{"install": list(rules), **more} if rules else more]}}


def play(script: Tree, story: Story, **network: Any) -> ForeignPcrf:
    """Tell a story under a PCRF that keeps to a script; neither may have come across what it could not read."""
    with ForeignPcrf(script) as pcrf:

        async def told(net: Network) -> None:
            await story(net, pcrf)

        Network({"pcrf": pcrf.port}, GX, **network).play(told)
        assert pcrf.complaints == []
    return pcrf


async def push(pcrf: ForeignPcrf, **step: Any) -> Received:
    """Send the only session's PGW a Re-Auth-Request; return its answer."""
    return await asyncio.to_thread(pcrf.push, pcrf.only_session(), step)


def passing(script: Tree, **network: Any) -> tuple[dict[str, int], dict[str, int]]:
    """Return what comes out of one packet to and of one from each of two hosts: at SGi, and at the meter."""
    out: dict[str, int] = {}
    back: dict[str, int] = {}

    async def story(net: Network, _: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        for host in (ELSEWHERE, NOBODY):
            back[host] = await net.reach(host)
        for host in (ELSEWHERE, NOBODY):
            out[host] = await net.send(host)

    play(script, story, **network)
    return out, back


# -- what is in force at first


def test_rules_of_gx_open_what_the_card_may_not_and_close_what_it_may() -> None:
    """The PGW's own provisioning says the opposite, and is not asked."""
    script = answer(rule("other", to(ELSEWHERE)), rule("own", to(SERVER), status=DISABLED, precedence=5))

    async def story(net: Network, _: ForeignPcrf) -> None:
        own = net.card(1, data=[{"by": "pgw", "whitelist": [SERVER]}])
        await net.call("PUT", f"/cards/{imsi(1)}", own, element="pgw")
        assert await net.attach() == "accepted"
        assert [await net.send(SERVER), await net.send(ELSEWHERE)] == [0, SIZE]
        assert net.back == {ELSEWHERE: SIZE}

    play(script, story)


def test_without_a_rule_nothing_passes() -> None:
    async def story(net: Network, _: ForeignPcrf) -> None:
        await net.attach()
        if net.emm().bearers:
            assert [await net.send(SERVER), await net.reach(SERVER)] == [0, 0]
        assert (net.out.total(), net.back.total()) == (0, 0)

    play(answer(), story)


@pytest.mark.parametrize(
    ("status", "out", "back"),
    [(ENABLED, SIZE, SIZE), (UPLINK_ONLY, SIZE, 0), (DOWNLINK_ONLY, 0, SIZE), (DISABLED, 0, 0), (REMOVED, 0, 0)],
)
def test_a_gate_is_open_in_the_directions_that_flow_status_says(status: int, out: int, back: int) -> None:
    gone = passing(answer(rule("one", to(NOBODY), status=status)))
    assert gone == ({ELSEWHERE: 0, NOBODY: out}, {ELSEWHERE: 0, NOBODY: back})


@pytest.mark.parametrize(("direction", "out", "back"), [(0, SIZE, SIZE), (1, 0, SIZE), (2, SIZE, 0), (3, SIZE, SIZE)])
def test_a_filter_holds_in_the_directions_that_flow_direction_says(direction: int, out: int, back: int) -> None:
    """TS 29.212 5.3.65: unspecified is for both."""
    gone = passing(answer(rule("one", to(NOBODY), direction=direction)))
    assert gone == ({ELSEWHERE: 0, NOBODY: out}, {ELSEWHERE: 0, NOBODY: back})


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("permit out ip from 192.0.2.99 to assigned", SIZE),
        ("permit out 17 from 192.0.2.99 to assigned", SIZE),
        ("permit out 17 from 192.0.2.99/32 5683 to assigned", SIZE),
        ("permit out 17 from 192.0.2.96/28 5600-5700 to assigned", SIZE),
        ("permit out 17 from 192.0.2.99 5683 to assigned 40000", SIZE),
        ("permit out 17 from 192.0.2.99 to any", SIZE),
        ("permit out 6 from 192.0.2.99 to assigned", 0),
        ("permit out 17 from 192.0.2.98 to assigned", 0),
        ("permit out 17 from 192.0.2.112/28 to assigned", 0),
        ("permit out 17 from 192.0.2.99 5684-5700 to assigned", 0),
        ("permit out 17 from 192.0.2.99 5683 to assigned 40001", 0),
        ("permit out 17 from 192.0.2.99 to 10.99.0.1", 0),
        ("permit out 17 from 2001:db8::99 to assigned", 0),
    ],
)
def test_a_flow_description_holds_for_what_it_says_and_for_nothing_else(text: str, out: int) -> None:
    assert passing(answer(rule("one", text)))[0] == {ELSEWHERE: 0, NOBODY: out}


def test_ipv6_flows_are_told_apart() -> None:
    async def story(net: Network, _: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        assert [await net.send(SERVER6), await net.send("2001:db8:66::66"), await net.reach("2001:db8::9")] == [
            SIZE,
            0,
            0,
        ]
        assert net.back[SERVER6] == SIZE

    play(answer(rule("six", "permit out 17 from 2001:db8:80::/48 5683 to assigned")), story, kind="ipv6")


@pytest.mark.parametrize(("narrow", "wide", "out"), [(5, 10, SIZE), (10, 5, 0)])
def test_the_lower_precedence_decides(narrow: int, wide: int, out: int) -> None:
    """TS 29.212 5.3.11: rules with lower values take precedence over those with higher ones."""
    script = answer(
        rule("open", to(NOBODY), precedence=narrow), rule("closed", to("any", "ip"), precedence=wide, status=DISABLED)
    )
    assert passing(script)[0] == {ELSEWHERE: 0, NOBODY: out}


def test_sessions_have_rules_of_their_own() -> None:
    script = {"answers": {"initial": [{"install": [rule("one", to(NOBODY))]}]}}

    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach("meter1") == "accepted"
        pcrf.script["answers"]["initial"] = [{"install": [rule("one", to(ELSEWHERE))]}]
        assert await net.attach("meter2") == "accepted"
        found = [await net.send(host, meter=meter) for meter in net.meters for host in (NOBODY, ELSEWHERE)]
        assert found == [SIZE, 0, 0, SIZE]
        first = next(iter(pcrf.sessions.values()))
        await asyncio.to_thread(pcrf.push, first, {"remove": ["one"]})
        assert [await net.send(NOBODY), await net.send(ELSEWHERE, meter="meter2")] == [0, SIZE]

    play(script, story, meters=2)


STORY = """\
scenario: A meter under a PCRF of another hand, which opens what the card may not have
network:
  pgw: {apns: {iot: {gx: pcrf}}}
  pcrf: {external: "127.0.0.1:PORT"}
cards:
  card: {profile: meter, data: {by: pcrf, whitelist: ["198.51.100.80:5683"]}}
devices:
  meter: {type: module}
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
    expect: accepted
  - send: {device: meter, to: "203.0.113.66:5683"}
    expect: delivered
  - expect: {internet: {arrived: {destination: 203.0.113.66, packets: 1}}}
  - send: {device: meter, to: "198.51.100.80:5683"}
    expect: timed-out
  - never: {internet: {arrived: {destination: 198.51.100.80}}}
"""


def test_a_story_whose_pcrf_is_outside() -> None:
    with ForeignPcrf(answer(rule("other", to(ELSEWHERE)))) as pcrf:
        scenario = Loader().load("s.yaml", STORY.replace("PORT", str(pcrf.port)))
        result = run_scenario(scenario, "s", RunOptions())
    assert result.verdict is Verdict.PASSED, result.failure
    assert [kind_of(each) for each in pcrf.received] == ["initial", "terminate"]
    assert pcrf.complaints == []


# -- what cannot be in force


@pytest.mark.parametrize(
    ("bad", "codes", "more"),
    [
        ("permit in 17 from 192.0.2.99 to assigned", {INCORRECT_FLOW, RESTRICTED}, {}),
        ("deny out 17 from 192.0.2.98 to assigned", {INCORRECT_FLOW, RESTRICTED}, {}),
        ("permit out 17 from !192.0.2.98 to assigned", {INCORRECT_FLOW, RESTRICTED}, {}),
        ("permit out 17 from 192.0.2.99 to assigned frag", {INCORRECT_FLOW, RESTRICTED}, {}),
        ("permit out 17 from 192.0.2.99 to assigned established", {INCORRECT_FLOW, RESTRICTED}, {}),
        ("permit out 17 from 192.0.2.99/33 to assigned", {INCORRECT_FLOW, RESTRICTED}, {}),
        ("permit out 17 from 192.0.2.99 65536 to assigned", {INCORRECT_FLOW, RESTRICTED}, {}),
        ("permit out 17 from 192.0.2.99 6000-5000 to assigned", {INCORRECT_FLOW, RESTRICTED}, {}),
        ("permit out 256 from 192.0.2.99 to assigned", {INCORRECT_FLOW, RESTRICTED}, {}),
        ("permit out", {INCORRECT_FLOW, RESTRICTED}, {}),
        ("", {INCORRECT_FLOW, RESTRICTED, MISSING_FLOW}, {}),
        ("0xff00fe", {INCORRECT_FLOW, RESTRICTED}, {}),
        (to(NOBODY), {INCORRECT_FLOW}, {"status": 5}),
        (to(NOBODY), {INCORRECT_FLOW}, {"status": REMOVED}),
        ("permit out 17 from any to assigned\npermit out ip from any to assigned", {INCORRECT_FLOW, RESTRICTED}, {}),
        (to(NOBODY), {INCORRECT_FLOW}, {"direction": None}),  # 5.3.53
        (to(NOBODY), {INCORRECT_FLOW}, {"direction": 4}),
    ],
)
def test_what_is_no_flow_description_opens_nothing_and_is_reported(bad: str, codes: set[int], more: Tree) -> None:
    """The rule beside it is in force (TS 29.212 4.5.12)."""

    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        assert [await net.send(NOBODY), await net.send(ELSEWHERE), await net.reach(NOBODY)] == [0, SIZE, 0]
        assert await net.until(lambda: reports(pcrf))
        (name, status, code), *more = reports(pcrf)
        assert (name, status, more) == (b"bad", 1, [])
        assert code in codes

    play(answer(rule("bad", bad, **{"precedence": 1, **more}), rule("good", to(ELSEWHERE))), story)


def reports(pcrf: ForeignPcrf) -> list[tuple[Any, int, int]]:
    """Return rules and groups that the PGW reported, each with its status and why (TS 29.212 5.3.18).

    The name of a rule is octets, that of a group is text.
    """
    return [
        (name, each["PCC-Rule-Status"][0], each["Rule-Failure-Code"][0])
        for request in pcrf.received
        for each in request.all("Charging-Rule-Report")
        for name in each.get("Charging-Rule-Name", []) + each.get("Charging-Rule-Base-Name", [])
    ]


@pytest.mark.parametrize(
    ("unknown", "name", "code", "features"),
    [
        ("no-such-rule", b"no-such-rule", UNKNOWN_RULE_NAME, 0),
        ({"base": "no-such-group"}, "no-such-group", UNKNOWN_RULE_NAME, 0),
        ({"name": "app", "precedence": 1, "application": "no-such-application"}, b"app", APPLICATION_ERROR, ADC),
        ({"name": "empty", "precedence": 1}, b"empty", MISSING_FLOW, 0),
    ],
)
def test_a_rule_that_the_pgw_does_not_know_opens_nothing_and_is_reported(
    unknown: Any, name: Any, code: int, features: int
) -> None:
    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        assert [await net.send(NOBODY), await net.send(ELSEWHERE)] == [0, SIZE]
        assert await net.until(lambda: reports(pcrf))
        assert reports(pcrf) == [(name, 1, code)]

    more = {"features": features} if features else {}
    play(answer(unknown, rule("good", to(ELSEWHERE)), **more), story)


# -- changes in mid-flow


def test_a_re_auth_request_acts_on_a_running_flow_at_once() -> None:
    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        found = [await net.send(NOBODY)]
        for step in (
            {"install": [{"name": "one", "status": DISABLED}]},  # what is not told stays (TS 29.212 5.3.4)
            {"install": [{"name": "one", "status": UPLINK_ONLY}]},
            {"install": [{"name": "one", "flows": [to(ELSEWHERE)]}]},
            {"install": [{"name": "one", "flows": [to(NOBODY)]}], "remove": ["other"]},
            {"remove": ["one"]},
            {"install": [rule("again", to("any", "ip"))]},
        ):
            assert (await push(pcrf, **step)).result == 2001
            found += [await net.send(NOBODY), await net.reach(NOBODY)]
        assert found == [SIZE, 0, 0, SIZE, 0, 0, 0, SIZE, 0, 0, 0, SIZE, SIZE]

    play(answer(rule("one", to(NOBODY)), rule("other", to("192.0.2.100"))), story)


def test_a_rule_that_cannot_be_installed_by_a_re_auth_request_is_told() -> None:
    """TS 29.212 4.5.12: in the answer, or in a Credit-Control-Request after it; 5142 where none could be."""

    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        told = await push(pcrf, install=[rule("bad", "permit out 17 from nowhere to assigned")])
        inside = told.all("Charging-Rule-Report", "Charging-Rule-Name")
        assert told.result in (2001, 5142)
        assert inside == [b"bad"] or await net.until(lambda: reports(pcrf))
        assert [await net.send(NOBODY), await net.send(ELSEWHERE)] == [0, SIZE]

    play(answer(rule("good", to(ELSEWHERE))), story)


@pytest.mark.parametrize("change", [{"flows": ["nonsense"]}, {"status": 5}, {"qci": 7, "flows": ["nonsense"]}], ids=str)
def test_a_denial_that_is_changed_to_what_cannot_be_stays(change: Tree) -> None:
    """And what is allowed beside it."""

    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        assert [await net.send(NOBODY), await net.send(ELSEWHERE)] == [0, SIZE]
        told = await push(pcrf, install=[{"name": "denied", **change}])
        (report,) = told.all("Charging-Rule-Report")
        assert (told.result, report["Charging-Rule-Name"], report["PCC-Rule-Status"]) == (5142, [b"denied"], [0])
        assert [await net.send(NOBODY), await net.send(ELSEWHERE)] == [0, SIZE]
        assert (await push(pcrf, install=[{"name": "denied", "qci": 7}])).result == 2001
        assert [await net.send(NOBODY), await net.send(ELSEWHERE)] == [0, SIZE]
        await push(pcrf, remove=["denied"])
        assert await net.send(NOBODY) == SIZE

    denied = rule("denied", to(NOBODY), status=DISABLED, precedence=1)
    play(answer(denied, rule("all", to("any", "ip"))), story)


def test_an_answer_to_an_update_changes_what_is_in_force() -> None:
    """Here to the report of a rule that could not be installed (TS 29.212 4.5.2.0: PULL)."""
    script = answer(rule("bad", "permit out 17 from nowhere to assigned"), rule("one", to(ELSEWHERE)))
    script["answers"]["update"] = [{"install": [rule("bad", to(NOBODY))], "remove": ["one"]}]

    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        assert await net.until(lambda: reports(pcrf))
        await net.sleep(0.5)
        assert [await net.send(NOBODY), await net.send(ELSEWHERE)] == [SIZE, 0]

    play(script, story)


def test_several_groups_of_rules_are_installed_and_removed_at_once() -> None:
    """Charging-Rule-Install and -Remove may come more than once (TS 29.212 5.6.3)."""

    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        assert [await net.send(NOBODY), await net.send(ELSEWHERE)] == [SIZE, SIZE]
        await push(pcrf, avps={"Charging-Rule-Remove": [{"Charging-Rule-Name": [name]} for name in ("one", "two")]})
        assert [await net.send(NOBODY), await net.send(ELSEWHERE)] == [0, 0]

    both = [install([rule("one", to(NOBODY))]), install([rule("two", to(ELSEWHERE))])]
    play(answer(avps={"Charging-Rule-Install": [each["Charging-Rule-Install"] for each in both]}), story)


def test_a_rule_of_another_quality_has_a_bearer_of_its_own_and_opens_no_other_flow() -> None:
    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        assert await net.until(lambda: net.emm().dedicated)
        assert [await net.reach(NOBODY), await net.reach(SERVER), await net.reach(ELSEWHERE)] == [SIZE, 0, SIZE]
        await push(pcrf, remove=["fast"])
        assert await net.until(lambda: not net.emm().dedicated)
        assert [await net.reach(NOBODY), await net.send(NOBODY), await net.reach(ELSEWHERE)] == [0, 0, SIZE]

    play(answer(rule("fast", to(NOBODY), qci=7), rule("slow", to(ELSEWHERE))), story)


def test_a_session_that_the_pcrf_ends_is_over() -> None:
    """TS 29.212 4.5.9: the PGW answers, ends the session, and says so. The meter may come again, and is refused."""

    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        assert await net.send(NOBODY) == SIZE
        pcrf.script["answers"]["initial"] = [{"result": 5012}]
        assert (await push(pcrf, release=1)).result == 2001
        assert await net.until(lambda: pcrf.of_kind("terminate"))
        net.out.clear()
        if net.emm().bearers:
            assert await net.send(NOBODY) == 0
        assert net.out == {}

    pcrf = play(answer(rule("one", to(NOBODY))), story)
    assert pcrf.of_kind("terminate")[0].one("Termination-Cause") is not None


def test_a_re_auth_request_of_no_session_is_refused() -> None:
    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        session = pcrf.only_session()
        odd = {"Session-Id": "nobody;1;1", "Charging-Rule-Remove": {"Charging-Rule-Name": ["one"]}}
        found = await asyncio.to_thread(pcrf.push, session, {"avps": odd})
        assert found.result == 5002
        assert await net.send(NOBODY) == SIZE

    play(answer(rule("one", to(NOBODY))), story)


# -- a PCRF that fails

FAILURES = [
    {"silent": True},
    {"result": 3004},
    {"result": 4001},
    {"result": 5012},
    {"result": 5030},
    {"experimental": 5140},
    {"experimental": 5143},
    {"experimental": 5065},
]


@pytest.mark.parametrize("failing", FAILURES, ids=str)
def test_a_pcrf_that_does_not_say_yes_opens_nothing(failing: Tree) -> None:
    """Also where rules came with the refusal."""

    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        attached = asyncio.ensure_future(net.attach())
        await net.until(lambda: pcrf.received)
        await net.until(attached.done, 30)
        if net.emm().bearers:
            assert [await net.send(NOBODY), await net.reach(NOBODY)] == [0, 0]
        assert (net.out, net.back) == ({}, {})
        pcrf.script["answers"]["initial"] = [{"install": [rule("one", to(NOBODY))]}]
        attached.cancel()

    play(answer(rule("one", to(NOBODY)), **failing), story)


def test_a_pcrf_that_is_not_there_opens_nothing() -> None:
    async def story(net: Network) -> None:
        attached = asyncio.ensure_future(net.attach())
        await net.until(attached.done, 30)
        assert not net.emm().bearers
        assert (net.out, net.back) == ({}, {})
        attached.cancel()

    with reserved_port() as port:
        Network({"pcrf": port}, GX).play(story)


# -- what it is told


def test_the_pcrf_is_told_who_it_is_and_when_it_ends() -> None:
    """TS 29.212 4.5.1, 4.5.7, 5.6.2."""

    async def story(net: Network, pcrf: ForeignPcrf) -> None:
        assert await net.attach() == "accepted"
        await net.do("meter1", "power_off", device="meter1")
        assert await net.until(lambda: len(pcrf.received) == 2)

    begin, end = play(answer(rule("one", to(NOBODY))), story).received
    ids = {each["Subscription-Id-Type"][0]: each["Subscription-Id-Data"][0] for each in begin.all("Subscription-Id")}
    assert ids == {1: imsi(1), 0: "1440000000001"} or ids == {1: imsi(1), 0: "861440000000001"}
    assert (begin.one("CC-Request-Type"), begin.one("CC-Request-Number")) == (1, 0)
    assert begin.one("IP-CAN-Type") == 5
    assert begin.one("RAT-Type") == 1004
    assert begin.one("Called-Station-Id") == APN
    assert len(begin.one("Framed-IP-Address")) == 4
    assert len(begin.one("3GPP-User-Location-Info")) == 13
    assert begin.one("Default-EPS-Bearer-QoS", "QoS-Class-Identifier") == 9
    for each in (begin, end):
        assert each.one("Auth-Application-Id") == 16777238
        assert (each.header.is_proxyable, each.one("Service-Context-Id")) == (True, None)
    assert (end.one("CC-Request-Type"), end.one("CC-Request-Number"), end.one("Termination-Cause")) == (3, 1, 1)
    assert end.session == begin.session
