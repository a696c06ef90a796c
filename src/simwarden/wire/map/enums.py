"""Numbers of MAP (TS 29.002)."""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """Errors of the operations that are here (TS 29.002 17.6.6)."""

    UNKNOWN_SUBSCRIBER = 1
    UNIDENTIFIED_SUBSCRIBER = 5
    UNKNOWN_EQUIPMENT = 7
    ROAMING_NOT_ALLOWED = 8
    ILLEGAL_SUBSCRIBER = 9
    BEARER_SERVICE_NOT_PROVISIONED = 10
    TELESERVICE_NOT_PROVISIONED = 11
    ILLEGAL_EQUIPMENT = 12
    CALL_BARRED = 13
    FORWARDING_VIOLATION = 14
    CUG_REJECT = 15
    FACILITY_NOT_SUPPORTED = 21
    OR_NOT_ALLOWED = 48
    ABSENT_SUBSCRIBER = 27
    SYSTEM_FAILURE = 34
    DATA_MISSING = 35
    UNEXPECTED_DATA_VALUE = 36
    NO_ROAMING_NUMBER_AVAILABLE = 39
    NUMBER_CHANGED = 44
    BUSY_SUBSCRIBER = 45
    NO_SUBSCRIBER_REPLY = 46
    FORWARDING_FAILED = 47
    RESOURCE_LIMITATION = 51


class OTriggerPoint(IntEnum):
    """Where an O-CSI acts (17.7.1)."""

    COLLECTED_INFO = 2
    ROUTE_SELECT_FAILURE = 4


class TTriggerPoint(IntEnum):
    """Where a T-CSI or VT-CSI acts."""

    TERM_ATTEMPT_AUTHORIZED = 12
    T_BUSY = 13
    T_NO_ANSWER = 14


class DefaultCallHandling(IntEnum):
    """What becomes of a call whose gsmSCF does not answer."""

    CONTINUE_CALL = 0
    RELEASE_CALL = 1


class SubscriberStatus(IntEnum):
    """Whether a subscriber is barred by the operator."""

    SERVICE_GRANTED = 0
    OPERATOR_DETERMINED_BARRING = 1


class CancellationType(IntEnum):
    """Why a location is cancelled."""

    UPDATE_PROCEDURE = 0
    SUBSCRIPTION_WITHDRAW = 1
    INITIAL_ATTACH_PROCEDURE = 2


class InterrogationType(IntEnum):
    """What routing is asked for."""

    BASIC_CALL = 0
    FORWARDING = 1


class EquipmentStatus(IntEnum):
    """What the EIR knows of a terminal."""

    WHITE_LISTED = 0
    BLACK_LISTED = 1
    GREY_LISTED = 2
