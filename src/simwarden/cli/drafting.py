"""`init --misuse`: a story of the matrix as a scenario of one's own; what is to be expected is found by playing it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final

import yaml

from simwarden.campaign.grid import check_names
from simwarden.campaign.matrix.story import story_of
from simwarden.cli.shipped import plan_of
from simwarden.errors import ConfigError
from simwarden.model.profile import uses
from simwarden.scenario.drafted import refusals_shown, refusals_told, text_of, unheld
from simwarden.scenario.load import Loader
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.events import Decided, StateChange, StepMark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simwarden.campaign.matrix.plan import Method, Misuse, Plan
    from simwarden.trace.events import Event

#: the form of a card that can be moved
_REMOVABLE: Final = "plug-in"
#: methods in the order in which they are tried: the first that stops the misuse is in the story
_METHODS: Final = ("hss-given", "hss-learned", "eir", "area")


def draft(name: str, use: str, twin: str) -> tuple[str, str]:
    """Return the story of a misuse that is stopped, and its twin. Raises ConfigError for names that nothing has."""
    plan = plan_of("")
    check_names([name], plan.misuses, "misuse")
    check_names([use] if use else [], uses(), "use of cards")
    misuse = plan.misuses[name]
    for method, form in product(_methods(plan), ("", _REMOVABLE)):
        found = _stopped(_formed(_data(plan, misuse, method, use, honest=False)[0], form))
        if found is not None:
            story, refused = found
            proves = refused.decision.control.requirement
            head = {"scenario": story["scenario"], "proves": [proves], "twin": twin}
            text = text_of({**head, **story})
            honest, whole = _data(plan, misuse, method, use, honest=True)
            honest = _formed(honest, form)
            for steps in dict.fromkeys((len(story["steps"]) - 1, whole)):  # as long as the other, else to its own end
                texts = text, text_of(_served(honest, refused, steps))
                if not unheld(dict(zip(("story.yaml", twin), texts, strict=True))):
                    return texts
    raise ConfigError(f"no story of the misuse {name!r} can be made by itself: see `simwarden matrix --misuse {name}`")


def _methods(plan: Plan) -> list[Method]:
    first = [plan.methods[each] for each in _METHODS if each in plan.methods]
    return [*first, *(each for each in plan.methods.values() if each not in first)]


def _data(plan: Plan, misuse: Misuse, method: Method, use: str, *, honest: bool) -> tuple[dict[str, Any], int]:
    """Return a story of the matrix as data, with cards of the use that is wanted, and how many steps it has of its own.

    The others are those by which the matrix looks who is served.
    """
    made = story_of(plan, misuse, method, Loader(), honest=honest)
    data: dict[str, Any] = made.source.data
    for card in data.get("cards", {}).values():
        if use and isinstance(card, dict):
            card.pop("profile", None)
            card["use"] = use
    title = data["scenario"].partition(";")[0]
    return {"scenario": title, **{key: each for key, each in data.items() if key != "scenario"}}, made.after


def _play(data: Mapping[str, Any]) -> Sequence[Event]:
    scenario = Loader().load("story.yaml", yaml.safe_dump(dict(data), sort_keys=False))
    return run_scenario(scenario, "draft", RunOptions()).events


def _formed(data: dict[str, Any], form: str) -> dict[str, Any]:
    """Give a story's card another form than its use has: one that is soldered in has no twin in which it is moved."""
    if form:
        data["cards"]["card"] = {**data["cards"]["card"], "form": form}
    return data


def _stopped(data: dict[str, Any]) -> tuple[dict[str, Any], Decided] | None:
    """Return a story up to the step in which it is refused, with what became of it expected; and the decision."""
    step, refused = -1, None
    after: list[Event] = []
    for event in _play(data):
        if isinstance(event, StepMark):
            if refused is not None:
                break
            step = event.index
        elif refused is not None:
            after.append(event)
        elif isinstance(event, Decided) and not event.decision.admitted:
            refused = event
    if refused is None or step < 0:
        return None
    steps = [*data["steps"][: step + 1]]
    decision = {"by": refused.element, "control": refused.decision.control.id}
    if not any(refusals_told(after)):
        steps[-1] = {**steps[-1], "expect": "refused"}
    shown = refusals_shown(after) or _rejects(after)
    return {**data, "steps": [*steps, {"expect": {**shown, "decision": decision}}]}, refused


def _rejects(events: Sequence[Event]) -> dict[str, dict[str, str]]:
    """Return the reject messages on Uu with their cause: all that is left of a refusal of a device served elsewhere."""
    return {
        f"uu.{each.value['procedure']}-reject": {"emm_cause": each.value["emm_cause"].name}
        for each in events
        if isinstance(each, StateChange) and each.observable == "reject"
    }


def _served(data: dict[str, Any], refused: Decided, steps: int) -> dict[str, Any]:
    """Return the first steps of the legitimate user's story, and where the same control admits it."""
    admitted, step = -1, -1
    for event in _play(data):
        if isinstance(event, StepMark):
            step = event.index
        elif isinstance(event, Decided) and event.decision.admitted and step < steps:
            same = (event.element, event.decision.control.id) == (refused.element, refused.decision.control.id)
            admitted = step if same else admitted
    kept = data["steps"][:steps]
    on = [each["power_on"] for each in kept if "power_on" in each]
    shown = {"by": refused.element, "control": refused.decision.control.id, "verdict": "admit"}
    last = [{"expect": {on[-1]: {"attach": "accepted"}}}] if on else []
    return {**data, "steps": [*kept[: admitted + 1], {"expect": {"decision": shown}}, *kept[admitted + 1 :], *last]}
