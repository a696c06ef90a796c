"""Calls by 2G: what the terminal's user dials, answers and hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from simulators.device.procedures import call, location_updating
from simulators.device.verbs import DevicePart, OfDevice, OneDevice
from simwarden.errors import ManagementError
from simwarden.model.values import GIVEN, NUMBER, PARTY, members, one_of
from simwarden.runtime.declare import HISTORY, Observable, Seconds, verb
from simwarden.wire.dtap.enums import MmCause
from simwarden.wire.q850 import CauseValue

if TYPE_CHECKING:
    from simulators.device.clients.cs_call import Call as CsCall

#: how a location update may end, and how the set-up of a call may
UPDATED = ("accepted", "rejected", "no-answer", "interlocked", "no-card", "usim-invalid", "no-cell")
CALLED = ("connected", "refused", "busy", "no-answer", "released", "not-registered", "interlocked", "no-cell")
Digits = Annotated[str, Field(pattern=r"^[0-9*#]{1,20}$"), BeforeValidator(str)]


class MakeCall(OfDevice):
    """Call a number."""

    to: Annotated[str, Field(pattern=r"^\+?[0-9*#]{1,20}$"), BeforeValidator(str)]
    """The number, as it is dialled."""
    keys: tuple[Digits, ...] = ()
    """What its user keys in when a voice speaks before the call is answered: the first row some seconds after the
    voice has begun, each other one as much later."""
    pause: Annotated[Seconds, Field(gt=0)] = 5
    """How many seconds these are."""
    lasts: Annotated[Seconds, Field(gt=0)] | None = None
    """After how long its user hangs up; never, if it is not given."""


class Dial(OfDevice):
    """Press keys in a call."""

    digits: Digits
    """The keys."""


class Calls(DevicePart):
    """Registration at an MSC, and calls."""

    observables = (
        Observable(
            "location_update",
            "how the last registration at an MSC ended, or what became of it",
            one_of(*UPDATED, "detached"),
            passing=HISTORY,
        ),
        Observable(
            "mm_cause", "the MM cause of the last refusal by an MSC", members(MmCause) | NUMBER, passing=HISTORY
        ),
        Observable(
            "call",
            "where its call stands, or how the last one ended",
            one_of("calling", "ringing", "connected", "released", "refused", "busy", "no-answer"),
            passing=HISTORY,
        ),
        Observable(
            "call_cause", "why its last call ended, as Q.850 says it", members(CauseValue) | NUMBER, passing=HISTORY
        ),
        Observable("caller", "who called last, as it was shown; empty: nobody was", PARTY | GIVEN, passing=HISTORY),
    )

    @verb(*UPDATED)
    async def location_update(self, _arguments: OneDevice) -> str:
        """Register at the MSC: `accepted`, `rejected`, `no-answer`, or what holds it back."""
        self._need_msc()
        return await location_updating.update(self.emm)

    @verb(*CALLED)
    async def call(self, arguments: MakeCall) -> str:
        """Call a number: `connected`, `refused`, `busy`, `no-answer`, or `released` before the time is over."""
        self._need_idle_msc()
        word = await call.originate(self.emm, arguments.to, arguments.keys, arguments.pause)
        mine = self.emm.cs.call
        if word != "connected" or arguments.lasts is None or mine is None:
            return word
        return await self._last(mine, arguments.lasts)

    async def _last(self, mine: CsCall, seconds: float) -> str:
        """Hang up after so many seconds; `released` if somebody else ends the call before."""
        timer = self.emm.site.clock.call_later(seconds, mine.hang_up)
        before = self.emm.site.clock.now()
        await mine.ended()
        timer.cancel()
        return "connected" if self.emm.site.clock.now() - before >= seconds else "released"

    @verb(*CALLED)
    async def call_emergency(self, _arguments: OneDevice) -> str:
        """Call for help (EMERGENCY SETUP), with a card or without: as `call`."""
        self._need_idle_msc()
        return await call.originate_emergency(self.emm)

    @verb("connected", "released")
    async def answer(self, _arguments: OneDevice) -> str:
        """Answer the call that rings: `connected`, or `released` if its caller has given up."""
        mine = self._mine()
        mine.answer()
        return "connected" if await mine.settled() == "connected" else "released"

    @verb("released")
    async def hang_up(self, _arguments: OneDevice) -> str:
        """End the call. Always `released`."""
        mine = self._mine()
        mine.hang_up()
        await mine.ended()
        return "released"

    @verb("accepted", "rejected", "released")
    async def dial(self, arguments: Dial) -> str:
        """Press keys in the call (START DTMF): `accepted`, `rejected`, or `released` if the call is over."""
        mine = self._mine()
        for key in arguments.digits:
            word = await mine.press(key)
            if word != "accepted":
                return word
        return "accepted"

    @verb("not-available", "released")
    async def hold(self, _arguments: OneDevice) -> str:
        """Ask for the call to be held: `not-available`, or `released` if it is over."""
        return await self._mine().hold()

    @verb("accepted", "not-available", "no-answer", "not-registered")
    async def ask_supplementary_service(self, _arguments: OneDevice) -> str:
        """Ask the MSC for a connection for supplementary services, as a terminal does to register a forwarding."""
        self._need_msc()
        return await call.ask_supplementary_service(self.emm)

    def _mine(self) -> CsCall:
        if self.emm.cs.call is None:
            raise ManagementError(409, f"{self.emm.site.name} has no call")
        return self.emm.cs.call

    def _need_idle_msc(self) -> None:
        self._need_msc()
        if self.emm.cs.call is not None:
            raise ManagementError(409, f"{self.emm.site.name} has a call already")

    def _need_msc(self) -> None:
        if not self.powered.config.msc:
            raise ManagementError(409, f"{self.emm.site.name} has no MSC: it is no terminal of 2G")
