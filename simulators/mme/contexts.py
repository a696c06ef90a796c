"""What the MME knows: of each card it serves, of each signalling connection, and of each eNB."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from simwarden.wire.diameter.codes import PdnType

if TYPE_CHECKING:
    from simulators.mme.controls import Occasion
    from simwarden.machine.nas_security import NasSecurityContext
    from simwarden.model.identity import Ecgi, Guti, Imei, Tai
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.link import Link
    from simwarden.runtime.ppsms import ShortMessageLink
    from simwarden.wire.gtpv2 import Ambr, BearerQos, FTeid, Paa, Uli
    from simwarden.wire.nas.elements import UeNetworkCapability
    from simwarden.wire.nas.enums import EmmCause, EsmCause, IdentityType, MessageType, NetworkDetachType
    from simwarden.wire.nas.message import Message
    from simwarden.wire.s1ap import Message as S1Message
    from simwarden.wire.s1ap.values import ErabAdmitted


class NoAnswer(Exception):  # noqa: N818 - not an error: the spec's abnormal case of a timer that ran out for good
    """A device or eNB left a request unanswered to the end of its timer's retransmissions; names the timer."""


class EmmState(enum.Enum):
    """EMM main states of the network (TS 24.301 5.1.3.4)."""

    DEREGISTERED = "deregistered"
    REGISTERED = "registered"


class SmsState(enum.Enum):
    """Whether the HSS has this MME registered for a card's short messages (TS 29.272 5.2.1.1)."""

    NONE = "none"
    ASKED = "asked"
    """The device has asked for SMS, and the HSS is to be asked."""
    REGISTERED = "registered"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal as it named itself: `sv_known` says whether its software version is known too (IMEISV)."""

    imei: Imei
    sv_known: bool

    @property
    def imeisv(self) -> str:
        """16 digits, empty if only the IMEI is known."""
        return self.imei.imeisv if self.sv_known else ""


@dataclass(slots=True)
class ApnConfiguration:
    """An APN configuration of a subscription (TS 29.272 7.3.35)."""

    name: str
    qci: int = 9
    priority: int = 8
    pre_emption_capability: int = 1
    pre_emption_vulnerability: int = 0
    pdn_type: PdnType = PdnType.IPV4
    ambr_ul: int = 0
    """APN-AMBR in bit/s; 0: as the subscription has it for all."""
    ambr_dl: int = 0
    addresses: tuple[str, ...] = ()
    """Static addresses of the card (Served-Party-IP-Address)."""


@dataclass(slots=True)
class Subscription:
    """Subscription data of a card (TS 29.272 7.3.2), as much as an MME acts on."""

    msisdn: str = ""
    barred: bool = False
    """Operator determined barring of all packet oriented services."""
    ambr_ul: int = 50_000_000
    ambr_dl: int = 100_000_000
    periodic: int = 0
    """Subscribed-Periodic-RAU-TAU-Timer in seconds; 0 for none."""
    default_context: int = 0
    apns: dict[int, ApnConfiguration] = field(default_factory=dict)
    zones: frozenset[str] = frozenset()
    """Regional subscription zone codes, 4 hexadecimal digits each; none: no restriction."""

    @property
    def default_apn(self) -> ApnConfiguration | None:
        """The APN of the default bearer when the device asks for none."""
        return self.apns.get(self.default_context)

    def find(self, name: str) -> ApnConfiguration | None:
        """Return the APN of that name, else the wildcard's, else None."""
        wanted = name.lower()
        wildcard = None
        for point in self.apns.values():
            if point.name.lower() == wanted:
                return point
            if point.name == "*":
                wildcard = point
        return wildcard


@dataclass(slots=True, eq=False)
class Dedicated:
    """A dedicated EPS bearer of a PDN connection (TS 24.301 6.4.2); `tft` goes on to the device as it came."""

    linked: Bearer
    identity: int
    qos: BearerQos
    tft: bytes
    sgw: FTeid
    standing: asyncio.Future[bool]
    """Whether its radio bearer stands, when that is known."""
    enb: FTeid | None = None
    accepted: bool = False
    transaction: int = 0
    """That by which the device asked for it, 0 where the network has ordered it."""


