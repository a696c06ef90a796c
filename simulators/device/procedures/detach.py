"""Detach (TS 24.301 5.5.2), from either side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.clients.radio import Rrc
from simulators.device.procedures.attach import identity_of
from simulators.device.procedures.refusal import apply
from simulators.device.rejects import REACTIONS, Next
from simulators.device.state import ATTEMPTS, EmmState, Procedure, Timer, UpdateStatus
from simwarden.wire import nas
from simwarden.wire.uu import EstablishmentCause

if TYPE_CHECKING:
    from simulators.device.clients.card import CardSession
    from simulators.device.contexts import Emm

_PATIENCE = 5.0
"""Seconds that a terminal waits, when switched off, for the release of the connection (TS 24.301 5.5.2.2.1)."""


def start(emm: Emm) -> None:
    """Begin a detach that the network accepts (5.5.2.2.1)."""
    emm.attach_attempts = 0
    _stop_others(emm)
    emm.begin(Procedure.DETACH, failed)
    emm.enter(EmmState.DEREGISTERED_INITIATED)
    emm.start(Timer.T3421)
    emm.send(_request(emm, nas.DetachType.EPS_DETACH))


def switch_off(emm: Emm) -> bool:
    """Say that the terminal is switched off or loses its card; nothing answers. False: there was nothing to say."""
    registered = emm.state.registered and emm.guti is not None and emm.cell is not None
    _stop_others(emm)
    emm.procedure = None
    if registered:
        emm.send(_request(emm, nas.DetachType.SWITCH_OFF_EPS_DETACH))
    if emm.state is not EmmState.NO_IMSI:
        _deregister(emm)
    return registered


async def say_goodbye(emm: Emm, session: CardSession | None) -> None:
    """Detach as one that is switched off or loses its card does, and let all rest: what was sent goes out first."""
    if switch_off(emm) and emm.radio.state is not Rrc.IDLE and not await emm.heard("released", within=_PATIENCE):
        emm.site.note("the network has not released the connection")
    emm.stop(*emm.timers)
    emm.hang_up()
    if session is not None and session.writing is not None:
        await session.writing


def _request(emm: Emm, kind: nas.DetachType) -> nas.Message:
    return nas.Message(
        nas.MessageType.DETACH_REQUEST,
        detach_type=kind,
        nas_key_set_identifier=emm.ksi,
        eps_mobile_identity=identity_of(emm),
    )


def _stop_others(emm: Emm) -> None:
    emm.stop(Timer.T3410, Timer.T3411, Timer.T3402, Timer.T3417, Timer.T3430, Timer.T3412, Timer.T302, Timer.T300)
    emm.pending = emm.searching = None


def _deregister(emm: Emm) -> None:
    emm.drop_bearers()
    emm.emergency = False
    emm.enter(EmmState.DEREGISTERED)
    emm.store_location()
    emm.store_context()


def on_accept(emm: Emm, _message: nas.Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """The network has let go (5.5.2.2.2)."""
    if emm.procedure is not Procedure.DETACH:
        return
    emm.stop(Timer.T3421)
    _deregister(emm)
    emm.finish("accepted")
    if emm.wired:
        emm.start(Timer.T3440)


def on_t3421(emm: Emm) -> None:
    """Ask again, and detach alone after the fifth time (5.5.2.2.4 c)."""
    emm.attach_attempts += 1
    if emm.attach_attempts < ATTEMPTS:
        emm.start(Timer.T3421)
        emm.send(_request(emm, nas.DetachType.EPS_DETACH))
        return
    failed(emm, "no-answer")


def failed(emm: Emm, word: str, *, at_once: bool = False) -> None:
    """A detach that cannot be carried out, or whose connection went (5.5.2.2.4 b), is done locally."""
    del at_once
    emm.stop(Timer.T3421)
    emm.attach_attempts = 0
    _deregister(emm)
    emm.finish(word)


def on_request(emm: Emm, message: nas.Message, protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """The network detaches the UE (5.5.2.3.2)."""
    kind, cause = message["detach_type"] & 7, message.get("emm_cause")
    emm.observe("emm_cause", cause)
    emm.send(nas.Message(nas.MessageType.DETACH_ACCEPT), EstablishmentCause.MO_SIGNALLING)
    if kind == nas.NetworkDetachType.IMSI_DETACH:
        return
    _stop_others(emm)
    emm.stop(Timer.T3421)
    reaction = REACTIONS[Procedure.DETACH].get(int(cause)) if cause is not None and emm.honours_rejects else None
    if kind == nas.NetworkDetachType.RE_ATTACH_REQUIRED or not emm.honours_rejects:
        _deregister(emm)
        emm.pending = Procedure.ATTACH
    elif reaction is not None:
        emm.drop_bearers()
        apply(emm, reaction, int(cause or 0), protected=protected)
        emm.searching = reaction.then if reaction.then in (Next.OTHER_CELL, Next.OTHER_PLMN) else None
    else:
        # 5.5.2.3.4 b: without a cause that says what to do
        emm.forget_registration()
        emm.update_status = UpdateStatus.EU2_NOT_UPDATED
        _deregister(emm)
        emm.enter(EmmState.ATTEMPTING_TO_ATTACH)
        emm.start(Timer.T3402, emm.t3402)
    emm.observe("attach", "detached")
    emm.finish("detached")
    emm.start(Timer.T3440)
