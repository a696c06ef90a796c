"""The files of an exploration: stories, what may change in them, and what must hold when all is quiet.

A folder holds any number of `*.yaml`, and each installed element may bring an `explore.yaml` beside its module. They
are of one form, and are put together: an element of somebody else's brings its stories and changes so.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pydantic import Field

from simwarden.campaign.composition import Part, check_known, head_of, read_parts, top_of
from simwarden.campaign.record import NAME as RECORD
from simwarden.errors import ConfigError, Place
from simwarden.runtime.declare import Model, Seconds
from simwarden.scenario.problems import Problems
from simwarden.scenario.validation import check

if TYPE_CHECKING:
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.yamlfile import Spot

NAME = "explore.yaml"
#: steps that follow each story: contacts at once, and after a night
_TAIL = ("busy", "morning")
_KEYS = ("stories", "changes", "agree", "returns", *_TAIL)


class Head(Model):
    """What a story says beside its settings and steps."""

    title: str = Field(min_length=1)
    """The story in one sentence."""
    about: str = ""
    """Anything a reader should know."""


class ChangeHead(Head):
    """What a change says beside its settings and steps."""

    stories: list[str] = Field(default_factory=list)
    """The stories in which it makes sense; by default all."""
    but: list[str] = Field(default_factory=list)
    """Stories in which it makes none."""

    def fits(self, story: str) -> bool:
        """Whether it makes sense in a story."""
        return (not self.stories or story in self.stories) and story not in self.but


class Agreement(Model):
    """A record that each record of another element must have beside it, of the same key."""

    each: str
    """`ELEMENT.OBSERVABLE`."""
    has: str
    """`ELEMENT.OBSERVABLE`."""
    unless: str = ""
    """A field of the first that excuses it."""


class Return(Model):
    """How a legitimate terminal comes back into service after it was told a cause."""

    causes: list[str] = Field(default_factory=list)
    """EMM causes by name; none: whatever it was told."""
    within: Seconds
    """How long it may take until it is served again after the story, or after `steps` of its owner a day later."""
    why: str = Field(min_length=1)
    """The clause, and the timer."""


Story: TypeAlias = Part[Head]
"""A base scenario."""
Change: TypeAlias = Part[ChangeHead]
"""Something that an operator, or the card's owner, may do at any moment."""


@dataclass(slots=True)
class Plan:
    """All files, read and checked. `parts` are the keys that say what there is in a story."""

    folder: Path
    parts: tuple[str, ...]
    stories: dict[str, Story] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    #: tops of the files, whose settings are those of every story
    tops: list[Spot] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    returns: list[tuple[Return, Spot]] = field(default_factory=list)

    def changes_of(self, story: Story) -> list[Change]:
        """Return the changes that make sense in a story."""
        return [each for each in self.changes.values() if each.head.fits(story.name)]


def read_plan(folder: Path, registry: Registry) -> Plan:
    """Read a folder, and what elements bring. Raises ScenarioErrors with all that is wrong, ConfigError for no plan."""
    problems = Problems()
    plan = Plan(folder, ("network", *registry.sections))
    own = sorted(path for path in folder.glob("*.yaml") if path.name != RECORD)
    if not own:
        raise ConfigError("nothing to explore is here: *.yaml with stories and changes", Place(str(folder)))
    brought = (Path(inspect.getfile(kind)).parent / NAME for kind in registry.kinds.values())
    for file in (*own, *(path for path in brought if path.is_file())):
        _read(plan, file, problems)
    for change in plan.changes.values():
        if Path(change.spot.source.file) in own:  # what an element brings is for other folders too
            check_known(change.head.stories, plan.stories, "story", change.spot / "stories", problems)
            check_known(change.head.but, plan.stories, "story", change.spot / "but", problems)
    problems.raise_if_any()
    return plan


def _read(plan: Plan, file: Path, problems: Problems) -> None:
    top = top_of(file, problems)
    known = (*_KEYS, *plan.parts)
    for key in top.value:
        if key not in known:
            problems.unknown("key", key, known, (top / key).key)
    plan.tops.append(top)
    if "stories" in top.value:
        plan.stories |= read_parts(top / "stories", Head, (*plan.parts, "steps"), plan.stories, problems)
    if "changes" in top.value:
        also = (*plan.parts, "before", "do", "first")
        plan.changes |= read_parts(top / "changes", ChangeHead, also, plan.changes, problems)
    for spot in _items(top / "agree", problems):
        agreement = check(Agreement, spot.value, spot, problems)
        plan.agreements += [agreement] if agreement is not None else []
    for spot in _items(top / "returns", problems):
        found = head_of(Return, spot, ("steps",), problems)
        plan.returns += [(found, spot)] if found is not None else []


def _items(spot: Spot, problems: Problems) -> list[Spot]:
    data = spot.value or []
    if not isinstance(data, list):
        problems.add(f"{spot.key_name}: a list is expected", spot.place)
        return []
    return [spot / index for index in range(len(data))]
