"""Our PGW under OCSs of another hand: only what comes out at SGi and at the meter counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from foreign_credit import kind_of
from foreign_network import APN, ELSEWHERE, SIZE, Network, imsi
from foreign_ocs import LIMIT_REACHED, NOT_APPLICABLE, TERMINATE, ForeignOcs
from foreign_pcef import GyClient
from foreign_pcrf import DISABLED, ENABLED, ForeignPcrf
from freediameter import DAEMON, REALM, credit_load, granting_nothing
from waiting import reserved_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from foreign_diameter import Received, Tree

    Story = Callable[[Network, ForeignOcs], Awaitable[None]]

pytestmark = pytest.mark.interop
FREEDIAMETER = pytest.mark.skipif(
    DAEMON is None, reason="not installed: freediameterd freediameter-extensions (apt install them)"
)
WHO = {"imsi": "001010000000001", "msisdn": "1440000000001"}
GROUP, OTHER = 10, 20
NOBODY = "192.0.2.99"
ASR = 274
#: Reporting-Reason (TS 32.299 7.2.175)
THRESHOLD, FINAL, QUOTA_EXHAUSTED, VALIDITY_TIME, FORCED = 0, 2, 3, 4, 7


def charged(name: str, host: str, group: int, status: int = ENABLED) -> Tree:
    """Make a rule that opens all flows with a host, and charges them online by their volume."""
    flow = f"permit out ip from {host} to assigned"
    how = {"rating_group": group, "online": 1, "metering": 1}
    return {"name": name, "precedence": 10 + group, "flows": [flow], "status": status, **how}


POLICY: Tree = {
    "answers": {"initial": [{"install": [charged("one", NOBODY, GROUP), charged("other", ELSEWHERE, OTHER)]}]}
}
PGW = {"apns": {APN: {"gx": "pcrf", "gy": "ocs", "not_applicable": "end"}}}


def play(script: Tree, story: Story, *, policy: Tree = POLICY, **network: Any) -> ForeignOcs:
    """Tell a story under an OCS and a PCRF that keep to scripts; they may not come across what they cannot read."""
    with ForeignPcrf(policy) as pcrf, ForeignOcs(script) as ocs:

        async def told(net: Network) -> None:
            await story(net, ocs)

        Network({"pcrf": pcrf.port, "ocs": ocs.port}, PGW, **network).play(told)
        assert pcrf.complaints + ocs.complaints == []
    return ocs


def grants(*of_group: Tree, other: Tree | None = None, **answers: Any) -> Tree:
    """Make a script of grants for the one group, and perhaps for the other."""
    groups = {GROUP: list(of_group), OTHER: [other or {"octets": 1_000_000}]}
    return {"groups": groups, "answers": {kind: [answer] for kind, answer in answers.items()}}


def passed(net: Network) -> int:
    """Octets that passed so far between the meters and the host of the one group."""
    return net.out[NOBODY] + net.back[NOBODY]


async def pour(net: Network, packets: int = 30, size: int = SIZE, meter: str = "meter1") -> int:
    """Have packets go both ways in turn, as many as may; return the octets that passed."""
    before = passed(net)
    for number in range(packets):
        if not net.emm(meter).bearers:  # its session may end with each packet
            break
        await (net.reach if number % 2 else net.send)(NOBODY, size, meter=meter)
    return passed(net) - before


async def is_closed(net: Network, within: int) -> bool:
    """Send until nothing passes, so many packets at most: what was granted may be used until the answer is there."""
    for _ in range(within):
        if not await net.send(NOBODY):
            return True
    return False


async def push(ocs: ForeignOcs, **step: Any) -> Received:
    """Send the only session's PGW a Re-Auth-Request; return its answer."""
    return await asyncio.to_thread(ocs.push, ocs.only_session(), step)


# -- exactly what was granted


@pytest.mark.parametrize("size", [SIZE, 70])
def test_exactly_the_granted_octets_pass_in_both_directions_together(size: int) -> None:
    """Whole packets only: 1,000 octets are 10 of 100, or 14 of 70."""

    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net, size=size) == 1000 // size * size
        assert await net.until(lambda: ocs.used[GROUP])
        assert (ocs.granted[GROUP], ocs.used[GROUP]) == (1000, passed(net))

    play(grants({"octets": 1000, "final": TERMINATE}), story)


def test_exactly_two_grants_pass_and_none_when_nothing_more_is_granted() -> None:
    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net) == 1500
        assert ocs.used[GROUP] <= 1500
        assert ocs.reasons(GROUP)[0] == QUOTA_EXHAUSTED

    play(grants({"octets": 1000}, {"octets": 500}, {"result": LIMIT_REACHED}), story)


def test_a_packet_that_does_not_fit_waits_for_a_late_answer() -> None:
    """Nothing passes meanwhile."""

    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net, 4) == 400
        assert await net.send(NOBODY) == 0
        assert await net.until(lambda: passed(net) == 500)
        assert ocs.granted[GROUP] == 800

    play(grants({"octets": 400}, update={"after": 2.5}), story)


