"""Calls as chains of halves: each half has a basic call state model, and a gsmSSF where a CSI asks for one.

What is nearer to the caller is `up`, what is nearer to the called party `down`. Set-up and release go down, what the
called party does comes up; each half may hold either at a detection point until its gsmSCF has given orders.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from simulators.ssp.bcsm import O_BCSM, Happening, Pic, failure
from simulators.ssp.numbers import address_of, is_same
from simwarden.wire import cap
from simwarden.wire.cap import EventType
from simwarden.wire.q850 import Cause, CauseValue

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from simulators.ssp.bcsm import Model
    from simulators.ssp.clients.gsmscf import Scf
    from simulators.ssp.core import Core
    from simwarden.runtime.clock import Timer
    from simwarden.wire.isup import GenericNumber, Number
    from simwarden.wire.tbcd import AddressString

#: causes arise in the public network that serves the local user (Q.850 2.2.3)
LOCATION: Final = 2
_NOT_ANSWERED: Final = Cause(CauseValue.NO_ANSWER_FROM_USER, LOCATION)
#: a call that has gone round so often goes nowhere
LAST_FORWARDING: Final = 5


@dataclass(frozen=True, slots=True)
class Setup:
    """What a call is set up with; numbers are as they were dialled or ordered."""

    called: AddressString
    caller: Number | None = None
    #: a number beside the caller's that nobody has verified
    additional: GenericNumber | None = None
    #: a reference of the call, the same in all that is said of it
    reference: bytes = b""
    emergency: bool = False
    original: Number | None = None
    redirecting: Number | None = None
    forwardings: int = 0


DigitReply: TypeAlias = Callable[[int | None], None]
"""Called once for each DTMF digit: with None if it is accepted, else with the cause of its rejection."""
NOT_CONNECTED: Final = CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE
"""Why a DTMF digit is rejected for which there is no connected party."""


class Upstream(Protocol):
    """Whoever is nearer to the caller."""

    def progress(self) -> None:
        """Something is to be heard before the call is answered."""

    def alerting(self) -> None:
        """The called party's terminal rings."""

    def answered(self) -> None:
        """The called party has answered."""

    def cleared(self, cause: Cause) -> None:
        """The call has not come about, or the other side has ended it."""

    def called_party_digit(self, key: str, reply: DigitReply) -> None:
        """Deliver a DTMF digit of the called party to the caller."""


class Downstream(Protocol):
    """Whoever is nearer to the called party."""

    def release(self, cause: Cause) -> None:
        """The caller's side ends the call."""

    def digit(self, key: str, reply: DigitReply) -> None:
        """Deliver a DTMF digit of the caller to the gsmSRF that collects digits, or to the called party."""


class Nowhere:
    """What is downstream of a call that went nowhere, or is over."""

    def release(self, cause: Cause) -> None:
        """See Downstream."""

    def digit(self, key: str, reply: DigitReply) -> None:
        """See Downstream."""
        del key
        reply(NOT_CONNECTED)


class Nobody:
    """What is upstream of a call whose caller is not there, or not any more."""

    def progress(self) -> None:
        """See Upstream."""

    def alerting(self) -> None:
        """See Upstream."""

    def answered(self) -> None:
        """See Upstream."""

    def cleared(self, cause: Cause) -> None:
        """See Upstream."""

    def called_party_digit(self, key: str, reply: DigitReply) -> None:
        """See Upstream."""
        del key
        reply(NOT_CONNECTED)


@dataclass(slots=True)
class Course:
    """What became of a half of a call, for its record."""

    seized: dt.datetime
    answered: dt.datetime | None = None
    scf_address: str = ""
    service_key: int | None = None
    defaulted: str = ""
    connected_to: str = ""
    released_by_scf: bool = False


