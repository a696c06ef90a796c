"""`init --misuse`: a story of the matrix as a scenario of one's own; what is to be expected is found by playing it."""

from __future__ import annotations

import enum
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from simwarden.campaign.matrix.story import story_of
from simwarden.cli.shipped import plan_of
from simwarden.errors import ConfigError, UserFileError
from simwarden.model.profile import uses
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import guess
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.events import Decided, StateChange, StepMark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simwarden.campaign.matrix.plan import Method, Misuse, Plan
    from simwarden.trace.events import Event

#: methods in the order in which they are tried: the first that stops the misuse is in the story
_METHODS: Final = ("hss-given", "hss-learned", "eir", "area")


def draft(name: str, use: str, twin: str) -> tuple[str, str]:
    """Return the story of a misuse that is stopped, and its twin. Raises ConfigError for names that nothing has."""
    plan = plan_of("")
    if name not in plan.misuses:
        raise ConfigError(f"no misuse is called {name!r}", None, guess(name, plan.misuses, len(plan.misuses)))
    if use and use not in uses():
        raise ConfigError(f"no use of cards is called {use!r}", None, guess(use, uses(), len(uses())))
    misuse = plan.misuses[name]
    for method in _methods(plan):
        found = _stopped(_data(plan, misuse, method, use, honest=False))
        if found is not None:
            story, refused = found
            honest = _served(_data(plan, misuse, method, use, honest=True), refused, len(story["steps"]))
            proves = refused.decision.control.requirement
            texts = _text({"scenario": story["scenario"], "proves": [proves], "twin": twin, **story}), _text(honest)
            if _holds(texts, twin):
                return texts
    raise ConfigError(f"no story of the misuse {name!r} can be made by itself: see `simwarden matrix --misuse {name}`")


def _methods(plan: Plan) -> list[Method]:
    first = [plan.methods[each] for each in _METHODS if each in plan.methods]
    return [*first, *(each for each in plan.methods.values() if each not in first)]


def _data(plan: Plan, misuse: Misuse, method: Method, use: str, *, honest: bool) -> dict[str, Any]:
    """Return a story of the matrix as data, with cards of the use that is wanted."""
    data: dict[str, Any] = story_of(plan, misuse, method, Loader(), honest=honest).source.data
    for card in data.get("cards", {}).values():
        if use and isinstance(card, dict):
            card.pop("profile", None)
            card["use"] = use
    return {
        "scenario": data["scenario"].partition(";")[0],
        **{key: each for key, each in data.items() if key != "scenario"},
    }


def _play(data: Mapping[str, Any]) -> Sequence[Event]:
    scenario = Loader().load("story.yaml", yaml.safe_dump(dict(data), sort_keys=False))
    return run_scenario(scenario, "draft", RunOptions()).events


def _holds(texts: tuple[str, str], twin: str) -> bool:
    """Whether a story and its twin are what `validate` takes, and both pass."""
    loader = Loader()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "story.yaml", Path(folder) / twin]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, "utf-8")
        try:
            results = [run_scenario(loader.validate(path), "draft", RunOptions()) for path in paths]
        except UserFileError:
            return False
    return all(each.verdict is Verdict.PASSED for each in results)


def _stopped(data: dict[str, Any]) -> tuple[dict[str, Any], Decided] | None:
    """Return a story up to the step in which it is refused, with what became of it expected; and the decision."""
    step, refused, told = -1, None, False
    states: dict[tuple[str, str], StateChange] = {}
    for event in _play(data):
        if isinstance(event, StepMark):
            if refused is not None:
                break
            step = event.index
        elif isinstance(event, Decided) and not event.decision.admitted and refused is None:
            refused = event
        elif isinstance(event, StateChange) and refused is not None:
            told = told or _tells(event)
            states[event.element, event.observable] = event
    if refused is None or step < 0:
        return None
    steps = [*data["steps"][: step + 1]]
    decision = {"by": refused.element, "control": refused.decision.control.id}
    said: dict[str, dict[str, Any]] = {}
    for each in filter(_tells, states.values()):  # what holds in the end: who is refused here may be served elsewhere
        said.setdefault(each.element, {})[each.observable] = _word(each.value)
    if not told:
        steps[-1] = {**steps[-1], "expect": "refused"}
    return {**data, "steps": [*steps, {"expect": {**said, "decision": decision}}]}, refused


def _tells(event: StateChange) -> bool:
    """Whether a state says that something was refused, and why."""
    told = event.value in ("rejected", "refused") or (event.observable == "emm_cause" and event.value is not None)
    return event.key is None and told


def _word(value: Any) -> str:
    return value.name if isinstance(value, enum.IntEnum) else str(value)


def _served(data: dict[str, Any], refused: Decided, steps: int) -> dict[str, Any]:
    """Return the rightful user's story, as long as the other one, and where the same control admits it."""
    admitted, step = -1, -1
    for event in _play(data):
        if isinstance(event, StepMark):
            step = event.index
        elif isinstance(event, Decided) and event.decision.admitted and step < steps - 1:
            same = (event.element, event.decision.control.id) == (refused.element, refused.decision.control.id)
            admitted = step if same else admitted
    kept = data["steps"][: steps - 1]
    on = [each["power_on"] for each in kept if "power_on" in each]
    shown = {"by": refused.element, "control": refused.decision.control.id, "verdict": "admit"}
    last = [{"expect": {on[-1]: {"attach": "accepted"}}}] if on else []
    return {**data, "steps": [*kept[: admitted + 1], {"expect": {"decision": shown}}, *kept[admitted + 1 :], *last]}


def _text(data: Mapping[str, Any]) -> str:
    """Return a scenario as people write it: short mappings in a line."""
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
