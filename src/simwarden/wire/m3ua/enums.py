"""Numbers of M3UA (RFC 4666 chapter 3)."""

from __future__ import annotations

from enum import IntEnum


class MessageType(IntEnum):
    """Class and type of a message (3.1.2), the class in the upper octet. Routing keys are configured: no RKM."""

    ERROR = 0x0000
    NOTIFY = 0x0001
    DATA = 0x0101
    DESTINATION_UNAVAILABLE = 0x0201
    DESTINATION_AVAILABLE = 0x0202
    DESTINATION_STATE_AUDIT = 0x0203
    SIGNALLING_CONGESTION = 0x0204
    DESTINATION_USER_PART_UNAVAILABLE = 0x0205
    DESTINATION_RESTRICTED = 0x0206
    ASP_UP = 0x0301
    ASP_DOWN = 0x0302
    HEARTBEAT = 0x0303
    ASP_UP_ACK = 0x0304
    ASP_DOWN_ACK = 0x0305
    HEARTBEAT_ACK = 0x0306
    ASP_ACTIVE = 0x0401
    ASP_INACTIVE = 0x0402
    ASP_ACTIVE_ACK = 0x0403
    ASP_INACTIVE_ACK = 0x0404


class Tag(IntEnum):
    """Tags of parameters (3.2)."""

    INFO_STRING = 0x0004
    ROUTING_CONTEXT = 0x0006
    DIAGNOSTIC_INFORMATION = 0x0007
    HEARTBEAT_DATA = 0x0009
    TRAFFIC_MODE_TYPE = 0x000B
    ERROR_CODE = 0x000C
    STATUS = 0x000D
    ASP_IDENTIFIER = 0x0011
    AFFECTED_POINT_CODE = 0x0012
    CORRELATION_ID = 0x0013
    NETWORK_APPEARANCE = 0x0200
    USER_CAUSE = 0x0204
    CONGESTION_INDICATIONS = 0x0205
    CONCERNED_DESTINATION = 0x0206
    PROTOCOL_DATA = 0x0210


class ErrorCode(IntEnum):
    """Why a message was not taken (3.8.1)."""

    INVALID_VERSION = 0x01
    UNSUPPORTED_MESSAGE_CLASS = 0x03
    UNSUPPORTED_MESSAGE_TYPE = 0x04
    UNSUPPORTED_TRAFFIC_MODE_TYPE = 0x05
    UNEXPECTED_MESSAGE = 0x06
    PROTOCOL_ERROR = 0x07
    INVALID_STREAM_IDENTIFIER = 0x09
    REFUSED_MANAGEMENT_BLOCKING = 0x0D
    ASP_IDENTIFIER_REQUIRED = 0x0E
    INVALID_ASP_IDENTIFIER = 0x0F
    INVALID_PARAMETER_VALUE = 0x11
    PARAMETER_FIELD_ERROR = 0x12
    UNEXPECTED_PARAMETER = 0x13
    DESTINATION_STATUS_UNKNOWN = 0x14
    INVALID_NETWORK_APPEARANCE = 0x15
    MISSING_PARAMETER = 0x16
    INVALID_ROUTING_CONTEXT = 0x19
    NO_CONFIGURED_AS_FOR_ASP = 0x1A


class TrafficMode(IntEnum):
    """How several ASPs share the traffic of their server (3.7.1)."""

    OVERRIDE = 1
    LOADSHARE = 2
    BROADCAST = 3


class Status(IntEnum):
    """What NOTIFY tells: status type in the upper two octets, information in the lower (3.8.2)."""

    AS_INACTIVE = 0x0001_0002
    AS_ACTIVE = 0x0001_0003
    AS_PENDING = 0x0001_0004
    INSUFFICIENT_ASP_RESOURCES = 0x0002_0001
    ALTERNATE_ASP_ACTIVE = 0x0002_0002
    ASP_FAILURE = 0x0002_0003


class ServiceIndicator(IntEnum):
    """Users of MTP3 that are spoken of here (3.3.1)."""

    SCCP = 3
    ISUP = 5


class UnavailabilityCause(IntEnum):
    """Why a user part is not there (3.4.5)."""

    UNKNOWN = 0
    UNEQUIPPED_REMOTE_USER = 1
    INACCESSIBLE_REMOTE_USER = 2
