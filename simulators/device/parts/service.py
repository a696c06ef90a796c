"""What its user wants of the network: attach, detach, tracking area update, service request, emergency call."""

from __future__ import annotations

from simulators.device.procedures import attach, detach, esm, service_request, tracking_area_update
from simulators.device.state import EmmState, Procedure, Timer
from simulators.device.verbs import ENDED, OUTCOMES, DevicePart, OneDevice
from simwarden.errors import ManagementError
from simwarden.model.values import APN, USER_ADDRESS, members, one_of
from simwarden.runtime.declare import HISTORY, Observable, verb
from simwarden.wire.nas import UpdateType
from simwarden.wire.nas.enums import EmmCause, EsmCause


class Tau(OneDevice):
    """Update the tracking area."""

    periodic: bool = False
    """As the periodic update, else as one for a new tracking area."""


class Service(DevicePart):
    """Procedures of EMM that a user starts."""

    observables = (
        Observable(
            "attach",
            "how the last attach ended, or what became of it",
            values=one_of("started", *OUTCOMES, "no-card", "detached", "off", "emergency"),
            passing=HISTORY,
        ),
        Observable("tau", "how the last tracking area update ended", values=one_of(*ENDED), passing=HISTORY),
        Observable("service_request", "how the last service request ended", values=one_of(*ENDED), passing=HISTORY),
        Observable(
            "detach", "how the last detach of its own ended", values=one_of("accepted", "no-answer"), passing=HISTORY
        ),
        Observable("emergency_call", "how the last emergency call ended", values=one_of(*ENDED), passing=HISTORY),
        Observable(
            "emm_cause",
            "the EMM cause of the network's last answer, by the name of TS 24.301; one on which the terminal attaches "
            "again is still to be seen then",
            values=members(EmmCause),
            passing=HISTORY,
        ),
        Observable(
            "esm_cause",
            "the ESM cause of the network's last answer, by the name of TS 24.301",
            values=members(EsmCause),
            passing=HISTORY,
        ),
        Observable("emm_state", "state and substate of EMM", values=members(EmmState)),
        Observable("apn", "APN of its default bearer", values=APN),
        Observable("address", "address of its default bearer", values=USER_ADDRESS, passing=HISTORY),
    )

    @verb(*ENDED)
    async def attach(self, _arguments: OneDevice) -> str:
        """Attach: `accepted`, `rejected`, `no-answer`, or what holds it back."""
        return await self.powered.run(Procedure.ATTACH, attach.start)

    @verb("accepted", "no-answer")
    async def detach(self, _arguments: OneDevice) -> str:
        """Detach and stay on: `accepted`, or `no-answer` when it was done locally."""
        if not self.powered.state.registered:
            raise ManagementError(409, f"{self.emm.site.name} is not registered")
        return await self.emm.run(Procedure.DETACH, detach.start)

    @verb(*ENDED)
    async def tau(self, arguments: Tau) -> str:
        """Update the tracking area: `accepted`, `rejected`, `no-answer`, or what holds it back."""
        self.powered.update_type = UpdateType.PERIODIC_UPDATING if arguments.periodic else UpdateType.TA_UPDATING
        return await self.emm.run(Procedure.TRACKING_AREA_UPDATE, tracking_area_update.start)

    @verb(*ENDED)
    async def service_request(self, _arguments: OneDevice) -> str:
        """Ask for radio bearers: `accepted`, `rejected`, `no-answer`, or what holds it back."""
        return await self.powered.run(Procedure.SERVICE_REQUEST, service_request.start)

    @verb(*ENDED)
    async def emergency_call(self, _arguments: OneDevice) -> str:
        """Call for help, from a voice-capable terminal: `accepted`, `rejected`, `barred` or `no-answer`."""
        if not self.powered.terminal.voice:
            raise ManagementError(409, f"{self.emm.site.name} is not voice capable")
        self.emm.make_way()
        if self.emm.state is EmmState.REGISTERED and not self.emm.emergency:
            word = await self._emergency_bearer()
            if word == "accepted":
                return word
            self.emm.drop_bearers()
            self.emm.enter(EmmState.DEREGISTERED)
        self.emm.stop(Timer.T3411, Timer.T3402, Timer.T302)
        return await self.emm.run(Procedure.ATTACH, attach.start_emergency)

    async def _emergency_bearer(self) -> str:
        if not self.emm.wired:
            word = await self.emm.run(Procedure.SERVICE_REQUEST, service_request.start_emergency)
            if word != "accepted":
                return word
        answer = self.emm.ending(Procedure.EMERGENCY_BEARER)
        esm.start_emergency(self.emm)
        return await answer
