"""What became of a misuse, read from the trace of its run: who was in service when, and which control refused it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwarden.scenario.document import FactWanted
from simwarden.scenario.failure import last_rows
from simwarden.scenario.judge import Judge
from simwarden.trace.events import Decided, StateChange, StepMark
from simwarden.trace.rows import Kind, clause_of, reason_of, rows_of
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.campaign.matrix.story import Story
    from simwarden.scenario.document import Expectation
    from simwarden.scenario.result import ScenarioResult
    from simwarden.trace.events import Event
    from simwarden.trace.rows import Row

#: seconds within which what a terminal is told counts as told because of a decision
_WINDOW = 60.0
#: seconds within which refusals belong to one contact
_ONE_CONTACT = 1.0


class State(enum.Enum):
    """The outcome of a service: its name in records, its word in a table (empty: who blocked it) and its tone."""

    #: a control refused, and the user was never in service
    BLOCKED = "blocked", "", "good"
    #: the user was in service for a time, until a control ended it
    DELAYED = "leaked, then blocked", "", "open"
    LEAKED = "leaked", "LEAK", "bad"
    #: nothing behind it: the attach is refused already
    NO_ATTACH = "no attach", "-", "good"
    #: an element is missing, or a probe
    NOT_BUILT = "not built", "n/b", "none"
    #: not in service, though no control refused: a fault of an element or of the story
    UNEXPLAINED = "unexplained", "??", "open"
    #: the story did not get to the misuse, or broke in it
    BROKEN = "broken", "broken", "open"

    def __init__(self, title: str, word: str, tone: str) -> None:
        self.title, self.word, self.tone = title, word, tone


@dataclass(frozen=True, slots=True)
class Refusal:
    """A control that refused, and what was told of it on the wire.

    `kind` is the kind of the element, `cause` the cause in words and `interface` where it was told (both empty where
    nothing was), `after` the seconds from the beginning of the misuse. `number` is that of the decision in the trace,
    `told` that of the message.
    """

    kind: str
    element: str
    control: str
    clause: str
    reason: str
    cause: str = ""
    interface: str = ""
    after: float = 0.0
    number: int = 0
    told: int = 0

    @property
    def point(self) -> str:
        """The point of enforcement, `KIND/ID`."""
        return f"{self.kind}/{self.control}"


@dataclass(frozen=True, slots=True)
class ServiceOutcome:
    """What became of one service.

    `refusals` are the controls that refused, the one that decided first; `leaked` is how long the user was in service,
    in seconds; `missing` what is not built, or why the story broke; `ladder` the last messages.
    """

    state: State
    refusals: tuple[Refusal, ...] = ()
    leaked: float = 0.0
    missing: str = ""
    ladder: tuple[str, ...] = ()


def judge(story: Story, result: ScenarioResult, *, drawn: bool = True) -> ServiceOutcome:
    """Judge a run by its trace alone. `drawn` says whether anybody looks at the ladder."""
    start = _number_of_step(result.events, story.before)
    if start is None or result.steps_done < story.after:
        return ServiceOutcome(State.BROKEN, missing=_why(result))
    spans = list(_spans(story.foothold, result.events, start))
    leaked = sum(end.time - begin.time for begin, end in spans)
    in_service = bool(spans) and spans[-1][1] is result.events[-1]
    if result.failure is not None and not in_service:
        return ServiceOutcome(State.BROKEN, missing=_why(result))
    rows = rows_of(result.events) if drawn or not in_service else []
    if in_service and len(spans) == 1:
        return ServiceOutcome(State.LEAKED, leaked=leaked, ladder=_ladder(result, rows, spans[0][0].number))
    refused = _refusals(story, result, rows, start)
    if in_service:
        return ServiceOutcome(State.LEAKED, _once(refused), leaked)
    if not refused:
        return ServiceOutcome(State.UNEXPLAINED, leaked=leaked, ladder=_ladder(result, rows, result.events[-1].number))
    # what was refused before a service was tried has let the user in all the same
    probed = result.events[_number_of_step(result.events, story.probed) or start].number
    late = [each for each in refused if each.number > probed]
    deciding = _deciding(late or refused, spans[-1][1].number if spans else 0)
    state = State.DELAYED if spans else State.BLOCKED
    ladder = _ladder(result, rows, deciding.told or deciding.number)
    return ServiceOutcome(state, _once([deciding, *refused]), leaked, ladder=ladder)


def _deciding(refused: Sequence[Refusal], lost: int) -> Refusal:
    """Return the refusal by which the user lost service: the first of those given in answer to its last contact."""
    before = [each for each in refused if each.number <= lost]
    if not before:
        return refused[0]
    return next(each for each in refused if each.after >= before[-1].after - _ONE_CONTACT)


def _once(refused: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """Return the first refusal of each control of each element."""
    found: dict[tuple[str, str], Refusal] = {}
    for each in refused:
        found.setdefault((each.element, each.control), each)
    return tuple(found.values())


def _why(result: ScenarioResult) -> str:
    failure = result.failure
    return f"{failure.place}: {failure.summary}" if failure else "the story did not come to its end"


def _number_of_step(events: Sequence[Event], index: int) -> int | None:
    """Return the position of the event that begins a step."""
    return next((n for n, each in enumerate(events) if isinstance(each, StepMark) and each.index == index), None)


def _spans(foothold: Expectation, events: Sequence[Event], start: int) -> Iterator[tuple[Event, Event]]:
    """Yield the events at which the user came into service and lost it, from the beginning of the misuse on."""
    about = {(each.element, each.observable) for each in foothold.conditions if isinstance(each, FactWanted)}
    trace = Trace(lambda: 0.0, keep=False)
    judging = Judge(trace, {})
    begin: Event | None = None
    for position, event in enumerate(events):
        trace.replay(event)
        changed = isinstance(event, StateChange) and (event.element, event.observable) in about
        if position < start or not (changed or position == start):
            continue
        held = not judging.unmet(foothold, 0, None)
        if held and begin is None:
            begin = event
        elif not held and begin is not None:
            yield begin, event
            begin = None
    if begin is not None:
        yield begin, events[-1]


def _refusals(story: Story, result: ScenarioResult, rows: Sequence[Row], start: int) -> list[Refusal]:
    """Return all refusals since the misuse began, in their order."""
    kinds = {name: each.kind for name, each in story.scenario.instances.items()}
    began = result.events[start].time
    refused = [each for each in result.events[start:] if isinstance(each, Decided) and not each.decision.admitted]
    causes = [each for each in rows if each.kind is Kind.MESSAGE and each.cause]
    return [_refusal(each, kinds, _told_by(causes, each, story.user), began) for each in refused]


def _refusal(event: Decided, kinds: Mapping[str, str], told: Row | None, began: float) -> Refusal:
    control = event.decision.control
    return Refusal(
        kind=kinds.get(event.element, event.element),
        element=event.element,
        control=control.id,
        clause=clause_of(control),
        reason=reason_of(event),
        cause=told.cause if told else "",
        interface=told.interface if told else "",
        after=event.time - began,
        number=event.number,
        told=told.number if told else 0,
    )


def _told_by(causes: Sequence[Row], event: Decided, user: str) -> Row | None:
    """Return the message that told the user of a decision; else the first that carried a cause because of it."""
    later = [row for row in causes if row.number > event.number and row.time <= event.time + _WINDOW]
    return next((row for row in later if row.target == user), later[0] if later else None)


def _ladder(result: ScenarioResult, rows: Sequence[Row], until: int) -> tuple[str, ...]:
    """Draw the last messages up to an event."""
    shown = [each for each in rows if each.number <= until]
    return last_rows(shown, {lane.name: lane.order for lane in result.lanes})
