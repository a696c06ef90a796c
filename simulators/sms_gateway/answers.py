"""What the SMS gateway's management interface answers."""

from __future__ import annotations

from simwarden.operations.access_codes import AllocatedCode  # noqa: TC001 - a field's type, resolved by pydantic
from simwarden.runtime.declare import Model


class WaitingTold(Model):
    """How many messages wait."""

    to_cards: int
    to_platform: int


class AccountTold(Model):
    """A customer, without what it proves itself by."""

    account: str
    system_id: str
    source_addr: str
    hosts: tuple[str, ...]
    rate: int
    binds: int
    """How many binds it has."""
    waiting: WaitingTold


class CardTold(Model):
    """Whose a card is, and the codes on its list."""

    imsi: str
    account: str
    opened: bool
    """Whether SMS is opened for it."""
    numbers: tuple[str, ...]


class CodesTold(Model):
    """The list of access codes."""

    version: int
    age: float
    """Seconds since it was confirmed."""
    codes: dict[str, AllocatedCode]


class VersionTold(Model):
    """The version of the list that is kept now."""

    version: int
