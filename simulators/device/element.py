"""A terminal as an element: what its user does with it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.device import misbehaviour
from simulators.device.body import Body
from simulators.device.card import CardGoneError, CardSession
from simulators.device.config import DeviceConfig, split_cell
from simulators.device.consequences import consequences, timers
from simulators.device.emm import Bearer
from simulators.device.procedures import attach, detach, esm, service_request, tracking_area_update
from simulators.device.radio import Rrc
from simulators.device.state import EmmState, Procedure, Timer
from simulators.device.verbs import (
    CAMPED,
    ENDED,
    INSERTED,
    OBSERVABLES,
    Goto,
    HotSwap,
    Insert,
    Move,
    OneDevice,
    SendNas,
    Tau,
)
from simwarden.errors import ManagementError, PeerError
from simwarden.model.form import Slot
from simwarden.operations.management import Call, route
from simwarden.policy.decision import Control
from simwarden.policy.interlock import terminal_accepts_card
from simwarden.runtime.declare import Declaration, verb
from simwarden.wire.apdu.control import Control as Contact
from simwarden.wire.nas import UpdateType, encode
from simwarden.wire.uu import EstablishmentCause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.device.card import CardData
    from simwarden.wire.uu import CellInformation

#: when the terminal compares: it resets a card that is put in, or that it finds as it is switched on
CARD_RESET = "card-reset"
INTERLOCK = Control(
    "bind.card", "bind.card", terminal_accepts_card, (CARD_RESET,), "The terminal compares the IMEI on the card"
)

_FIRST_BEARER = 5
"""EPS bearer identity of the bearer that comes with an attach: the lowest there is (TS 24.007 11.2.3.1.5)."""
_RELEASE_PATIENCE = 5.0
"""Seconds that a terminal waits, when switched off, for the release of the connection (TS 24.301 5.5.2.2.1)."""
_HANDOVER_PATIENCE = 20.0
_REACTION_PATIENCE = 5.0
"""Seconds to wait for what the network makes of a message that was not due; less than its own timers."""


class Device(Body):
    """A terminal. All that an honest one keeps is kept on the card; a rogue has a memory of its own besides."""

    declaration = Declaration(
        kind="device",
        title="Terminal",
        lane=10,
        config=DeviceConfig,
        instances="devices",
        starts_after=("uicc", "enb"),
        calls=("ME-UICC", "Uu"),
        observables=OBSERVABLES,
        controls=(INTERLOCK,),
        consequences=tuple(consequences()),
        timers=tuple(timers()),
    )

    async def start(self) -> None:
        """Be on the table, switched off."""
        self.observe("imei", self.terminal.own.imei)
        self.observe("power", "off")

    async def stop(self) -> None:
        """Be switched off, with its goodbyes."""
        if self.powered:
            await self._switch_off()
        self._let_go()

    async def killed(self) -> None:
        """Lose power: nobody is told."""
        self.powered = False
        self.emm.reset()
        self.stop_polling()
        self.radio.close()
        self._dark()
        self._let_go()

    def census(self) -> Mapping[str, int]:
        """Count its connection, if it has one."""
        return {"connections": int(self.emm.wired)}

    def _let_go(self) -> None:
        session, self.session = self.session, None
        self.card_name = ""
        if session is not None:
            session.link.close("terminal gone")
            self.observe("card", None)

    # -- the user: card

    @verb(*INSERTED)
    async def insert(self, arguments: Insert) -> str:
        """Put a card into the terminal: `inserted` or `refused` by its form; in a powered one how the attach ends."""
        return await self._take(arguments.card)

    @verb(*INSERTED)
    async def move(self, arguments: Move) -> str:
        """Take a card from where it is and put it into this terminal: as `insert`; where it is already, it stays."""
        if self.session is not None and self.card_name == arguments.card:
            return "inserted"
        return await self._take(arguments.card)

    @verb(*INSERTED)
    async def hot_swap(self, arguments: HotSwap) -> str:
        """Put another card in place of the one in a running terminal: how the attach with it ends, or `refused`.

        By hand a card comes out, and in, as far as its form lets it.
        """
        if not self.powered:
            raise ManagementError(409, f"{self.site.name} is switched off, which makes no hot swap")
        if self.session is not None and not await self._give_up(self.session):
            return "refused"
        return await self._take(arguments.card)

    async def _give_up(self, session: CardSession) -> bool:
        """Have the card pulled out by hand, which its form may not let happen; return whether it is out."""
        session.link.on_close = session.lost  # what follows is done here, before another card comes in
        said = await self.site.manage(self.card_name, "POST", "/verbs/pull_out", {"card": self.card_name})
        if said == "refused":
            session.link.on_close = partial(self._on_card_closed, session)
            return False
        await self.card_gone("card swapped")
        return True

    async def _take(self, card: str) -> str:
        if self.session is not None:
            raise ManagementError(409, f"{self.site.name} holds {self.card_name}")
        try:
            link = await self.site.connect("ME-UICC", card)
        except ConnectionError as error:
            raise ManagementError(409, f"{card} cannot be put into {self.site.name}: {error}") from error
        session = CardSession(link, self.terminal)
        link.on_close = partial(self._on_card_closed, session)
        try:
            await session.put_in(Slot[self.config.slot.upper().replace("-", "_")])
        except CardGoneError as error:
            self.site.note(f"{card} does not go in: {error}")
            link.close("not in")
            return "refused"
        self.session, self.card_name = session, card
        self.observe("card", card)
        return await self._begin() if self.powered else "inserted"

    def _on_card_closed(self, session: CardSession, reason: str) -> None:
        session.lost(reason)
        if self.session is session:
            self.site.spawn(self.card_gone(reason), "removal of the card")

    async def card_gone(self, reason: str) -> None:
        """The card is out: a powered terminal detaches with the keys it has in memory (TS 24.301 5.5.2.1)."""
        self.session, self.card_name = None, ""
        self.stop_polling()
        self.observe("card", None)
        if not self.powered:
            return
        self.site.note(f"card removed: {reason}")
        await self._say_goodbye()
        self.emm.reset()
        self.emm.card = None
        self.emm.cell = self.radio.cell
        self.emm.enter(EmmState.NO_IMSI)
        self.observe("usim", None)
        self.observe("interlock", None)
        self.observe("attach", "no-card")
        self.answer(Procedure.ATTACH, "no-card")

    # -- the user: power

    @verb(*ENDED)
    async def power_on(self, arguments: OneDevice) -> str:
        """Switch on: read the card, compare, listen, attach. The outcome is that of the attach."""
        del arguments
        if self.powered:
            raise ManagementError(409, f"{self.site.name} is on")
        self.powered = True
        self.observe("power", "on")
        return await self._begin()

    @verb("off")
    async def power_off(self, arguments: OneDevice) -> str:
        """Switch off: detach, write the card, power its contacts down. Always `off`."""
        del arguments
        self._powered()
        await self._switch_off()
        return "off"

    async def _begin(self) -> str:
        """From the reset of the card to the end of the attach."""
        data = await self._read_card()
        await self.select_cell()
        if data is None:
            self.emm.enter(EmmState.NO_IMSI)
            self.observe("attach", "no-card")
            return "no-card"
        if self.radio.cell is None:
            self.emm.enter(EmmState.PLMN_SEARCH)
            self.on_coverage_lost()
        if self.config.resumes != "no" and self.emm.guti is not None and self.emm.security is not None:
            return await self._resume()
        return await self.run(Procedure.ATTACH, attach.start)

    async def _resume(self) -> str:
        """What a rogue terminal does: go on as if it were the one that registered, with its default bearer.

        An update that tells of no bearer is refused as that of a device which was detached (TS 24.301 5.5.3.2.5).
        """
        emm = self.emm
        emm.bearers[_FIRST_BEARER] = Bearer(self.config.apn, "", emergency=False)
        if not emm.tai_list and emm.last_tai is not None:
            emm.tai_list = [emm.last_tai]
        emm.enter(EmmState.REGISTERED)
        if self.config.resumes == "service-request":
            return await self.run(Procedure.SERVICE_REQUEST, service_request.start)
        emm.update_type = UpdateType.TA_UPDATING
        return await self.run(Procedure.TRACKING_AREA_UPDATE, tracking_area_update.start)

    async def _read_card(self) -> CardData | None:
        session = self.session
        if session is None:
            return None
        try:
            await session.reset(Contact.POWER_ON)
            data = await session.start(self.config.pin)
        except CardGoneError as error:
            self.site.note(f"the card cannot be used: {error}")
            return None
        except PeerError as error:
            self.site.peer_fault(session.link, error.reason)
            return None
        for reason in session.unreadable:
            self.site.peer_fault(session.link, reason)
        self.emm.insert(data)
        self.observe("usim", self.emm.usim.value)
        self._compare(data)
        self.poll_card()
        return data

    def _compare(self, data: CardData) -> None:
        bound, own = data.bind.imei_key, self.terminal.own
        if self.config.compares:
            decision = self.site.decide(INTERLOCK, data.imsi, on=CARD_RESET, bound=bound, seen=own.imei)
            self.emm.interlocked = not decision.admitted
            word = ("matches" if bound else "unbound") if decision.admitted else "mismatch"
        else:
            word = "not-compared" if bound else "unbound"
            if bound and bound != own.key:
                self.site.note("the card is bound to another terminal, which this one cannot see")
        self.observe("interlock", word)

    async def _switch_off(self) -> None:
        await self._say_goodbye()
        self.emm.reset()
        self.powered = False
        self.stop_polling()
        if self.session is not None:
            self.session.power_off()
        self.radio.close()
        self._dark()
        self.observe("power", "off")
        self.observe("attach", "off")
        self.observe("usim", None)

    def _dark(self) -> None:
        """Nothing runs any more: whoever waits for something hears that it got no answer."""
        self.emm.card = self.emm.cell = None
        self.observe("emm_state", EmmState.NULL.value)
        for procedure in list(self.waiting):
            self.answer(procedure, "no-answer")

    async def _say_goodbye(self) -> None:
        if detach.switch_off(self.emm) and self.radio.state is not Rrc.IDLE:
            self.on_release = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(_RELEASE_PATIENCE):
                    await self.on_release
            except TimeoutError:
                self.site.note("the network has not released the connection")
            self.on_release = None
        for timer in list(self.emm.timers):
            self.emm.stop(timer)
        self.radio.release()
        self.emm.wired = self.emm.secure = False
        if self.writing is not None:
            await self.writing

    # -- the user: service

    @verb(*ENDED)
    async def attach(self, arguments: OneDevice) -> str:
        """Attach: `accepted`, `rejected`, `no-answer`, or what holds it back."""
        del arguments
        self._powered()
        return await self.run(Procedure.ATTACH, attach.start)

    @verb("accepted", "no-answer")
    async def detach(self, arguments: OneDevice) -> str:
        """Detach and stay on: `accepted`, or `no-answer` when it was done locally."""
        del arguments
        self._powered()
        if not self.emm.state.registered:
            raise ManagementError(409, f"{self.site.name} is not registered")
        return await self.run(Procedure.DETACH, detach.start)

    @verb(*ENDED)
    async def tau(self, arguments: Tau) -> str:
        """Update the tracking area: `accepted`, `rejected`, `no-answer`, or what holds it back."""
        self._powered()
        self.emm.update_type = UpdateType.PERIODIC_UPDATING if arguments.periodic else UpdateType.TA_UPDATING
        return await self.run(Procedure.TRACKING_AREA_UPDATE, tracking_area_update.start)

    @verb(*ENDED)
    async def service_request(self, arguments: OneDevice) -> str:
        """Ask for radio bearers: `accepted`, `rejected`, `no-answer`, or what holds it back."""
        del arguments
        self._powered()
        return await self.run(Procedure.SERVICE_REQUEST, service_request.start)

    @verb(*ENDED)
    async def emergency_call(self, arguments: OneDevice) -> str:
        """Call for help, from a voice-capable terminal: `accepted`, `rejected`, `barred` or `no-answer`."""
        del arguments
        self._powered()
        if not self.terminal.voice:
            raise ManagementError(409, f"{self.site.name} is not voice capable")
        self.emm.make_way()
        if self.emm.state is EmmState.REGISTERED and not self.emm.emergency:
            word = await self._emergency_bearer()
            if word == "accepted":
                return word
            self.emm.drop_bearers()
            self.emm.enter(EmmState.DEREGISTERED)
        self.emm.stop(Timer.T3411, Timer.T3402, Timer.T302)
        return await self.run(Procedure.ATTACH, attach.start_emergency)

    async def _emergency_bearer(self) -> str:
        if not self.emm.wired:
            word = await self.run(Procedure.SERVICE_REQUEST, service_request.start_emergency)
            if word != "accepted":
                return word
        answer = self.ending(Procedure.EMERGENCY_BEARER)
        esm.start_emergency(self.emm)
        return await answer

    # -- the user: place

    @verb(*CAMPED)
    async def goto(self, arguments: Goto) -> str:
        """Go to another cell: `camped`, how a tracking area update ends, `handed-over`, or `no-cell`."""
        self._powered()
        return await self._go(arguments.cell)

    @verb(*CAMPED)
    async def handover(self, arguments: Goto) -> str:
        """Go to another cell while connected (a service request comes first if need be): as `goto`."""
        self._powered()
        if not self.emm.wired:
            word = await self.run(Procedure.SERVICE_REQUEST, service_request.start)
            if word != "accepted":
                return word
        return await self._go(arguments.cell)

    async def _go(self, name: str) -> str:
        cell = await self.radio.find(name)
        if cell is None:
            return "no-cell"
        if self.radio.state is Rrc.CONNECTED:
            return await self._hand_over(cell)
        update = self.ending(Procedure.TRACKING_AREA_UPDATE)
        self.radio.camp(split_cell(name)[0], cell)
        if self.emm.procedure is Procedure.TRACKING_AREA_UPDATE or update.done():
            return await update
        if self.emm.procedure is Procedure.ATTACH:
            return await self.run(Procedure.ATTACH, attach.start)
        self.waiting.pop(Procedure.TRACKING_AREA_UPDATE, None)
        return "camped"

    async def _hand_over(self, cell: CellInformation) -> str:
        moved = self.on_moved = asyncio.get_running_loop().create_future()
        self.radio.report(cell)
        try:
            async with asyncio.timeout(_HANDOVER_PATIENCE):
                await moved
        except TimeoutError:
            return "refused"
        finally:
            self.on_moved = None
        if self.emm.procedure is Procedure.TRACKING_AREA_UPDATE:
            await self.run(Procedure.TRACKING_AREA_UPDATE, tracking_area_update.start)
        return "handed-over" if self.emm.cell is not None and self.emm.cell.cell == cell.cell else "refused"

    # -- misbehaviour

    @verb("answered", "released", "no-answer")
    async def send_nas(self, arguments: SendNas) -> str:
        """Send a NAS message that is not due: `answered`, `released` or `no-answer`, whichever comes first."""
        self._powered()
        emm = self.emm
        if arguments.protection == "replayed":
            pdu, clear = misbehaviour.repeated(self.sent, arguments.message)
        else:
            plain = encode(misbehaviour.MESSAGES[arguments.message](emm, arguments.imsi))
            pdu, clear = misbehaviour.protected(emm, plain, arguments.protection)
        self.on_reaction = asyncio.get_running_loop().create_future()
        self.radio.send_nas(pdu, clear, EstablishmentCause.MO_SIGNALLING)
        try:
            async with asyncio.timeout(_REACTION_PATIENCE):
                return await self.on_reaction
        except TimeoutError:
            return "no-answer"
        finally:
            self.on_reaction = None

    def _powered(self) -> None:
        if not self.powered:
            raise ManagementError(409, f"{self.site.name} is switched off")

    @route("GET", "/status")
    async def status(self, call: Call) -> dict[str, Any]:
        """Tell what the terminal does, without any key."""
        del call
        emm = self.emm
        return {
            "power": "on" if self.powered else "off",
            "card": self.card_name,
            "imei": self.terminal.own.imei,
            "emm_state": emm.state.value,
            "usim": emm.usim.value if emm.card is not None else "",
            "guti": str(emm.guti or ""),
            "cell": str(emm.cell.cell) if emm.cell is not None else "",
            "timers": sorted(timer.name for timer in emm.timers),
            "addresses": [bearer.address for bearer in emm.bearers.values()],
        }
