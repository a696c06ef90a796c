"""Runs one scenario: a loop of its own, its elements, provisioning over management, its steps, and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from simwarden.errors import ConfigError, InternalError, ManagementError, Place, SimwardenError, UnjudgedError
from simwarden.operations.element import element_of
from simwarden.operations.management import HOUSE
from simwarden.runtime.clock import Clock, time_zone
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.transport.choose import described
from simwarden.scenario import failure
from simwarden.scenario.acting import Acting, StepFailed
from simwarden.scenario.alarm import Interrupted, TimeUp, alarm
from simwarden.scenario.case_reference import stem_of
from simwarden.scenario.document import Manage, OutcomeWanted, Together, Wait
from simwarden.scenario.effects import evidence_in
from simwarden.scenario.judge import Judge, wanted_in
from simwarden.scenario.network import events_to, lacking_links
from simwarden.scenario.outside import placements_of, why_unusable
from simwarden.scenario.provisioning import provision_of
from simwarden.scenario.refusals import refuses_beside
from simwarden.scenario.rejections import Phase, check_rejections
from simwarden.scenario.rest import is_busy, is_whole, unrest
from simwarden.scenario.result import Met, Mismatch, ScenarioResult, Verdict, blank_result
from simwarden.scenario.secrets import hide_keys
from simwarden.scenario.standing import AT_ONCE_REAL, AT_ONCE_VIRTUAL, History
from simwarden.trace.events import Fault, Note, StepMark
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from simwarden.runtime.reach import Reach
    from simwarden.scenario.document import Action, Expectation, Scenario, Step
    from simwarden.scenario.identities import Card
    from simwarden.scenario.interpose import Meanwhile
    from simwarden.scenario.result import FailureRecord
    from simwarden.trace.events import Event
    from simwarden.trace.trace import Sink

#: seconds that an expectation waits for what is not there yet: of virtual time, of real time
_WITHIN_VIRTUAL, _WITHIN_REAL = 30.0, 5.0
#: seconds of virtual time that the network has after the last step until nothing is under way: more than T3450, T3470,
#: N3 times T3 of GTP or a handover take
_REST_VIRTUAL = 60.0
#: seconds of virtual time in which elements agree once nothing is under way; later a timer would hide what is wrong
_AGREE_VIRTUAL = 1.0
#: how names of network namespaces begin that have TUN interfaces
_SPACES = "simwarden-"
#: how often a step of a probed run is tried whose element is down, and seconds of virtual time between
_TRIES, _PAUSE = 60, 1.0
#: real seconds between looks at an expectation on the real clock
_LOOK = 0.02


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a command line decides about runs. `limit` is in real seconds; `switches` are for mutation testing.

    A run that does not `keep` its events gives none: what is to be known of it is told to a sink as it happens, and
    expectations can be about facts only. A `lenient` one does not fail by a decision or a record of one, but by their
    effect.
    """

    seed: int = 0
    #: what carries frames; empty: as the network file says, else memory
    transport: str = ""
    clock: str = ""
    worker: int = 0
    limit: float = 60.0
    switches: Mapping[str, str] = field(default_factory=dict)
    keep: bool = True
    #: whether each user packet is in trace and capture
    packets: bool = False
    #: whether programs of this machine send through it, by TUN interfaces in namespaces of their own
    tun: bool = False
    lenient: bool = False
    #: whether the file tells what is rejected; else who reads the trace judges that
    tells: bool = True
    #: options of the command line that a re-run needs
    rerun: str = ""


def _calls(action: Action | None) -> bool:
    """Whether an action calls the management of an element."""
    return isinstance(action, Manage) or (isinstance(action, Together) and any(map(_calls, action.actions)))


class Probe(Protocol):
    """What looks into a run, or acts in it, beside its steps; verbs that make no sense do not end such a run."""

    def enter(self, host: Host, act: Callable[[Action], Coroutine[Any, Any, Any]]) -> None:
        """Come in when the network is provisioned; `act` carries an action out as a step does."""

    async def leave(self) -> None:
        """Look round when all steps have been carried out, before the network says goodbye."""


