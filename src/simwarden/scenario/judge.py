"""Holds conditions against the trace: what was wanted, what was got."""

from __future__ import annotations

import re
from dataclasses import fields
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from simwarden.scenario.document import DecisionWanted, EventWanted, FactWanted, MessageWanted, OutcomeWanted
from simwarden.scenario.identities import Identity
from simwarden.scenario.match import differences, has_all, matches, show
from simwarden.scenario.problems import plain
from simwarden.scenario.result import Mismatch
from simwarden.scenario.standing import History
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Answered, Decided, Event, Frame, StateChange
from simwarden.trace.records import ChargingRecord, FlowRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.scenario.document import Condition, Expectation
    from simwarden.trace.trace import Trace
    from simwarden.wire.dissection import Dissection

#: others of a kind that a mismatch lists when nothing fits
_LISTED = 6
#: when records are written, which a phase may end before
_WRITTEN = {
    "flow": "no flow record: it is written when the flow or its session ends, or after flow_interval",
    "cdr": "no CDR: it is written when the session or call ends, or at a limit of partial_records",
}
#: events with fields that files may name
_TOLD = (Answered, ChargingRecord, FlowRecord)


class Judge:
    """Keeps the present state of all elements, and judges expectations against it and the trace."""

    def __init__(
        self,
        trace: Trace,
        external: Mapping[str, Any],
        unseen: Mapping[str, str] | None = None,
        history: History | None = None,
    ) -> None:
        """`unseen` are interfaces of which no end is in this process, with who speaks there.

        `history` keeps what each `never` is judged by.
        """
        self._trace = trace
        self._external = external
        self._unseen = unseen or {}
        self._history = history or History(())
        self._values: dict[tuple[str, str], StateChange] = {}
        self._records: dict[tuple[str, str], dict[str, StateChange]] = {}
        self._dissector = Dissector()
        self._dissected: list[tuple[Frame, Dissection]] = []
        self._read = 0
        trace.add_sink(self._follow)
        trace.add_sink(self._history.follow)

    def _follow(self, event: Event) -> None:
        if not isinstance(event, StateChange):
            return
        name = event.element, event.observable
        if event.key is None:
            self._values[name] = event
        elif event.value is None:
            self._records.get(name, {}).pop(event.key, None)
        else:
            self._records.setdefault(name, {})[event.key] = event

    def shown(self, name: str) -> Iterator[StateChange]:
        """Yield what an element shows at present."""
        for (element, _), state in self._values.items():
            if element == name and state.value is not None:
                yield state
        for (element, _), records in self._records.items():
            if element == name:
                yield from records.values()

    def unmet(self, expectation: Expectation, since: int, outcome: Any, called: int = 0) -> list[Mismatch]:
        """Return the conditions that do not hold; `since` is the number of the last event before the phase.

        `called` is that of the last one before the calls of which answers are wanted, if these are not the phase's.
        """
        found = []
        for condition in expectation.conditions:
            if not self.outside(condition):
                mismatch = self._unmet(condition, since, outcome, called)
                if mismatch is not None:
                    found.append(mismatch)
        return found

    def happened(self, expectation: Expectation, since: int) -> list[Mismatch]:
        """Return what was or happened at any moment of the phase although it never should (see `standing`)."""
        found = []
        for condition in expectation.conditions:
            event = None if self.outside(condition) else self._occurrence(condition, since)
            if event is not None:
                found.append(
                    Mismatch(condition.subject, "never", _describe(event, since), condition.place, event.number)
                )
        return found

    def changed(self, expectation: Expectation, since: int, called: int) -> list[Mismatch]:
        """Return what of an expectation that was met is not so when its phase is over: `never`, and numbers of events.

        All else is of the moment at which it was judged.
        """
        if expectation.never:
            return self.happened(expectation, since)
        counted = [each for each in expectation.conditions if _is_counted(each) and not self.outside(each)]
        return [wrong for each in counted if (wrong := self._unmet(each, since, None, called)) is not None]

    def witness(self, condition: Condition, since: int, outcome: Any) -> tuple[str, int]:
        """Return what meets a condition that holds, in a line, and the number of the event that shows it (0: none)."""
        if isinstance(condition, OutcomeWanted):
            return show(outcome), 0
        if not isinstance(condition, FactWanted):
            event = self._occurrence(condition, since)
            return (_describe(event), event.number) if event is not None else ("", 0)
        if not condition.record:
            state = self._values.get((condition.element, condition.observable))
            return show(state.value if state else None), state.number if state else 0
        for each in self._records.get((condition.element, condition.observable), {}).values():
            if matches(condition.want, each.value):
                return show(_asked_of(each.value, condition.want)), each.number
        return "no record", 0

    def outside(self, condition: Condition) -> str:
        """Return the element outside this process whose inside a condition is about, or an empty string.

        What two such elements say to each other is inside of them as well.
        """
        if isinstance(condition, (FactWanted, EventWanted)):
            return condition.element if condition.element in self._external else ""
        if isinstance(condition, DecisionWanted):
            return condition.by if condition.by in self._external else ""
        return self._unseen.get(condition.interface, "") if isinstance(condition, MessageWanted) else ""

    # -- each kind of condition

    def _unmet(self, condition: Condition, since: int, outcome: Any, called: int) -> Mismatch | None:
        if isinstance(condition, OutcomeWanted):
            return None if outcome_is(condition.word, outcome) else _mismatch(condition, condition.word, show(outcome))
        if isinstance(condition, MessageWanted):
            return self._message_unmet(condition, since)
        if isinstance(condition, DecisionWanted):
            return self._decision_unmet(condition, since)
        if isinstance(condition, EventWanted):
            return self._event_unmet(condition, max(since, called) if condition.kind == Answered.kind else since)
        return self._record_unmet(condition) if condition.record else self._scalar_unmet(condition)

    def _scalar_unmet(self, condition: FactWanted) -> Mismatch | None:
        event = self._values.get((condition.element, condition.observable))
        got = event.value if event else None
        if matches(condition.want, got, condition.observable):
            return None
        return _mismatch(condition, show(condition.want), show(got), event.number if event else 0)

    def _record_unmet(self, condition: FactWanted) -> Mismatch | None:
        held = list(self._records.get((condition.element, condition.observable), {}).values())
        if condition.want is None:
            return _mismatch(condition, "no record", show([each.value for each in held])) if held else None
        met = [each for each in held if matches(condition.want, each.value)]
        if condition.times is not None:
            return _count_unmet(condition, met)
        if met:
            return None
        if len(held) == 1:
            want, got = _side_by_side(condition.want, held[0].value)
            return _mismatch(condition, want, got, held[0].number)
        got = "; ".join(show(each.value) for each in held[:_LISTED]) or "no record"
        return _mismatch(condition, show(condition.want), got)

    def _message_unmet(self, condition: MessageWanted, since: int) -> Mismatch | None:
        candidates: list[tuple[int, Frame, Dissection]] = []
        met: list[Frame] = []
        others: dict[str, None] = {}
        for frame, dissection in self._frames(condition.interface, since):
            others[dissection.name] = None
            for each in nested(dissection):
                if each.name == condition.message:
                    wrong = sum(1 for _ in differences(condition.fields, _fields(each, condition)))
                    if not wrong and condition.times is None:
                        return None
                    if not wrong:
                        met.append(frame)
                    candidates.append((wrong, frame, each))
        if condition.times is not None:
            return _count_unmet(condition, met)
        if candidates:
            _, frame, best = min(candidates, key=lambda each: each[0])
            want, got = _side_by_side(condition.fields, _fields(best, condition))
            return _mismatch(condition, want, got, frame.number)
        names = list(others)
        said = f"no such message; {condition.interface} carried {', '.join(names[:_LISTED]) or 'nothing'}"
        return _mismatch(condition, wanted_in(condition), said)

    def _decision_unmet(self, condition: DecisionWanted, since: int) -> Mismatch | None:
        made = list(self._trace.since(since, Decided))
        if any(_decides(condition, each) for each in made):
            return None
        near = [each for each in made if each.element == condition.by or not condition.by]
        exact = [each for each in near if each.decision.control.id == condition.control]
        shown = (exact or near or made)[-_LISTED:]
        got = "; ".join(_describe(each) for each in shown) or "no control decided anything"
        return _mismatch(condition, wanted_in(condition), got, shown[-1].number if shown else 0)

    def _event_unmet(self, condition: EventWanted, since: int) -> Mismatch | None:
        told = list(self._told(condition, since))
        met = [each for each in told if _is_wanted(condition, each)]
        if condition.fields is None or condition.times is not None:
            return _count_unmet(condition, met)
        if met:
            return None
        if len(told) == 1 and not matches(condition.fields, fields_of(told[0])):
            want, got = _side_by_side(condition.fields, fields_of(told[0]))
            return _mismatch(condition, want, got, told[0].number)
        got = "; ".join(show(_asked_of(fields_of(each), condition.fields)) for each in told[-_LISTED:])
        return _mismatch(
            condition,
            wanted_in(condition),
            got or _WRITTEN.get(condition.kind, f"no {condition.kind}"),
            told[-1].number if told else 0,
        )

    def _told(self, condition: EventWanted, since: int) -> Iterator[Event]:
        for event in self._trace.since(since, Event):
            if isinstance(event, _TOLD) and (event.kind, event.element) == (condition.kind, condition.element):
                yield event

    def _occurrence(self, condition: Condition, since: int) -> Event | None:
        if isinstance(condition, DecisionWanted):
            return next((each for each in self._trace.since(since, Decided) if _decides(condition, each)), None)
        if isinstance(condition, MessageWanted):
            for frame, dissection in self._frames(condition.interface, since):
                for each in nested(dissection):
                    if each.name == condition.message and matches(condition.fields, _fields(each, condition)):
                        return frame
            return None
        if isinstance(condition, FactWanted):
            return self._history.held(condition, since)
        if isinstance(condition, EventWanted):
            return next((each for each in self._told(condition, since) if _is_wanted(condition, each)), None)
        return None

    def _frames(self, interface: str, since: int) -> Iterator[tuple[Frame, Dissection]]:
        events = self._trace.events
        for event in events[self._read :]:
            if isinstance(event, Frame):
                self._dissected.append((event, self._dissector.dissect(event)))
        self._read = len(events)
        for frame, dissection in self._dissected:
            if frame.number > since and frame.interface == interface:
                yield frame, dissection


