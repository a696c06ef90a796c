"""Composes the scenarios of a base scenario and changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from simwarden.campaign.composition import Composed, compose, is_list
from simwarden.scenario.document import Call
from simwarden.scenario.merge import Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simwarden.campaign.explore.plan import Change, Plan, Story
    from simwarden.scenario.document import Action, Scenario, Step
    from simwarden.scenario.load import Loader
    from simwarden.scenario.yamlfile import Spot

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
    step's index; `busy` and `morning` are what is done when it is over and after a night.
    """

    composed: Composed
    without: Scenario
    before: Scenario
    changes: dict[str, tuple[Action, ...]]
    procedures: dict[int, str]
    busy: tuple[Deed, ...]
    morning: tuple[Deed, ...]
    #: what the owner of a terminal does when it has been told some causes, by their names
    returns: tuple[tuple[frozenset[str], tuple[Action, ...]], ...] = ()
    #: whether a change may be refused: one that has something else come first ends what may not be there
    refusable: bool = False


def told(plan: Plan, story: Story, changes: Sequence[Change], loader: Loader) -> Told:
    """Put a story together. Raises ScenarioErrors, each with the file and line in which the wrong part was written."""
    settings = [*plan.tops, story.spot, *(each.spot for each in changes)]
    layers = [Layer(spot / part, (part,)) for spot in settings for part in plan.parts]
    title = story.head.title + "".join(f"; meanwhile: {each.head.title}" for each in changes)
    made = compose(title, str(story.spot.source.file), layers, _blocks(plan, story, changes), loader)
    first = [f"first {each.name}" if is_list(each.spot / "first") else f"do {each.name}" for each in changes]
    lead, whole = made.sizes["before"], made.scenario
    return Told(
        composed=made,
        without=replace(whole, steps=made.steps("before", "steps")),
        before=replace(whole, steps=made.steps("before", *first, "steps")),
        changes={each.name: _actions(made.steps(f"do {each.name}")) for each in changes},
        procedures={lead + step.index: step.name for step in made.steps("steps") if step.name},
        busy=tuple(_deeds(made.steps("busy"), whole)),
        morning=tuple(_deeds(made.steps("morning"), whole)),
        refusable=any(is_list(each.spot / "first") for each in changes),
        returns=tuple(
            (frozenset(each.causes), _actions(made.steps(f"return {place}")))
            for place, (each, _) in enumerate(plan.returns)
        ),
    )


def _blocks(plan: Plan, story: Story, changes: Sequence[Change]) -> dict[str, list[Spot]]:
    """Return where the steps of each block are written, in their order."""
    return {
        "before": [each.spot / "before" for each in changes],
        **{f"do {each.name}": [each.spot / "do"] for each in changes},
        **{f"first {each.name}": [each.spot / "first"] for each in changes},
        "steps": [story.spot / "steps"],
        "busy": [top / "busy" for top in plan.tops],
        "morning": [top / "morning" for top in plan.tops],
        **{f"return {place}": [spot / "steps"] for place, (_, spot) in enumerate(plan.returns)},
    }


def _actions(steps: list[Step]) -> tuple[Action, ...]:
    return tuple(step.action for step in steps if step.action is not None)


def _deeds(steps: list[Step], scenario: Scenario) -> Iterable[Deed]:
    for step in steps:
        if isinstance(step.action, Call) and step.name:
            kind = scenario.registry.kinds[scenario.instances[step.action.element].kind]
            good = next(iter(kind.all_verbs()[step.action.verb].outcomes), "")
            yield Deed(step.action, (step.action.element, step.name), good)
        elif step.action is not None:
            yield Deed(step.action)