@dataclass(slots=True)
class Bearer:
    """A PDN connection with its default EPS bearer, as the gateways have set it up."""

    identity: int
    apn: str
    point: ApnConfiguration
    paa: Paa
    ambr: Ambr
    qos: BearerQos
    sgw: FTeid
    """The SGW's end of S1-U, to which the eNB sends."""
    esm_cause: EsmCause | None = None
    """Why the device has not all the addresses that it asked for."""
    options: bytes | None = None
    """The PGW's protocol configuration options."""
    reported: bool = False
    """The PGW wants to hear where the device is."""
    place: Uli | None = None
    """What it heard last of that."""
    enb: FTeid | None = None
    """The eNB's end, to which the SGW sends; None while the device is idle."""
    dedicated: dict[int, Dedicated] = field(default_factory=dict)
    """The bearers beside it."""
    accepted: bool = False
    """The device has taken it; before that the SGW sends nothing to the eNB (TS 23.401 5.10.2 step 13)."""

    @property
    def linked(self) -> Bearer:
        """Itself, as the default bearer that a dedicated one is beside."""
        return self

    @property
    def address(self) -> str:
        """The device's address: IPv4, else its IPv6 prefix with an interface identifier."""
        return self.paa.ipv4 or self.paa.ipv6


@dataclass(slots=True, eq=False, repr=False)
class UeContext:
    """The context of one card (TS 23.401 5.7.2). It outlives detaches, with its keys, until it is purged.

    `terminal` is the one last admitted; what an attempt that was refused said is not kept. `located` says that the HSS
    knows this MME as the serving one and nothing puts that in doubt.
    """

    imsi: str
    tai: Tai
    cell: Ecgi
    """The cell in which it was seen last."""
    capability: UeNetworkCapability
    state: EmmState = EmmState.DEREGISTERED
    guti: Guti | None = None
    former_guti: Guti | None = None
    security: NasSecurityContext | None = None
    gea: int | None = None
    terminal: Terminal | None = None
    subscription: Subscription | None = None
    bearers: dict[int, Bearer] = field(default_factory=dict)
    """Its PDN connections by their default bearers, that of the attach first."""
    setting_up: dict[int, asyncio.Event] = field(default_factory=dict)
    """Of default bearers: set when the gateways have answered."""
    s11_teid: int = 0
    """This MME's end of S11 while there is a session; the SGW's is `sgw`."""
    sgw: FTeid | None = None
    tai_list: tuple[Tai, ...] = ()
    connection: Connection | None = None
    located: bool = False
    emergency: bool = False
    proven: bool = True
    """False for an emergency call that goes on without authentication: the IMSI is then a mere claim."""
    claimed_imei: str = ""
    """What a device without a card calls itself in an emergency attach, 15 digits."""
    period: float = 0.0
    """Seconds between the periodic updates that the device was told to make; 0 before that."""
    next_hop: bytes = b""
    next_hop_count: int = 0
    radio_capability: bytes | None = None
    timer: Timer | None = None
    forwarding: Timer | None = None
    """When it is over, the SGW has the tunnels of a handover no more."""
    paged: asyncio.Future[bool] | None = None
    detach: tuple[NetworkDetachType, EmmCause | None] | None = None
    """The type and cause of the detach that an idle device is paged for."""
    sms: SmsState = SmsState.NONE
    short_messages: ShortMessageLink | None = None
    """CP and RP, once a message has come or gone."""
    messages_waiting: bool = False
    """A message did not reach the device: the HSS is to hear when it is back."""

    @property
    def keys(self) -> NasSecurityContext:
        """Its security context: whoever has a GUTI, or is registered, has one."""
        assert self.security is not None  # noqa: S101 - said by who asks
        return self.security

    @property
    def zones(self) -> frozenset[str]:
        """Zone codes of its subscription; none: no restriction."""
        return self.subscription.zones if self.subscription is not None else frozenset()

    @property
    def barred(self) -> bool:
        """Whether its subscription is barred; one that the HSS did not tell is not."""
        return self.subscription is not None and self.subscription.barred

    @property
    def bearer(self) -> Bearer | None:
        """Its first PDN connection: that of the attach, while it lasts."""
        return next(iter(self.bearers.values()), None)

    @property
    def all_bearers(self) -> dict[int, Bearer | Dedicated]:
        """All its bearers by identity; those of one PDN connection follow its default bearer."""
        found: dict[int, Bearer | Dedicated] = {}
        for each in self.bearers.values():
            found |= {each.identity: each, **each.dedicated}
        return found

    @property
    def reported(self) -> bool:
        """Whether a PGW wants to hear where it is."""
        return any(each.reported for each in self.bearers.values())

    @property
    def key(self) -> str:
        """What the context is found by: the IMSI, or `imei-` and the IMEI where no card is proven (TS 23.401 5.7.2).

        The two never meet, so that a claim takes nothing from the card it names.
        """
        if self.proven:
            return self.imsi
        return f"imei-{self.terminal.imei.imei if self.terminal else self.claimed_imei}"

    @property
    def in_service(self) -> bool:
        """Whether the device is registered, or its attach is under way."""
        return self.state is EmmState.REGISTERED or (
            self.connection is not None and bool(self.connection.attach_request)
        )

    def tell(self) -> dict[str, Any]:
        """Tell what is known of a registered device."""
        bearer = self.bearer
        assert bearer is not None  # noqa: S101 - who has none any more is detached
        return {
            "imsi": self.imsi,
            "imei": self.terminal.imei.imei if self.terminal else "",
            "imeisv": self.terminal.imeisv if self.terminal else "",
            "guti": str(self.guti),
            "cell": str(self.cell),
            "tai": str(self.tai),
            "state": "connected" if self.connection is not None else "idle",
            "apn": bearer.apn,
            "address": bearer.address,
            "emergency": self.emergency,
        }

    def __repr__(self) -> str:
        return f"<UE {self.key} {self.guti} {self.state.value}>"


