"""What becomes of a refusal: read from the traces of scenarios that claim one, cause by cause to the device."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from simwarden.policy.decision import Verdict
from simwarden.scenario.claims import gather, points_of
from simwarden.scenario.document import Manage, OutcomeWanted
from simwarden.scenario.problems import plain
from simwarden.scenario.result import Verdict as Result
from simwarden.scenario.runner import run_scenario
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Decided, Frame, StateChange, StepMark
from simwarden.wire.family import family_of, with_carried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.runtime.declare import Consequence
    from simwarden.scenario.document import Scenario, Step
    from simwarden.scenario.load import Loader
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.result import ScenarioResult
    from simwarden.scenario.runner import RunOptions
    from simwarden.scenario.suite import Job
    from simwarden.wire.dissection import Dissection


class Seen(NamedTuple):
    """A message that carried a cause: `cause` in words, `inner` the ESM message in it and its cause, if any.

    `number` is the EMM or MM cause, by which a device acts where the ESM cause asks for nothing of its own.
    """

    interface: str
    message: str
    cause: str
    number: int | None = None
    inner: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refusal of a control led to; `outcome` where no message carried a cause."""

    point: str
    chain: tuple[Seen, ...]
    outcome: str = ""
    #: the decision itself; two that lead to the same are one refusal
    decided: Decided | None = field(default=None, compare=False)


@dataclass(slots=True)
class Refusals:
    """The refusals that scenarios claim and show by point of enforcement, with the paths of these scenarios.

    `broken` are the names of scenarios that did not pass, and so show nothing.
    """

    shown: dict[str, dict[Refusal, list[str]]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def observe(jobs: Sequence[tuple[Job, Scenario]], loader: Loader, options: RunOptions) -> Refusals:
    """Run the scenarios that claim a refusal, and say what became of each."""
    found = Refusals({name: {} for name in points_of(loader.registry)})
    for case in gather(jobs, loader).values():
        claimed = {each.point for each in case.claims if each.verdict is Verdict.REFUSE}
        if not claimed:
            continue
        result = run_scenario(case.scenario, case.job.name, options)
        if result.verdict is not Result.PASSED:
            found.broken.append(case.job.name)
            continue
        for refusal in refusals_of(case.scenario, result, claimed):
            found.shown[refusal.point].setdefault(refusal, []).append(case.job.reference)
    return found


def refusals_of(scenario: Scenario, result: ScenarioResult, claimed: set[str]) -> Iterator[Refusal]:
    """Yield the claimed refusals of a scenario, each with the causes that followed it in its step."""
    kinds = {lane.name: lane.kind for lane in result.lanes}
    pending: list[_Chain] = []
    step: Step | None = None
    for event, dissection in Dissector().walk(result.events):
        if isinstance(event, StepMark):
            yield from (each.refusal(step) for each in pending)
            pending, step = [], scenario.steps[event.index]
        elif isinstance(event, Decided):
            point = f"{kinds.get(event.element, '')}/{event.decision.control.id}"
            if not event.decision.admitted and point in claimed and point not in {each.point for each in pending}:
                pending.append(_Chain(point, event))
        elif isinstance(event, Frame) and dissection is not None:
            for each in pending:
                each.frame(event, dissection)
        elif isinstance(event, StateChange) and event.key is None:
            for each in pending:
                each.state(event, kinds.get(event.element, ""), scenario.registry)
    yield from (each.refusal(step) for each in pending)


@dataclass(slots=True)
class _Chain:
    """The causes after a refusal, gathered until one reaches the access side."""

    point: str
    decided: Decided
    seen: list[Seen] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    ended: bool = False

    def frame(self, frame: Frame, dissection: Dissection) -> None:
        """Note the cause that a frame carries, if any."""
        if self.ended:
            return
        for each in (*dissection.inner, dissection):  # a NAS message tells more than what carries it
            cause = _cause_of(each, frame.protocol)
            if cause:
                number = each.fields.get("emm_cause", each.fields.get("mm_cause"))
                inner = ((part.name, part.fields["esm_cause"]) for part in each.inner if "esm_cause" in part.fields)
                self.seen.append(Seen(frame.interface, each.name, cause, number, next(inner, None)))
                self.ended = family_of(frame.protocol).access
                return

    def state(self, event: StateChange, kind: str, registry: Registry) -> None:
        """Note the state of an observable whose values are words."""
        declared = registry.declaration(kind).observables if kind in registry.kinds else ()
        if not self.seen and any(each.name == event.observable and each.values.words for each in declared):
            self.states[event.observable] = str(event.value)

    def refusal(self, step: Step | None) -> Refusal:
        """Return what was seen until now."""
        chain = tuple(dict.fromkeys(self.seen))
        return Refusal(self.point, chain, "" if chain else _outcome(step) or _last(self.states), self.decided)


def _cause_of(message: Dissection, protocol: str) -> str:
    """Return the cause of a message that refuses, in words."""
    causes = [said for part in (message, *message.inner) for said in _said(part, protocol)]
    return ", ".join(causes) or "no cause" if _refuses(message, protocol) else ""


def _said(message: Dissection, protocol: str) -> Iterator[str]:
    """Yield the causes and results that a message holds, but for those that refuse nothing."""
    for each in (each for family in with_carried(protocol) for each in family.cause_fields):
        value = message.fields.get(each.name)
        if value is not None and each.refuses(value):
            yield f"{each.label} {_words(value)}"


def _refuses(message: Dissection, protocol: str) -> bool:
    name = message.name
    if name.endswith(("-reject", "-failure")):
        return True
    if name in ("detach-request", "cancel-location-request"):
        return "emm_cause" in message.fields
    if name.endswith("-answer"):
        return bool(message.cause) or next(_said(message, protocol), None) is not None
    return name.endswith("-response") and bool(message.cause) and "sw" in message.fields


def _words(value: Any) -> str:
    if isinstance(value, enum.IntEnum):
        return f"{int(value)} {value.name}"
    return str(value)


def _outcome(step: Step | None) -> str:
    """Return the outcome that a step's verb is expected to have, where it says so."""
    words = [each.word for each, _ in (step.conditions if step else ()) if isinstance(each, OutcomeWanted)]
    if step is None or not words:
        return ""
    if isinstance(step.action, Manage):
        return _status(words[0])
    return f"outcome of `{next(iter(step.facts))}`: `{words[0]}`"


def _status(word: str) -> str:
    for each in HTTPStatus:
        if word == str(each.value) or plain(word) == plain(each.phrase):
            return f"HTTP {each.value} {each.phrase}"
    return f"management answers `{word}`"


def _last(states: dict[str, str]) -> str:
    """Return the states that a refusal led to."""
    return ", ".join(f"`{name}: {value}`" for name, value in states.items())


def next_of(registry: Registry, refusal: Refusal) -> str:
    """Say what the receiver of the last cause does next; empty where nothing is declared."""
    if not refusal.chain:
        return ""
    last = refusal.chain[-1]
    found = consequence_of(registry, *last.inner) if last.inner else None
    found = found or consequence_of(registry, last.message, last.number)
    return "" if found is None else f"the {found[0]} {found[1].doc}"


def consequence_of(registry: Registry, message: str, number: int | None) -> tuple[str, Consequence] | None:
    """Return which kind of element acts on a cause in a message, and how; None if none declares anything."""
    for kind in registry.kinds:
        told = [each for each in registry.declaration(kind).consequences if each.message == message]
        fits = [each for each in told if each.cause is not None and each.cause == number]
        fits += [each for each in told if each.cause is None]
        if fits:
            return kind, fits[0]
    return None
