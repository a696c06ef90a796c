"""Result codes and enumerations by name: RFC 6733 7.1, TS 29.272 7.3 and 7.4."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from simwarden.model.values import Values

VENDOR_3GPP = 10415


class Application(IntEnum):
    """Application identifiers (RFC 6733 2.4, RFC 8506 12.1, TS 29.212 5.1, TS 29.272 7.1.8, TS 29.338 5.3.1, 6.3.1)."""

    BASE = 0
    GY = 4
    GX = 16777238
    S6A = 16777251
    S13 = 16777252
    S6C = 16777312
    SGD = 16777313
    RELAY = 0xFFFFFFFF


class ResultCode(IntEnum):
    """Result-Code (RFC 6733 7.1, RFC 8506 9).

    1xxx information, 2xxx success, 3xxx protocol, 4xxx transient, 5xxx permanent.
    """

    DIAMETER_MULTI_ROUND_AUTH = 1001
    DIAMETER_SUCCESS = 2001
    DIAMETER_LIMITED_SUCCESS = 2002
    DIAMETER_COMMAND_UNSUPPORTED = 3001
    DIAMETER_UNABLE_TO_DELIVER = 3002
    DIAMETER_REALM_NOT_SERVED = 3003
    DIAMETER_TOO_BUSY = 3004
    DIAMETER_LOOP_DETECTED = 3005
    DIAMETER_REDIRECT_INDICATION = 3006
    DIAMETER_APPLICATION_UNSUPPORTED = 3007
    DIAMETER_INVALID_HDR_BITS = 3008
    DIAMETER_INVALID_AVP_BITS = 3009
    DIAMETER_UNKNOWN_PEER = 3010
    DIAMETER_AUTHENTICATION_REJECTED = 4001
    DIAMETER_OUT_OF_SPACE = 4002
    ELECTION_LOST = 4003
    DIAMETER_END_USER_SERVICE_DENIED = 4010
    DIAMETER_CREDIT_CONTROL_NOT_APPLICABLE = 4011
    DIAMETER_CREDIT_LIMIT_REACHED = 4012
    DIAMETER_AVP_UNSUPPORTED = 5001
    DIAMETER_UNKNOWN_SESSION_ID = 5002
    DIAMETER_AUTHORIZATION_REJECTED = 5003
    DIAMETER_INVALID_AVP_VALUE = 5004
    DIAMETER_MISSING_AVP = 5005
    DIAMETER_RESOURCES_EXCEEDED = 5006
    DIAMETER_CONTRADICTING_AVPS = 5007
    DIAMETER_AVP_NOT_ALLOWED = 5008
    DIAMETER_AVP_OCCURS_TOO_MANY_TIMES = 5009
    DIAMETER_NO_COMMON_APPLICATION = 5010
    DIAMETER_UNSUPPORTED_VERSION = 5011
    DIAMETER_UNABLE_TO_COMPLY = 5012
    DIAMETER_INVALID_BIT_IN_HEADER = 5013
    DIAMETER_INVALID_AVP_LENGTH = 5014
    DIAMETER_INVALID_MESSAGE_LENGTH = 5015
    DIAMETER_INVALID_AVP_BIT_COMBO = 5016
    DIAMETER_NO_COMMON_SECURITY = 5017
    DIAMETER_USER_UNKNOWN = 5030
    DIAMETER_RATING_FAILED = 5031


class ExperimentalResult(IntEnum):
    """Experimental-Result-Code: TS 29.272 7.4.3 and 7.4.4, of Gx TS 29.212 5.5, of SGd and S6c TS 29.338 7.3.

    S6c takes 5001 from TS 29.229, and 5101 from TS 29.329.
    """

    DIAMETER_PCC_BEARER_EVENT = 4141
    DIAMETER_BEARER_EVENT = 4142
    DIAMETER_AN_GW_FAILED = 4143
    DIAMETER_PENDING_TRANSACTION = 4144
    DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE = 4181
    DIAMETER_ERROR_CAMEL_SUBSCRIPTION_PRESENT = 4182
    DIAMETER_ERROR_USER_UNKNOWN = 5001
    DIAMETER_ERROR_ROAMING_NOT_ALLOWED = 5004
    DIAMETER_ERROR_OPERATION_NOT_ALLOWED = 5101
    DIAMETER_ERROR_INITIAL_PARAMETERS = 5140
    DIAMETER_ERROR_TRIGGER_EVENT = 5141
    DIAMETER_PCC_RULE_EVENT = 5142
    DIAMETER_ERROR_BEARER_NOT_AUTHORIZED = 5143
    DIAMETER_ERROR_TRAFFIC_MAPPING_INFO_REJECTED = 5144
    DIAMETER_ERROR_CONFLICTING_REQUEST = 5147
    DIAMETER_ADC_RULE_EVENT = 5148
    DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION = 5420
    DIAMETER_ERROR_RAT_NOT_ALLOWED = 5421
    DIAMETER_ERROR_EQUIPMENT_UNKNOWN = 5422
    DIAMETER_ERROR_UNKNOWN_SERVING_NODE = 5423
    DIAMETER_ERROR_ABSENT_USER = 5550
    DIAMETER_ERROR_USER_BUSY_FOR_MT_SMS = 5551
    DIAMETER_ERROR_FACILITY_NOT_SUPPORTED = 5552
    DIAMETER_ERROR_ILLEGAL_USER = 5553
    DIAMETER_ERROR_ILLEGAL_EQUIPMENT = 5554
    DIAMETER_ERROR_SM_DELIVERY_FAILURE = 5555
    DIAMETER_ERROR_SERVICE_NOT_SUBSCRIBED = 5556
    DIAMETER_ERROR_SERVICE_BARRED = 5557
    DIAMETER_ERROR_MWD_LIST_FULL = 5558


class AuthSessionState(IntEnum):
    """Auth-Session-State (RFC 6733 8.11); S6a and S13 always send NO_STATE_MAINTAINED."""

    STATE_MAINTAINED = 0
    NO_STATE_MAINTAINED = 1


class DisconnectCause(IntEnum):
    """Disconnect-Cause (RFC 6733 5.4.3)."""

    REBOOTING = 0
    BUSY = 1
    DO_NOT_WANT_TO_TALK_TO_YOU = 2


class EquipmentStatus(IntEnum):
    """Equipment-Status (TS 29.272 7.3.51), by the lists' present names (TS 22.016) and their older ones."""

    ALLOWED = 0
    PROHIBITED = 1
    TRACKED = 2
    WHITELISTED = 0
    BLACKLISTED = 1
    GREYLISTED = 2


