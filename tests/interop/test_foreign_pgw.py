"""Our PCRF and our OCS asked by a PGW of another hand."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import exported
import pytest
from foreign_diameter import CCR
from foreign_ocs import LIMIT_REACHED, octets
from foreign_pcef import LIMITED_SUCCESS, GxClient, GyClient
from foreign_pcrf import ADC, ENABLED
from freediameter import DAEMON, credit_load
from meter_card import CARD, IMSI
from waiting import until

from simulators.ocs.element import Ocs
from simulators.pcrf.element import Pcrf
from simwarden import testing
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Frame

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from foreign_diameter import Received, Tree
    from foreign_pcef import CreditClient

    Story = Callable[["Asked"], Awaitable[None]]

pytestmark = pytest.mark.interop
WHO = {"imsi": IMSI, "msisdn": "861440000000001"}
LISTED = ["198.51.100.80:5683", "198.51.100.81"]
APPROVAL = {"approver": "operator", "reason": "moved", "form": "A-1"}
#: TS 29.212 5.4.2
FLOW = re.compile(r"permit out (ip|\d{1,3}) from (\S+)(?: \d+(?:-\d+)?)? to (?:assigned|\S+)(?: \d+(?:-\d+)?)?")
EXHAUSTED, THRESHOLD = 3, 0
QUOTA, GIVEN, GROUP = 10_000, 4_000, 1


class Asked(testing.Bench):
    """One of our elements on a real socket, and clients of another hand, which are called in threads of their own."""

    def __init__(self, name: str, element: Any, interface: str, settings: Mapping[str, Any]) -> None:
        super().__init__(TestbedLoop(virtual=False), transport="tcp")
        self.subject, self._interface = name, interface
        self.add(name, element, {"peers": {"pgw": {}, "pgw2": {}, "load": {}}, **settings})
        self.clients: list[CreditClient] = []

    async def client(self, **who: Any) -> Any:
        """Connect a client."""
        kind: type[Any] = GxClient if self._interface == "Gx" else GyClient
        host, port = self.where
        made = await asyncio.to_thread(kind, port, **{**WHO, **who}, at=host)
        self.clients.append(made)
        return made

    @property
    def where(self) -> tuple[str, int]:
        host, port = self.host.transport.address_of(self.subject, self._interface)
        return host, port

    def play(self, story: Story) -> Asked:
        """Tell a story, which must end without a fault of ours and without anything that they could not read."""

        async def whole() -> None:
            async with self:
                try:
                    await story(self)
                finally:
                    for client in self.clients:
                        client.close()

        try:
            self.loop.run_until_complete(whole())
        finally:
            self.loop.close()
        assert [each for client in self.clients for each in client.complaints] == []
        return self

    def without_remarks(self, folder: Path) -> None:
        """See that Wireshark reads what was said on both sides."""
        messages = [each for client in self.clients for each in (*client.said, *client.heard)]
        assert messages
        for fields in exported.read(folder / "said.pcap", [("diameter", each) for each in messages]):
            assert set(fields.get("_ws.expert.message", ())) <= {"Data is empty"}, fields
            assert "diameter.avp.unknown" not in fields


asked = asyncio.to_thread


async def provision(net: Asked, **sections: Any) -> None:
    await net.call("PUT", f"/cards/{IMSI}", {**CARD, "sections": sections})


# -- Gx


def under_rules(story: Story, data: Tree | None = None, **settings: Any) -> Asked:
    """Tell a story of our PCRF, which holds the card's lists."""

    async def told(net: Asked) -> None:
        await provision(net, **({"data": [{"by": "pcrf", **data}]} if data else {}))
        await story(net)

    return Asked("pcrf", Pcrf, "Gx", settings).play(told)


def flows(message: Received, *, status: int = ENABLED) -> set[str]:
    """Return the Flow-Descriptions of rules with open gates; each must be as TS 29.212 5.3.53 and 5.4.2 want it."""
    found = set()
    for rule in message.all("Charging-Rule-Install", "Charging-Rule-Definition"):
        assert len(rule["Charging-Rule-Name"]) == len(rule["Precedence"]) == 1
        for flow in rule.get("Flow-Information", []):
            text = flow["Flow-Description"][0].decode("ascii")
            assert FLOW.fullmatch(text), text
            assert flow["Flow-Direction"][0] in (1, 2, 3)
            if rule.get("Flow-Status", [ENABLED]) == [status]:
                found.add(text)
    return found


def remotes(message: Received) -> set[str]:
    found = (FLOW.fullmatch(text) for text in flows(message))
    return {match[2].removesuffix("/32") for match in found if match}


def test_rules_are_those_of_the_cards_list(tmp_path: Path) -> None:
    async def story(net: Asked) -> None:
        pgw = await net.client()
        answer = await asked(pgw.initial)
        assert (answer.result, answer.one("CC-Request-Type"), answer.one("CC-Request-Number")) == (2001, 1, 0)
        assert remotes(answer) == {"198.51.100.80", "198.51.100.81"}
        assert [each for each in flows(answer) if " 5683 " in each]
        assert (await asked(pgw.update, 13)).result == 2001
        assert (await asked(pgw.terminate)).result == 2001
        assert (await asked(pgw.update)).result == 5002

    under_rules(story, {"whitelist": LISTED}).without_remarks(tmp_path)


