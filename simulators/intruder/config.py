"""Settings of the intruder."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from simwarden.model.interfaces import INTERFACES
from simwarden.runtime.declare import ElementConfig, Names, VerbModel
from simwarden.wire.diameter.family import DIAMETER


class IntruderConfig(ElementConfig):
    """Who it says it is when it connects."""

    host: str = "intruder.example.net"
    """Origin-Host of its capabilities exchange: its own name, or that of a node it pretends to be."""
    realm: str = "example.net"
    """Origin-Realm."""
    unanswered: int = Field(default=0, ge=0)
    """How many requests of others (CLR, IDR, ALR) it leaves unanswered before it answers one."""


class Forge(VerbModel):
    """Send a request that is made up, and say what became of it."""

    target = "by"
    by: Annotated[str, Names("intruder")] = "intruder"
    """The intruder."""
    to: str
    """The element that is asked (`hss`)."""
    interface: str = "S6a"
    """The reference point to connect on."""
    message: str
    """The request by its spec's name (`update-location-request`)."""
    application: int | None = None
    """Application-Id in the request's header, where it is not that of the message."""
    origin_host: str = ""
    """Origin-Host of the request, where it differs from that of the connection."""
    origin_realm: str = ""
    """Origin-Realm of the request, where it differs from that of the connection."""
    destination_realm: str = "epc.mnc001.mcc001.3gppnetwork.org"
    """Destination-Realm of the request."""
    avps: dict[str, Any] = Field(default_factory=dict)
    """The other AVPs by their spec's names; groups as mappings, octets in hexadecimal, repeated ones as lists."""

    @field_validator("interface")
    @classmethod
    def _speaks_diameter(cls, value: str) -> str:
        known = INTERFACES.get(value)
        if known is None or known.protocol != DIAMETER.name:
            raise ValueError(f"{value} is no Diameter interface")
        return value
