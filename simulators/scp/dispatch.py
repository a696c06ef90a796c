"""What comes to an SCP from outside, and the procedure for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.scp import causes, controls
from simulators.scp.call import Call, Heard
from simulators.scp.clients.ssp import answer_error, give_up, refuse, release
from simulators.scp.procedures.initial_dp import initial_dp
from simwarden.errors import PeerError
from simwarden.machine.tcap_events import Aborted, Begun, Cancelled, Continued, Ended, Rejected
from simwarden.runtime.sigtran.nodes import node_at
from simwarden.wire import cap
from simwarden.wire.tcap import Component, Invoke, ReturnError, ReturnResult
from simwarden.wire.tcap.user import OperationClass

if TYPE_CHECKING:
    from simulators.scp.core import Core
    from simwarden.machine.tcap_events import DialogueEvent

#: kinds of operations that an error can answer (Q.771 3.1.3)
_ANSWERED_BY_ERRORS: Final = frozenset({OperationClass.SUCCESS_OR_FAILURE, OperationClass.FAILURE_ONLY})
_TOLD: Final = (cap.EVENT_REPORT_BCSM, cap.APPLY_CHARGING_REPORT, cap.SPECIALIZED_RESOURCE_REPORT)


def take(core: Core, event: DialogueEvent) -> None:
    """Take what TCAP tells."""
    if isinstance(event, Begun):
        _begin(core, event)
        return
    call = core.calls.get(event.dialogue)
    if call is None:
        return
    match event:
        case Continued(_, components):
            _hear_all(core, call, components)
        case Ended(_, components):
            _hear_all(core, call, components)
            core.forget(call)
        case Aborted(_, reason):
            core.site.note(f"the call's dialogue is {reason}", imsi=call.card.imsi)
            core.forget(call)
        case Cancelled():
            _cancelled(core, call, event)
        case Rejected(_, int() as invoke_id, _, local=False) if invoke_id in call.asked:
            call.inbox.put_nowait(Heard(call.asked.pop(invoke_id)))
        case Rejected():
            release(core, call, causes.TEMPORARY)


def _begin(core: Core, event: Begun) -> None:
    """Take a dialogue in one of our phases; it begins with an InitialDP of an SSP of ours."""
    phase, own = cap.phase_of(event.context), core.config.phases
    if phase not in own:
        lower = [each for each in own if phase is None or each < phase]
        core.user.tc.refuse(event.dialogue, cap.CONTEXTS[cap.Phase(max(lower or own))])
        core.user.flush()
        return
    facts: dict[str, Any] = {"ssp": node_at(event.calling, core.config.ssps), "listed": tuple(core.config.ssps)}
    if not core.site.decide(controls.SSP, on=controls.ASKED, **facts).admitted:
        refuse(core, event.dialogue, causes.OTHER_SSP)
        return
    try:
        asked = _initial(event.components, phase)
    except PeerError as error:
        core.site.note(f"an InitialDP that cannot be read: {error.reason}")
        refuse(core, event.dialogue, causes.TEMPORARY)
        return
    initial_dp(core, event.dialogue, phase, asked)


def _initial(components: tuple[Component, ...], phase: cap.Phase) -> cap.InitialDP:
    """Read the InitialDP with which a dialogue begins, and which is alone. Raises PeerError."""
    match components:
        case (Invoke() as invoke,):
            operation, argument = cap.decode_invoke(invoke, phase)
        case _:
            raise PeerError(f"{len(components)} components")
    if operation is not cap.INITIAL_DP:
        raise PeerError(f"{operation.name} begins a dialogue")
    return argument  # type: ignore[no-any-return]  # by its operation


def _hear_all(core: Core, call: Call, components: tuple[Component, ...]) -> None:
    for each in components:
        try:
            _hear(core, call, each)
        except PeerError as error:
            core.site.note(f"what cannot be read of a call: {error.reason}", imsi=call.card.imsi)
            release(core, call, causes.TEMPORARY)


def _hear(core: Core, call: Call, component: Component) -> None:
    """Take what an SSP tells, or answers. Raises PeerError."""
    match component:
        case Invoke(invoke_id):
            operation, argument = cap.decode_invoke(component, call.phase)
            if operation in _TOLD:
                call.inbox.put_nowait(Heard(operation, argument, invoke_id))
                return
            if operation.kind in _ANSWERED_BY_ERRORS:
                answer_error(core, call, invoke_id, cap.ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE)
            release(core, call, causes.TEMPORARY)
        case ReturnResult(invoke_id, _, octets):
            asked = call.asked.pop(invoke_id)  # TCAP rejects what answers nothing
            if asked is cap.PROMPT_AND_COLLECT:
                result = cap.CAP_USER.decode_result(asked, octets)
                call.inbox.put_nowait(Heard(asked, result))
        case ReturnError(invoke_id, error):
            _failed(core, call, invoke_id, error)


def _failed(core: Core, call: Call, invoke_id: int, error: int) -> None:
    """Take that an order was not carried out; digits that never came were wrong ones."""
    operation = call.asked.pop(invoke_id)
    core.site.note(f"{operation.name} fails by error {error}", imsi=call.card.imsi)
    nothing: Any = None
    if error == cap.ErrorCode.IMPROPER_CALLER_RESPONSE and operation is cap.PROMPT_AND_COLLECT:
        nothing = cap.ReceivedInformation(digits="")
    call.inbox.put_nowait(Heard(operation, nothing))


def _cancelled(core: Core, call: Call, event: Cancelled) -> None:
    """Take that the time of an operation is over: of one that tells of failures alone that is its success."""
    operation = call.asked.pop(event.invoke_id)
    if event.kind is OperationClass.SUCCESS_ONLY:
        core.site.note("the SSP no longer has the call", imsi=call.card.imsi)
        give_up(core, call)
    elif operation in (cap.PLAY_ANNOUNCEMENT, cap.PROMPT_AND_COLLECT):
        call.inbox.put_nowait(Heard(operation))
    elif operation is cap.RELEASE_CALL:
        core.site.note("the SSP did not tell how long a released call was", imsi=call.card.imsi)
        give_up(core, call)