def test_a_card_without_lists_has_one_rule_for_all() -> None:
    async def story(net: Asked) -> None:
        answer = await asked((await net.client()).initial)
        assert remotes(answer) == {"any"}

    under_rules(story)


def test_an_empty_list_opens_nothing() -> None:
    async def story(net: Asked) -> None:
        answer = await asked((await net.client()).initial)
        assert flows(answer) == set()

    under_rules(story, {"whitelist": []})


def test_a_card_that_it_does_not_know_gets_no_rules() -> None:
    """DIAMETER_USER_UNKNOWN is one of the IETF's and of 3GPP's: 5030 (RFC 8506 9.2, TS 29.212 5.5.1)."""

    async def story(net: Asked) -> None:
        answer = await asked((await net.client(imsi="001010000000099", msisdn="861440000000099")).initial)
        assert (answer.result, answer.all("Charging-Rule-Install")) == (5030, [])

    under_rules(story)


def test_an_order_follows_a_changed_list() -> None:
    """TS 29.212 4.5.2.0: without being asked (PUSH)."""

    async def story(net: Asked) -> None:
        pgw = await net.client()
        first = await asked(pgw.initial)
        names = set(first.all("Charging-Rule-Install", "Charging-Rule-Definition", "Charging-Rule-Name"))
        wish = {"by": "pcrf", "whitelist": ["198.51.100.90"], **APPROVAL}
        await net.call("PUT", f"/cards/{IMSI}/data", wish)
        assert await asked(until, lambda: pgw.orders)
        (order,) = pgw.orders
        assert remotes(order) == {"198.51.100.90"}
        installed = set(order.all("Charging-Rule-Install", "Charging-Rule-Definition", "Charging-Rule-Name"))
        removed = set(order.all("Charging-Rule-Remove", "Charging-Rule-Name"))
        assert names <= removed | installed, "what stood before is removed, or changed"

    under_rules(story, {"whitelist": LISTED})


@pytest.mark.parametrize(("bits", "told"), [(0b1011 | ADC, True), (0b1011, False)])
def test_names_are_told_as_applications_where_both_know_adc(bits: int, told: bool) -> None:  # noqa: FBT001
    async def story(net: Asked) -> None:
        answer = await asked((await net.client()).initial, features=[(1, bits)])
        found = answer.all("Charging-Rule-Install", "Charging-Rule-Definition", "TDF-Application-Identifier")
        assert found == ([b"cloud"] if told else [])
        assert "any" not in remotes(answer)

    entry = "server.example"
    under_rules(story, {"whitelist": [entry]}, applications={"cloud": [entry]})


def test_a_repeat_gets_the_same_answer() -> None:
    async def story(net: Asked) -> None:
        pgw = await net.client()
        first = await asked(pgw.initial)
        pgw._number = 0
        again = await asked(pgw.initial)
        assert {**again.avps, "Origin-State-Id": 0} == {**first.avps, "Origin-State-Id": 0}

    under_rules(story, {"whitelist": LISTED})


# -- Gy


def with_quota(story: Story, **settings: Any) -> Asked:
    """Tell a story of our OCS, which gives the card a quota in parts."""

    async def told(net: Asked) -> None:
        await provision(net, quota=[{"by": "ocs", "data": QUOTA}])
        await story(net)

    return Asked("ocs", Ocs, "Gy", {"octets": GIVEN, **settings}).play(told)


def given(message: Received) -> tuple[int, int, bool]:
    """Return the Result-Code of the one group in an answer, the octets granted, and whether they are the last."""
    (service,) = message.all("Multiple-Services-Credit-Control")
    assert service["Rating-Group"] == [GROUP]
    units = sum(octets(each) for each in service.get("Granted-Service-Unit", []))
    return service["Result-Code"][0], units, "Final-Unit-Indication" in service


def test_no_more_is_granted_than_the_quota(tmp_path: Path) -> None:
    async def story(net: Asked) -> None:
        pgw = await net.client()
        answers = [await asked(pgw.initial, GROUP)]
        while (last := given(answers[-1]))[0] == 2001 and not last[2]:
            answers.append(await asked(pgw.update, {GROUP: last[1]}, EXHAUSTED))
        assert [each.result for each in answers] == [2001] * len(answers)
        assert sum(given(each)[1] for each in answers) == QUOTA
        after = await asked(pgw.update, {GROUP: last[1]}, EXHAUSTED)
        assert given(after)[:2] == (LIMIT_REACHED, 0)
        assert (await asked(pgw.terminate, {})).result == 2001
        again = await net.client(name="pgw2")
        refused = await asked(again.initial, GROUP)
        assert refused.result == LIMIT_REACHED or given(refused)[:2] == (LIMIT_REACHED, 0)

    with_quota(story).without_remarks(tmp_path)


