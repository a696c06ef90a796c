"""Lets something happen before a frame of a run reaches its far end, or to the frame itself.

Whatever carries the frames, they are held up where they are handed over (`runtime.frame_queue`). An action that is put
in is begun and goes on until it waits for frames or time; then the frame is delivered, and what the action has sent
comes behind it.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from simwarden.errors import ScenarioError, UnjudgedError, UserFileError
from simwarden.model.interfaces import INTERFACES
from simwarden.runtime.frame_queue import Delivery
from simwarden.scenario.acting import named
from simwarden.scenario.document import Mishap
from simwarden.scenario.during import is_lossy
from simwarden.scenario.expectation import REFUSAL_WORDS
from simwarden.scenario.judge import StatusOutcome, nested
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Frame, Note
from simwarden.wire.family import family_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence

    from simwarden.errors import Place
    from simwarden.runtime.host import Host
    from simwarden.runtime.link import Link
    from simwarden.scenario.document import Action, During, Step
    from simwarden.trace.events import Event

T = TypeVar("T")


class _Late(Delivery):
    """A frame that was taken out of the order, on its way again."""

    __slots__ = ("_frame",)

    def __init__(self, link: Link, frame: Frame) -> None:
        super().__init__(link)
        self._frame = frame

    def deliver(self) -> None:
        """See Delivery."""
        if self.to.up:
            self.to.on_receive(self._frame.data, self._frame.stream)

    def receiver(self) -> Link | None:
        """See Delivery."""
        return self.to


@dataclass(slots=True)
class _Hold:
    """A connection whose frames are held back, in both directions or in one (`from_client`)."""

    number: int
    from_client: bool | None
    frames: list[_Late] = field(default_factory=list)


class Interposer:
    """The gate of a run: asks before each frame what is to be put in."""

    def __init__(
        self,
        host: Host,
        choose: Callable[[Frame], Iterable[tuple[Action, ...] | Mishap]],
        act: Callable[[Action], Coroutine[Any, Any, Any]],
    ) -> None:
        """`choose` is asked once for each frame when its turn has come; `act` carries an action out."""
        self._host, self._choose, self._act = host, choose, act
        self._sent: Frame | None = None
        self._frames: dict[int, Frame] = {}
        #: the delivery whose turn it is, its frame, and what is still to be put in before it
        self._asked: Delivery | None = None
        self._frame: Frame | None = None
        self._due: list[tuple[Action, ...] | Mishap] = []
        self._holds: list[_Hold] = []
        #: both ends of connections, by their number
        self._ends: dict[int, dict[bool, Link]] = {}
        #: the actions that were put in
        self.tasks: list[asyncio.Task[None]] = []
        host.trace.add_sink(self._note_sent)
        host.frame_queue.gate = self

    def _note_sent(self, event: Event) -> None:
        if isinstance(event, Frame):
            self._sent = event

    def posted(self, delivery: Delivery) -> None:
        """See Gate: a frame is posted by whoever has just sent it."""
        if self._sent is not None and delivery.receiver() is not None and not isinstance(delivery, _Late):
            self._frames[id(delivery)] = self._sent

    def before(self, delivery: Delivery) -> Callable[[], None] | None:
        """See Gate."""
        link = delivery.receiver()
        if link is None or isinstance(delivery, _Late):
            return None
        if delivery is not self._asked:
            self._asked, self._frame = delivery, self._frames.pop(id(delivery), None)
            self._ends.setdefault(link.number, {})[link.client] = link
            chosen = self._choose(self._frame) if self._frame is not None and link.up else ()
            self._due = list(chosen)
        if self._frame is None:
            return None
        if self._due:
            return partial(self._put_in, self._due.pop(0), self._frame, link)
        for hold in self._holds:
            if hold.number == link.number and hold.from_client in {None, not link.client}:
                return partial(self._keep, hold, self._frame, link)
        return None

    def _put_in(self, what: tuple[Action, ...] | Mishap, frame: Frame, link: Link) -> None:
        if isinstance(what, Mishap):
            seconds = f" {what.seconds:g} s" if what.seconds else ""
            self._host.trace.emit(Note(element=frame.source, text=f"{frame.interface}: {what.what}{seconds}"))
            getattr(self, f"_{what.what}")(what, frame, link)
        else:
            self.tasks.append(asyncio.get_running_loop().create_task(self._carry_out(what)))

    async def _carry_out(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            outcome = await self._act(action)
            if isinstance(outcome, StatusOutcome) and outcome.status >= 400:
                raise ScenarioError(f"what was put in was refused: {outcome}")

    # -- what becomes of a frame

    def _take_out(self, link: Link) -> None:
        """Take a frame out of the order: its bytes are read, and nobody hears them."""
        delivery = self._host.frame_queue.withdraw()
        heard, link.on_receive = link.on_receive, _nobody
        delivery.deliver()
        if link.on_receive is _nobody:
            link.on_receive = heard

    def _keep(self, hold: _Hold, frame: Frame, link: Link) -> None:
        self._take_out(link)
        hold.frames.append(_Late(link, frame))

    def _release(self, hold: _Hold) -> None:
        self._holds.remove(hold)
        self._host.frame_queue.put_first(hold.frames)

    def _delay(self, what: Mishap, frame: Frame, link: Link) -> None:
        if is_lossy(INTERFACES[frame.interface]):
            self._take_out(link)
            self._host.clock.call_later(what.seconds, lambda: self._host.frame_queue.post(_Late(link, frame)))
        else:
            self._hold(what, _Hold(frame.link, frame.from_client))

    def _stall(self, what: Mishap, frame: Frame, _link: Link) -> None:
        self._hold(what, _Hold(frame.link, None))

    def _hold(self, what: Mishap, hold: _Hold) -> None:
        self._holds.append(hold)
        self._host.clock.call_later(what.seconds, partial(self._release, hold))

    def _lose(self, _what: Mishap, frame: Frame, link: Link) -> None:
        """Lose a frame. Of one that the radio's RLC repeats both ends learn that it is lost, and the link has failed.

        The terminal has its T310 run out or reaches maxRetxThreshold (TS 36.331 5.3.11.3), the eNB likewise.
        """
        self._take_out(link)
        if family_of(frame.protocol).read().acknowledged(frame.data):
            for end in self._ends[link.number].values():
                end.on_failure()

    def _abort(self, _what: Mishap, _frame: Frame, link: Link) -> None:
        self._take_out(link)
        link.lose("connection lost")

    def _double(self, _what: Mishap, frame: Frame, link: Link) -> None:
        self._send_again(frame, link)

    def _repeat(self, _what: Mishap, frame: Frame, link: Link) -> None:
        """Send a request again as after a failover: it may have been received already."""
        self._send_again(replace(frame, data=family_of(frame.protocol).read().again(frame.data)), link)

    def _alter(self, what: Mishap, frame: Frame, link: Link) -> None:
        """Let a message come with other fields, as if a faulty or hostile node had sent it."""
        try:
            data = family_of(frame.protocol).read().altered(frame.data, what.message, what.fields)
        except ValueError as error:
            self.tasks.append(asyncio.get_running_loop().create_task(_fail(f"alter: {error}", what.place)))
            return
        self._take_out(link)
        other = replace(frame, data=data, dissection=None)
        self._host.trace.emit(other)
        self._host.frame_queue.put_first([_Late(link, other)])

    def _send_again(self, frame: Frame, link: Link) -> None:
        self._host.frame_queue.withdraw().deliver()
        again = replace(frame, dissection=None)
        self._host.trace.emit(again)
        self._host.frame_queue.post(_Late(link, again))


async def _fail(reason: str, place: Place | None) -> None:
    raise ScenarioError(reason, place)


def _nobody(_data: bytes, _stream: int) -> None:
    """Hear a frame that was taken out."""


class Meanwhile:
    """Puts in what the steps of a scenario say (`during`)."""

    def __init__(
        self,
        host: Host,
        act: Callable[[Action], Coroutine[Any, Any, Any]],
        beyond: Callable[[str], Sequence[str]],
        may_be_refused: Callable[[Step], bool],
    ) -> None:
        """`beyond` names the elements outside this process that speak on an interface.

        `may_be_refused` says whether a refusal is expected in the phase of a step.
        """
        self._clock, self._act, self._beyond, self._may_be_refused = host.clock, act, beyond, may_be_refused
        self._step: Step | None = None
        self._dissector = Dissector()
        #: what is to be put in, with how many frames it waits for
        self._waiting: list[tuple[During, int]] = []
        self._seen: dict[str, dict[str, None]] = {}
        host.trace.add_sink(self._dissect)
        self._gate = Interposer(host, self._choose, self._do)

    def _dissect(self, event: Event) -> None:
        """Decode frames in the order of sending: later ones need what earlier ones tell."""
        if isinstance(event, Frame):
            self._dissector.dissect(event)

    def _choose(self, frame: Frame) -> Iterable[tuple[Action, ...] | Mishap]:
        if not self._waiting:
            return
        names = {each.name: None for each in nested(self._dissector.dissect(frame))}
        self._seen.setdefault(frame.interface, {}).update(names)
        waiting, self._waiting = self._waiting, []
        for each, left in waiting:
            to_come = left - (each.interface == frame.interface and each.message in names)
            if to_come:
                self._waiting.append((each, to_come))
            else:
                yield each.do

    async def carry_out(self, step: Step, work: Awaitable[T]) -> T:
        """Let a step do its work, and what is put in during it.

        Raises ScenarioError if it never came to that, UnjudgedError if that may be for an element outside this process.
        """
        self._waiting = [(each, each.nth) for each in step.during]
        self._seen, self._step = {}, step
        outcome = await work
        await self._clock.settle()
        for each, _ in self._waiting:
            raise self._never(each)
        while self._gate.tasks:
            await self._gate.tasks.pop(0)
        return outcome

    async def _do(self, action: Action) -> Any:
        step = self._step
        outcome = await self._act(action)
        refused = not REFUSAL_WORDS.isdisjoint(re.split("[ ,]+", str(outcome)))
        if refused and step is not None and not self._may_be_refused(step):
            raise ScenarioError(f"what was put in was refused: {named(action)}: {outcome}")
        return outcome

    def _never(self, what: During) -> UserFileError:
        outside = ", ".join(self._beyond(what.interface))
        if outside:
            reason = f"cannot be judged: nothing is put in before frames from or to {outside} (external)"
            return UnjudgedError(f"during: before {what.message}: {reason}", what.place)
        came = ", ".join(self._seen.get(what.interface, ())) or "nothing"
        return ScenarioError(
            f"during: nothing was put in before {what.message}: {what.interface} carried {came}", what.place
        )