def test_a_threshold_asks_before_it_is_too_late() -> None:
    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net, 30) == 3000
        assert set(ocs.reasons(GROUP)) == {THRESHOLD}
        assert ocs.granted[GROUP] - ocs.used[GROUP] >= 0

    play(grants({"octets": 1000, "threshold": 300}), story)


def test_flows_share_what_their_group_was_granted_and_groups_share_nothing() -> None:
    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        found = [await net.send(NOBODY, port=port) for port in range(6000, 6010)]
        assert found == [SIZE] * 5 + [0] * 5
        assert await net.send(ELSEWHERE) == SIZE
        assert ocs.granted[OTHER] == 1_000_000

    play(grants({"octets": 500, "final": TERMINATE}), story)


def test_sessions_are_granted_on_their_own() -> None:
    async def story(net: Network, _: ForeignOcs) -> None:
        assert [await net.attach(meter) for meter in net.meters] == ["accepted"] * 2
        assert [await pour(net, 10, meter=meter) for meter in net.meters] == [500, 300]

    play(grants({"octets": 500, "final": TERMINATE}, {"octets": 300, "final": TERMINATE}), story, meters=2)


# -- what is no grant

NO_GRANTS = {
    "limit reached in the group": grants({"result": LIMIT_REACHED}),
    "limit reached": grants({"octets": 1000}, initial={"result": LIMIT_REACHED}),
    "limit reached, with a grant": grants({"octets": 1000}, initial={"result": LIMIT_REACHED, "bare": False}),
    "success without a grant": grants({}, initial={"bare": True}),
    "success without units": grants({}),
    "success with nothing granted": grants({"octets": 0}),
    "time and no octets": grants({"avps": {"Granted-Service-Unit": {"CC-Time": 3600, "CC-Total-Octets": 0}}}),
    "an empty unit": grants({"avps": {"Granted-Service-Unit": {}}}),
    "not applicable": grants({}, initial={"result": NOT_APPLICABLE}),
    "not applicable in the group": grants({"result": NOT_APPLICABLE}),
    "rating failed": grants({"result": 5031}),
    "units with a refusal": grants({"octets": 1000, "result": LIMIT_REACHED}),
    "user unknown": grants({}, initial={"result": 5030}),
    "authorization rejected": grants({}, initial={"result": 5003}),
    "service denied": grants({}, initial={"result": 4010}),
    "too busy": grants({}, initial={"result": 3004}),
    "silence": grants({}, initial={"silent": True}),
    "a redirection of nothing": grants({"octets": 0, "final": 1}),
    "units of another group": grants({"octets": 1000, "avps": {"Rating-Group": 99}}),
}


@pytest.mark.parametrize("script", NO_GRANTS.values(), ids=NO_GRANTS)
def test_what_is_no_grant_opens_nothing(script: Tree) -> None:
    async def story(net: Network, ocs: ForeignOcs) -> None:
        attached = asyncio.ensure_future(net.attach())
        await net.until(lambda: attached.done() or len(ocs.received) > 1, 30)
        assert await pour(net, 4) == 0
        assert ocs.used[GROUP] == 0
        attached.cancel()

    play(script, story)


def test_nothing_passes_beyond_a_grant_after_which_the_ocs_is_silent() -> None:
    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net, 10) == 500
        assert await net.until(lambda: len(ocs.of_kind("update")) > 0)
        await net.sleep(1)
        assert passed(net) == 500

    play(grants({"octets": 500}, update={"silent": True}), story)


def test_nothing_passes_beyond_a_grant_after_which_the_ocs_is_gone() -> None:
    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        await pour(net, 2)
        await asyncio.to_thread(ocs.close)
        await pour(net, 10)
        assert passed(net) <= 500

    play(grants({"octets": 500}), story)


@pytest.mark.parametrize("handling", [1, 2])
def test_an_ocs_that_asks_to_go_on_without_it_is_not_obeyed(handling: int) -> None:
    """Credit-Control-Failure-Handling CONTINUE and RETRY_AND_TERMINATE (RFC 8506 8.14): only where it is configured."""

    async def story(net: Network, _: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net, 10) == 500

    wish = {"avps": {"Credit-Control-Failure-Handling": handling}}
    play(grants({"octets": 500}, initial=wish, update={"silent": True}), story)


# -- changes in mid-flow


def test_a_re_auth_request_has_the_pgw_tell_and_ask() -> None:
    """RFC 8506 5.5: 2002, and an update with all that was used, for reason FORCED_REAUTHORISATION."""

    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net, 4) == 400
        assert (await push(ocs, rating_group=GROUP)).result in (2001, 2002)
        assert await net.until(lambda: ocs.reasons(GROUP) == [FORCED])
        assert ocs.used[GROUP] == 400
        assert await pour(net, 10) == 300

    play(grants({"octets": 1000}, {"octets": 300, "final": TERMINATE}), story)


def test_a_re_auth_request_can_end_a_group_in_mid_flow() -> None:
    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net, 4) == 400
        await push(ocs, rating_group=GROUP)
        assert await net.until(lambda: ocs.reasons(GROUP) == [FORCED])
        assert await is_closed(net, within=5)
        assert await net.send(ELSEWHERE) == SIZE

    play(grants({"octets": 1000}, {"result": LIMIT_REACHED}), story)


