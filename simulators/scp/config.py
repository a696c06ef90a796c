"""Settings of the SCP, and what a card says for it. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from simwarden.operations.approval import Approval, ChangeLimit
from simwarden.policy.calls import span_of
from simwarden.policy.numbers import PartyKind, party
from simwarden.runtime.declare import ElementConfig, Model, Names, PlmnText, Seconds
from simwarden.runtime.sigtran.settings import NodeNumber, PointCode, Signalling, SignallingPeer

Announcement = Annotated[int, Field(ge=1, lt=1 << 31)]
Why = Literal["list", "off", "suspended", "quota", "hours", "pin"]
"""Why a call is refused, by which its announcement is chosen."""


def _is_number(value: str) -> str:
    if party(value).kind is PartyKind.TEXT:
        raise ValueError(f"{value!r} is no number")
    return value


Number = Annotated[str, Field(min_length=1, max_length=40, coerce_numbers_to_str=True), AfterValidator(_is_number)]


class ScpVoice(Model):
    """With whom a card has calls. A card that says nothing of it has none: voice is off (3.2(1))."""

    by: Literal["scp"] = "scp"
    """Who checks."""
    numbers: tuple[Number, ...] = ()
    """Those that it calls, and that call it: with the two others in principle at most 5."""
    outgoing: tuple[Number, ...] = ()
    """Those that it only calls."""
    incoming: tuple[Number, ...] = ()
    """Those that only call it."""
    undirected: bool = False
    """Whether the other party is not limited (1.1(2)), which 3.2(1) allows no card to be opened for."""
    quota: Annotated[int, Field(ge=0)] = 0
    """Minutes a month, both directions together; 0: none is set."""
    hours: str = ""
    """When it may have calls, as `08:00-18:00`; empty: always."""
    pin: Annotated[str, Field(pattern=r"^([0-9]{4,16})?$")] = Field(default="", repr=False)
    """What must be dialled before a call of the card is connected; empty: nothing."""
    redirect: dict[Number, Number] = Field(default_factory=dict)
    """Where calls to a number are connected instead, which must be listed itself."""
    forward: Number | None = None
    """Where calls to it are connected instead, which must be listed itself."""
    account: Annotated[str, Field(max_length=100)] = ""
    """The customer whose card it is."""
    exception: Annotated[str, Field(max_length=100)] = ""
    """Reference of the approval by which it has more numbers."""

    @field_validator("hours")
    @classmethod
    def _is_span(cls, value: str) -> str:
        if value:
            span_of(value)
        return value

    @property
    def all_numbers(self) -> tuple[str, ...]:
        """Return the numbers of both directions."""
        return (*self.numbers, *self.outgoing, *self.incoming)


class ListChange(Approval, ScpVoice):
    """Body of `PUT /cards/{imsi}/voice`."""


class Suspension(Model):
    """Body of `POST /cards/{imsi}/suspension`."""

    reason: Annotated[str, Field(max_length=500)] = ""


def _ssp() -> dict[str, SignallingPeer]:
    return {"ssp": SignallingPeer(number="8613800000008", point_code=8)}


class ScpConfig(Signalling, ElementConfig):
    """Settings of an SCP."""

    point_code: PointCode = 146
    """Its own point code, 14 bits; CAP reaches it at subsystem 146."""
    number: NodeNumber = "8613800000146"
    """Its own number (gsmSCF address), which CSIs of cards name."""
    ssps: dict[str, SignallingPeer] = Field(default_factory=_ssp)
    """The SSPs of the dedicated core, which alone may ask, by any name."""
    phases: Annotated[tuple[Annotated[int, Field(ge=2, le=4)], ...], Field(min_length=1)] = (2, 3, 4)
    """The phases of CAP that it takes; asked in another one, it names one of these."""
    ocs: Annotated[str, Names("ocs")] = ""
    """The OCS that gives calls their time (Ro); empty: the SCP counts by the quota in its own lists."""
    ocs_answers: Annotated[Seconds, Field(gt=0)] = 1.5
    """How long the OCS may take (Tx), less than an SSP waits for orders (Tssf); after it a call is released."""
    plmn: PlmnText = "001-01"
    """Home network, whose realm its Diameter identity has."""
    supervision: Annotated[Seconds, Field(ge=1, le=86_400)] = 60
    """For how long a call goes on at most before the SSP must ask again (maxCallPeriodDuration)."""
    announcements: dict[Why, Announcement] = Field(default_factory=dict)
    """What is played before a call is refused, by the reason; for `pin` it asks for the digits. Without one it is
    released at once."""
    emergency_callers: tuple[Number, ...] = ()
    """Numbers of emergency centres that may call every card back, whatever its list, its minutes and its state say, if
    the network vouches for the caller. Without any, a directed card refuses them (TS 22.101 10: left to regulation)."""
    pin_tries: Annotated[int, Field(ge=1, le=10)] = 3
    """How often a PIN may be dialled."""
    activity_test: Annotated[Seconds, Field(ge=1)] = 300
    """How often it asks whether a call that says nothing is still there."""
    list_changes: ChangeLimit = ChangeLimit()
    """How often the list that a card has may be changed or taken away."""
