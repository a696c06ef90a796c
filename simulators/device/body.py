"""What ties a terminal's parts together: the EMM machine's port, the radio's listener, the writing of the card."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.device.card import CardGoneError, CardSession, forbidden_plmns
from simulators.device.config import TACS, DeviceConfig, split_cell
from simulators.device.emm import Emm
from simulators.device.procedures import authentication, cell_selection, service_request
from simulators.device.radio import Radio
from simulators.device.state import Procedure, Timer
from simulators.device.terminal import Terminal
from simwarden.errors import PeerError
from simwarden.model.identity import Imei
from simwarden.operations.element import Element
from simwarden.wire.apdu import efs
from simwarden.wire.apdu.contents import EpsLoci, EpsNsc, UpdateStatus
from simwarden.wire.nas import AttachType, PdnType

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.model.identity import Guti
    from simwarden.runtime.clock import Timer as ClockTimer
    from simwarden.runtime.site import Site
    from simwarden.wire.uu import CellInformation, EstablishmentCause

_POLL = 30.0
"""Seconds between looks for the card's presence (TS 102.221 14.5.2)."""
_SEARCH_PAUSE = 30.0
"""Seconds after which a terminal without coverage looks for a cell again; doubled each time, up to an hour."""
_SEARCH_LONGEST = 3600.0
_OBSERVED = {
    Procedure.ATTACH: "attach",
    Procedure.TRACKING_AREA_UPDATE: "tau",
    Procedure.SERVICE_REQUEST: "service_request",
    Procedure.DETACH: "detach",
}


def make_terminal(site: Site, config: DeviceConfig) -> Terminal:
    """Make the terminal's identity from its settings."""
    own = Imei.parse(config.imei) if config.imei else Imei(TACS[config.type] + f"{site.rng.randrange(10**6):06d}")

    def told(claim: str) -> Imei:
        return Imei.parse(claim) if claim else own

    claims = config.claims
    return Terminal(
        own,
        told(claims.network),
        told(claims.card),
        config.voice_capable,
        config.gives_imeisv,
        config.gives_imeisv_to_card,
    )


