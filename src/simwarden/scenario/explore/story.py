"""Makes scenarios of a story and a change: loaded and checked as any other, and run by the same runner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simwarden.scenario.document import Wait
from simwarden.scenario.merge import Layer, Merged, merge
from simwarden.scenario.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.scenario.document import Action, Scenario, Step
    from simwarden.scenario.explore.plan import Change, Plan, Story
    from simwarden.scenario.load import Loader
    from simwarden.scenario.yamlfile import Spot

#: seconds after a change in which nothing may be left of a right that is lost
ENFORCED = 5.0


@dataclass(frozen=True, slots=True)
class Told:
    """A story with a change: the scenario in which it never comes, and the one in which it was there from the first.

    `change` are its actions; `procedures` the word of each step in which something may be put in, by the step's index;
    `morning` is what a terminal does after a night, `source` the document.
    """

    without: Scenario
    before: Scenario
    change: tuple[Action, ...]
    procedures: dict[int, str]
    morning: tuple[Action, ...]
    source: Merged
    #: how many steps of the document are of each part, in their order
    sizes: dict[str, int]
    #: what the owner of a terminal does when it has been told some causes, by their names
    returns: tuple[tuple[frozenset[str], tuple[Action, ...]], ...] = ()


def told(plan: Plan, story: Story, change: Change | None, loader: Loader) -> Told:
    """Put a story together. Raises ScenarioErrors, each with the file and line in which the wrong part was written."""
    problems = Problems()
    settings = [*plan.tops, story.spot, *([change.spot] if change is not None else [])]
    layers = [Layer(spot / part, (part,)) for spot in settings for part in plan.parts]
    blocks: dict[str, list[Spot]] = {
        "before": [change.spot / "before"] if change is not None else [],
        "do": [change.spot / "do"] if change is not None else [],
        "steps": [story.spot / "steps"],
        "busy": [top / "busy" for top in plan.tops],
        "morning": [top / "morning" for top in plan.tops],
    } | {f"return {place}": [spot / "steps"] for place, (_, spot) in enumerate(plan.returns)}
    layers += [Layer(spot, ("steps",)) for spots in blocks.values() for spot in spots]
    source = merge(str(story.spot.source.file), layers, problems)
    source.data["scenario"] = story.head.title + (f"; meanwhile: {change.head.title}" if change is not None else "")
    whole = loader.assemble(source, problems)
    parts = dict(_parted(whole.steps, blocks))
    tail = [*parts["busy"], replace(parts["steps"][-1], text="wait", action=Wait(ENFORCED), facts={}, mark="")]
    return Told(
        without=replace(whole, steps=_numbered([*parts["before"], *parts["steps"], *tail])),
        before=replace(whole, steps=_numbered([*parts["before"], *parts["do"], *parts["steps"], *tail])),
        change=_actions(parts["do"]),
        procedures={len(parts["before"]) + place: step.mark for place, step in enumerate(parts["steps"]) if step.mark},
        morning=_actions(parts["morning"]),
        source=source,
        sizes={name: len(steps) for name, steps in parts.items()},
        returns=tuple(
            (frozenset(each.causes), _actions(parts[f"return {place}"])) for place, (each, _) in enumerate(plan.returns)
        ),
    )


def _actions(steps: list[Step]) -> tuple[Action, ...]:
    return tuple(step.action for step in steps if step.action is not None)


def _parted(steps: list[Step], blocks: dict[str, list[Spot]]) -> Iterator[tuple[str, list[Step]]]:
    start = 0
    for name, spots in blocks.items():
        size = sum(len(spot.value) for spot in spots if isinstance(spot.value, list))
        yield name, steps[start : start + size]
        start += size


def _numbered(steps: list[Step]) -> list[Step]:
    return [replace(step, index=index, expectations=()) for index, step in enumerate(steps)]
