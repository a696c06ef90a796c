"""The enumerations of S1AP (TS 36.413 9.2, 9.3.4), members in the order of their encoding."""

from __future__ import annotations

from enum import IntEnum


class S1apEnum(IntEnum):
    """An enumeration that knows its values' names in the specification."""

    @property
    def spec_name(self) -> str:
        """The value's name in the ASN.1 of the specification."""
        plain = self.name.lower().replace("_", "-")
        return _SPELLED.get(plain, plain)

    @property
    def text(self) -> str:
        """The value as `dissect` shows it: a cause with its class before it (`radioNetwork: user-inactivity`)."""
        kind = type(self).__name__
        name = kind.removeprefix("Cause")
        return self.spec_name if name == kind else f"{name[0].lower()}{name[1:]}: {self.spec_name}"

    @classmethod
    def shown(cls) -> tuple[str, ...]:
        """Return all values as `dissect` shows them."""
        return tuple(each.text for each in cls)


class CauseRadioNetwork(S1apEnum):
    """Reasons in the radio network (9.2.1.3)."""

    UNSPECIFIED = 0
    TX2RELOCOVERALL_EXPIRY = 1
    SUCCESSFUL_HANDOVER = 2
    RELEASE_DUE_TO_EUTRAN_GENERATED_REASON = 3
    HANDOVER_CANCELLED = 4
    PARTIAL_HANDOVER = 5
    HO_FAILURE_IN_TARGET_EPC_ENB_OR_TARGET_SYSTEM = 6
    HO_TARGET_NOT_ALLOWED = 7
    TS1RELOCOVERALL_EXPIRY = 8
    TS1RELOCPREP_EXPIRY = 9
    CELL_NOT_AVAILABLE = 10
    UNKNOWN_TARGET_ID = 11
    NO_RADIO_RESOURCES_AVAILABLE_IN_TARGET_CELL = 12
    UNKNOWN_MME_UE_S1AP_ID = 13
    UNKNOWN_ENB_UE_S1AP_ID = 14
    UNKNOWN_PAIR_UE_S1AP_ID = 15
    HANDOVER_DESIRABLE_FOR_RADIO_REASON = 16
    TIME_CRITICAL_HANDOVER = 17
    RESOURCE_OPTIMISATION_HANDOVER = 18
    REDUCE_LOAD_IN_SERVING_CELL = 19
    USER_INACTIVITY = 20
    RADIO_CONNECTION_WITH_UE_LOST = 21
    LOAD_BALANCING_TAU_REQUIRED = 22
    CS_FALLBACK_TRIGGERED = 23
    UE_NOT_AVAILABLE_FOR_PS_SERVICE = 24
    RADIO_RESOURCES_NOT_AVAILABLE = 25
    FAILURE_IN_RADIO_INTERFACE_PROCEDURE = 26
    INVALID_QOS_COMBINATION = 27
    INTERRAT_REDIRECTION = 28
    INTERACTION_WITH_OTHER_PROCEDURE = 29
    UNKNOWN_E_RAB_ID = 30
    MULTIPLE_E_RAB_ID_INSTANCES = 31
    ENCRYPTION_AND_OR_INTEGRITY_PROTECTION_ALGORITHMS_NOT_SUPPORTED = 32
    S1_INTRA_SYSTEM_HANDOVER_TRIGGERED = 33
    S1_INTER_SYSTEM_HANDOVER_TRIGGERED = 34
    X2_HANDOVER_TRIGGERED = 35
    REDIRECTION_TOWARDS_1XRTT = 36
    NOT_SUPPORTED_QCI_VALUE = 37
    INVALID_CSG_ID = 38
    RELEASE_DUE_TO_PRE_EMPTION = 39
    N26_INTERFACE_NOT_AVAILABLE = 40
    INSUFFICIENT_UE_CAPABILITIES = 41
    MAXIMUM_BEARER_PRE_EMPTION_RATE_EXCEEDED = 42
    UP_INTEGRITY_PROTECTION_NOT_POSSIBLE = 43
    RELEASE_DUE_TO_DISCONTINUOUS_COVERAGE = 44


class CauseTransport(S1apEnum):
    """Reasons in the transport network (9.2.1.3)."""

    TRANSPORT_RESOURCE_UNAVAILABLE = 0
    UNSPECIFIED = 1


