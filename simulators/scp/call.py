"""A call that the SCP directs."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from simulators.scp.card import VoiceCard
    from simulators.scp.clients.ocs import Account
    from simwarden.runtime.clock import Timer
    from simwarden.wire.cap import EventType, MonitorMode, Phase
    from simwarden.wire.tcap.user import Operation


class Direction(enum.StrEnum):
    """What a call is to the card."""

    MO = "originating"
    """The card calls."""
    MT = "terminating"
    """The card is called."""
    FORWARDED = "forwarded"
    """The card was called, and calls somebody else instead: a call of its own, by its O-CSI (TS 23.078 4.5.2.1)."""

    @property
    def outgoing(self) -> bool:
        """Whether the card is the one that calls."""
        return self is not Direction.MT

    @property
    def occasion(self) -> str:
        """The occasion on which rules are asked about it."""
        return "originating-call" if self.outgoing else "terminating-call"


class State(enum.StrEnum):
    """Where a call stands."""

    SET_UP = "set-up"
    """Its SSP waits for orders."""
    INTERACTION = "interaction"
    """Somebody hears an announcement, or dials digits."""
    CONNECTED = "connected"
    """It was let through."""
    ANSWERED = "answered"
    """The parties talk."""
    RELEASED = "released"
    """The SCP has ended it."""
    OVER = "over"
    """It has ended."""


@dataclass(slots=True)
class Grant:
    """Time that a call was given. `charged` is what of it was counted for the quota before; units of 100 ms."""

    #: which it is in a batch
    id: int
    imsi: str
    month: str
    charged: int
    units: int


class Heard(NamedTuple):
    """What an SSP says: an operation with its argument, or what became of one of ours, None: it failed."""

    operation: Operation
    argument: Any = None
    invoke_id: int = 0


@dataclass(slots=True, eq=False)
class Call:
    """A call, by its dialogue. `number` and `ton` are the other party's; `reported` is its time, in units of 100 ms."""

    id: int
    dialogue: int
    phase: Phase
    direction: Direction
    card: VoiceCard
    number: str
    ton: int
    state: State = State.SET_UP
    #: where a call to the card goes instead
    forward: str = ""
    #: events that the SSP is to tell
    armed: dict[EventType, MonitorMode] = field(default_factory=dict)
    #: time given and not yet reported, and all time that was reported
    grant: Grant | None = None
    reported: int = 0
    #: its credit at an OCS, and the seconds that were reported there
    account: Account | None = None
    settled: int = 0
    #: operations of ours by their invoke ids
    asked: dict[int, Operation] = field(default_factory=dict)
    #: what was said and nobody has looked at, None at its end
    inbox: asyncio.Queue[Heard | None] = field(default_factory=asyncio.Queue)
    #: when its SSP is asked whether it is still there
    test: Timer = field(init=False)

    @property
    def ends(self) -> bool:
        """Whether all that can still come is the report of its time."""
        return self.state in (State.RELEASED, State.OVER)

    @property
    def owner(self) -> str:
        """Whose card it began on."""
        return self.card.terms.account

    def tell(self) -> dict[str, Any]:
        """Tell of it."""
        return {
            "imsi": self.card.imsi,
            "direction": self.direction,
            "number": self.number,
            "state": self.state,
            "seconds": self.reported / 10,
        }
