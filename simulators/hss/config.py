"""Settings of the HSS, and what a card says for it. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from simwarden.operations.approval import Approval, ChangeLimit, TerminalBinding
from simwarden.policy.held import Held
from simwarden.runtime.declare import Model, Seconds, no_entry
from simwarden.runtime.diameter.server import PeerEntry, ServerConfig
from simwarden.runtime.sigtran.settings import NodeNumber, Nodes, PointCode, Signalling, SignallingPeer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class HssPeer(PeerEntry):
    """A node that may speak to the HSS."""

    home_province: bool = False
    """Whether its radio network is the home province's, so that a first use there may teach a binding."""


Entry = Annotated[HssPeer, BeforeValidator(no_entry)]


class ErrorAnswer(Model):
    """The result of a ULA that refuses: one of the two, by default Experimental-Result 5001."""

    experimental_result: int | None = None
    """An Experimental-Result-Code: 5001 (default) becomes EMM cause #8, an operator's own what the MME's table says."""
    result_code: int | None = None
    """A Result-Code: 5003 becomes EMM cause #15."""

    @model_validator(mode="after")
    def _one(self) -> ErrorAnswer:
        if self.experimental_result is not None and self.result_code is not None:
            raise ValueError("give experimental_result or result_code, not both")
        return self

    @property
    def code(self) -> int:
        """The code."""
        return self.result_code or self.experimental_result or 5001

    @property
    def experimental(self) -> bool:
        """Whether it goes into Experimental-Result."""
        return self.result_code is None


class Apn(Model):
    """An APN of a subscription (APN-Configuration, TS 29.272 7.3.35)."""

    name: str
    """Its name (Service-Selection)."""
    pdn_type: Literal["ipv4", "ipv6", "ipv4v6"] = "ipv4"
    """Kind of addresses that it gives."""
    qci: int = Field(default=9, ge=1, le=254)
    """QoS class (TS 23.203 table 6.1.7)."""
    priority: int = Field(default=8, ge=1, le=15)
    """Priority level of allocation and retention, 1 is the highest."""
    uplink: int = Field(default=10_000_000, ge=0)
    """Bits a second."""
    downlink: int = Field(default=10_000_000, ge=0)
    """Bits a second."""
    address: str = ""
    """Static IP address, empty for a dynamic one."""


def _different(apns: tuple[Apn, ...]) -> tuple[Apn, ...]:
    names = [apn.name.lower() for apn in apns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"APN {twice} stands twice in a subscription")
    return apns


def _zone(zone: str) -> str:
    try:
        octets = bytes.fromhex(zone)
    except ValueError:
        octets = b""
    if len(octets) != 2:
        raise ValueError(f"zone code {zone!r} must be 4 hexadecimal digits")
    return octets.hex()


