"""States, timers and lists of EMM in a UE: TS 24.301 5.1.3, 5.3 and 10.2."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class EmmState(Enum):
    """EMM states with the substates used here (TS 24.301 5.1.3.2). The value is the word for the trace."""

    NULL = "emm-null"
    DEREGISTERED = "emm-deregistered.normal-service"
    ATTACH_NEEDED = "emm-deregistered.attach-needed"
    LIMITED_SERVICE = "emm-deregistered.limited-service"
    ATTEMPTING_TO_ATTACH = "emm-deregistered.attempting-to-attach"
    PLMN_SEARCH = "emm-deregistered.plmn-search"
    NO_IMSI = "emm-deregistered.no-imsi"
    REGISTERED_INITIATED = "emm-registered-initiated"
    REGISTERED = "emm-registered.normal-service"
    ATTEMPTING_TO_UPDATE = "emm-registered.attempting-to-update"
    REGISTERED_LIMITED_SERVICE = "emm-registered.limited-service"
    REGISTERED_PLMN_SEARCH = "emm-registered.plmn-search"
    TRACKING_AREA_UPDATING_INITIATED = "emm-tracking-area-updating-initiated"
    SERVICE_REQUEST_INITIATED = "emm-service-request-initiated"
    DEREGISTERED_INITIATED = "emm-deregistered-initiated"

    @property
    def registered(self) -> bool:
        """In EMM-REGISTERED, or in a procedure that only a registered UE runs."""
        return self in _REGISTERED


_REGISTERED = frozenset(
    {
        EmmState.REGISTERED,
        EmmState.ATTEMPTING_TO_UPDATE,
        EmmState.REGISTERED_LIMITED_SERVICE,
        EmmState.REGISTERED_PLMN_SEARCH,
        EmmState.TRACKING_AREA_UPDATING_INITIATED,
        EmmState.SERVICE_REQUEST_INITIATED,
    }
)


class UpdateStatus(Enum):
    """EPS update status (TS 24.301 5.1.3.3)."""

    EU1_UPDATED = 0
    EU2_NOT_UPDATED = 1
    EU3_ROAMING_NOT_ALLOWED = 2


class Procedure(Enum):
    """What EMM runs, at most one at a time; the last four are ESM's, of which one may run beside."""

    ATTACH = "attach"
    DETACH = "detach"
    TRACKING_AREA_UPDATE = "tau"
    SERVICE_REQUEST = "service_request"
    EMERGENCY_BEARER = "emergency_bearer"
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    BEARER_RESOURCES = "bearer_resources"


class TimerDeclaration(NamedTuple):
    """A timer: its value in seconds where the specification fixes it, and what it is for."""

    seconds: float
    clause: str
    purpose: str


class Timer(Enum):
    """The timers of TS 24.301 Table 10.2.1 and 10.3.1, and two of the radio's."""

    T3402 = TimerDeclaration(720, "5.5.1.2.6", "pause after five failed attempts")
    T3410 = TimerDeclaration(15, "5.5.1.2.2", "ATTACH REQUEST awaits its answer")
    T3411 = TimerDeclaration(10, "5.5.1.2.6", "pause before the next attempt")
    T3412 = TimerDeclaration(3240, "5.3.5", "periodic tracking area update")
    T3416 = TimerDeclaration(30, "5.4.2.3", "a challenge is answered without the card")
    T3417 = TimerDeclaration(5, "5.6.1.2", "SERVICE REQUEST awaits the radio bearers")
    T3418 = TimerDeclaration(20, "5.4.2.7 c", "MAC failure awaits the network's next challenge")
    T3420 = TimerDeclaration(15, "5.4.2.7 e", "synch failure awaits the network's next challenge")
    T3421 = TimerDeclaration(15, "5.5.2.2.2", "DETACH REQUEST awaits its answer")
    T3430 = TimerDeclaration(15, "5.5.3.2.2", "TRACKING AREA UPDATE REQUEST awaits its answer")
    T3440 = TimerDeclaration(10, "5.3.1.2", "the network should release the connection")
    T3245 = TimerDeclaration(86400, "5.3.7a", "a USIM held invalid is tried again")
    T3247 = TimerDeclaration(1800, "5.3.7b", "a reject without integrity protection is tried again")
    T3346 = TimerDeclaration(900, "5.3.9", "the network is congested")
    T3396 = TimerDeclaration(720, "6.5.1.4.3", "the APN is backed off")
    T3480 = TimerDeclaration(8, "6.5.3.2", "BEARER RESOURCE ALLOCATION REQUEST awaits its answer")
    T3481 = TimerDeclaration(8, "6.5.4.2", "BEARER RESOURCE MODIFICATION REQUEST awaits its answer")
    T3482 = TimerDeclaration(8, "6.5.1.2", "PDN CONNECTIVITY REQUEST awaits its answer")
    T3492 = TimerDeclaration(6, "6.5.2.2", "PDN DISCONNECT REQUEST awaits its answer")
    T300 = TimerDeclaration(2, "TS 36.331 5.3.3", "RRC connection request awaits its answer")
    T302 = TimerDeclaration(16, "TS 36.331 5.3.3.8", "the eNB rejected the connection")
    FORBIDDEN_AREAS = TimerDeclaration(43200, "TS 23.122 3.1", "lists of forbidden tracking areas are kept so long")
    PLMN_42 = TimerDeclaration(7200, "5.5.1.2.5", "a network with severe failure is left alone (twice T of TS 23.122)")

    @property
    def seconds(self) -> float:
        """The specification's value, or the default where the network may set another."""
        return self.value.seconds


ATTEMPTS = 5
"""Attempts of attach and tracking area update before T3402 (TS 24.301 5.5.1.1, 5.5.3.1)."""
