"""What a run of one scenario gives: its verdict, its failures as records, and its trace. All of it can be pickled."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simwarden.errors import Place
from simwarden.scenario.case_reference import capture_name, join_reference
from simwarden.scenario.refusals import expects_refusal
from simwarden.scenario.secrets import hide_keys

if TYPE_CHECKING:
    from simwarden.scenario.document import Scenario
    from simwarden.trace.events import Event


class Verdict(enum.Enum):
    """How a scenario ended. The value is the word that reports print."""

    PASSED = "passed"
    FAILED = "failed"
    #: an expectation is about the inside of an element that is outside this process
    INCONCLUSIVE = "inconclusive"
    #: an internal error, or a run that hung
    ERROR = "error"


class Misuse(enum.Enum):
    """The end of a misuse that was not stopped as a scenario expects. The value is the phrase that reports print."""

    #: the scenario has the tag `leak`, and documents that the misuse is served
    KNOWN_LEAK = "known leak"
    #: a refusal was expected, and the trace shows that the misuse was served
    LEAKED = "leaked"
    #: a refusal was expected: another cause, control, message or outcome was seen, and no service
    NOT_AS_EXPECTED = "not refused as expected"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that was wanted and not got (or got though it should never happen).

    `subject` is what it is about, as in the file (`phone.attach`, `s6a.update-location-answer`, `decision`); `want` and
    `got` are one line each or a few; `event` is the number of the event in the trace that shows it, 0 if none.
    """

    subject: str
    want: str
    got: str
    place: Place = field(default_factory=lambda: Place(""))
    event: int = 0


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """Why a scenario did not pass.

    `element`, `control`, `clause` and `reason` tell of the decision that explains it, where there is one, with `kept`
    the time at which it was made if that was before; without a control `element` rejected what the protocol's `clause`
    demands. `links` tells of connections that could not be made, `ignored` of faulty messages that were not answered.
    `outside` names for each reference point of an external element the last refusal and message, `outside_ladder` has
    its messages. `ladder` holds the messages as lines of text, `around` what they are around (empty: they are the last
    ones); `rerun` is the command that runs this scenario alone.
    """

    place: Place
    step: str
    summary: str
    mismatches: tuple[Mismatch, ...] = ()
    element: str = ""
    control: str = ""
    clause: str = ""
    reason: str = ""
    kept: str = ""
    links: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    outside_ladder: tuple[str, ...] = ()
    ladder: tuple[str, ...] = ()
    around: str = ""
    rerun: str = ""
    #: the traceback of an internal error, else empty
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Met:
    """A condition that was met: `want` as the file has it, `got` what met it, in the step of that number (from 0).

    `event` is the number of the event that shows it, 0 if none does.
    """

    step: int
    line: int
    subject: str
    want: str
    got: str
    event: int = 0


@dataclass(frozen=True, slots=True)
class Stopped:
    """A misuse that a scenario tried, and that was stopped as it expects: by whom, with what, and what comes next.

    `told` is the cause as the side that tried it is told (`#8 EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED`), `message` the one
    that tells it, empty where no message carries a cause; `next` is what its receiver does upon it. `event` is the
    number of the decision.
    """

    element: str
    control: str
    requirement: str
    clause: str
    occasion: str
    reason: str
    told: str = ""
    message: str = ""
    next: str = ""
    event: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """One element of the run, for ladders: its name, kind and title, and its place between card (0) and core (100)."""

    name: str
    kind: str
    title: str
    order: int
    external: bool = False


@dataclass(slots=True)
class ScenarioResult:
    """All that a run of one scenario gives.

    `name` is unique among the scenarios of one command and fit for a file name; `events` is the trace in order;
    `seconds` is real time, `virtual` the time of the run's own clock.
    """

    name: str
    path: str
    title: str
    verdict: Verdict
    failure: FailureRecord | None = None
    proves: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    twin: str = ""
    about: str = ""
    #: which case of the file it was
    case: str = ""
    lanes: tuple[Lane, ...] = ()
    events: list[Event] = field(default_factory=list)
    seed: int = 0
    transport: str = "memory"
    clock: str = "virtual"
    seconds: float = 0.0
    virtual: float = 0.0
    #: steps carried out, and steps in the file
    steps_done: int = 0
    steps: int = 0
    #: whether the file expects a refusal
    expects_refusal: bool = False
    met: tuple[Met, ...] = ()
    stopped: tuple[Stopped, ...] = ()
    #: set if its misuse was not stopped as expected
    misuse: Misuse | None = None
    #: the moment at which it began, in seconds since 1970
    began: float = 0.0
    #: keys of cards and operators in the file, which no report shows
    keys: tuple[str, ...] = field(default=(), repr=False)

    @property
    def reference(self) -> str:
        """What names its case: `FILE`, or `FILE::case`."""
        return join_reference(self.path, self.case)

    @property
    def capture_name(self) -> str:
        """The file name of its capture in a report."""
        return capture_name(self.name)


def blank_result(scenario: Scenario, name: str, *, seed: int, transport: str, clock: str) -> ScenarioResult:
    """Return the result of a run that has not begun."""
    return ScenarioResult(
        name=name,
        path=scenario.path,
        case=scenario.case,
        title=hide_keys(scenario.title, scenario.keys),
        verdict=Verdict.PASSED,
        proves=scenario.proves,
        tags=scenario.tags,
        twin=scenario.twin,
        about=hide_keys(scenario.about, scenario.keys),
        lanes=_lanes_of(scenario),
        seed=seed,
        transport=transport,
        clock=clock,
        steps=len(scenario.steps),
        expects_refusal=expects_refusal(scenario),
        keys=scenario.keys,
    )


def _lanes_of(scenario: Scenario) -> tuple[Lane, ...]:
    """Return the lanes of a scenario's ladder, from the cards to the core."""
    found = []
    for name, each in scenario.instances.items():
        declaration = scenario.registry.declaration(each.kind)
        found.append(Lane(name, each.kind, declaration.title, declaration.lane, each.external is not None))
    return tuple(sorted(found, key=lambda lane: lane.order))
