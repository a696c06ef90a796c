"""The elements that are installed, and all that they declare. Nothing in `scenario` knows one by name."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

from simwarden.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simwarden.operations.element import Element
    from simwarden.policy.decision import Control
    from simwarden.runtime.declare import Declaration, Demand, Model, Verb

T = TypeVar("T")
GROUP = "simwarden.elements"


@dataclass(frozen=True, slots=True)
class CardSection:
    """What one element kind wants in a section of a card; `by` are the words that choose it, empty if it is alone."""

    kind: str
    name: str
    model: type[Model]
    by: tuple[str, ...]


class Registry:
    """Element classes by kind."""

    def __init__(self, classes: Iterable[type[Element[Any]]]) -> None:
        self.kinds: dict[str, type[Element[Any]]] = {each.declaration.kind: each for each in classes}

    @staticmethod
    @cache
    def installed() -> Registry:
        """Load the elements of all installed packages, once a process. Raises ConfigError for one that cannot be."""
        classes = []
        with uncollected():
            for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
                try:
                    classes.append(point.load())
                except (ImportError, AttributeError) as error:
                    raise ConfigError(f"element {point.name} ({point.value}) cannot be loaded: {error}") from error
        return Registry(classes)

    def declaration(self, kind: str) -> Declaration:
        """Return what a kind declares."""
        return self.kinds[kind].declaration

    @cached_property
    def sections(self) -> Mapping[str, str]:
        """Scenario sections whose entries are instances (`devices`), with the kind of their entries."""
        found = ((each.declaration.instances, kind) for kind, each in self.kinds.items())
        return {section: kind for section, kind in found if section}

    @cached_property
    def verbs(self) -> Mapping[str, tuple[tuple[str, Verb], ...]]:
        """Verbs by name, with the kinds that have them."""
        return _grouped(
            (name, (kind, verb)) for kind, each in self.kinds.items() for name, verb in each.all_verbs().items()
        )

    def noun(self, kind: str) -> str:
        """Return what a file calls an instance of a kind: `card` for `uicc`, as its section is `cards`."""
        return next((section.removesuffix("s") for section, of in self.sections.items() if of == kind), kind)

    @cached_property
    def card_sections(self) -> Mapping[str, tuple[CardSection, ...]]:
        """Sections of a card by name, with what each kind wants there."""
        return _grouped(
            (name, CardSection(kind, name, model, literal_words(model, "by")))
            for kind, each in self.kinds.items()
            for name, model in each.declaration.card.items()
        )

    @cached_property
    def demands(self) -> tuple[Demand, ...]:
        """The rejections that protocols demand of elements, which no control decides."""
        return tuple(demand for each in self.kinds.values() for demand in each.declaration.demands)

    @cached_property
    def renamed(self) -> Mapping[str, str]:
        """What ids of controls and paths of settings were in the version before, with what they are now."""
        return {old: new for each in self.kinds.values() for old, new in each.declaration.renamed.items()}

    @cached_property
    def controls(self) -> Mapping[str, tuple[tuple[str, Control], ...]]:
        """Controls by id, with the kinds that enforce them."""
        return _grouped((each.id, (kind, each)) for kind in self.kinds for each in self.declaration(kind).controls)


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, tuple[T, ...]]:
    """Return all values of each name, in their order."""
    found: dict[str, tuple[T, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def literal_words(model: type[Model], name: str) -> tuple[str, ...]:
    """Return the words of a Literal field of a model; empty if it has no such field."""
    info = model.model_fields.get(name)
    if info is None or get_origin(info.annotation) is not Literal:
        return ()
    return tuple(str(word) for word in get_args(info.annotation))


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage in what is loaded within, nor later: there is none, and it takes a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
