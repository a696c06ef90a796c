"""The misuses that a scenario tried: element, cause and next step of those that were stopped, and those that were not.

A misuse is a refusal that the file expects a decision for. What the refused side is told, and what it does then, is
read from the trace and from what elements declare (`Consequence`), not from the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.policy.decision import Verdict
from simwarden.scenario.claims import points_named
from simwarden.scenario.document import DecisionWanted, FactWanted
from simwarden.scenario.effects import LEAK, is_effect, is_served, without_effect
from simwarden.scenario.reference.refusals import next_of, refusals_of
from simwarden.scenario.refusals import expected_in, is_refusal, refusing_steps, tells_refusal
from simwarden.scenario.result import Misuse, Stopped
from simwarden.scenario.result import Verdict as Result
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Frame, PacketDropped, StepMark
from simwarden.trace.rows import clause_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.scenario.document import Condition, Scenario
    from simwarden.scenario.reference.refusals import Refusal
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.result import Mismatch, ScenarioResult
    from simwarden.trace.events import Decided, Event

#: outcomes of calls and verbs that went well
_WELL: Final = re.compile(r"^HTTP 2|: accepted$")
#: EMM and ESM causes are called by their numbers, an EMM cause by that alone
_NUMBERED: Final = re.compile(r"\b(?:EMM |(ESM ))(\d+)")


def stopped_in(scenario: Scenario, result: ScenarioResult) -> tuple[Stopped, ...]:
    """Return the misuses that a passed scenario shows being stopped, in order, each kind once."""
    if result.verdict is not Result.PASSED or not result.expects_refusal:
        return ()
    claimed = {point.name for each in _wanted(scenario) for point in points_named(scenario, each)}
    found = dict.fromkeys(refusals_of(scenario, result, claimed))
    return tuple(stopped_by(scenario.registry, each, result.events) for each in found)


def _wanted(scenario: Scenario) -> Iterator[DecisionWanted]:
    """Yield the refusals that a file expects with their effect."""
    unproved = list(without_effect(scenario))
    for _, each in expected_in(scenario.steps):
        if isinstance(each, DecisionWanted) and each.verdict is Verdict.REFUSE and each not in unproved:
            yield each


def misuse_in(scenario: Scenario, result: ScenarioResult) -> Misuse | None:
    """Return the end of a scenario's misuse, or None if it was stopped as expected."""
    if result.verdict is Result.PASSED and LEAK in scenario.tags:
        return Misuse.KNOWN_LEAK
    if result.verdict is not Result.FAILED or result.failure is None:
        return None
    refused = {
        (condition.place, condition.subject): _Expected(
            condition, never and not (is_refusal(step, condition) or tells_refusal(condition))
        )
        for step in refusing_steps(scenario)
        for condition, never in step.conditions
    }
    found = [(refused.get((each.place, each.subject)), each) for each in result.failure.mismatches]
    unmet = [(expectation, mismatch) for expectation, mismatch in found if expectation is not None]
    if any(_shows_service(scenario, expectation, mismatch) for expectation, mismatch in unmet):
        return Misuse.LEAKED
    return Misuse.NOT_AS_EXPECTED if unmet else None


class _Expected(NamedTuple):
    """A condition about a refusal, and whether it names a service that must never be given."""

    condition: Condition
    unwanted: bool


def _shows_service(scenario: Scenario, expected: _Expected, mismatch: Mismatch) -> bool:
    """Return True if an unmet expectation shows that something was served which was to be refused."""
    condition, unwanted = expected
    if not is_effect(scenario, condition):
        return False
    if isinstance(condition, FactWanted) and condition.record:
        return unwanted or condition.want is None
    return unwanted or (is_served(mismatch.got) and not is_served(mismatch.want))


def stopped_by(registry: Registry, refusal: Refusal, events: Sequence[Event]) -> Stopped:
    """Say what a refusal stopped, and how; `events` are those of its story, or of its step."""
    decided = refusal.decided
    assert decided is not None  # noqa: S101 - what is read from a trace has its decision
    decision = decided.decision
    last = refusal.chain[-1] if refusal.chain else None
    outcome = refusal.outcome.replace("`", "").removeprefix("outcome of ")
    if _WELL.search(outcome):  # found in hindsight, or told somebody else: the call that showed it is left as it is
        outcome = _sent(events, decided)
    if last is None and any(_dropped(each, decided) for each in events):  # nobody is told, whatever a step ended with
        outcome = "the card's packets dropped"
    return Stopped(
        element=decided.element,
        control=decision.control.id,
        requirement=decision.control.requirement,
        clause=clause_of(decision.control),
        occasion=str(decision.occasion),
        reason=decision.reason,
        told=_NUMBERED.sub(r"\1#\2", last.cause) if last else outcome,
        message=last.message.replace("-", " ") if last else "",
        next=next_of(registry, refusal),
        event=decided.number,
    )


def _sent(events: Sequence[Event], decided: Decided) -> str:
    """Return the request that the element sends in the same step and to whom, as in a withdrawal; empty: none."""
    for event, dissection in Dissector().walk(events):
        if event.number < decided.number:
            continue
        if isinstance(event, StepMark):
            break
        if isinstance(event, Frame) and event.source == decided.element:
            name = dissection.name if dissection is not None else ""
            if name.endswith("-request"):
                return f"{event.interface.lower()}.{name} to {event.target}"
    return ""


def _dropped(event: Event, decided: Decided) -> bool:
    """Whether a packet went no further for what was decided."""
    return (
        isinstance(event, PacketDropped)
        and event.element == decided.element
        and event.number > decided.number
        and event.reason.startswith(f"{decided.decision.control.id}:")
    )


def sentence_of(title: str, stopped: Stopped) -> str:
    """Say in one sentence what was tried, who stopped it and how it was told, by which clause, and what comes next."""
    clause = f", clause {stopped.clause}" if stopped.clause else ""
    if stopped.message:
        told = f", told {stopped.told} in {stopped.message}"
    else:
        told = f" with {stopped.told}" if stopped.told else ""
    after = f"; {stopped.next}" if stopped.next else ""
    return f"{title}: stopped by {stopped.element} ({stopped.control}{clause}){told}{after}"
