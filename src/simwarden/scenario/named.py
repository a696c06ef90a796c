"""Names of elements in settings: each is one that is there, or a node beyond the network, whose name has a dot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from simwarden.runtime.declare import Names
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simwarden.scenario.network import Instance
    from simwarden.scenario.problems import Problems
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.yamlfile import Path, Spot

#: values of a setting that name nobody
_NOBODY = ("", "off")
_ANY_KIND = "element"


def check_names(
    instance: Instance, spot: Spot, instances: Mapping[str, Instance], problems: Problems, registry: Registry
) -> None:
    """Note each name in the settings of an instance, as they are given at a place, that nothing in the network has."""
    for way, kind, name in _named(instance.config):
        known = [each for each, it in instances.items() if kind == _ANY_KIND or _stands_for(registry, it.kind, kind)]
        if name not in known and name not in _NOBODY and "." not in name:
            what = f"no {registry.noun(kind)} is called {name!r}"
            problems.nobody(name, what, spot.join(way).place, guess(name, known))


def names_in(instance: Instance) -> frozenset[str]:
    """Return the elements that the settings of an instance name."""
    return frozenset(name for _, _, name in _named(instance.config))


def _stands_for(registry: Registry, kind: str, wanted: str) -> bool:
    """Whether elements of a kind are of another one to their peers: somebody's own MME is an MME on S11."""
    if kind == wanted or wanted not in registry.kinds:
        return kind == wanted
    own, other = registry.declaration(kind), registry.declaration(wanted)
    return not {*own.listens}.isdisjoint(other.listens) or not {*own.calls}.isdisjoint(other.calls)


def _named(model: BaseModel, way: Path = ()) -> Iterator[tuple[Path, str, str]]:
    """Yield the names of elements that a model was given, with their place in it and the kind that they should have."""
    for field in sorted(model.model_fields_set):
        info = type(model).model_fields[field]
        marks = tuple(each for each in info.metadata if isinstance(each, Names))
        yield from _in_value(info.annotation, marks, getattr(model, field), (*way, info.alias or field))


def _in_value(kind: Any, marks: tuple[Names, ...], value: Any, way: Path) -> Iterator[tuple[Path, str, str]]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        marks += tuple(each for each in arguments[1:] if isinstance(each, Names))
        yield from _in_value(arguments[0], marks, value, way)
    elif isinstance(value, BaseModel):
        yield from _named(value, way)
    elif isinstance(value, str):
        yield from ((way, each.kind, value) for each in marks)
    elif isinstance(value, (list, tuple)) and arguments:
        for index, each in enumerate(value):
            yield from _in_value(arguments[0], (), each, (*way, index))
    elif isinstance(value, dict) and arguments:
        for key, each in value.items():
            yield from _in_value(arguments[0], (), key, (*way, key))
            yield from _in_value(arguments[1], (), each, (*way, key))
