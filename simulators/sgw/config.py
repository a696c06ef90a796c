"""Settings of an SGW. `profile.yaml` explains each with an example."""

from __future__ import annotations

from pydantic import Field

from simwarden.runtime.declare import ElementConfig, Seconds


class SgwConfig(ElementConfig):
    """Settings of an SGW."""

    plmn: str = "001-01"
    """Its network."""
    mmes: tuple[str, ...] = ("mme",)
    """Elements, or IP addresses, whose requests for sessions it takes; others get cause 109."""
    pgws: tuple[str, ...] = ("pgw",)
    """Elements, or IP addresses, that sessions may go to; one that asks for another gets cause 109."""
    buffered_packets: int = Field(default=64, ge=0, le=10_000)
    """Packets that wait for a device while it is paged, for each of its bearers; what comes then is dropped."""
    buffering: Seconds = Field(default=30.0, gt=0)
    """Time for which packets wait for a device."""
    t3_response: Seconds = Field(default=3.0, gt=0)
    """T3-RESPONSE: time after which a request is sent again."""
    n3_requests: int = Field(default=3, ge=1)
    """N3-REQUESTS: how often a request is sent in all."""
    echo: Seconds = Field(default=60.0, ge=60)
    """Time between echoes to a peer."""
