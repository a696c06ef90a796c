"""What an element says of itself. Schema, `validate`, `explain`, lanes, provisioning and docs are assembled from it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, get_type_hints

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from simwarden.model.address import IPV4, IPV6, PORT, as_network, split_port
from simwarden.model.identity import Plmn, parse_place
from simwarden.model.units import seconds
from simwarden.model.values import TEXT

if TYPE_CHECKING:
    from enum import Enum, IntEnum

    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

    from simwarden.model.values import Values
    from simwarden.policy.decision import Control


class Model(BaseModel):
    """Base of all configuration: an unknown key is an error, values come as YAML strings and are coerced by field.

    A field's docstring below it tells what it means (see `field_docs`). Validators are built when a model is first
    used: a run needs few of all that are declared.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler.resolve_ref_schema(handler(schema))
        for name, text in field_docs(cls).items():
            if text:
                found["properties"][name].setdefault("description", text)
        return found


@cache
def field_docs(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the docstring of each field of a model, empty where there is none.

    They are read from the source when somebody asks; pydantic's own way reads them at each start.
    """
    found = dict.fromkeys(model.model_fields, "")
    for klass in reversed(model.__mro__):
        if issubclass(klass, Model) and klass is not Model:
            found |= {name: text for name, text in _docs_in(klass) if name in found}
    return found


@cache
def member_docs(members: type[Enum]) -> Mapping[str, str]:
    """Return the docstring of each member of an enumeration, empty where there is none, read from the source."""
    return dict.fromkeys(members.__members__, "") | dict(_docs_in(members))


def _docs_in(klass: type[Model | Enum]) -> Iterator[tuple[str, str]]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(klass))).body[0]
    assert isinstance(tree, ast.ClassDef)  # noqa: S101 - it is the source of a class
    for above, below in pairwise(tree.body):
        if (
            isinstance(above, (ast.AnnAssign, ast.Assign))
            and isinstance(name := above.target if isinstance(above, ast.AnnAssign) else above.targets[0], ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            yield name.id, inspect.cleandoc(below.value.value)


class ElementConfig(Model):
    """Base of an element's settings, as written under its name in a network file, a scenario or a `serve` file."""

    @classmethod
    def identities(cls, _given: Mapping[str, Any], _number: int) -> Mapping[str, str]:
        """Return what other parts of a file may call an instance by (`meter.imei`), made up where it is not given.

        `given` is the instance's entry as written, `number` its place in its section, from 1. Identities that are
        settings as well become settings. By default there are none.
        """
        return {}

    def parts(self, _name: str) -> Mapping[str, str]:
        """Return the parts of the instance `name` that have identities: `NAME/PART` is short for one (`enb/1`)."""
        return {}

    def places(self, _name: str) -> Collection[str]:
        """Return the cells, base stations and tracking areas that the instance `name` brings into the network."""
        return ()

    def apns_of(self, _card: Mapping[str, Any]) -> Collection[str]:
        """Return the APNs of a card, as its entry is written, in an element that has subscriptions; else none."""
        return ()

    def asks(self, _name: str, _apns: Collection[str]) -> bool:
        """Return True if an element of these settings, which name the element `name`, asks it about a card.

        `apns` are those of the card; empty if they are not known.
        """
        return True

    def refuses(self, section: str, *, asked: bool) -> str:
        """Return why nothing that a card says in a section would hold in an element of these settings; empty: it would.

        `asked`: another element, whose settings name this one, asks it about the card.
        """
        del section, asked
        return ""


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


def _duration(value: Any) -> Any:
    return seconds(value) if isinstance(value, str) else value


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
        raise ValueError(f"a whole number is expected, not {value!r}")
    return value


#: a number that files write in digits only: pydantic alone takes `+5`, `5_0` and `5.0` too
Digits = Annotated[int, BeforeValidator(_digits)]
#: a duration as people write it (`15 s`, `90 days`), in seconds
Seconds = Annotated[float, BeforeValidator(_duration), Field(ge=0)]
#: hours by which local time is ahead of UTC, in quarters of an hour (TS 23.040 9.2.3.11)
UtcOffset = Annotated[float, Field(ge=-12, le=14, multiple_of=0.25)]


def no_entry(value: object) -> object:
    """Read an entry of which a file gives the name only (`BeforeValidator`)."""
    return {} if value == "" else value


def _formed(pattern: str) -> Any:
    """Return what tells editors and callers of a form that a validator checks; the text may be empty."""
    return Field(json_schema_extra={"pattern": f"^({pattern})?$"})


def _as_hexadecimal(value: str) -> str:
    try:
        return bytes.fromhex(value).hex()
    except ValueError:
        raise ValueError(f"expected octets in hexadecimal digits, two each, got {value!r}") from None


def _as_place(value: str) -> str:
    split_port(value, 0)
    return value


_PLMN = r"\d{3}-?\d{2,3}"
PLMN_FORM = f"^{_PLMN}$"
IpText = Annotated[str, _formed(f"{IPV4}|{IPV6}")]
IpNetworkText = Annotated[str, _formed(rf"{IPV4}(/([0-2]?\d|3[0-2]))?|{IPV6}(/\d{{1,3}})?")]
#: addresses and networks (`192.0.2.0/24`), each as a network
Networks = tuple[Annotated[IpNetworkText, AfterValidator(as_network)], ...]
IpAddress = Annotated[IpText, AfterValidator(lambda value: str(ip_address(value)))]
#: an address or a network; empty: none
OptionalNetwork = Annotated[str, AfterValidator(lambda value: value and as_network(value))]
IpPlaceText = Annotated[str, _formed(rf"{IPV4}(:{PORT})?|{IPV6}|\[{IPV6}\]:{PORT}")]
#: an IP address, with or without a port
IpPlace = Annotated[IpPlaceText, AfterValidator(_as_place)]
PlmnText = Annotated[str, _formed(_PLMN), AfterValidator(lambda value: str(Plmn.parse(value)))]
#: an E-CGI or the identity of a base station; or by name, which the file's network knows (`enb/1`, `enb/*`)
CellText = Annotated[
    str,
    _formed(rf"{_PLMN}-([0-9A-Fa-f]{{5}}|[0-9A-Fa-f]{{7}})|[A-Za-z][\w-]*/(\w+|\*)"),
    AfterValidator(parse_place),
]
#: octets in hexadecimal digits; blanks may stand between them
AS_HEXADECIMAL = AfterValidator(_as_hexadecimal)
Hexadecimal = Annotated[str, AS_HEXADECIMAL]
CardName = Annotated[str, Names("uicc")]
DeviceName = Annotated[str, Names("device")]


#: of an observable that tells history alone
HISTORY = ("*",)


@dataclass(frozen=True, slots=True)
class Observable:
    """A fact about the element that expectations may name.

    A scalar's value is one of `values`, or none; a record's value is a mapping with `fields`, each with its values, and
    there may be many, told apart by their key (mostly an IMSI).
    """

    name: str
    doc: str
    values: Values = TEXT
    fields: Mapping[str, Values] = field(default_factory=dict)
    #: fields that tell how it came about, not what is in force: two runs that end alike may differ in them
    passing: tuple[str, ...] = ()
    #: the field by which it says that somebody is being served, unless its value is nothing or 0
    serving: str = ""
    #: whether it is still so when the element has stopped or lost its power: it is in its store, or no matter of power
    kept: bool = False
    #: set if it records a decision, and so is the same if the refusal is not enforced: the `decision` itself, or a
    #: `record` for the operator
    evidence: Literal["", "decision", "record"] = ""

    @property
    def record(self) -> bool:
        """Whether its values are mappings kept by key."""
        return bool(self.fields)


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event that an element tells an operator's systems: its type, what it means, and what its data hold."""

    #: every kind that was declared in this process
    all: ClassVar[list[EventKind]] = []

    type: str
    doc: str
    data: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.all.append(self)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What the element does next when a message brings it a cause, and the clause that demands it.

    `message` is named as in expectations (`attach-reject`); `cause` None: any that is not listed, and none at all.
    """

    message: str
    cause: IntEnum | None
    doc: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Demand(Consequence):
    """A rejection that the protocol itself demands of the element, which no control decides: when, and by which clause.

    `message` is named as in expectations (`tracking-area-update-reject`); `cause` is what it, or a message in it, says,
    None where it has room for none.
    """


@dataclass(frozen=True, slots=True)
class TimerKind:
    """A timer by the name of its specification: its value in words, what it is for, and the clause that says so."""

    name: str
    value: str
    doc: str
    clause: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """All that an element declares.

    `kind` is its name in files; `lane` orders ladders from the card (0) to the core (100); `config` are its settings.
    `instances` names the scenario section whose entries are instances of it (`devices`, `cards`); empty for network
    elements, of which the default network has one each unless `standing` is False. `starts_after` lists
    the kinds that must be ready first. `card` maps sections of a card (`binding`) to the model of what this element
    wants there; several elements may declare one section with models told apart by a Literal field `by`. `keys`: it
    needs a card's K and OPc, which nobody else is sent.
    `events` are what it tells the operator's systems; without any it has no outbox. `consequences` are what it does on
    causes that messages bring it, `timers` those of its specification that it keeps to, `demands` what it rejects
    because the protocol says so. `records` are the types of CDR that it closes (`pGWRecord`), with `flow` where it
    tells flow records.
    `services` are its settings in a network that a file gives a service by name (`services: voice`).
    `renamed` are words of the version before with those of now: ids of controls, settings by their path.
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
    keys: bool = False
    observables: tuple[Observable, ...] = ()
    controls: tuple[Control, ...] = ()
    events: tuple[EventKind, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    timers: tuple[TimerKind, ...] = ()
    demands: tuple[Demand, ...] = ()
    records: tuple[str, ...] = ()
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verb:
    """Something a step can do: the name of the method, its arguments, how it may end; `part` as of a Route."""

    name: str
    arguments: type[VerbModel]
    doc: str
    outcomes: tuple[str, ...] = ()
    part: type[Any] | None = None


V = TypeVar("V", bound=Callable[..., Awaitable[Any]])
_MARK = "_verb"


def verb(*outcomes: str) -> Callable[[V], V]:
    """Make an element's `async def name(self, arguments: SomeVerbModel) -> result` a verb called `name`.

    It returns when what it started is over (accepted, refused or given up), with the outcome in a word (`accepted`),
    which `expect: WORD` in the same step is compared with, or None. Raises ManagementError when it makes no sense.
    `outcomes` are all the words that it may return; none: it may be any word.
    """

    def mark(method: V) -> V:
        setattr(method, _MARK, outcomes)
        return method

    return mark


def collect_verbs(cls: type, part: type[Any] | None = None) -> dict[str, Verb]:
    """All verbs of an element class, or of a part of one, by name."""
    verbs = {}
    for klass in reversed(cls.__mro__):
        for name, member in vars(klass).items():
            outcomes = getattr(member, _MARK, None)
            if outcomes is not None:
                hints = get_type_hints(member)
                arguments = next(hint for key, hint in hints.items() if key != "return")
                verbs[name] = Verb(name, arguments, (member.__doc__ or "").strip(), outcomes, part)
    return verbs
