"""The life of a card on a connection-management platform: its states, and what leads from one to another, as a table.

The states are those of operators' platforms; guideline 4.4 adds that all functions of a card end with its use, and
4.9 the test period before an actual user is registered.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from simwarden.model.values import members
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Mapping


class CardState(enum.Enum):
    """Where a card is in its life."""

    STOCK = "stock"
    """Made and not yet given to anybody."""
    TEST = "test"
    """In the customer's test period: it works, and is bound to nothing."""
    TO_ACTIVATE = "to-activate"
    """Given out: its first use makes it active."""
    ACTIVE = "active"
    """In use."""
    SUSPENDED = "suspended"
    """Stopped by the operator; may work again."""
    TEST_SUSPENDED = "test-suspended"
    """Stopped in its test period, to which it goes back."""
    STOCK_SUSPENDED = "stock-suspended"
    """Stopped before it was given to anybody: it cannot be given out until that is undone."""
    PRE_CANCELLED = "pre-cancelled"
    """Its end is asked for; it works no more, and may be taken back."""
    CLOSED = "closed"
    """Terminated, with all functions."""


class Operation(enum.Enum):
    """What somebody, or a card's first use, does to its state."""

    TEST = "test"
    """Give it out for a test."""
    ISSUE = "issue"
    """Give it out for use, from stock or after its test."""
    FIRST_USE = "first-use"
    """The network sees it for the first time."""
    ACTIVATE = "activate"
    """Make it active without waiting for its first use."""
    SUSPEND = "suspend"
    """Stop it; what it has is ended at once."""
    RESUME = "resume"
    """Undo a suspension."""
    PRE_CANCEL = "pre-cancel"
    """Ask for its end."""
    RESTORE = "restore"
    """Take the wish to end it back; it still has to be resumed, so that no suspension is got round this way."""
    CLOSE = "close"
    """Terminate it."""


_WORKING = (CardState.TEST, CardState.TO_ACTIVATE, CardState.ACTIVE)
#: states in which the network serves a card
SERVED = frozenset(_WORKING)

#: where each operation leads; a pair that is absent is refused
TRANSITIONS: Mapping[tuple[CardState, Operation], CardState] = {
    (CardState.STOCK, Operation.TEST): CardState.TEST,
    (CardState.STOCK, Operation.ISSUE): CardState.TO_ACTIVATE,
    (CardState.STOCK, Operation.CLOSE): CardState.CLOSED,
    (CardState.TEST, Operation.ISSUE): CardState.TO_ACTIVATE,
    (CardState.TO_ACTIVATE, Operation.FIRST_USE): CardState.ACTIVE,
    (CardState.TO_ACTIVATE, Operation.ACTIVATE): CardState.ACTIVE,
    (CardState.TEST, Operation.SUSPEND): CardState.TEST_SUSPENDED,
    (CardState.STOCK, Operation.SUSPEND): CardState.STOCK_SUSPENDED,
    **{
        (state, Operation.SUSPEND): CardState.SUSPENDED
        for state in (CardState.TO_ACTIVATE, CardState.ACTIVE, CardState.PRE_CANCELLED)
    },
    (CardState.SUSPENDED, Operation.RESUME): CardState.ACTIVE,
    (CardState.TEST_SUSPENDED, Operation.RESUME): CardState.TEST,
    (CardState.STOCK_SUSPENDED, Operation.RESUME): CardState.STOCK,
    **{
        (state, Operation.PRE_CANCEL): CardState.PRE_CANCELLED
        for state in (*_WORKING, CardState.SUSPENDED, CardState.TEST_SUSPENDED)
    },
    **{
        (state, Operation.CLOSE): CardState.CLOSED
        for state in (*_WORKING, CardState.SUSPENDED, CardState.TEST_SUSPENDED, CardState.STOCK_SUSPENDED)
    },
    (CardState.PRE_CANCELLED, Operation.RESTORE): CardState.SUSPENDED,
    (CardState.PRE_CANCELLED, Operation.CLOSE): CardState.CLOSED,
}

_STATE = members(CardState)


@tells(seen=_STATE, after=_STATE.or_none())
def judge_transition(*, state: CardState, operation: Operation) -> Ruling:
    """Rule on an operation on a card; `after` in the details is the state that it leads to, empty for none."""
    after = TRANSITIONS.get((state, operation))
    if after is None:
        return Ruling.refuse(f"{operation.value} leads nowhere from {state.value}", seen=state.value, after="")
    return Ruling.admit(
        f"{operation.value} leads from {state.value} to {after.value}", seen=state.value, after=after.value
    )


@tells(seen=_STATE)
def judge_state(*, state: CardState) -> Ruling:
    """Rule on a card that asks for service, by its state."""
    if state in SERVED:
        return Ruling.admit(f"the card is {state.value}", seen=state.value)
    return Ruling.refuse(f"the card is {state.value}", seen=state.value)


@tells(seen=_STATE)
def judge_bindable(*, state: CardState) -> Ruling:
    """Rule on binding a card by its state: not in the test period, and not when it has ended."""
    if state in (CardState.TEST, CardState.TEST_SUSPENDED, CardState.CLOSED):
        return Ruling.refuse(f"a card that is {state.value} is not bound", seen=state.value)
    return Ruling.admit(f"a card that is {state.value} may be bound", seen=state.value)
