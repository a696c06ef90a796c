"""What a scenario expects to be refused, and what it must then say: who decides, the cause, and its twin.

A scenario *expects a refusal* if it expects (outside `never`) a decision that refuses, a state or outcome that means
refusal, a message that rejects, or a management status 401 or 403. It must then name its twin, and each step (or run of
steps without a verb between) that expects a refusal must name the decision (element and control), and the cause where a
protocol has one: that is wherever something is `rejected`. A rejection with a cause that the protocol demands of some
element (see `Demand`) is none: it needs neither decision nor twin, and fails at run time where a control did decide.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwarden.errors import Place, SimwardenError, UserFileError
from simwarden.policy.decision import Verdict
from simwarden.scenario.case_reference import split_reference
from simwarden.scenario.document import (
    DecisionWanted,
    EventWanted,
    FactWanted,
    Manage,
    MessageWanted,
    OutcomeWanted,
)
from simwarden.scenario.event_fields import ANSWER
from simwarden.scenario.expectation import REFUSAL_WORDS
from simwarden.scenario.match import matches
from simwarden.scenario.problems import Problems, flat, plain
from simwarden.scenario.yamlfile import Spot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simwarden.runtime.declare import Demand
    from simwarden.scenario.document import Condition, Scenario, Step
    from simwarden.scenario.load import Loader
    from simwarden.scenario.registry import Registry

_REFUSED_STATUS = ("401", "403", "unauthorized")
#: what messages that reject end in: attach-reject, service-reject...
_REJECT = "-reject"
#: what tells that all went well: Result-Codes, HTTP statuses, status words of a card, causes of GTP, states
_WELL = re.compile(r"^(2\d\d\d?|9000|active|.*success|(request_)?accepted(_partially)?)$")
#: values of what is not, or not yet
_NOT_THERE: tuple[Any, ...] = (None, "", "none", "absent", "off")
_TWIN_REFUSED = "twin: it expects a refusal itself"
_OTHER_ENDING = "add from: NAME of a step, and what to expect of it instead"
_CAUSES = ("cause", "result", "status", "reason", "sw", "code")


def expects_refusal(scenario: Scenario) -> bool:
    """Tell whether a scenario expects that something is refused."""
    return any(refused_in(group) and not is_demanded(scenario.registry, group) for group in phases(scenario))


def is_demanded(registry: Registry, group: list[Step]) -> bool:
    """Whether all that a phase expects to be refused is a rejection that the protocol demands, by its cause."""
    return all(map(_is_rejected, refused_in(group))) and any(
        _names(each, demand) for _, each in expected_in(group) for demand in registry.demands
    )


def _names(condition: Condition, demand: Demand) -> bool:
    """Whether a condition names the cause of a demand, or its message where that has room for none."""
    if demand.cause is None:
        return isinstance(condition, MessageWanted) and condition.message == demand.message
    if isinstance(condition, FactWanted):
        fields: Mapping[str, Any] = {condition.observable: condition.want}
    elif isinstance(condition, MessageWanted):
        fields = condition.fields
    else:
        return False
    return any(matches(value, demand.cause) for value in causes_like(demand.cause, fields))


def causes_like(cause: Any, fields: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the values of all fields, at any depth, that are named by the kind of a cause (`emm_cause` of EmmCause)."""
    kind = type(cause).__name__.lower()
    for key, value in fields.items():
        if isinstance(value, dict):
            yield from causes_like(cause, value)
        elif plain(key).replace("_", "") == kind:
            yield value


def expected_in(group: Iterable[Step]) -> list[tuple[Step, Condition]]:
    """Return what the steps of a phase expect, without what should never be."""
    return [(step, each) for step in group for each in step.expected]


def refused_in(group: Iterable[Step]) -> list[Condition]:
    """Return what the steps of a phase expect to be refused."""
    return [each for step, each in expected_in(group) if is_refusal(step, each)]


def is_refusal(step: Step, condition: Condition) -> bool:
    """Return True if a condition is about a refusal: by a decision, an outcome, a message or a state."""
    if isinstance(condition, DecisionWanted):
        return condition.verdict is Verdict.REFUSE
    if isinstance(condition, OutcomeWanted):
        return _refused_word(condition.word) or (
            isinstance(step.action, Manage) and plain(condition.word) in _REFUSED_STATUS
        )
    if isinstance(condition, MessageWanted):
        return condition.message.endswith(_REJECT)
    if isinstance(condition, EventWanted):
        return is_refused_event(condition)
    return not condition.record and _refused_word(condition.want)


def is_refused_event(condition: EventWanted) -> bool:
    """Whether an answer, a CDR or a flow record is wanted that tells of a refusal."""
    fields = condition.fields or {}
    if condition.kind == ANSWER:
        return plain(str(fields.get("status", ""))) in (*_REFUSED_STATUS, "forbidden")
    return fields.get("verdict") == "refuse" or fields.get("sMSResult", "none") not in _NOT_THERE


def _refused_word(value: Any) -> bool:
    return isinstance(value, str) and plain(value) in REFUSAL_WORDS


def refuses_beside(scenario: Scenario, step: Step) -> bool:
    """Whether something in the phase of a step is expected to be refused: a state, a cause, a decision or a message."""
    group = next(group for group in phases(scenario) if any(each is step for each in group))
    return any(is_refusal(at, each) or tells_refusal(each) for at, each in expected_in(group))