class Body(Element[DeviceConfig]):
    """A terminal without its verbs."""

    def __init__(self, site: Site, config: DeviceConfig) -> None:
        super().__init__(site, config)
        self.terminal = make_terminal(site, config)
        self.emm = Emm(self, self.terminal, config.apn, PdnType[config.pdn_type.upper()])
        self.emm.honours_rejects, self.emm.t3245 = config.honours_rejects, config.t3245
        self.emm.max_unprotected = config.max_unprotected_rejects
        self.radio = Radio(site, self)
        self.session: CardSession | None = None
        self.card_name = ""
        self.powered = False
        self._shown: set[str] = set()
        self.waiting: dict[Procedure, asyncio.Future[str]] = {}
        self.on_release: asyncio.Future[None] | None = None
        #: what a misbehaving terminal waits for: `answered` or `released`
        self.on_reaction: asyncio.Future[str] | None = None
        #: NAS messages sent lately, and what they were before ciphering
        self.sent: deque[tuple[bytes, bytes | None]] = deque(maxlen=16)
        self.on_moved: asyncio.Future[None] | None = None
        self._timers: dict[Timer, ClockTimer] = {}
        self._dirty: list[Callable[[], tuple[efs.Ef, bytes]]] = []
        self.writing: asyncio.Task[None] | None = None
        self._polling: ClockTimer | None = None

    async def run(self, procedure: Procedure, begin: Callable[[Emm], None]) -> str:
        """Run a procedure of EMM, or wait for the one of its kind that runs; return how it ended."""
        while self.emm.procedure not in (None, procedure):
            await self.ending(self.emm.procedure)
        answer = self.ending(procedure)
        if self.emm.procedure is None:
            begin(self.emm)
        return await answer

    def ending(self, procedure: Procedure) -> asyncio.Future[str]:
        """Return the future of how a procedure ends."""
        if procedure not in self.waiting:
            self.waiting[procedure] = asyncio.get_running_loop().create_future()
        return self.waiting[procedure]

    def answer(self, procedure: Procedure, word: str) -> None:
        """Tell whoever waits how a procedure ended."""
        waiting = self.waiting.pop(procedure, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(word)

    # -- the port of EMM

    def send(self, pdu: bytes, clear: bytes | None, cause: EstablishmentCause) -> None:
        """See Port."""
        self.sent.append((pdu, clear))
        self.radio.send_nas(pdu, clear, cause)

    def release(self) -> None:
        """See Port."""
        self.radio.release()

    def start_timer(self, timer: Timer, seconds: float) -> None:
        """See Port."""
        self.stop_timer(timer)
        expired = partial(self._expired, timer)
        clock = self.site.clock
        if timer is Timer.T3412:
            # Periodic updates are keep-alives: both ends skip them while time is virtual, see Clock.keep_alive.
            self._timers[timer] = clock.keep_alive(seconds, expired, internal=self.radio.internal)
        else:
            self._timers[timer] = clock.call_later(seconds, expired)

    def stop_timer(self, timer: Timer) -> None:
        """See Port."""
        armed = self._timers.pop(timer, None)
        if armed is not None:
            armed.cancel()

    def _expired(self, timer: Timer) -> None:
        self._timers.pop(timer, None)
        self.site.note(f"{timer.name} expired")
        if timer is Timer.T300:
            self.emm.timers.discard(timer)
            self.radio.on_t300()
        else:
            self.emm.timeout(timer)

    def uniform(self, low: float, high: float) -> float:
        """See Port."""
        return self.site.rng.uniform(low, high)

    def authenticate(self, rand: bytes, autn: bytes) -> None:
        """See Port."""
        self.site.spawn(self._authenticate(rand, autn), "authentication by the card")

    async def _authenticate(self, rand: bytes, autn: bytes) -> None:
        if self.session is None:
            return
        try:
            answer = await self.session.authenticate(rand, autn)
        except CardGoneError as error:
            self.site.note(f"the card cannot answer: {error}")
        except PeerError as error:
            self.site.peer_fault(self.session.link, error.reason)
        else:
            authentication.on_card_answer(self.emm, rand, answer)

    def observe(self, name: str, value: Any) -> None:
        """See Port."""
        if value is None and name not in self._shown:
            return  # it was gone already
        (self._shown.discard if value is None else self._shown.add)(name)
        self.site.observe(name, value)
        if name == "emergency_call":
            self.answer(Procedure.EMERGENCY_BEARER, value)

    def note(self, text: str, **fields: Any) -> None:
        """See Port."""
        self.site.note(text, **fields)

    def fault(self, reason: str, pdu: bytes) -> None:
        """See Port."""
        link = self.radio.links.get(self.radio.enb)
        if link is not None:
            self.site.peer_fault(link, reason, pdu)

    def outcome(self, procedure: Procedure, word: str) -> None:
        """See Port."""
        if procedure is Procedure.ATTACH and self.emm.attach_type == AttachType.EPS_EMERGENCY_ATTACH:
            self.observe("emergency_call", word)
            if word == "accepted":
                self.observe("attach", "emergency")
        else:
            self.observe(_OBSERVED[procedure], word)
            if procedure is Procedure.DETACH:
                self.observe("attach", "detached")
        self.answer(procedure, word)

    def search(self, *, other_plmn: bool) -> None:
        """See Port."""
        self.site.spawn(self._search_other(other_plmn=other_plmn), "search for a cell")

    async def _search_other(self, *, other_plmn: bool) -> None:
        left = self.emm.cell
        for name in (self.config.cell, *self.config.hears):
            cell = await self.radio.find(name)
            if cell is None or not self.emm.suitable(cell):
                continue
            if left is None or (cell.tai.plmn != left.tai.plmn if other_plmn else cell.tai != left.tai):
                self.radio.camp(split_cell(name)[0], cell)
                return
        self.site.note("no other PLMN is heard" if other_plmn else "no suitable cell in another tracking area is heard")

    # -- the card's files

    def store_location(self) -> None:
        """See Port."""
        self._write(self._location)

    def _location(self) -> tuple[efs.Ef, bytes]:
        emm = self.emm
        status = UpdateStatus(emm.update_status.value)
        assert emm.card is not None  # noqa: S101 - checked by _write_out
        return efs.EF_EPSLOCI, EpsLoci(emm.guti, emm.last_tai, status).to_bytes(emm.card.home)

    def store_context(self) -> None:
        """See Port."""
        self._write(self._context)

    def _context(self) -> tuple[efs.Ef, bytes]:
        security = self.emm.security
        # TS 33.401 7.2.5: while registered the record is marked invalid, so that nobody else takes the keys up.
        if security is None or (self.emm.state.registered and self.config.keeps_keys == "at-detach"):
            return efs.EF_EPSNSC, EpsNsc().to_bytes()
        context = EpsNsc(
            security.ksi,
            security.kasme,
            security.ul_count,
            max(security.dl_count - 1, 0),
            security.eea,
            security.eia,
        )
        return efs.EF_EPSNSC, context.to_bytes()

    def store_forbidden_plmns(self) -> None:
        """See Port."""
        self._write(self._forbidden)

    def _forbidden(self) -> tuple[efs.Ef, bytes]:
        return efs.EF_FPLMN, forbidden_plmns(self.emm.forbidden_plmns)

    def _write(self, content: Callable[[], tuple[efs.Ef, bytes]]) -> None:
        if self.session is None or content in self._dirty:
            return
        self._dirty.append(content)
        if self.writing is None:
            self.writing = self.site.spawn(self._write_out(), "writing to the card")

    async def _write_out(self) -> None:
        """Write what has changed, as it is when its turn comes."""
        try:
            while self._dirty and self.session is not None and self.emm.card is not None:
                await self.session.write(*self._dirty.pop(0)())
        except CardGoneError as error:
            self.site.note(f"the card cannot be written: {error}")
        except PeerError as error:
            if self.session is not None:
                self.site.peer_fault(self.session.link, error.reason)
        finally:
            self._dirty.clear()
            self.writing = None

    def poll_card(self) -> None:
        """Look every 30 seconds whether the card is there."""
        self.stop_polling()
        if self.session is not None:
            internal = self.session.link.internal
            self._polling = self.site.clock.keep_alive(_POLL, self._poll, internal=internal)

    def _poll(self) -> None:
        self.site.spawn(self._ask_status(), "polling of the card")

    async def _ask_status(self) -> None:
        session = self.session
        if session is None:
            return
        try:
            await session.status()
        except (CardGoneError, PeerError) as error:
            session.link.close(str(error))
            await self.card_gone(str(error))
        else:
            self.poll_card()

    def stop_polling(self) -> None:
        """Look no more."""
        if self._polling is not None:
            self._polling.cancel()
            self._polling = None

    async def card_gone(self, reason: str) -> None:
        """The card is out of its slot."""
        raise NotImplementedError

    # -- the listener of the radio

    def on_connected(self) -> None:
        """See Listener."""
        self.emm.stop(Timer.T3412)
        self.emm.connected()

    def on_released(self) -> None:
        """See Listener."""
        waiting, self.on_release = self.on_release, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        self._react("released")
        self.emm.cell = self.radio.cell
        if self.config.keeps_keys == "always":
            self.store_context()
        self.emm.released()

    def on_coverage_lost(self) -> None:
        """See Listener."""
        self.emm.cell = None
        self._search_later(_SEARCH_PAUSE)

    def _search_later(self, pause: float) -> None:
        self.site.clock.call_later(pause, partial(self._look_again, pause))

    def _look_again(self, pause: float) -> None:
        if self.powered and self.radio.cell is None:
            self.site.spawn(self._regain(pause), "search for coverage")

    async def _regain(self, pause: float) -> None:
        await self.select_cell()
        if self.radio.cell is None:
            self._search_later(min(2 * pause, _SEARCH_LONGEST))
        else:
            cell_selection.try_again(self.emm)

    async def select_cell(self) -> None:
        """Camp on the best suitable cell that is heard; without one on the best that is heard at all."""
        found: tuple[str, CellInformation] | None = None
        for name in (self.config.cell, *self.config.hears):
            cell = await self.radio.find(name)
            if cell is None:
                continue
            found = found or (name, cell)
            if self.emm.suitable(cell):
                found = name, cell
                break
        if found is not None:
            self.radio.camp(split_cell(found[0])[0], found[1])

    def on_access_refused(self, seconds: float) -> None:
        """See Listener."""
        self.emm.access_refused(seconds)

    def on_nas(self, pdu: bytes) -> None:
        """See Listener."""
        self._react("answered")
        self.emm.receive(pdu)

    def _react(self, word: str) -> None:
        if self.on_reaction is not None and not self.on_reaction.done():
            self.on_reaction.set_result(word)

    def on_bearers_up(self) -> None:
        """See Listener."""
        service_request.on_bearers_up(self.emm)

    def on_camped(self, cell: CellInformation) -> None:
        """See Listener."""
        moved, self.on_moved = self.on_moved, None
        if moved is not None and not moved.done():
            moved.set_result(None)
        cell_selection.on_camped(self.emm, cell)

    def on_paged(self, *, with_imsi: bool) -> None:
        """See Listener."""
        (service_request.on_imsi_paging if with_imsi else service_request.on_paging)(self.emm)

    def on_connecting(self, *, started: bool) -> None:
        """See Listener."""
        if started:
            self.emm.start(Timer.T300)
        else:
            self.emm.stop(Timer.T300)

    def identity(self) -> tuple[Guti | None, str]:
        """See Listener."""
        return self.emm.guti, self.emm.card.imsi if self.emm.card is not None else ""
