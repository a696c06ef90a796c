"""Whether a story can fail at all, and whether what it says it proves is what it looks at.

A scenario expects something; a verb that may be refused (`rebind`) is followed by an expectation that would notice; and
a requirement that restricts is claimed only where a decision of one of its controls is expected, in the file, its twin
or, of a twin, in a story beside it whose twin it is.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwarden.errors import Place, SimwardenError
from simwarden.policy.requirements import requirements
from simwarden.scenario.document import (
    Call,
    DecisionWanted,
    EventWanted,
    FactWanted,
    Fail,
    Manage,
    MessageWanted,
    OutcomeWanted,
    Power,
    Rhythm,
    Together,
)
from simwarden.scenario.event_fields import ANSWER
from simwarden.scenario.expectation import REFUSAL_WORDS
from simwarden.scenario.problems import plain
from simwarden.scenario.twin import expected, phases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.runtime.declare import Verb, VerbModel
    from simwarden.scenario.document import Action, Scenario, Step
    from simwarden.scenario.load import Loader
    from simwarden.scenario.problems import Problems

_EARLY = "put it behind what happens; of the start alone it is said after wait: 1 s"
_TWIN = re.compile(r"^twin:\s*['\"]?([^'\"\s#]+)", re.MULTILINE)


def check_expectations(scenario: Scenario, problems: Problems) -> None:
    """Note a scenario that passes whatever happens, and verbs whose refusal nobody would notice."""
    place = Place(scenario.path, scenario.lines.get("steps", scenario.lines.get("scenario", 1)))
    if not any(step.expectations for step in scenario.steps):
        problems.add("nothing is expected: this passes whatever happens", place, "add expect:")
        return
    for step in itertools.takewhile(lambda each: each.action is None, scenario.steps):
        if early := next((each for each in step.expectations if each.never), None):
            place = early.conditions[0].place
            problems.add("nothing has happened yet that could be what never should be", place, _EARLY)
    for step, call, best in unnoticed(scenario):
        again = isinstance(step.action, Rhythm)
        inside = call in put_in(step)
        hint = "expect what it leads to" if again or inside else f"beside it say expect: {best}"
        problems.add(f"{call.verb} may be refused, and nothing would show it", step.place, hint)


def unnoticed(scenario: Scenario) -> Iterator[tuple[Step, Call, str]]:
    """Yield the steps with a verb that may be refused unseen, with the verb and an outcome in which it is not."""
    for group in phases(scenario):
        for number, step in enumerate(group):
            again = isinstance(step.action, Rhythm)  # and so beside all later steps
            later = [each for each in scenario.steps if each.index >= step.index] if again else group[number:]
            unseen = [each for each in calls(step.action) if not _noticed(scenario, each, step, later)]
            unseen += [each for each in put_in(step) if not _noticed(scenario, each, None, later)]
            if call := next((each for each in unseen if _may_be_refused(scenario, each)), None):
                yield step, call, _best(scenario, call)


def put_in(step: Step) -> Iterator[Call]:
    """Yield the verbs of elements that are put in during a step."""
    for during in step.during:
        for each in during.do if isinstance(during.do, tuple) else ():
            yield from calls(each)


def calls(action: Action | None) -> Iterator[Call]:
    """Yield the verbs of elements in an action: of several begun together, or again and again, each."""
    if isinstance(action, (Together, Rhythm)):
        for each in action.actions:
            yield from calls(each)
    elif isinstance(action, Call):
        yield action


def _verb(scenario: Scenario, call: Call) -> Verb:
    kind = scenario.instances[call.element].kind
    return next(verb for each, verb in scenario.registry.verbs[call.verb] if each == kind)


def _outcomes(scenario: Scenario, call: Call) -> tuple[str, ...]:
    return _verb(scenario, call).outcomes


def _arguments(scenario: Scenario, call: Call) -> type[VerbModel]:
    return _verb(scenario, call).arguments


def _may_be_refused(scenario: Scenario, call: Call) -> bool:
    return any(plain(word) in REFUSAL_WORDS for word in _outcomes(scenario, call))


def _best(scenario: Scenario, call: Call) -> str:
    return next(word for word in _outcomes(scenario, call) if plain(word) not in REFUSAL_WORDS)


def _noticed(scenario: Scenario, call: Call, step: Step | None, later: list[Step]) -> bool:
    """Whether an expectation of the phase would come out otherwise if a verb were refused: its outcome, or its effect.

    Of a verb that asks a control itself (`rebind`) the effect is a decision of that control, what its own element
    holds then, or how a later verb comes out. Any other verb sets procedures going: it shows in what they decide about
    those whom it names, in what is answered, and in what elements hold of them. `step` is the one whose verb it is.
    """
    if step is not None and any(isinstance(each, OutcomeWanted) for each in expected(step)):
        return True
    names = _names(scenario, call)
    for number, each in enumerate(later):
        verbs = [other for at in later[: number + 1] for other in calls(at.action)]
        for condition in expected(each):
            if isinstance(condition, OutcomeWanted):
                shown = any(len(_outcomes(scenario, it)) != 1 and names & _names(scenario, it) for it in verbs[-1:])
            elif isinstance(condition, DecisionWanted):
                shown = condition.subject_id in ("", *names) and _asks(scenario, call, condition)
            elif isinstance(condition, MessageWanted):
                shown = not _arguments(scenario, call).occasion and not condition.message.endswith("-request")
            elif isinstance(condition, EventWanted):
                shown = condition.kind != ANSWER and _wants(condition.fields, names)
            else:
                shown = _holds(scenario, call, verbs, condition) and not _stands(scenario, call, later, condition)
            if shown:
                return True
    return False


def _asks(scenario: Scenario, call: Call, condition: DecisionWanted) -> bool:
    """Whether a decision is one that a verb asks for itself, where it does, and else one of what it sets going."""
    occasion = _arguments(scenario, call).occasion
    if not occasion:
        return True
    kind = scenario.instances[call.element].kind
    own = [each for at, each in scenario.registry.controls.get(condition.control, ()) if at == kind]
    return condition.by in ("", call.element) and any(occasion in map(str, each.occasions) for each in own)


def _holds(scenario: Scenario, call: Call, verbs: list[Call], fact: FactWanted) -> bool:
    """Whether a fact is about what a verb gives its own element to hold, or about those whom it names."""
    names = _names(scenario, call)
    if not _arguments(scenario, call).occasion:
        return fact.element in names or _wants(fact.want, names)
    if fact.element == call.element:
        given = {value for value in call.arguments.values() if isinstance(value, str)}
        return _wants(fact.want, given - scenario.instances.keys())
    return fact.element in names and any(each.element == fact.element for each in verbs)


def _stands(scenario: Scenario, call: Call, phase: list[Step], fact: FactWanted) -> bool:
    """Whether a fact was expected before a phase already, and only the verb itself has come to its element since.

    It then is so whatever becomes of the verb: what an element showed last stays.
    """
    stood = False
    for step in scenario.steps:
        if step.index > phase[-1].index:
            break
        others = [each for each in calls(step.action) if each.verb != call.verb]
        if any(fact.element in _instances(scenario, each) for each in others) or _acts_on(step.action, fact.element):
            stood = False
        if step.index < phase[0].index:
            same = [each for each in expected(step) if isinstance(each, FactWanted) and each.subject == fact.subject]
            stood = any(each.want == fact.want for each in same) if same else stood
    return stood


def _acts_on(action: Action | None, element: str) -> bool:
    return isinstance(action, (Fail, Manage, Power)) and action.element == element


def _names(scenario: Scenario, call: Call) -> set[str]:
    """Return the instances that a verb names, those that the story brings together with them, and their identities."""
    named = _instances(scenario, call)
    for each in (other for step in scenario.steps for other in calls(step.action)):
        together = _instances(scenario, each)
        if together & named:
            named |= together
    return named | {value for name in named for value in scenario.instances[name].identities.values()}


def _instances(scenario: Scenario, call: Call) -> set[str]:
    named = {call.element, *(each for each in call.arguments.values() if isinstance(each, str))}
    return named & scenario.instances.keys()


def _wants(wanted: Any, names: set[str]) -> bool:
    return isinstance(wanted, dict) and any(str(value) in names for value in wanted.values())


# -- claims


def check_claims(scenario: Scenario, loader: Loader, problems: Problems) -> None:
    """Note each claim of a requirement that restricts of which no control's decision is expected."""
    claims = [(name, place) for name, place in zip(scenario.proves, scenario.claimed, strict=False) if _restricts(name)]
    backed = _decided(scenario)
    if any(name not in backed for name, _ in claims):
        backed = backed.union(*map(_decided, _pair(scenario, loader)))
    for name, place in claims:
        if name not in backed:
            held = loader.registry.controls.values()
            controls = dict.fromkeys(each.id for pairs in held for _, each in pairs if name in each.requirements)
            said = f"neither this file nor its twin expects a decision that proves {name}"
            problems.add(said, place, f"its controls: {', '.join(controls)}" if controls else "it has no control yet")


