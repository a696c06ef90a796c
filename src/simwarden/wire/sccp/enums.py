"""Numbers of SCCP (Q.713), and subsystems of mobile networks (TS 23.003 8.2)."""

from __future__ import annotations

from enum import IntEnum


class MessageType(IntEnum):
    """Messages without connections (Q.713 2.1). Long unitdata needs broadband signalling links, and is not here."""

    UNITDATA = 0x09
    UNITDATA_SERVICE = 0x0A
    EXTENDED_UNITDATA = 0x11
    EXTENDED_UNITDATA_SERVICE = 0x12


class ReturnCause(IntEnum):
    """Why a message came back (Q.713 3.12)."""

    NO_TRANSLATION_FOR_NATURE = 0
    NO_TRANSLATION_FOR_ADDRESS = 1
    SUBSYSTEM_CONGESTION = 2
    SUBSYSTEM_FAILURE = 3
    UNEQUIPPED_USER = 4
    MTP_FAILURE = 5
    NETWORK_CONGESTION = 6
    UNQUALIFIED = 7
    ERROR_IN_MESSAGE_TRANSPORT = 8
    ERROR_IN_LOCAL_PROCESSING = 9
    DESTINATION_CANNOT_REASSEMBLE = 10
    SCCP_FAILURE = 11
    HOP_COUNTER_VIOLATION = 12
    SEGMENTATION_NOT_SUPPORTED = 13
    SEGMENTATION_FAILURE = 14


class Subsystem(IntEnum):
    """Subsystem numbers (TS 23.003 8.2): gsmSSF and gsmSCF speak CAP by 146, gsmSCF speaks MAP by 147."""

    SCCP_MANAGEMENT = 1
    HLR = 6
    VLR = 7
    MSC = 8
    EIR = 9
    CAP = 146
    GSM_SCF = 147


class ManagementType(IntEnum):
    """Messages of SCCP management (Q.713 5.2)."""

    SUBSYSTEM_ALLOWED = 1
    SUBSYSTEM_PROHIBITED = 2
    SUBSYSTEM_STATUS_TEST = 3
    SUBSYSTEM_OUT_OF_SERVICE_REQUEST = 4
    SUBSYSTEM_OUT_OF_SERVICE_GRANT = 5
    SUBSYSTEM_CONGESTED = 6
