"""A scenario as read and checked: what the runner carries out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from simwarden.scenario.case_reference import join_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.errors import Place
    from simwarden.policy.decision import Verdict
    from simwarden.scenario.identities import Card
    from simwarden.scenario.network import Instance
    from simwarden.scenario.registry import Registry


@dataclass(frozen=True, slots=True)
class Call:
    """A verb of an element: who carries it out, and with which arguments."""

    element: str
    verb: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Power:
    """Stop, start, restart or kill an element, or mend one that fails; `verb` is the word."""

    element: str
    verb: str


@dataclass(frozen=True, slots=True)
class Fail:
    """Let an element be connected and not serve: answer each request with an error, or (0) with silence.

    With `after` it serves, but takes each request up so many seconds late; with `database` it serves without its
    database, which does not answer.
    """

    element: str
    answer: int
    after: float = 0.0
    database: bool = False


@dataclass(frozen=True, slots=True)
class Manage:
    """A management call in the name of a role."""

    element: str
    role: str
    method: str
    path: str
    body: Mapping[str, Any]
    caller: str = ""
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Together:
    """Several actions begun at the same moment, or evenly spread `over` seconds; over when all are."""

    actions: tuple[Action, ...]
    over: float = 0.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Actions that go on beside the steps after them: each once in `every` seconds, evenly spread `over` so many.

    They end after `lasting` seconds, or with the story.
    """

    actions: tuple[Action, ...]
    every: float
    over: float
    lasting: float | None = None


@dataclass(frozen=True, slots=True)
class Mishap:
    """What becomes of a frame on its way; `what` is one of the words of `during`, `seconds` how long it takes.

    `fields` are those that its message has instead of its own.
    """

    what: str
    seconds: float = 0.0
    message: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict, hash=False)
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class During:
    """What is put in before the `nth` frame of a step with some message: actions one after another, or a mishap."""

    place: Place
    interface: str
    message: str
    nth: int
    do: tuple[Action, ...] | Mishap


#: how a call of an element ends that does not run
NO_ANSWER = "no-answer"
Action: TypeAlias = "Call | Wait | Power | Fail | Manage | Together | Rhythm"


@dataclass(frozen=True, slots=True)
class FactWanted:
    """An observable of an element has a value, or holds records with certain values.

    `want` None: it holds none. `times` is how many there are; None: at least one.
    """

    place: Place
    element: str
    observable: str
    record: bool
    want: Any
    times: int | None = None

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"{self.element}.{self.observable}"


@dataclass(frozen=True, slots=True)
class MessageWanted:
    """A message of that name on an interface, with certain fields."""

    place: Place
    interface: str
    message: str
    fields: Mapping[str, Any]
    #: how many there are in the phase; None: at least one
    times: int | None = None

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"{self.interface.lower()}.{self.message}"


@dataclass(frozen=True, slots=True)
class EventWanted:
    """An element answered a management call, closed a CDR or told a flow in the phase, with certain fields.

    `fields` None: there is none in the phase. `times` is how many there are; None: at least one. Where what it holds is
    declared nowhere (`declared`), a field that is not there is not none.
    """

    place: Place
    element: str
    kind: str
    fields: Mapping[str, Any] | None
    times: int | None = None
    declared: bool = True

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"{self.element}.{self.kind}"


@dataclass(frozen=True, slots=True)
class DecisionWanted:
    """A decision by an element's control; what is empty or None is not asked for."""

    subject: ClassVar = "decision"
    place: Place
    by: str
    control: str
    verdict: Verdict
    subject_id: str = ""
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    occasion: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeWanted:
    """The verb of the same step came to this outcome."""

    subject: ClassVar = "outcome"
    place: Place
    word: str


Condition: TypeAlias = "FactWanted | MessageWanted | EventWanted | DecisionWanted | OutcomeWanted"


@dataclass(frozen=True, slots=True)
class Expectation:
    """Conditions that must all hold within a time, or (`never`) none of which may have happened in the phase."""

    place: Place
    conditions: tuple[Condition, ...]
    never: bool = False
    within: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step: at most one action, and what is judged after it. `facts` is the action as written, for twins."""

    index: int
    place: Place
    text: str
    action: Action | None
    facts: Mapping[str, Any]
    expectations: tuple[Expectation, ...] = ()
    #: what twins and measurements call it
    name: str = ""
    during: tuple[During, ...] = ()

    @property
    def conditions(self) -> list[tuple[Condition, bool]]:
        """All conditions of the step, each with whether it is one of `never`."""
        return [(each, expectation.never) for expectation in self.expectations for each in expectation.conditions]

    @property
    def expected(self) -> list[Condition]:
        """What the step expects, without what should never be."""
        return [each for each, never in self.conditions if not never]


@dataclass(slots=True)
class Scenario:
    """A case of a scenario file, checked; `twin` is a reference as well."""

    path: str
    title: str
    registry: Registry
    instances: dict[str, Instance]
    cards: dict[str, Card]
    steps: list[Step]
    proves: tuple[str, ...] = ()
    twin: str = ""
    tags: tuple[str, ...] = ()
    about: str = ""
    seed: int | None = None
    clock: str = ""
    keep_alives: bool = False
    #: what carries frames, if a file says so: all of them, and those of single interfaces
    transport: str = ""
    carriers: Mapping[str, str] = field(default_factory=dict)
    #: hours by which the operator's time is ahead of UTC; None if no file sets them
    utc_offset: float | None = None
    #: where each of the requirements that it proves stands
    claimed: tuple[Place, ...] = ()
    #: sections as written (network, cards, devices), for twins
    facts: dict[str, Any] = field(default_factory=dict)
    #: K, OPc and OP in the file and in its network, which no report shows
    keys: tuple[str, ...] = field(default=(), repr=False)
    #: lines of the top-level keys
    lines: dict[str, int] = field(default_factory=dict)
    #: the members of names that stand for several instances
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: which case of the file it is
    case: str = ""

    @property
    def reference(self) -> str:
        """What names it: `FILE`, or `FILE::case`."""
        return join_reference(self.path, self.case)

    @property
    def external(self) -> dict[str, Instance]:
        """Elements outside this process, by name."""
        return {name: each for name, each in self.instances.items() if each.external is not None}

    def beyond(self, interface: str) -> list[str]:
        """Return the elements outside this process that speak on an interface."""
        declared = {name: self.registry.declaration(each.kind) for name, each in self.external.items()}
        return [name for name, each in declared.items() if interface in (*each.listens, *each.calls)]

    @property
    def watched(self) -> set[tuple[str, str]]:
        """The facts that some `never` names, by element and observable."""
        return {
            (each.element, each.observable)
            for step in self.steps
            for each, never in step.conditions
            if never and isinstance(each, FactWanted)
        }

    @property
    def unseen(self) -> dict[str, str]:
        """Interfaces that only elements outside this process speak, with one of these."""
        ours: set[str] = set()
        theirs: dict[str, str] = {}
        for name, each in self.instances.items():
            declaration = self.registry.declaration(each.kind)
            for interface in (*declaration.listens, *declaration.calls):
                if each.external is None:
                    ours.add(interface)
                else:
                    theirs.setdefault(interface, name)
        return {interface: name for interface, name in theirs.items() if interface not in ours}