class CauseNas(S1apEnum):
    """Reasons from NAS (9.2.1.3)."""

    NORMAL_RELEASE = 0
    AUTHENTICATION_FAILURE = 1
    DETACH = 2
    UNSPECIFIED = 3
    CSG_SUBSCRIPTION_EXPIRY = 4
    UE_NOT_IN_PLMN_SERVING_AREA = 5
    IAB_NOT_AUTHORIZED = 6


class CauseProtocol(S1apEnum):
    """Protocol errors (9.2.1.3, 10)."""

    TRANSFER_SYNTAX_ERROR = 0
    ABSTRACT_SYNTAX_ERROR_REJECT = 1
    ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY = 2
    MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE = 3
    SEMANTIC_ERROR = 4
    ABSTRACT_SYNTAX_ERROR_FALSELY_CONSTRUCTED_MESSAGE = 5
    UNSPECIFIED = 6


class CauseMisc(S1apEnum):
    """Other reasons (9.2.1.3)."""

    CONTROL_PROCESSING_OVERLOAD = 0
    NOT_ENOUGH_USER_PLANE_PROCESSING_RESOURCES = 1
    HARDWARE_FAILURE = 2
    OM_INTERVENTION = 3
    UNSPECIFIED = 4
    UNKNOWN_PLMN = 5


class HandoverType(S1apEnum):
    """From which radio to which (9.2.1.13)."""

    INTRALTE = 0
    LTETOUTRAN = 1
    LTETOGERAN = 2
    UTRANTOLTE = 3
    GERANTOLTE = 4
    EPS_TO_5GS = 5
    FIVEGS_TO_EPS = 6


class RrcEstablishmentCause(S1apEnum):
    """Why the device asked for a connection (9.2.1.3a)."""

    EMERGENCY = 0
    HIGH_PRIORITY_ACCESS = 1
    MT_ACCESS = 2
    MO_SIGNALLING = 3
    MO_DATA = 4
    DELAY_TOLERANT_ACCESS = 5
    MO_VOICE_CALL = 6
    MO_EXCEPTION_DATA = 7


class GummeiType(S1apEnum):
    """Whether a GUMMEI is the device's own or mapped from another radio (8.6.2.1)."""

    NATIVE = 0
    MAPPED = 1
    MAPPED_FROM_5G = 2


class CnDomain(S1apEnum):
    """For which domain a device is paged (9.2.3.22)."""

    PS = 0
    CS = 1


class PagingDrx(S1apEnum):
    """Paging cycle in radio frames (9.2.1.16)."""

    V32 = 0
    V64 = 1
    V128 = 2
    V256 = 3


class PagingPriority(S1apEnum):
    """Priority of a paging (9.2.1.78)."""

    PRIOLEVEL1 = 0
    PRIOLEVEL2 = 1
    PRIOLEVEL3 = 2
    PRIOLEVEL4 = 3
    PRIOLEVEL5 = 4
    PRIOLEVEL6 = 5
    PRIOLEVEL7 = 6
    PRIOLEVEL8 = 7


class TimeToWait(S1apEnum):
    """How long to wait before trying again (9.2.1.61)."""

    V1S = 0
    V2S = 1
    V5S = 2
    V10S = 3
    V20S = 4
    V60S = 5


class OverloadAction(S1apEnum):
    """Which connections an overloaded MME wants refused (9.2.3.20)."""

    REJECT_NON_EMERGENCY_MO_DT = 0
    REJECT_RRC_CR_SIGNALLING = 1
    PERMIT_EMERGENCY_SESSIONS_AND_MOBILE_TERMINATED_SERVICES_ONLY = 2
    PERMIT_HIGH_PRIORITY_SESSIONS_AND_MOBILE_TERMINATED_SERVICES_ONLY = 3
    REJECT_DELAY_TOLERANT_ACCESS = 4
    PERMIT_HIGH_PRIORITY_SESSIONS_AND_EXCEPTION_REPORTING_AND_MOBILE_TERMINATED_SERVICES_ONLY = 5
    NOT_ACCEPT_MO_DATA_OR_DELAY_TOLERANT_ACCESS_FROM_CP_CIOT = 6


class CsFallbackIndicator(S1apEnum):
    """The device goes to 2G or 3G for a call (9.2.3.21)."""

    CS_FALLBACK_REQUIRED = 0
    CS_FALLBACK_HIGH_PRIORITY = 1


class AdditionalCsFallbackIndicator(S1apEnum):
    """Whether forbidden areas count in that (9.2.3.37)."""

    NO_RESTRICTION = 0
    RESTRICTION = 1