class Wait(NamedTuple):
    """NAS messages, of which one is awaited."""

    wanted: tuple[MessageType, ...]
    answer: asyncio.Future[Message | None]


class Arriving(NamedTuple):
    """Who is to come to the target of a handover, and from where."""

    source: Connection
    ue: UeContext


@dataclass(slots=True, eq=False, repr=False)
class Connection:
    """One device's signalling connection through one eNB (ECM-CONNECTED), with the NAS procedure that runs on it.

    `security` is that of the secure exchange of NAS messages (TS 24.301 4.4.2.2); `pending` what a SECURITY MODE
    COMMAND offers. `waits` has what is awaited of the device: EMM's answer at 0, session management's by bearer.
    """

    enb: Enb
    mme_id: int
    enb_id: int | None
    tai: Tai
    cell: Ecgi
    ue: UeContext | None = None
    security: NasSecurityContext | None = None
    pending: NasSecurityContext | None = None
    waits: dict[int, Wait] = field(default_factory=dict)
    identity_asked: IdentityType | None = None
    procedure: asyncio.Task[None] | None = None
    #: session management beside it, by the device's transaction or by the bearer (TS 24.301 6.1.3): (PTI, 0), (0, EBI)
    transactions: dict[tuple[int, int], asyncio.Task[None]] = field(default_factory=dict)
    #: APNs of the PDN connections that the gateways set up, by the bearers that these will have
    asked: dict[int, str] = field(default_factory=dict)
    #: the ATTACH REQUEST being processed, and the ATTACH ACCEPT that answers it (TS 24.301 5.5.1.2.7)
    attach_request: bytes = b""
    repeat_accept: Any = None
    context_set_up: bool = False
    radio_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the radio bearers of the initial context are there, or are waited for no longer."""
    s1_answer: asyncio.Future[S1Message | None] | None = None
    """Of the target of a handover that is prepared: what it answers."""
    handover: asyncio.Task[None] | None = None
    target: Connection | None = None
    arriving: Arriving | None = None
    """Of the target of a handover, until the device has come."""
    forwards: UeContext | None = None
    """Of the target of a handover: for whom the SGW has tunnels for what is forwarded to it."""
    tunnels: tuple[ErabAdmitted, ...] = ()
    """Of the target of a handover: its ends of the bearers that it admits."""
    releasing: bool = False
    #: the type and cause of a DETACH REQUEST that the UE has not answered yet
    detaching: tuple[NetworkDetachType, EmmCause | None] | None = None
    moved: Occasion | None = None
    """By what the device was seen in another cell while a procedure ran, which may have asked about the former one."""
    reports: bool = False
    """The eNB was ordered to report changes of the serving cell (TS 36.413 8.11)."""
    guard: Timer | None = None
    #: KeNB for the message that asked for the radio bearers, or the SECURITY MODE COMPLETE after it (TS 33.401 7.2.6.2)
    kenb: bytes = b""

    def __repr__(self) -> str:
        return f"<connection {self.mme_id} of {self.ue} through {self.enb}>"

    @property
    def served(self) -> UeContext | None:
        """The device that is ECM-CONNECTED by it: none before that is known, at the target of a handover, and after."""
        return self.ue if self.ue is not None and self.ue.connection is self else None

    @property
    def imsi(self) -> str:
        """The card of the device, as far as it is known."""
        return self.ue.imsi if self.ue is not None else ""

    @property
    def stream(self) -> int:
        """The SCTP stream of a device's signalling: any but 0 (TS 36.412 7)."""
        return 1


@dataclass(slots=True, eq=False, repr=False)
class Enb:
    """An eNB that is connected; `tais` is empty until S1 setup.

    `reports` says whether it reports locations: None before it was first asked to.
    """

    link: Link
    name: str
    identity: int = 0
    global_id: Any = None
    tais: frozenset[Tai] = frozenset()
    connections: dict[int | None, Connection] = field(default_factory=dict)
    reports: bool | None = None

    def __repr__(self) -> str:
        return f"<eNB {self.name}>"
