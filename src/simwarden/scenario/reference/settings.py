"""The settings of a model as rows: each with what it may be, its default and its meaning, those inside others too."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from simwarden.runtime.declare import Model, Names, Seconds, field_docs
from simwarden.scenario.match import show

if TYPE_CHECKING:
    from collections.abc import Iterator

#: what marks a field as a duration
_DURATION = get_args(Seconds)[1]
_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything"}
_BOUNDS = {"ge": "from {}", "gt": "more than {}", "le": "to {}", "lt": "less than {}"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    `path` leads to it from the top (`causes.barred`, `peers.NAME.relay`, `cells[].tac`); `values` says what it may be,
    with the unit of a duration; `default` is as a file would write it, empty where there is nothing to write.
    """

    path: str
    values: str
    default: str
    doc: str
    required: bool = False
    names: tuple[str, ...] = ()


def settings_of(model: type[BaseModel], above: str = "", given: BaseModel | None = None) -> Iterator[Setting]:
    """Yield the settings of a model in its order; `given` holds the defaults where they are not the model's own."""
    docs = field_docs(model)
    for name, info in model.model_fields.items():
        value = info.get_default(call_default_factory=True) if given is None else getattr(given, name)
        inner, step = _inside(info.annotation)
        path = above + name
        yield Setting(
            path,
            _values(info.annotation, tuple(info.metadata)),
            "" if info.is_required() else _default(value, duration=_DURATION in info.metadata),
            " ".join((docs[name] or _about(inner)).split()),
            info.is_required(),
            tuple(mark.kind for mark in info.metadata if isinstance(mark, Names)),
        )
        if inner is not None:
            yield from settings_of(inner, f"{path}{step}.", value if isinstance(value, inner) else None)


def fields_of(model: type[BaseModel]) -> Iterator[str]:
    """Yield the names of all settings of a model, those inside others too: at once, for docstrings stay unread."""
    for name, info in model.model_fields.items():
        yield name
        inner, _ = _inside(info.annotation)
        if inner is not None:
            yield from fields_of(inner)


def _about(inner: type[Model] | None) -> str:
    """Return what the model inside a setting says of itself, for a setting that says nothing more."""
    return (inner.__doc__ or "").strip() if inner is not None else ""


def _inside(annotation: Any) -> tuple[type[Model] | None, str]:
    """Return the model that a setting holds, and how a path goes into it: by a name, by place, or at once."""
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation, ""
    origin, inner = get_origin(annotation), [_bare(each) for each in get_args(annotation)]
    found = next((each for each in inner if isinstance(each, type) and issubclass(each, Model)), None)
    if found is None:
        return None, ""
    return found, ".NAME" if origin is dict else "[]" if origin in (tuple, list) else ""


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _values(annotation: Any, marks: tuple[Any, ...] = ()) -> str:
    if get_origin(annotation) is Annotated:
        annotation, *inner = get_args(annotation)
        return _values(annotation, (*inner, *marks))
    if _DURATION in marks:
        return "duration"
    return _bounded(_words(annotation), marks)


def _words(annotation: Any) -> str:  # noqa: PLR0911 - one return a type
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{word}`" if word else "nothing" for word in map(str, inner))
    if origin in (Union, UnionType):
        return " or ".join("nothing" if each is NoneType else _values(each) for each in inner)
    if origin in (tuple, list):
        return f"list of: {_values(inner[0])}"
    if origin is dict:
        return f"by name: {_values(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, enum.IntEnum):
        return f"{annotation.__name__}, by name or number"
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return " or ".join(f"`{each.value}`" for each in annotation)
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return "keys below"
    return _PLAIN.get(annotation) or str(getattr(annotation, "__name__", annotation)).upper()


def _bounded(words: str, marks: tuple[Any, ...]) -> str:
    """Add the bounds of a number or a length to the words for it."""
    marks = tuple(part for mark in marks for part in getattr(mark, "metadata", (mark,)))
    found = [(text, getattr(mark, key, None)) for mark in marks for key, text in _BOUNDS.items()]
    said = [text.format(bound) for text, bound in found if bound is not None]
    least = [f"at least {mark.min_length}" for mark in marks if getattr(mark, "min_length", None)]
    return ", ".join(part for part in (words, " ".join(dict.fromkeys(said)), *least) if part)


def _default(value: Any, *, duration: bool) -> str:
    if isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value in ("", (), [], {}):
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, enum.Enum):
        return f"{value:.15g}" + (" s" if duration else "")
    return show(_plain(value))


def _plain(value: Any) -> Any:
    """Return a default as a file would hold it: of a model inside only what is not its own default."""
    if isinstance(value, BaseModel):
        return {key: _plain(getattr(value, key)) for key in value.model_dump(exclude_defaults=True)}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, (int, float)) else _text(value)


def _text(value: Any) -> Any:
    return value if isinstance(value, enum.Enum) else str(value)
