"""Causes of calls (Q.850), as ISUP, CAP and SIP's Reason header say them."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from simwarden.errors import PeerError


class CauseValue(IntEnum):
    """Why a call did not come about, or ended (Q.850 table 1)."""

    UNALLOCATED_NUMBER = 1
    NO_ROUTE_TO_TRANSIT_NETWORK = 2
    NO_ROUTE_TO_DESTINATION = 3
    SEND_SPECIAL_INFORMATION_TONE = 4
    CHANNEL_UNACCEPTABLE = 6
    NORMAL_CALL_CLEARING = 16
    USER_BUSY = 17
    NO_USER_RESPONDING = 18
    NO_ANSWER_FROM_USER = 19
    SUBSCRIBER_ABSENT = 20
    CALL_REJECTED = 21
    NUMBER_CHANGED = 22
    REDIRECTION_TO_NEW_DESTINATION = 23
    EXCHANGE_ROUTING_ERROR = 25
    NON_SELECTED_USER_CLEARING = 26
    DESTINATION_OUT_OF_ORDER = 27
    INVALID_NUMBER_FORMAT = 28
    FACILITY_REJECTED = 29
    RESPONSE_TO_STATUS_ENQUIRY = 30
    NORMAL_UNSPECIFIED = 31
    NO_CIRCUIT_AVAILABLE = 34
    NETWORK_OUT_OF_ORDER = 38
    TEMPORARY_FAILURE = 41
    SWITCHING_EQUIPMENT_CONGESTION = 42
    ACCESS_INFORMATION_DISCARDED = 43
    REQUESTED_CIRCUIT_NOT_AVAILABLE = 44
    PRECEDENCE_CALL_BLOCKED = 46
    RESOURCE_UNAVAILABLE = 47
    QUALITY_OF_SERVICE_NOT_AVAILABLE = 49
    REQUESTED_FACILITY_NOT_SUBSCRIBED = 50
    OUTGOING_CALLS_BARRED_WITHIN_CUG = 53
    INCOMING_CALLS_BARRED_WITHIN_CUG = 55
    BEARER_CAPABILITY_NOT_AUTHORIZED = 57
    BEARER_CAPABILITY_NOT_AVAILABLE = 58
    SERVICE_OR_OPTION_NOT_AVAILABLE = 63
    BEARER_CAPABILITY_NOT_IMPLEMENTED = 65
    CHANNEL_TYPE_NOT_IMPLEMENTED = 66
    REQUESTED_FACILITY_NOT_IMPLEMENTED = 69
    ONLY_RESTRICTED_DIGITAL_AVAILABLE = 70
    SERVICE_OR_OPTION_NOT_IMPLEMENTED = 79
    USER_NOT_MEMBER_OF_CUG = 87
    INCOMPATIBLE_DESTINATION = 88
    INVALID_TRANSIT_NETWORK_SELECTION = 91
    INVALID_MESSAGE = 95
    MANDATORY_ELEMENT_MISSING = 96
    MESSAGE_TYPE_NON_EXISTENT = 97
    ELEMENT_NON_EXISTENT = 99
    INVALID_ELEMENT_CONTENTS = 100
    MESSAGE_NOT_COMPATIBLE_WITH_STATE = 101
    RECOVERY_ON_TIMER_EXPIRY = 102
    PARAMETER_NON_EXISTENT = 103
    PROTOCOL_ERROR = 111
    INTERWORKING = 127


class Cause(NamedTuple):
    """A cause as ISUP has it (Q.763 3.12): where it arose (Q.850 2.2.3: 0 user, 2 and 4 networks), and more."""

    value: int
    location: int = 0
    coding: int = 0
    diagnostics: bytes = b""


def encode_cause(cause: Cause) -> bytes:
    """Return the octets of a cause."""
    return bytes((0x80 | cause.coding << 5 | cause.location, 0x80 | cause.value)) + cause.diagnostics


def decode_cause(octets: bytes) -> Cause:
    """Read a cause; a recommendation that is told between the two octets is passed over. Raises PeerError."""
    at = 0 if octets and octets[0] & 0x80 else 1
    if at + 2 > len(octets):
        raise PeerError(f"a cause of {len(octets)} octets")
    return Cause(octets[at + 1] & 0x7F, octets[0] & 15, octets[0] >> 5 & 3, octets[at + 2 :])
