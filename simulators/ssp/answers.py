"""What the SSP's management interface answers."""

from __future__ import annotations

from typing import Literal

from simwarden.runtime.declare import Model


class SubscriberTold(Model):
    """A card that is registered here."""

    imsi: str
    imei: str
    msisdn: str
    csis: tuple[Literal["o-csi", "vt-csi"], ...]


class SubscribersTold(Model):
    """The cards that are registered here."""

    subscribers: tuple[SubscriberTold, ...]
