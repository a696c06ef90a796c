"""A session becomes a scenario with its twin: both are what `validate` takes, pass, and hold no switch."""

from __future__ import annotations

import io
import json
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from simwarden.errors import SimwardenError
from simwarden.scenario import saved
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.web.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
STAGE = Stage()
STORIES = {story["en"]: [act["do"] for act in story["acts"] if "do" in act] for story in STAGE.data["tour"]}
#: what each story proves, and what is other in its twin
EXPECTED = {
    "A meter's card in a phone": "bind.hss.given",
    "A meter that is carried off": "area.cell",
    "A message to a stranger": "fn.sms.directed",
    "A lift that calls a stranger": "fn.voice.directed",
    "A tracker that surfs, and uses up its month": "dir.data.whitelist",
    "A customer who would bind the card anew": "bind.operator",
}
_ANEW = {
    "element": "hss",
    "as": "customer",
    "put": "/cards/{meter_card.imsi}/binding",
    "body": {"imei": "phone.imei", "approver": "Li Wei", "reason": "device replaced", "form": "F-21"},
}
STORIES["A customer who would bind the card anew"] = [{"manage": _ANEW}]


@pytest.mark.parametrize("title", EXPECTED)
def test_a_story_of_the_tour_is_saved_with_its_twin(title: str, tmp_path: Path) -> None:
    files = saved.saved(STAGE.document(STORIES[title]))
    assert list(files) == [saved.STORY, saved.TWIN]
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
        assert "switch" not in text
        assert "always-admit" not in text
    for name in files:
        scenario = Loader().validate(tmp_path / name)
        assert run_scenario(scenario, "saved", RunOptions()).verdict is Verdict.PASSED
    story = yaml.safe_load(files[saved.STORY])
    assert story["proves"] == [EXPECTED[title]]
    # it can fail: without its control the story does
    kind, control = next(
        (registered[0][0], name)
        for name, registered in Loader().registry.controls.items()
        if any("decision" in str(step.get("expect")) and f"'{name}'" in str(step["expect"]) for step in story["steps"])
    )
    switched = RunOptions(switches={control: "always-admit"})
    assert run_scenario(Loader().load(tmp_path / saved.STORY), kind, switched).verdict is Verdict.FAILED


def test_a_story_in_which_nobody_is_refused_needs_no_twin() -> None:
    steps: list[dict[str, Any]] = [{"insert": {"card": "meter_card", "into": "meter"}}, {"power_on": "meter"}]
    files = saved.saved(STAGE.document(steps))
    assert list(files) == [saved.STORY]
    assert yaml.safe_load(files[saved.STORY])["steps"][-1] == {"power_on": "meter", "expect": "accepted"}


def test_a_story_ends_where_something_else_refuses_that_the_twin_would_meet_too() -> None:
    """It is about the packets that are stopped, not about the list that the PCRF gives the session before."""
    files = saved.saved(STAGE.document(STORIES["A tracker that surfs, and uses up its month"]))
    story, twin = (yaml.safe_load(each)["steps"] for each in files.values())
    decided = [each["expect"]["decision"] for each in story if list(each) == ["expect"]]
    assert {(each["by"], each["control"]) for each in decided} == {("pgw", "data.whitelist")}
    assert [each.get("expect") for each in twin if "send" in each] == ["delivered"] * 5


def test_a_list_by_which_nothing_was_stopped_needs_no_twin() -> None:
    files = saved.saved(STAGE.document(STORIES["A tracker that surfs, and uses up its month"][:3]))
    assert list(files) == [saved.STORY]
    assert "decision" not in files[saved.STORY]


def test_nothing_done_is_nothing_to_save() -> None:
    with pytest.raises(SimwardenError, match="nothing has been done"):
        saved.saved(STAGE.document([]))


def test_what_only_a_switch_made_possible_is_left_out() -> None:
    steps: list[dict[str, Any]] = [
        {"insert": {"card": "meter_card", "into": "phone"}},
        {"power_on": "phone"},
        {"power_off": "phone"},
        {"power_on": "phone"},
        {"start": "hss"},
        {"send": {"device": "phone", "to": "203.0.113.66"}},
    ]
    story = yaml.safe_load(saved.saved(STAGE.document(steps))[saved.STORY])
    done = [next(iter(each)) for each in story["steps"] if "expect" not in each or len(each) > 1]
    assert done == ["insert", "power_on", "power_off", "power_on"]
    assert [each["power_on"] for each in story["steps"] if each.get("expect") == "rejected"] == ["phone", "phone"]


class Open(io.StringIO):
    """An input that has said something, and does not end: with it the process that runs this would."""

    def read(self, _size: int | None = -1) -> str:
        threading.Event().wait()
        raise AssertionError


def test_what_makes_no_sense_at_all_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story = STAGE.document([{"start": "hss"}])
    monkeypatch.setattr(sys, "stdin", Open(json.dumps({"story": story})))
    saved.main()
    assert "nothing has been done" in json.loads(capsys.readouterr().out)["error"]
