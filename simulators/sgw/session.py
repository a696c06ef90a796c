"""What an SGW knows of a device: its PDN connections, and where each bearer's packets go."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simwarden.runtime.gtp.charging import Account
    from simwarden.wire.gtpv2 import BearerQos, FTeid, RatType, Uli


@dataclass(slots=True, eq=False)
class Connection:
    """A PDN connection with its default bearer. `pgw` and `pgw_user` are the PGW's ends of its tunnels."""

    device: Device
    ebi: int
    apn: str
    qos: BearerQos
    pgw: FTeid
    #: this node's TEIDs: of control on S5, of packets on S5-U and S1-U
    teid: int = 0
    s5_teid: int = 0
    s1_teid: int = 0
    pgw_user: FTeid | None = None
    #: where packets to the device go; None while it is idle
    enb: FTeid | None = None
    waiting: deque[bytes] = field(default_factory=deque)
    #: what is charged, since the PGW has answered
    account: Account | None = None

    @property
    def key(self) -> str:
        """By which it is observed."""
        return f"{self.device.key}/{self.ebi}"


@dataclass(slots=True, eq=False)
class Device:
    """A card, or a terminal without one, with its PDN connections by default bearer.

    `mme` is the MME's end of S11, `teid` ours.
    """

    key: str
    imsi: str
    mme: FTeid
    teid: int = 0
    connections: dict[int, Connection] = field(default_factory=dict)
    rat: RatType | None = None
    uli: Uli | None = None
    #: the number of the paging for packets that wait, 0 while there is none
    paging: int = 0
    #: tunnels for forwarding while it is handed over
    forwarding: list[int] = field(default_factory=list)
