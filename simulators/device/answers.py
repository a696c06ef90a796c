"""What a terminal's management interface answers."""

from __future__ import annotations

from typing import Literal

from simwarden.runtime.declare import Model


class StatusTold(Model):
    """What the terminal does, without any key."""

    power: Literal["on", "off"]
    card: str
    imei: str
    emm_state: str
    usim: str
    """Whether its card is valid to it (TS 24.301 5.1.3.2); empty: it has none."""
    guti: str
    cell: str
    timers: tuple[str, ...]
    """Those that run."""
    addresses: tuple[str, ...]
