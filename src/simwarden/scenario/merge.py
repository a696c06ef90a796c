"""Puts parts of several YAML files together into one document, in which each part keeps its place in its own file.

So a story can be made of a story and of what is in force in it, checked by the Loader as any other, and whatever is
wrong is told where it was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simwarden.errors import Place
from simwarden.scenario.validation import short
from simwarden.scenario.yamlfile import Source, Spot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simwarden.scenario.problems import Problems
    from simwarden.scenario.yamlfile import Path

#: the key by which the parts of one section are told apart (`binding: [{by: ...}, {by: ...}]`)
_APART = "by"
#: the one list that may say the same twice
_STORY = ("steps",)


@dataclass(frozen=True, slots=True)
class Layer:
    """One part of a document: where it was written, and where it goes."""

    spot: Spot
    at: Path


class Merged(Source):
    """A document that was put together. `file` names it where no part of it has a place."""

    def __init__(self, file: str) -> None:
        super().__init__(file, {})
        self.origins: dict[Path, Spot] = {}
        #: where the keys of values stand that were inserted for the name of a parameter
        self.key_origins: dict[Path, Spot] = {}

    def has(self, path: Path) -> bool:
        """See Source."""
        return path in self.origins

    def place(self, path: Path, *, key: bool = False) -> Place:
        """See Source."""
        if key and path in self.key_origins:
            return self.key_origins[path].key
        while path and path not in self.origins:
            path, key = path[:-1], True
        origin = self.origins.get(path)
        if origin is None:
            return Place(self.file)
        return origin.key if key else origin.place


def merge(file: str, layers: Iterable[Layer], problems: Problems) -> Merged:
    """Put layers together, in their order.

    Mappings are merged key by key, lists are put one after another (equal ones count once, save steps), and two
    mappings that say `by` different words become a list of both. Where two layers say different things of the same
    value, that is noted in `problems` with both places.
    """
    merged = Merged(file)
    for layer in layers:
        value = layer.spot.value
        if value is None:
            continue
        inner = merged.data
        for depth, step in enumerate(layer.at[:-1], 1):
            if not isinstance(inner.get(step), dict):  # an entry may be written with nothing after it
                inner[step] = {}
            inner = inner[step]
            merged.origins.setdefault(layer.at[:depth], layer.spot)
        _Weaver(merged, problems).put(inner, layer.at, value, layer.spot)
    return merged


@dataclass(slots=True)
class _Weaver:
    """Puts one layer into the document."""

    merged: Merged
    problems: Problems

    def put(self, around: Any, path: Path, value: Any, spot: Spot) -> None:
        """Put a value at a path, of which `around` is the mapping or list that holds it."""
        step = path[-1]
        held = around.get(step) if isinstance(around, dict) else None
        if held is None or held == "":
            around[step] = self._copied(value, path, spot)
        elif isinstance(held, dict) and value == "":
            return
        elif isinstance(held, dict) and isinstance(value, dict) and held.get(_APART) == value.get(_APART):
            for key, each in value.items():
                self.put(held, (*path, key), each, spot / key)
        elif isinstance(held, (dict, list)) and isinstance(value, dict) and _APART in value:
            self._add_part(around, path, value, spot)
        elif isinstance(held, list) and isinstance(value, list):
            self._add_all(held, path, value, spot)
        elif held != value:
            other = self.merged.place(path)
            self.problems.add(f"{step}: {short(value)} stands against {short(held)} at {other}", spot.place)

    def _add_part(self, around: dict[Any, Any], path: Path, value: dict[str, Any], spot: Spot) -> None:
        """Add a part of a section to the others, or to the one of the same word."""
        held = around[path[-1]]
        if isinstance(held, dict):
            self._move(path, (*path, 0))
            held = around[path[-1]] = [held]
        for index, part in enumerate(held):
            if isinstance(part, dict) and part.get(_APART) == value[_APART]:
                for key, each in value.items():
                    self.put(part, (*path, index, key), each, spot / key)
                return
        held.append(self._copied(value, (*path, len(held)), spot))

    def _add_all(self, held: list[Any], path: Path, value: list[Any], spot: Spot) -> None:
        if path != _STORY and held == value:
            return
        for index, each in enumerate(value):
            held.append(self._copied(each, (*path, len(held)), spot / index))

    def _move(self, old: Path, new: Path) -> None:
        origins = self.merged.origins
        inside = {path: origins[path] for path in origins if path[: len(old)] == old}
        for path, origin in inside.items():
            origins[new + path[len(old) :]] = origin
            if path != old:
                del origins[path]

    def _copied(self, value: Any, path: Path, spot: Spot) -> Any:
        """Return a copy of a value, and note where each part of it was written."""
        self.merged.origins[path] = spot
        if isinstance(value, dict):
            return {key: self._copied(each, (*path, key), spot / key) for key, each in value.items()}
        if isinstance(value, list):
            return [self._copied(each, (*path, index), spot / index) for index, each in enumerate(value)]
        return value
