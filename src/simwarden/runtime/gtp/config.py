"""Settings that all elements of GTP-C have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from simwarden.runtime.declare import ElementConfig, PlmnText, Seconds

if TYPE_CHECKING:
    from simwarden.machine.gtp_path import PathSettings


class GtpConfig(ElementConfig):
    """Settings of a node of GTP-C."""

    plmn: PlmnText = "001-01"
    """Its network."""
    t3_response: Seconds = Field(default=3.0, gt=0)
    """T3-RESPONSE: time after which a request is sent again."""
    n3_requests: int = Field(default=3, ge=1)
    """N3-REQUESTS: how often a request is sent in all."""
    echo: Seconds = Field(default=60.0, ge=60)
    """Time between echoes to a peer."""

    def path(self) -> PathSettings:
        """Return what paths to peers keep to."""
        from simwarden.machine.gtp_path import PathSettings  # noqa: PLC0415 - checking files needs no codec

        return PathSettings(self.t3_response, self.n3_requests, self.echo)
