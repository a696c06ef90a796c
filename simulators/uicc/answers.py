"""What a card's management interface answers."""

from __future__ import annotations

from simwarden.model.form import FormFactor  # noqa: TC001 - a field's type, resolved by pydantic
from simwarden.runtime.declare import Model


class CardBindingTold(Model):
    """The card's area: the IMEI that it is bound to, and whether its applet acts."""

    imei: str
    applet: bool


class CardTold(Model):
    """What the card is, where it is and what it is bound to."""

    imsi: str
    form: FormFactor
    destroyed: bool
    iccid: str
    msisdn: str
    profile: str
    terminal: str
    """The terminal that it is in."""
    binding: CardBindingTold | None
