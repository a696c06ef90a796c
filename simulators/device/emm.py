"""The EMM machine of a UE (TS 24.301 clause 5): its state, and what all procedures share. No I/O, no clock of its own.

It is told what happens (`receive`, `timeout`, `connected`, `released`, `paged`, `camped`, the card's answers) and acts
through its `Port`: NAS messages, timers, what is stored on the card, what others may observe. The procedures stand in
`procedures`, one file each, and are found by message type and timer in `procedures.HANDLERS` and `procedures.TIMEOUTS`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from simulators.device.rejects import Next, Usim
from simulators.device.state import EmmState, Procedure, Timer, UpdateStatus
from simwarden.errors import PeerError
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.wire.nas import (
    NO_KEY,
    UE_PROCESSES,
    AttachType,
    EmmCause,
    Message,
    MessageType,
    SecurityHeaderType,
    decode,
    encode,
    header_type,
    may_process,
    split,
)
from simwarden.wire.uu import EstablishmentCause

if TYPE_CHECKING:
    from simulators.device.card import CardData
    from simulators.device.terminal import Terminal
    from simwarden.model.identity import Guti, Plmn, Tai
    from simwarden.wire.uu import CellInformation

_NOT_IMPLEMENTED = EmmCause.MESSAGE_TYPE_NON_EXISTENT_OR_NOT_IMPLEMENTED
_NEVER_CIPHERED = frozenset({MessageType.ATTACH_REQUEST, MessageType.TRACKING_AREA_UPDATE_REQUEST})


class Port(Protocol):
    """What the machine is given by whoever runs it."""

    def send(self, pdu: bytes, clear: bytes | None, cause: EstablishmentCause) -> None:
        """Carry a NAS message; without a connection ask for one with this cause first. `clear`: before ciphering."""

    def release(self) -> None:
        """Drop the connection locally."""

    def start_timer(self, timer: Timer, seconds: float) -> None:
        """Arm a timer, anew if it runs; `Emm.timeout` is called when it runs out."""

    def stop_timer(self, timer: Timer) -> None:
        """Stop a timer."""

    def uniform(self, low: float, high: float) -> float:
        """Draw a random number of seconds."""

    def authenticate(self, rand: bytes, autn: bytes) -> None:
        """Ask the card; `procedures.authentication.on_card_answer` is called with what it says."""

    def store_location(self) -> None:
        """Write EFEPSLOCI."""

    def store_context(self) -> None:
        """Write EFEPSNSC: the security context, or that there is none."""

    def store_forbidden_plmns(self) -> None:
        """Write EFFPLMN."""

    def search(self, *, other_plmn: bool) -> None:
        """Look for another suitable cell; `Emm.camped` is called when one is found."""

    def observe(self, name: str, value: Any) -> None:
        """Report an observable."""

    def note(self, text: str, **fields: Any) -> None:
        """Put a line into the ladder."""

    def fault(self, reason: str, pdu: bytes) -> None:
        """Report a message of the network's that is malformed or breaks the protocol."""

    def outcome(self, procedure: Procedure, word: str) -> None:
        """Say how a procedure ended, for whoever asked for it."""


class Bearer:
    """A default EPS bearer: its PDN connection, and its address."""

    __slots__ = ("address", "apn", "emergency")

    def __init__(self, apn: str, address: str, *, emergency: bool) -> None:
        self.apn, self.address, self.emergency = apn, address, emergency


class Learned(NamedTuple):
    """What a rogue keeps of a card: the registration, its keys, and where it may be without an update."""

    guti: Guti | None
    last_tai: Tai | None
    tai_list: tuple[Tai, ...]
    security: NasSecurityContext | None


class Candidate:
    """A partial native security context: authenticated, not yet taken into use by a security mode command."""

    __slots__ = ("autn", "kasme", "ksi", "rand", "res")

    def __init__(self, ksi: int, rand: bytes, autn: bytes) -> None:
        self.ksi, self.rand, self.autn = ksi, rand, autn
        self.res = b""
        self.kasme = b""


