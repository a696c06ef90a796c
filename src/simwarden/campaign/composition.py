"""Composes a scenario of a base scenario and of parts that are merged with it: methods, services, changes.

All are written in the language of scenarios; each part keeps its place in its own file, and the whole is loaded and
checked as any other scenario.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from simwarden.scenario.merge import Layer, Merged, merge
from simwarden.scenario.parameters import Parameter, Substitution
from simwarden.scenario.problems import Problems
from simwarden.scenario.yamlfile import Source, Spot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simwarden.scenario.document import Scenario, Step
    from simwarden.scenario.load import Loader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Composed:
    """A scenario, its document, and how many steps each named block of it has."""

    scenario: Scenario
    document: Merged
    sizes: Mapping[str, int]

    def steps(self, *blocks: str) -> list[Step]:
        """Return the steps of blocks, numbered."""
        steps = [step for block in blocks for step in self._cut(self.scenario.steps, block)]
        return [replace(step, index=index, expectations=()) for index, step in enumerate(steps)]

    def written(self, block: str) -> list[Any]:
        """Return the steps of a block as they are written; none for an unknown block."""
        return self._cut(self.document.data["steps"], block) if block in self.sizes else []

    def _cut(self, steps: Sequence[T], block: str) -> list[T]:
        names = list(self.sizes)
        start = sum(self.sizes[name] for name in names[: names.index(block)])
        return list(steps[start : start + self.sizes[block]])


def compose(
    title: str, file: str, settings: Iterable[Layer], blocks: Mapping[str, Sequence[Spot]], loader: Loader
) -> Composed:
    """Merge settings, and the steps of each block in order. Raises ScenarioErrors, each with the place of its part."""
    problems = Problems()
    layers = [*settings, *(Layer(spot, ("steps",)) for spots in blocks.values() for spot in spots)]
    document = merge(file, layers, problems)
    document.data["scenario"] = title
    scenario = loader.assemble(document, problems)
    sizes = {name: sum(len(spot.value) for spot in spots if is_list(spot)) for name, spots in blocks.items()}
    return Composed(scenario, document, sizes)


def is_list(spot: Spot) -> bool:
    """Return True if there is a list at a spot."""
    return isinstance(spot.value, list)


def expand(spot: Spot, problems: Problems, **values: str) -> Spot:
    """Return a part of a file in which each `$NAME` is replaced by its value."""
    document = Merged(spot.source.file)
    parameters = {name: Parameter(Spot(Source(spot.source.file, value))) for name, value in values.items()}
    document.data = Substitution(document, parameters, problems).copy(spot, ())
    return Spot(document)
