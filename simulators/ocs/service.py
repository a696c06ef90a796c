"""The services of which a card has a quota."""

from __future__ import annotations

import enum


class Service(enum.StrEnum):
    """What a card has a quota of; the value is the word in the database."""

    DATA = "data"
    """Octets, both directions."""
    SMS = "sms"
    """Messages, both directions."""
    VOICE = "voice"
    """Seconds of calls, both directions."""
