"""The state of one call of a SIP user agent."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simwarden.wire.q850 import CauseValue

if TYPE_CHECKING:
    from simwarden.machine.sip_events import Address
    from simwarden.wire.sip import NameAddress, Request, Response


class CallState(enum.Enum):
    """Where a call stands."""

    CALLING = "calling"
    CANCELLING = "cancelling"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    STANDING = "standing"
    LEAVING = "leaving"


@dataclass(slots=True)
class Call:
    """A call: its dialog, and the messages of its INVITE that may be needed again."""

    number: int
    state: CallState
    is_ours: bool
    call_id: str
    local: NameAddress
    remote: NameAddress
    peer: Address
    #: where requests of the dialogue go: the Contact of the other side, and the route to it
    target: str
    route: tuple[str, ...] = ()
    sequence: int = 0
    remote_sequence: int = -1
    invite: Request | None = None
    key: str = ""
    #: our 2xx, sent again until it is acknowledged (13.3.1.4)
    accepted: Response | None = None
    again: float = 0.0
    pause: float = 0.0
    gives_up: float = 0.0
    #: a call of ours that is given up before anything has come cannot be cancelled yet (9.1)
    heard: bool = False
    cause: int = CauseValue.NORMAL_CALL_CLEARING
    acknowledgement: Request | None = None
    accepts_digits: bool = True
    #: keys of its transactions
    keys: set[str] = field(default_factory=set)
