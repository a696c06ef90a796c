"""The rule of twins: every refusal has a story that differs in one fact, and passes.

A scenario *expects a refusal* if it expects (outside `never`) a decision that refuses, a state or outcome that means
refusal, a message that rejects, or a management status 401 or 403. It must then name its twin, and each step (or run of
steps without a verb between) that expects a refusal must name the decision (element and control), and the cause where a
protocol has one: that is wherever something is `rejected`. A rejection with a cause that the protocol demands of some
element (see `Demand`) is none: it needs neither decision nor twin, and fails at run time where a control did decide.

Two scenarios differ in *one fact* if, outside titles and expectations, all their differences are one of
- one name or value put for another in the steps, at any number of places (`phone` for `meter`),
- one block of steps put in, left out or replaced (blocks that are all about one element, `stop: eir` and later
  `start: eir`, are one),
- one entry of cards, devices or network (or one value in it) changed, put in or left out,
where differences that share a name (a device added and then used instead of another) count together. The twin may go on
where the refused story has to end.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwarden.errors import Place, SimwardenError
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
from simwarden.scenario.problems import Problems, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from enum import IntEnum

    from simwarden.runtime.declare import Demand
    from simwarden.scenario.document import Condition, Scenario, Step
    from simwarden.scenario.load import Loader
    from simwarden.scenario.registry import Registry

_REFUSED_STATUS = ("401", "403", "unauthorized")
#: what messages that reject end in: attach-reject, service-reject...
_REJECT = "-reject"
#: what tells that all went well: Result-Codes, HTTP statuses, status words of a card, causes of GTP, states
_WELL = re.compile(r"^(2\d\d\d?|9000|active|.*success|(request_)?accepted(_partially)?)$")
_CAUSES = ("cause", "result", "status", "reason", "sw", "code")


def expects_refusal(scenario: Scenario) -> bool:
    """Tell whether a scenario expects that something is refused."""
    return any(
        is_refusal(step, each)
        for group in phases(scenario)
        if not is_demanded(scenario.registry, group)
        for step in group
        for each in expected(step)
    )


def is_demanded(registry: Registry, group: list[Step]) -> bool:
    """Whether all that a phase expects to be refused is a rejection that the protocol demands, by its cause."""
    conditions = [(step, each) for step in group for each in expected(step)]
    refused = [each for step, each in conditions if is_refusal(step, each)]
    return all(map(_is_rejected, refused)) and any(
        _names(each, demand) for _, each in conditions for demand in registry.demands
    )


def _names(condition: Condition, demand: Demand) -> bool:
    """Whether a condition names the cause of a demand, or its message where that has room for none."""
    if demand.cause is None:
        return isinstance(condition, MessageWanted) and condition.message == demand.message
    if isinstance(condition, FactWanted):
        return _has_field({condition.observable: condition.want}, demand.cause)
    return isinstance(condition, MessageWanted) and _has_field(condition.fields, demand.cause)


def _has_field(fields: Mapping[str, Any], cause: IntEnum) -> bool:
    """Whether fields hold a cause under the name of its kind (`emm_cause` of EmmCause)."""
    kind = type(cause).__name__.lower()
    return any(
        _has_field(value, cause)
        if isinstance(value, dict)
        else plain(key).replace("_", "") == kind and matches(value, cause)
        for key, value in fields.items()
    )


def expected(step: Step) -> Iterator[Condition]:
    """Yield what a step expects, without what should never be."""
    for expectation in step.expectations:
        if not expectation.never:
            yield from expectation.conditions


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
    conditions = [(at, each) for at in group for each in expected(at)]
    return any(is_refusal(at, each) or tells_refusal(each) for at, each in conditions)


def check_refusals(scenario: Scenario, problems: Problems) -> None:
    """Note refusals that are expected without element, control or cause."""
    for group in phases(scenario):
        conditions = [(step, each) for step in group for each in expected(step)]
        refused = [each for step, each in conditions if is_refusal(step, each)]
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
        if rejected and not any(_names_cause(each) for _, each in conditions):
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
    place = _twin_place(scenario)
    if not scenario.twin:
        if expects_refusal(scenario):
            problems.add("a scenario that expects a refusal names its twin, which passes", place, "add twin: FILE")
        return
    if not Path(split_reference(scenario.twin)[0]).is_file():
        problems.add(f"twin {scenario.twin} does not exist", place)
        return
    try:
        twin = loader.read(scenario.twin)
    except SimwardenError as error:
        problems.add(f"twin {scenario.twin} is not valid: {str(error).splitlines()[0]}", place)
        return
    if not expects_refusal(scenario):
        return
    if expects_refusal(twin):
        problems.add(f"twin {scenario.twin} expects a refusal itself", place)
    facts = facts_between(scenario, twin)
    if not _shows(scenario, twin):
        problems.add(f"twin {scenario.twin} does not show that what is refused here goes well there", place, _ADD)
    if not facts:
        problems.add(f"twin {scenario.twin} does not differ: its elements and steps are the same", place)
    elif len(facts) > 1:
        listed = "; ".join(fact.text for fact in facts)
        problems.add(f"twin {scenario.twin} differs in {len(facts)} facts, not one: {listed}", place)


_ADD = "it expects a decision that admits, or that the same verb or observable comes out well"


#: values of what is not, or not yet
_NOT_THERE: tuple[Any, ...] = (None, "", "none", "absent", "off")


def _shows(scenario: Scenario, twin: Scenario) -> bool:
    """Whether a twin expects of something that the other story looks at that it goes well: else it need do nothing.

    That is what never happens there, a decision of the same control that admits, the same observable or message with
    another value, or another outcome of the same verb. That something is not there, or is off, shows nothing: it is so
    where nothing was tried; nor does what went well before it comes to what is refused.
    """
    wanted: dict[tuple[str, str], list[Any]] = {}
    never = set()
    for step in refusing_steps(scenario):
        for expectation in step.expectations:
            for each in expectation.conditions:
                aspect = _aspect(step, each)
                if expectation.never:
                    never.add(aspect)
                else:
                    wanted.setdefault(aspect, []).append(_value(each))
    begins = _begins(scenario, twin)
    for step in twin.steps[max(_alike(scenario, twin), begins) :]:
        for each in expected(step):
            aspect, value = _aspect(step, each), _value(each)
            if value in _NOT_THERE or is_refusal(step, each):
                continue
            if aspect in never or (aspect in wanted and value not in wanted[aspect]):
                return True
    return False


def refusing_steps(scenario: Scenario) -> Iterator[Step]:
    """Yield the steps of the phases in which something is refused."""
    for group in phases(scenario):
        if any(is_refusal(step, each) for step in group for each in expected(step)):
            yield from group


def _alike(one: Scenario, other: Scenario) -> int:
    """Return with how many steps two scenarios begin that do and expect the same."""

    def told(step: Step) -> Any:
        return step.facts, [(each.subject, _value(each)) for each in expected(step)]

    pairs = enumerate(zip(one.steps, other.steps, strict=False))
    return next((place for place, (mine, theirs) in pairs if told(mine) != told(theirs)), len(other.steps))


def _begins(scenario: Scenario, twin: Scenario) -> int:
    """Return the step of a twin with which that begins which is refused in the other story.

    That is the first verb of the phase of the refusal; what the twin leaves out before it does not count.
    """
    mine, others = ([each for each in one.steps if each.action is not None] for one in (scenario, twin))
    refusing = next((each.index for each in refusing_steps(scenario) if each.action is not None), 0)
    begins = sum(each.index < refusing for each in mine)
    pairs = enumerate(zip(mine, others, strict=False))
    differ = next((at for at, (one, other) in pairs if one.facts != other.facts), min(len(mine), len(others)))
    if differ < begins:
        begins = max(differ, begins + min(0, len(others) - len(mine)))
    return next((place for place, each in enumerate(twin.steps) if each in others[begins:]), len(twin.steps))


def _value(condition: Condition) -> Any:
    """Return what a condition wants of what it looks at."""
    if isinstance(condition, DecisionWanted):
        return condition.verdict
    if isinstance(condition, FactWanted):
        return condition.want
    if isinstance(condition, EventWanted) and condition.kind == ANSWER:
        return (condition.fields or {}).get("status", condition.fields)
    return condition.fields if isinstance(condition, (MessageWanted, EventWanted)) else condition.word


def _aspect(step: Step, condition: Condition) -> tuple[str, str]:
    """Return what a condition looks at, whoever it is about."""
    if isinstance(condition, DecisionWanted):
        return "control", condition.control
    if isinstance(condition, FactWanted):
        return "observable", condition.observable
    if isinstance(condition, MessageWanted):
        return condition.interface, condition.message
    if isinstance(condition, EventWanted):  # of a call, its outcome by another word
        return ("verb", "manage") if condition.kind == ANSWER else ("told", condition.kind)
    return "verb", step.text.partition(":")[0]


def _twin_place(scenario: Scenario) -> Place:
    return Place(scenario.path, scenario.lines.get("twin", scenario.lines.get("scenario", 1)))


@dataclass(slots=True)
class Fact:
    """One difference between two scenarios, and the names it is about."""

    text: str
    names: frozenset[str] = frozenset()


def facts_between(one: Scenario, other: Scenario) -> list[Fact]:
    """Return the facts in which two scenarios differ; differences that share a name are one."""
    found: list[Fact] = []
    for section in dict.fromkeys((*one.facts, *other.facts)):
        found += _entries(section, one.facts.get(section) or {}, other.facts.get(section) or {})
    found += _steps(
        [each.facts for each in one.steps if each.facts], [each.facts for each in other.steps if each.facts]
    )
    return _merge(found)


def _entries(section: str, mine: dict[str, Any], others: dict[str, Any]) -> Iterator[Fact]:
    for name in dict.fromkeys((*mine, *others)):
        if (name in mine) != (name in others):
            yield Fact(f"{section}.{name} is in one only", frozenset({name}))
        elif (mine[name] or {}) != (others[name] or {}):
            for path in _paths(mine[name] or {}, others[name] or {}, f"{section}.{name}"):
                yield Fact(f"{path} differs")


def _paths(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            if key not in one or key not in other:
                yield f"{path}.{key}"
            elif one[key] != other[key]:
                yield from _paths(one[key], other[key], f"{path}.{key}")
    else:
        yield path


def _steps(one: list[Mapping[str, Any]], other: list[Mapping[str, Any]]) -> Iterator[Fact]:
    matcher = difflib.SequenceMatcher(
        None, [json.dumps(each) for each in one], [json.dumps(each) for each in other], autojunk=False
    )
    for what, start, end, begin, finish in matcher.get_opcodes():
        mine, others = one[start:end], other[begin:finish]
        if what == "equal":
            continue
        if [list(each) for each in mine] == [list(each) for each in others]:
            yield from (_exchange(a, b) for a, b in _exchanged(mine, others))
        elif mine or finish < len(other):
            text = f"step {start + 1}: {_verbs(mine) or 'nothing'} against {_verbs(others) or 'nothing'}"
            yield Fact(text, _about_one([*mine, *others]))


def _about_one(steps: list[Mapping[str, Any]]) -> frozenset[str]:
    """Return the one element that all steps are about, marked so that it is told from a name put for another."""
    about = {json.dumps(list(each.values())) for each in steps}
    return frozenset(f"steps about {each}" for each in about) if len(about) == 1 else frozenset()


def _verbs(steps: list[Mapping[str, Any]]) -> str:
    return ", ".join(next(iter(each)) for each in steps)


def _exchange(mine: str, others: str) -> Fact:
    return Fact(f"{mine!r} for {others!r} in the steps", frozenset({mine, others}))


def _exchanged(one: Any, other: Any) -> Iterator[tuple[str, str]]:
    """Yield the pairs of values that stand for each other."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key, value in one.items():
            yield from _exchanged(value, other[key])
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for mine, others in zip(one, other, strict=True):
            yield from _exchanged(mine, others)
    elif one != other:
        yield _brief(one), _brief(other)


def _brief(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _merge(facts: list[Fact]) -> list[Fact]:
    """Count together what shares a name; equal differences are one."""
    merged: list[Fact] = []
    for fact in facts:
        same = [each for each in merged if each.text == fact.text or (each.names & fact.names)]
        for each in same:
            merged.remove(each)
        texts = dict.fromkeys((*(each.text for each in same), fact.text))
        names = frozenset[str]().union(fact.names, *(each.names for each in same))
        merged.append(Fact(" and ".join(texts), names))
    return merged