class SrvccOperationPossible(S1apEnum):
    """Calls can be handed to 2G or 3G (9.2.1.58)."""

    POSSIBLE = 0


class PreEmptionCapability(S1apEnum):
    """Whether a bearer may push out others (9.2.1.60)."""

    SHALL_NOT_TRIGGER_PRE_EMPTION = 0
    MAY_TRIGGER_PRE_EMPTION = 1


class PreEmptionVulnerability(S1apEnum):
    """Whether a bearer may be pushed out (9.2.1.60)."""

    NOT_PRE_EMPTABLE = 0
    PRE_EMPTABLE = 1


class ForbiddenInterRats(S1apEnum):
    """Radios that a handover must not go to (9.2.1.22)."""

    ALL = 0
    GERAN = 1
    UTRAN = 2
    CDMA2000 = 3
    GERAN_AND_UTRAN = 4
    CDMA2000_AND_UTRAN = 5


class TypeOfError(S1apEnum):
    """What is wrong with an IE (9.2.1.21)."""

    NOT_UNDERSTOOD = 0
    MISSING = 1


class DlForwarding(S1apEnum):
    """Data on its way down is worth forwarding (9.2.3.14)."""

    DL_FORWARDING_PROPOSED = 0


class DirectForwardingPathAvailability(S1apEnum):
    """The eNBs can forward data to each other (9.2.3.15)."""

    DIRECT_PATH_AVAILABLE = 0


class MmeRelaySupportIndicator(S1apEnum):
    """The MME serves relay nodes (9.2.1.82)."""

    TRUE = 0


class EventType(S1apEnum):
    """When location is reported (9.2.1.34)."""

    DIRECT = 0
    CHANGE_OF_SERVE_CELL = 1
    STOP_CHANGE_OF_SERVE_CELL = 2


class ReportArea(S1apEnum):
    """What is reported as location (9.2.1.34)."""

    ECGI = 0


class CellSize(S1apEnum):
    """Size of a cell (9.2.1.66)."""

    VERYSMALL = 0
    SMALL = 1
    MEDIUM = 2
    LARGE = 3


class GwContextReleaseIndication(S1apEnum):
    """The home eNB's gateway lets go too."""

    TRUE = 0


class Criticality(S1apEnum):
    """What to do with an IE that is not understood (9.1.2.1)."""

    REJECT = 0
    IGNORE = 1
    NOTIFY = 2


class TriggeringMessage(S1apEnum):
    """Which kind of message a diagnosis is about (9.2.1.21)."""

    INITIATING_MESSAGE = 0
    SUCCESSFUL_OUTCOME = 1
    UNSUCCESSFULL_OUTCOME = 2


class ResetAll(S1apEnum):
    """The whole S1 interface is reset (9.1.8.1)."""

    RESET_ALL = 0


# spelled otherwise than their members here
_SPELLED = {
    "ho-failure-in-target-epc-enb-or-target-system": "ho-failure-in-target-EPC-eNB-or-target-system",
    "ts1relocoverall-expiry": "tS1relocoverall-expiry",
    "ts1relocprep-expiry": "tS1relocprep-expiry",
    "unknown-target-id": "unknown-targetID",
    "unknown-e-rab-id": "unknown-E-RAB-ID",
    "multiple-e-rab-id-instances": "multiple-E-RAB-ID-instances",
    "redirection-towards-1xrtt": "redirection-towards-1xRTT",
    "not-supported-qci-value": "not-supported-QCI-value",
    "invalid-csg-id": "invalid-CSG-Id",
    "ue-not-in-plmn-serving-area": "uE-not-in-PLMN-serving-area",
    "unknown-plmn": "unknown-PLMN",
    "high-priority-access": "highPriorityAccess",
    "mt-access": "mt-Access",
    "mo-signalling": "mo-Signalling",
    "mo-data": "mo-Data",
    "delay-tolerant-access": "delay-TolerantAccess",
    "mo-voice-call": "mo-VoiceCall",
    "mo-exception-data": "mo-ExceptionData",
    "mapped-from-5g": "mappedFrom5G",
    "not-accept-mo-data-or-delay-tolerant-access-from-cp-ciot": (
        "not-accept-mo-data-or-delay-tolerant-access-from-CP-CIoT"
    ),
    "geran-and-utran": "geranandutran",
    "cdma2000-and-utran": "cdma2000andutran",
    "dl-forwarding-proposed": "dL-Forwarding-proposed",
    "direct-path-available": "directPathAvailable",
}
