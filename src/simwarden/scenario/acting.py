"""Carries out what steps do: waits, power and injected faults, verbs of elements, calls of their management."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from simwarden.errors import ManagementError
from simwarden.operations.element import element_of
from simwarden.operations.management import HOUSE, Role
from simwarden.runtime.host import InjectedFault
from simwarden.scenario.document import Call, Fail, Manage, Power, Rhythm, Together, Wait
from simwarden.scenario.judge import StatusOutcome
from simwarden.scenario.result import Verdict
from simwarden.trace.events import Answered

if TYPE_CHECKING:
    from collections.abc import Collection

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

    `expects` says whether the step under way expects anything: else a call that is refused ends it.
    """

    def __init__(self, host: Host, external: Collection[str], outside: list[str]) -> None:
        self._host, self._clock, self._external, self._outside = host, host.clock, external, outside
        self.expects = False
        self._beside: set[asyncio.Task[None]] = set()

    def end(self) -> None:
        """End what goes on beside the steps."""
        for task in self._beside:
            task.cancel()

    async def act(self, action: Action) -> Any:
        """Carry out an action; return its outcome, None if it has none. Raises StepFailed, ManagementError."""
        match action:
            case Wait(seconds):
                await self._clock.sleep(seconds)
            case Together():
                return await self._together(action)
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
            case Call(name, verb, arguments):
                path = f"/verbs/{verb}"
                return await self._host.elements[name].manage_for(HOUSE, "POST", path, arguments)
            case Manage():
                return await self._manage(action)
        return None

    async def _together(self, action: Together) -> Any:
        """Carry out several; their outcome is the word that all came to."""
        pause = action.over / len(action.actions)
        outcomes = await asyncio.gather(
            *(self._act_later(each, place * pause) for place, each in enumerate(action.actions))
        )
        return outcomes[0] if len(set(map(str, outcomes))) == 1 else None

    async def _act_later(self, action: Action, pause: float) -> Any:
        if pause:
            await self._clock.sleep(pause)
        return await self.act(action)

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
                await self.act(action)
            except ManagementError:
                pass
            except Exception as error:  # noqa: BLE001 - nobody awaits this task: what it meets ends the run
                self._host.fault("runner", "what goes on beside the steps", error)
                return
            due += every * max(1, math.ceil((self._clock.now() - due) / every))

    async def _power(self, action: Power) -> None:
        if action.verb == "mend":
            self._host.injected_faults.pop(action.element, None)
            self._host.mend_database(action.element)
            return
        if action.verb != "start":
            await self._host.stop(action.element, kill=action.verb == "kill")
            await self._clock.settle()
        if action.verb in ("start", "restart"):
            await self._host.start(action.element)

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
