"""What a fact was at every moment of a phase: for `never`, which judges what stands as well as what changes.

A phase begins with its first verb. What stood before and what that verb ends at once (in the same moment of virtual
time; on the real clock, where effects take a while, within a second) was before the phase. All else that stood is part
of it: a meter that was served since long ago is served in a phase that only waits, and a session that the second verb
ends stood until then. What comes true in the phase counts however short it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.scenario.match import matches
from simwarden.trace.events import StateChange, StepMark

if TYPE_CHECKING:
    from collections.abc import Collection

    from simwarden.scenario.document import FactWanted
    from simwarden.trace.events import Event

#: seconds in which a verb has its first effects, in virtual time and in real time
AT_ONCE_VIRTUAL, AT_ONCE_REAL = 0.0, 1.0


class History:
    """The changes of the facts that some `never` of a scenario names, and its steps."""

    def __init__(self, watched: Collection[tuple[str, str]], at_once: float = AT_ONCE_VIRTUAL) -> None:
        """`watched` are elements with the name of an observable; `at_once` is how long a first effect may take."""
        self._changes: dict[tuple[str, str], list[StateChange]] = {name: [] for name in watched}
        self._marks: list[StepMark] = []
        self._at_once = at_once

    def follow(self, event: Event) -> None:
        """Take the next event of the trace."""
        if isinstance(event, StateChange):
            changes = self._changes.get((event.element, event.observable))
            if changes is not None:
                changes.append(event)
        elif isinstance(event, StepMark):
            self._marks.append(event)

    def held(self, fact: FactWanted, since: int) -> StateChange | None:
        """Return the change by which a fact is what it never should be in the phase after event number `since`.

        That change may be older than the phase; of a fact of which nothing was told before, it is one made up.
        """
        changes = self._changes[fact.element, fact.observable]
        before = {each.key: each for each in changes if each.number <= since}
        inside = [each for each in changes if each.number > since]
        began, second = self._first_verb(since)
        ended = {each.key for each in inside if each.number < second and each.time - began <= self._at_once}
        nothing = StateChange(element=fact.element, observable=fact.observable, value=None, number=since, time=began)
        if not fact.record:
            before.setdefault(None, nothing)
        elif fact.want is None:
            return _emptied(before, inside, None if ended else nothing)
        standing = [each for key, each in before.items() if key not in ended]
        return next((each for each in (*standing, *inside) if _is(fact, each)), None)

    def _first_verb(self, since: int) -> tuple[float, float]:
        """Return when the first verb of a phase began, and the number of the event with which the next step does."""
        began = next((each.time for each in self._marks if each.number == since), 0.0)
        return began, next((each.number for each in self._marks if each.number > since), float("inf"))


def _is(fact: FactWanted, state: StateChange) -> bool:
    """Whether a state is the unwanted one; a record that is gone is none, a value may be wanted to be none."""
    return (not fact.record or state.value is not None) and matches(fact.want, state.value, fact.observable)


def _emptied(
    before: dict[str | None, StateChange], inside: list[StateChange], nothing: StateChange | None
) -> StateChange | None:
    """Return the change that left no record; `nothing` where there was none before, and none came at once."""
    held = {key for key, each in before.items() if each.value is not None}
    if not held and nothing is not None:
        return nothing
    for each in inside:
        (held.discard if each.value is None else held.add)(each.key)
        if not held:
            return each
    return None