def wanted_in(condition: Condition) -> str:
    """Show what a condition wants, in a line."""
    if isinstance(condition, OutcomeWanted):
        return condition.word
    if isinstance(condition, MessageWanted):
        return _times(show(condition.fields) if condition.fields else "sent", condition.times)
    if isinstance(condition, EventWanted):
        said = "none" if condition.fields is None else show(condition.fields) if condition.fields else "any"
        return _times(said, condition.times)
    if isinstance(condition, FactWanted):
        said = "no record" if condition.record and condition.want is None else show(condition.want)
        return _times(said, condition.times)
    wanted = {
        "by": condition.by,
        "control": condition.control,
        "on": condition.occasion,
        "verdict": condition.verdict.value,
        "subject": condition.subject_id,
        "reason": condition.reason,
        "details": dict(condition.details),
    }
    return show({key: value for key, value in wanted.items() if value})


def _asked_of(value: Any, want: Any) -> Any:
    """Return of a record only what a file asks for."""
    if not isinstance(value, dict) or not isinstance(want, dict):
        return value
    return {name: each for name, each in value.items() if name in want} or value


def outcome_is(word: str, outcome: Any) -> bool:
    """Tell whether a verb's outcome is the expected word: a mapping's value, or an HTTP status by its phrase."""
    if isinstance(outcome, StatusOutcome):
        return word == str(outcome.status) or plain(word) == plain(outcome.phrase)
    return outcome is not None and matches(word, outcome)


