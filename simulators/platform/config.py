"""Settings of a customer's platform. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simwarden.runtime.declare import ElementConfig, Names, Seconds


class PlatformConfig(ElementConfig):
    """Settings of a platform."""

    binds_at: Annotated[str, Names("element")] = "sms_gateway"
    """The element at which it binds: a business gateway, or a service centre, where it stands for a gateway."""
    protocol: Literal["smpp", "cmpp"] = "smpp"
    """What it speaks."""
    system_id: str = ""
    """Its name in an SMPP bind."""
    password: str = Field(default="", repr=False)
    """Its SMPP password, of 8 characters at most."""
    bind: Literal["transceiver", "transmitter", "receiver"] = "transceiver"
    """How it binds: to send and receive, or for one of both (SMPP 3.4 2.1)."""
    source_addr: str = Field(default="", max_length=6)
    """Its name in a CMPP_CONNECT."""
    secret: str = Field(default="", repr=False)
    """Its secret of CMPP."""
    code: str = ""
    """The access code that is allocated to it, from which it sends and to which its cards do."""
    at_start: bool = True
    """Whether it binds when it starts; else when a step says so."""
    retry: Seconds = 10.0
    """Time until it binds anew after its bind was lost; a bind that was refused is not tried again by itself."""
