"""The causes of X2AP (TS 36.423 9.2.6), members in the order of their encoding; other enumerations are S1AP's."""

from __future__ import annotations

from simwarden.wire.s1ap.enums import S1apEnum


class CauseRadioNetwork(S1apEnum):
    """Reasons in the radio network; those that later releases added are not known here."""

    HANDOVER_DESIRABLE_FOR_RADIO_REASONS = 0
    TIME_CRITICAL_HANDOVER = 1
    RESOURCE_OPTIMISATION_HANDOVER = 2
    REDUCE_LOAD_IN_SERVING_CELL = 3
    PARTIAL_HANDOVER = 4
    UNKNOWN_NEW_ENB_UE_X2AP_ID = 5
    UNKNOWN_OLD_ENB_UE_X2AP_ID = 6
    UNKNOWN_PAIR_OF_UE_X2AP_ID = 7
    HO_TARGET_NOT_ALLOWED = 8
    TX2RELOCOVERALL_EXPIRY = 9
    TRELOCPREP_EXPIRY = 10
    CELL_NOT_AVAILABLE = 11
    NO_RADIO_RESOURCES_AVAILABLE_IN_TARGET_CELL = 12
    INVALID_MME_GROUPID = 13
    UNKNOWN_MME_CODE = 14
    ENCRYPTION_AND_OR_INTEGRITY_PROTECTION_ALGORITHMS_NOT_SUPPORTED = 15
    REPORTCHARACTERISTICSEMPTY = 16
    NOREPORTPERIODICITY = 17
    EXISTINGMEASUREMENTID = 18
    UNKNOWN_ENB_MEASUREMENT_ID = 19
    MEASUREMENT_TEMPORARILY_NOT_AVAILABLE = 20
    UNSPECIFIED = 21


class CauseTransport(S1apEnum):
    """Reasons in the transport network."""

    TRANSPORT_RESOURCE_UNAVAILABLE = 0
    UNSPECIFIED = 1


class CauseProtocol(S1apEnum):
    """Protocol errors; not in the order that S1AP has."""

    TRANSFER_SYNTAX_ERROR = 0
    ABSTRACT_SYNTAX_ERROR_REJECT = 1
    ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY = 2
    MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE = 3
    SEMANTIC_ERROR = 4
    UNSPECIFIED = 5
    ABSTRACT_SYNTAX_ERROR_FALSELY_CONSTRUCTED_MESSAGE = 6


class CauseMisc(S1apEnum):
    """Other reasons."""

    CONTROL_PROCESSING_OVERLOAD = 0
    HARDWARE_FAILURE = 1
    OM_INTERVENTION = 2
    NOT_ENOUGH_USER_PLANE_PROCESSING_RESOURCES = 3
    UNSPECIFIED = 4


class TransmissionBandwidth(S1apEnum):
    """Width of a cell in resource blocks (9.2.27)."""

    BW6 = 0
    BW15 = 1
    BW25 = 2
    BW50 = 3
    BW75 = 4
    BW100 = 5
