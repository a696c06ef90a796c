"""The file of subscribers of a served element, read row by row: 200,000 cards need no more memory than a few.

It is JSON or YAML as `simwarden export` writes them, in which texts that look like numbers are quoted. What an alias of
YAML stands for counts at each use, as in scenario files: a row that grows by them is refused.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from simwarden.errors import ConfigError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper
    from pathlib import Path


class Row(NamedTuple):
    """A subscriber, and where its row begins."""

    values: dict[str, Any]
    place: Place


#: values of the largest row (aliases counted at each use), levels of the deepest, characters of the longest in JSON
_MOST, _DEEPEST, _LONGEST = 10_000, 50, 1 << 20
_JSON = re.compile(r'\s*\{\s*"subscribers"\s*:\s*\[\s*')
_BETWEEN = re.compile(r"\s*,?\s*")
_CHUNK = 1 << 16
_Parser: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def rows_in(path: Path) -> Iterator[Row]:
    """Yield the subscribers of a file. Raises ConfigError for what is none, at the row where it is found."""
    for row, line in entries_in(path):
        place = Place(str(path), line)
        if not isinstance(row, dict) or "imsi" not in row:
            raise ConfigError("a list `subscribers` of mappings with imsi is expected", place)
        yield Row(row, place)


def entries_in(path: Path, *, texts: bool = False) -> Iterator[tuple[Any, int]]:
    """Yield what stands in the list `subscribers` of a file, and in which line; of YAML as `texts` if wanted.

    Raises ConfigError for a file that has no such list.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            start = file.read(_CHUNK)
            begun = _JSON.match(start)
            file.seek(0)
            yield from _json(file, path) if begun else _yaml(file, path, texts=texts)
    except UnicodeDecodeError as error:
        raise ConfigError("is no text in UTF-8", Place(str(path))) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", Place(str(path))) from error


def _json(file: TextIOWrapper, path: Path) -> Iterator[tuple[Any, int]]:
    decode, line = json.JSONDecoder().raw_decode, 1
    text = file.read(_CHUNK)
    begun = _JSON.match(text)
    at = begun.end() if begun else 0
    line += text.count("\n", 0, at)
    while not text.startswith("]", at):
        try:
            row, end = decode(text, at)
        except (ValueError, RecursionError) as error:
            more = file.read(_CHUNK) if len(text) - at < _LONGEST else ""
            if not more:
                place = Place(str(path), line + text.count("\n", at, getattr(error, "pos", at)))
                said = getattr(error, "msg", "nested too deep, or a number is too long")
                raise ConfigError(f"no JSON: {said}", place) from error
            text, at = text[at:] + more, 0
            continue
        yield row, line
        line += text.count("\n", at, end)
        if len(text) - end < _CHUNK // 2:
            text, end = text[end:] + file.read(_CHUNK), 0
        between = _BETWEEN.match(text, end)
        at = between.end() if between else end
        line += text.count("\n", end, at)


def _yaml(file: TextIOWrapper, path: Path, *, texts: bool) -> Iterator[tuple[Any, int]]:
    loader = _Parser(file)
    try:
        yield from _Rows(loader, path, texts=texts).rows()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(str(path), mark.line + 1, mark.column + 1) if mark else Place(str(path))
        raise ConfigError(f"no YAML: {error.problem or error.context}", place) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"no YAML: {str(error).splitlines()[0]}", Place(str(path))) from error
    finally:
        loader.dispose()


class _Rows:
    """Builds the rows of a YAML file from its events."""

    def __init__(self, loader: Any, path: Path, *, texts: bool) -> None:
        self._next, self._path, self._texts = loader.get_event, path, texts
        self._anchors: dict[str, tuple[Any, int]] = {}

    def rows(self) -> Iterator[tuple[Any, int]]:
        """Yield the entries of the list `subscribers` of the top mapping with their lines; what else it has is not."""
        event = self._next()
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = self._next()
        found = False
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        while is_mapping and not isinstance(key := self._next(), yaml.MappingEndEvent):
            name, _ = self._value(key, 0)
            value = self._next()
            if name == "subscribers" and isinstance(value, yaml.SequenceStartEvent):
                found = True
                while not isinstance(row := self._next(), yaml.SequenceEndEvent):
                    yield self._value(row, 0)[0], row.start_mark.line + 1
            else:
                self._value(value, 0)
        if not found:
            raise ConfigError("a list `subscribers` of mappings with imsi is expected", Place(str(self._path)))

    def _value(self, event: Any, depth: int) -> tuple[Any, int]:
        """Return the value that begins with an event, and of how many it is made."""
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._wrong(event, f"nothing is anchored as {event.anchor!r}")
            return self._anchors[event.anchor]
        if isinstance(event, yaml.ScalarEvent):
            found = event.value if self._texts else self._scalar(event), 1
        else:
            found = self._collection(event, depth + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = found
        return found

    def _scalar(self, event: Any) -> Any:
        try:
            return _scalar(event.tag, event.value, event.implicit)
        except (ValueError, OverflowError) as error:  # of a tag, a date, or an integer that is none
            said = f"{event.value[:40]!r} is not what its form or tag says; quote what is a text"
            raise self._wrong(event, said) from error

    def _collection(self, event: Any, depth: int) -> tuple[Any, int]:
        parts, weight = [], 1
        while not isinstance(part := self._next(), (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            value, more = self._value(part, depth) if depth <= _DEEPEST else (None, _MOST)
            parts.append(value)
            weight += more
            if weight > _MOST:
                raise self._wrong(part, "is nested too deep, or grows too large by its aliases")
        if isinstance(event, yaml.SequenceStartEvent):
            return parts, weight
        try:
            return dict(zip(parts[::2], parts[1::2], strict=True)), weight
        except TypeError as error:
            raise self._wrong(event, "a key must be a word") from error

    def _wrong(self, event: Any, reason: str) -> ConfigError:
        return ConfigError(reason, Place(str(self._path), event.start_mark.line + 1, event.start_mark.column + 1))


@lru_cache(maxsize=4096)
def _scalar(tag: str | None, text: str, implicit: tuple[bool, bool]) -> Any:
    """Return what a scalar means by the safe types of YAML."""
    resolver: Any = Resolver()
    resolved = tag if tag not in (None, "!") else resolver.resolve(yaml.ScalarNode, text, implicit)
    return SafeConstructor().construct_object(yaml.ScalarNode(resolved, text))
