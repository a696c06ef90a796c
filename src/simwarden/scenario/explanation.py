"""What explains that an expectation was not met: the decision that has to do with it, and what was ignored beside it.

A decision has to do with a mismatch if it is about the same subject and made by the element that the mismatch is about,
if it is behind the rejection that an element was told, if the message that differs carries it, or if the file expects
it. Where none is, none is named. One that was made before the phase is a kept one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simwarden.scenario.document import Call, DecisionWanted, Manage
from simwarden.scenario.event_fields import ANSWER
from simwarden.scenario.rejections import refusal_behind, why_rejected
from simwarden.trace.events import Decided, Frame, PeerFault, Rejected, StateChange
from simwarden.trace.verdicts import frames_of_decisions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.scenario.document import Scenario, Step
    from simwarden.scenario.rejections import Phase
    from simwarden.scenario.result import Mismatch
    from simwarden.trace.events import Event

#: peer faults that are told at most
_FAULTS: Final = 3


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision that explains a mismatch, whether it was `kept` from before, or what the protocol demanded.

    `event` is the number of the event around which the messages tell most, 0 if nothing says so.
    """

    decided: Decided | None = None
    kept: bool = False
    said: Rejected | None = None
    event: int = 0
    faults: tuple[PeerFault, ...] = ()


class Explainer:
    """Explains the mismatches of one step; `events` is the trace up to what matters, from its beginning."""

    def __init__(self, scenario: Scenario, events: Sequence[Event], phase: Phase, step: Step | None) -> None:
        self._scenario, self._events, self._phase, self._step = scenario, events, phase, step

    def explain(self, mismatches: Sequence[Mismatch]) -> Explanation:
        """Return what explains these mismatches: a refusal before an admission, the first that tells."""
        faults = tuple(self._faults(mismatches))
        found = [each for each in map(self._one, mismatches) if each.decided or each.said]
        refusing = [each for each in found if each.said or (each.decided and not each.decided.decision.admitted)]
        best = next(iter(refusing or found), Explanation())
        told = best.decided or best.said
        shown = next((each.event for each in mismatches if each.event > self._phase.start), 0)
        if not mismatches:  # what cannot be judged, or has no control behind it, is mostly what was rejected
            shown = max(
                (each.number for each in self._events[self._phase.start :] if isinstance(each, Rejected)), default=0
            )
        number = told.number if told and not best.kept else faults[-1].number if faults else shown
        return Explanation(best.decided, best.kept, best.said, number, faults)

    def _one(self, mismatch: Mismatch) -> Explanation:
        wanted = self._wanted(mismatch)
        if wanted is not None:
            return self._decision(wanted)
        name, _, what = mismatch.subject.partition(".")
        if name == "outcome" or what == ANSWER:
            return self._outcome(mismatch)
        if name in self._scenario.instances:
            return self._element(name, mismatch)
        shown = self._event(mismatch.event)
        if isinstance(shown, Decided):
            return Explanation(shown)
        return self._message(shown) if isinstance(shown, Frame) else Explanation()

    def _wanted(self, mismatch: Mismatch) -> DecisionWanted | None:
        for _, condition in self._phase.conditions():
            if isinstance(condition, DecisionWanted) and condition.place == mismatch.place:
                return condition
        return None

    def _event(self, number: int) -> Event | None:
        return self._events[number - 1] if 0 < number <= len(self._events) else None

    # -- each kind of mismatch

    def _decision(self, wanted: DecisionWanted) -> Explanation:
        """Explain that a decision is not as wanted: by what its control decided, who refused first, or what holds."""
        made = [each for each in self._events if isinstance(each, Decided) and _is_of(wanted, each)]
        if made and made[-1].number > self._phase.start:
            return Explanation(made[-1])
        refused = [
            each
            for each in self._in_phase()
            if not each.decision.admitted and each.decision.subject and wanted.subject_id in ("", each.decision.subject)
        ]
        if len({each.decision.subject for each in refused}) == 1:
            return Explanation(refused[-1])
        return Explanation(made[-1], kept=True) if made else Explanation()

    def _outcome(self, mismatch: Mismatch) -> Explanation:
        action = self._step.action if self._step is not None else None
        if isinstance(action, Call):
            return self._element(action.element, mismatch)
        if isinstance(action, Manage):
            made = [each for each in self._in_phase() if each.element == action.element]
            return Explanation(made[-1]) if made else Explanation()
        return Explanation()

    def _element(self, name: str, mismatch: Mismatch) -> Explanation:
        """Explain a state or record of an element."""
        number = mismatch.event
        events = self._events[: number or None]
        rejected = self._last_rejection(name, ended=mismatch.got == "rejected")
        if rejected is not None:
            said = why_rejected(self._events, rejected).said
            if said is None or said.clause:
                return Explanation(said=said)
            return Explanation(refusal_behind(self._events, said))
        subject = self._subject(name, number)
        own = [
            each
            for each in events[self._phase.start :]
            if isinstance(each, Decided) and each.element == name and subject in ("", each.decision.subject)
        ]
        if own and (subject or not own[-1].decision.admitted):
            return Explanation(own[-1])
        wanted = (each for _, each in self._phase.conditions() if isinstance(each, DecisionWanted))
        return next((each for each in map(self._decision, wanted) if each.decided), Explanation())

    def _last_rejection(self, name: str, *, ended: bool) -> StateChange | None:
        """Return the last rejection of an element; unless what was asked `ended` so, an acceptance takes it back."""
        last = None
        words = ("rejected",) if ended else ("rejected", "accepted")
        for event in self._events[self._phase.start :]:
            if isinstance(event, StateChange) and (event.element, event.key) == (name, None) and event.value in words:
                last = event
        return last if last is not None and last.value == "rejected" else None

    def _message(self, frame: Frame) -> Explanation:
        """Explain a message by the decision that it carries."""
        carried = [decided for decided, carrier in frames_of_decisions(self._events) if carrier is frame]
        return Explanation(carried[-1]) if carried else Explanation()

    # -- who it is about

    def _subject(self, name: str, number: int) -> str:
        """Return the card of a record, or the one that an element holds; empty if neither is known."""
        shown = self._event(number)
        if isinstance(shown, StateChange) and shown.key is not None:
            return shown.key
        cards = self._scenario.cards
        held = ""
        for event in self._events:
            if isinstance(event, StateChange) and event.element == name and event.key is None:
                if event.value in cards:
                    held = event.observable
                    subject = cards[event.value].keys.imsi
                elif event.observable == held:
                    held = ""
        return subject if held else ""

    def _in_phase(self) -> Iterator[Decided]:
        yield from (each for each in self._events[self._phase.start :] if isinstance(each, Decided))

    def _faults(self, mismatches: Sequence[Mismatch]) -> Iterator[PeerFault]:
        """Yield the last faulty messages that the elements in question ignored; of anybody where no answer came."""
        names = {each.subject.partition(".")[0] for each in mismatches}
        silent = any("no-answer" in each.got for each in mismatches)
        found = {
            (each.element, each.reason): each
            for each in self._events[self._phase.start :]
            if isinstance(each, PeerFault) and (silent or each.element in names)
        }
        yield from list(found.values())[-_FAULTS:]


def _is_of(wanted: DecisionWanted, made: Decided) -> bool:
    """Whether a decision is one of the control that is meant, about whom it is meant; its verdict may differ."""
    decision = made.decision
    return (
        wanted.by in ("", made.element)
        and decision.control.id == wanted.control
        and wanted.subject_id in ("", decision.subject)
    )
