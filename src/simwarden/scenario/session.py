"""A story that is played as a person says, action after action: each runs to quiet at once, and what it did is told.

It is a probe of a run without steps: while nobody does anything the run waits, and its virtual clock stands still. The
switches of `prove` may be turned here, for this run alone; nothing else carries one.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import ManagementError, Place, SimwardenError
from simwarden.model.units import seconds
from simwarden.operations.element import element_of
from simwarden.policy.requirements import requirements
from simwarden.scenario.acting import StepFailed
from simwarden.scenario.document import Call, Expectation, Manage, OutcomeWanted, Step
from simwarden.scenario.expectation import ExpectationReader
from simwarden.scenario.identities import References
from simwarden.scenario.problems import Problems
from simwarden.scenario.reference.refusals import refusals_of
from simwarden.scenario.report.page import lane_data, row_data
from simwarden.scenario.rest import is_busy
from simwarden.scenario.result import blank_result
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.steps import CORE_VERBS, StepReader
from simwarden.scenario.stopped import stopped_by
from simwarden.scenario.yamlfile import Source, Spot, read
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Answered, Decided, Fault, Frame, StateChange, StepMark
from simwarden.trace.ladder import lanes_of
from simwarden.trace.rows import Kind, each_row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from simwarden.operations.management import Route
    from simwarden.runtime.host import Host
    from simwarden.scenario.document import Action, Scenario
    from simwarden.scenario.result import ScenarioResult
    from simwarden.trace.events import Event
    from simwarden.trace.rows import Row

#: seconds of virtual time in which what an action began comes to its end
_QUIET: Final = 60.0
#: seconds of real time that a page may be open: a week
_LIMIT: Final = 7 * 86400.0
#: events of one action from which on equal ones are told once, with their number; and after how many it is said
#: that it goes on
_MANY, _OFTEN = 1500, 2000
#: verbs that use what a card gives, and what one of them takes
_USES: Final = {"send": "packets", "send_sms": "messages", "call": "seconds"}
#: outcomes of these that gave what was asked for
_SERVED: Final = frozenset({"delivered", "accepted", "connected", "released"})
#: what is told of many in numbers
_SUMMED: Final = frozenset({"attach", "location_update", "power"})
_ADMIT: Final = "always-admit"
#: by which the operator ends what was had without a control
_FORM: Final = {"approver": "Li Wei", "reason": "control in force again", "form": "F-1"}


@dataclass(slots=True)
class Theft:
    """What was had since a control was switched off that it would have refused.

    `again` are the actions by which it goes on, `cards` those that are served although a rule refuses them, by IMSI.
    """

    counted: Counter[str] = field(default_factory=Counter)
    again: dict[str, str] = field(default_factory=dict)
    cards: set[str] = field(default_factory=set)


class Session:
    """One run, from its start until somebody begins another. `talk` says what is done in it, one after another."""

    def __init__(
        self,
        scenario: Scenario,
        talk: Callable[[Session], Awaitable[None]],
        heard: Callable[[int], None] = lambda _number: None,
    ) -> None:
        self.scenario = replace(scenario, steps=[])
        self._heard = heard
        self._talk = talk
        #: those of the run's controls that are off: the run holds this very mapping
        self.switches: dict[str, str] = {}
        #: what was done, as steps of a scenario
        self.steps: list[dict[str, Any]] = []
        self.theft = Theft()
        self._blank = blank_result(self.scenario, "live", seed=0, transport="memory", clock="virtual")
        #: of each of many that one name stands for, that name
        self._members = {each: name for name, group in scenario.groups.items() for each in group}
        self._told = 0
        self._dissector = Dissector()
        self._act: Callable[[Action], Awaitable[Any]]
        self.host: Host

    def play(self) -> ScenarioResult:
        """Run until `talk` returns. Never raises for what happens inside."""
        options = RunOptions(limit=_LIMIT, switches=self.switches, packets=True)
        return run_scenario(self.scenario, "live", options, self._notice, probe=self)

    def _notice(self, event: Event) -> None:
        """Say every now and then how much an action that takes long has done."""
        done = event.number - self._told
        if not done % _OFTEN:
            self._heard(done)

    # -- the probe

    def enter(self, host: Host, act: Callable[[Action], Any]) -> None:
        """See Probe."""
        self.host, self._act = host, act

    async def leave(self) -> None:
        """See Probe."""
        for _ in each_row(self._new(), self._dissector):
            pass  # what the network does by itself is none of an action's
        await self._talk(self)

    # -- what is done

    def read(self, text: str) -> Step:
        """Read a step as it stands in a file; JSON is YAML as well. Raises ScenarioErrors, or SimwardenError."""
        problems = Problems()
        facts = read(text, "step", problems).data
        references = References()
        references.instances.update(self.scenario.instances)
        references.groups.update(self.scenario.groups)
        reader = StepReader(ExpectationReader(self.scenario.registry, references, problems, self.scenario.facts))
        steps = reader.read([facts], Spot(Source("step", [facts])))
        problems.raise_if_any()
        if not steps or steps[0].action is None or steps[0].during:
            raise SimwardenError("step: a verb with its arguments is expected, and nothing that goes on during it")
        return steps[0]

    async def act(self, text: str, *, kept: bool = True) -> dict[str, Any]:
        """Carry a step out, and tell what came of it. Raises SimwardenError for one that makes no sense."""
        step = self.read(text)
        self.host.trace.emit(StepMark(index=len(self.steps), text=step.text))
        outcome = await self._carry_out(step)
        await self._come_to_quiet()
        events = self._new()
        self._count(step.action, text, outcome, events)
        if kept:
            self.steps.append(dict(step.facts))
        return self._told_of(step, outcome, events)

    async def _carry_out(self, step: Step) -> str:
        assert step.action is not None  # noqa: S101 - see `read`
        try:
            outcome = await self._act(step.action)
        except StepFailed:  # a management call that was refused: its answer tells
            outcome = None
        if isinstance(step.action, Manage):
            answers = list(self.host.trace.since(self._told, Answered))
            return str(answers[-1].status) if answers else ""
        return "" if outcome is None else str(outcome)

    async def _come_to_quiet(self) -> None:
        """Let procedures that are under way come to their end."""
        clock, loop = self.host.clock, self.host.loop
        await clock.settle()
        deadline = clock.now() + _QUIET
        while is_busy(self.host) and (due := loop.next_timer()) is not None and due <= deadline:
            await clock.sleep(max(0.0, due - clock.now()))
            await clock.settle()

    async def switch(self, control: str, *, off: bool) -> list[dict[str, Any]]:
        """Switch a control off or on. What goes on although a rule refuses it ends, by the operator, when it is on."""
        if not off:
            self.switches.pop(control, None)
            return await self._end_theft()
        kind, _, name = control.partition("/")
        if kind not in {each for each, _ in self.scenario.registry.controls.get(name, ())}:
            raise SimwardenError(f"no control is called {control!r}")
        self.switches[control] = _ADMIT
        return []

    async def _end_theft(self) -> list[dict[str, Any]]:
        """Have cards that are served wrongly judged anew: what they have is ended by the operator (CLR)."""
        cards, self.theft.cards = self.theft.cards, set()
        if not self.switches:
            self.theft.again.clear()
        by = [name for name in self.host.elements if _ends(element_of(self.host, name).routes)]
        how = {"as": "operator", "body": _FORM}
        paths = [f"/cards/{imsi}/location" for imsi in sorted(cards)]
        calls = [{"manage": {"element": name, "delete": path, **how}} for name in by for path in paths]
        if not calls:
            return []
        told = await self.act(json.dumps({"together": calls} if calls[1:] else calls[0]), kept=False)
        return [
            told | {"text": "the control is on again: what was had without it is ended", "outcome": "", "facts": {}}
        ]

    async def use(self) -> list[dict[str, Any]]:
        """Go on for a moment with what is had although a rule refuses it; what is served no more is over."""
        found = []
        for what, text in [*self.theft.again.items()]:
            try:
                said = await self.act(text, kept=False)
            except ManagementError:  # the device is off, say
                del self.theft.again[what]
                continue
            if said["outcome"] not in _SERVED:
                del self.theft.again[what]
            found.append(said)
        return found

    # -- what came of it

    def _new(self) -> Sequence[Event]:
        """Return what has happened since it was asked last."""
        trace = self.host.trace
        events, self._told = trace.events[self._told :], trace.last_number
        return events

    def _count(self, action: Action | None, text: str, outcome: str, events: Sequence[Event]) -> None:
        """See what a switch let through, and count what was had by that."""
        if isinstance(action, Manage):
            return
        again = self.theft.again
        forced = [each.decision.subject for each in events if isinstance(each, Decided) and each.forced == _ADMIT]
        if not isinstance(action, Call) or action.verb not in _USES:
            self.theft.cards.update(filter(str.isdigit, forced))
            if forced and isinstance(action, Call):
                again[action.element] = f"send: {{device: {action.element}, to: 203.0.113.66}}"
            return
        name, taken = f"{action.element} {action.verb}", _USES[action.verb]
        if outcome not in _SERVED or not (forced or action.element in again or again.get(name) == text):
            return
        if forced and text not in again.values():
            again[name] = text
        lasts = action.arguments.get("lasts") or action.arguments.get("talks") or "1"
        self.theft.counted[taken] += round(seconds(str(lasts))) if taken == "seconds" else 1

    def _told_of(self, step: Step, outcome: str, events: Sequence[Event]) -> dict[str, Any]:
        """Return what pages show of an action: its ladder, who refused what, and how things stand."""
        rows = each_row(events, self._dissector)
        shown, many = self._grouped(rows, events) if len(events) > _MANY else ([*rows], Counter[int]())
        known = {lane.name: lane for lane in self._blank.lanes}
        names = lanes_of(shown, {name: lane.order for name, lane in known.items()})
        return {
            "text": step.text,
            "facts": step.facts,
            "outcome": outcome,
            "lanes": [lane_data(name, known) for name in names],
            "rows": [row_data(row, names) | ({"times": n} if (n := many[row.number]) > 1 else {}) for row in shown],
            "refused": self._refused(step, outcome, events),
            "faults": [each.reason for each in events if isinstance(each, Fault)],
            **({"sums": self._sums(events)} if many else {}),
        }

    def _grouped(self, rows: Iterable[Row], events: Sequence[Event]) -> tuple[list[Row], Counter[int]]:
        """Return the rows that are shown of very many, and of each by its number how many say the same.

        These go from one kind of place to another, and are the first of their kind. What those of a group show is told
        in sums, and what elements keep of each card is told by nobody.
        """
        single = {name for name, each in self.scenario.instances.items() if each.section and name not in self._members}
        first: dict[tuple[str, ...], int] = {}
        counted: Counter[int] = Counter()
        shown = []
        for row in rows:
            if row.kind is Kind.STATE:
                if row.source in single:
                    shown.append(row)
                continue
            key = (row.kind.value, row.interface, row.name, row.verdict, row.cause, row.control)
            number = first.setdefault(key, row.number)
            counted[number] += 1
            event = events[row.number - events[0].number]
            if number == row.number:
                shown.append(row)
            elif isinstance(event, Frame):
                event.dissection = None  # who wants it once more reads it once more
        return shown, counted

    def _sums(self, events: Sequence[Event]) -> dict[str, dict[str, Counter[str]]]:
        """Return of each name that stands for many how many of these show which word at last."""
        last = {
            (each.element, each.observable): str(each.value)
            for each in events
            if isinstance(each, StateChange) and each.observable in _SUMMED and each.value is not None
        }
        found: dict[str, dict[str, Counter[str]]] = {}
        for (element, observable), word in last.items():
            if element in self._members:
                found.setdefault(self._members[element], {}).setdefault(observable, Counter())[word] += 1
        return found

    def _refused(self, step: Step, outcome: str, events: Sequence[Event]) -> list[dict[str, Any]]:
        """Return who refused what in an action, how the side that tried is told, and what it does next."""
        kinds = {name: each.kind for name, each in self.scenario.instances.items()}
        refused = [each for each in events if isinstance(each, Decided) and not each.decision.admitted]
        claimed = {f"{kinds.get(each.element, '')}/{each.decision.control.id}" for each in refused}
        if not claimed:
            return []
        wanted = (Expectation(Place(""), (OutcomeWanted(Place(""), outcome),)),) if outcome else ()
        story = replace(self.scenario, steps=[replace(step, expectations=wanted)] * (len(self.steps) + 1))
        found = []
        for each in refusals_of(story, replace(self._blank, events=[*events]), claimed):
            stopped = stopped_by(self.scenario.registry, each, events)
            if not stopped.told and outcome in {"", *_SERVED}:  # a list that lets little pass has stopped nothing yet
                continue
            rule = requirements().get(stopped.requirement)
            more = {each: getattr(rule, each) for each in ("title", "title_zh", "rule", "rule_zh")} if rule else {}
            found.append({**asdict(stopped), **more, "switch": each.point})
        return found

    def drawn(self) -> list[dict[str, Any]]:
        """Return what pages draw: the elements from card to core, those that one name stands for as one."""
        found: dict[str, dict[str, Any]] = {}
        for name, each in self.scenario.instances.items():
            declared = self.scenario.registry.declaration(each.kind)
            cells = {f"{name}/{part}": cell for part, cell in each.config.parts(name).items() if part != "*"}
            whole = {"kind": each.kind, "title": declared.title, "section": each.section, "lane": declared.lane}
            controls = {control.id: control.title for control in declared.controls}
            new = {**whole, "cells": cells, "controls": controls, "count": 0}
            found.setdefault(self._members.get(name, name), new)["count"] += 1
        return sorted(({"name": name, **each} for name, each in found.items()), key=lambda each: each["lane"])

    def can(self, step: Mapping[str, Any]) -> bool:
        """Whether the elements that are installed have the verb of a step."""
        return all(each in self.scenario.registry.verbs or each in CORE_VERBS for each in step)

    def standing(self) -> dict[str, Any]:
        """Return which controls are off, and what was had by that."""
        return {"off": sorted(self.switches), "stolen": dict(self.theft.counted), "goes_on": bool(self.theft.again)}

    def story(self) -> ScenarioResult:
        """Return the run so far as reports and captures take it."""
        done, events = len(self.steps), [*self.host.trace.events]
        return replace(self._blank, events=events, virtual=self.host.clock.now(), steps=done, steps_done=done)


def _ends(routes: Iterable[Route]) -> bool:
    """Whether an element lets its operator end what a card has."""
    return any(each.method == "DELETE" and each.path == "/cards/{imsi}/location" for each in routes)


def still(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario in which nothing is done: one of no step at all is none."""
    return {**data, "steps": [{"wait": "0 s"}]}
