"""What an SGW knows of a device: its PDN connections, and where each bearer's packets go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simwarden.wire.gtpv2 import ChangeReportingAction

if TYPE_CHECKING:
    import asyncio

    from simwarden.runtime.gtp.charging import Account
    from simwarden.wire.gtpv2 import BearerQos, FTeid, Message, RatType, Uli


@dataclass(slots=True, eq=False, kw_only=True)
class Bearer:
    """An EPS bearer between its two tunnels: `pgw_user` is the PGW's end, `enb` the eNB's."""

    device: Device
    ebi: int
    qos: BearerQos
    #: this node's TEIDs of packets on S5-U and S1-U
    s5_teid: int = 0
    s1_teid: int = 0
    pgw_user: FTeid | None = None
    #: where packets to the device go; None while it is idle
    enb: FTeid | None = None
    waiting: list[bytes] = field(default_factory=list)
    #: number of waiting packets that were received before the charging pause
    counted: int = 0
    #: what came from it before the MME has said where it is, which the PGW wants to know
    held: list[bytes] = field(default_factory=list)
    #: what is charged, since the PGW has answered
    account: Account | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Connection(Bearer):
    """A PDN connection: its default bearer, and those beside it. `pgw` is the PGW's end of control, `teid` ours."""

    apn: str
    pgw: FTeid
    teid: int = 0
    #: the address at which the session was asked for
    pgw_host: str = ""
    #: whether the PGW wants to hear of each change of place
    reported: bool = False
    dedicated: dict[int, Bearer] = field(default_factory=dict)
    #: the PGW supports charging pause, and has been asked for it (TS 23.401 5.3.6A)
    pausable: bool = False
    paused: bool = False
    #: packets to the device that were dropped since it is idle
    dropped: int = 0
    #: numbers of the MME's commands that the PGW is to carry out, by bearer
    commands: dict[int, int] = field(default_factory=dict)
    #: numbers of its commands for what devices ask for, by their procedure transaction identities
    resources: dict[int, int] = field(default_factory=dict)
    #: what the records of all its bearers say of the card
    charged: dict[str, Any] = field(default_factory=dict)

    @property
    def bearers(self) -> tuple[Bearer, ...]:
        """All its bearers, the default one first."""
        return self, *self.dedicated.values()

    @property
    def key(self) -> str:
        """By which it is observed."""
        return f"{self.device.key}/{self.ebi}"

    def take_reporting(self, message: Message) -> None:
        """Take note of an order of the PGW's about reports of places (TS 29.274 8.61)."""
        action = message.get("change_reporting_action")
        if action is not None:
            self.reported = action is not ChangeReportingAction.STOP_REPORTING


@dataclass(slots=True, eq=False)
class Device:
    """A card, or a terminal without one, with its PDN connections by default bearer.

    `mme` is the MME's end of S11, `teid` ours.
    """

    key: str
    imsi: str
    mme: FTeid
    teid: int = 0
    #: from where the MME has sent the request that it is the MME by
    mme_host: str = ""
    connections: dict[int, Connection] = field(default_factory=dict)
    rat: RatType | None = None
    uli: Uli | None = None
    #: how often it was taken for idle
    releases: int = 0
    #: the paging for packets that wait, None while there is none; set when it is over
    paging: asyncio.Event | None = None
    #: tunnels for forwarding while it is handed over
    forwarding: list[int] = field(default_factory=list)

    def end_paging(self) -> None:
        """End the paging: the device is reached, or cannot be."""
        if self.paging is not None:
            self.paging.set()
            self.paging = None

    @property
    def standing(self) -> list[Connection]:
        """Its PDN connections, but for those that the PGW has not answered for yet."""
        return [each for each in self.connections.values() if each.pgw_user is not None]

    @property
    def accounts(self) -> list[Account]:
        """What is charged of its bearers: not those that the PGW has not answered for yet."""
        return [each.account for each in self.bearers.values() if each.account is not None]

    @property
    def bearers(self) -> dict[int, Bearer]:
        """All its bearers by identity."""
        return {each.ebi: each for connection in self.connections.values() for each in connection.bearers}
