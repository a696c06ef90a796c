"""The operations of CAP that calls need, and its contexts by phase (TS 29.078 4 to 8; GSM 09.78 of phase 2)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import PeerError
from simwarden.wire.cap import arguments as a
from simwarden.wire.cap.enums import ErrorCode, EventType, Phase
from simwarden.wire.tcap.components import Invoke
from simwarden.wire.tcap.user import LONG, MEDIUM, SHORT, Operation, OperationClass, TcUser, operations_in, types_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.wire.asn1 import Record
    from simwarden.wire.tcap.dialogue import Context

_BOTH, _FAILURE, _SUCCESS, _NOTHING = OperationClass

INITIAL_DP: Final = Operation("initialDP", 0, _FAILURE, SHORT, a.InitialDP)
DISCONNECT_FORWARD_CONNECTION: Final = Operation("disconnectForwardConnection", 18, _FAILURE, SHORT)
CONNECT_TO_RESOURCE: Final = Operation("connectToResource", 19, _FAILURE, MEDIUM, a.ConnectToResource)
CONNECT: Final = Operation("connect", 20, _FAILURE, SHORT, a.Connect)
RELEASE_CALL: Final = Operation("releaseCall", 22, _NOTHING, SHORT, a.ReleaseCall)
REQUEST_REPORT_BCSM_EVENT: Final = Operation("requestReportBCSMEvent", 23, _FAILURE, SHORT, a.RequestReportBCSMEvent)
EVENT_REPORT_BCSM: Final = Operation("eventReportBCSM", 24, _NOTHING, SHORT, a.EventReportBCSM)
CONTINUE: Final = Operation("continue", 31, _NOTHING, SHORT)
APPLY_CHARGING: Final = Operation("applyCharging", 35, _FAILURE, SHORT, a.ApplyCharging)
APPLY_CHARGING_REPORT: Final = Operation("applyChargingReport", 36, _FAILURE, SHORT, a.ApplyChargingReport)
PLAY_ANNOUNCEMENT: Final = Operation("playAnnouncement", 47, _FAILURE, LONG, a.PlayAnnouncement)
PROMPT_AND_COLLECT: Final = Operation(
    "promptAndCollectUserInformation", 48, _BOTH, LONG, a.PromptAndCollectUserInformation, a.ReceivedInformation
)
SPECIALIZED_RESOURCE_REPORT: Final = Operation(
    "specializedResourceReport", 49, _NOTHING, SHORT, a.SpecializedResourceReport
)
CANCEL: Final = Operation("cancel", 53, _FAILURE, SHORT, a.Cancel)
ACTIVITY_TEST: Final = Operation("activityTest", 55, _SUCCESS, SHORT)
CONTINUE_WITH_ARGUMENT: Final = Operation(
    "continueWithArgument", 88, _FAILURE, SHORT, a.ContinueWithArgument, since=Phase.THREE
)

CONTEXTS: Final[Mapping[Phase, Context]] = {
    Phase.TWO: (0, 4, 0, 0, 1, 0, 50, 1),
    Phase.THREE: (0, 4, 0, 0, 1, 21, 3, 4),
    Phase.FOUR: (0, 4, 0, 0, 1, 23, 3, 4),
}
"""The context between gsmSSF and gsmSCF by phase (GSM 09.78 and TS 29.078: capssf-scfGenericAC)."""

_FROM_THREE: Final = frozenset({EventType.ANALYZED_INFORMATION})
_FROM_FOUR: Final = frozenset(
    {
        EventType.O_MID_CALL,
        EventType.T_MID_CALL,
        EventType.O_TERM_SEIZED,
        EventType.CALL_ACCEPTED,
        EventType.O_CHANGE_OF_POSITION,
        EventType.T_CHANGE_OF_POSITION,
        EventType.O_SERVICE_CHANGE,
        EventType.T_SERVICE_CHANGE,
    }
)
_NULL: Final = b"\5\0"


@cache
def _types() -> Mapping[int, tuple[Any, Any]]:
    """Return pycrate's types of arguments and results by operation; loading them takes a second."""
    from pycrate_asn1dir.TCAP_CAP import TCAP_CAP_Messages  # noqa: PLC0415 - heavy

    return types_of(TCAP_CAP_Messages.TCAP_CAP_Message)


