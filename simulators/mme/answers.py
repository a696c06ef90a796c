"""What the MME's management interface answers."""

from __future__ import annotations

from typing import Literal

from simwarden.runtime.declare import Model


class AreaTold(Model):
    """Where a card may be served."""

    cells: tuple[str, ...]
    stations: int
    """How many base stations it may use; 0: any number."""
    province: str
    used: tuple[str, ...]
    """The base stations that count."""


class CardAreaTold(Model):
    """A card's area, and whether it was found outside last."""

    imsi: str
    area: AreaTold | None
    outside: bool


class SessionTold(Model):
    """A registered device."""

    imsi: str
    imei: str
    guti: str
    cell: str
    tai: str
    state: Literal["connected", "idle"]
    apn: str
    address: str
    msisdn: str


class PagedTold(Model):
    """Whether a device answered paging."""

    answered: bool


class DetachedTold(Model):
    """Whose device was detached."""

    imsi: str