def check_refusals(scenario: Scenario, problems: Problems) -> None:
    """Note refusals that are expected without element, control or cause."""
    for group in phases(scenario):
        refused = refused_in(group)
        if not refused or is_demanded(scenario.registry, group):
            continue
        decisions = [each for each in refused if isinstance(each, DecisionWanted)]
        place = refused[0].place
        for each in decisions:
            if not each.by or not each.control:
                problems.add("a refusal names who decides and by which control", each.place, "by: and control:")
        if not decisions:
            problems.add("a refusal names its decision", place, "add decision: {by: ..., control: ...}")
        rejected = [each for each in refused if _is_rejected(each)]
        if rejected and not any(_names_cause(each) for _, each in expected_in(group)):
            hint = "add for example emm_cause: or a message's result"
            problems.add("a refusal names its cause", rejected[0].place, hint)


def _is_rejected(condition: Condition) -> bool:
    if isinstance(condition, OutcomeWanted):
        return plain(condition.word) == "rejected"
    if isinstance(condition, MessageWanted):
        return condition.message.endswith(_REJECT)
    return isinstance(condition, FactWanted) and plain(str(condition.want)) == "rejected"


def phases(scenario: Scenario) -> Iterator[list[Step]]:
    """Yield the steps in phases: actions, and what is expected before the next action."""
    group: list[Step] = []
    for step in scenario.steps:
        if step.action is not None and any(each.expectations for each in group):
            yield group
            group = []
        group.append(step)
    yield group


def _names_cause(condition: Condition) -> bool:
    if isinstance(condition, FactWanted):
        return _is_cause(condition.observable, condition.want) or (
            isinstance(condition.want, dict) and _has_cause(condition.want)
        )
    if isinstance(condition, MessageWanted):
        return _has_cause(condition.fields)
    if isinstance(condition, OutcomeWanted):
        return plain(condition.word) in _REFUSED_STATUS
    if isinstance(condition, EventWanted):
        return is_refused_event(condition)
    return condition.verdict is Verdict.REFUSE and bool(condition.reason)


def _has_cause(fields: Mapping[str, Any]) -> bool:
    return any(_is_cause(*pair) or (isinstance(pair[1], dict) and _has_cause(pair[1])) for pair in fields.items())


def _is_cause(name: str, value: Any) -> bool:
    """Whether a field says why something was refused: one that is not there, or tells of a success, does not."""
    return any(part in _CAUSES for part in plain(name).split("_")) and not (
        value in _NOT_THERE or _WELL.search(plain(str(value)))
    )


def tells_refusal(condition: Condition) -> bool:
    """Whether a condition says by a state, a cause, a record or a message that somebody was rejected."""
    if isinstance(condition, MessageWanted):
        results = {key: value for key, value in condition.fields.items() if "result" in plain(key).split("_")}
        return _is_rejected(condition) or _has_cause(results)
    if isinstance(condition, FactWanted) and condition.record:
        return condition.observable == "reject" and condition.want is not None
    if isinstance(condition, FactWanted):
        return _is_rejected(condition) or _is_cause(condition.observable, condition.want)
    return isinstance(condition, OutcomeWanted) and _is_rejected(condition)


def check_twin(scenario: Scenario, loader: Loader, problems: Problems) -> None:
    """Note what is wrong with the twin of a scenario, or with its absence."""
    place = Place(scenario.path, scenario.lines.get("twin", scenario.lines.get("scenario", 1)))
    if not scenario.twin:
        if expects_refusal(scenario) and not _note_refused(scenario, loader, problems):
            problems.add(
                "a scenario that expects a refusal names its twin, which passes",
                place,
                "add twin: FILE, or what differs",
            )
        return
    if not Path(split_reference(scenario.twin)[0]).is_file():
        problems.add(f"twin {scenario.twin} does not exist", place)
        return
    try:
        twin = loader.read(scenario.twin)
    except SimwardenError as error:
        if isinstance(error, UserFileError) and split_reference(scenario.twin)[0] == scenario.path:
            problems.found += flat(error)
        else:
            problems.add(f"twin {scenario.twin} is not valid: {str(error).splitlines()[0]}", place)
        return
    if not expects_refusal(scenario):
        return
    if expects_refusal(twin) and not _note_refused(twin, loader, problems):
        problems.add(f"twin {scenario.twin} expects a refusal itself", place)
    if (scenario.facts, _actions(scenario)) == (twin.facts, _actions(twin)):
        problems.add(f"twin {scenario.twin} does not differ: its elements and steps are the same", place)


def _note_refused(twin: Scenario, loader: Loader, problems: Problems) -> bool:
    """Note that a twin expects a refusal, where its file describes it. Returns False for a scenario of its own."""
    cases = loader.case_file(twin.path) if twin.case else None
    case = cases.find(twin.case) if cases else None
    if cases is None or case is None or not case.is_twin:
        return False
    problems.add(_TWIN_REFUSED, (Spot(cases.source) / "twin").key, _OTHER_ENDING)
    return True


def _actions(scenario: Scenario) -> list[Mapping[str, Any]]:
    return [step.facts for step in scenario.steps if step.facts]


def refusing_steps(scenario: Scenario) -> Iterator[Step]:
    """Yield the steps of the phases in which something is refused."""
    for group in phases(scenario):
        if refused_in(group):
            yield from group
