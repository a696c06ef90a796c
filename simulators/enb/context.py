"""What an eNB knows: its cells, the devices on its radio, their contexts, and the MMEs it is connected to."""

from __future__ import annotations

import enum
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from simwarden.wire import uu

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.machine.token_bucket import Bucket
    from simwarden.model.identity import Ecgi, Plmn, Tai
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.link import Link
    from simwarden.wire.s1ap import OverloadAction
    from simwarden.wire.s1ap.values import (
        ErabLevelQosParameters,
        Gummei,
        ServedGummei,
        UeAggregateMaximumBitrate,
        UeSecurityCapabilities,
    )


class Cell:
    """A cell, and who listens in it."""

    __slots__ = ("camped", "connected", "information", "name", "number")

    def __init__(self, number: int, name: str, information: uu.CellInformation) -> None:
        self.number, self.name, self.information = number, name, information
        #: links of camping devices by their paging occasion (IMSI mod 1024), in the order of their coming
        self.camped: dict[int, dict[RadioLink, None]] = {}
        self.connected = 0

    @property
    def ecgi(self) -> Ecgi:
        """The cell's globally unique identity."""
        return self.information.cell

    @property
    def tai(self) -> Tai:
        """The tracking area that the cell is in."""
        return self.information.tai


class RadioLink:
    """A device in reach: where it camps, and its connection if it has one."""

    __slots__ = ("camp", "index", "link", "ue")

    def __init__(self, link: Link) -> None:
        self.link = link
        self.camp: Cell | None = None
        self.index = 0
        self.ue: UeContext | None = None

    def send(self, message: uu.Message) -> None:
        """Send to the device."""
        self.link.send(uu.encode(message))

    def listen_in(self, cell: Cell | None, index: int = 0) -> None:
        """Move among those who listen for paging."""
        if self.camp is not None:
            listeners = self.camp.camped.get(self.index, {})
            listeners.pop(self, None)
            if not listeners:
                self.camp.camped.pop(self.index, None)
        self.camp, self.index = cell, index
        if cell is not None:
            cell.camped.setdefault(index, {})[self] = None


def host_of(octets: bytes) -> str:
    """Return a transport layer address as text; one of both versions counts by its first (TS 36.413 9.2.2.1)."""
    return str(ipaddress.ip_address(octets[:4] if len(octets) in (4, 20) else octets))


class Bearer(NamedTuple):
    """A radio bearer and its tunnel to the core: its serving gateway's end, and our end's TEID."""

    e_rab_id: int
    qos: ErabLevelQosParameters
    core_address: bytes
    core_teid: int
    own_teid: int

    @property
    def core_host(self) -> str:
        """Where packets from the device go."""
        return host_of(self.core_address)


class Tunnel(NamedTuple):
    """The far end of a tunnel by which packets are forwarded (TS 36.300 10.1.2.3.1), and the reference point."""

    teid: int
    host: str
    on: str


class Arrival:
    """Packets of a bearer whose device comes from another eNB: forwarded ones, and fresh ones that wait for their end.

    `ended`: no more are forwarded, as an End Marker has told, or the time for it is over.
    """

    __slots__ = ("ended", "forwarded", "fresh", "teid")

    def __init__(self, teid: int) -> None:
        self.teid, self.ended = teid, False
        self.forwarded: list[bytes] = []
        self.fresh: list[bytes] = []


class Phase(enum.IntEnum):
    """How far a device's connection is."""

    REQUESTED = 0
    """RRC connection set up, its first message is awaited."""
    SIGNALLING = 1
    """NAS goes through; there is no context in the eNB yet."""
    ACTIVE = 2
    """The initial context is set up: AS security and bearers."""
    PREPARING = 3
    """A handover from here is being prepared."""
    LEFT = 4
    """The device has been told to go to another cell."""
    ARRIVING = 5
    """The device is expected here from another eNB."""


class SecurityKeys(NamedTuple):
    """The base of AS keys: KeNB or next hop (never shown), and the next hop chaining count."""

    value: bytes
    ncc: int

    def __repr__(self) -> str:
        return f"SecurityKeys(ncc={self.ncc})"