CAP_USER: Final = TcUser("cap", "CAP", operations_in(globals()), ErrorCode, _types)


def phase_of(context: Context | None) -> Phase | None:
    """Return the phase of a context, None for one that is not CAP's for calls."""
    return next((phase for phase, each in CONTEXTS.items() if each == context), None)


def invoke(
    operation: Operation,
    argument: Record | None = None,
    *,
    invoke_id: int,
    phase: Phase = Phase.FOUR,
    linked_id: int | None = None,
) -> Invoke:
    """Make the component that asks for an operation. Raises ValueError for what the phase does not have."""
    return Invoke(invoke_id, operation.opcode, encode(operation, argument, phase), linked_id)


def encode(operation: Operation, argument: Record | None, phase: Phase) -> bytes:
    """Return an argument as a phase has it. Raises ValueError for what the phase does not have."""
    if operation is SPECIALIZED_RESOURCE_REPORT and phase < Phase.FOUR:
        return _NULL
    if isinstance(argument, a.ApplyCharging) and phase is Phase.TWO:
        time = argument.time_duration_charging
        argument = replace(
            argument, time_duration_charging=time._replace(by_sequence=time.release_if_duration_exceeded)
        )
    if reason := beyond(operation, argument, phase):
        raise ValueError(reason)
    return CAP_USER.encode_argument(operation, argument) if argument is not None else b""


def decode_invoke(component: Invoke, phase: Phase = Phase.FOUR) -> tuple[Operation, Any]:
    """Return the operation that a component asks for, and its argument. Raises PeerError."""
    operation = CAP_USER.operation(component.opcode)
    if operation is SPECIALIZED_RESOURCE_REPORT and component.argument == _NULL:
        return operation, a.SpecializedResourceReport(all_announcements_complete=True)
    argument = CAP_USER.decode_argument(operation, component.argument)
    if reason := beyond(operation, argument, phase):
        raise PeerError(reason)
    return operation, argument


def beyond(operation: Operation, argument: Any, phase: Phase) -> str:
    """Say what of an operation a phase does not have yet, empty where it has all."""
    if operation.since > phase:
        return f"{operation.name} in CAP phase {phase}"
    if isinstance(argument, a.InitialDP) and argument.extension is not None and phase is Phase.TWO:
        return "initialDPArgExtension of another form in CAP phase 2"
    if isinstance(argument, a.ApplyCharging) and _is_of_another_form(argument.time_duration_charging, phase):
        return f"releaseIfdurationExceeded of another form in CAP phase {phase}"
    if isinstance(argument, a.ApplyChargingReport) and argument.result.released_at_expiry and phase is Phase.TWO:
        return "callReleasedAtTcpExpiry in CAP phase 2"
    late = (_FROM_FOUR if phase < Phase.FOUR else frozenset()) | (_FROM_THREE if phase < Phase.THREE else frozenset())
    for event in _events(argument):
        if event in late:
            return f"{event.name} in CAP phase {phase}"
    return ""


def _is_of_another_form(time: a.TimeCharging, phase: Phase) -> bool:
    return time.release_if_duration_exceeded and time.by_sequence is not (phase is Phase.TWO)


def _events(argument: Any) -> tuple[EventType, ...]:
    match argument:
        case a.RequestReportBCSMEvent(events):
            return tuple(each.event_type_bcsm for each in events)
        case a.EventReportBCSM(event) | a.InitialDP(event_type_bcsm=EventType() as event):
            return (event,)
    return ()
