"""A story that is played as a person says: what is told of each action, what is no action, and what a switch is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.errors import SimwardenError
from simwarden.operations.element import element_of
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.session import Session, still
from simwarden.scenario.yamlfile import Source
from simwarden.trace.events import Frame, StepMark

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simwarden.scenario.result import ScenarioResult

STORY: dict[str, Any] = {
    "scenario": "a card and two terminals",
    "cards": {"card": {"profile": "meter", "binding": {"by": "hss", "imei": "meter.imei"}}},
    "devices": {"meter": {"type": "module"}, "phone": {"type": "handset"}},
}


def play(talk: Callable[[Session], Awaitable[None]], data: dict[str, Any] = STORY) -> ScenarioResult:
    result = Session(Loader().assemble(Source("live.yaml", still(data))), talk).play()
    assert result.failure is None, result.failure.detail or result.failure.summary
    return result


def test_an_action_runs_to_quiet_and_its_ladder_is_told() -> None:
    told: list[dict[str, Any]] = []

    async def talk(session: Session) -> None:
        told.append(await session.act("insert: {card: card, into: meter}"))
        told.append(await session.act("power_on: meter"))
        assert session.steps == [{"insert": {"card": "card", "into": "meter"}}, {"power_on": "meter"}]
        assert [type(each).__name__ for each in session.story().events].count("StepMark") == 2

    result = play(talk)
    assert result.verdict is Verdict.PASSED
    assert [each.index for each in result.events if isinstance(each, StepMark)] == [0, 1]
    assert [each["outcome"] for each in told] == ["inserted", "accepted"]
    attach = told[1]
    names = [each["name"] for each in attach["lanes"]]
    assert {"card", "meter", "enb", "mme", "hss"} <= set(names)
    said = [(names[row["s"]], names[row["d"]], row["m"]) for row in attach["rows"] if row["k"] == "message"]
    assert ("mme", "hss", "update-location-request") in said
    states = [row["f"] for row in attach["rows"] if row["k"] == "state" and names[row["s"]] == "meter"]
    assert {"attach": "accepted"} in states
    assert any(row["b"] for row in attach["rows"] if row["k"] == "message")
    # a network that starts is none of the action's
    assert attach["rows"][0]["k"] == "step"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("power_n: meter", "verb 'power_n' is not known (did you mean 'power_on'?)"),
        ("power_on: metre", "metre"),
        ("power_on: [", "step"),
        ("", "a step is one verb"),
        ("expect: {meter: {attach: accepted}}", "a verb with its arguments is expected"),
        ("{power_on: meter, during: {s1-mme.attach-accept: {power_off: meter}}}", "step"),
        ("start: hss", "runs already"),
        ("[" * 200 + "]" * 200, "deep"),
        ("manage: {element: hss, get: [1]}", "step"),
    ],
)
def test_what_is_no_action_is_told_and_changes_nothing(text: str, said: str) -> None:
    async def talk(session: Session) -> None:
        with pytest.raises(SimwardenError, match=re.escape(said)):
            await session.act(text)
        assert session.steps == []
        assert (await session.act("insert: {card: card, into: meter}"))["outcome"] == "inserted"

    assert play(talk).verdict is Verdict.PASSED


def test_a_management_call_ends_with_its_status() -> None:
    told: list[dict[str, Any]] = []

    async def talk(session: Session) -> None:
        for role in ("customer", "operator"):
            body = {"imei": "phone.imei", "approver": "Li Wei", "reason": "moved", "form": "F-21"}
            call = {"element": "hss", "as": role, "put": "/cards/{card.imsi}/binding", "body": body}
            told.append(await session.act(json.dumps({"manage": call})))

    play(talk)
    assert [(each["outcome"], [one["switch"] for one in each["refused"]]) for each in told] == [
        ("403", ["hss/bind.operator"]),
        ("200", []),
    ]


def test_who_refused_is_told_with_cause_and_what_comes_next() -> None:
    told: list[dict[str, Any]] = []

    async def talk(session: Session) -> None:
        await session.act("insert: {card: card, into: phone}")
        told.append(await session.act("power_on: phone"))

    play(talk)
    (refused,) = told[0]["refused"]
    assert (refused["element"], refused["switch"], refused["clause"]) == ("hss", "hss/bind.hss.given", "2.1.3(1) one")
    assert refused["told"] == "#8 EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED"
    assert "holds the card invalid" in refused["next"]
    assert "绑定" in refused["title_zh"]
    assert refused["event"] in {row["n"] for row in told[0]["rows"] if row.get("v") == "refuse"}


def test_a_switch_is_of_its_run_alone_and_nothing_else_is_let_through() -> None:
    async def talk(session: Session) -> None:
        with pytest.raises(SimwardenError, match="no control is called"):
            await session.switch("hss/bind.nothing", off=True)
        with pytest.raises(SimwardenError, match="no control is called"):
            await session.switch("mme/bind.hss.given", off=True)
        await session.switch("hss/pre.range", off=True)
        await session.act("insert: {card: card, into: phone}")
        assert (await session.act("power_on: phone"))["outcome"] == "rejected"
        assert session.standing() == {"off": ["hss/pre.range"], "stolen": {}, "goes_on": False}

    assert play(talk).verdict is Verdict.PASSED

    async def again(session: Session) -> None:
        assert session.standing()["off"] == []

    play(again)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"power_on": "phone", "switches": {"hss/bind.hss.given": "always-admit"}}, "switches"),
        ({"power_on": {"device": "phone", "switches": {"hss/bind.hss.given": "always-admit"}}}, "switches"),
        ({"switch": {"control": "hss/bind.hss.given", "off": True}}, "switch"),
        ({"power_on": "phone", "expect": {"switches": {}}}, "switches"),
    ],
)
def test_no_step_carries_a_switch(step: dict[str, Any], said: str) -> None:
    async def talk(session: Session) -> None:
        await session.act("insert: {card: card, into: phone}")
        with pytest.raises(SimwardenError, match=said):
            await session.act(json.dumps(step))
        assert (await session.act("power_on: phone"))["outcome"] == "rejected"

    play(talk)


def test_no_management_interface_has_a_switch() -> None:
    """No route is about one, and one that is asked for by its name is not there (law 11)."""
    told: list[str] = []

    async def talk(session: Session) -> None:
        for name in session.host.elements:
            routes = element_of(session.host, name).routes
            assert [each.path for each in routes if "switch" in each.path or "control" in each.path] == []
        for path in ("/switches/bind.hss.given", "/controls/bind.hss.given"):
            call: dict[str, object] = {"element": "hss", "as": "operator", "put": path, "body": {"off": "true"}}
            with pytest.raises(SimwardenError, match="no route"):
                await session.act(json.dumps({"manage": call}))
        body = {"imei": "phone.imei", "approver": "Li", "reason": "x", "form": "F", "switches": {"*": "always-admit"}}
        call = {"element": "hss", "as": "operator", "put": "/cards/{card.imsi}/binding", "body": body}
        told.append((await session.act(json.dumps({"manage": call})))["outcome"])

    play(talk)
    assert told == ["400"]


@pytest.mark.parametrize(
    "where",
    [
        {"switches": {"hss/bind.hss.given": "always-admit"}},
        {"network": {"hss": {"switches": {"bind.hss.given": "always-admit"}}}},
        {"cards": {"card": {**STORY["cards"]["card"], "switches": {"bind.hss.given": "off"}}}},
    ],
    ids=["scenario", "network", "card"],
)
def test_no_file_carries_a_switch(where: dict[str, Any]) -> None:
    with pytest.raises(SimwardenError, match="switches"):
        Loader().assemble(Source("live.yaml", still({**STORY, **where})))


def test_honest_use_is_not_counted_while_a_control_is_off() -> None:
    async def talk(session: Session) -> None:
        await session.switch("hss/bind.hss.given", off=True)
        await session.act("insert: {card: card, into: meter}")
        await session.act("power_on: meter")
        await session.act("send: {device: meter, to: 198.51.100.80}")
        assert session.standing()["stolen"] == {}
        assert await session.use() == []
        assert await session.switch("hss/bind.hss.given", off=False) == []

    assert play(talk).verdict is Verdict.PASSED


def test_what_is_stolen_ends_by_itself_when_the_device_is_switched_off() -> None:
    async def talk(session: Session) -> None:
        await session.switch("hss/bind.hss.given", off=True)
        await session.act("insert: {card: card, into: phone}")
        await session.act("power_on: phone")
        assert len(await session.use()) == 1
        assert session.standing() == {"off": ["hss/bind.hss.given"], "stolen": {"packets": 1}, "goes_on": True}
        await session.act("power_off: phone")
        await session.use()
        assert session.standing() == {"off": ["hss/bind.hss.given"], "stolen": {"packets": 1}, "goes_on": False}
        assert await session.use() == []

    assert play(talk).verdict is Verdict.PASSED


def test_of_two_controls_that_are_off_each_is_worth_something_by_itself() -> None:
    data = {**STORY, "cards": {"card": {**STORY["cards"]["card"], "area": {"by": "mme", "cells": ["enb/1"]}}}}
    data = {**data, "network": {"enb2": {"type": "enb", "cells": [{"tac": "2"}]}}}
    data["devices"] = {**STORY["devices"], "phone": {"type": "handset", "cell": "enb2/1"}}

    async def talk(session: Session) -> None:
        for each in ("hss/bind.hss.given", "mme/area.cell"):
            await session.switch(each, off=True)
        await session.act("insert: {card: card, into: phone}")
        assert (await session.act("power_on: phone"))["outcome"] == "accepted"
        await session.use()
        (told,) = await session.switch("hss/bind.hss.given", off=False)
        assert [each["switch"] for each in told["refused"]] == ["hss/bind.hss.given"]
        await session.use()
        assert session.standing() == {"off": ["mme/area.cell"], "stolen": {"packets": 1}, "goes_on": False}

    assert play(talk, data).verdict is Verdict.PASSED


def test_of_several_cards_that_were_served_together_what_they_have_ends_together() -> None:
    data = {**STORY, "cards": {**STORY["cards"], "other": STORY["cards"]["card"]}}
    data = {**data, "devices": {**STORY["devices"], "tablet": {"type": "handset"}}}

    async def talk(session: Session) -> None:
        await session.switch("hss/bind.hss.given", off=True)
        await session.act("insert: {card: card, into: phone}")
        await session.act("insert: {card: other, into: tablet}")
        assert (await session.act("together: [{power_on: phone}, {power_on: tablet}]"))["outcome"] == "accepted"
        assert len(session.theft.cards) == 2
        (told,) = await session.switch("hss/bind.hss.given", off=False)
        names = [each["name"] for each in told["lanes"]]
        states = [(names[row["s"]], row["f"]) for row in told["rows"] if row["k"] == "state"]
        for name in ("phone", "tablet"):
            assert (name, {"attach": "rejected"}) in states
        assert (session.steps[-1], session.theft.cards) == (
            {"together": [{"power_on": "phone"}, {"power_on": "tablet"}]},
            set(),
        )

    assert play(talk, data).verdict is Verdict.PASSED


def test_many_rows_that_say_the_same_are_told_once_with_their_number() -> None:
    data = {
        "scenario": "a fleet",
        "cards": {"card": {"profile": "meter", "count": "40"}},
        "devices": {"meter": {"type": "module", "count": "40"}},
    }
    told: list[dict[str, Any]] = []
    heard: list[int] = []

    async def talk(session: Session) -> None:
        drawn = {each["name"]: each["count"] for each in session.drawn()}
        assert (drawn["card"], drawn["meter"], drawn["mme"]) == (40, 40, 1)
        await session.act("insert: {card: card, into: meter}")
        told.append(await session.act("power_on: meter"))
        # what so many frames were read as is not kept, and is read once more by who wants it
        frames = [each for each in session.story().events if isinstance(each, Frame)]
        assert sum(each.dissection is not None for each in frames[-2000:]) < 300

    result = Session(Loader().assemble(Source("live.yaml", still(data))), talk, heard.append).play()
    assert result.verdict is Verdict.PASSED, result.failure
    # how far it has come is told by what has happened, not by time
    assert heard == [2000]
    (attach,) = told
    assert len(attach["rows"]) < 100
    assert attach["sums"]["meter"]["attach"] == {"accepted": 40}
    times = {row["m"]: row["times"] for row in attach["rows"] if row.get("times") and row["k"] == "message"}
    assert times["update-location-request"] == 40
