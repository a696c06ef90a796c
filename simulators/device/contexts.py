"""What a terminal knows of itself as a UE (TS 24.301 clause 5), and what all of its procedures share."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.device.rejects import Next, Usim
from simulators.device.state import EmmState, Procedure, Timer, UpdateStatus
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.wire.apdu import efs
from simwarden.wire.apdu.coding import encode_plmn_list
from simwarden.wire.apdu.contents import EpsLoci, EpsNsc
from simwarden.wire.apdu.contents import UpdateStatus as StoredStatus
from simwarden.wire.nas import NO_KEY, AttachType, Message, MessageType, PdnType, SecurityHeaderType, encode
from simwarden.wire.uu import EstablishmentCause

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from simulators.device.clients.card import CardData, CardSession
    from simulators.device.clients.cs import Cs
    from simulators.device.clients.packets import Packets
    from simulators.device.clients.radio import Radio
    from simulators.device.config import DeviceConfig
    from simulators.device.terminal import Terminal
    from simwarden.machine.token_bucket import Bucket
    from simwarden.model.identity import Guti, Plmn, Tai
    from simwarden.runtime.clock import Timer as ClockTimer
    from simwarden.runtime.ppsms import ShortMessageLink
    from simwarden.runtime.site import Site
    from simwarden.wire.tft import Filter
    from simwarden.wire.uu import CellInformation

#: how many NAS messages are remembered after they were sent
_REMEMBERED = 16
_NEVER_CIPHERED = frozenset({MessageType.ATTACH_REQUEST, MessageType.TRACKING_AREA_UPDATE_REQUEST})


class Bearer(NamedTuple):
    """A default EPS bearer: its PDN connection, and its address."""

    apn: str
    address: str
    emergency: bool = False
    interface_id: bytes = b""
    options: bytes = b""
    """What the PGW told of it: DNS servers, and the MTU (PCO)."""
    uplink: Bucket | None = None
    """What its packets without guaranteed rate may have together: the APN-AMBR (TS 23.401 4.7.3)."""


class Dedicated(NamedTuple):
    """A dedicated EPS bearer: the default bearer that it is beside, and which packets go by it."""

    linked: int
    qci: int
    filters: tuple[Filter, ...]
    uplink: Bucket | None = None
    """Its own rate, if that is guaranteed."""


class Learned(NamedTuple):
    """What a rogue keeps of a card: the registration, its keys, and where it may be without an update."""

    guti: Guti | None
    last_tai: Tai | None
    tai_list: tuple[Tai, ...]
    security: NasSecurityContext | None


@dataclass(slots=True, repr=False)
class Candidate:
    """A partial native security context: authenticated, not yet taken into use by a security mode command."""

    ksi: int
    rand: bytes
    autn: bytes
    res: bytes = b""
    kasme: bytes = b""


@dataclass(slots=True, eq=False, repr=False)
class Memory:
    """What a power-off or the removal of the card forgets (5.3.7b: the counters as well)."""

    state: EmmState = EmmState.NULL
    procedure: Procedure | None = None
    failed: Callable[..., None] = lambda *_: None
    """The abnormal end of the procedure: it takes the word for who asked, and `at_once` to count as five attempts."""
    pending: Procedure | None = None
    searching: Next | None = None
    update_status: UpdateStatus = UpdateStatus.EU2_NOT_UPDATED
    guti: Guti | None = None
    last_tai: Tai | None = None
    tai_list: list[Tai] = field(default_factory=list)
    security: NasSecurityContext | None = None
    candidate: Candidate | None = None
    secure: bool = False
    wired: bool = False
    emergency: bool = False
    interlocked: bool = False
    follows: bool = False
    """What starts now follows from an answer of the network, whose cause is to be seen."""
    usim: Usim = Usim.KEEP
    forbidden_areas: frozenset[Tai] = frozenset()
    forbidden_plmns: list[Plmn] = field(default_factory=list)
    forbidden_plmns_gprs: frozenset[Plmn] = frozenset()
    resting_plmn: Plmn | None = None
    plmn_events: dict[Plmn, int] = field(default_factory=dict)
    usim_events: int = 0
    authentication_failures: int = 0
    attach_attempts: int = 0
    tau_attempts: int = 0
    attach_type: int = 0
    update_type: int = 0
    bearers: dict[int, Bearer] = field(default_factory=dict)
    dedicated: dict[int, Dedicated] = field(default_factory=dict)
    beside: frozenset[int] = frozenset()
    """Bearers of PDN connections beside that of the attach."""
    prefixes: dict[int, str] = field(default_factory=dict)
    """IPv6 prefixes that routers have told, by bearer."""
    esm_pti: int = 0
    asked: Message | None = None
    """The PDN CONNECTIVITY or DISCONNECT REQUEST that awaits its answer, of the `asked_times` it was sent."""
    asked_times: int = 0
    resting_apns: dict[str, float] = field(default_factory=dict)
    """Until when APNs are left alone for further PDN connections (6.5.1.4.3)."""
    sms_registered: bool = False
    """The network takes and brings short messages ("SMS only")."""
    short_messages: ShortMessageLink | None = None
    parts: dict[tuple[str, int, int], dict[int, str]] = field(default_factory=dict)
    """Parts of messages that are not whole, by originator, reference and number of parts."""
    t3402: float = Timer.T3402.seconds
    t3412: float = Timer.T3412.seconds


class Emm(Memory):
    """The terminal as its procedures see it: state, timers, card and radio, and who waits for what."""

    radio: Radio
    cs: Cs
    packets: Packets
    on_expiry: Callable[[Timer], None]
    """Called when a timer has run out."""
    on_released: Callable[[], None]
    """Called when the connection was dropped."""

    def __init__(self, site: Site, config: DeviceConfig, terminal: Terminal) -> None:
        self.site, self.config, self.terminal = site, config, terminal
        self.apn, self.pdn_type = config.apn, PdnType[config.pdn_type.upper()]
        self.honours_rejects, self.max_unprotected = config.honours_rejects, config.max_unprotected_rejects
        self.powered = False
        self.session: CardSession | None = None
        self.card_name = ""
        self.polling: ClockTimer | None = None
        self.card: CardData | None = None
        self.cell: CellInformation | None = None
        self.learned: dict[str, Learned] = {}
        #: numbers of the messages in its memory, how many have come, and that one found no room
        self.messages: list[int] = []
        self.sms_count = 0
        self.memory_full = False
        #: references of the last message and of the last long one (TS 23.040 9.2.3.6, 9.2.3.24.1)
        self.sms_reference = self.sms_long = 0
        self.short_messages = None
        #: timers that run; one that is deactivated never runs out
        self.timers: dict[Timer, ClockTimer | None] = {}
        #: NAS messages sent lately, and what they were before ciphering
        self.sent: list[tuple[bytes, bytes | None]] = []
        self.on_no_bearer: Callable[[], None] = lambda: None
        self._shown: list[str] = []
        self._endings: dict[Procedure, asyncio.Future[str]] = {}
        self._awaited: dict[asyncio.Future[str], tuple[str, ...]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget. A rogue keeps GUTI, keys and TAI list in a memory of its own, for when it has the card again."""
        if self.card is not None and not self.honours_rejects:
            self.learned[self.card.imsi] = Learned(self.guti, self.last_tai, tuple(self.tai_list), self.security)
        self.stop(*self.timers)
        self.end_messages()
        super().__init__()
        self.on_no_bearer()

    # -- the card

    def insert(self, card: CardData) -> None:
        """Take up a card that was just read: its registration, its keys and its forbidden networks (Annex C)."""
        self.card = card
        self.usim = Usim.KEEP
        self.guti, self.last_tai = card.location.guti, card.location.last_tai
        self.update_status = UpdateStatus(min(card.location.status, 2))
        self.forbidden_plmns = list(card.forbidden_plmns)
        stored = card.context
        # Without its GUTI a context cannot be named to the network, and without algorithms we know it is of no use.
        if stored.valid and self.guti is not None and stored.integrity == 2 and stored.ciphering in (0, 2):
            self.security = NasSecurityContext(
                stored.kasme,
                ksi=stored.ksi,
                eia=stored.integrity,
                eea=stored.ciphering,
                is_network=False,
                ul_count=stored.uplink_count & 0xFFFFFF,
                dl_count=(stored.downlink_count & 0xFFFFFF) + 1,
            )
        if (learned := self.learned.get(card.imsi)) and self.security is None and learned.security is not None:
            self.guti, self.last_tai, self.security = learned.guti, learned.last_tai, learned.security
            self.tai_list = list(learned.tai_list)
        self.enter(EmmState.DEREGISTERED)

    def _store(self, content: Callable[[], tuple[efs.Ef, bytes]]) -> None:
        if self.session is not None and self.card is not None:
            self.session.store(content)

    def store_location(self) -> None:
        """Write EFEPSLOCI."""
        self._store(self._location)

    def _location(self) -> tuple[efs.Ef, bytes]:
        assert self.card is not None  # noqa: S101 - checked by _store
        location = EpsLoci(self.guti, self.last_tai, StoredStatus(self.update_status.value))
        return efs.EF_EPSLOCI, location.to_bytes(self.card.home)

    def store_context(self) -> None:
        """Write EFEPSNSC: the security context, or that there is none."""
        self._store(self._context)

    def _context(self) -> tuple[efs.Ef, bytes]:
        keys = self.security
        # TS 33.401 7.2.5: while registered the record is marked invalid, so that nobody else takes the keys up.
        if keys is None or (self.state.registered and self.config.keeps_keys == "at-detach"):
            return efs.EF_EPSNSC, EpsNsc().to_bytes()
        counts = keys.ul_count, max(keys.dl_count - 1, 0)
        return efs.EF_EPSNSC, EpsNsc(keys.ksi, keys.kasme, *counts, keys.eea, keys.eia).to_bytes()

    def store_forbidden_plmns(self) -> None:
        """Write EFFPLMN, four places."""
        self._store(self._forbidden)

    def _forbidden(self) -> tuple[efs.Ef, bytes]:
        return efs.EF_FPLMN, encode_plmn_list(self.forbidden_plmns, efs.EF_FPLMN.size // 3)

    # -- the procedure that runs

    @property
    def calls_for_help(self) -> bool:
        """Whether an attach for an emergency call is under way."""
        return self.procedure is Procedure.ATTACH and self.attach_type == AttachType.EPS_EMERGENCY_ATTACH

    def begin(self, procedure: Procedure, failed: Callable[..., None]) -> None:
        """Let a procedure run; `failed` is its abnormal end."""
        self.procedure, self.failed = procedure, failed

    def expects(self, procedure: Procedure, failed: Callable[..., None]) -> bool:
        """Whether the answer to a procedure is taken; a rogue takes what its made-up requests bring it, too."""
        if self.procedure is None and not self.honours_rejects:
            self.begin(procedure, failed)
        return self.procedure is procedure

    def fail(self, word: str, *, at_once: bool = False) -> None:
        """Let the running procedure, if there is one, come to its abnormal end."""
        if self.procedure is not None:
            self.failed(self, word, at_once=at_once)

    def finish(self, word: str) -> None:
        """End the running procedure, and say how."""
        emergency, procedure, self.procedure = self.calls_for_help, self.procedure, None
        if procedure is None:
            return
        if emergency:
            self.observe("emergency_call", word)
            if word == "accepted":
                self.observe("attach", "emergency")
        else:
            self.observe(procedure.value, word)
            if procedure is Procedure.DETACH:
                self.observe("attach", "detached")
        self.answer(procedure, word)

    async def run(self, procedure: Procedure, start: Callable[[Emm], None]) -> str:
        """Run a procedure, or wait for the one of its kind that runs; return how it ended."""
        while self.procedure not in (None, procedure):
            await self.ending(self.procedure)
        answer = self.ending(procedure)
        if self.procedure is None:
            start(self)
        return await answer

    def ending(self, procedure: Procedure) -> asyncio.Future[str]:
        """Return the future of how a procedure ends."""
        if procedure not in self._endings:
            self._endings[procedure] = asyncio.get_running_loop().create_future()
        return self._endings[procedure]

    def answer(self, procedure: Procedure, word: str) -> None:
        """Tell whoever waits how a procedure ended."""
        waiting = self._endings.pop(procedure, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(word)

    def answer_all(self, word: str) -> None:
        """Tell all who wait for anything."""
        for procedure in list(self._endings):
            self.answer(procedure, word)

    # -- what is seen

    def observe(self, name: str, value: Any) -> None:
        """Report an observable, unless it is gone and was so already."""
        if value is None and name not in self._shown:
            return
        if value is None:
            self._shown.remove(name)
        elif name not in self._shown:
            self._shown.append(name)
        self.site.observe(name, value)
        if name == "emergency_call":
            self.answer(Procedure.EMERGENCY_BEARER, value)

    async def heard(self, *events: str, within: float) -> str:
        """Wait for the first of some events of the radio; return it, or nothing when the time is over."""
        first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._awaited[first] = events
        try:
            async with asyncio.timeout(within):
                return await first
        except TimeoutError:
            return ""
        finally:
            del self._awaited[first]

    def tell(self, event: str) -> None:
        """Tell those who wait for an event that it came."""
        for first, events in self._awaited.items():
            if event in events and not first.done():
                first.set_result(event)

    # -- state

    def enter(self, state: EmmState) -> None:
        """Change the state, and say so."""
        if state is not self.state:
            self.state = state
            self.observe("emm_state", state.value)

    def start(self, timer: Timer, seconds: float | None = None) -> None:
        """Start a timer, anew if it runs; one that is deactivated runs and never runs out."""
        wanted = timer.seconds if seconds is None else seconds
        self.stop(timer)
        clock, expired = self.site.clock, partial(self.on_expiry, timer)
        if wanted == math.inf:
            self.timers[timer] = None
        elif timer is Timer.T3412:
            # Periodic updates are keep-alives: both ends skip them while time is virtual, see Clock.keep_alive.
            self.timers[timer] = clock.keep_alive(wanted, expired, internal=self.radio.internal)
        else:
            self.timers[timer] = clock.call_later(wanted, expired)

    def stop(self, *timers: Timer) -> None:
        """Stop timers that may run."""
        for timer in timers:
            armed = self.timers.pop(timer, None)
            if armed is not None:
                armed.cancel()

    def running(self, timer: Timer) -> bool:
        """Whether a timer runs."""
        return timer in self.timers

    def forget_registration(self) -> None:
        """Delete GUTI, last visited registered TAI, TAI list and key set identifier."""
        self.guti = self.last_tai = None
        self.tai_list = []
        self.security = self.candidate = None
        self.secure = False
        self.attach_attempts = 0
        self.store_context()

    def bearers_to(self, apn: str) -> list[int]:
        """Return the default bearers to an APN, whose case does not count (TS 23.003 9.1); empty name: all."""
        return [identity for identity, each in self.bearers.items() if apn.lower() in ("", each.apn.lower())]

    def drop_bearers(self) -> None:
        """Deactivate all bearers locally."""
        for identity in list(self.bearers):
            self.drop_bearer(identity)
        self.stop(Timer.T3412)

    def add_bearer(self, identity: int, bearer: Bearer) -> None:
        """Take a default bearer up, and say so: the first as the terminal's own, others as connections beside it."""
        address = bearer.address or bearer.interface_id.hex()
        if not self.bearers:
            self.observe("apn", bearer.apn)
            self.observe("address", address)
        else:
            self.beside |= {identity}
            told = {"apn": bearer.apn, "address": address, "ebi": identity}
            self.site.observe("connection", told, key=str(identity))
        self.bearers[identity] = bearer

    @property
    def identities(self) -> tuple[int, ...]:
        """The identities of all its bearers."""
        return *self.bearers, *self.dedicated

    def put_dedicated(self, identity: int, bearer: Dedicated) -> None:
        """Take a dedicated bearer up, or what it is now, and say so."""
        self.dedicated[identity] = bearer
        told = {"apn": self.bearers[bearer.linked].apn, "ebi": identity, "qci": bearer.qci}
        self.site.observe("bearer", told, key=str(identity))

    def drop_dedicated(self, identity: int) -> bool:
        """Deactivate a dedicated bearer locally; whether there was one."""
        if self.dedicated.pop(identity, None) is None:
            return False
        self.site.observe("bearer", None, key=str(identity))
        return True

    def drop_without(self, kept: Collection[int]) -> None:
        """Deactivate all bearers locally that are not among some."""
        for identity in set(self.identities) - set(kept):
            if not self.drop_dedicated(identity):
                self.drop_bearer(identity)

    def drop_bearer(self, identity: int) -> Bearer | None:
        """Deactivate a default bearer locally, and those beside it; return it if there was one."""
        for each in [number for number, held in self.dedicated.items() if held.linked == identity]:
            self.drop_dedicated(each)
        bearer = self.bearers.pop(identity, None)
        self.prefixes.pop(identity, None)
        if identity in self.beside:
            self.beside -= {identity}
            self.site.observe("connection", None, key=str(identity))
        elif bearer is not None:
            self.observe("apn", None)
            self.observe("address", None)
        if bearer is not None and not self.bearers:
            self.on_no_bearer()
        return bearer

    def invalidate_usim(self, usim: Usim) -> None:
        """Hold the card invalid until power-off, removal, T3247 or T3245."""
        self.usim = usim
        self.observe("usim", usim.value)
        if self.config.t3245:
            self.start(Timer.T3245, self.site.rng.uniform(86400, 172800))

    def suitable(self, cell: CellInformation | None) -> bool:
        """Whether normal service may be had in a cell (TS 36.304 4.3, with the lists of TS 24.301 5.3.2)."""
        if cell is None or cell.cell_barred or cell.tai in self.forbidden_areas:
            return False
        plmn = cell.tai.plmn
        return plmn not in self.forbidden_plmns and plmn not in self.forbidden_plmns_gprs and plmn != self.resting_plmn

    @property
    def ksi(self) -> int:
        """The key set identifier to send."""
        return self.security.ksi if self.security is not None else NO_KEY

    # -- the connection

    def end_messages(self) -> None:
        """Let short messages under way end: the connection is gone."""
        if self.short_messages is not None:
            self.short_messages.lost("the connection is gone")

    def hang_up(self) -> None:
        """Drop the connection without a word."""
        self.radio.release()
        self.end_messages()
        self.wired = self.secure = False

    def drop_connection(self) -> None:
        """Drop the connection without a word, and go on as after its release by the network."""
        self.radio.release()
        self.on_released()

    def make_way(self) -> None:
        """Leave a connection whose release is awaited: a call for help comes before that (5.3.1.2)."""
        if self.running(Timer.T3440):
            self.pending = self.searching = None
            self.drop_connection()

    def send(self, message: Message, cause: EstablishmentCause = EstablishmentCause.MO_SIGNALLING) -> None:
        """Send a NAS message, protected as 4.4.4 and 4.4.5 say."""
        plain = encode(message)
        if self.security is None or not (self.secure or not self.wired):
            self.transmit(plain, None, cause)
            return
        kind = SecurityHeaderType.INTEGRITY_PROTECTED
        if self.secure and message.type not in _NEVER_CIPHERED:
            kind = SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED
        self.transmit(self.security.protect(plain, kind), plain if kind.ciphered else None, cause)

    def transmit(self, pdu: bytes, clear: bytes | None, cause: EstablishmentCause) -> None:
        """Send octets, over a new connection with this cause if there is none. `clear`: before ciphering."""
        self.sent = [*self.sent[1 - _REMEMBERED :], (pdu, clear)]
        self.radio.send_nas(pdu, clear, cause)
