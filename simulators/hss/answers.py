"""What the HSS's management interface answers."""

from __future__ import annotations

from typing import Any, Literal

from simulators.hss.config import HssCsi, HssSubscription  # noqa: TC001 - a field's type, resolved by pydantic
from simwarden.model.profile import Function  # noqa: TC001 - as above
from simwarden.runtime.declare import Model


class BindingTold(Model):
    """How a card is bound."""

    how: Literal["given", "learned"]
    imei: str
    """The IMEI, 15 digits; empty before the first use."""


class MessagesTold(Model):
    """Where a card's messages go (TS 29.272 5.2.1.1.3)."""

    mme_number: str
    """The MME that is registered for SMS; empty: none."""
    waiting: tuple[str, ...]
    """Service centres that are to be told when the card can be reached (TS 23.040 3.2.7)."""


class Default(Model):
    """Nothing of its own: what the HSS gives those."""


class CardTold(Model):
    """What is held of a card, without its keys."""

    imsi: str
    card: str
    """Its name in a scenario."""
    iccid: str
    msisdn: str
    profile: str
    functions: tuple[Function, ...]
    """What is opened for it."""
    binding: BindingTold | None
    suspended: Literal["", "barring", "withdrawal", "ended"]
    mme: str
    """The MME that serves it; empty: none."""
    sms: MessagesTold
    terminal: str
    """The IMEI of the terminal that it was seen in last, 15 digits; empty: never seen."""
    csi: HssCsi | Default
    vlr: str
    """The VLR that serves its calls; empty: none."""
    subscription: HssSubscription | Default


class SuspensionTold(CardTold):
    """A card that was suspended."""

    told: Literal["insert-subscriber-data", "cancel-location", "pending", "nobody"]
    """How its MME heard of it."""


class ManyTold(Model):
    """What became of cards that were suspended together."""

    suspended: int
    unknown: tuple[str, ...]
    told: dict[str, int]
    """How many MMEs heard of it in which way."""


class LocationTold(Model):
    """Where a card is, as its MME tells (EPS-User-State and EPS-Location-Information, TS 29.272 7.3.110, 7.3.111)."""

    eps_user_state: Any
    eps_location_information: Any
