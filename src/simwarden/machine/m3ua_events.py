"""What the machines of M3UA tell their owners, and the times that they wait (RFC 4666)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from simwarden.wire.m3ua import Message, ProtocolData


class AspState(enum.Enum):
    """States of an application server process (4.3.1)."""

    DOWN = "down"
    INACTIVE = "inactive"
    ACTIVE = "active"


class AsState(enum.Enum):
    """States of an application server (4.3.2). Pending: no process is active, and one may be in a moment."""

    DOWN = "down"
    INACTIVE = "inactive"
    ACTIVE = "active"
    PENDING = "pending"


class M3uaTimers(NamedTuple):
    """How long is waited, in seconds."""

    #: T(ack): for the acknowledgement of a state message, which is then sent again (4.3.4.1)
    ack: float = 2.0
    #: T(r): for a process to become active again, before its server is inactive (4.3.2)
    recovery: float = 2.0
    #: of silence, after which BEAT is sent; without an answer in as long again the association is given up (4.3.4.6)
    heartbeat: float = 30.0
    #: until ASP Active is sent again, after another process has become active in this one's place, or a refusal
    reactivation: float = 5.0


@dataclass(frozen=True, slots=True)
class Changed:
    """This process is in another state."""

    state: AspState


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a user of MTP3 came; `link` is where, at a gateway."""

    data: ProtocolData
    link: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """The peer tells something of the network or of a server (SSNM, NTFY, ERR)."""

    message: Message
    link: int = 0


@dataclass(frozen=True, slots=True)
class Served:
    """An application server at a gateway is in another state."""

    routing_context: int
    state: AsState


@dataclass(frozen=True, slots=True)
class Fault:
    """The peer broke the protocol; it was told by ERR."""

    reason: str
    data: bytes = b""
    link: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """The association is of no use any more."""

    reason: str
    link: int = 0


Event: TypeAlias = Changed | Received | Told | Served | Fault | Closed
