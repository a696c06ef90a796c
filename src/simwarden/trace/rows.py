"""Rows of a ladder: the trace as people read it, for the terminal, the report and whoever compares two runs.

A row is plain data (it can be pickled and is `json.dumps`-able by `as_json`); keys are masked in it, since it is made
from dissections.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from simwarden.model.interfaces import spoken_on
from simwarden.policy.requirements import requirements
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import (
    Decided,
    Event,
    Fault,
    Frame,
    Note,
    PacketDropped,
    PeerFault,
    Rejected,
    StateChange,
    StepMark,
)
from simwarden.trace.mask import masked, masked_octets
from simwarden.trace.verdicts import frames_of_decisions
from simwarden.wire.family import family_of, with_carried

if TYPE_CHECKING:
    from simwarden.policy.decision import Control
    from simwarden.wire.dissection import Dissection
    from simwarden.wire.family import Family


class Kind(enum.Enum):
    """What a row shows."""

    STEP = "step"
    MESSAGE = "message"
    DECISION = "decision"
    NOTE = "note"
    STATE = "state"
    #: malformed bytes that an element received
    PEER_FAULT = "peer-fault"
    #: a bug of ours
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a ladder.

    `number` and `time` (seconds since the run's start) are the event's. `source` is the sender, or the element that
    the row is about; `target` the receiver of a message. `verdict` is `admit` or `refuse` on a decision and on the
    message that carries it. `quiet` rows belong to the run but not to its story: reading of the card's files, and the
    network's own start.
    """

    kind: Kind
    number: int
    time: float
    text: str
    source: str = ""
    target: str = ""
    interface: str = ""
    name: str = ""
    verdict: str = ""
    cause: str = ""
    control: str = ""
    clause: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    octets: bytes = b""
    line: int = 0
    quiet: bool = False

    @property
    def refused(self) -> bool:
        """Whether something was blocked here: a rule said no, or the message carries a cause."""
        return self.verdict == "refuse" or bool(self.cause)


def rows_of(events: Sequence[Event]) -> list[Row]:
    """Return the rows of a whole trace, in order."""
    return list(each_row(events, Dissector()))


def each_row(events: Sequence[Event], dissector: Dissector) -> Iterator[Row]:
    """Yield the rows of a trace, or of its next part, with the `dissector` that read the parts before.

    A part begins with what the network does before the story, or with a step.
    """
    decided = _verdicts(events)
    started = not any(isinstance(event, StepMark) for event in events)
    for event in events:
        started = started or isinstance(event, StepMark)
        row = _row(event, dissector)
        if row is None:
            continue
        if isinstance(event, Frame):
            quiet = _is_quiet(row, family_of(event.protocol), started=started)
            row = replace(row, verdict=decided.get(row.number, ""), quiet=quiet)
        elif not started:
            row = replace(row, quiet=not row.refused)
        yield row


def _verdicts(events: Sequence[Event]) -> dict[int, str]:
    """Return the verdict that each message carries; a refusal counts more than an admission."""
    verdicts: dict[int, str] = {}
    for decision, frame in frames_of_decisions(events):
        verdict = decision.decision.verdict.value
        if verdict == "refuse" or frame.number not in verdicts:
            verdicts[frame.number] = verdict
    return verdicts


def _is_quiet(row: Row, family: Family, *, started: bool) -> bool:
    if row.cause:
        return False
    if not started or family.telling is None:
        return not started
    names, fields = family.telling
    return row.name not in names and fields.isdisjoint(row.fields)


def _row(event: Event, dissector: Dissector) -> Row | None:
    if isinstance(event, Frame):
        return _message(event, dissector.dissect(event))
    if isinstance(event, Decided):
        return _decision(event)
    make = _OTHERS.get(type(event))
    return make(event) if make else None


def _message(frame: Frame, found: Dissection) -> Row:
    family = family_of(frame.protocol)
    return Row(
        kind=Kind.MESSAGE,
        number=frame.number,
        time=frame.time,
        text=_told(found, family),
        source=frame.source,
        target=frame.target,
        interface=frame.interface,
        name=found.name,
        cause=found.cause if _refuses(found, family) else "",
        fields=fields_of(found),
        octets=masked(frame),
    )


def _refuses(found: Dissection, family: Family) -> bool:
    """Whether the cause of a message is none of why something is done, nor of how it ended well (Q.850 #16)."""
    if not found.cause or found.name in family.reasons:
        return False
    parts, fields = (found, *found.inner), [each for one in with_carried(family.name) for each in one.cause_fields]
    causes = [(each, part.fields[each.name]) for part in parts for each in fields if each.name in part.fields]
    return not causes or any(each.refuses(value) for each, value in causes)