def test_what_was_not_used_is_given_again() -> None:
    async def story(net: Asked) -> None:
        pgw = await net.client()
        assert given(await asked(pgw.initial, GROUP))[1] == GIVEN
        assert (await asked(pgw.terminate, {GROUP: 1_000})).result == 2001
        again = await net.client(name="pgw2")
        total, answer = 0, await asked(again.initial, GROUP)
        while answer.result == 2001 and given(answer)[1]:
            total += given(answer)[1]
            answer = await asked(again.update, {GROUP: given(answer)[1]}, EXHAUSTED)
        assert total == QUOTA - 1_000

    with_quota(story)


def test_sessions_of_a_card_share_its_quota() -> None:
    async def story(net: Asked) -> None:
        both = [await net.client(name=name) for name in ("pgw", "pgw2")]
        answers = [await asked(each.initial, GROUP) for each in both]
        total = sum(given(each)[1] for each in answers)
        assert total == 2 * GIVEN
        for pgw, answer in zip(both, answers, strict=True):
            total += given(await asked(pgw.update, {GROUP: given(answer)[1]}, EXHAUSTED))[1]
        assert total <= QUOTA

    with_quota(story)


def test_a_repeated_report_counts_once() -> None:
    async def story(net: Asked) -> None:
        pgw = await net.client()
        await asked(pgw.initial, GROUP)
        told = []
        for _ in range(3):
            pgw._number = 1
            told.append(given(await asked(pgw.update, {GROUP: GIVEN}, EXHAUSTED)))
        assert told == [told[0]] * 3
        rest = given(await asked(pgw.update, {GROUP: GIVEN}, EXHAUSTED))
        assert rest[1] == QUOTA - 2 * GIVEN

    with_quota(story)


def test_requests_of_a_session_that_come_in_one_piece_are_served_in_their_order() -> None:
    """A gateway may report of each group by itself, and end a session before it has all answers."""

    async def story(net: Asked) -> None:
        pgw = await net.client()
        await asked(pgw.initial, GROUP)
        pgw.link.held, requests = [], []
        for request in (partial(pgw.update, {GROUP: 1_000}, THRESHOLD), partial(pgw.terminate, {GROUP: 500})):
            requests.append(asyncio.create_task(asked(request)))
            assert await asked(until, lambda: len(pgw.link.held or ()) == len(requests))
        pgw.link.release()
        assert [(await each).result for each in requests] == [2001, 2001]
        assert (await net.call("GET", f"/cards/{IMSI}"))["used"]["data"] == 1_500
        assert await net.call("GET", "/sessions") == []

    with_quota(story)


def test_a_threshold_and_a_time_go_with_a_grant() -> None:
    async def story(net: Asked) -> None:
        (service,) = (await asked((await net.client()).initial, GROUP)).all("Multiple-Services-Credit-Control")
        assert 0 < service["Volume-Quota-Threshold"][0] < GIVEN
        assert service["Validity-Time"][0] > 0

    with_quota(story)


def test_a_card_that_it_does_not_know_and_a_session_that_there_is_not_get_nothing() -> None:
    async def story(net: Asked) -> None:
        unknown = await asked((await net.client(imsi="001010000000099", msisdn="861440000000099")).initial, GROUP)
        assert (unknown.result, unknown.all("Multiple-Services-Credit-Control")) == (5030, [])
        none = await asked((await net.client(name="pgw2")).update, {GROUP: 1}, THRESHOLD)
        assert (none.result, none.all("Multiple-Services-Credit-Control")) == (5002, [])

    with_quota(story)


def test_an_order_follows_a_changed_quota() -> None:
    async def story(net: Asked) -> None:
        pgw = await net.client()
        await asked(pgw.initial, GROUP)
        await net.call("PUT", f"/cards/{IMSI}/quota", {"by": "ocs", "data": GIVEN, **APPROVAL})
        assert await asked(until, lambda: pgw.orders)
        assert pgw.verdict == LIMITED_SUCCESS
        answer = given(await asked(pgw.update, {GROUP: 500}, 7))
        assert answer[1] <= GIVEN - 500

    with_quota(story)


def test_numbers_of_requests_go_up() -> None:
    """The client of these tests counts as RFC 8506 8.2 wants it, or the tests above would prove little."""

    async def story(net: Asked) -> None:
        pgw = await net.client()
        answers = [await asked(pgw.initial, GROUP), await asked(pgw.update, {GROUP: 1}, THRESHOLD)]
        for first, second in pairwise(answers):
            assert second.one("CC-Request-Number") == first.one("CC-Request-Number") + 1

    with_quota(story)


@pytest.mark.skipif(DAEMON is None, reason="not installed: freediameterd freediameter-extensions (apt install them)")
def test_test_ccload_is_answered_each_time_and_given_nothing(tmp_path: Path) -> None:
    """It says neither who it asks for nor which service, and its sessions begin with number 1."""

    found: dict[str, int] = {}

    async def story(net: Asked) -> None:
        found.update(await asked(credit_load, tmp_path, net.where, 100))

    net = with_quota(story)
    answers = [each for each in net.of(Frame) if each.source == "ocs" and each.data[5:8] == CCR.to_bytes(3)]
    assert found["sent"] == len(answers)
    assert (found["success"], found["errors"] > 0.9 * found["sent"]) == (0, True)
