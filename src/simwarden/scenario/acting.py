"""Carries out what steps do: waits, power and injected faults, verbs of elements, calls of their management."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from simwarden.errors import ManagementError
from simwarden.operations.element import element_of
from simwarden.operations.management import HOUSE, Role
from simwarden.runtime.host import InjectedFault
from simwarden.scenario.document import NO_ANSWER, Call, Fail, Manage, Power, Rhythm, Together, Wait
from simwarden.scenario.judge import StatusOutcome
from simwarden.scenario.rest import held_apart
from simwarden.scenario.result import Verdict
from simwarden.trace.events import Answered, StateChange

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from simwarden.runtime.host import Host
    from simwarden.scenario.document import Action
    from simwarden.scenario.result import Mismatch


class StepFailed(Exception):  # noqa: N818 - carries a record, is no error
    """A step did not do what it should."""

    def __init__(self, summary: str, mismatches: tuple[Mismatch, ...] = (), verdict: Verdict = Verdict.FAILED) -> None:
        super().__init__(summary)
        self.summary, self.mismatches, self.verdict = summary, mismatches, verdict


class Acting:
    """Acts upon the elements of a run; `external` ones are not asked to do anything, and stand in `outside` instead.

    `expects` says whether the step under way expects anything: else a call that is refused ends it. `shown` tells what
    an element shows at present.
    """

    def __init__(
        self,
        host: Host,
        external: Collection[str],
        outside: list[str],
        shown: Callable[[str], Iterable[StateChange]] = lambda _name: (),
    ) -> None:
        self._host, self._clock, self._external, self._outside = host, host.clock, external, outside
        self._shown = shown
        self.expects = False
        self._beside: set[asyncio.Task[None]] = set()
        self._failed: StepFailed | None = None
        #: what elements that began anew do not know of, and others with them do
        self.forgotten: set[tuple[str, tuple[Any, ...]]] = set()

    def check(self) -> None:
        """See that nothing has failed that goes on beside the steps. Raises StepFailed."""
        if self._failed is not None:
            raise self._failed

    def end(self) -> None:
        """End what goes on beside the steps."""
        for task in self._beside:
            task.cancel()

    async def act(self, action: Action, *, awaited: bool = False) -> Any:
        """Carry out an action; return its outcome, None if it has none. Raises StepFailed, ManagementError.

        `awaited` says that its outcome is expected: it may be that there is no answer.
        """
        match action:
            case Wait(seconds):
                await self._clock.sleep(seconds)
            case Together():
                return await self._together(action, awaited=awaited)
            case Rhythm():
                self._begin(action)
            case _ if action.element in self._external:
                self._outside.append(action.element)
            case Power():
                await self._power(action)
            case Fail(name, answer, after, database):
                if database:
                    self._host.fail_database(name)
                else:
                    self._host.injected_faults[name] = InjectedFault(answer, after)
            case Call() | Manage():
                return await self._ask(action, awaited=awaited)
        return None

    async def _ask(self, action: Call | Manage, *, awaited: bool) -> Any:
        """Call an element. Raises ManagementError; 503: it does not run, where no outcome is awaited."""
        if not await self._is_there(action):
            if not awaited:
                raise ManagementError(503, f"{action.element} does not run")
            return NO_ANSWER
        if isinstance(action, Manage):
            return await self._manage(action)
        return await self._host.elements[action.element].manage_for(
            HOUSE, "POST", f"/verbs/{action.verb}", action.arguments
        )

    async def _is_there(self, action: Call | Manage) -> bool:
        """Whether an element hears a call: one that runs does, and a terminal or card that somebody takes in hand."""
        name = action.element
        if name not in self._host.running and isinstance(action, Call):
            if not self._host.elements[name].declaration.instances:
                return False
            await self._host.start(name)
        return name in self._host.running

    async def _together(self, action: Together, *, awaited: bool) -> Any:
        """Carry out several; their outcome is the word that all came to, or what each did."""
        pause = action.over / len(action.actions)
        outcomes = await asyncio.gather(
            *(self._act_later(each, place * pause, awaited=awaited) for place, each in enumerate(action.actions))
        )
        came = [pair for pair in zip(action.actions, outcomes, strict=True) if pair[1] is not None]
        words = [outcome for _, outcome in came]
        if len(set(map(str, words))) <= 1:
            return words[0] if words else None
        return ", ".join(f"{named(each)} {outcome}" for each, outcome in came)

    async def _act_later(self, action: Action, pause: float, *, awaited: bool) -> Any:
        if pause:
            await self._clock.sleep(pause)
        return await self.act(action, awaited=awaited)

    def _begin(self, rhythm: Rhythm) -> None:
        """Let actions go on beside the steps; those of several are spread, so that not all act at one moment."""
        now, number = self._clock.now(), len(rhythm.actions)
        end = None if rhythm.lasting is None else now + rhythm.lasting
        for place, action in enumerate(rhythm.actions, 1):
            first = now + rhythm.every - rhythm.over * (number - place) / number
            task = self._host.loop.create_task(self._repeat(action, first, rhythm.every, end))
            self._beside.add(task)

    async def _repeat(self, action: Action, due: float, every: float, end: float | None) -> None:
        """Act at each beat; one that falls into an action that still goes on, or makes no sense now, is left out."""
        while end is None or due <= end:
            await self._clock.sleep(max(0.0, due - self._clock.now()))
            try:
                await self._act_again(action)
            except ManagementError:
                pass
            except StepFailed as failed:
                self._failed = self._failed or StepFailed(f"what goes on beside the steps: {failed.summary}")
                return
            except Exception as error:  # noqa: BLE001 - nobody awaits this task: what it meets ends the run
                self._host.fault("runner", "what goes on beside the steps", error)
                return
            due += every * max(1, math.ceil((self._clock.now() - due) / every))

    async def _act_again(self, action: Action) -> None:
        outcome = await self.act(action)
        if isinstance(outcome, StatusOutcome) and outcome.status >= 400:
            raise StepFailed(f"{named(action)}: {outcome}")

    async def _power(self, action: Power) -> None:
        name, verb = action.element, action.verb
        if verb == "mend":
            failing = self._host.injected_faults.pop(name, None) is not None
            if not (self._host.mend_database(name) or failing):
                raise ManagementError(409, f"mend: {name} does not fail")
            return
        if (verb == "start") == (name in self._host.running):
            raise ManagementError(409, f"{verb}: {name} {'runs already' if verb == 'start' else 'does not run'}")
        if verb != "start":
            await self._stop(name, kill=verb == "kill")
            await self._clock.settle()
        if verb in ("start", "restart"):
            await self._start(name)

    async def _start(self, name: str) -> None:
        await self._host.start(name)
        if forgets := self._host.elements[name].forgets:
            self.forgotten |= {each for each in held_apart(self._host) if each[0].startswith(forgets)}

    async def _stop(self, name: str, *, kill: bool) -> None:
        """Stop an element; what it showed and does not keep is so no more, save what it says as it goes."""
        before = self._host.trace.last_number
        await self._host.stop(name, kill=kill)
        kept = {each.name for each in self._host.elements[name].declaration.observables if each.kept}
        for each in list(self._shown(name)):
            if each.number <= before and each.observable not in kept:
                gone = StateChange(element=name, observable=each.observable, value=None, key=each.key)
                self._host.trace.emit(gone)

    async def _manage(self, action: Manage) -> StatusOutcome:
        element = element_of(self._host, action.element)
        role, caller, accounts = Role(action.role), action.caller or action.role, action.accounts
        try:
            said = await element.manage(role, action.method, action.path, action.body, caller=caller, accounts=accounts)
            outcome = StatusOutcome(200 if said is not None else 204, "")
        except ManagementError as error:
            said, outcome = error.body(), StatusOutcome(error.status, str(error))
        self._host.trace.emit(
            Answered(
                element=action.element,
                role=action.role,
                caller=caller,
                method=action.method,
                path=action.path,
                status=outcome.status,
                body=said,
            )
        )
        if outcome.status >= 400 and not self.expects:
            raise StepFailed(f"{action.method} {action.path}: {outcome}")
        return outcome


def named(action: Action) -> str:
    """Return what tells an action from others that are begun with it."""
    match action:
        case Call():
            return f"{action.verb} of {action.element}"
        case Manage():
            return f"{action.method} {action.path} at {action.element}"
    return type(action).__name__.lower()
