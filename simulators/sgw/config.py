"""Settings of an SGW. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simwarden.runtime.declare import Names, Seconds
from simwarden.runtime.gtp.charging import RecordLimits
from simwarden.runtime.gtp.config import GtpConfig


class SgwConfig(GtpConfig):
    """Settings of an SGW."""

    mmes: tuple[Annotated[str, Names("mme")], ...] = ("mme",)
    """Elements, or IP addresses, whose requests for sessions it takes; others get cause 109."""
    pgws: tuple[Annotated[str, Names("pgw")], ...] = ("pgw",)
    """Elements, or IP addresses, that sessions may go to; one that asks for another gets cause 109."""
    partial_records: RecordLimits = RecordLimits()
    """When a CDR is closed though its bearer goes on, in another one."""
    buffered_packets: int = Field(default=64, ge=0, le=10_000)
    """Packets that wait for a device while it is paged, for each of its bearers; what comes then is dropped."""
    buffering: Seconds = Field(default=30.0, gt=0)
    """Time for which packets wait for a device."""
    charging_pause: bool = True
    """Ask PGWs to pause charging while an idle device is not reached (TS 23.401 5.3.6A)."""
    pause_threshold: int = Field(default=1, ge=1)
    """Packets to an idle device that are dropped before charging of its PDN connection is paused."""
    paused_packets: int = Field(default=1, ge=0)
    """Packets of each bearer, received during a charging pause, that are delivered when the device connects; others are
    dropped. The PGW charges one of them. More than 1 is a leak: a device that repeatedly ignores its paging receives
    them without a quota from a server that cooperates."""