class Emm:
    """The machine. Its state is public to its procedures."""

    __slots__ = (
        "apn",
        "attach_attempts",
        "attach_type",
        "authentication_failures",
        "bearers",
        "candidate",
        "card",
        "cell",
        "emergency",
        "esm_pti",
        "follows",
        "forbidden_areas",
        "forbidden_plmns",
        "forbidden_plmns_gprs",
        "guti",
        "honours_rejects",
        "interlocked",
        "last_tai",
        "learned",
        "max_unprotected",
        "pdn_type",
        "pending",
        "plmn_events",
        "port",
        "procedure",
        "resting_plmn",
        "searching",
        "secure",
        "security",
        "service_attempts",
        "state",
        "t3245",
        "t3402",
        "t3412",
        "tai_list",
        "tau_attempts",
        "terminal",
        "timers",
        "update_status",
        "update_type",
        "usim",
        "usim_events",
        "wired",
    )

    def __init__(self, port: Port, terminal: Terminal, apn: str = "", pdn_type: int = 1) -> None:
        self.port, self.terminal, self.apn, self.pdn_type = port, terminal, apn, pdn_type
        self.honours_rejects = True
        self.max_unprotected = 10
        self.t3245 = False
        self.card: CardData | None = None
        self.learned: dict[str, Learned] = {}
        self.timers: set[Timer] = set()
        self.cell: CellInformation | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all that a power-off or the removal of the card forgets (5.3.7b: the counters as well).

        A rogue keeps GUTI, keys and TAI list in a memory of its own, for when it has the card again.
        """
        if self.card is not None and not self.honours_rejects:
            self.learned[self.card.imsi] = Learned(self.guti, self.last_tai, tuple(self.tai_list), self.security)
        for timer in list(self.timers):
            self.stop(timer)
        self.state = EmmState.NULL
        self.procedure: Procedure | None = None
        self.pending: Procedure | None = None
        self.searching: Next | None = None
        self.update_status = UpdateStatus.EU2_NOT_UPDATED
        self.guti: Guti | None = None
        self.last_tai: Tai | None = None
        self.tai_list: list[Tai] = []
        self.security: NasSecurityContext | None = None
        self.candidate: Candidate | None = None
        self.secure = self.wired = self.emergency = self.interlocked = False
        #: what starts now follows from an answer of the network, whose cause is to be seen
        self.follows = False
        self.usim = Usim.KEEP
        self.forbidden_areas: set[Tai] = set()
        self.forbidden_plmns: list[Plmn] = []
        self.forbidden_plmns_gprs: set[Plmn] = set()
        self.resting_plmn: Plmn | None = None
        self.plmn_events: dict[Plmn, int] = {}
        self.usim_events = self.authentication_failures = 0
        self.attach_attempts = self.tau_attempts = self.service_attempts = 0
        self.attach_type = self.update_type = 0
        self.bearers: dict[int, Bearer] = {}
        self.esm_pti = 0
        self.t3402, self.t3412 = Timer.T3402.seconds, Timer.T3412.seconds

    @property
    def calls_for_help(self) -> bool:
        """Whether an attach for an emergency call is under way."""
        return self.procedure is Procedure.ATTACH and self.attach_type == AttachType.EPS_EMERGENCY_ATTACH

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
        learned = self.learned.get(card.imsi)
        if learned is not None and self.security is None and learned.security is not None:
            self.guti, self.last_tai, self.security = learned.guti, learned.last_tai, learned.security
            self.tai_list = list(learned.tai_list)
        self.enter(EmmState.DEREGISTERED)

    def expects(self, procedure: Procedure) -> bool:
        """Whether the answer to a procedure is taken; a rogue takes what its made-up requests bring it, too."""
        if self.procedure is None and not self.honours_rejects:
            self.procedure = procedure
        return self.procedure is procedure

    # -- state

    def enter(self, state: EmmState) -> None:
        """Change the state, and say so."""
        if state is not self.state:
            self.state = state
            self.port.observe("emm_state", state.value)

    def start(self, timer: Timer, seconds: float | None = None) -> None:
        """Start a timer, anew if it runs; one that is deactivated runs and never runs out."""
        wanted = timer.seconds if seconds is None else seconds
        self.stop(timer)
        self.timers.add(timer)
        if wanted < math.inf:
            self.port.start_timer(timer, wanted)

    def stop(self, *timers: Timer) -> None:
        """Stop timers that may run."""
        for timer in timers:
            if timer in self.timers:
                self.timers.discard(timer)
                self.port.stop_timer(timer)

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
        self.port.store_context()

    def drop_bearers(self) -> None:
        """Deactivate all bearers locally."""
        if self.bearers:
            self.bearers.clear()
            self.show_no_bearer()
        self.stop(Timer.T3412)

    def show_no_bearer(self) -> None:
        """Report that the last bearer is gone, with its access point and address."""
        self.port.observe("apn", None)
        self.port.observe("address", None)

    def invalidate_usim(self, usim: Usim) -> None:
        """Hold the card invalid until power-off, removal, T3247 or T3245."""
        self.usim = usim
        self.port.observe("usim", usim.value)
        if self.t3245:
            self.start(Timer.T3245, self.port.uniform(86400, 172800))

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

    def connected(self) -> None:
        """Be told that an RRC connection stands; the message it was asked for has gone with it."""
        self.wired = True
        self.secure = False

    def released(self) -> None:
        """Be told that the connection is gone: released by the network, lost, or refused."""
        from simulators.device.procedures import LOST  # noqa: PLC0415 - they need each other

        self.wired = self.secure = False
        self.candidate = None
        self.stop(Timer.T3440, Timer.T3418, Timer.T3420, Timer.T3416)
        if self.procedure is not None:
            LOST[self.procedure](self)
        if self.state.registered and self.procedure is None and 0 < self.t3412 < math.inf:
            self.start(Timer.T3412, self.t3412)
        self.resume()

    def make_way(self) -> None:
        """Leave a connection whose release is awaited: a call for help comes before that (5.3.1.2)."""
        if self.running(Timer.T3440):
            self.pending = self.searching = None
            self.port.release()
            self.released()

    def resume(self) -> None:
        """Do what was put off until the connection was released, or until the eNB may be asked again."""
        from simulators.device.procedures import STARTS  # noqa: PLC0415 - they need each other

        searching, self.searching = self.searching, None
        pending, self.pending = self.pending, None
        if pending is not None and self.procedure is None:
            self.follows = True
            STARTS[pending](self)
            self.follows = False
        elif searching is not None:
            self.port.search(other_plmn=searching is Next.OTHER_PLMN)

    def access_refused(self, seconds: float) -> None:
        """Be told that the eNB rejected the connection request: what was to be done is done after T302."""
        procedure = self.procedure
        self.stop(Timer.T3410, Timer.T3417, Timer.T3430, Timer.T3421)
        self.enter(EmmState.REGISTERED if self.state.registered else EmmState.ATTEMPTING_TO_ATTACH)
        self.finish("barred")
        self.pending = procedure
        self.start(Timer.T302, seconds)

    def send(self, message: Message, cause: EstablishmentCause = EstablishmentCause.MO_SIGNALLING) -> None:
        """Send a NAS message, protected as 4.4.4 and 4.4.5 say."""
        plain = encode(message)
        if self.security is None or not (self.secure or not self.wired):
            self.port.send(plain, None, cause)
            return
        kind = SecurityHeaderType.INTEGRITY_PROTECTED
        if self.secure and message.type not in _NEVER_CIPHERED:
            kind = SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED
        self.port.send(self.security.protect(plain, kind), plain if kind.ciphered else None, cause)

    # -- receiving

    def receive(self, pdu: bytes) -> None:
        """Process a NAS message from the network; what may not be processed is dropped with a note or a fault."""
        from simulators.device.procedures import HANDLERS  # noqa: PLC0415 - they need each other

        try:
            opened = self._open(pdu)
            if opened is None:
                return
            message, protected = opened
            handler = HANDLERS.get(message.type)
            if handler is None:
                raise PeerError(f"{message.type.name} makes no sense to a UE", code=_NOT_IMPLEMENTED)  # noqa: TRY301
            handler(self, message, protected)
        except PeerError as error:
            self.port.fault(error.reason, pdu)
            if error.code is not None and self.secure:
                self.send(Message(MessageType.EMM_STATUS, emm_cause=error.code))

    def _open(self, pdu: bytes) -> tuple[Message, bool] | None:
        kind = header_type(pdu)
        if kind is SecurityHeaderType.PLAIN:
            message = decode(pdu, uplink=False)
            if self.secure or not may_process(UE_PROCESSES, message):
                raise PeerError(f"{message.type.name} without integrity protection is not processed (4.4.4.2)")
            return message, False
        if kind is SecurityHeaderType.INTEGRITY_PROTECTED_NEW_CONTEXT:
            from simulators.device.procedures import security_mode  # noqa: PLC0415 - they need each other

            security_mode.on_command(self, pdu, decode(split(pdu).payload, uplink=False))
            return None
        if self.security is None:
            raise PeerError("protected NAS message without a security context")
        message = decode(self.security.unprotect(pdu), uplink=False)
        self.secure = True
        return message, True

    def timeout(self, timer: Timer) -> None:
        """Be told that a timer has run out."""
        from simulators.device.procedures import TIMEOUTS  # noqa: PLC0415 - they need each other

        self.timers.discard(timer)
        TIMEOUTS[timer](self)

    def finish(self, word: str) -> None:
        """End the running procedure, and say how."""
        procedure, self.procedure = self.procedure, None
        if procedure is not None:
            self.port.outcome(procedure, word)
