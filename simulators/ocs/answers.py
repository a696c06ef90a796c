"""What the management interface of the OCS answers."""

from __future__ import annotations

from simulators.ocs.config import Amounts  # noqa: TC001 - a field's type, resolved by pydantic
from simulators.ocs.service import Service  # noqa: TC001 - as above
from simwarden.runtime.declare import Model


class CardTold(Model):
    """What a card may use in a month; null: nothing."""

    imsi: str
    msisdn: str
    use: str
    """What it is for."""
    large: bool
    """Whether that needs large data."""
    quota: Amounts | None


class CardUsed(CardTold):
    """The same, with what is used or given out this month: octets, messages, and seconds of calls."""

    used: dict[Service, int]


class SessionTold(Model):
    """A session of credit control that is open."""

    session: str
    imsi: str
    service: Service
    host: str
    """Who asked."""
    reserved: int
    """Units that are given and not reported."""
