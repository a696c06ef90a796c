"""`explain` for what stands in tables: misuses, methods, services and experiments; states of cards; timers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from simwarden.campaign.impact.experiment import find
from simwarden.campaign.impact.measures import MEASURES
from simwarden.campaign.matrix.plan import LEGITIMATE, MISUSE, Plan, read_plan
from simwarden.cli.explaining_files import paragraph
from simwarden.cli.shipped import shipped
from simwarden.errors import SimwardenError
from simwarden.policy.card_states import SERVED, TRANSITIONS, CardState, Operation
from simwarden.runtime.declare import member_docs
from simwarden.scenario.load import read_file
from simwarden.scenario.problems import Problems
from simwarden.scenario.yamlfile import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from simwarden.scenario.registry import Registry


@cache
def _plan(registry: Registry) -> Plan | None:
    """Return the shipped matrix; None where it is not installed, or is not in order (`matrix` says why)."""
    try:
        return read_plan(shipped() / "matrix", registry)
    except SimwardenError:
        return None


def crossed(name: str, registry: Registry) -> Iterator[str]:
    """Tell of a misuse, method or service of the matrix."""
    plan = _plan(registry)
    if plan is None:
        return
    if name in plan.misuses:
        misuse = plan.misuses[name]
        by, story = misuse.value(MISUSE, "user"), misuse.value(LEGITIMATE, "story")
        users = f"by {by}; the legitimate user's story: {story}"
        about = misuse.head.misuse, misuse.head.about, users, f"simwarden matrix --misuse {name}"
        yield paragraph(f"{name}: misuse of the matrix", *about)
    if name in plan.methods:
        head = plan.methods[name].head
        combined = f"combination of methods of the matrix: {', '.join(head.members)}"
        members = [plan.methods[each].head for each in head.members or [name]]
        requires = ", ".join(dict.fromkeys(each for member in members for each in member.requires))
        about = head.title, head.about, requires and f"serves {requires}", f"simwarden matrix --method {name}"
        yield paragraph(f"{name}: {combined if head.members else 'method of the matrix'}", *about)
    if name in plan.services:
        service = plan.services[name]
        kind, lacking = str(service.spot.path[0]).removesuffix("s"), plan.lacking(service)
        built = lacking and f"not built: {lacking}"
        about = service.head.title, service.head.about, built, f"simwarden matrix --service {name}"
        yield paragraph(f"{name}: {kind} of the matrix", *about)


@cache
def _experiments() -> Mapping[str, Path]:
    try:
        return {path.stem: path for path in find([str(shipped() / "impact")])}
    except SimwardenError:
        return {}


def experiment(name: str, _registry: Registry) -> Iterator[str]:
    """Tell of an experiment of `impact`."""
    path = _experiments().get(name)
    if path is not None:
        found = read(read_file(path), str(path), Problems()).data
        measured = ", ".join(MEASURES[kind].title for kind in found["measure"] if kind in MEASURES)
        about = found["experiment"], found.get("about", ""), f"measures: {measured}", f"simwarden impact --match {name}"
        yield paragraph(f"{name}: experiment of `impact`", *about)


def card_state(name: str, _registry: Registry) -> Iterator[str]:
    """Tell of a state of a card on the platform, and of what leads from one to another."""
    for state in (each for each in CardState if each.value == name):
        served = "the network serves it" if state in SERVED else "the network does not serve it"
        from_here = ", ".join(f"{by.value} to {to.value}" for (at, by), to in TRANSITIONS.items() if at is state)
        to_here = ", ".join(f"{at.value} by {by.value}" for (at, by), to in TRANSITIONS.items() if to is state)
        leads = f"leads on: {from_here or 'nowhere'}", f"comes from: {to_here or 'nowhere: cards begin here'}"
        yield paragraph(
            f"{name}: state of a card on the platform; {served}", member_docs(CardState)[state.name], *leads
        )
    for operation in (each for each in Operation if each.value == name):
        steps = ", ".join(f"{at.value} to {to.value}" for (at, by), to in TRANSITIONS.items() if by is operation)
        doc = member_docs(Operation)[operation.name]
        refused = "from elsewhere it is refused (control cmp.transition)"
        yield paragraph(f"{name}: operation on a card of the platform", doc, f"leads from {steps}; {refused}")


def timer(name: str, registry: Registry) -> Iterator[str]:
    """Tell of a timer that an element keeps to."""
    for kind in registry.kinds:
        for each in registry.declaration(kind).timers:
            if each.name.lower() == name.lower():
                yield paragraph(f"{each.name}: timer of {kind}, {each.value} ({each.clause})", each.doc)


def names(registry: Registry) -> Iterator[str]:
    """Yield all names that are told of here."""
    plan = _plan(registry)
    if plan is not None:
        yield from (*plan.misuses, *plan.methods, *plan.services)
    yield from _experiments()
    yield from (each.value for each in (*CardState, *Operation))
    yield from (each.name for kind in registry.kinds for each in registry.declaration(kind).timers)


TELLERS = (crossed, experiment, card_state, timer)
