"""What the SCP's management interface answers."""

from __future__ import annotations

from typing import Literal

from simulators.scp.call import Direction, State  # noqa: TC001 - a field's type, resolved by pydantic
from simwarden.runtime.declare import Model


class VoiceTold(Model):
    """A list, without its PIN."""

    numbers: tuple[str, ...]
    outgoing: tuple[str, ...]
    incoming: tuple[str, ...]
    undirected: bool
    quota: int
    """Minutes a month; 0: none is set."""
    hours: str
    pin: Literal["", "set"]
    redirect: dict[str, str]
    forward: str | None
    account: str
    exception: str


class CardTold(Model):
    """With whom a card has calls; null: voice is off."""

    imsi: str
    msisdn: str
    suspended: str | None
    """Why it is suspended; null: it is not."""
    voice: VoiceTold | None


class CardUsed(CardTold):
    """The same, with the seconds of calls that it has this month."""

    used: float


class CallTold(Model):
    """A call in progress."""

    imsi: str
    direction: Direction
    number: str
    state: State
    seconds: float
    """As last reported."""
