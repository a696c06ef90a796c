"""The basic call state models of CAMEL as tables (TS 23.078 4.4.2 O-BCSM, 4.4.3 T-BCSM; detection points also Q.1214).

A half of a call is at a point in call. What happens to the call brings it to another, past a detection point where
there is one: there the gsmSSF may have the call wait for orders. A call that stays in O_Exception or T_Exception does
so at the detection point by which it came there: what its caller does meanwhile is met as before.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.wire.cap import LEG_1, LEG_2, EventType
from simwarden.wire.q850 import CauseValue

if TYPE_CHECKING:
    from collections.abc import Mapping


class Pic(enum.Enum):
    """Points in call."""

    O_NULL = "O_Null & Authorise_Origination_Attempt_Collect_Info"
    ANALYSE_INFORMATION = "Analyse_Information"
    ROUTING_AND_ALERTING = "Routing & Alerting"
    O_ACTIVE = "O_Active"
    O_EXCEPTION = "O_Exception"
    T_NULL = "T_Null"
    TERMINATING_CALL_HANDLING = "Terminating Call Handling"
    T_ACTIVE = "T_Active"
    T_EXCEPTION = "T_Exception"


class Happening(enum.Enum):
    """What happens to a call."""

    SET_UP = "set-up"
    ANALYSED = "analysed"
    ROUTE_FAILED = "route-failed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    CALLING_PARTY_CLEARS = "calling-party-clears"
    CALLED_PARTY_CLEARS = "called-party-clears"
    RELEASED = "released"
    """The network ends it: no detection point is met."""
    REROUTED = "rerouted"
    """The gsmSCF has it begin anew with another number: nobody has answered, or who has answered hung up."""


class Transition(NamedTuple):
    """Past which detection point a call goes, None for none, of which leg, and where to."""

    dp: EventType | None
    leg: int
    to: Pic


@dataclass(frozen=True)
class Model:
    """A state model: where it begins and rests, where parties talk, and its transitions."""

    start: Pic
    active: Pic
    transitions: Mapping[tuple[Pic, Happening], Transition]

    @cached_property
    def events(self) -> frozenset[EventType]:
        """Detection points that may be armed for a time (EDP-R, EDP-N): all but those of triggers."""
        return frozenset(each.dp for each in self.transitions.values() if each.dp is not None) - _TRIGGERS

    def next(self, pic: Pic, happening: Happening) -> Transition | None:
        """Return what follows when something happens; None: it cannot happen there."""
        return self.transitions.get((pic, happening))


_E, _H = EventType, Happening
_TRIGGERS: Final = frozenset({_E.COLLECTED_INFO, _E.ANALYZED_INFORMATION, _E.TERM_ATTEMPT_AUTHORIZED})


_O: Final = (Pic.O_NULL, Pic.ANALYSE_INFORMATION, Pic.ROUTING_AND_ALERTING, Pic.O_ACTIVE, Pic.O_EXCEPTION)
_T: Final = (Pic.T_NULL, Pic.TERMINATING_CALL_HANDLING, Pic.T_ACTIVE, Pic.T_EXCEPTION)

O_BCSM: Final = Model(
    Pic.O_NULL,
    Pic.O_ACTIVE,
    {
        (Pic.O_NULL, _H.SET_UP): Transition(_E.COLLECTED_INFO, LEG_1, Pic.ANALYSE_INFORMATION),
        (Pic.ANALYSE_INFORMATION, _H.ANALYSED): Transition(_E.ANALYZED_INFORMATION, LEG_1, Pic.ROUTING_AND_ALERTING),
        (Pic.ROUTING_AND_ALERTING, _H.ROUTE_FAILED): Transition(_E.ROUTE_SELECT_FAILURE, LEG_2, Pic.O_EXCEPTION),
        (Pic.ROUTING_AND_ALERTING, _H.BUSY): Transition(_E.O_CALLED_PARTY_BUSY, LEG_2, Pic.O_EXCEPTION),
        (Pic.ROUTING_AND_ALERTING, _H.NO_ANSWER): Transition(_E.O_NO_ANSWER, LEG_2, Pic.O_EXCEPTION),
        (Pic.ROUTING_AND_ALERTING, _H.ANSWERED): Transition(_E.O_ANSWER, LEG_2, Pic.O_ACTIVE),
        (Pic.O_ACTIVE, _H.CALLING_PARTY_CLEARS): Transition(_E.O_DISCONNECT, LEG_1, Pic.O_NULL),
        (Pic.O_ACTIVE, _H.CALLED_PARTY_CLEARS): Transition(_E.O_DISCONNECT, LEG_2, Pic.O_NULL),
        (Pic.O_NULL, _H.REROUTED): Transition(None, LEG_2, Pic.ANALYSE_INFORMATION),
        (Pic.O_EXCEPTION, _H.REROUTED): Transition(None, LEG_2, Pic.ANALYSE_INFORMATION),
        (Pic.O_NULL, _H.ABANDONED): Transition(None, LEG_1, Pic.O_NULL),
        (Pic.ANALYSE_INFORMATION, _H.ABANDONED): Transition(_E.O_ABANDON, LEG_1, Pic.O_NULL),
        (Pic.ROUTING_AND_ALERTING, _H.ABANDONED): Transition(_E.O_ABANDON, LEG_1, Pic.O_NULL),
        (Pic.O_EXCEPTION, _H.ABANDONED): Transition(_E.O_ABANDON, LEG_1, Pic.O_NULL),
        **{(pic, _H.RELEASED): Transition(None, LEG_2, Pic.O_EXCEPTION) for pic in _O},
    },
)
"""The originating half: calls of a subscriber, and forwarded ones."""
T_BCSM: Final = Model(
    Pic.T_NULL,
    Pic.T_ACTIVE,
    {
        (Pic.T_NULL, _H.SET_UP): Transition(_E.TERM_ATTEMPT_AUTHORIZED, LEG_1, Pic.TERMINATING_CALL_HANDLING),
        (Pic.TERMINATING_CALL_HANDLING, _H.BUSY): Transition(_E.T_BUSY, LEG_2, Pic.T_EXCEPTION),
        (Pic.TERMINATING_CALL_HANDLING, _H.ROUTE_FAILED): Transition(_E.T_BUSY, LEG_2, Pic.T_EXCEPTION),
        (Pic.TERMINATING_CALL_HANDLING, _H.NO_ANSWER): Transition(_E.T_NO_ANSWER, LEG_2, Pic.T_EXCEPTION),
        (Pic.TERMINATING_CALL_HANDLING, _H.ANSWERED): Transition(_E.T_ANSWER, LEG_2, Pic.T_ACTIVE),
        (Pic.T_ACTIVE, _H.CALLING_PARTY_CLEARS): Transition(_E.T_DISCONNECT, LEG_1, Pic.T_NULL),
        (Pic.T_ACTIVE, _H.CALLED_PARTY_CLEARS): Transition(_E.T_DISCONNECT, LEG_2, Pic.T_NULL),
        (Pic.T_NULL, _H.REROUTED): Transition(None, LEG_2, Pic.TERMINATING_CALL_HANDLING),
        (Pic.T_EXCEPTION, _H.REROUTED): Transition(None, LEG_2, Pic.TERMINATING_CALL_HANDLING),
        (Pic.T_NULL, _H.ABANDONED): Transition(None, LEG_1, Pic.T_NULL),
        (Pic.TERMINATING_CALL_HANDLING, _H.ABANDONED): Transition(_E.T_ABANDON, LEG_1, Pic.T_NULL),
        (Pic.T_EXCEPTION, _H.ABANDONED): Transition(_E.T_ABANDON, LEG_1, Pic.T_NULL),
        **{(pic, _H.RELEASED): Transition(None, LEG_2, Pic.T_EXCEPTION) for pic in _T},
    },
)
"""The terminating half: calls to a subscriber, in the GMSC and in the visited MSC."""

_BUSY: Final = frozenset({CauseValue.USER_BUSY, CauseValue.SUBSCRIBER_ABSENT})
_UNANSWERED: Final = frozenset({CauseValue.NO_USER_RESPONDING, CauseValue.NO_ANSWER_FROM_USER})


def failure(cause: int) -> Happening:
    """Return what a call that is not answered has met, by its cause; busy is also who cannot be reached (4.4.2.1)."""
    if cause in _BUSY:
        return Happening.BUSY
    return Happening.NO_ANSWER if cause in _UNANSWERED else Happening.ROUTE_FAILED