def _zones(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(value) > 10:
        raise ValueError("a subscription has at most 10 zone codes (TS 29.272 7.3.2)")
    return tuple(_zone(zone) for zone in value)


Apns = Annotated[tuple[Apn, ...], AfterValidator(_different)]
Zones = Annotated[tuple[str, ...], AfterValidator(_zones)]


class HssCsi(Model):
    """The CAMEL subscription of a card: at what of its calls its network asks whom (TS 23.078 4)."""

    kinds: tuple[Literal["o-csi", "t-csi", "vt-csi"], ...] = ("o-csi", "t-csi")
    """Its CSIs: calls that it makes (O-CSI), calls to it in the GMSC (T-CSI) and in the visited MSC (VT-CSI); none:
    its voice is not directed."""
    scf: NodeNumber = "8613800000146"
    """The number of the gsmSCF that is asked."""
    service_key: int = Field(default=1, ge=0, le=(1 << 31) - 1)
    """The service that is asked for there."""
    phases: tuple[Annotated[int, Field(ge=1, le=4)], ...] = Field(default=(2, 3, 4), min_length=1)
    """Phases of CAMEL in which they may be sent; a node gets them in the highest that it offers."""
    default: Literal["release", "continue"] = "release"
    """Default call handling: what becomes of a call about which the gsmSCF does not answer."""


class CsiChange(Approval, HssCsi):
    """Body of `PUT /cards/{imsi}/csi`."""


def _ssp() -> dict[str, SignallingPeer]:
    return {"ssp": SignallingPeer(number="8613800000008", point_code=8)}


class HlrSignalling(Signalling):
    """The HLR in the signalling network (MAP version 3, TS 29.002)."""

    point_code: PointCode = 6
    """Its own point code, 14 bits."""
    number: NodeNumber = "8613800000006"
    """The HLR's number."""
    nodes: Nodes = Field(default_factory=_ssp)
    """VLRs and GMSCs that may register cards and ask where they are, by any name: each with its number, under which it
    is VLR, MSC and GMSC at once."""
    csi: HssCsi = HssCsi()
    """The CAMEL subscription of cards that have voice and say nothing else."""


class HssConfig(ServerConfig):
    """Settings of an HSS."""

    peers: dict[str, Entry] = Field(default_factory=lambda: {"mme": HssPeer(home_province=True)})
    """Nodes that may connect, by Diameter identity; a name without a dot is one of the home network's realm."""
    centres: dict[str, str] = Field(default_factory=dict)
    """The dedicated service centres, by Diameter identity as above, and their addresses (`{smsc: "+8613800100500"}`):
    they alone learn on S6c where a card is. None: there is no S6c."""
    mismatch: ErrorAnswer = ErrorAnswer()
    """The answer to a terminal that is not the bound one; TS 29.272 has no code of its own for it."""
    withdrawn: ErrorAnswer = ErrorAnswer()
    """The answer to a card whose subscription is withdrawn for a time."""
    without_imei: Literal["refuse", "admit"] = "refuse"
    """What becomes of a bound card whose terminal gave no IMEI."""
    apns: Apns = (Apn(name="iot"),)
    """APNs of cards that name none; the first is the default one."""
    zones: Zones = ()
    """Regional subscription zone codes of cards that name none, 4 hexadecimal digits; none: no restriction."""
    provinces: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Zone codes of each province; none: the network is within one province."""
    binding_changes: ChangeLimit = ChangeLimit()
    """How often the binding that a card has may be changed or taken away."""
    area_changes: ChangeLimit = ChangeLimit()
    """How often the zone codes that a card has may be changed or taken away."""
    signalling: Annotated[HlrSignalling | None, BeforeValidator(no_entry)] = None
    """The HLR part: where it is in the signalling network, and who may ask there. None: it serves no calls."""
    csi_changes: ChangeLimit = ChangeLimit()
    """How often the CAMEL subscription that a card has may be changed or taken away."""
    vectors: int = Field(default=5, ge=1, le=5)
    """The most authentication vectors given at once (TS 29.272 7.3.12 allows 5)."""
    periodic_update: int = Field(default=0, ge=0)
    """Subscribed-Periodic-RAU-TAU-Timer in seconds; 0: the MME's own."""
    ranges: str = ""
    """TOML file of number ranges to use instead of those shipped; only numbers of dedicated ones are provisioned."""
    shared: bool = False
    """Whether it also holds cards that are for people, of any number, which the dedicated gateways refuse."""
    answer_time: Seconds = Field(default=5.0, gt=0)
    """How long to wait for an MME's answer."""
    retry: Annotated[Seconds, Field(gt=0)] = 10
    """How long until a connected MME that has not answered is told again, at first; doubled up to 10 minutes."""

    def apns_of(self, card: Mapping[str, Any]) -> Collection[str]:
        """Return the APNs of a card's subscription, by default those of cards that name none."""
        subscription = card.get("subscription")
        named = subscription.get("apns") if isinstance(subscription, dict) else None
        written = [each["name"] for each in named or () if isinstance(each, dict) and "name" in each]
        return written or [each.name for each in self.apns]

    @field_validator("provinces")
    @classmethod
    def _have_zones(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {name: tuple(_zone(zone) for zone in zones) for name, zones in value.items()}

    def homes(self, zones: tuple[str, ...]) -> dict[str, list[str]]:
        """Return for each zone code the provinces that have it."""
        return {zone: [name for name, held in self.provinces.items() if zone in held] for zone in zones}


class HssBinding(TerminalBinding):
    """Binding in the HSS: an IMEI given beforehand, or learned at first use in the home province."""

    by: Literal["hss"] = "hss"
    """Who checks."""


class HssSubscription(Model):
    """What a card may use; what is left out is the HSS's default."""

    apns: Apns = ()
    """APNs, the first is the default one."""
    zones: Zones = ()
    """Regional subscription zone codes, 4 hexadecimal digits each."""

    def held(self) -> Held:
        """Tell `classify` which APNs the card may use."""
        return Held(apns=tuple(each.name.lower() for each in self.apns))


class HssArea(Model):
    """The area of a card by regional subscription: the MME is told its zone codes, and decides."""

    by: Literal["hss"] = "hss"
    """Who tells the MME."""
    zones: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_zones)]
    """Regional subscription zone codes, 4 hexadecimal digits each."""
    province: str = ""
    """The province that must have them all; empty: any one."""


class AreaChange(Approval, HssArea):
    """Body of `PUT /cards/{imsi}/area`."""


class SubscriptionChange(Approval, HssSubscription):
    """Body of `PUT /cards/{imsi}/subscription`; other zone codes need the approval record."""


class Suspension(Model):
    """Body of `POST /cards/{imsi}/suspension`."""

    how: Literal["barring", "withdrawal"] = "barring"
    """Barring reaches the MME as IDR with all packet services barred; withdrawal as CLR, and refuses the next ULR."""
    reason: str = ""


class ManySuspended(Suspension):
    """Body of `POST /suspensions`: cards that are suspended at once, with one word of why."""

    cards: tuple[Annotated[str, Field(pattern=r"^[0-9]{6,15}$")], ...] = Field(max_length=1000)
    """Their IMSIs."""
