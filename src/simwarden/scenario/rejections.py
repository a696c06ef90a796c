"""Rejections in a phase, whatever follows them in it: who decided them, and whether the scenario says so.

A rejection is a control's refusal, or the protocol itself demands it (a tracking area update after the MME lost its
context); the element that rejects says which, in a `Rejected` event. What a control decided needs no word in the file;
where a file does speak of it, by a state, a cause, a record or a message, it names the decision too.
What the protocol demands is expected, by state or message and cause, or it is a mismatch like any other. A rejection by
policy with no refusal of a control behind it is an internal error. What an element outside this process decides, or one
that a step lets answer with an error, cannot be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from simwarden.policy.decision import Verdict as Judgement
from simwarden.scenario.document import (
    Call,
    DecisionWanted,
    FactWanted,
    Fail,
    MessageWanted,
    OutcomeWanted,
    Together,
)
from simwarden.scenario.match import matches, show
from simwarden.scenario.problems import plain
from simwarden.scenario.refusals import causes_like, expected_in, tells_refusal
from simwarden.scenario.result import Mismatch, Verdict
from simwarden.trace.dissect import carried
from simwarden.trace.events import Decided, Frame, Rejected, StateChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.scenario.document import Action, Condition, Scenario, Step
    from simwarden.trace.events import Event

#: seconds that a message takes at most from the element that rejects to the device
_TRANSIT: Final = 5.0


@dataclass(slots=True)
class Phase:
    """A phase of a run: the number of the last event before it, and the steps in it."""

    start: int
    steps: list[Step] = field(default_factory=list)

    def conditions(self) -> list[tuple[Step, Condition]]:
        """Return what is expected in it, with the step that does."""
        return expected_in(self.steps)


@dataclass(frozen=True, slots=True)
class Finding:
    """A rejection that cannot stand as it is, and the phase that it is in."""

    phase: Phase
    summary: str
    verdict: Verdict
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """Why a device was rejected: the element that sent the rejection, and what it said of it (None: nothing)."""

    sender: str = ""
    said: Rejected | None = None


def check_rejections(scenario: Scenario, events: Sequence[Event], phases: Sequence[Phase]) -> Finding | None:
    """Return the first rejection that nothing explains, or that a scenario does not speak of though it must."""
    ends = [each.start for each in phases[1:]]
    for phase, end in zip(phases, [*ends, len(events)], strict=True):
        for event in events[phase.start : end]:
            if isinstance(event, StateChange) and event.key is None and event.value == "rejected":
                finding = _judge(scenario, events, phase, event)
                if finding is not None:
                    return finding
    return None


def _wanted(phase: Phase, state: StateChange) -> Iterator[FactWanted | OutcomeWanted]:
    """Yield the expectations that a device is in this state, or that its step ends so."""
    for step, each in phase.conditions():
        if isinstance(each, OutcomeWanted):
            if plain(each.word) == "rejected" and _acts(step.action, state.element):
                yield each
        elif (
            isinstance(each, FactWanted)
            and (each.element, each.observable) == (state.element, state.observable)
            and matches(each.want, state.value)
        ):
            yield each


def why_rejected(events: Sequence[Event], state: StateChange) -> Why:
    """Return why a device was rejected; `events` is the trace from its beginning."""
    message = _set_out(events, state)
    if message is None:
        return Why()
    for event in reversed(events[: message.number - 1]):
        if isinstance(event, Frame) and event.source == message.source:
            break
        if isinstance(event, Rejected) and event.element == message.source:
            return Why(message.source, event)
    return Why(message.source)


def _set_out(events: Sequence[Event], state: StateChange) -> Frame | None:
    """Return the frame in which the NAS message that rejected a device set out, hop by hop back from the device."""
    found, pdu, holder = None, b"", state.element
    for event in reversed(events[: state.number - 1]):
        if event.time < state.time - _TRANSIT:
            break
        if not isinstance(event, Frame) or event.target != holder or pdu not in event.data:
            continue
        inside = [octets for _, octets in carried(event)]
        if inside and (not pdu or pdu in inside):
            found, pdu, holder = event, pdu or inside[-1], event.source
    return found


def _judge(scenario: Scenario, events: Sequence[Event], phase: Phase, state: StateChange) -> Finding | None:
    why = why_rejected(events, state)
    about = f"{state.element}.{state.observable}"
    said = why.said
    if said is None:
        if why.sender in scenario.external or _decided_in(events[phase.start : state.number], why.sender):
            return None
        return Finding(phase, f"{about} is rejected, but no control decided so", Verdict.ERROR)
    actions = (step.action for step in scenario.steps)
    failing = {each.element for each in actions if isinstance(each, Fail) and each.answer}
    if said.by in {*scenario.external, *failing}:
        return None
    refusal = refusal_behind(events, said)
    if said.clause:
        decided = refusal is not None and said.by != said.element
        return None if decided or _expects(phase, state, said) else _unexpected(phase, state, said)
    if refusal is None:
        summary = f"{about} is rejected by {said.element} ({said.reason}), but no control of {said.by} decided so"
        return Finding(phase, summary, Verdict.ERROR)
    return _unnamed(phase, state, said, refusal)


def _decided_in(events: Sequence[Event], by: str) -> bool:
    """Whether a control refused anything, for elements that do not say why they reject."""
    return any(
        isinstance(each, Decided) and not each.decision.admitted and (not by or each.element == by) for each in events
    )


def refusal_behind(events: Sequence[Event], said: Rejected) -> Decided | None:
    """Return the refusal that a rejection by policy rests upon: by who decided, of the same subject, since the last."""
    for event in reversed(events[: said.number - 1]):
        if isinstance(event, Rejected) and (event.element, event.subject) == (said.element, said.subject):
            return None
        if isinstance(event, Decided) and not event.decision.admitted and event.element == said.by:
            subject = event.decision.subject
            # a refusal of who asks (a Diameter node) concerns whomever it asks about
            if subject == said.subject or not subject.isdigit():
                return event
    return None


def _expects(phase: Phase, state: StateChange, said: Rejected) -> bool:
    """Whether the phase speaks of a rejection: by its state, by its cause or by its message."""
    if next(_wanted(phase, state), None) is not None:
        return True
    for _, each in phase.conditions():
        if isinstance(each, MessageWanted) and each.message == said.message:
            return True
        caused = isinstance(each, FactWanted) and each.element == state.element and matches(each.want, said.cause)
        if caused and said.cause is not None:
            return True
    return False


def _acts(action: Action | None, element: str) -> bool:
    if isinstance(action, Together):
        return any(_acts(each, element) for each in action.actions)
    return isinstance(action, Call) and action.element == element


def _unexpected(phase: Phase, state: StateChange, said: Rejected) -> Finding:
    subject = f"{state.element}.{state.observable}"
    cause = f" with {show(said.cause)}" if said.cause is not None else ""
    got = f"rejected{cause}, as {said.clause} demands: {said.reason}"
    place = phase.steps[-1].place if phase.steps else None
    mismatch = (
        (Mismatch(subject, "accepted, or a rejection that is expected", got, place, state.number),) if place else ()
    )
    return Finding(phase, f"{subject} is rejected, which nothing expects", Verdict.FAILED, mismatch)


def _tells_of(condition: Condition, state: StateChange, said: Rejected) -> bool:
    """Whether a condition speaks of a rejection by its cause, its record or a message, with no other cause."""
    if isinstance(condition, FactWanted) and condition.element in {state.element, said.element}:
        fields: Mapping[str, Any] = {condition.observable: condition.want}
    elif isinstance(condition, MessageWanted):
        fields = condition.fields
    else:
        return False
    return tells_refusal(condition) and all(matches(value, said.cause) for value in causes_like(said.cause, fields))


def _unnamed(phase: Phase, state: StateChange, said: Rejected, refusal: Decided) -> Finding | None:
    """Refuse an expectation without a decision, as of what the protocol demands, where a control did decide."""
    conditions = [each for _, each in phase.conditions()]
    if any(isinstance(each, DecisionWanted) and each.verdict is Judgement.REFUSE for each in conditions):
        return None
    told = (each for each in conditions if _tells_of(each, state, said))
    first = next(_wanted(phase, state), None) or next(told, None)
    if first is None:
        return None
    got = f"{refusal.element} refused by {refusal.decision.control.id}: {refusal.decision.reason}"
    wrong = Mismatch(first.subject, "a rejection that the protocol demands", got, first.place, refusal.number)
    return Finding(phase, "a control decided a rejection that is expected without one", Verdict.FAILED, (wrong,))