@dataclass(eq=False)
class Half:
    """One half of a call, for the subscriber `imsi`; `route` takes it on to its next stage."""

    core: Core
    model: Model
    up: Upstream
    route: Callable[[Half, Setup], Downstream]
    imsi: str = ""
    msisdn: str = ""
    #: how a call that the gsmSCF connects to somebody else goes on; None: as any
    elsewhere: Callable[[Half, Setup], Downstream] | None = None
    #: told when the half is over, and (`show`) of each state that it comes to
    ended: Callable[[Half, Cause], None] = lambda _half, _cause: None
    show: Callable[[str, Cause | None], None] = lambda _state, _cause: None
    scf: Scf | None = None
    #: how long the called party may ring, if this half watches that
    ringing: float | None = None
    down: Downstream = field(default_factory=Nowhere)
    setup: Setup = field(init=False)
    pic: Pic = field(init=False)
    over: bool = False
    course: Course = field(init=False)
    _timer: Timer | None = None

    def __post_init__(self) -> None:
        self.pic = self.model.start

    # -- set-up

    def begin(self, setup: Setup) -> None:
        """Set the call up."""
        self.setup, self.course = setup, Course(self.core.clock.wall())
        self._happen(Happening.SET_UP, self._set_up)

    def _set_up(self) -> None:
        if self.model is O_BCSM:
            self._happen(Happening.ANALYSED, self._go_down)
        else:
            self._go_down()

    def _go_down(self) -> None:
        self.down = self.route(self, self.setup)

    def connect(self, order: cap.Connect) -> None:
        """Go on with another number: instead of the one that was dialled, or after that did not answer, or hung up."""
        (number,) = order.destination_routing_address
        called = address_of(number)
        same = is_same(called, self.setup.called)
        self.course.connected_to = called.digits
        self.setup = dataclasses.replace(
            self.setup,
            called=called,
            original=order.original_called_party_id or self.setup.original,
            redirecting=order.redirecting_party_id or self.setup.redirecting,
        )
        self._happen(Happening.REROUTED, lambda: None)
        if self.elsewhere is not None and not same:
            self.down = self.elsewhere(self, dataclasses.replace(self.setup, forwardings=self.setup.forwardings + 1))
        else:
            self._set_up()

    # -- what the called party does

    def progress(self) -> None:
        """See Upstream."""
        self.up.progress()

    def alerting(self) -> None:
        """See Upstream; from now on it may ring for so long only."""
        if self.over or self.pic is self.model.active:  # further down another party is called after the first one
            return
        self.show("alerting", None)
        asked = self.scf.no_answer if self.scf is not None else None
        seconds = asked if asked is not None else self.ringing
        if seconds is not None:
            self._stop()
            self._timer = self.core.clock.call_later(seconds, self._unanswered)
        self.up.alerting()

    def _unanswered(self) -> None:
        down, self.down = self.down, Nowhere()
        down.release(_NOT_ANSWERED)
        self.cleared(_NOT_ANSWERED)

    def answered(self) -> None:
        """See Upstream."""
        if self.pic is self.model.active:
            return
        self.course.answered = self.course.answered or self.core.clock.wall()
        self.show("answered", None)
        self._happen(Happening.ANSWERED, self.up.answered, cap.AnswerInfo())

    def cleared(self, cause: Cause) -> None:
        """See Upstream."""
        self.down = Nowhere()
        what = Happening.CALLED_PARTY_CLEARS if self.pic is self.model.active else failure(cause.value)
        self._happen(what, lambda: self._end(cause), cause)

    def called_party_digit(self, key: str, reply: DigitReply) -> None:
        """See Upstream: a call that waits for orders is not through-connected."""
        if self.scf is not None and self.scf.is_waiting:
            reply(NOT_CONNECTED)
        else:
            self.up.called_party_digit(key, reply)

    def _end(self, cause: Cause) -> None:
        self._finish(cause)
        self.up.cleared(cause)

    # -- what the caller does

    def release(self, cause: Cause) -> None:
        """See Downstream."""
        what = Happening.CALLING_PARTY_CLEARS if self.pic is self.model.active else Happening.ABANDONED
        self._happen(what, lambda: self._drop(cause), cause)

    def _drop(self, cause: Cause) -> None:
        self._finish(cause)
        self.down.release(cause)

    def digit(self, key: str, reply: DigitReply) -> None:
        """See Downstream: digits that a gsmSRF collects, and those of a call that waits for orders, go no further."""
        if self.scf is not None and self.scf.digit(key):
            reply(None)
        elif self.scf is not None and self.scf.is_waiting:
            reply(NOT_CONNECTED)
        else:
            self.down.digit(key, reply)

    # -- what the network does

    def end(self, cause: Cause) -> None:
        """End the call on both sides, by order or for want of one."""
        if self.over:
            return
        self._happen(Happening.RELEASED, lambda: None)
        self._finish(cause)
        self.down.release(cause)
        self.up.cleared(cause)

    # -- what all do

    def _happen(self, what: Happening, go_on: Callable[[], None], about: Any = None) -> None:
        """Take the call past a detection point, where it may have to wait for orders before it goes on.

        What cannot happen at a point has happened already, as the parties have crossed, or the call is over.
        """
        self._stop()
        transition = self.model.next(self.pic, what)
        if transition is None:
            return
        self.pic = transition.to
        if transition.dp is not None and self.scf is not None:
            information = _information(transition.dp, about)
            if self.scf.meet(transition.dp, transition.leg, information, go_on):
                return
        go_on()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _finish(self, cause: Cause) -> None:
        self.over = True
        if self.scf is not None:
            self.scf.over()
        self.show("ended" if self.course.answered is not None else "failed", cause)
        self.ended(self, cause)


def _information(dp: EventType, about: Any) -> cap.EventInfo | None:
    """Return what there is to tell of an event (TS 29.078 11.12)."""
    found = _INFORMATION.get(dp)
    return found(about) if found is not None else None


_E: Final = EventType
_INFORMATION: Final[Mapping[EventType, Callable[[Any], cap.EventInfo]]] = {
    _E.ROUTE_SELECT_FAILURE: lambda cause: cap.EventInfo(route_select_failure=cap.FailureInfo(cause)),
    _E.O_CALLED_PARTY_BUSY: lambda cause: cap.EventInfo(o_called_party_busy=cap.BusyInfo(cause)),
    _E.O_ANSWER: lambda answer: cap.EventInfo(o_answer=answer),
    _E.O_DISCONNECT: lambda cause: cap.EventInfo(o_disconnect=cap.DisconnectInfo(cause)),
    _E.T_BUSY: lambda cause: cap.EventInfo(t_busy=cap.BusyInfo(cause)),
    _E.T_ANSWER: lambda answer: cap.EventInfo(t_answer=answer),
    _E.T_DISCONNECT: lambda cause: cap.EventInfo(t_disconnect=cap.DisconnectInfo(cause)),
}
