"""Numbers of CAP (TS 29.078)."""

from __future__ import annotations

from enum import IntEnum


class EventType(IntEnum):
    """Detection points of the basic call state models (EventTypeBCSM, TS 29.078 5.1)."""

    COLLECTED_INFO = 2
    ANALYZED_INFORMATION = 3
    ROUTE_SELECT_FAILURE = 4
    O_CALLED_PARTY_BUSY = 5
    O_NO_ANSWER = 6
    O_ANSWER = 7
    O_MID_CALL = 8
    O_DISCONNECT = 9
    O_ABANDON = 10
    TERM_ATTEMPT_AUTHORIZED = 12
    T_BUSY = 13
    T_NO_ANSWER = 14
    T_ANSWER = 15
    T_MID_CALL = 16
    T_DISCONNECT = 17
    T_ABANDON = 18
    O_TERM_SEIZED = 19
    CALL_ACCEPTED = 27
    O_CHANGE_OF_POSITION = 50
    T_CHANGE_OF_POSITION = 51
    O_SERVICE_CHANGE = 52
    T_SERVICE_CHANGE = 53


class MonitorMode(IntEnum):
    """What becomes of a call at an event: it waits for orders (EDP-R), goes on (EDP-N), or nothing is told."""

    INTERRUPTED = 0
    NOTIFY_AND_CONTINUE = 1
    TRANSPARENT = 2


class EventMode(IntEnum):
    """Whether an event that is reported waits for orders (MiscCallInfo messageType)."""

    REQUEST = 0
    NOTIFICATION = 1


class ErrorTreatment(IntEnum):
    """What the gsmSRF does about digits that are wrong."""

    STD_ERROR_AND_INFO = 0
    HELP = 1
    REPEAT_PROMPT = 2


class ErrorCode(IntEnum):
    """Errors of operations (TS 29.078 5.3)."""

    CANCELED = 0
    CANCEL_FAILED = 1
    ETC_FAILED = 3
    IMPROPER_CALLER_RESPONSE = 4
    MISSING_CUSTOMER_RECORD = 6
    MISSING_PARAMETER = 7
    PARAMETER_OUT_OF_RANGE = 8
    REQUESTED_INFO_ERROR = 10
    SYSTEM_FAILURE = 11
    TASK_REFUSED = 12
    UNAVAILABLE_RESOURCE = 13
    UNEXPECTED_COMPONENT_SEQUENCE = 14
    UNEXPECTED_DATA_VALUE = 15
    UNEXPECTED_PARAMETER = 16
    UNKNOWN_LEG_ID = 17
    UNKNOWN_CS_ID = 51


class Phase(IntEnum):
    """Phases of CAMEL that have CAP for calls and are spoken here."""

    TWO = 2
    THREE = 3
    FOUR = 4