class StatusOutcome:
    """The outcome of a management call: an HTTP status and what was said."""

    def __init__(self, status: int, said: str) -> None:
        self.status, self.said, self.phrase = status, said, HTTPStatus(status).phrase

    def __str__(self) -> str:
        return f"{self.status} {self.phrase}" + (f": {self.said}" if self.said else "")


def _decides(condition: DecisionWanted, event: Decided) -> bool:
    decision = event.decision
    return (
        (not condition.by or event.element == condition.by)
        and (not condition.control or decision.control.id == condition.control)
        and decision.verdict is condition.verdict
        and (not condition.occasion or decision.occasion == condition.occasion)
        and (not condition.subject_id or _same_subject(condition, decision.subject))
        and _says(decision.reason, condition.reason)
        and matches(dict(condition.details), decision.details)
    )


def _says(reason: str, part: str) -> bool:
    """Whether a reason has a part in it, as whole words: what is not listed is no `listed`."""
    return not part or re.search(rf"(?<!\w){re.escape(part)}(?!\w)", reason, re.IGNORECASE) is not None


def _same_subject(condition: DecisionWanted, got: str) -> bool:
    """Whether a decision is about the wanted subject; of an IMEI what follows its 14 digits is left out."""
    want = condition.subject_id
    is_card = isinstance(want, Identity) and want.which == "imsi"
    return want == got or (not is_card and len(got) in (14, 16) and want[:14] == got[:14])