class CancellationType(IntEnum):
    """Cancellation-Type (TS 29.272 7.3.24)."""

    MME_UPDATE_PROCEDURE = 0
    SGSN_UPDATE_PROCEDURE = 1
    SUBSCRIPTION_WITHDRAWAL = 2
    UPDATE_PROCEDURE_IWF = 3
    INITIAL_ATTACH_PROCEDURE = 4


class SmsRegisterRequest(IntEnum):
    """SMS-Register-Request (TS 29.272 7.3.162)."""

    SMS_REGISTRATION_REQUIRED = 0
    SMS_REGISTRATION_NOT_PREFERRED = 1
    NO_PREFERENCE = 2


class SubscriberStatus(IntEnum):
    """Subscriber-Status (TS 29.272 7.3.29)."""

    SERVICE_GRANTED = 0
    OPERATOR_DETERMINED_BARRING = 1


class NetworkAccessMode(IntEnum):
    """Network-Access-Mode (TS 29.272 7.3.21)."""

    PACKET_AND_CIRCUIT = 0
    RESERVED = 1
    ONLY_PACKET = 2


class PdnType(IntEnum):
    """PDN-Type (TS 29.272 7.3.62)."""

    IPV4 = 0
    IPV6 = 1
    IPV4V6 = 2
    IPV4_OR_IPV6 = 3


