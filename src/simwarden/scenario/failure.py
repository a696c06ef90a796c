"""Why a scenario did not pass: the record of it, and how it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.errors import Place
from simwarden.policy.requirements import requirements
from simwarden.scenario.explanation import Explainer
from simwarden.scenario.external_peers import last_of_each, rows_with
from simwarden.scenario.result import FailureRecord
from simwarden.trace.ladder import Style, clock, render
from simwarden.trace.rows import Kind, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.scenario.document import Scenario, Step
    from simwarden.scenario.explanation import Explanation
    from simwarden.scenario.rejections import Phase
    from simwarden.scenario.result import Lane, Mismatch
    from simwarden.trace.events import Event
    from simwarden.trace.rows import Row
    from simwarden.trace.trace import Trace

#: messages that a record shows, how many of them after what it is about, and what else of the trace
_MESSAGES, _AFTER = 6, 4
_SHOWN = (Kind.MESSAGE, Kind.DECISION, Kind.FAULT, Kind.PEER_FAULT)


def make_record(
    scenario: Scenario,
    step: Step | None,
    summary: str,
    *,
    mismatches: tuple[Mismatch, ...],
    trace: Trace,
    phase: Phase,
    acted: int,
    lanes: tuple[Lane, ...],
    links: tuple[str, ...],
    rerun: str,
    detail: str,
) -> FailureRecord:
    """Make the record of a failure in a step (None: before the first).

    `acted` is the number of the last event when the last action was over (0: it is not): what came later came while the
    expectation waited, and explains nothing but a mismatch that it shows.
    """
    late = any(each.event > acted for each in mismatches)
    events = trace.events if late else trace.events[: acted or None]
    if mismatches:
        step = _step_at(scenario, mismatches[0].place) or step
    found = Explainer(scenario, events, phase, step).explain(mismatches)
    place = mismatches[0].place if mismatches else step.place if step else Place(scenario.path)
    order = {lane.name: lane.order for lane in lanes}
    return FailureRecord(
        place=place,
        step=step.text if step else "set-up",
        summary=summary,
        mismatches=mismatches,
        links=links,
        ignored=tuple(f"{each.element} ignored what {each.peer} sent: {each.reason}" for each in found.faults),
        ladder=messages_around(events, found.event, order) if found.event else last_rows(rows_of(events), order),
        around="the decision" if found.decided and found.event == found.decided.number else "it" if found.event else "",
        rerun=f"simwarden run {scenario.reference}{rerun}",
        detail=detail,
        **_told_by(found),
        **_of_external(scenario, events, order),
    )


def _of_external(scenario: Scenario, events: list[Event], order: Mapping[str, int]) -> dict[str, Any]:
    """Return the last messages from and to external elements, as fields of a record."""
    external = scenario.external.keys()
    if not external:
        return {}
    rows = rows_of(events)
    ladder = last_rows(rows_with(rows, external), order)
    return {"outside": tuple(last_of_each(rows, external)), "outside_ladder": ladder}


def _step_at(scenario: Scenario, place: Place) -> Step | None:
    """Return the step that a line of the file belongs to."""
    return next((each for each in reversed(scenario.steps) if each.place.line <= place.line), None)


def _told_by(found: Explanation) -> dict[str, Any]:
    """Return who decided, and why, as fields of a record."""
    decided, said = found.decided, found.said
    if decided is not None:
        known = requirements().get(decided.decision.control.requirement)
        return {
            "element": decided.element,
            "control": decided.decision.control.id,
            "clause": f"{known.clause} {known.title}" if known else "",
            "reason": decided.decision.reason,
            "kept": f"{clock(decided.time)} s" if found.kept else "",
        }
    return {"element": said.element, "clause": said.clause, "reason": said.reason} if said is not None else {}


def last_rows(rows: Sequence[Row], order: Mapping[str, int]) -> tuple[str, ...]:
    """Draw the last messages, and what was decided between them, as a ladder."""
    return _drawn(rows, len(rows), order)


def messages_around(events: list[Event], number: int, order: Mapping[str, int]) -> tuple[str, ...]:
    """Draw the messages around an event: what led to it, and more of what came of it, as far as there are so many.

    What others admit after it explains nothing, and would hide in many lines what the device was told.
    """
    rows = [
        row for row in rows_of(events) if row.number <= number or (row.kind, row.verdict) != (Kind.DECISION, "admit")
    ]
    at = sum(row.number < number for row in rows)
    after = [place for place, row in enumerate(rows) if place >= at and row.kind is Kind.MESSAGE][:_AFTER]
    return _drawn(rows, max(after[-1], at) + 1 if after else len(rows), order)


def _drawn(rows: Sequence[Row], end: int, order: Mapping[str, int]) -> tuple[str, ...]:
    """Draw the rows before `end`, from the last few messages on."""
    rows = [row for row in rows[:end] if row.kind in _SHOWN]
    messages = [index for index, row in enumerate(rows) if row.kind is Kind.MESSAGE]
    start = messages[-_MESSAGES] if len(messages) >= _MESSAGES else 0
    shown = rows[start:]
    return tuple(render(shown, order, Style(full=True))) if shown else ()


def text_of(record: FailureRecord, capture: str = "") -> str:
    """Write a record for a terminal."""
    lines = [f"{record.place}: {record.step}", f"  {record.summary}"]
    for each in record.mismatches:
        lines += [f"  {each.place.line}: {each.subject}", f"    - want  {each.want}", f"    + got   {each.got}"]
    lines += [f"  {told}" for told in (decided_text(record), *_beside(record)) if told]
    lines += [f"  {told}" for told in record.outside]
    if record.outside_ladder:
        lines += ["  messages with external elements:", *(f"  {line}" for line in record.outside_ladder)]
    if record.ladder:
        title = f"messages around {record.around}" if record.around else "last messages"
        lines += [f"  {title}:", *(f"  {line}" for line in record.ladder)]
    if capture:
        lines.append(f"  capture: {capture}")
    if record.rerun:
        lines.append(f"  run it alone: {record.rerun}")
    if record.detail:
        lines += ["", "This is an internal error; please report it with these lines:", record.detail.rstrip()]
    return "\n".join(lines)


def decided_text(record: FailureRecord) -> str:
    """Say who decided, or what the protocol demanded; empty where no decision has to do with the failure."""
    if not record.element:
        return ""
    if not record.control:
        return f"demanded of {record.element} by {record.clause}, no control decided: {record.reason}"
    clause = f", clause {record.clause}" if record.clause else ""
    kept = f" (kept from before: decided at {record.kept})" if record.kept else ""
    return f"decided by {record.element}, control {record.control}{clause}: {record.reason}{kept}"


def _beside(record: FailureRecord) -> Iterator[str]:
    yield from (f"no link: {each}" for each in record.links)
    yield from record.ignored
