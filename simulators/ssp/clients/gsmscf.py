"""The dialogue with a gsmSCF about one half of a call: asked at a detection point, obeyed, and done without if need be.

A phase of CAP that the gsmSCF refuses is followed by the next lower one. Silence, an end without an order, and a
dialogue that is lost make the default call handling of the CSI decide (TS 23.078 4.3, TS 29.078 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.ssp import controls
from simulators.ssp.call import LOCATION
from simulators.ssp.clients.initial_dp import initial_dp
from simulators.ssp.srf import Outcome, Srf
from simulators.ssp.ssf import ANSWERS, Continue, Play, Release, Reroute, Resource, Ssf, State, Stop
from simwarden.errors import PeerError
from simwarden.machine.tcap_events import Aborted, Continued, Ended, Rejected
from simwarden.wire import cap
from simwarden.wire.cap import ErrorCode, EventType, Phase
from simwarden.wire.q850 import Cause, CauseValue
from simwarden.wire.tcap import Invoke, Problem, Reject, ReturnError, ReturnResult
from simwarden.wire.tcap.enums import InvokeProblem, ProblemKind
from simwarden.wire.tcap.user import OperationClass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.ssp.call import Half
    from simulators.ssp.srf import Asked
    from simwarden.machine.tcap_events import DialogueEvent
    from simwarden.runtime.clock import Timer
    from simwarden.wire.asn1 import Record
    from simwarden.wire.tcap import Component
    from simwarden.wire.tcap.user import Operation

_NO_ORDERS: Final = Cause(CauseValue.TEMPORARY_FAILURE, LOCATION)
_TIME_OVER: Final = Cause(CauseValue.NORMAL_UNSPECIFIED, LOCATION)
_ANSWERED_BY_ERRORS: Final = frozenset({OperationClass.SUCCESS_OR_FAILURE, OperationClass.FAILURE_ONLY})


class Trigger(NamedTuple):
    """What a CSI says for a detection point: whom to ask about what, in which phase, and what becomes of silence."""

    service_key: int
    scf: str
    releases: bool
    phase: int


class Scf:
    """The gsmSCF of one half of a call: once it is asked, about `_trigger`, at a detection point."""

    _trigger: Trigger
    _at: EventType
    #: what was asked first; whether something waits to be sent
    _first: int
    _unsent: bool

    def __init__(self, half: Half, triggers: Mapping[EventType, Trigger]) -> None:
        self._half, self._core, self._triggers = half, half.core, triggers
        self._user = half.core.cap
        self._ssf = Ssf(half.model, Phase.FOUR)
        self._dialogue: int | None = None
        self._asked = False
        self._pending: Callable[[], None] | None = None
        self._tssf: Timer | None = None
        self._tcp: Timer | None = None
        #: whether anything has come
        self._heard = False
        self._srf = Srf(half.core.clock, half.core.config.announcement, self._played)

    # -- what the call does

    @property
    def imsi(self) -> str:
        """The card whose call it is asked about."""
        return self._half.imsi

    @property
    def no_answer(self) -> float | None:
        """How long the called party may ring, as it was ordered."""
        return self._ssf.no_answer

    @property
    def is_waiting(self) -> bool:
        """True while the call is held at a detection point until the gsmSCF gives orders."""
        return self._pending is not None

    def digit(self, key: str) -> bool:
        """Take a key of the caller's; whether it was waited for."""
        return self._srf.digit(key)

    def meet(self, dp: EventType, leg: int, information: cap.EventInfo | None, go_on: Callable[[], None]) -> bool:
        """Take it that the call is at a detection point; return whether it waits there. `go_on` is called then."""
        if not self._asked:
            trigger = self._triggers.get(dp)
            if trigger is None:
                return False
            self._asked, self._trigger, self._at, self._pending = True, trigger, dp, go_on
            self._begin(min(trigger.phase, max(self._core.config.cap_phases, default=0)))
            return True
        if self._dialogue is None:
            return False
        waits = self._ssf.meet(dp, leg, information, self._core.clock.now())
        if waits:
            self._pending = go_on
            self._wait()
        self._watch()
        if waits or dp in ANSWERS:
            self._send()
        return waits  # what else has ended the call is reported when that is over

    def over(self) -> None:
        """Take it that the call is over; a gsmSCF whose orders are no longer of use is told so."""
        self._pending = None
        self._ssf.over(self._core.clock.now())
        if self._ssf.state is State.WAITING_FOR_INSTRUCTIONS:
            self._abort()
        else:
            self._send()
        self._rest()

    # -- the dialogue

    def _begin(self, phase: int) -> None:
        """Ask in a phase of CAP; without one in common nobody can be asked."""
        trigger, dp = self._trigger, self._at
        half, course = self._half, self._half.course
        course.scf_address, course.service_key = trigger.scf, trigger.service_key
        usable = [each for each in self._core.config.cap_phases if each <= phase]
        if not usable:
            self._lose(controls.PHASE, "no phase of CAP in common")
            return
        self._ssf = Ssf(half.model, Phase(usable[0]))
        self._ssf.trigger(dp)
        tc = self._user.tc
        self._dialogue = tc.open(self._core.scf_address(trigger.scf), cap.CONTEXTS[self._ssf.phase])
        self._core.scfs[self._dialogue] = self
        self._first = self._invoke(cap.INITIAL_DP, initial_dp(half, dp, trigger.service_key, self._ssf.phase))
        tc.begin(self._dialogue)
        self._unsent = False
        self._wait()
        self._user.flush()

    def take(self, event: DialogueEvent) -> None:
        """Take what has come in the dialogue."""
        match event:
            case Continued(dialogue, components) | Ended(dialogue, components):
                self._heard = True
                ended = isinstance(event, Ended)
                if ended:
                    self._forget(dialogue)
                for each in components:
                    self._component(each)
                self._carry_out(ended=ended)
            case Aborted(dialogue, reason, _, _, refused):
                self._forget(dialogue)
                lower = cap.phase_of(refused) if not self._heard else None
                if lower is not None and lower < self._ssf.phase:
                    self._begin(lower)
                else:
                    occasion = controls.DIALOGUE if refused is None else controls.PHASE
                    self._lose(occasion, reason)
            case Rejected(local=False) if not self._heard:
                self._give_up(controls.DIALOGUE, "what was asked was rejected")
            case _:
                pass

    def _component(self, component: Component) -> None:
        match component:
            case ReturnError(invoke_id, error):
                if invoke_id == self._first and self._pending is not None:
                    name = ErrorCode(error).name.lower() if error in {*ErrorCode} else "an error"
                    self._give_up(controls.DIALOGUE, f"the gsmSCF answers {name.replace('_', ' ')}")
            case Invoke():
                self._order(component)

    def _order(self, component: Invoke) -> None:
        try:
            operation, argument = cap.decode_invoke(component, self._ssf.phase)
        except PeerError as error:
            self._core.site.note(f"CAP: {error.reason}")
            self._answer(Reject(component.invoke_id, Problem(ProblemKind.INVOKE, InvokeProblem.MISTYPED_PARAMETER)))
            return
        if operation is cap.ACTIVITY_TEST:
            self._answer(ReturnResult(component.invoke_id))
            return
        error_code = self._ssf.order(operation, argument, component.invoke_id, self._core.clock.now())
        if error_code is None:
            self._wait()
            return
        self._core.site.note(f"CAP: {operation.name} cannot be carried out in state {self._ssf.state.value}")
        if operation.kind in _ANSWERED_BY_ERRORS:
            self._answer(ReturnError(component.invoke_id, error_code))

    def _answer(self, component: ReturnResult | ReturnError | Reject) -> None:
        if self._dialogue is not None:
            self._user.tc.answer(self._dialogue, component)
            self._unsent = True

    def _invoke(self, operation: Operation, argument: Record | None, linked: int | None = None) -> int:
        if self._dialogue is None:
            return 0
        octets = cap.invoke(operation, argument, invoke_id=0, phase=self._ssf.phase).argument
        self._unsent = True
        return self._user.tc.invoke(self._dialogue, operation, octets, self._core.clock.now(), linked=linked)

    def _send(self) -> None:
        """Tell the gsmSCF what there is to tell, if anything, and end the dialogue where nothing more will follow."""
        reports, self._ssf.reports = self._ssf.reports, []
        if self._dialogue is None:
            return
        for each in reports:
            self._invoke(each.operation, each.argument)
        unsent, self._unsent = self._unsent, False
        tc = self._user.tc
        if self._finished():
            tc.end(self._dialogue)
            self._forget(self._dialogue)
        elif unsent:
            tc.proceed(self._dialogue)
        self._user.flush()

    def _carry_out(self, *, ended: bool) -> None:
        """Do to the call what was ordered."""
        orders, self._ssf.orders = self._ssf.orders, []
        for each in orders:
            self._obey(each)
        if ended:
            self._after_the_end()
            return
        self._watch()
        self._send()

    def _finished(self) -> bool:
        state = self._ssf.state
        return state is State.IDLE or (state is State.MONITORING and not self._ssf.controlled)

    def _after_the_end(self) -> None:
        """The gsmSCF has ended the dialogue: it hears no more; a call that still waits has no orders."""
        self._ssf.charging, self._ssf.reports = None, []
        if self._pending is not None:
            self._lose(controls.DIALOGUE, "the gsmSCF has ended the dialogue without an order")

    # -- orders

    def _obey(self, order: Any) -> None:
        half = self._half
        match order:
            case Continue():
                self._go_on()
            case Reroute(connect):
                self._pending = None
                half.connect(connect)
            case Release(cause):
                half.course.released_by_scf = True
                half.end(cause)
            case Resource(connected):
                if connected:
                    half.up.progress()
                else:
                    self._srf.stop()
            case Play(invoke_id, asked):
                self._srf.play(invoke_id, asked)
            case Stop(invoke_id):
                self._cancel(invoke_id)

    def _go_on(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending()

    def _cancel(self, invoke_id: int) -> None:
        if self._srf.invoke_id == invoke_id:
            self._srf.stop()
            self._answer(ReturnError(invoke_id, ErrorCode.CANCELED))

    # -- special resources

    def _played(self, invoke_id: int, asked: Asked, outcome: Outcome, digits: str) -> None:
        """Tell what became of an announcement; the resource is disconnected behind it if that was not forbidden."""
        if outcome is Outcome.COLLECTED:
            octets = cap.CAP_USER.encode_result(cap.PROMPT_AND_COLLECT, cap.ReceivedInformation(digits))
            self._answer(ReturnResult(invoke_id, cap.PROMPT_AND_COLLECT.opcode, octets))
        elif outcome is Outcome.IMPROPER:
            self._answer(ReturnError(invoke_id, ErrorCode.IMPROPER_CALLER_RESPONSE))
        elif isinstance(asked, cap.PlayAnnouncement) and asked.request_announcement_complete:
            report = cap.SpecializedResourceReport(all_announcements_complete=True)
            self._invoke(cap.SPECIALIZED_RESOURCE_REPORT, report, linked=invoke_id)
        if not asked.disconnect_from_ip_forbidden:
            self._ssf.resource_gone()
        self._wait()
        self._send()

    # -- time

    def _wait(self) -> None:
        """Wait for orders from now on (Tssf)."""
        self._unwait()
        if self._ssf.state is State.WAITING_FOR_INSTRUCTIONS:
            seconds = self._core.config.tssf
        elif self._ssf.state is State.WAITING_FOR_END_OF_USER_INTERACTION:
            seconds = self._core.config.tssf_interaction
        else:
            return
        self._tssf = self._core.clock.call_later(seconds, self._on_tssf)

    def _unwait(self) -> None:
        if self._tssf is not None:
            self._tssf.cancel()

    def _on_tssf(self) -> None:
        self._give_up(controls.SILENCE, "no order came in time")

    def _watch(self) -> None:
        """Have the call's time watched (Tcp)."""
        if self._tcp is not None:
            self._tcp.cancel()
        deadline = self._ssf.deadline()
        if deadline is not None:
            self._tcp = self._core.clock.call_later(max(0.0, deadline - self._core.clock.now()), self._on_tcp)

    def _on_tcp(self) -> None:
        self._ssf.expire(_TIME_OVER)
        self._carry_out(ended=False)

    # -- without orders

    def _give_up(self, occasion: str, reason: str) -> None:
        self._abort()
        self._lose(occasion, reason)

    def _abort(self) -> None:
        if self._dialogue is not None:
            self._user.tc.abort(self._dialogue)
            self._user.flush()
            self._forget(self._dialogue)

    def _lose(self, occasion: str, reason: str) -> None:
        """Handle the call by default: it goes on without control, or is released."""
        self._rest()
        self._ssf.charging, self._ssf.state = None, State.IDLE
        half, releases = self._half, self._trigger.releases
        decision = self._core.site.decide(controls.DEFAULT, half.imsi, on=occasion, releases=releases, reason=reason)
        half.course.defaulted = "continueCall" if decision.admitted else "releaseCall"
        if decision.admitted:
            self._go_on()
        else:
            half.end(_NO_ORDERS)

    def _rest(self) -> None:
        self._unwait()
        self._srf.stop()

    def _forget(self, dialogue: int) -> None:
        del self._core.scfs[dialogue]
        self._dialogue = None
