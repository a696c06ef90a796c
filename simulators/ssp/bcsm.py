"""The basic call state models of CAMEL as tables (TS 23.078 4.4.2 O-BCSM, 4.4.3 T-BCSM; detection points also Q.1214).

A half of a call is at a point in call. What happens to the call brings it to another, past a detection point where
there is one: there the gsmSSF may have the call wait for orders. A call that stays in O_Exception or T_Exception does
so at the detection point by which it came there: what its caller does meanwhile is met as before.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.wire.cap import LEG_1, LEG_2, EventType, MonitorMode
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
    """A state model: where it begins and rests, its transitions, and how its detection points may be armed."""

    start: Pic
    idle: Pic
    active: Pic
    transitions: Mapping[tuple[Pic, Happening], Transition]
    #: detection points at which a CSI may trigger (TDP-R)
    triggers: frozenset[EventType]
    #: how detection points may be armed for a time (EDP-R, EDP-N)
    events: Mapping[EventType, frozenset[MonitorMode]]

    def next(self, pic: Pic, happening: Happening) -> Transition | None:
        """Return what follows when something happens; None: it cannot happen there."""
        return self.transitions.get((pic, happening))


_E, _H = EventType, Happening
_EITHER: Final = frozenset({MonitorMode.INTERRUPTED, MonitorMode.NOTIFY_AND_CONTINUE})


def _o_bcsm() -> Model:
    null, analyse, routing, active, over = list(Pic)[:5]
    table = {
        (null, _H.SET_UP): Transition(_E.COLLECTED_INFO, LEG_1, analyse),
        (analyse, _H.ANALYSED): Transition(_E.ANALYZED_INFORMATION, LEG_1, routing),
        (routing, _H.ROUTE_FAILED): Transition(_E.ROUTE_SELECT_FAILURE, LEG_2, over),
        (routing, _H.BUSY): Transition(_E.O_CALLED_PARTY_BUSY, LEG_2, over),
        (routing, _H.NO_ANSWER): Transition(_E.O_NO_ANSWER, LEG_2, over),
        (routing, _H.ANSWERED): Transition(_E.O_ANSWER, LEG_2, active),
        (active, _H.CALLING_PARTY_CLEARS): Transition(_E.O_DISCONNECT, LEG_1, null),
        (active, _H.CALLED_PARTY_CLEARS): Transition(_E.O_DISCONNECT, LEG_2, null),
    }
    for pic in (null, over):
        table[pic, _H.REROUTED] = Transition(None, LEG_2, analyse)
    for pic in (null, analyse, routing, over):
        table[pic, _H.ABANDONED] = Transition(_E.O_ABANDON if pic is not null else None, LEG_1, null)
    for pic in (null, analyse, routing, active, over):
        table[pic, _H.RELEASED] = Transition(None, LEG_2, over)
    events = (
        _E.ROUTE_SELECT_FAILURE,
        _E.O_CALLED_PARTY_BUSY,
        _E.O_NO_ANSWER,
        _E.O_ANSWER,
        _E.O_DISCONNECT,
        _E.O_ABANDON,
    )
    triggers = frozenset({_E.COLLECTED_INFO, _E.ROUTE_SELECT_FAILURE})
    return Model(null, null, active, table, triggers, dict.fromkeys(events, _EITHER))


def _t_bcsm() -> Model:
    null, handling, active, over = list(Pic)[5:]
    table = {
        (null, _H.SET_UP): Transition(_E.TERM_ATTEMPT_AUTHORIZED, LEG_1, handling),
        (handling, _H.BUSY): Transition(_E.T_BUSY, LEG_2, over),
        (handling, _H.ROUTE_FAILED): Transition(_E.T_BUSY, LEG_2, over),
        (handling, _H.NO_ANSWER): Transition(_E.T_NO_ANSWER, LEG_2, over),
        (handling, _H.ANSWERED): Transition(_E.T_ANSWER, LEG_2, active),
        (active, _H.CALLING_PARTY_CLEARS): Transition(_E.T_DISCONNECT, LEG_1, null),
        (active, _H.CALLED_PARTY_CLEARS): Transition(_E.T_DISCONNECT, LEG_2, null),
    }
    for pic in (null, over):
        table[pic, _H.REROUTED] = Transition(None, LEG_2, handling)
    for pic in (null, handling, over):
        table[pic, _H.ABANDONED] = Transition(_E.T_ABANDON if pic is not null else None, LEG_1, null)
    for pic in (null, handling, active, over):
        table[pic, _H.RELEASED] = Transition(None, LEG_2, over)
    events = (_E.T_BUSY, _E.T_NO_ANSWER, _E.T_ANSWER, _E.T_DISCONNECT, _E.T_ABANDON)
    triggers = frozenset({_E.TERM_ATTEMPT_AUTHORIZED, _E.T_BUSY, _E.T_NO_ANSWER})
    return Model(null, null, active, table, triggers, dict.fromkeys(events, _EITHER))


O_BCSM: Final = _o_bcsm()
"""The originating half: calls of a subscriber, and forwarded ones."""
T_BCSM: Final = _t_bcsm()
"""The terminating half: calls to a subscriber, in the GMSC and in the visited MSC."""

_BUSY: Final = frozenset({CauseValue.USER_BUSY, CauseValue.SUBSCRIBER_ABSENT})
_UNANSWERED: Final = frozenset({CauseValue.NO_USER_RESPONDING, CauseValue.NO_ANSWER_FROM_USER})


def failure(cause: int) -> Happening:
    """Return what a call that is not answered has met, by its cause; busy is also who cannot be reached (4.4.2.1)."""
    if cause in _BUSY:
        return Happening.BUSY
    return Happening.NO_ANSWER if cause in _UNANSWERED else Happening.ROUTE_FAILED
