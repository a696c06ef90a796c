"""The states of a Diameter connection and what leads from one to another, as data (RFC 6733 5.6)."""

from __future__ import annotations

from enum import IntEnum
from itertools import product
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(IntEnum):
    """Where a connection stands (RFC 6733 5.6; Open of both roles is one state here)."""

    CLOSED = 0
    WAIT_CER = 1
    WAIT_CEA = 2
    OPEN = 3
    CLOSING = 4
    """We sent a DPR and wait for the DPA."""
    LEAVING = 5
    """We answered a DPR and wait for the far end to disconnect."""


class Input(IntEnum):
    """What may happen to a connection."""

    CONNECTED_OUT = 0
    CONNECTED_IN = 1
    CER_GOOD = 2
    CER_BAD = 3
    CEA_GOOD = 4
    CEA_BAD = 5
    DWR = 6
    DWA = 7
    DPR = 8
    DPA = 9
    REQUEST = 10
    ANSWER = 11
    TIMEOUT = 12
    WATCHDOG_QUIET = 13
    """Tw ran out and no DWR is unanswered."""
    WATCHDOG_LATE = 14
    """Tw ran out and a DWR is unanswered: the peer becomes suspect."""
    WATCHDOG_DEAD = 15
    """Tw ran out on a suspect peer."""
    STOP = 16
    LOST = 17
    GARBAGE = 18
    """The stream can no longer be cut into messages."""


#: what ends a connection: in any state, while it is not open, before it is open
_ENDED: Final = (
    *product((State.WAIT_CER, State.WAIT_CEA, State.OPEN, State.CLOSING, State.LEAVING), (Input.LOST, Input.GARBAGE)),
    *product((State.WAIT_CER, State.WAIT_CEA, State.CLOSING, State.LEAVING), (Input.TIMEOUT,)),
    *product((State.WAIT_CER, State.WAIT_CEA), (Input.STOP,)),
)
TABLE: Final[Mapping[tuple[State, Input], tuple[str, State]]] = {
    (State.CLOSED, Input.CONNECTED_OUT): ("send_cer", State.WAIT_CEA),
    (State.CLOSED, Input.CONNECTED_IN): ("await_cer", State.WAIT_CER),
    (State.WAIT_CER, Input.CER_GOOD): ("accept_cer", State.OPEN),
    (State.WAIT_CER, Input.CER_BAD): ("reject_cer", State.CLOSED),
    (State.WAIT_CEA, Input.CEA_GOOD): ("accept_cea", State.OPEN),
    (State.WAIT_CEA, Input.CEA_BAD): ("give_up", State.CLOSED),
    (State.OPEN, Input.CER_GOOD): ("repeat_cea", State.OPEN),
    (State.OPEN, Input.CER_BAD): ("reject_cer", State.CLOSED),
    (State.OPEN, Input.CEA_GOOD): ("ignore", State.OPEN),
    (State.OPEN, Input.CEA_BAD): ("give_up", State.CLOSED),
    (State.OPEN, Input.DWR): ("send_dwa", State.OPEN),
    (State.OPEN, Input.DWA): ("note_dwa", State.OPEN),
    (State.OPEN, Input.DPR): ("send_dpa", State.LEAVING),
    (State.OPEN, Input.REQUEST): ("take_request", State.OPEN),
    (State.OPEN, Input.ANSWER): ("take_answer", State.OPEN),
    (State.OPEN, Input.WATCHDOG_QUIET): ("send_dwr", State.OPEN),
    (State.OPEN, Input.WATCHDOG_LATE): ("suspect", State.OPEN),
    (State.OPEN, Input.WATCHDOG_DEAD): ("give_up", State.CLOSED),
    (State.OPEN, Input.STOP): ("send_dpr", State.CLOSING),
    (State.CLOSING, Input.DPA): ("give_up", State.CLOSED),
    (State.CLOSING, Input.DPR): ("send_dpa", State.LEAVING),
    (State.CLOSING, Input.DWR): ("send_dwa", State.CLOSING),
    (State.CLOSING, Input.DWA): ("ignore", State.CLOSING),
    (State.CLOSING, Input.REQUEST): ("refuse_request", State.CLOSING),
    (State.CLOSING, Input.ANSWER): ("take_answer", State.CLOSING),
    (State.CLOSING, Input.STOP): ("ignore", State.CLOSING),
    (State.LEAVING, Input.DPA): ("ignore", State.LEAVING),
    (State.LEAVING, Input.DWR): ("send_dwa", State.LEAVING),
    (State.LEAVING, Input.DWA): ("ignore", State.LEAVING),
    (State.LEAVING, Input.REQUEST): ("refuse_request", State.LEAVING),
    (State.LEAVING, Input.ANSWER): ("take_answer", State.LEAVING),
    (State.LEAVING, Input.STOP): ("ignore", State.LEAVING),
    **dict.fromkeys(_ENDED, ("give_up", State.CLOSED)),
}
"""State and input to action and next state. A message for which a state has no row is a protocol error: the
connection is closed. Whatever else has no row means nothing in that state."""
