"""What a served element writes to standard error: lines for people or JSON, and of one peer no more than is read."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import structlog

from simwarden.cli.options import Level, LogForm
from simwarden.plain import LONGEST, plain
from simwarden.trace.events import Decided, Fault, Note, PeerFault

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from simwarden.runtime.clock import Clock
    from simwarden.trace.events import Event

    Entry = MutableMapping[str, Any]

#: seconds that lines of one kind are counted for, and how many of them are written
WINDOW, MOST = 10.0, 20
#: kinds that are counted apart; beyond them all are one, so that many addresses are no way round, save faults and
#: refusals, of which there are few kinds: many addresses do not hide them either
_KINDS = 256
#: fields whose values stand in the text, for people
_SAID = ("element", "peer", "interface", "control", "subject", "reason", "verdict")


class Log:
    """A sink of the trace."""

    def __init__(self, clock: Clock, form: LogForm = LogForm.CONSOLE, level: Level = Level.INFO) -> None:
        self._clock = clock
        self._written: Counter[str] = Counter()
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False) if form is LogForm.JSON else _for_people
        self._log = structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            processors=[self._stamp, structlog.processors.add_log_level, _plainly, renderer],
            wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.name)),
        )

    def __call__(self, event: Event) -> None:
        """Write what an operator of the element should see."""
        if isinstance(event, Fault):
            about = {"element": event.element, "reason": event.reason, "detail": event.detail}
            self._limited(Level.ERROR, "faults", f"fault in {event.element}: {event.reason}", about)
        elif isinstance(event, PeerFault):
            told = f"peer {event.peer} on {event.interface}: {event.reason}"
            about = {"peer": event.peer, "interface": event.interface, "reason": event.reason}
            self._limited(Level.WARNING, f"peer {event.peer.rpartition(':')[0] or event.peer}", told, about)
        elif isinstance(event, Decided):
            self._decided(event)
        elif isinstance(event, Note):
            kind = f"{event.element}: {event.text[:40].partition(' ')[0]}"
            self._limited(Level.INFO, kind, event.text, {"element": event.element, **event.fields})

    def say(self, level: Level, text: str) -> None:
        """Write what the process has to say beside the trace."""
        self._log.log(getattr(logging, level.name), text)

    def _decided(self, event: Decided) -> None:
        decision = event.decision
        about = {"control": decision.control.id, "subject": decision.subject, "reason": decision.reason}
        level, word = (Level.DEBUG, "admitted") if decision.admitted else (Level.INFO, "refused")
        if not decision.admitted and decision.control.narrows:
            level, word = Level.DEBUG, "limited"
        text = f"{word} {decision.subject or 'a call'} by {decision.control.id}: {decision.reason}"
        self._limited(level, f"{word} by {decision.control.id}", text, {**about, "verdict": word})

    def _limited(self, level: Level, kind: str, text: str, about: dict[str, Any]) -> None:
        if not self._log.is_enabled_for(getattr(logging, level.name)):
            return
        few = "control" in about or level is Level.ERROR
        if not few and kind not in self._written and len(self._written) >= _KINDS:
            kind = "others"
        self._written[kind] += 1
        if self._written[kind] == 1:
            self._clock.call_later(WINDOW, lambda: self._count(level, kind))
        if self._written[kind] <= MOST:
            self._log.log(getattr(logging, level.name), text, **about)

    def _count(self, level: Level, kind: str) -> None:
        more = self._written.pop(kind) - MOST
        if more > 0:
            self.say(level, f"{more} more lines about {kind} in {WINDOW:g} s")

    def _stamp(self, _logger: object, _method: str, entry: Entry) -> Entry:
        entry["time"] = f"{self._clock.wall():%Y-%m-%dT%H:%M:%SZ}"
        return entry


def _plainly(_logger: object, _method: str, entry: Entry) -> Entry:
    """Let what peers say steer no terminal and fill no disk; lines of a traceback stay lines."""
    for name, value in entry.items():
        lines = str(value).rstrip().split("\n") if name == "detail" else [str(value)]
        entry[name] = "\n".join(plain(line, LONGEST) for line in lines)
    return entry


def _for_people(_logger: object, _method: str, entry: Entry) -> str:
    time, text, detail = entry.pop("time"), entry.pop("event"), entry.pop("detail", "")
    level = entry.pop("level")
    head = f"{time} {text}" if level == Level.INFO else f"{time} {level}: {text}"
    more = [f"{name}={value}" for name, value in entry.items() if name not in _SAID]
    return "\n".join([" ".join([head, *more]), *(f"  {line}" for line in detail.split("\n") if line)])
