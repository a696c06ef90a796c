"""Named values of a scenario file: `$name` and `$name.key` insert a value that the file defines elsewhere.

    set: {quota: 10 MB}                    # `$quota` is `10 MB`
    vary:
      way:                                 # an axis: each word makes a separate case
        by-tls: {port: 443, sni: elsewhere.example}
        by-quic: {port: 443, quic: true}
    steps:
      - send: {device: meter, with: $way}  # `with` inserts the keys of a mapping
      - wait: $way.delay                   # a value; in a list one or more entries; or a part of a text

`$axis` in a text is the word of the axis. `$$` is a dollar sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simwarden.errors import ScenarioError
from simwarden.scenario.problems import guess
from simwarden.scenario.validation import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simwarden.scenario.merge import Merged
    from simwarden.scenario.problems import Problems
    from simwarden.scenario.yamlfile import Path, Spot

#: the key under which a mapping is inserted
WITH = "with"
#: values of the largest document, and parameters within one another
_MOST, _DEEPEST = 200_000, 50
_USE = re.compile(r"\$(?:\$|([A-Za-z][\w-]*)((?:\.[\w-]+)*))")


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a name stands for, and the word of the axis that chose it."""

    spot: Spot
    word: str = ""


def uses_in(value: Any) -> Iterator[tuple[str, ...]]:
    """Yield each use of a parameter in a value, as its name and the keys after it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from uses_in(key)
            yield from uses_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from uses_in(inner)
    elif isinstance(value, str) and "$" in value:
        for match in _USE.finditer(value):
            if match[1]:
                yield match[1], *filter(None, match[2].split("."))


class Substitution:
    """Copies parts of a file into a document with parameters replaced; each part keeps its place in the file."""

    def __init__(self, document: Merged, parameters: Mapping[str, Parameter], problems: Problems) -> None:
        self._document, self._parameters, self._problems = document, parameters, problems
        #: values that are being copied, and names that are being followed, to detect circular definitions
        self._open: list[Spot] = []
        self._followed: list[Spot] = []
        self._copied = 0

    def copy(self, spot: Spot, path: Path) -> Any:
        """Return the value at a spot as it stands at `path` of the document."""
        self._count(spot)
        self._document.origins[path] = spot
        self._document.key_origins.pop(path, None)
        value = spot.value
        if isinstance(value, dict):
            return self._copy_mapping(value, spot, path)
        if isinstance(value, list):
            return self._copy_list(value, spot, path)
        if not isinstance(value, str) or "$" not in value:
            return value
        match = _USE.fullmatch(value)
        if match is None or not match[1]:
            return self._replace_in_text(value, spot)
        parameter = self._find(match, spot)
        return "" if parameter is None else self._copy_value(parameter.spot, path)

    def _count(self, spot: Spot) -> None:
        """Count a value that is copied. Raises ScenarioError for too many, or too many within one another."""
        self._copied += 1
        if self._copied > _MOST or len(self._open) > _DEEPEST:
            raise ScenarioError("is nested too deep, or grows too large by its parameters", spot.place)

    def _copy_value(self, spot: Spot, path: Path) -> Any:
        """Copy the value of a parameter, or a part of it."""
        use = self._document.origins.get(path)
        self._open.append(spot)
        made = self.copy(spot, path)
        self._open.pop()
        if use is not None:
            self._document.key_origins[path] = use
        return made

    def _copy_mapping(self, value: dict[str, Any], spot: Spot, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, inner in value.items():
            if key == WITH and isinstance(inner, str) and "$" in inner:
                self._insert_keys(made, value, spot / key, path)
                continue
            name = self._replace_in_text(key, spot / key) if "$" in key else key
            made[name] = self.copy(spot / key, (*path, name))
        return made

    def _insert_keys(self, made: dict[str, Any], around: dict[str, Any], spot: Spot, path: Path) -> None:
        """Insert the keys of the mapping that `with` names."""
        match = _USE.fullmatch(spot.value)
        if match is None or not match[1]:
            self._problems.add(f"with: the name of a mapping is expected, not {short(spot.value)}", spot.place)
            return
        parameter = self._find(match, spot)
        if parameter is None:
            return
        value = parameter.spot.value or {}
        if not isinstance(value, dict):
            self._problems.add(f"with: {match[0]} is {short(value)}, and no mapping", spot.place)
            return
        origin = self._document.origins[path]
        inserted = self._copy_value(parameter.spot, path) or {}
        self._document.origins[path] = origin
        for key, inner in inserted.items():
            if key in around or key in made:
                self._problems.add(f"with: {match[0]} has the key {key!r}, which stands here already", spot.place)
            else:
                made[key] = inner

    def _copy_list(self, items: list[Any], spot: Spot, path: Path) -> list[Any]:
        made: list[Any] = []
        self.copy_entries(made, spot, range(len(items)), path)
        return made

    def copy_entries(self, made: list[Any], spot: Spot, indexes: Iterable[int], path: Path) -> None:
        """Copy some entries of a list to the end of another; one that stands for a list is replaced by its entries."""
        for index in indexes:
            item = spot.value[index]
            match = _USE.fullmatch(item) if isinstance(item, str) else None
            name = match[1] if match else ""
            parameter = self._find(match, spot / index) if match and name else None
            if parameter and isinstance(parameter.spot.value, list):
                for inner in range(len(parameter.spot.value)):
                    made.append(self._copy_value(parameter.spot / inner, (*path, len(made))))
            elif parameter or not name:
                made.append(self.copy(spot / index, (*path, len(made))))

    def _find(self, match: re.Match[str], spot: Spot) -> Parameter | None:
        """Return the parameter that is used, or note that it is unknown."""
        name, keys = match[1], match[2]
        if name not in self._parameters:
            self._problems.add(f"${name} is not known", spot.place, guess(name, self._parameters))
            return None
        found = self._follow(self._parameters[name], name, spot)
        for key in filter(None, keys.split(".")):
            value = found.spot.value if found else None
            if found is None or not isinstance(value, dict) or key not in value:
                self._note_missing_entry(match[0], key, value, spot)
                return None
            found = self._follow(Parameter(found.spot / key), name, spot)
        if found and any(inner.path[: len(found.spot.path)] == found.spot.path for inner in self._open):
            self._problems.add(f"${name} stands within its own value", spot.place)
            return None
        return found

    def _note_missing_entry(self, use: str, key: str, value: Any, spot: Spot) -> None:
        if isinstance(value, str):
            told = f"{use}: the value is a text here, and has no entry {key!r}"
            hint = "an identity is the value of a parameter as a whole: `imei: meter.imei`"
            self._problems.add(told, spot.place, hint)
            return
        known = value if isinstance(value, dict) else ()
        self._problems.add(f"{use}: {key} is not known", spot.place, guess(key, known))

    def _follow(self, parameter: Parameter, name: str, spot: Spot) -> Parameter | None:
        """Return the last parameter of a chain in which each value is the name of the next one."""
        value = parameter.spot.value
        match = _USE.fullmatch(value) if isinstance(value, str) else None
        if match is None or not match[1]:
            return parameter
        if parameter.spot in self._followed:
            self._problems.add(f"${name} stands within its own value", spot.place)
            return None
        self._followed.append(parameter.spot)
        found = self._find(match, parameter.spot)
        self._followed.pop()
        return found

    def _replace_in_text(self, text: str, spot: Spot) -> str:
        return _USE.sub(lambda match: self._written(match, spot), text)

    def _written(self, match: re.Match[str], spot: Spot) -> str:
        """Return what stands in a text in the place of a use: the word of an axis, or a value that is a text."""
        if not match[1]:
            return "$"
        self._count(spot)
        parameter = self._find(match, spot)
        if parameter is None:
            return ""
        value = parameter.spot.value
        if parameter.word and not isinstance(value, str):
            return parameter.word
        if isinstance(value, str):
            self._open.append(parameter.spot)
            made = self._replace_in_text(value, parameter.spot)
            self._open.pop()
            return made
        self._problems.add(f"{match[0]} is no text, and stands within one", spot.place)
        return ""
