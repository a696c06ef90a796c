"""Why a scenario did not pass: the record of it, and how it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.errors import Place
from simwarden.policy.requirements import requirements
from simwarden.scenario.result import FailureRecord
from simwarden.trace.events import Decided
from simwarden.trace.ladder import Style, render
from simwarden.trace.rows import Kind, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simwarden.scenario.document import Scenario, Step
    from simwarden.scenario.result import Lane, Mismatch
    from simwarden.trace.events import Event
    from simwarden.trace.rows import Row
    from simwarden.trace.trace import Trace

#: messages that a record shows
_MESSAGES = 6


def make_record(
    scenario: Scenario,
    step: Step | None,
    summary: str,
    *,
    mismatches: tuple[Mismatch, ...],
    trace: Trace,
    phase: int,
    acted: int,
    lanes: tuple[Lane, ...],
    rerun: str,
    detail: str,
) -> FailureRecord:
    """Make the record of a failure in a step (None: before the first).

    `phase` is the number of the last event before the phase; `acted` that of the last one when the last action was
    over (0: it is not): what came later came while the expectation waited, and explains nothing.
    """
    subjects = {each.subject.partition(".")[0] for each in mismatches}
    decided = _explaining(list(trace.since(phase, Decided)), subjects)
    place = mismatches[0].place if mismatches else step.place if step else Place(scenario.path)
    known = requirements().get(decided.decision.control.requirement) if decided else None
    return FailureRecord(
        place=place,
        step=step.text if step else "set-up",
        summary=summary,
        mismatches=mismatches,
        element=decided.element if decided else "",
        control=decided.decision.control.id if decided else "",
        clause=f"{known.clause} {known.title}" if known else "",
        reason=decided.decision.reason if decided else "",
        ladder=last_messages(trace.events[: acted or None], {lane.name: lane.order for lane in lanes}),
        rerun=f"simwarden run {scenario.path}{rerun}",
        detail=detail,
    )


def _explaining(made: list[Decided], subjects: set[str]) -> Decided | None:
    """Return the decision that tells most: the last refusal, else the last by an element that did not do as wanted."""
    refused = [each for each in made if not each.decision.admitted]
    telling = refused or [each for each in made if each.element in subjects] or made
    return telling[-1] if telling else None


def last_messages(events: list[Event], order: Mapping[str, int], count: int = _MESSAGES) -> tuple[str, ...]:
    """Draw the last messages, and what was decided between them, as a ladder."""
    return last_rows(rows_of(events), order, count)


def last_rows(rows: Sequence[Row], order: Mapping[str, int], count: int = _MESSAGES) -> tuple[str, ...]:
    """Do the same with rows that have been made."""
    rows = [row for row in rows if row.kind in (Kind.MESSAGE, Kind.DECISION, Kind.FAULT)]
    messages = [index for index, row in enumerate(rows) if row.kind is Kind.MESSAGE]
    start = messages[-count] if len(messages) >= count else 0
    shown = rows[start:]
    return tuple(render(shown, order, Style(full=True))) if shown else ()


def text_of(record: FailureRecord, capture: str = "") -> str:
    """Write a record for a terminal."""
    lines = [f"{record.place}: {record.step}", f"  {record.summary}"]
    for each in record.mismatches:
        lines += [f"  {each.place.line}: {each.subject}", f"    - want  {each.want}", f"    + got   {each.got}"]
    if record.control:
        clause = f", clause {record.clause}" if record.clause else ""
        lines.append(f"  decided by {record.element}, control {record.control}{clause}: {record.reason}")
    if record.ladder:
        lines += ["  last messages:", *(f"  {line}" for line in record.ladder)]
    if capture:
        lines.append(f"  capture: {capture}")
    if record.rerun:
        lines.append(f"  run it alone: {record.rerun}")
    if record.detail:
        lines += ["", "This is a fault of simwarden's own; please report it with these lines:", record.detail.rstrip()]
    return "\n".join(lines)
