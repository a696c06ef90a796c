"""The stories of the tour: each is refused by the control that it switches off, served without, and refused again."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.errors import SimwardenError
from simwarden.policy.requirements import requirements
from simwarden.scenario.result import Verdict
from simwarden.scenario.saved import saved
from simwarden.scenario.session import Session
from simwarden.web import engine, stage
from simwarden.web.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simwarden.scenario.result import ScenarioResult

STAGE = Stage()
#: of each story: who refuses, what is stolen once the first of them is off, what is told first, and how it ends
TOUR = {
    "A meter's card in a phone": (["hss/bind.hss.given"], "packets", "#8 EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED", ""),
    "A meter that is carried off": (
        ["mme/area.cell", "mme/area.operator", "mme/area.approval"],
        "packets",
        "S1AP radioNetwork: ho-target-not-allowed",
        "accepted",
    ),
    "A message to a stranger": (["smsc/sms.directed"], "messages", "TP-FCS 196 DESTINATION_SME_BARRED", "refused"),
    "A lift that calls a stranger": (["scp/voice.directed"], "seconds", "call: refused", "refused"),
    "A tracker that surfs, and uses up its month": (
        ["pgw/data.whitelist", "pgw/data.quota"],
        "packets",
        "the card's packets dropped",
        "delivered",
    ),
}


def played(acts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Play acts, and return what was told of each, with how things stood then."""
    told: list[dict[str, Any]] = []

    async def talk(session: Session) -> None:
        for each in acts:
            said: dict[str, Any] = {}
            if "do" in each:
                said = await session.act(json.dumps(each["do"]))
            elif "use" in each:
                for _ in range(int(each["use"])):
                    await session.use()
            else:
                ended = await session.switch(each.get("off") or each["on"], off="off" in each)
                said = ended[0] if ended else {}
            told.append(said | session.standing())

    result = Session(STAGE.scenario(), talk).play()
    assert result.verdict is Verdict.PASSED, result.failure
    return told


def test_all_stories_are_in_the_table() -> None:
    assert [each["en"] for each in STAGE.data["tour"]] == list(TOUR)
    assert all(each.get("zh") for each in (*STAGE.data["tour"], *STAGE.data["menu"]))


@pytest.mark.parametrize("title", TOUR)
def test_a_story_is_refused_and_stolen_from_and_refused_again(title: str) -> None:
    controls, stolen, cause, end = TOUR[title]
    acts = next(each["acts"] for each in STAGE.data["tour"] if each["en"] == title)
    told = played(acts)
    refused = [each for one in told for each in one.get("refused", ())]
    assert list(dict.fromkeys(each["switch"] for each in refused)) == controls
    assert cause in refused[0]["told"]
    assert all(each["clause"] and each["title"] and each["title_zh"] for each in refused)
    assert not any(each.get("faults") for each in told)
    off = next(place for place, each in enumerate(acts) if "off" in each)
    assert acts[off]["off"] == controls[0]
    on = next(place for place, each in enumerate(acts) if "on" in each)
    taken = [each["stolen"].get(stolen, 0) for each in told]
    moments = int(next(each["use"] for each in acts if "use" in each))
    each_time = 30 if stolen == "seconds" else 1
    assert taken[off] == 0
    assert each_time * moments <= taken[on - 1] <= each_time * (moments + 1)
    assert [each["off"] for each in told[off:on]] == [controls[:1]] * (on - off)
    assert set(taken[on:]) == {taken[on - 1]}
    # what was refused at first is refused once more, and nothing of it goes on
    assert next(one["switch"] for each in told[on:] for one in each.get("refused", ())) == controls[0]
    assert (told[-1]["off"], told[-1]["goes_on"], told[-1].get("outcome", "")) == ([], False, end)


def test_a_quota_that_is_not_kept_is_stolen_packet_by_packet_until_it_is_kept_again() -> None:
    send: dict[str, Any] = {"do": {"send": {"device": "tracker", "to": "198.51.100.80:5683", "octets": "972"}}}
    acts: list[dict[str, Any]] = [
        {"do": {"insert": {"card": "tracker_card", "into": "tracker"}}},
        {"do": {"power_on": "tracker"}},
        *[send] * 3,
        {"off": "ocs/ocs.data"},
        {"do": {"power_off": "tracker"}},
        {"do": {"power_on": "tracker"}},
        *[send] * 2,
        {"use": "2"},
        {"on": "ocs/ocs.data"},
        send,
    ]
    told = played(acts)
    assert [each.get("outcome") for each in told[1:5]] == ["accepted", "delivered", "timed-out", "dropped"]
    # what the PCRF says of its list at the beginning of a session stops nothing
    assert [one["switch"] for each in told[1:5] for one in each["refused"]] == ["pgw/data.quota"]
    assert [each["stolen"].get("packets", 0) for each in told] == [*[0] * 8, 1, 2, 4, 4, 4]
    assert [each["switch"] for each in told[-2]["refused"]][-2:] == ["ocs/ocs.data", "pgw/data.quota"]
    assert told[-1]["outcome"] == "dropped"