def test_a_grant_is_worth_nothing_when_its_time_is_over() -> None:
    """Validity-Time (RFC 8506 8.33): a second here, and then refused."""

    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net, 2) == 200
        await net.sleep(1.2)
        assert await net.until(lambda: ocs.reasons(GROUP) == [VALIDITY_TIME])
        assert await is_closed(net, within=7)

    play(grants({"octets": 1000, "validity": 1}, {"result": LIMIT_REACHED}), story)


def test_an_abort_ends_the_session() -> None:
    """Abort-Session-Request (RFC 6733 8.5.1)."""

    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net, 4) == 400
        session = ocs.only_session()
        ocs.script["answers"]["initial"] = [{"result": LIMIT_REACHED}]  # of the session that the device begins anew
        who = {"Destination-Realm": REALM, "Destination-Host": f"pgw.{REALM}", "Auth-Application-Id": 4}
        asked = {"Session-Id": session.id, **ocs.origin(), **who}
        assert (await asyncio.to_thread(session.link.ask, ASR, asked)).result == 2001
        assert await net.until(lambda: ocs.of_kind("terminate") and not net.emm().bearers)
        assert (passed(net), ocs.used[GROUP]) == (400, 400)

    play(grants({"octets": 1000}), story)


def test_the_last_group_that_ends_ends_the_connection() -> None:
    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net) == 500
        assert await net.until(lambda: ocs.of_kind("terminate"))
        net.out.clear()
        await pour(net, 2)
        assert net.out == {}

    policy = {"answers": {"initial": [{"install": [charged("one", NOBODY, GROUP)]}]}}
    play(grants({"octets": 500, "final": TERMINATE}), story, policy=policy)


def test_a_gate_that_the_pcrf_closes_stays_closed_whatever_the_ocs_grants() -> None:
    async def story(net: Network, _: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        assert await pour(net, 4) == 0
        assert await net.send(ELSEWHERE) == SIZE

    closed = [charged("one", NOBODY, GROUP, DISABLED), charged("other", ELSEWHERE, OTHER)]
    play(grants({"octets": 1000}), story, policy={"answers": {"initial": [{"install": closed}]}})


# -- what it is told


def test_the_ocs_is_told_who_it_is_and_every_octet() -> None:
    """TS 32.299 6.3.8, 6.4.2."""

    async def story(net: Network, ocs: ForeignOcs) -> None:
        assert await net.attach() == "accepted"
        await pour(net, 14)
        await net.do("meter1", "power_off", device="meter1")
        assert await net.until(lambda: kind_of(ocs.received[-1]) == "terminate")
        assert ocs.used[GROUP] == passed(net) == 1400

    ocs = play(grants({"octets": 1000}), story)
    begin = ocs.received[0]
    ids = {each["Subscription-Id-Type"][0]: each["Subscription-Id-Data"][0] for each in begin.all("Subscription-Id")}
    assert ids[1] == imsi(1)
    assert ids[0].endswith("1440000000001")
    assert (begin.one("CC-Request-Number"), begin.one("Service-Context-Id")) == (0, "32251@3gpp.org")
    assert begin.one("Multiple-Services-Indicator") == 1
    known = begin.all("Service-Information", "PS-Information")[0]
    assert known["Called-Station-Id"] == [APN]
    assert known["3GPP-RAT-Type"] == [bytes([6])]
    assert len(known["3GPP-Charging-Id"][0]) == 4
    assert len(known["3GPP-User-Location-Info"][0]) == 13
    assert ocs.reasons(GROUP)[-1] == FINAL
    assert [each.one("CC-Request-Number") for each in ocs.received] == list(range(len(ocs.received)))


# -- freeDiameter's own test_cc, which grants nothing, and its test_ccload, which asks


@FREEDIAMETER
def test_test_cc_grants_nothing(tmp_path: Path) -> None:
    with reserved_port("") as port, granting_nothing(tmp_path, port), GyClient(port, **WHO) as pgw:
        answer = pgw.initial(10)
        assert (answer.result, answer.all("Multiple-Services-Credit-Control")) == (2001, [])


@FREEDIAMETER
def test_nothing_passes_under_test_cc(tmp_path: Path) -> None:
    async def story(net: Network) -> None:
        await net.attach()
        assert await pour(net, 4) == 0

    with reserved_port("") as port, granting_nothing(tmp_path, port), ForeignPcrf(POLICY) as pcrf:
        Network({"pcrf": pcrf.port, "ocs": port}, PGW).play(story)


@FREEDIAMETER
def test_test_ccload_asks(tmp_path: Path) -> None:
    with ForeignOcs() as ocs:
        found = credit_load(tmp_path, ("127.0.0.1", ocs.port), 100)
        assert found["sent"] == len(ocs.received) >= 100
        assert (found["errors"], found["success"] > 0.9 * found["sent"]) == (0, True)
        assert ocs.complaints == []
