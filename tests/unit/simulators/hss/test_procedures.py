"""Procedures of the HSS driven step by step, without an event loop."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Any

import pytest

from simulators.hss.config import HssConfig
from simulators.hss.core import Core
from simulators.hss.procedures.authentication import authentication_information
from simulators.hss.procedures.location import update_location
from simulators.hss.procedures.notification import notify
from simulators.hss.store import METADATA, Store
from simulators.hss.subscriber import Subscriber
from simwarden.policy.decision import Control, Decision, Verdict
from simwarden.runtime.diameter import Peer
from simwarden.runtime.store import open_engine
from simwarden.wire.diameter import Message, application_id, request

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

REALM = "epc.mnc001.mcc001.3gppnetwork.org"
MME = f"mme.{REALM}"
PEER = Peer("mme", MME, REALM, "S6a")
IMSI, METER, PHONE = "001010000000017", "35000100000001", "35000200000001"
PLMN = ("Visited-PLMN-Id", b"\x00\xf1\x10")


class FakeSite:
    """What procedures need of a Site; spawned work is only named."""

    def __init__(self) -> None:
        self.name, self.clock, self.rng = "hss", self, random.Random(1)
        self.decided: list[Decision] = []
        self.observed: list[tuple[str, Any]] = []
        self.spawned: list[str] = []

    def now(self) -> float:
        return 0.0

    def wall(self) -> dt.datetime:
        return dt.datetime(2026, 3, 2, tzinfo=dt.UTC)

    def decide(self, control: Control, subject: str = "", *, on: str, **facts: Any) -> Decision:
        ruling = control.rule(**facts)
        verdict = Verdict.ADMIT if ruling.admitted else Verdict.REFUSE
        self.decided.append(Decision(control, verdict, ruling.reason, subject, ruling.details, on))
        return self.decided[-1]

    def observe(self, observable: str, value: Any, *, key: str | None = None) -> None:
        del key
        self.observed.append((observable, value))

    def spawn(self, work: Coroutine[Any, Any, None], what: str = "") -> None:
        self.spawned.append(what)
        work.close()


class Story:
    """A core with one card, bound at its first use."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.site: Any = FakeSite()
        self.engine = open_engine(url, METADATA)
        self.core = Core(self.site, HssConfig(), Store(self.engine))  # type: ignore[arg-type]
        self.core.start_node({})
        card = Subscriber(IMSI, "card", "1", "8614400000017", "meter", "00" * 16, "11" * 16, mode="learned")
        card.vectors = [MME]
        self.core.store.put(card, self.core.audit.record("provision", IMSI, {}))

    def run(self, procedure: Any, name: str, *more: tuple[str, Any], terminal: str = "") -> Message:
        avps: list[tuple[str, Any]] = [("Session-Id", "m;1;1"), application_id(16777251), ("Auth-Session-State", 1)]
        avps += [("Origin-Host", MME), ("Origin-Realm", REALM), ("Destination-Realm", REALM), ("User-Name", IMSI)]
        if terminal:
            avps.append(("Terminal-Information", [("IMEI", terminal)]))
        work = procedure(self.core, request(name, [*avps, *more]), PEER)
        with pytest.raises(StopIteration) as ended:
            work.send(None)
        answer: Message = ended.value.value
        return answer

    def ulr(self, terminal: str) -> Message:
        more = [("RAT-Type", 1004), ("ULR-Flags", 34), PLMN]
        return self.run(update_location, "Update-Location-Request", *more, terminal=terminal)

    def on_disk(self) -> Subscriber:
        """Return the card as another process would find it."""
        other = open_engine(self.url, METADATA)
        found = Store(other).get(IMSI)
        other.dispose()
        assert found is not None
        return found


@pytest.fixture
def story(store_url: str) -> Iterator[Story]:
    made = Story(store_url)
    yield made
    made.engine.dispose()


def test_what_is_learned_is_stored_when_the_answer_is_made(story: Story) -> None:
    assert story.ulr(METER).success
    assert (story.on_disk().bound, story.on_disk().mme, story.on_disk().imei) == (METER, MME, METER)
    assert [name for name, _ in story.site.observed] == ["binding", "registration"]
    assert story.ulr(PHONE).experimental_result == 5001
    assert story.on_disk().imei == METER


def test_the_sqn_is_stored_when_the_answer_is_made(story: Story) -> None:
    wanted = ("Requested-EUTRAN-Authentication-Info", [("Number-Of-Requested-Vectors", 2)])
    answer = story.run(authentication_information, "Authentication-Information-Request", wanted, PLMN)
    assert len(answer.get("Authentication-Info")) == 2
    assert story.on_disk().seq == 2


def test_a_mismatching_notification_is_answered_first_and_cancelled_then(story: Story) -> None:
    story.ulr(METER)
    answer = story.run(notify, "Notify-Request", ("NOR-Flags", 0), terminal=PHONE)
    assert answer.success
    assert story.site.spawned == ["cancel location"]
    assert [d.admitted for d in story.site.decided if d.control.id == "bind.hss.learned"] == [True, False]


def test_every_refusal_has_a_decision_behind_it(story: Story) -> None:
    story.ulr(METER)
    card = story.core.store.get(IMSI)
    assert card is not None
    for change in ({}, {"suspended": "withdrawal"}):
        for name, value in change.items():
            setattr(card, name, value)
        before = len(story.site.decided)
        assert not story.ulr(PHONE).success
        assert [d.admitted for d in story.site.decided[before:]][-1] is False
