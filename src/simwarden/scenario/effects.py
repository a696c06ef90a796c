"""Which expectations show the effect of a refusal: what a device, a peer or a caller experienced of it.

A decision, a record of risk, an event for the operator, a flow record and a CDR state what an element decided. They are
the same if the element then serves the card anyway, so they prove no enforcement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import Place
from simwarden.policy.decision import Verdict
from simwarden.scenario.document import DecisionWanted, EventWanted, FactWanted, OutcomeWanted
from simwarden.scenario.event_fields import ANSWER
from simwarden.scenario.problems import plain
from simwarden.scenario.refusals import expects_refusal, phases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.scenario.document import Condition, Scenario
    from simwarden.scenario.problems import Problems

#: the tag of a scenario that documents a misuse that is served
LEAK: Final = "leak"
#: outcomes and states of a service that was given
_SERVED: Final = frozenset({"accepted", "delivered", "answered", "registered", "connected", "200", "201", "204"})
#: outcomes of a step that was carried out
_CARRIED_OUT: Final = frozenset({"ok", "inserted", "sent", "asked", "told", "bound", "active", "camped", "handed-over"})
_HINT: Final = (
    "expect what the device or the peer experiences: attach: rejected, a cause, an answer, timed-out; or never: what "
    "is not served"
)
_LEAK_HINT: Final = "expect what is served, such as attach: accepted, or remove the tag"


def is_effect(scenario: Scenario, condition: Condition) -> bool:
    """Return True if a condition is about what follows from a decision, and not a record of the decision."""
    if isinstance(condition, DecisionWanted):
        return False
    if isinstance(condition, EventWanted):
        return condition.kind == ANSWER
    return not (isinstance(condition, FactWanted) and _evidence(scenario, condition))


def expects_record(scenario: Scenario) -> bool:
    """Return True if a record for the operator is expected: of risk, an event, a flow record or a CDR."""
    conditions = (condition for step in scenario.steps for condition in step.expected)
    return any(
        each.kind != ANSWER and each.fields is not None
        if isinstance(each, EventWanted)
        else isinstance(each, FactWanted) and each.want is not None and _evidence(scenario, each) == "record"
        for each in conditions
    )


def _evidence(scenario: Scenario, fact: FactWanted) -> str:
    declaration = scenario.registry.declaration(scenario.instances[fact.element].kind)
    return next((each.evidence for each in declaration.observables if each.name == fact.observable), "")


def evidence_in(scenario: Scenario) -> frozenset[str]:
    """Return the subjects of the conditions that are records of decisions."""
    conditions = (condition for step in scenario.steps for condition, _ in step.conditions)
    return frozenset(each.subject for each in conditions if not is_effect(scenario, each))


def without_effect(scenario: Scenario) -> Iterator[DecisionWanted]:
    """Yield the refusals of which no effect is expected: in their phase, or later but before the next refusal."""
    pending: list[DecisionWanted] = []
    for group in phases(scenario):
        conditions = [pair for step in group for pair in step.conditions]
        decisions = (each for each, never in conditions if not never and isinstance(each, DecisionWanted))
        refusals = [each for each in decisions if each.verdict is Verdict.REFUSE]
        if refusals:
            yield from pending
            pending = refusals
        if any(is_effect(scenario, each) and (never or not _goes_well(each)) for each, never in conditions):
            pending = []
    yield from pending


def check_expectations(scenario: Scenario, problems: Problems) -> None:
    """Note a scenario that passes whatever happens."""
    if not any(step.expectations for step in scenario.steps):
        place = Place(scenario.path, scenario.lines.get("steps", scenario.lines.get("scenario", 1)))
        problems.add("nothing is expected: this passes whatever happens", place, "add expect:")


def check_effects(scenario: Scenario, problems: Problems) -> None:
    """Note each refusal that is expected without its effect, and a leak without a service."""
    for each in without_effect(scenario):
        problems.add(f"no effect of the refusal by {each.control or 'a control'} is expected", each.place, _HINT)
    served = (_is_served(each) for step in scenario.steps for each in step.expected)
    if LEAK in scenario.tags and expects_refusal(scenario) and not any(served):
        place = Place(scenario.path, scenario.lines.get("tags", 1))
        problems.add("tags: leak is for a misuse that is served, and only a refusal is expected", place, _LEAK_HINT)


def is_served(value: object) -> bool:
    """Return True for an outcome or a state of a service that was given (`accepted`, `200 OK`)."""
    return isinstance(value, str) and plain(value.partition(" ")[0]) in _SERVED


def _goes_well(condition: Condition) -> bool:
    """Return True for a service that is given, and for a step that is carried out."""
    done = isinstance(condition, OutcomeWanted) and plain(condition.word) in _CARRIED_OUT
    return done or _is_served(condition)


def _is_served(condition: Condition) -> bool:
    return is_served(condition.word if isinstance(condition, OutcomeWanted) else getattr(condition, "want", None))