def _restricts(name: str) -> bool:
    return name in requirements() and requirements()[name].restricts


def _decided(scenario: Scenario) -> set[str]:
    """Return the requirements of the controls of which a decision is expected."""
    wanted = [each for step in scenario.steps for each in expected(step) if isinstance(each, DecisionWanted)]
    return {
        requirement
        for each in wanted
        for kind, control in scenario.registry.controls.get(each.control, ())
        if not each.by or scenario.instances[each.by].kind == kind
        for requirement in control.requirements
    }


def _pair(scenario: Scenario, loader: Loader) -> Iterator[Scenario]:
    """Yield the twin of a scenario, and the scenarios beside it whose twin it is."""
    path = Path(scenario.path)
    others = [scenario.twin] if scenario.twin else []
    others += [str(path.parent / each) for each, twin in _twins_in(path.parent).items() if twin == path.name]
    for other in others:
        try:
            yield loader.read(other)
        except SimwardenError:
            continue  # its own check tells what is wrong with it


def _twins_in(directory: Path) -> dict[str, str]:
    """Return the files of a directory that name a twin, with it."""
    found = {}
    for each in directory.glob("*.y*ml"):
        with contextlib.suppress(OSError):  # a folder, or a file that cannot be read
            if match := _TWIN.search(each.read_text(errors="replace")):
                found[each.name] = match[1]
    return found
