"""Makes scenarios of a story and changes: loaded and checked as any other, and run by the same runner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from simwarden.scenario.document import Call
from simwarden.scenario.merge import Layer, Merged, merge
from simwarden.scenario.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.campaign.explore.plan import Change, Plan, Story
    from simwarden.scenario.document import Action, Scenario, Step
    from simwarden.scenario.load import Loader
    from simwarden.scenario.yamlfile import Spot

T = TypeVar("T")

#: seconds after a change in which nothing may be left of a right that is lost
ENFORCED = 5.0


class Deed(NamedTuple):
    """Something that a terminal is asked to do after the story.

    Where its step has a name it is `judged`, by the element and that name: it works if it ends by the word `good`, the
    first of its verb's.
    """

    action: Action
    judged: tuple[str, str] | None = None
    good: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A story with changes: the scenario in which they never come, and the one in which they were there from the first.

    `changes` are their actions, by name; `procedures` the word of each step in which something may be put in, by the
    step's index; `busy` and `morning` are what is done when it is over and after a night, `source` is the document,
    `written` its steps by part.
    """

    without: Scenario
    before: Scenario
    changes: dict[str, tuple[Action, ...]]
    procedures: dict[int, str]
    busy: tuple[Deed, ...]
    morning: tuple[Deed, ...]
    source: Merged
    written: dict[str, list[Any]]
    #: what the owner of a terminal does when it has been told some causes, by their names
    returns: tuple[tuple[frozenset[str], tuple[Action, ...]], ...] = ()
    #: whether a change may be refused: one that has something else come first ends what may not be there
    refusable: bool = False


def told(plan: Plan, story: Story, changes: Sequence[Change], loader: Loader) -> Told:
    """Put a story together. Raises ScenarioErrors, each with the file and line in which the wrong part was written."""
    problems = Problems()
    settings = [*plan.tops, story.spot, *(each.spot for each in changes)]
    layers = [Layer(spot / part, (part,)) for spot in settings for part in plan.parts]
    blocks = _blocks(plan, story, changes)
    layers += [Layer(spot, ("steps",)) for spots in blocks.values() for spot in spots]
    source = merge(str(story.spot.source.file), layers, problems)
    meanwhile = "".join(f"; meanwhile: {each.head.title}" for each in changes)
    source.data["scenario"] = story.head.title + meanwhile
    whole = loader.assemble(source, problems)
    parts = dict(_parted(whole.steps, blocks))
    done = [step for each in changes for step in parts[_first(each) if _is_told(each.spot / "first") else _done(each)]]
    return Told(
        without=replace(whole, steps=_numbered([*parts["before"], *parts["steps"]])),
        before=replace(whole, steps=_numbered([*parts["before"], *done, *parts["steps"]])),
        changes={each.name: _actions(parts[_done(each)]) for each in changes},
        procedures={len(parts["before"]) + place: step.name for place, step in enumerate(parts["steps"]) if step.name},
        busy=_deeds(parts["busy"], whole),
        morning=_deeds(parts["morning"], whole),
        source=source,
        written=dict(_parted(source.data["steps"], blocks)),
        refusable=any(_is_told(each.spot / "first") for each in changes),
        returns=tuple(
            (frozenset(each.causes), _actions(parts[f"return {place}"])) for place, (each, _) in enumerate(plan.returns)
        ),
    )


def _blocks(plan: Plan, story: Story, changes: Sequence[Change]) -> dict[str, list[Spot]]:
    """Return where the steps of each part are written, in their order."""
    return {
        "before": [each.spot / "before" for each in changes],
        **{_done(each): [each.spot / "do"] for each in changes},
        **{_first(each): [each.spot / "first"] for each in changes},
        "steps": [story.spot / "steps"],
        "busy": [top / "busy" for top in plan.tops],
        "morning": [top / "morning" for top in plan.tops],
        **{f"return {place}": [spot / "steps"] for place, (_, spot) in enumerate(plan.returns)},
    }


def _done(change: Change) -> str:
    return f"do {change.name}"


def _first(change: Change) -> str:
    return f"first {change.name}"


def _is_told(spot: Spot) -> bool:
    return isinstance(spot.value, list)


def _actions(steps: list[Step]) -> tuple[Action, ...]:
    return tuple(step.action for step in steps if step.action is not None)


def _deeds(steps: list[Step], scenario: Scenario) -> tuple[Deed, ...]:
    return tuple(_deed(step, step.action, scenario) for step in steps if step.action is not None)


def _deed(step: Step, action: Action, scenario: Scenario) -> Deed:
    if not (step.name and isinstance(action, Call)):
        return Deed(action)
    kind = scenario.registry.kinds[scenario.instances[action.element].kind]
    return Deed(action, (action.element, step.name), next(iter(kind.all_verbs()[action.verb].outcomes), ""))


def _parted(steps: list[T], blocks: dict[str, list[Spot]]) -> Iterator[tuple[str, list[T]]]:
    start = 0
    for name, spots in blocks.items():
        size = sum(len(spot.value) for spot in spots if _is_told(spot))
        yield name, steps[start : start + size]
        start += size


def _numbered(steps: list[Step]) -> list[Step]:
    return [replace(step, index=index, expectations=()) for index, step in enumerate(steps)]
