"""Composes a scenario of a base scenario and of parts that are merged with it: methods, services, changes.

Files hold named parts, whose heads are checked as they are read. All are written in the language of scenarios; each
part keeps its place in its own file, and the composed whole is loaded and checked as any other scenario.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from simwarden.errors import Place
from simwarden.runtime.declare import Model
from simwarden.scenario.load import Loader, read_file
from simwarden.scenario.merge import Layer, Merged, merge
from simwarden.scenario.parameters import Parameter, Substitution
from simwarden.scenario.problems import Problems
from simwarden.scenario.validation import check, short
from simwarden.scenario.yamlfile import Source, Spot, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from simwarden.scenario.document import Scenario, Step

T = TypeVar("T")
M = TypeVar("M", bound=Model)
M_co = TypeVar("M_co", bound=Model, covariant=True)


@dataclass(frozen=True, slots=True)
class Part(Generic[M_co]):
    """A named part of scenarios: its head, and the place of its settings and steps."""

    name: str
    head: M_co
    spot: Spot


def top_of(file: Path, problems: Problems) -> Spot:
    """Read a file of keys and values."""
    source = read(read_file(file), str(file), problems)
    if not isinstance(source.data, dict):
        problems.add("keys and values are expected", Place(str(file)))
        source.data = {}
    return Spot(source)


def head_of(model: type[M], spot: Spot, also: tuple[str, ...], problems: Problems) -> M | None:
    """Check the head of a part; `also` are its other keys."""
    data = spot.value
    if not isinstance(data, dict):
        problems.add(f"keys and values are expected, not {short(data)}", spot.place)
        return None
    own = {key: value for key, value in data.items() if key not in also}
    return check(model, own, spot, problems, also=also)


def read_parts(
    spot: Spot, model: type[M], also: tuple[str, ...], known: Mapping[str, Part[Any]], problems: Problems
) -> dict[str, Part[M]]:
    """Return the parts below a key by their names, which must differ from those of `known` parts."""
    data = spot.value
    if not isinstance(data, dict) or not data:
        problems.add(f"{spot.key_name}: names with what they are are expected", spot.place)
        return {}
    parts: dict[str, Part[M]] = {}
    for name in data:
        if name in known:
            problems.add(f"there is a part {name!r} already, at {known[name].spot.key}", (spot / name).key)
        elif (head := head_of(model, spot / name, also, problems)) is not None:
            parts[name] = Part(name, head, spot / name)
    return parts


def check_known(names: Any, known: Any, what: str, spot: Spot, problems: Problems) -> None:
    """Note names of a list, or keys of a mapping, that are not known."""
    for index, name in enumerate(names):
        if name not in known:
            here = (spot / index).place if isinstance(names, list) else (spot / name).key
            problems.unknown(what, name, known, here)


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


@cache
def loader_of(network: str, without: frozenset[str] = frozenset()) -> Loader:
    """Return the loader of a network file, one a process, which reads it once."""
    return Loader(network_file=network, without=without)


def is_list(spot: Spot) -> bool:
    """Return True if there is a list at a spot."""
    return isinstance(spot.value, list)


def expand(spot: Spot, problems: Problems, **values: str) -> Spot:
    """Return a part of a file in which each `$NAME` is replaced by its value."""
    document = Merged(spot.source.file)
    parameters = {name: Parameter(Spot(Source(spot.source.file, value))) for name, value in values.items()}
    document.data = Substitution(document, parameters, problems).copy(spot, ())
    return Spot(document)
