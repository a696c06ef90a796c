"""The states of an SMPP session, and who may ask for what in each, as data (SMPP 3.4 2.2 and 2.3)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from simwarden.wire.smpp import Command

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(enum.Enum):
    """The two ends: who binds is the ESME."""

    SMSC = "SMSC"
    ESME = "ESME"

    @property
    def other(self) -> Role:
        """The far end."""
        return Role.ESME if self is Role.SMSC else Role.SMSC


class State(enum.Enum):
    """Where a session stands (2.2)."""

    OPEN = "open"
    BOUND_TX = "bound-tx"
    BOUND_RX = "bound-rx"
    BOUND_TRX = "bound-trx"
    UNBINDING = "unbinding"
    """We sent unbind and wait for its answer; requests of the peer are out of place."""
    CLOSED = "closed"


BOUND_BY: Final[Mapping[Command, State]] = {
    Command.BIND_TRANSMITTER: State.BOUND_TX,
    Command.BIND_RECEIVER: State.BOUND_RX,
    Command.BIND_TRANSCEIVER: State.BOUND_TRX,
}
_LINK: Final = frozenset({Command.UNBIND, Command.ENQUIRE_LINK})
_SUBMITTED: Final = frozenset(
    {
        Command.SUBMIT_SM,
        Command.SUBMIT_MULTI,
        Command.DATA_SM,
        Command.QUERY_SM,
        Command.CANCEL_SM,
        Command.REPLACE_SM,
    }
)
_DELIVERED: Final = frozenset({Command.DELIVER_SM, Command.DATA_SM, Command.ALERT_NOTIFICATION})
_NONE: Final = frozenset({Command.ENQUIRE_LINK})

ALLOWED: Final[Mapping[tuple[Role, State], frozenset[Command]]] = {
    (Role.SMSC, State.OPEN): frozenset(BOUND_BY) | _NONE,
    (Role.SMSC, State.BOUND_TX): _SUBMITTED | _LINK,
    (Role.SMSC, State.BOUND_RX): _LINK,
    (Role.SMSC, State.BOUND_TRX): _SUBMITTED | _LINK,
    (Role.ESME, State.OPEN): frozenset({Command.OUTBIND}) | _NONE,
    (Role.ESME, State.BOUND_TX): _LINK,
    (Role.ESME, State.BOUND_RX): _DELIVERED | _LINK,
    (Role.ESME, State.BOUND_TRX): _DELIVERED | _LINK,
    **{(role, state): _NONE | {Command.UNBIND} for role in Role for state in (State.UNBINDING, State.CLOSED)},
}
"""What an end takes from the other, by its role and state (table 2-1)."""
