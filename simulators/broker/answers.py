"""What the broker's management interface answers."""

from __future__ import annotations

from simwarden.runtime.declare import Model


class SessionTold(Model):
    """A session that is kept."""

    client: str
    filters: tuple[str, ...]
    waiting: int
    """How many messages wait for it."""