class AllApnConfigurations(IntEnum):
    """All-APN-Configurations-Included-Indicator (TS 29.272 7.3.33)."""

    ALL_APN_CONFIGURATIONS_INCLUDED = 0
    MODIFIED_ADDED_APN_CONFIGURATIONS_INCLUDED = 1


class AlertReason(IntEnum):
    """Alert-Reason (TS 29.272 7.3.83)."""

    UE_PRESENT = 0
    UE_MEMORY_AVAILABLE = 1


class UserState(IntEnum):
    """User-State (TS 29.272 7.3.114)."""

    DETACHED = 0
    ATTACHED_NOT_REACHABLE_FOR_PAGING = 1
    ATTACHED_REACHABLE_FOR_PAGING = 2
    CONNECTED_NOT_REACHABLE_FOR_PAGING = 3
    CONNECTED_REACHABLE_FOR_PAGING = 4
    RESERVED = 5


class Feature(IntFlag):
    """Feature-List of Feature-List-ID 1 of S6a (TS 29.272 7.3.10), as much of it as is used."""

    ODB_ALL_APN = 1
    REG_SUB = 1 << 9


class SmsFeature(IntFlag):
    """Feature-List of Feature-List-ID 2 of S6a (TS 29.272 7.3.10), as much of it as is about short messages."""

    SMS_IN_MME = 1


class GxFeature(IntFlag):
    """Feature-List of Feature-List-ID 1 of Gx (TS 29.212 5.4.1), as much of it as is used."""

    REL8 = 1
    REL9 = 1 << 1
    REL10 = 1 << 3
    ADC = 1 << 6


class ErrorDiagnostic(IntEnum):
    """Error-Diagnostic (TS 29.272 7.3.128): what an Experimental-Result leaves open."""

    GPRS_DATA_SUBSCRIBED = 0
    NO_GPRS_DATA_SUBSCRIBED = 1
    ODB_ALL_APN = 2
    ODB_HPLMN_APN = 3
    ODB_VPLMN_APN = 4


class RatType(IntEnum):
    """RAT-Type (TS 29.212 5.3.31); other values are valid and stay numbers."""

    WLAN = 0
    VIRTUAL = 1
    UTRAN = 1000
    GERAN = 1001
    GAN = 1002
    HSPA_EVOLUTION = 1003
    EUTRAN = 1004
    EUTRAN_NB_IOT = 1005
    LTE_M = 1007


class UlrFlags(IntFlag):
    """ULR-Flags (TS 29.272 7.3.7)."""

    SINGLE_REGISTRATION = 1
    S6A_S6D = 2
    SKIP_SUBSCRIBER_DATA = 4
    GPRS_SUBSCRIPTION_DATA = 8
    NODE_TYPE = 16
    INITIAL_ATTACH = 32
    PS_LCS_NOT_SUPPORTED = 64
    SMS_ONLY = 128


class UlaFlags(IntFlag):
    """ULA-Flags (TS 29.272 7.3.8)."""

    SEPARATION = 1
    MME_REGISTERED_FOR_SMS = 2


class PurFlags(IntFlag):
    """PUR-Flags (TS 29.272 7.3.149)."""

    UE_PURGED_IN_MME = 1
    UE_PURGED_IN_SGSN = 2


class PuaFlags(IntFlag):
    """PUA-Flags (TS 29.272 7.3.48)."""

    FREEZE_M_TMSI = 1
    FREEZE_P_TMSI = 2


class NorFlags(IntFlag):
    """NOR-Flags (TS 29.272 7.3.49)."""

    SINGLE_REGISTRATION = 1
    SGSN_AREA_RESTRICTED = 2
    READY_FOR_SM_FROM_SGSN = 4
    UE_REACHABLE_FROM_MME = 8
    UE_REACHABLE_FROM_SGSN = 32
    READY_FOR_SM_FROM_MME = 64
    HOMOGENEOUS_SUPPORT_OF_IMS_VOICE = 128
    S6A_S6D = 256
    REMOVAL_OF_MME_REGISTRATION_FOR_SMS = 512


