"""What an element says of itself. Schema, `validate`, `explain`, lanes, provisioning and docs are assembled from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from simwarden.policy.decision import Control


class Model(BaseModel):
    """Base of all configuration: an unknown key is an error, values come as YAML strings and are coerced by field."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ElementConfig(Model):
    """Base of an element's settings, as written under its name in a network file, a scenario or a `serve` file."""

    @classmethod
    def identities(cls, given: Mapping[str, Any], number: int) -> Mapping[str, str]:
        """Return what other parts of a file may call an instance by (`meter.imei`), made up where it is not given.

        `given` is the instance's entry as written, `number` its place in its section, from 1. Identities that are
        settings as well become settings. By default there are none.
        """
        del given, number
        return {}


class VerbModel(Model):
    """Arguments of a verb.

    `power_on: meter` is short for the field named by `shorthand`; `target` names the field that says which element
    carries the verb out (empty: the one element of the verb's own kind).
    """

    shorthand: ClassVar[str] = ""
    target: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Marks a string field that names an instance of an element type (`Names("uicc")`); `validate` checks it."""

    kind: str


CardName = Annotated[str, Names("uicc")]
DeviceName = Annotated[str, Names("device")]


@dataclass(frozen=True, slots=True)
class Observable:
    """A fact about the element that expectations may name.

    A scalar's value is one of `values` (an enum's names) or free; a record's value is a mapping with `fields`, and
    there may be many, told apart by their key (mostly an IMSI).
    """

    name: str
    doc: str
    values: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def record(self) -> bool:
        """Whether its values are mappings kept by key."""
        return bool(self.fields)


@dataclass(frozen=True, slots=True)
class Declaration:
    """All that an element declares.

    `kind` is its name in files; `lane` orders ladders from the card (0) to the core (100); `config` are its settings.
    `instances` names the scenario section whose entries are instances of it (`devices`, `cards`); empty for network
    elements, of which the default network has one each unless `standing` is False. `starts_after` lists
    the kinds that must be ready first. `card` maps sections of a card (`binding`) to the model of what this element
    wants there; several elements may declare one section with models told apart by a Literal field `by`.
    """

    kind: str
    title: str
    lane: int
    config: type[ElementConfig]
    instances: str = ""
    standing: bool = True
    starts_after: tuple[str, ...] = ()
    listens: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    card: Mapping[str, type[Model]] = field(default_factory=dict)
    observables: tuple[Observable, ...] = ()
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True, slots=True)
class Verb:
    """Something a step can do: its name, its arguments, and the element's method that does it."""

    name: str
    arguments: type[VerbModel]
    method: str
    doc: str


V = TypeVar("V", bound=Callable[..., Awaitable[Any]])
_MARK = "_verb"


def verb(method: V) -> V:
    """Make an element's `async def name(self, arguments: SomeVerbModel) -> result` a verb called `name`.

    It returns when what it started is over (accepted, refused or given up), with the outcome in a word (`accepted`),
    which `expect: WORD` in the same step is compared with, or None. Raises ManagementError when it makes no sense.
    """
    setattr(method, _MARK, True)
    return method


def collect_verbs(cls: type) -> dict[str, Verb]:
    """All verbs of an element class by name."""
    verbs = {}
    for klass in reversed(cls.__mro__):
        for name, member in vars(klass).items():
            if getattr(member, _MARK, False):
                hints = get_type_hints(member)
                arguments = next(hint for key, hint in hints.items() if key != "return")
                verbs[name] = Verb(name, arguments, name, (member.__doc__ or "").strip())
    return verbs
