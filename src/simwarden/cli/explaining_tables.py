"""`explain` for what stands in tables: misuses, methods, services and experiments; states of cards; timers."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from simwarden.campaign.impact.experiment import find
from simwarden.campaign.impact.measures import MEASURES
from simwarden.campaign.matrix.plan import LEGITIMATE, MISUSE, Plan, read_plan
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


def _may_be_there(name: str) -> bool:
    """Whether a file or a key of the matrix is called so; all of it is read for one that may be."""
    key = re.compile(rf"^ *['\"]?{re.escape(name)}['\"]?:", re.MULTILINE)
    try:
        files = [*(shipped() / "matrix").rglob("*.yaml")]
        return any(path.stem == name or key.search(path.read_text("utf-8")) for path in files)
    except (SimwardenError, OSError):
        return False


def crossed(name: str, registry: Registry) -> Iterator[str]:
    """Tell of a misuse, method or service of the matrix."""
    plan = _plan(registry) if _may_be_there(name) else None
    if plan is None:
        return
    if name in plan.misuses:
        misuse = plan.misuses[name]
        lines = [f"{name}: misuse of the matrix", f"  {misuse.head.misuse}", *_about(misuse.head.about)]
        by, story = misuse.value(MISUSE, "user"), misuse.value(LEGITIMATE, "story")
        yield "\n".join(
            [*lines, f"  by {by}; the legitimate user's story: {story}", f"  simwarden matrix --misuse {name}"]
        )
    if name in plan.methods:
        head = plan.methods[name].head
        members = f"combination of methods of the matrix: {', '.join(head.members)}"
        lines = [
            f"{name}: {members if head.members else 'method of the matrix'}",
            f"  {head.title}",
            *_about(head.about),
        ]
        requires = dict.fromkeys(
            each for member in head.members or [name] for each in plan.methods[member].head.requires
        )
        lines += [f"  serves {', '.join(requires)}"] if requires else []
        yield "\n".join([*lines, f"  simwarden matrix --method {name}"])
    if name in plan.services:
        service = plan.services[name]
        kind = service.spot.path[0].removesuffix("s") if isinstance(service.spot.path[0], str) else ""
        lines = [f"{name}: {kind} of the matrix", f"  {service.head.title}", *_about(service.head.about)]
        lines += [f"  not built: {plan.lacking(service)}"] if plan.lacking(service) else []
        yield "\n".join([*lines, f"  simwarden matrix --service {name}"])


def _about(text: str) -> list[str]:
    return [f"  {' '.join(text.split())}"] if text else []


@cache
def _experiments() -> Mapping[str, Path]:
    try:
        return {path.stem: path for path in find([str(shipped() / "impact")])}
    except SimwardenError:
        return {}


def experiment(name: str, registry: Registry) -> Iterator[str]:
    """Tell of an experiment of `impact`."""
    del registry
    path = _experiments().get(name)
    if path is not None:
        found = read(read_file(path), str(path), Problems()).data
        measured = [MEASURES[kind].title for kind in found["measure"] if kind in MEASURES]
        lines = [f"{name}: experiment of `impact`", f"  {found['experiment']}", *_about(found.get("about", ""))]
        lines += [f"  measures: {', '.join(measured)}", f"  simwarden impact --match {name}"]
        yield "\n".join(lines)


def card_state(name: str, registry: Registry) -> Iterator[str]:
    """Tell of a state of a card on the platform, and of what leads from one to another."""
    del registry
    for state in CardState:
        if state.value == name:
            served = "the network serves it" if state in SERVED else "the network does not serve it"
            from_here = [f"{by.value} to {to.value}" for (at, by), to in TRANSITIONS.items() if at is state]
            to_here = [f"{at.value} by {by.value}" for (at, by), to in TRANSITIONS.items() if to is state]
            yield "\n".join(
                [
                    f"{name}: state of a card on the platform; {served}",
                    *_about(member_docs(CardState)[state.name]),
                    f"  leads on: {', '.join(from_here) or 'nowhere'}",
                    f"  comes from: {', '.join(to_here) or 'nowhere: cards begin here'}",
                ]
            )
    for operation in Operation:
        if operation.value == name:
            steps = [f"{at.value} to {to.value}" for (at, by), to in TRANSITIONS.items() if by is operation]
            yield "\n".join(
                [
                    f"{name}: operation on a card of the platform",
                    *_about(member_docs(Operation)[operation.name]),
                    f"  leads from {', '.join(steps)}; from elsewhere it is refused (control cmp.transition)",
                ]
            )


def timer(name: str, registry: Registry) -> Iterator[str]:
    """Tell of a timer that an element keeps to."""
    for kind in registry.kinds:
        for each in registry.declaration(kind).timers:
            if each.name.lower() == name.lower():
                yield f"{each.name}: timer of {kind}, {each.value} ({each.clause})\n  {each.doc}"


def names(registry: Registry) -> Iterator[str]:
    """Yield all names that are told of here."""
    plan = _plan(registry)
    if plan is not None:
        yield from (*plan.misuses, *plan.methods, *plan.services)
    yield from _experiments()
    yield from (each.value for each in (*CardState, *Operation))
    yield from (each.name for kind in registry.kinds for each in registry.declaration(kind).timers)


TELLERS = (crossed, experiment, card_state, timer)