def nested(dissection: Dissection) -> Iterator[Dissection]:
    """Yield a dissection and all that it carries."""
    yield dissection
    for each in dissection.inner:
        yield from nested(each)


def _fields(dissection: Dissection, condition: MessageWanted) -> Mapping[str, Any]:
    """Return a message's fields, with octets opened that are a message themselves where fields of it are wanted."""
    opened = {
        key: {
            name: value for each in nested(dissection) for name, value in each.fields.items() if each is not dissection
        }
        for key, want in condition.fields.items()
        if isinstance(want, dict) and isinstance(dissection.fields.get(key), bytes)
    }
    return {**dissection.fields, **opened} if opened else dissection.fields


def fields_of(event: Event) -> Mapping[str, Any]:
    """Return what can be wanted of an answer, a CDR (its fields beside its type) or a flow record."""
    if isinstance(event, ChargingRecord):
        return {"record": event.record, **event.fields}
    told = {each.name: getattr(event, each.name) for each in fields(event)}
    return told | {"status": HTTPStatus(event.status)} if isinstance(event, Answered) else told


def _is_wanted(condition: EventWanted, event: Event) -> bool:
    want, got = condition.fields or {}, fields_of(event)
    return matches(want, got) and (condition.declared or has_all(want, got))


def _is_counted(condition: Condition) -> bool:
    """Whether a condition says how many there are in a phase, or that there are none."""
    if isinstance(condition, EventWanted):
        return condition.fields is None or condition.times is not None
    return isinstance(condition, MessageWanted) and condition.times is not None


def _times(said: str, times: int | None) -> str:
    return said if times is None else f"{said}, times {times}"


def _side_by_side(want: Mapping[str, Any], got: Mapping[str, Any]) -> tuple[str, str]:
    """Show only what differs, on both sides."""
    wrong = list(differences(want, got))
    return (
        ", ".join(f"{path}: {show(wanted)}" for path, wanted, _ in wrong),
        ", ".join(f"{path}: {show(seen)}" for path, _, seen in wrong),
    )


def _count_unmet(condition: MessageWanted | EventWanted | FactWanted, met: Sequence[Event]) -> Mismatch | None:
    """Return what is wrong with the number of those that have the wanted fields: none is wanted, or so many."""
    if len(met) == (condition.times or 0):
        return None
    return _mismatch(condition, wanted_in(condition), f"{len(met)} of them", met[-1].number if met else 0)


def _mismatch(condition: Condition, want: str, got: str, event: int = 0) -> Mismatch:
    return Mismatch(condition.subject, want, got, condition.place, event)


def _describe(event: Event, since: int = 0) -> str:
    """Tell what happened; a state that is older than the phase after event number `since` stands in it."""
    if isinstance(event, Decided):
        decision = event.decision
        verdict = "admitted" if decision.admitted else "refused"
        forced = f" ({event.forced})" if event.forced else ""
        return f"{event.element} {verdict} by {decision.control.id} on {decision.occasion}{forced}: {decision.reason}"
    if isinstance(event, StateChange):
        stood = " and stood when the phase began" if event.number <= since else ""
        return f"at {event.time:.3f} s {event.element}.{event.observable} was {show(event.value)}{stood}"
    if isinstance(event, Frame):
        return f"at {event.time:.3f} s from {event.source} to {event.target}"
    if isinstance(event, Answered):
        said = f"{event.status} {show(event.body)}" if event.body is not None else str(event.status)
        return f"at {event.time:.3f} s {event.element} answered {event.method} {event.path}: {said}"
    if isinstance(event, _TOLD):
        return f"at {event.time:.3f} s {event.element} told {event.kind} {show(fields_of(event))}"
    return type(event).__name__
