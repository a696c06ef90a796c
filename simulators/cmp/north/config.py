"""Settings of the north side. `profile.yaml` of the platform explains each with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from simwarden.model.address import read_address
from simwarden.operations.management import Role
from simwarden.operations.tokens import Tokens, digest
from simwarden.runtime.declare import Model, Seconds

PREVENTION, SUBSCRIPTIONS = "iot-sim-fraud-prevention", "iot-sim-fraud-prevention-subscriptions"
Scope = Literal[
    "iot-sim-fraud-prevention:bind",
    "iot-sim-fraud-prevention:unbind",
    "iot-sim-fraud-prevention:query",
    "iot-sim-fraud-prevention-subscriptions:subscribe",
    "iot-sim-fraud-prevention-subscriptions:read",
    "iot-sim-fraud-prevention-subscriptions:delete",
]


class Client(Model):
    """An API consumer, as it was agreed with when it came on board."""

    token: str = Field(repr=False)
    """Its bearer token, or `sha256:` and the hexadecimal hash of it, so that the token itself stands nowhere."""
    scopes: tuple[Scope, ...] = ()
    """What the token is good for."""
    role: Role = Role.CUSTOMER
    """`operator` for the operator's own portals; a customer may not bind, whatever its scopes."""
    account: str = ""
    """The customer's account: no other cards exist for it."""
    device: str = ""
    """For a three-legged token: the phone number of the one device that it is for."""
    approver: str = ""
    """Approval record of all that the client changes: who is responsible."""
    reason: str = "by API"
    """Approval record: why."""
    form: str = ""
    """Approval record: the reference of the signed agreement."""

    @field_validator("token")
    @classmethod
    def _is_token(cls, value: str) -> str:
        digest(value)
        return value


class AgreedArea(Model):
    """The area that an account's cards are for: the API names none, so it is agreed upon beforehand."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    """Of its centre, as the API tells it, in degrees."""
    longitude: Annotated[float, Field(ge=-180, le=180)]
    """In degrees."""
    radius: Annotated[int, Field(ge=1, le=200_000)]
    """In metres."""
    cells: tuple[str, ...] = ()
    """What the network makes of it: E-CGIs or names of cells (`enb/1`)."""
    stations: int = 0
    """Or at most so many different base stations."""
    province: str = ""
    """Or a province."""


class NorthConfig(Model):
    """What the north side offers, and to whom."""

    listen: str = ""
    """host:port of the API under `serve`; empty: none."""

    @field_validator("listen")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value:
            read_address(value)
        return value

    clients: dict[str, Client] = Field(default_factory=dict)
    """API consumers by name."""

    @field_validator("clients")
    @classmethod
    def _have_tokens_of_their_own(cls, value: dict[str, Client]) -> dict[str, Client]:
        Tokens((client.token, name) for name, client in value.items())
        return value

    areas: dict[str, AgreedArea] = Field(default_factory=dict)
    """The area of each account's cards."""
    mme: str = "mme"
    """The element whose management interface keeps cards in their areas; `off`: none."""
    source: str = "https://cmp.example.com"
    """`source` of the CloudEvents sent."""
    sinks: tuple[str, ...] = ()
    """Hosts that events may be sent to; a leading dot stands for all below. None: any with a public address."""
    authorities: str = ""
    """File of the certificates (PEM) that sinks are known by; by default those of the system."""
    patience: Annotated[Seconds, Field(gt=0)] = 10
    """How long a sink may take for an event."""
    attempts: int = Field(default=5, ge=1)
    """Times that an event is tried to be delivered."""
    backoff: Annotated[Seconds, Field(gt=0)] = 10
    """Until the second attempt; doubled for each one after."""
    subscriptions: int = Field(default=1000, ge=1)
    """Most subscriptions of a client."""
