"""Words that had another name in the version before: they are read still, told of, and renamed by `validate --fix`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simwarden.scenario.yamlfile import Spot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simwarden.errors import Place
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.yamlfile import Path as Steps
    from simwarden.scenario.yamlfile import Source


@dataclass(frozen=True, slots=True)
class Renamed:
    """A word of the version before, and where it stands."""

    place: Place
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.place}: {self.old!r} is called {self.new!r} now, and the next version does not know it"


def rename(source: Source, registry: Registry) -> list[Renamed]:
    """Rename in what was read all words that elements declare as those of before; return them."""
    return [*_controls(source, registry), *_settings(source, registry)]


def _controls(source: Source, registry: Registry) -> Iterator[Renamed]:
    for path in source.values:
        if path[-1:] == ("control",) and isinstance(old := Spot(source, path).value, str) and old in registry.renamed:
            new = Spot(source, path[:-1]).value["control"] = registry.renamed[old]
            yield Renamed(source.place(path), old, new)


def _settings(source: Source, registry: Registry) -> Iterator[Renamed]:
    for old, new in registry.renamed.items():
        steps, key = tuple(old.split(".")), new.rpartition(".")[2]
        for path in [each for each in source.keys if each[-len(steps) :] == steps]:
            above = Spot(source, path[:-1]).value
            if key not in above:  # else whoever checks the settings tells of the old one
                yield Renamed(source.place(path, key=True), steps[-1], key)
                above[key] = above.pop(steps[-1])
                _move(source, path, (*path[:-1], key))


def _move(source: Source, old: Steps, new: Steps) -> None:
    """Have the places of what stands below a key found below its new name."""
    for places in (source.keys, source.values):
        for path in [each for each in places if each[: len(old)] == old]:
            places[new + path[len(old) :]] = places.pop(path)


def fix(file: str, found: Iterable[Renamed]) -> None:
    """Write the new words into a file, which is else left as it is. Raises OSError."""
    path = Path(file)
    octets = path.read_bytes()
    text = octets.decode("utf-8-sig")
    lines = text.splitlines(keepends=True)
    for each in sorted(set(found), key=lambda each: (each.place.line, each.place.column), reverse=True):
        line, column = lines[each.place.line - 1], each.place.column - 1
        lines[each.place.line - 1] = line[:column] + line[column:].replace(each.old, each.new, 1)
    path.write_bytes(octets[: len(octets) - len(text.encode())] + "".join(lines).encode())