def run_scenario(
    scenario: Scenario, name: str, options: RunOptions, sink: Sink | None = None, probe: Probe | None = None
) -> ScenarioResult:
    """Run a scenario to its verdict. Never raises for what happens inside the run.

    `sink` is told of each event of the story, but not of the goodbyes after it.
    """
    began, moment = time.perf_counter(), time.time()
    run = _Run(scenario, name, options)
    run.sink, run.probe = sink, probe
    try:
        run.go()
    finally:
        run.loop.close()
    result = run.result
    result.began, result.seconds, result.met = moment, time.perf_counter() - began, tuple(run.met)
    return result


class _Run:
    """The state of one run."""

    def __init__(self, scenario: Scenario, name: str, options: RunOptions) -> None:
        self.scenario, self.options = scenario, options
        outside = scenario.external
        placements = placements_of(scenario)
        clock = "real" if outside or placements or options.tun else scenario.clock or options.clock or "virtual"
        transport = options.transport or scenario.transport or "memory"
        seed = options.seed if scenario.seed is None else scenario.seed
        self.loop = TestbedLoop(virtual=clock == "virtual")
        self.clock = Clock(self.loop)
        if scenario.utc_offset is not None:
            self.clock.zone = time_zone(scenario.utc_offset)
        self.clock.skip_keep_alives = self.clock.virtual and not scenario.keep_alives
        self.trace = Trace(self.clock.now, keep=options.keep)
        self.trace.show_packets = options.packets
        self.settings = HostSettings(
            seed=seed,
            scenario=stem_of(scenario.reference),
            transport=transport,
            carriers=scenario.carriers,
            worker=options.worker,
            external={each: it.external or {} for each, it in outside.items()},
            placements=placements,
            switches=options.switches,
            events=events_to(scenario),
            tun=_SPACES if options.tun else "",
        )
        at_once = AT_ONCE_VIRTUAL if self.clock.virtual else AT_ONCE_REAL
        self.judge = Judge(self.trace, outside, scenario.unseen, History(scenario.watched, at_once))
        self.acted = 0
        self.evidence = evidence_in(scenario)
        self.judged = True
        #: the user has interrupted the run; all events until then are reported
        self.interrupted = False
        self.phases = [Phase(0)]
        #: what holds so far of this phase, with the step that says it, and may be otherwise until its end
        self.open: list[tuple[Step, Expectation, int]] = []
        #: the last event before the step under way, if that calls management
        self.called = 0
        #: the phase that a failure is in, where it is not the last one
        self.judged_phase: Phase | None = None
        self.host: Host | None = None
        #: what no host can reach: this system lacks what the transport needs
        self.lacking: list[Reach] = []
        self.inconclusive: list[str] = []
        self.step: Step | None = None
        self.faults: list[Fault] = []
        self.met: list[Met] = []
        self.meanwhile: Meanwhile | None = None
        self.sink: Sink | None = None
        self.probe: Probe | None = None
        self.trace.add_sink(self._watch)
        self.result = blank_result(
            scenario, name, seed=seed, transport=described(transport, scenario.carriers), clock=clock
        )

    def _watch(self, event: Event) -> None:
        if isinstance(event, Fault):
            self.faults.append(event)
        if self.sink is not None:
            self.sink(event)

    # -- the whole

    def go(self) -> None:
        """Set up, carry out all steps, take down."""
        shown: int | None = None
        try:
            with alarm(self.options.limit + sum(self._real_waits())):
                host = self.host = Host(self.loop, self.clock, self.trace, self.settings)
                host.watch_loop()
                self.loop.run_until_complete(self._story(host))
                shown = self.trace.last_number
                self.sink = None
                self._conclude()
                self.loop.run_until_complete(host.close())
        except TimeUp as error:
            self._on_time_up(error)
        except StepFailed as error:
            self._fail(error.summary, error.verdict, error.mismatches)
        except ManagementError as error:
            self._fail(f"{error} (status {error.status})", Verdict.FAILED)
        except ConfigError as error:
            self.lacking = lacking_links(self.scenario, str(error)) if self.host is None else []
            self._fail(str(error), Verdict.FAILED)
        except UnjudgedError as error:
            self._fail(str(error), Verdict.INCONCLUSIVE)
        except (SimwardenError, ConnectionError) as error:
            self._fail(str(error), Verdict.ERROR if isinstance(error, InternalError) else Verdict.FAILED)
        except Exception as error:  # noqa: BLE001 - a bug of ours ends this scenario, not the command
            self._fail_by(error)
        if shown is None:
            shown = self.trace.last_number
            self.result.virtual = self.clock.now()
            self._take_down(self.host)
        self._keep(self.trace.last_number if self.interrupted else shown)

    def _on_time_up(self, error: TimeUp) -> None:
        self.interrupted = isinstance(error, Interrupted)
        if self.interrupted:
            self._fail(str(error), Verdict.INCONCLUSIVE)
        else:
            self._fail(f"still running after {self.options.limit:g} s of real time, at {error}", Verdict.ERROR)

    def _real_waits(self) -> list[float]:
        if self.clock.virtual:
            return []
        return [each.action.seconds for each in self.scenario.steps if isinstance(each.action, Wait)]

    def _take_down(self, host: Host | None) -> None:
        with contextlib.suppress(Exception, TimeUp), alarm(5.0):
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            if host is not None:
                self.loop.run_until_complete(host.close())

    def _conclude(self) -> None:
        """Give the verdict of a story that came to its end, before the network says goodbye."""
        self._check_faults()
        if self.result.failure is None:
            self._check_rejections()
        if self.result.failure is None and self._unreached():
            self._fail("", Verdict.FAILED)
        if self.result.failure is None and self.inconclusive:
            self.result.verdict = Verdict.INCONCLUSIVE
            outside = ", ".join(dict.fromkeys(self.inconclusive))
            self.result.failure = self._record(f"cannot be judged from here: the inside of {outside} (external)")

    def _keep(self, shown: int) -> None:
        """Keep the events of the story, without the goodbyes after it unless one of them went wrong."""
        if self.result.verdict is not Verdict.ERROR:
            self._check_faults()
        events = self.trace.events
        skipped = [event for event in events[shown:] if isinstance(event, Note) and event.element == "clock"]
        self.result.events = events if self.result.verdict is Verdict.ERROR else [*events[:shown], *skipped]

    # -- failures

    def _fail(self, summary: str, verdict: Verdict, mismatches: tuple[Mismatch, ...] = (), detail: str = "") -> None:
        if self.faults and verdict is not Verdict.ERROR:
            fault = self.faults[0]
            summary, verdict, detail = f"fault in {fault.element}: {fault.reason}", Verdict.ERROR, fault.detail
        unreached = self._unreached()
        if unreached and verdict is not Verdict.ERROR:
            verdict = Verdict.INCONCLUSIVE
            outside = ", ".join(dict.fromkeys(each.target for each in unreached))
            summary = "; ".join(filter(None, (f"cannot be judged: {outside} (external) could not be reached", summary)))
        self.result.verdict = verdict
        self.result.failure = self._record(summary, mismatches, detail)

    def _fail_by(self, error: Exception) -> None:
        if reason := why_unusable(error):
            self._fail(f"{error}: {reason}", Verdict.FAILED)
        else:
            self._fail(f"{type(error).__name__}: {error}", Verdict.ERROR, detail=traceback.format_exc())

    def _record(self, summary: str, mismatches: tuple[Mismatch, ...] = (), detail: str = "") -> FailureRecord:
        record = failure.make_record(
            self.scenario,
            self.step,
            summary,
            mismatches=mismatches,
            trace=self.trace,
            phase=self.judged_phase or self.phases[-1],
            acted=self.acted,
            lanes=self.result.lanes,
            links=tuple(map(str, self._unlinked())),
            rerun=self.options.rerun,
            detail=detail,
        )
        return hide_keys(record, self.scenario.keys)

    def _unlinked(self) -> list[Reach]:
        """Return the connections that do not stand, as elements tried to make them last."""
        reached = self.host.reached.values() if self.host is not None else self.lacking
        return [each for each in reached if each.reason]

    def _unreached(self) -> list[Reach]:
        """Return those of them to elements outside this process."""
        return [each for each in self._unlinked() if each.target in self.scenario.external]

    def _check_faults(self) -> None:
        if self.faults:
            self._fail("", Verdict.FAILED)

    def _check_rejections(self) -> None:
        """See that each rejection is a control's, or expected."""
        if not self.options.keep or not self.options.tells or self.probe is not None:
            return
        finding = check_rejections(self.scenario, self.trace.events, self.phases)
        if finding is None:
            return
        if finding.phase.steps:
            self.step = finding.phase.steps[-1]
        self.judged_phase, self.acted = finding.phase, 0
        self._fail(finding.summary, finding.verdict, finding.mismatches)

    # -- the story

    async def _story(self, host: Host) -> None:
        for name, each in self.scenario.instances.items():
            if each.external is None:
                host.add(name, self.scenario.registry.kinds[each.kind], each.config)
        await host.start_all()
        await self.clock.settle()
        acting = Acting(host, self.scenario.external, self.inconclusive, self.judge.shown)
        if any(step.during for step in self.scenario.steps):
            from simwarden.scenario.interpose import Meanwhile  # noqa: PLC0415 - few scenarios put something in

            may_be_refused = partial(refuses_beside, self.scenario)
            self.meanwhile = Meanwhile(host, acting.act, self.scenario.beyond, may_be_refused)
        network = [name for name in host.elements if not self.scenario.instances[name].section]
        for card in self.scenario.cards.values():
            await self._provision(host, card, network)
        await self.clock.settle()
        if self.probe is not None:
            self.probe.enter(host, acting.act)
        try:
            for step in self.scenario.steps:
                self.step = step
                await self._carry_out(acting, step)
                acting.check()
                self._check_faults()
                if self.result.failure is not None:
                    return
                self.result.steps_done += 1
            if self.probe is not None:
                await self.probe.leave()
            else:
                acting.end()
                self.result.virtual = self.clock.now()
                await self._come_to_rest(host, acting)
                self._close_phase()
        finally:
            acting.end()
            await host.probed()

    async def _come_to_rest(self, host: Host, acting: Acting) -> None:
        """See that in the end nothing is under way, and elements agree; what they do not yet has time to come."""
        if self.options.tun:  # programs of this machine do not stop with the story
            return
        if not is_whole(host):
            await self._let_procedures_end(host)
            return
        kinds = {name: each.kind for name, each in self.scenario.instances.items()}
        deadline = self.clock.now() + (_REST_VIRTUAL if self.clock.virtual else _WITHIN_REAL)
        while found := list(unrest(host, kinds, acting.forgotten)):
            if self.clock.virtual and not is_busy(host):
                deadline = min(deadline, self.clock.now() + _AGREE_VIRTUAL)
            if not await self._let_time_pass(deadline):
                break
            self._check_faults()
        if found:
            place = self.step.place if self.step is not None else Place(self.scenario.path)
            wrong = tuple(Mismatch(what, want, got, place) for what, want, got in found)
            raise StepFailed("the network is not at rest after the last step; a `wait` may let it end", wrong)

    async def _let_procedures_end(self, host: Host) -> None:
        """Let what is under way come to its end, if it can while something is down or fails."""
        deadline = self.clock.now() + _REST_VIRTUAL
        while self.clock.virtual and is_busy(host) and await self._let_time_pass(deadline):
            self._check_faults()

    async def _provision(self, host: Host, card: Card, network: Sequence[str]) -> None:
        for name in (*network, card.name):
            element = element_of(host, name)
            if any(each.method == "PUT" and each.path == "/cards/{imsi}" for each in element.routes):
                body = provision_of(card, element.declaration, self.settings.seed)
                path = f"/cards/{card.keys.imsi}"
                await element.manage_for(HOUSE, "PUT", path, body.model_dump())

    async def _carry_out(self, acting: Acting, step: Step) -> None:
        self.called = self.trace.last_number if _calls(step.action) else 0
        text = hide_keys(step.text, self.scenario.keys)
        self.trace.emit(StepMark(index=step.index, text=text, line=step.place.line))
        outcome = None
        if step.action is not None and self.judged:
            self._close_phase()
            self.phases.append(Phase(self.trace.last_number))
            self.judged = False
        self.phases[-1].steps.append(step)
        if step.action is not None:
            self.acted = 0
            acting.expects = bool(step.expectations)
            if self.probe is not None:
                work = self._insist(acting, step.action)
            else:
                work = acting.act(
                    step.action, awaited=any(isinstance(each, OutcomeWanted) for each, _ in step.conditions)
                )
            outcome = await (work if self.meanwhile is None else self.meanwhile.carry_out(step, work))
            await self.clock.settle()
            self.acted = self.trace.last_number
        wrong: list[Mismatch] = []
        for expectation in step.expectations:
            self.judged = True
            outside = [name for each in expectation.conditions if (name := self.judge.outside(each))]
            self.inconclusive += outside
            unmet = await self._hold(expectation, outcome)
            self.open.append((step, expectation, self.called))
            wrong += unmet
            self._note_met(step, expectation, unmet, outcome)
        self._see(wrong)

    async def _insist(self, acting: Acting, action: Action) -> Any:
        """Do what a step says when its element is there again, if a probe had it down; what makes no sense is left."""
        for _ in range(_TRIES):
            try:
                return await acting.act(action)
            except ManagementError as error:
                if error.status != HTTPStatus.SERVICE_UNAVAILABLE:
                    break
            await self.clock.sleep(_PAUSE)
        return None

    def _see(self, wrong: list[Mismatch], when: str = "") -> None:
        """End the story where something is not as it was expected; a lenient run does not ask what was decided."""
        if self.options.lenient:
            wrong = [each for each in wrong if each.subject not in self.evidence]
        if wrong:
            told = "an expectation was not met" if len(wrong) == 1 else "expectations were not met"
            raise StepFailed(f"{told}{when}", tuple(wrong))

    def _close_phase(self) -> None:
        """Judge again what is about the whole phase: `never`, and how many of something there are."""
        current = self.step
        for step, expectation, called in self.open:
            self.step = step
            self._see(self.judge.changed(expectation, self.phases[-1].start, called), " any more when its phase ended")
        self.step = current
        self.open.clear()

    def _note_met(self, step: Step, expectation: Expectation, unmet: list[Mismatch], outcome: Any) -> None:
        """Keep what met an expectation, for who reads the report; a run without events has none to show."""
        if not self.options.keep:
            return
        missed = {(each.subject, each.place) for each in unmet}
        for each in expectation.conditions:
            if (each.subject, each.place) in missed or self.judge.outside(each):
                continue
            want, got, event = wanted_in(each), "never", 0
            if not expectation.never:
                got, event = self.judge.witness(each, self.phases[-1].start, outcome)
            met = Met(step.index, each.place.line, each.subject, want, got, event)
            self.met.append(hide_keys(met, self.scenario.keys))

    async def _hold(self, expectation: Expectation, outcome: Any) -> list[Mismatch]:
        """Hold an expectation against the trace; what is not there yet has time to come."""
        if expectation.never:
            return self.judge.happened(expectation, self.phases[-1].start)
        default = _WITHIN_VIRTUAL if self.clock.virtual else _WITHIN_REAL
        deadline = self.clock.now() + (default if expectation.within is None else expectation.within)
        while True:
            wrong = self.judge.unmet(expectation, self.phases[-1].start, outcome, self.called)
            if not wrong or self.faults or all(each.subject == "outcome" for each in wrong):
                return wrong
            if not await self._let_time_pass(deadline):
                return wrong

    async def _let_time_pass(self, deadline: float) -> bool:
        """Go to the next timer (on the real clock: wait a moment); False if the deadline comes first."""
        now = self.clock.now()
        if self.clock.virtual:
            due = self.loop.next_timer()
            if due is None or due > deadline:
                return False
            await self.clock.sleep(max(0.0, due - now))
            await self.clock.settle()
            return True
        await asyncio.sleep(_LOOK)
        return now < deadline
