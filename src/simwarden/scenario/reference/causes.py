"""The page of causes: each refusal that a shipped scenario shows, and what a device does on each cause."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from simwarden.policy.requirements import requirements
from simwarden.scenario.case_reference import split_reference, stem_of
from simwarden.scenario.claims import points_of
from simwarden.scenario.reference.elements import MADE, consequence_rows
from simwarden.scenario.reference.markdown import code, codes, sentence, table
from simwarden.scenario.reference.refusals import next_of, observe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.scenario.claims import Point
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader
    from simwarden.scenario.reference.refusals import Refusal, Refusals, Seen
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.runner import RunOptions
    from simwarden.scenario.suite import Job

_HEAD: Final = """\
# Causes: what each refusal says, and what comes next

Each control that refuses, by element, as the shipped scenarios show it: the causes that the refusal puts on the wire,
message by message until one reaches the access side, what happens then, and the first scenario that shows it. Causes
are named by their specifications: EMM and ESM by TS 24.301, Result-Code by RFC 6733, Experimental-Result and
Equipment-Status by TS 29.272, S1AP by TS 36.413, SW (the card's status word) by TS 102.221, HTTP for the management
interface. `simwarden list --match REQUIREMENT` lists all scenarios about a requirement, `simwarden explain NAME` tells
what a name means. Which result of HSS and EIR becomes which EMM cause is a table that a deployment may change: `causes`
of the [MME](elements/mme.md).
"""
_NEXT: Final = """\
## What is done on each cause

What the elements do when a message brings them a cause. A reject without integrity protection counts for less: a
terminal tries again when T3247 has run out (TS 24.301 5.3.7b).
"""


def causes_page(
    jobs: Sequence[tuple[Job, Scenario]], loader: Loader, options: RunOptions, root: Path
) -> tuple[str, list[str]]:
    """Run the scenarios that claim a refusal and return the page, and the names of those that did not pass.

    `root` is the folder of scenarios, by which they are named.
    """
    found = observe(jobs, loader, options)
    return "\n".join(_page(loader.registry, found, root)), found.broken


def _page(registry: Registry, found: Refusals, root: Path) -> Iterator[str]:
    yield from (MADE, "", _HEAD)
    points = points_of(registry)
    open_ = [name for name, shown in found.shown.items() if not shown]
    for kind in registry.kinds:
        rows = [
            _row(registry, points[name], refusal, paths, root)
            for name, shown in found.shown.items()
            if points[name].kind == kind
            for refusal, paths in shown.items()
        ]
        if rows:
            yield from (f"## Refused by {kind}", "")
            yield from table(("control", "clause", "causes, one after another", "what comes next", "shown by"), rows)
    if open_:
        yield from ("No shipped scenario shows a refusal of " + codes(open_) + ".", "")
    yield _NEXT
    for kind in registry.kinds:
        yield from table(
            ("message", "cause", f"what a {kind} does next", "by"), consequence_rows(registry.declaration(kind))
        )


def _row(
    registry: Registry, point: Point, refusal: Refusal, paths: list[str], root: Path
) -> tuple[str, str, str, str, str]:
    known = requirements().get(point.control.requirement)
    path = Path(paths[0]).relative_to(root).as_posix()
    return (
        code(point.control.id),
        known.clause if known else "",
        " → ".join(map(_seen, refusal.chain)) or refusal.outcome or "none: it is found afterwards",
        sentence(next_of(registry, refusal)),
        f"[{stem_of(path)}](../scenarios/{split_reference(path)[0]})",
    )


def _seen(seen: Seen) -> str:
    return f"{seen.interface} {code(seen.message)}: {seen.cause}"