@pytest.mark.slow
def test_what_was_refused_at_the_gateway_is_saved_with_its_twin() -> None:
    """The twin lacks the list; neither says of a switch, and both pass (`saved` plays them)."""
    acts = next(each["acts"] for each in STAGE.data["tour"] if "tracker" in each["en"])
    refused = next(place for place, each in enumerate(acts) if "203.0.113.66" in json.dumps(each))
    files = saved(STAGE.document([each["do"] for each in acts[: refused + 1]]))
    assert sorted(files) == ["story-twin.yaml", "story.yaml"]
    assert "proves: [dir.data.whitelist]" in files["story.yaml"]
    assert "whitelist: " not in files["story-twin.yaml"]
    assert not any("always-admit" in each or "switch" in each for each in files.values())


def in_chinese(text: str) -> bool:
    """Whether the page says a text in Chinese (`local` in live.js)."""
    patterns = (".+".join(map(re.escape, each.split("*"))) for each in STAGE.data["zh"])
    return any(re.fullmatch(each, text) for each in patterns)


def test_what_the_page_says_of_a_refusal_is_there_in_chinese_too() -> None:
    """Titles of what is drawn, reasons of the tour, what devices do next, and each rule of the guideline."""
    scenario = STAGE.scenario()
    kinds = {each.kind for each in scenario.instances.values()}
    declared = [scenario.registry.declaration(each) for each in kinds]
    reasons = {
        one["reason"] for each in STAGE.data["tour"] for told in played(each["acts"]) for one in told.get("refused", ())
    }
    assert len(reasons) >= 7
    nexts = {part for each in declared for one in each.consequences for part in one.doc.split("; ")}
    said = {each.title for each in declared} | reasons | nexts
    assert [each for each in sorted(said) if not in_chinese(each)] == []
    assert all(re.search("[\u4e00-\u9fff]", each.rule_zh) for each in requirements().values())


def test_without_a_switch_the_honest_steps_of_the_tour_are_not_refused() -> None:
    honest: list[dict[str, Any]] = [
        {"do": {"insert": {"card": "meter_card", "into": "meter"}}},
        {"do": {"power_on": "meter"}},
        {"do": {"send": {"device": "meter", "to": "198.51.100.80:5683"}}},
        {"do": {"send_sms": {"device": "meter", "to": "10658000123", "text": "17 kWh"}}},
        {"do": {"insert": {"card": "lift_card", "into": "lift"}}},
        {"do": {"power_on": "lift"}},
        {"do": {"call": {"device": "lift", "to": "13800001111", "lasts": "5"}}},
    ]
    told = played(honest)
    assert [each["refused"] for each in told] == [[]] * len(honest)
    assert [each["outcome"] for each in told] == [
        "inserted", "accepted", "delivered", "accepted", "inserted", "accepted", "connected",
    ]  # fmt: skip


def test_a_capture_that_no_line_holds_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    story: list[ScenarioResult] = []

    async def talk(session: Session) -> None:
        story.append(session.story())

    Session(STAGE.scenario(), talk).play()
    assert stage._capture(story[0]).startswith(bytes.fromhex("0a0d0d0a"))
    assert stage.LARGEST * 4 / 3 + 1000 < engine._LONGEST
    monkeypatch.setattr(stage, "LARGEST", 1000)
    with pytest.raises(SimwardenError, match="too much has happened for a capture"):
        stage._capture(story[0])


def test_what_may_be_done_is_what_installed_elements_can_do() -> None:
    can: list[bool] = []

    async def talk(session: Session) -> None:
        can.extend(session.can(each["step"]) for each in STAGE.data["menu"])
        can.append(session.can({"fly": "away"}))
        kinds = {each["kind"] for each in session.drawn()}
        assert {each["kind"] for each in STAGE.data["menu"]} <= kinds

    Session(STAGE.scenario(), talk).play()
    assert can == [True] * len(STAGE.data["menu"]) + [False]