def _told(found: Dissection, family: Family) -> str:
    """Return what a ladder says of a message: what it carries comes first, and mere carriers are not named."""
    if not found.inner or not found.fields:
        return found.summary
    carried = "; ".join(part.summary for part in found.inner)
    carrier = found.summary.partition(",")[0].partition(" (")[0]
    return carried if found.name in family.carriers else f"{carried} (in {carrier})"


def _decision(event: Decided) -> Row:
    decision, control = event.decision, event.decision.control
    about = {"subject": decision.subject, "occasion": str(decision.occasion)}
    fields = {**about, "reason": decision.reason, "title": control.title, **decision.details}
    return Row(
        kind=Kind.DECISION,
        number=event.number,
        time=event.time,
        text=reason_of(event),
        source=event.element,
        verdict=decision.verdict.value,
        control=control.id,
        clause=clause_of(control),
        fields=as_json({name: value for name, value in fields.items() if value != ""}),
    )


def reason_of(event: Decided) -> str:
    """Return why a control decided as it did: its reason, what it expected and saw where it refused, and its switch."""
    decision = event.decision
    names = () if decision.admitted else ("expected", "seen")
    compared = [f"{name} {_listed(decision.details[name])}" for name in names if decision.details.get(name)]
    told = f"{decision.reason}: {', '.join(compared)}" if compared else decision.reason
    return f"{told} ({event.forced})" if event.forced else told


def _listed(value: Any) -> str:
    """Return a value for people: what is one of several with `or`, not with the brackets of a list."""
    plain = as_json(value)
    return " or ".join(map(str, plain)) if isinstance(plain, list) else str(plain)


def clause_of(control: Control) -> str:
    """Return the clause of the guideline that a control serves; empty where the requirement is the user's own."""
    found = requirements().get(control.requirement)
    return found.clause if found else ""


def _rejection(event: Rejected) -> Row | None:
    """Make the row of a rejection that the protocol demands; what a control decided has the row of its decision."""
    if not event.clause:
        return None
    cause = f" {as_json(event.cause)}" if event.cause is not None else ""
    text = f"{event.clause} demands {event.message}{cause}: {event.reason}"
    fields = {"subject": event.subject} if event.subject else {}
    return Row(Kind.NOTE, event.number, event.time, text, event.element, clause=event.clause, fields=fields)


def _state(event: StateChange) -> Row:
    about = f"{event.observable} {event.key}" if event.key else event.observable
    value = as_json(event.value)
    shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
    text = f"{about}: {'gone' if event.value is None else shown}"
    return Row(Kind.STATE, event.number, event.time, text, event.element, fields={event.observable: value})


def _note(event: Note) -> Row:
    return Row(Kind.NOTE, event.number, event.time, event.text, event.element, fields=as_json(event.fields))


def _step(event: StepMark) -> Row:
    return Row(Kind.STEP, event.number, event.time, event.text, line=event.line, fields={"step": event.index + 1})


def _peer_fault(event: PeerFault) -> Row:
    text = f"bad bytes from {event.peer}: {event.reason}"
    row = Row(Kind.PEER_FAULT, event.number, event.time, text, event.element, event.peer, event.interface)
    return replace(row, cause=event.reason, octets=octets_of(event))


def _packet_dropped(event: PacketDropped) -> Row:
    text = f"user packet dropped: {event.reason}"
    row = Row(Kind.NOTE, event.number, event.time, text, event.element, interface=event.interface)
    return replace(row, octets=octets_of(event))


def octets_of(event: PeerFault | PacketDropped) -> bytes:
    """Return the octets that an event is about without the keys that can be found in them."""
    data = event.data
    for each in spoken_on(event.interface):
        data = masked_octets(data, each.protocol)
    return data


def _fault(event: Fault) -> Row:
    row = Row(Kind.FAULT, event.number, event.time, f"internal error: {event.reason}", event.element)
    return replace(row, cause=event.reason, fields={"traceback": event.detail} if event.detail else {})


_OTHERS: Final[Mapping[type[Event], Callable[[Any], Row | None]]] = {
    Note: _note,
    Rejected: _rejection,
    StateChange: _state,
    StepMark: _step,
    PacketDropped: _packet_dropped,
    PeerFault: _peer_fault,
    Fault: _fault,
}


def fields_of(found: Dissection) -> dict[str, Any]:
    """Return a dissection's fields as plain data, with those of the messages inside under their names."""
    fields = {name: as_json(value) for name, value in found.fields.items()}
    for part in found.inner:
        fields[part.name] = fields_of(part)
    return fields


def as_json(value: Any) -> Any:
    """Return a value as plain data: octets as hex, enumerations as number and name, the rest as text."""
    if isinstance(value, enum.Enum):
        return f"{int(value)} {value.name}" if isinstance(value, int) else str(value.value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, Iterable) else str(value)
