"""Settings of the event broker."""

from __future__ import annotations

from pydantic import Field

from simwarden.runtime.declare import ElementConfig


class BrokerConfig(ElementConfig):
    """Who may connect."""

    users: dict[str, str] = Field(default_factory=dict)
    """Names with their passwords; without any, everybody may connect."""
