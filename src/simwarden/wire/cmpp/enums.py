"""The enumerations of CMPP 2.0 (China Mobile, April 2002), chapters 7 and 8."""

from __future__ import annotations

from enum import IntEnum


class Command(IntEnum):
    """Command_Id (8.1) of what a platform and a gateway say to each other."""

    CONNECT = 0x00000001
    TERMINATE = 0x00000002
    SUBMIT = 0x00000004
    DELIVER = 0x00000005
    QUERY = 0x00000006
    CANCEL = 0x00000007
    ACTIVE_TEST = 0x00000008
    CONNECT_RESP = 0x80000001
    TERMINATE_RESP = 0x80000002
    SUBMIT_RESP = 0x80000004
    DELIVER_RESP = 0x80000005
    QUERY_RESP = 0x80000006
    CANCEL_RESP = 0x80000007
    ACTIVE_TEST_RESP = 0x80000008


class ConnectStatus(IntEnum):
    """Status of CMPP_CONNECT_RESP (7.4.1.2)."""

    CORRECT = 0
    MESSAGE_STRUCTURE_ERROR = 1
    ILLEGAL_SOURCE_ADDRESS = 2
    AUTHENTICATION_ERROR = 3
    VERSION_TOO_HIGH = 4
    OTHER_ERROR = 5


class Result(IntEnum):
    """Result of CMPP_SUBMIT_RESP and CMPP_DELIVER_RESP (7.4.3.2, 7.4.5.2).

    The text ends with 8 and "9 and above: other errors"; gateways give 9 to 13 the names here, as Wireshark does.
    """

    CORRECT = 0
    MESSAGE_STRUCTURE_ERROR = 1
    COMMAND_ERROR = 2
    SEQUENCE_REPEATED = 3
    MESSAGE_LENGTH_ERROR = 4
    FEE_CODE_ERROR = 5
    MESSAGE_TOO_LONG = 6
    SERVICE_CODE_ERROR = 7
    FLOW_CONTROL_ERROR = 8
    CHARGED_NUMBER_NOT_SERVED = 9
    SOURCE_ID_ERROR = 10
    MESSAGE_SOURCE_ERROR = 11
    FEE_TERMINAL_ERROR = 12
    DESTINATION_TERMINAL_ERROR = 13


class Format(IntEnum):
    """Msg_Fmt (7.4.3.1)."""

    ASCII = 0
    WRITE_CARD = 3
    BINARY = 4
    UCS2 = 8
    GB = 15