class IdrFlags(IntFlag):
    """IDR-Flags (TS 29.272 7.3.103)."""

    UE_REACHABILITY = 1
    T_ADS_DATA = 2
    EPS_USER_STATE = 4
    EPS_LOCATION_INFORMATION = 8
    CURRENT_LOCATION = 16
    LOCAL_TIME_ZONE = 32
    REMOVE_SMS_REGISTRATION = 64
    RAT_TYPE = 128
    P_CSCF_RESTORATION = 256


class DsrFlags(IntFlag):
    """DSR-Flags (TS 29.272 7.3.25); the bits an MME acts on."""

    REGIONAL_SUBSCRIPTION_WITHDRAWAL = 1
    COMPLETE_APN_CONFIGURATION_PROFILE_WITHDRAWAL = 2
    SUBSCRIBED_CHARGING_CHARACTERISTICS_WITHDRAWAL = 4
    PDN_SUBSCRIPTION_CONTEXTS_WITHDRAWAL = 8
    STN_SR = 16
    COMPLETE_PDP_CONTEXT_LIST_WITHDRAWAL = 32
    PDP_SUBSCRIPTION_CONTEXTS_WITHDRAWAL = 64
    ROAMING_RESTRICTED_DUE_TO_UNSUPPORTED_FEATURE = 128
    TRACE_DATA_WITHDRAWAL = 256
    CSG_DELETED = 512
    APN_OI_REPLACEMENT = 1024


class ClrFlags(IntFlag):
    """CLR-Flags (TS 29.272 7.3.152)."""

    S6A_S6D = 1
    REATTACH_REQUIRED = 2


class OdbFlags(IntFlag):
    """Operator-Determined-Barring (TS 29.272 7.3.30)."""

    ALL_PACKET_ORIENTED_SERVICES = 1
    ROAMER_ACCESS_TO_HPLMN_AP = 2
    ROAMER_ACCESS_TO_VPLMN_AP = 4
    ALL_OUTGOING_CALLS = 8
    ALL_OUTGOING_INTERNATIONAL_CALLS = 16
    ALL_OUTGOING_INTERNATIONAL_CALLS_EXCEPT_HOME = 32
    ALL_OUTGOING_INTERZONAL_CALLS = 64


ENUMERATIONS: dict[str, type[IntEnum]] = {
    "Result-Code": ResultCode,
    "Experimental-Result-Code": ExperimentalResult,
    "Auth-Session-State": AuthSessionState,
    "Disconnect-Cause": DisconnectCause,
    "Equipment-Status": EquipmentStatus,
    "Cancellation-Type": CancellationType,
    "Subscriber-Status": SubscriberStatus,
    "Network-Access-Mode": NetworkAccessMode,
    "PDN-Type": PdnType,
    "All-APN-Configurations-Included-Indicator": AllApnConfigurations,
    "Alert-Reason": AlertReason,
    "User-State": UserState,
    "Error-Diagnostic": ErrorDiagnostic,
    "RAT-Type": RatType,
    "SMS-Register-Request": SmsRegisterRequest,
}
"""The enumeration of each AVP that has one, by the AVP's name; used to name values in dissections."""

CLOSED_ENUMERATIONS = frozenset(
    {
        "Auth-Session-State",
        "Disconnect-Cause",
        "Equipment-Status",
        "Cancellation-Type",
        "Subscriber-Status",
        "Network-Access-Mode",
        "All-APN-Configurations-Included-Indicator",
        "Alert-Reason",
    }
)
"""AVPs whose other values are invalid (5004); the rest grow with each release and are let through."""

RESULT_NUMBERS = Values("a result code", named=frozenset(map(int, (*ResultCode, *ExperimentalResult))))
"""Result-Code and Experimental-Result-Code as numbers."""
