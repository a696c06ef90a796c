"""What the SMSC's management interface answers."""

from __future__ import annotations

from simulators.smsc.config import SmscSms  # noqa: TC001 - a field's type, resolved by pydantic
from simulators.smsc.message import Direction  # noqa: TC001 - as above
from simwarden.runtime.declare import Model


class CardTold(Model):
    """With whom a card exchanges messages; null: SMS is off."""

    imsi: str
    msisdn: str
    sms: SmscSms | None


class CardUsed(CardTold):
    """The same, with how many messages it has this month."""

    used: int


class MessageTold(Model):
    """A message that is not over, without what it says."""

    id: str
    direction: Direction
    imsi: str
    number: str
    """The other party."""
    gateway: str
    attempts: int
