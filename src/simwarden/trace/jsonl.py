"""The trace as lines of JSON, one an event, for whoever wants to search or count it: `jq`, DuckDB, a notebook.

Every line has `n` (number), `t` (seconds since the run's start) and `kind`; a frame has what it says and its octets,
keys masked in both. The octets as they were are in the capture.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Decided, Event, Frame, PacketDropped, PeerFault
from simwarden.trace.mask import masked
from simwarden.trace.rows import as_json, clause_of, fields_of, octets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COMMON: Final = frozenset(field.name for field in fields(Event))


def lines_of(events: Iterable[Event], **about: Any) -> Iterator[str]:
    """Yield a line (without its end) for each event; `about` is put into every one (`scenario="moved-card"`)."""
    dissector = Dissector()
    for event in events:
        yield line_of(event, dissector, **about)


def line_of(event: Event, dissector: Dissector, **about: Any) -> str:
    """Return the line of an event; frames of one trace take the same Dissector."""
    record = about | {"n": event.number, "t": event.time, "kind": event.kind}
    if isinstance(event, Frame):
        record |= _frame(event, dissector)
    elif isinstance(event, Decided):
        record |= _decision(event)
    else:
        names = (field.name for field in fields(event))
        record |= {name: as_json(getattr(event, name)) for name in names if name not in _COMMON}
        if isinstance(event, (PeerFault, PacketDropped)):
            record["data"] = octets_of(event).hex()
    line = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    # What cannot be printed stands in texts only: a terminal that the file is shown on must not act on it.
    return line if line.isprintable() else json.dumps(record, separators=(",", ":"))


def _frame(frame: Frame, dissector: Dissector) -> dict[str, Any]:
    found = dissector.dissect(frame)
    record = {
        "source": frame.source,
        "target": frame.target,
        "interface": frame.interface,
        "link": frame.link,
        "message": found.name,
        "summary": found.summary,
        "cause": found.cause,
        "fields": fields_of(found),
        "octets": masked(frame).hex(),
    }
    return {name: value for name, value in record.items() if value != ""}


def _decision(event: Decided) -> dict[str, Any]:
    decision = event.decision
    record = {
        "element": event.element,
        "control": decision.control.id,
        "occasion": str(decision.occasion),
        "requirement": decision.control.requirement,
        "clause": clause_of(decision.control),
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "subject": decision.subject,
        "details": as_json(decision.details),
        "forced": event.forced,
    }
    return {name: value for name, value in record.items() if value not in ("", {})}
