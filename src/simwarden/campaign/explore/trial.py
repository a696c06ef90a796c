"""One run of a story with something put in before some of its frames, and what was seen of it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from simwarden.campaign.explore.story import ENFORCED
from simwarden.errors import ManagementError
from simwarden.operations.element import element_of
from simwarden.operations.management import Role
from simwarden.scenario import suite
from simwarden.scenario.interpose import Interposer
from simwarden.scenario.rest import Census, census
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import run_scenario
from simwarden.trace.events import Frame, StateChange, StepMark
from simwarden.wire.family import family_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator, Mapping

    from simwarden.campaign.explore.story import Deed, Told
    from simwarden.operations import outbox
    from simwarden.runtime.host import Host
    from simwarden.scenario.document import Action, Mishap, Scenario
    from simwarden.scenario.result import ScenarioResult
    from simwarden.scenario.runner import RunOptions
    from simwarden.trace.events import Event

#: an observable of an element, with the key of a record; or what an element was asked to do, by its mark (see Deed)
Fact = tuple[str, str, str | None]
Facts = dict[Fact, Any]
Put = tuple["Action", ...]
Content = Callable[[Facts, Census], bool]
#: seconds after which a run is looked at that may be settled by then: more than contexts are kept (`purge`)
WHILE = 2400.0
#: a day and more: lists of forbidden areas and T3245 run out in 24 h
NIGHT = 25 * 3600.0
#: seconds that a contact takes
_MOMENT = 60.0
#: what stands for each of these on the real clock
_REAL = 2.0
#: the observable of a terminal that says why it is out of service
_CAUSE = "emm_cause"
#: the observable of a broker that is an event
EVENT = "event"
#: who makes the changes: so they are found again in audits
CALLER = "explore"


class Return(NamedTuple):
    """How a fact came about after the story: how long it took, and what terminals had been told last.

    `helped` is the entry of the table of returns (its place) whose steps an owner had done, -1 if nobody helped.
    """

    took: float = 0.0
    causes: frozenset[str] = frozenset()
    helped: int = -1


@dataclass(slots=True)
class Seen:
    """What a run showed.

    `points` are the frames before which something can be put in, with the index of their step; `moments` what stood 5 s
    after the last thing was put in and when the story was over, `settled` at the last look. `came` are the facts that
    came about after the story. `rest` is what elements count in memory before terminals have contacts again, `held` the
    same at the last look, with the timers and the work that are left;
    `audits` how often each action stands in an element's audit, `events` how many events of each topic came of what was
    put in (to the broker, if there is one), `told` what its management tells of a card. `length` is the number of
    events until the story was over, `put_in` how many things were put in, `refused` why one of them was refused.
    """

    result: ScenarioResult = field(init=False)
    points: list[tuple[Frame, int]] = field(default_factory=list)
    moments: list[Facts] = field(default_factory=list)
    settled: Facts = field(default_factory=dict)
    came: dict[Fact, Return] = field(default_factory=dict)
    rest: list[Census] = field(default_factory=list)
    held: Census = field(default_factory=dict)
    audits: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    length: int = 0
    put_in: int = 0
    refused: str = ""

    @property
    def fault(self) -> str:
        """What ended the run before its time; empty if nothing did."""
        failure = self.result.failure
        return failure.summary if self.result.verdict is not Verdict.PASSED and failure is not None else ""

    def far_end(self, terminals: Container[str]) -> list[bytes]:
        """Return all that terminals sent and heard on the access side in the story itself."""
        own = (each for each in self._frames() if each.source in terminals or each.target in terminals)
        return [each.data for each in own if family_of(each.protocol).access]

    def wires(self) -> list[tuple[float, str, str, bytes]]:
        """Return all frames of the story, with their times."""
        return [(each.time, each.source, each.target, each.data) for each in self._frames()]

    def _frames(self) -> Iterator[Frame]:
        return (each for each in self.result.events[: self.length] if isinstance(each, Frame))


class _Explorer:
    """Watches a run, and puts something in before frames by their number."""

    def __init__(self, told: Told, put: Mapping[int, Put | Mishap], content: Content) -> None:
        self._told, self._put, self._content = told, put, content
        self._step = -1
        self._facts: Facts = {}
        self._over = False
        #: when all was left to itself, and what each terminal was told last
        self._since = 0.0
        self._helped = -1
        self._told_last: dict[str, str] = {}
        self.seen = Seen()

    def follow(self, event: Event) -> None:
        """Take an event of the trace."""
        if isinstance(event, StateChange):
            self._note((event.element, event.observable, event.key), event.value)
        elif isinstance(event, StepMark):
            self._step = event.index

    def _note(self, fact: Fact, value: Any) -> None:
        if value is None:
            self._facts.pop(fact, None)
            return
        if fact[1] == _CAUSE:
            self._told_last[fact[0]] = value.name
        if self._over and fact not in self._facts:
            took = self._host.clock.now() - self._since
            self.seen.came[fact] = Return(took, frozenset(self._told_last.values()), self._helped)
        self._facts[fact] = value

    def enter(self, host: Host, act: Callable[[Action], Coroutine[Any, Any, Any]]) -> None:
        """See Probe."""
        self._host, self._act = host, act
        self._gate = Interposer(host, self._choose, act)
        if host.settings.events is None:
            self._overhear()

    def _overhear(self) -> None:
        """Count the events that elements would tell a broker: one in all stories would double the time of runs."""
        from simwarden.operations.outbox import Overheard  # noqa: PLC0415 - SQLAlchemy is heavy

        for name in self._host.elements:
            for engine in self._host.engines(name):
                Overheard(engine, partial(self._hear, name))

    def _hear(self, name: str, event: outbox.Event) -> None:
        if event.data.get("caller") == CALLER:
            self.seen.events[name, event.type.replace(".", "/")] += 1

    def _choose(self, frame: Frame) -> Iterable[Put | Mishap]:
        if self._over or self._step not in self._told.procedures:
            return
        what = self._put.get(len(self.seen.points))
        self.seen.points.append((frame, self._step))
        if what is not None:
            self.seen.put_in += 1
            if self.seen.put_in == len(self._put):
                self._host.clock.call_later(ENFORCED, lambda: self.seen.moments.insert(0, dict(self._facts)))
            yield what

    async def leave(self) -> None:
        """See Probe: look round after a while, and if all is not well yet, after a night in which nobody helps."""
        self._step = -1
        await self._do(self._told.busy)
        await self._host.clock.sleep(ENFORCED)
        await self._host.clock.settle()
        self._over, self.seen.length = True, self._host.trace.last_number
        self._since = self._host.clock.now()
        self.seen.moments.append(dict(self._facts))
        await self._wait(WHILE)
        if self._host.clock.virtual and not self._content(self.seen.settled, self.seen.held):
            await self._wait(NIGHT)
            await self._return()
        for task in self._gate.tasks:
            if task.done() and (error := task.exception()) is not None:
                self.seen.refused = str(error)
        for name in self._host.elements:
            if name in self._host.running:
                await self._ask(name)
        self.seen.events.update(_sources(self._host, self.seen.settled))

    async def _wait(self, pause: float) -> None:
        """Let time pass, let terminals have contacts, and look round; on the real clock there is not so much time."""
        await self._host.clock.sleep(pause if self._host.clock.virtual else _REAL)
        self.seen.rest.append(census(self._host))
        await self._do(self._told.morning)
        await self._look_later()

    def _look(self) -> None:
        self.seen.settled = dict(self._facts)
        self.seen.held.clear()
        for name in self._host.loop.armed():
            self.seen.held["timers", name] = self.seen.held.get(("timers", name), 0) + 1
        self.seen.held |= {("work", name): len(self._host.under_way(name)) for name in self._host.elements}
        self.seen.held |= census(self._host)

    async def _do(self, deeds: Iterable[Deed]) -> None:
        """Carry out what a terminal is asked to do, as far as it makes sense, and keep how it ends."""
        for action, judged, _ in deeds:
            outcome = None
            with contextlib.suppress(ManagementError):
                outcome = await self._act(action)
            if judged is not None:
                self._facts[*judged, None] = outcome

    async def _look_later(self) -> None:
        """Let what was done have its effects, and look round."""
        await self._host.clock.sleep(_MOMENT if self._host.clock.virtual else _REAL)
        await self._host.clock.settle()
        self._look()

    async def _return(self) -> None:
        """Let the owner of a terminal do what it takes to come back after the cause that it has been told."""
        causes = causes_in(self._facts)
        for place, (told, actions) in enumerate(self._told.returns):
            if told & causes:
                self._since, self._helped = self._host.clock.now(), place
                with contextlib.suppress(ManagementError):
                    for action in actions:
                        await self._act(action)
                await self._do(self._told.morning)
                await self._look_later()

    async def _ask(self, name: str) -> None:
        """Ask an element's management for its audit, and for what it holds of each card."""
        element = element_of(self._host, name)
        gives = {each.path for each in element.routes if each.method == "GET" and each.public}
        if "/audit" in gives:
            told = await element.manage(Role.OPERATOR, "GET", "/audit")
            records = told["records"] if isinstance(told, dict) else told
            self.seen.audits.update((name, each["action"]) for each in records if each.get("caller") == CALLER)
        if "/cards/{imsi}" in gives:
            for imsi in {key for _, _, key in self.seen.settled if key is not None and key.isdecimal()}:
                with contextlib.suppress(ManagementError):
                    self.seen.told[name, imsi] = await element.manage(Role.OPERATOR, "GET", f"/cards/{imsi}")


def _sources(host: Host, facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield the element and the topic of each event that the broker of a run has got of what was put in."""
    broker = host.settings.events.broker if host.settings.events is not None else ""
    for (element, observable, _), value in facts.items():
        if element == broker and observable == EVENT and value["data"].get("caller") == CALLER:
            yield value["source"], value["topic"]


def causes_in(facts: Facts) -> set[str]:
    """Return the names of the causes that terminals have been told last."""
    return {value.name for fact, value in facts.items() if fact[1] == _CAUSE}


def never(_facts: Facts, _held: Census) -> bool:
    """Be content with nothing: the whole night goes by."""
    return False


def at_once(_facts: Facts, _held: Census) -> bool:
    """Be content with anything: no night goes by."""
    return True


def carry_out(
    told: Told, scenario: Scenario, put: Mapping[int, Put | Mishap], options: RunOptions, content: Content = never
) -> Seen:
    """Run a story, with what is put in before frames. Never raises for what happens inside the run.

    `content` says whether all is as it must be, so that the night need not be waited for.
    """
    explorer = _Explorer(told, put, content)
    options = replace(options, worker=suite.worker())
    explorer.seen.result = run_scenario(scenario, "explore", options, explorer.follow, probe=explorer)
    return explorer.seen