_NO_KEYS = SecurityKeys(b"", 0)


@dataclass(slots=True, eq=False, repr=False)
class UeContext:
    """A device's connection (TS 36.413: the UE context and its UE-associated logical S1-connection)."""

    enb_ue_id: int
    cell: Cell
    c_rnti: int
    active_since: float
    last_active: float = field(init=False)
    phase: Phase = Phase.REQUESTED
    radio: RadioLink | None = None
    mme: Mme | None = None
    mme_ue_id: int | None = None
    identity: uu.STmsi | uu.RandomValue | None = None
    establishment_cause: uu.EstablishmentCause = uu.EstablishmentCause.MO_SIGNALLING
    registered_mme: Gummei | None = None
    capabilities: UeSecurityCapabilities | None = None
    ambr: UeAggregateMaximumBitrate | None = None
    #: what packets without guaranteed rate may have together, from the device and to it (TS 23.401 4.7.3)
    limits: tuple[Bucket, Bucket] | None = None
    key: SecurityKeys = _NO_KEYS
    reports_changes: bool = False
    bearers: dict[int, Bearer] = field(default_factory=dict)
    #: by bearer: where packets go of a device that has left, and those of one that arrives
    forwards: dict[int, Tunnel] = field(default_factory=dict)
    arrivals: dict[int, Arrival] = field(default_factory=dict)
    #: what to do when the device completes its reconfigurations, in their order
    awaited: list[Callable[[], None]] = field(default_factory=list)
    #: what to do when AS security is on; when the radio fails in the middle of a procedure of the MME's
    on_secured: Callable[[], None] | None = None
    on_failure: Callable[[], None] | None = None
    #: NAS messages that wait for the MME's number for the device, after a handover by X2
    held: list[bytes] = field(default_factory=list)
    timer: Timer | None = None
    handover_timer: Timer | None = None
    #: of a handover: the cell that it goes to; the same if it is ours; the eNB at the other end of X2, its number
    #: for the device, and our own
    goal: Ecgi | None = None
    target: Cell | None = None
    peer: Neighbour | None = None
    peer_ue_id: int | None = None
    x2_id: int = 0

    def __post_init__(self) -> None:
        self.last_active = self.active_since

    @property
    def connected(self) -> bool:
        """Whether NAS can reach the device here."""
        return self.radio is not None and self.phase in (Phase.SIGNALLING, Phase.ACTIVE, Phase.PREPARING)


class Mme:
    """An MME and the S1 to it."""

    __slots__ = ("capacity", "failures", "link", "name", "overload", "served", "setup_timer", "state", "title")

    def __init__(self, name: str) -> None:
        self.name = name
        self.title = ""
        self.link: Link | None = None
        self.state = "down"
        self.served: tuple[ServedGummei, ...] = ()
        self.capacity = 0
        self.overload: OverloadAction | None = None
        self.failures = 0
        self.setup_timer: Timer | None = None

    @property
    def up(self) -> bool:
        """Whether S1 is set up."""
        return self.state == "up"

    @property
    def answered(self) -> bool:
        """Whether the outcome of the first attempt is known."""
        return self.state in ("up", "refused") or self.failures > 0

    def serves_code(self, plmn: Plmn, mmec: int) -> bool:
        """Whether an S-TMSI with this MME code is from here."""
        return any(mmec in entry.served_mmecs and plmn in entry.served_plmns for entry in self.served)

    def serves(self, gummei: Gummei) -> bool:
        """Whether a GUMMEI is its own."""
        return any(
            gummei.plmn in entry.served_plmns
            and gummei.mme_group_id in entry.served_group_ids
            and gummei.mme_code in entry.served_mmecs
            for entry in self.served
        )


class Neighbour:
    """Another eNB and the X2 to it."""

    __slots__ = ("cells", "enb_id", "link", "name")

    def __init__(self, link: Link) -> None:
        self.link = link
        self.name = link.remote
        self.enb_id: int | None = None
        self.cells: set[Ecgi] = set()
