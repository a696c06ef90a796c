"""The gsmSSF of one half of a call as a machine without I/O (TS 29.078 11, TS 23.078 4.5.7): what may be ordered when.

Its owner tells it of detection points and gives it the gsmSCF's operations. It answers with what is to become of the
call (`orders`), and with what the gsmSCF is to be told (`reports`). Times are seconds of the owner's clock.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from simwarden.wire import cap
from simwarden.wire.cap import LEG_1, LEG_2, ErrorCode, EventMode, EventType, MonitorMode, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.ssp.bcsm import Model
    from simwarden.wire.q850 import Cause
    from simwarden.wire.tcap.user import Operation

#: times of charging are counted in tenths of a second
_UNIT: Final = 10
#: EDPs at which another number may be ordered; besides, where the called party has hung up
_FOLLOW_ON: Final = frozenset(
    {
        EventType.ROUTE_SELECT_FAILURE,
        EventType.O_CALLED_PARTY_BUSY,
        EventType.O_NO_ANSWER,
        EventType.T_BUSY,
        EventType.T_NO_ANSWER,
    }
)
ANSWERS: Final = frozenset({EventType.O_ANSWER, EventType.T_ANSWER})
_OF_THE_CALLER: Final = frozenset({EventType.O_ABANDON, EventType.T_ABANDON})
#: the first phase in which the call may be held at a detection point, where that is later than that of notifications
_REQUESTED_SINCE: Final = dict.fromkeys(_OF_THE_CALLER, Phase.THREE)
_OF_EITHER: Final = frozenset({EventType.O_DISCONNECT, EventType.T_DISCONNECT})
_SETTING_UP: Final = frozenset({EventType.COLLECTED_INFO, EventType.TERM_ATTEMPT_AUTHORIZED})
_GOING_ON: Final = _SETTING_UP | {EventType.ANALYZED_INFORMATION}


class State(enum.Enum):
    """States of a gsmSSF (TS 29.078 10.2, 11)."""

    IDLE = "idle"
    WAITING_FOR_INSTRUCTIONS = "waiting-for-instructions"
    WAITING_FOR_END_OF_USER_INTERACTION = "waiting-for-end-of-user-interaction"
    MONITORING = "monitoring"


class Continue(NamedTuple):
    """The call goes on as it would."""


class Reroute(NamedTuple):
    """The call goes on with what Connect says."""

    connect: cap.Connect


class Release(NamedTuple):
    """The call ends; `at_expiry`: since its time is over."""

    cause: Cause
    at_expiry: bool = False


class Resource(NamedTuple):
    """The gsmSRF is connected to the party, or taken away."""

    connected: bool


class Play(NamedTuple):
    """The gsmSRF plays, and collects digits if that is asked for; the invoke id is that of the operation."""

    invoke_id: int
    asked: cap.PlayAnnouncement | cap.PromptAndCollectUserInformation


class Stop(NamedTuple):
    """The gsmSRF gives up what was asked under this invoke id."""

    invoke_id: int


Order: TypeAlias = Continue | Reroute | Release | Resource | Play | Stop


class Report(NamedTuple):
    """What the gsmSCF is told."""

    operation: Operation
    argument: Any


_S: Final = State
_ANYWHERE: Final = frozenset({_S.WAITING_FOR_INSTRUCTIONS, _S.WAITING_FOR_END_OF_USER_INTERACTION, _S.MONITORING})
_WAITING: Final = frozenset({_S.WAITING_FOR_INSTRUCTIONS})
_INTERACTING: Final = frozenset({_S.WAITING_FOR_END_OF_USER_INTERACTION})
#: in which states an operation may come (the preconditions of the responding entity, 11)
ALLOWED: Final[Mapping[int, frozenset[State]]] = {
    cap.REQUEST_REPORT_BCSM_EVENT.opcode: _ANYWHERE - _INTERACTING,
    cap.APPLY_CHARGING.opcode: _ANYWHERE - _INTERACTING,
    cap.CONTINUE.opcode: _WAITING,
    cap.CONTINUE_WITH_ARGUMENT.opcode: _WAITING,
    cap.CONNECT.opcode: _WAITING,
    cap.RELEASE_CALL.opcode: _ANYWHERE,
    cap.CONNECT_TO_RESOURCE.opcode: _WAITING,
    cap.DISCONNECT_FORWARD_CONNECTION.opcode: _INTERACTING,
    cap.PLAY_ANNOUNCEMENT.opcode: _INTERACTING,
    cap.PROMPT_AND_COLLECT.opcode: _INTERACTING,
    cap.CANCEL.opcode: _ANYWHERE,
}


@dataclass(slots=True)
class Charging:
    """How long a call may last: until `limit` tenths of seconds after its answer, and whether it ends then."""

    party: int
    limit: int
    release: bool


@dataclass(slots=True)
class Ssf:
    """A gsmSSF. `reports` and `orders` are taken out by the owner after each call."""

    model: Model
    phase: Phase
    state: State = State.IDLE
    #: detection points that are armed, by leg where there are two; and the no answer time that was asked for
    armed: dict[tuple[EventType, int], MonitorMode] = field(default_factory=dict)
    no_answer: int | None = None
    charging: Charging | None = None
    #: when it was answered, and up to where its time has been reported
    answered: float = math.nan
    reported: int = 0
    orders: list[Order] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    _at: EventType | None = None
    _leg: int = LEG_1

    # -- the call

    def trigger(self, dp: EventType) -> None:
        """Take it that the gsmSCF is asked at a trigger detection point."""
        self.state, self._at = State.WAITING_FOR_INSTRUCTIONS, dp

    def meet(self, dp: EventType, leg: int, information: cap.EventInfo | None, now: float) -> bool:
        """Take it that the call is at a detection point; return whether it waits for orders there.

        An event that is not armed is not reported, and one that was is disarmed (TS 23.078 4.4.1.3).
        """
        if dp in ANSWERS:
            self.answered = now
        if dp in _OF_EITHER:  # before the event, what the call has lasted (TS 23.078 4.5.7.1, Handle_ACR)
            self._report_time(now, active=False)
        mode = self._disarm(dp, leg)
        if mode is None:
            return False
        waits = mode is MonitorMode.INTERRUPTED
        misc = cap.Misc(EventMode.REQUEST if waits else EventMode.NOTIFICATION)
        event = cap.EventReportBCSM(dp, information, cap.Leg(receiving_side=leg), misc)
        self.reports.append(Report(cap.EVENT_REPORT_BCSM, event))
        if waits:
            self.state, self._at, self._leg = State.WAITING_FOR_INSTRUCTIONS, dp, leg
            if dp in _OF_EITHER:  # the time of a call that may follow is counted from its own answer
                self.answered, self.reported = math.nan, 0
        return waits

    def _disarm(self, dp: EventType, leg: int) -> MonitorMode | None:
        """Return how a detection point is armed, and disarm those that cannot be met any more (23.078 4.4.4)."""
        mode = self.armed.pop((dp, leg), None)
        if dp in ANSWERS:
            gone = [each for each in self.armed if each[0] in _FOLLOW_ON | _OF_THE_CALLER]
        else:  # a party is gone, or was not reached
            gone = [each for each in self.armed if each[1] == leg and dp not in _GOING_ON]
        for each in gone:
            del self.armed[each]
        return mode

    def over(self, now: float) -> None:
        """Take it that the call has ended: what it lasted is reported, nothing is awaited any more."""
        self._report_time(now, active=False)
        told = any(each.operation is cap.EVENT_REPORT_BCSM for each in self.reports)
        if self.state is not State.WAITING_FOR_INSTRUCTIONS or told:  # its caller may have given up meanwhile
            self.armed.clear()
            self.state = State.IDLE

    @property
    def controlled(self) -> bool:
        """Whether the gsmSCF is still to hear of the call."""
        return bool(self.armed) or self.charging is not None

    # -- time

    def deadline(self) -> float | None:
        """Return when the call's time is over, None where nothing limits it or it is not answered."""
        if self.charging is None or math.isnan(self.answered):
            return None
        return self.answered + self.charging.limit / _UNIT

    def expire(self, cause: Cause) -> None:
        """Take it that the time is over: it is reported, and the call goes on or ends, as was ordered."""
        charging = self.charging
        if charging is None:
            return
        self.charging, self.reported = None, charging.limit
        ends = charging.release
        expiry = ends and self.phase >= Phase.THREE
        told = cap.CallResult(charging.party, charging.limit, leg_active=not ends, released_at_expiry=expiry)
        self.reports.append(Report(cap.APPLY_CHARGING_REPORT, cap.ApplyChargingReport(told)))
        if ends:
            self.armed.clear()
            self.orders.append(Release(cause, at_expiry=True))

    def _report_time(self, now: float, *, active: bool) -> None:
        charging, self.charging = self.charging, None
        if charging is None:
            return
        lasted = 0 if math.isnan(self.answered) else min(round((now - self.answered) * _UNIT), charging.limit)
        self.reported = lasted
        told = cap.CallResult(charging.party, lasted, leg_active=active)
        self.reports.append(Report(cap.APPLY_CHARGING_REPORT, cap.ApplyChargingReport(told)))

    # -- the gsmSCF

    def order(self, operation: Operation, argument: Any, invoke_id: int, now: float) -> ErrorCode | None:
        """Carry out an operation; return the error that answers it, None where it is carried out."""
        if self.state not in ALLOWED.get(operation.opcode, frozenset()):
            return ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE
        error: ErrorCode | None = None
        match argument:
            case cap.RequestReportBCSMEvent():
                error = self._arm(argument)
            case cap.ApplyCharging():
                error = self._apply_charging(argument)
            case cap.Connect():
                error = self._connect(argument)
            case cap.ReleaseCall(cause) if cause is not None:
                self._release(cause, now)
            case cap.ConnectToResource(resource):
                error = self._connect_to_resource(resource)
            case cap.PlayAnnouncement() | cap.PromptAndCollectUserInformation():
                self.orders.append(Play(invoke_id, argument))
            case cap.Cancel(asked, everything):
                error = self._cancel(asked, now, everything=everything)
            case cap.ContinueWithArgument() | None:
                self._plain(operation)
            case _:
                error = ErrorCode.MISSING_PARAMETER
        return error

    def _plain(self, operation: Operation) -> None:
        """Carry out what has no argument that matters here."""
        if operation is cap.DISCONNECT_FORWARD_CONNECTION:
            self.resource_gone()
            self.orders.append(Resource(connected=False))
        else:
            self._go_on(Continue())

    def resource_gone(self) -> None:
        """Take it that the gsmSRF is disconnected: orders are awaited again."""
        self.state = State.WAITING_FOR_INSTRUCTIONS

    def _go_on(self, order: Order) -> None:
        self.state = State.MONITORING
        self.orders.append(order)

    def _arm(self, asked: cap.RequestReportBCSMEvent) -> ErrorCode | None:
        """Arm events, all or none (11.23)."""
        wanted: dict[tuple[EventType, int], MonitorMode] = {}
        for each in asked.events:
            if each.event_type_bcsm not in self.model.events:
                return ErrorCode.UNEXPECTED_DATA_VALUE
            if each.monitor_mode is MonitorMode.INTERRUPTED and self.phase < _REQUESTED_SINCE.get(
                each.event_type_bcsm, 0
            ):
                return ErrorCode.UNEXPECTED_DATA_VALUE
            for leg in _legs(each):
                wanted[each.event_type_bcsm, leg] = each.monitor_mode
            if each.criteria is not None and each.criteria.application_timer is not None:
                self.no_answer = each.criteria.application_timer
        for key, mode in wanted.items():
            if mode is MonitorMode.TRANSPARENT:
                self.armed.pop(key, None)
            else:
                self.armed[key] = mode
        return None

    def _apply_charging(self, asked: cap.ApplyCharging) -> ErrorCode | None:
        """Limit the call (11.2): from its answer on, or from what has been reported."""
        if self.charging is not None:
            return ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE
        limit, release, _ = asked.time_duration_charging
        self.charging = Charging(asked.party_to_charge.sending_side, self.reported + limit, release)
        return None

    def _connect(self, asked: cap.Connect) -> ErrorCode | None:
        hung_up = self._at in _OF_EITHER and self._leg == LEG_2
        if self._at not in _FOLLOW_ON | _SETTING_UP and not hung_up:
            return ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE
        self._go_on(Reroute(asked))
        return None

    def _release(self, cause: Cause, now: float) -> None:
        """End the call (11.22): events are disarmed, the time is reported."""
        self.armed.clear()
        self._report_time(now, active=False)
        self.state = State.IDLE
        self.orders.append(Release(cause))

    def _connect_to_resource(self, resource: cap.Resource) -> ErrorCode | None:
        if not resource.none:  # no intelligent peripheral but the one that is here
            return ErrorCode.ETC_FAILED
        self.state = State.WAITING_FOR_END_OF_USER_INTERACTION
        self.orders.append(Resource(connected=True))
        return None

    def _cancel(self, invoke_id: int | None, now: float, *, everything: bool) -> ErrorCode | None:
        if everything:
            if self.state is State.WAITING_FOR_END_OF_USER_INTERACTION:
                return ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE
            self.armed.clear()
            self._report_time(now, active=not math.isnan(self.answered))
            return None
        if self.state is not State.WAITING_FOR_END_OF_USER_INTERACTION or invoke_id is None:
            return ErrorCode.CANCEL_FAILED
        self.orders.append(Stop(invoke_id))
        return None


def _legs(event: cap.BcsmEvent) -> tuple[int, ...]:
    """Return whose events are meant; without a leg those of the one that can have it (11.23, defaults of legID)."""
    if event.leg is not None and event.leg.sending_side is not None:
        return (event.leg.sending_side,)
    if event.event_type_bcsm in _OF_EITHER:
        return LEG_1, LEG_2
    return (LEG_1,) if event.event_type_bcsm in _OF_THE_CALLER else (LEG_2,)
