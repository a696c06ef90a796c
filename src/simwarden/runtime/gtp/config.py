"""Settings that all elements of GTP-C have."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from simwarden.runtime.declare import ElementConfig, PlmnText, Seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.machine.gtp_path import PathSettings

T = TypeVar("T")


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
    check_senders: bool = True
    """Accept messages and packets of a tunnel only from the addresses of its peer. Set `false` for a peer that sends
    from other addresses than its F-TEIDs contain."""

    def path(self) -> PathSettings:
        """Return what paths to peers keep to."""
        from simwarden.machine.gtp_path import PathSettings  # noqa: PLC0415 - checking files needs no codec

        return PathSettings(self.t3_response, self.n3_requests, self.echo)


def by_lower_apn(settings: Mapping[str, T]) -> dict[str, T]:
    """Return settings by APN in lower case: APNs compare without case (TS 23.003 9.1). Raises ValueError."""
    lowered = {name.lower(): each for name, each in settings.items()}
    if len(lowered) < len(settings):
        twice = next(name for name in settings if sum(name.lower() == other.lower() for other in settings) > 1)
        raise ValueError(f"{twice!r} is listed twice: APNs compare without case (TS 23.003 9.1)")
    return lowered
