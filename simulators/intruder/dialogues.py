"""Dialogues of CAP (TS 29.078) in which the intruder is an exchange, or a gsmSCF, and says what it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from simulators.intruder.config import ANSWERS
from simulators.intruder.records import octets_of, operation_of
from simwarden.errors import ManagementError, PeerError
from simwarden.machine.tcap_events import Aborted, Begun, Continued, Ended, Rejected
from simwarden.runtime.sigtran.nodes import make_point
from simwarden.wire import cap
from simwarden.wire.sccp import Address
from simwarden.wire.tcap import Invoke, Problem, Reject, ReturnError, ReturnResult
from simwarden.wire.tcap.enums import InvokeProblem, ProblemKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulators.intruder.config import IntruderSignalling
    from simwarden.machine.tcap_events import Event
    from simwarden.runtime.site import Site
    from simwarden.wire.tcap import Component

#: the subsystem of CAP (TS 23.003 annex A)
_CAP: Final = 146
_PATIENCE: Final = 10.0
"""Seconds for which the other side's next message is waited for."""
#: what a message that has an operation says, the first of them
_WORDS: Final = {
    cap.RELEASE_CALL: "released",
    cap.CONNECT: "connected",
    cap.CONTINUE: "connected",
    cap.CONNECT_TO_RESOURCE: "asked",
    cap.PROMPT_AND_COLLECT: "asked",
}


class Dialogues:
    """Those of one intruder; what is said goes into the last one."""

    def __init__(self, site: Site, config: IntruderSignalling) -> None:
        self._site = site
        self._point = make_point(site, config, config.nodes)
        self._user = self._point.user(_CAP, cap.CAP_USER, self._take)
        #: what the next messages of others are answered with, and in which phases they may begin
        self.answers: list[Sequence[Any]] = []
        self.phases: tuple[int, ...] = ()
        self._dialogue, self._phase = -1, cap.Phase.FOUR
        self._ids: dict[str, int] = {}
        self._next: asyncio.Future[str] | None = None

    async def start(self) -> None:
        """Associate."""
        await self._point.start()

    def stop(self) -> None:
        """Go without a trace."""
        self._point.stop(kill=True)

    def answer(self, answers: Iterable[Sequence[Any]], phases: tuple[int, ...]) -> None:
        """Set what the next messages are answered with. Raises ManagementError (400)."""
        self.answers, self.phases = list(answers), phases
        for each in [one for said in self.answers for one in said if isinstance(one, dict)]:
            for name, argument in each.items():
                if name in ANSWERS:
                    operation_of(argument["of"])
                else:
                    octets_of(operation_of(name), argument, cap.Phase(max(phases)))

    async def begin(self, point_code: int, phase: int, said: Iterable[Any]) -> str:
        """Begin a dialogue with the subsystem of CAP at a point code; return what came of it."""
        self._phase = cap.Phase(phase)
        self._dialogue = self._user.tc.open(Address(_CAP, point_code), cap.CONTEXTS[self._phase])
        return await self._heard(said, begins=True)

    async def go_on(self, said: Iterable[Any]) -> str:
        """Say more in the last dialogue; return what came of it. Raises ManagementError (409) where that is over."""
        if self._user.tc.state(self._dialogue) is None:
            raise ManagementError(409, "the last dialogue is over")
        return await self._heard(said)

    async def _heard(self, said: Iterable[Any], *, begins: bool = False) -> str:
        waits: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._next = waits
        self._say(said, begins=begins)
        try:
            async with asyncio.timeout(_PATIENCE):
                return await waits
        except TimeoutError:
            return "no-answer"

    # -- what is said

    def _say(self, said: Iterable[Any], *, begins: bool = False) -> None:
        tc, last = self._user.tc, "begin" if begins else "continue"
        for each in said:
            if isinstance(each, str):
                last = each
            else:
                for name, argument in each.items():
                    self._add(name, argument)
        ways = {"begin": tc.begin, "continue": tc.proceed, "end": tc.end, "abort": tc.abort}
        if last in ways:
            ways[last](self._dialogue)
            self._user.flush()

    def _add(self, name: str, argument: Any) -> None:
        if name in ANSWERS:
            self._user.tc.answer(self._dialogue, self._answer(name, argument))
            return
        operation = operation_of(name)
        octets = octets_of(operation, argument, self._phase)
        played = operation is cap.SPECIALIZED_RESOURCE_REPORT
        linked = self._ids.get(cap.PLAY_ANNOUNCEMENT.name) if played else None
        self._user.tc.invoke(self._dialogue, operation, octets, self._site.clock.now(), linked=linked)

    def _answer(self, name: str, given: Any) -> ReturnResult | ReturnError | Reject:
        """Return the answer to an operation that was heard: an error by its code, or a result, of a prompt digits."""
        operation = operation_of(given["of"])
        invoke_id = self._ids.get(operation.name, 0)
        if name == "reject":
            return Reject(invoke_id, Problem(ProblemKind.INVOKE, InvokeProblem.MISTYPED_PARAMETER))
        if name == "error":
            return ReturnError(invoke_id, int(given["code"]))
        if "digits" not in given:
            return ReturnResult(invoke_id)
        octets = cap.CAP_USER.encode_result(operation, cap.ReceivedInformation(str(given["digits"])))
        return ReturnResult(invoke_id, operation.opcode, octets)

    # -- what is heard

    def _take(self, event: Event) -> None:
        match event:
            case Begun(dialogue, _, _, context, components):
                self._dialogue, phase = dialogue, cap.phase_of(context or ())
                if phase is None or phase not in self.phases:
                    self._user.tc.refuse(dialogue, cap.CONTEXTS[cap.Phase(max(self.phases, default=2))])
                    self._user.flush()
                    return
                self._phase = phase
                self._tell(self._word(components))
            case Continued(dialogue, components) if dialogue == self._dialogue:
                self._tell(self._word(components))
            case Ended(dialogue, components) if dialogue == self._dialogue:
                self._tell(self._word(components, "ended"), over=True)
            case Aborted(dialogue) if dialogue == self._dialogue:
                self._tell("aborted", over=True)
            case Rejected(dialogue, local=False) if dialogue == self._dialogue:
                self._tell("error")
            case _:
                pass

    def _word(self, components: Sequence[Component], word: str = "told") -> str:
        found = []
        for each in components:
            if isinstance(each, Invoke):
                try:
                    operation, _ = cap.decode_invoke(each, self._phase)
                except PeerError as error:
                    self._site.note(f"CAP: {error.reason}")
                    continue
                self._ids[operation.name] = each.invoke_id
                found.append(_WORDS.get(operation, ""))
            elif isinstance(each, ReturnError):
                found.append("error")
        return next(filter(None, found), word)

    def _tell(self, word: str, *, over: bool = False) -> None:
        if self._next is not None and not self._next.done():
            self._next.set_result(word)
        elif self.answers and not over:
            self._say(self.answers.pop(0))
