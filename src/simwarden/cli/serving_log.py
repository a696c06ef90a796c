"""What a served element writes to standard error: plain lines, short ones, and of one peer no more than is read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from simwarden.cli.exits import complain
from simwarden.plain import LONGEST, plain
from simwarden.trace.events import Decided, Fault, Note, PeerFault

if TYPE_CHECKING:
    from simwarden.runtime.clock import Clock
    from simwarden.trace.events import Event

#: seconds that lines of one kind are counted for, and how many of them are written
WINDOW, MOST = 10.0, 20
#: kinds that are counted apart; beyond them all are one, so that many addresses are no way round
_KINDS = 256


class Log:
    """A sink of the trace."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._written: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        """Write what an operator of the element should see."""
        if isinstance(event, Fault):
            self._limited("faults", f"fault in {event.element}: {event.reason}", event.detail)
        elif isinstance(event, PeerFault):
            told = f"peer {event.peer} on {event.interface}: {event.reason}"
            self._limited(f"peer {event.peer.rpartition(':')[0] or event.peer}", told)
        elif isinstance(event, Decided) and not event.decision.admitted:
            control, subject = event.decision.control.id, event.decision.subject or "a call"
            self._limited(f"refusals by {control}", f"refused {subject} by {control}: {event.decision.reason}")
        elif isinstance(event, Note):
            self._limited(f"{event.element}: {event.text[:40].partition(' ')[0]}", event.text)

    def _limited(self, kind: str, text: str, detail: str = "") -> None:
        if kind not in self._written and len(self._written) >= _KINDS:
            kind = "others"
        self._written[kind] += 1
        if self._written[kind] == 1:
            self._clock.call_later(WINDOW, lambda: self._count(kind))
        if self._written[kind] <= MOST:
            self._write(text, detail)

    def _count(self, kind: str) -> None:
        more = self._written.pop(kind) - MOST
        if more > 0:
            self._write(f"{more} more lines about {kind} in {WINDOW:g} s")

    def _write(self, text: str, detail: str = "") -> None:
        lines = [f"{self._clock.wall():%Y-%m-%dT%H:%M:%SZ} {plain(text, LONGEST)}"]
        lines += [f"  {plain(line, LONGEST)}" for line in detail.rstrip().split("\n") if line]
        complain("\n".join(lines))
