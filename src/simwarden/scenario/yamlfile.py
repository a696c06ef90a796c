"""YAML read so that every scalar is a string and every value has a place (file:line:column).

YAML's own typing is left out on purpose: it reads the IMSI `001010000000001` as an octal number and `off` as false.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from yaml.resolver import BaseResolver

from simwarden.errors import Place, ScenarioError
from simwarden.model.values import plain

if TYPE_CHECKING:
    from simwarden.scenario.problems import Problems

Path: TypeAlias = tuple[str | int, ...]
Data: TypeAlias = "str | list[Any] | dict[str, Any]"

#: levels of the deepest file, and values of the largest (aliases counted at each use)
_DEEPEST, _MOST = 50, 200_000
#: what libyaml finds, in our words
_SAID = {
    "did not find expected key": "a key is expected here",
    "did not find expected '-' indicator": "an entry of the list, with '-', is expected here",
    "did not find expected ',' or ']'": "',' or ']' is expected here",
    "did not find expected ',' or '}'": "',' or '}' is expected here",
    "did not find expected node content": "a value is expected here",
    "could not find expected ':'": "':' is expected before this",
    "mapping values are not allowed in this context": "a ':' cannot stand here",
    "block sequence entries are not allowed in this context": "an entry of a list, with '-', cannot stand here",
    "found unexpected end of stream": "a text in quotes has no end",
    "found undefined alias": "nothing above is marked '&' with the name that stands here after '*'",
    "found character that cannot start any token": "a text cannot begin with this character",
    "found unknown escape character": "in double quotes no such character stands after a backslash",
    "did not find expected <document start>": "nothing is expected after the end of the document",
    "but found another document": "a file holds one document",
    "could not determine a constructor for the tag": "no tags are read",
    "exceeded maximum nesting depth": "is nested too deep",
}

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
#: the tags of what has none (YAML 1.1 10.1)
_UNTAGGED = frozenset(
    (BaseResolver.DEFAULT_SCALAR_TAG, BaseResolver.DEFAULT_SEQUENCE_TAG, BaseResolver.DEFAULT_MAPPING_TAG)
)


class Source:
    """A file that was read: its data, and where each part of it stands."""

    def __init__(self, file: str, data: Any = "") -> None:
        self.file = file
        self.data: Any = data
        self.keys: dict[Path, tuple[int, int]] = {}
        self.values: dict[Path, tuple[int, int]] = {}

    def has(self, path: Path) -> bool:
        """Tell whether the file has a value there."""
        return path in self.values

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return where a value (or its key) stands; of what is not there, where its parent stands."""
        while path and path not in self.values:
            path, key = path[:-1], True
        line, column = (self.keys if key and path in self.keys else self.values).get(path, (0, 0))
        return Place(self.file, line, column)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a source by its path, to be gone down from with `/`."""

    source: Source
    path: Path = ()

    def __truediv__(self, step: str | int) -> Spot:
        return Spot(self.source, (*self.path, step))

    def join(self, steps: Path) -> Spot:
        """Go down several steps."""
        return Spot(self.source, self.path + steps)

    @property
    def key_name(self) -> str:
        """The last key on the way to it, empty where there is none: of a part of a list that of the list."""
        return next((step for step in reversed(self.path) if isinstance(step, str)), "")

    @property
    def value(self) -> Any:
        """The value there; None where the source has none."""
        value: Any = self.source.data
        for step in self.path:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    @property
    def place(self) -> Place:
        """Where the value stands."""
        return self.source.place(self.path)

    @property
    def key(self) -> Place:
        """Where the key of the value stands."""
        return self.source.place(self.path, key=True)


def parts_of(value: Any, spot: Spot) -> list[tuple[Any, Spot]]:
    """Return the parts of a list, each with its place; what is none is its only part."""
    return [(each, spot / index) for index, each in enumerate(value)] if isinstance(value, list) else [(value, spot)]


def unread(error: Exception, file: str, text: str = "") -> ScenarioError:
    """Return what is wrong with a file that is no YAML or no JSON, with its line; `text` is what was read of it."""
    if isinstance(error, RecursionError):
        return ScenarioError("is nested too deep", Place(file))
    if isinstance(error, UnicodeDecodeError):
        return ScenarioError("is no text in UTF-8", Place(file))
    if isinstance(error, json.JSONDecodeError):
        return ScenarioError("no JSON: what is here cannot stand here", Place(file, error.lineno, error.colno))
    if not isinstance(error, yaml.MarkedYAMLError):
        return ScenarioError("no YAML: a control character is in it", Place(file))
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    told = _SAID.get(error.problem or "", "what is here cannot stand here")
    return ScenarioError(f"no YAML: {told}", place, _meant(error, text))


def read(text: str, file: str, problems: Problems) -> Source:
    """Read one YAML document. Duplicate keys are noted in `problems`. Raises ScenarioError for what is no YAML."""
    source = Source(file)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except (RecursionError, yaml.YAMLError) as error:
        raise unread(error, file, text) from error
    finally:
        loader.dispose()
    if node is not None:
        source.data = _walk(node, (), source, problems)
    return source


def _meant(error: yaml.MarkedYAMLError, text: str) -> str:
    """Return a hint on the usual mistakes."""
    mark = error.problem_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "this line is indented with a tab; YAML wants blanks"
    if error.problem in ("did not find expected key", "did not find expected '-' indicator"):
        return "is it indented like the line that it belongs to?"
    if error.problem == "mapping values are not allowed in this context":
        return (
            "put quotes around a text that has a colon in it; or the line before lacks its colon, "
            "or this one is indented further than the keys beside it"
        )
    return ""


def _walk(node: yaml.Node, path: Path, source: Source, problems: Problems) -> Data:
    source.values[path] = _position(node)
    if node.tag not in _UNTAGGED:  # what it would make of the value is not known: not the value that it stands before
        tag = node.tag.removeprefix("tag:yaml.org,2002:")
        told = f"the tag {tag if tag.startswith('!') else f'!!{tag}'} is not read"
        problems.add(told, Place(source.file, *_position(node)), "a value is written without one")
    if len(path) > _DEEPEST or len(source.values) > _MOST:
        raise ScenarioError(
            "is nested too deep, or grows too large by its aliases", Place(source.file, *_position(node))
        )
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, source, problems)
    if isinstance(node, yaml.SequenceNode):
        return [_walk(item, (*path, index), source, problems) for index, item in enumerate(node.value)]
    return str(node.value)


def _mapping(node: yaml.MappingNode, path: Path, source: Source, problems: Problems) -> dict[str, Any]:
    data: dict[str, Any] = {}
    alike: dict[str, str] = {}
    for key_node, value_node in node.value:
        line, column = _position(key_node)
        if not isinstance(key_node, yaml.ScalarNode):
            problems.add("a key must be a word", Place(source.file, line, column))
            continue
        if key_node.tag not in _UNTAGGED:
            _walk(key_node, path, Source(source.file), problems)
        key = str(key_node.value)
        below = (*path, key)
        like = alike.setdefault(plain(key), key)
        if key in data or like != key:
            first = source.keys[*path, like][0]
            told = f"key {key!r} is here twice" if like == key else f"key {key!r} is compared as {like!r} is"
            problems.add(f"{told} (first in line {first})", Place(source.file, line, column))
            continue
        source.keys[below] = (line, column)
        data[key] = _walk(value_node, below, source, problems)
    return data


def _position(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
