"""The messages of S1AP as a table (TS 36.413 9.1): procedure, criticality, and for each element its rules.

An element reads `name criticality presence`: criticality r(eject), i(gnore) or n(otify), presence m(andatory) or
o(ptional, also for conditional ones, whose condition is the procedure's business). Elements that the specification has
and the table lacks are unknown to us, and handled by the criticality that the sender gave them (10.3).
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from simwarden.wire.s1ap.enums import Criticality, TriggeringMessage
from simwarden.wire.s1ap.ies import IES, Ie

if TYPE_CHECKING:
    from collections.abc import Mapping


class Procedure(IntEnum):
    """Elementary procedures by their codes (9.3.7)."""

    HANDOVER_PREPARATION = 0
    HANDOVER_RESOURCE_ALLOCATION = 1
    HANDOVER_NOTIFICATION = 2
    PATH_SWITCH_REQUEST = 3
    HANDOVER_CANCEL = 4
    E_RAB_SETUP = 5
    E_RAB_MODIFY = 6
    E_RAB_RELEASE = 7
    E_RAB_RELEASE_INDICATION = 8
    INITIAL_CONTEXT_SETUP = 9
    PAGING = 10
    DOWNLINK_NAS_TRANSPORT = 11
    INITIAL_UE_MESSAGE = 12
    UPLINK_NAS_TRANSPORT = 13
    RESET = 14
    ERROR_INDICATION = 15
    NAS_NON_DELIVERY_INDICATION = 16
    S1_SETUP = 17
    UE_CONTEXT_RELEASE_REQUEST = 18
    UE_CONTEXT_MODIFICATION = 21
    UE_CAPABILITY_INFO_INDICATION = 22
    UE_CONTEXT_RELEASE = 23
    ENB_STATUS_TRANSFER = 24
    MME_STATUS_TRANSFER = 25
    LOCATION_REPORTING_CONTROL = 31
    LOCATION_REPORTING_FAILURE_INDICATION = 32
    LOCATION_REPORT = 33
    OVERLOAD_START = 34
    OVERLOAD_STOP = 35


class MessageType(IntEnum):
    """What a message is to its procedure; also the alternative of S1AP-PDU."""

    INITIATING = TriggeringMessage.INITIATING_MESSAGE
    SUCCESSFUL = TriggeringMessage.SUCCESSFUL_OUTCOME
    UNSUCCESSFUL = TriggeringMessage.UNSUCCESSFULL_OUTCOME


class Rule(NamedTuple):
    """An element of a message."""

    ie: Ie
    criticality: Criticality
    mandatory: bool
    head: bytes  # identity and criticality as encoded


class Spec(NamedTuple):
    """A message: its name, and its elements in their order."""

    name: str
    procedure: int
    type: MessageType
    criticality: Criticality
    rules: tuple[Rule, ...]
    by_identity: dict[int, Rule]
    mandatory: tuple[Rule, ...]


_CRITICALITIES = {"r": Criticality.REJECT, "i": Criticality.IGNORE, "n": Criticality.NOTIFY}
_UE = "mme_ue_s1ap_id rm / enb_ue_s1ap_id rm / "
_UE_ANSWER = "mme_ue_s1ap_id im / enb_ue_s1ap_id im / "
_DIAGNOSTICS = "criticality_diagnostics io"
_FAILURE = _UE_ANSWER + "cause im / " + _DIAGNOSTICS
_HANDOVER_EXTRAS = (
    "handover_restriction_list io / request_type io / srvcc_operation_possible io / security_context rm / gummei io / "
    "mme_ue_s1ap_id_2 io / masked_imeisv io"
)

_I, _S, _U = MessageType.INITIATING, MessageType.SUCCESSFUL, MessageType.UNSUCCESSFUL
_P = Procedure
# name, procedure, type, criticality of the procedure, elements
_TABLE: tuple[tuple[str, Procedure, MessageType, str, str], ...] = (
    (
        "handover-required",
        _P.HANDOVER_PREPARATION,
        _I,
        "r",
        _UE + "handover_type rm / cause im / target_id rm / direct_forwarding_path_availability io / "
        "source_to_target_transparent_container rm",
    ),
    (
        "handover-command",
        _P.HANDOVER_PREPARATION,
        _S,
        "r",
        _UE + "handover_type rm / e_rab_subject_to_data_forwarding_list io / e_rab_to_release_list_ho_cmd io / "
        "target_to_source_transparent_container rm / " + _DIAGNOSTICS,
    ),
    ("handover-preparation-failure", _P.HANDOVER_PREPARATION, _U, "r", _FAILURE),
    (
        "handover-request",
        _P.HANDOVER_RESOURCE_ALLOCATION,
        _I,
        "r",
        "mme_ue_s1ap_id rm / handover_type rm / cause im / ue_aggregate_maximum_bitrate rm / "
        "e_rab_to_be_setup_list_ho_req rm / source_to_target_transparent_container rm / ue_security_capabilities rm / "
        + _HANDOVER_EXTRAS,
    ),
    (
        "handover-request-acknowledge",
        _P.HANDOVER_RESOURCE_ALLOCATION,
        _S,
        "r",
        _UE_ANSWER + "e_rab_admitted_list im / e_rab_failed_to_setup_list_ho_req_ack io / "
        "target_to_source_transparent_container rm / " + _DIAGNOSTICS,
    ),
    (
        "handover-failure",
        _P.HANDOVER_RESOURCE_ALLOCATION,
        _U,
        "r",
        "mme_ue_s1ap_id im / cause im / " + _DIAGNOSTICS,
    ),
    ("handover-notify", _P.HANDOVER_NOTIFICATION, _I, "i", _UE + "eutran_cgi im / tai im"),
    (
        "path-switch-request",
        _P.PATH_SWITCH_REQUEST,
        _I,
        "r",
        (
            "enb_ue_s1ap_id rm / e_rab_to_be_switched_dl_list rm / source_mme_ue_s1ap_id rm / eutran_cgi im / tai im / "
            "ue_security_capabilities im / source_mme_gummei io"
        ),
    ),
    (
        "path-switch-request-acknowledge",
        _P.PATH_SWITCH_REQUEST,
        _S,
        "r",
        _UE_ANSWER + "ue_aggregate_maximum_bitrate io / e_rab_to_be_switched_ul_list io / "
        "e_rab_to_be_released_list io / security_context rm / "
        + _DIAGNOSTICS
        + " / mme_ue_s1ap_id_2 io / handover_restriction_list io / "
        "ue_security_capabilities io",
    ),
    ("path-switch-request-failure", _P.PATH_SWITCH_REQUEST, _U, "r", _FAILURE),
    ("handover-cancel", _P.HANDOVER_CANCEL, _I, "r", _UE + "cause im"),
    ("handover-cancel-acknowledge", _P.HANDOVER_CANCEL, _S, "r", _UE_ANSWER + _DIAGNOSTICS),
    (
        "e-rab-setup-request",
        _P.E_RAB_SETUP,
        _I,
        "r",
        _UE + "ue_aggregate_maximum_bitrate ro / e_rab_to_be_setup_list_bearer_su_req rm",
    ),
    (
        "e-rab-setup-response",
        _P.E_RAB_SETUP,
        _S,
        "r",
        _UE_ANSWER
        + "e_rab_setup_list_bearer_su_res io / e_rab_failed_to_setup_list_bearer_su_res io / "
        + _DIAGNOSTICS
        + " / user_location_information io",
    ),
    (
        "e-rab-modify-request",
        _P.E_RAB_MODIFY,
        _I,
        "r",
        _UE + "ue_aggregate_maximum_bitrate ro / e_rab_to_be_modified_list_bearer_mod_req rm",
    ),
    (
        "e-rab-modify-response",
        _P.E_RAB_MODIFY,
        _S,
        "r",
        _UE_ANSWER
        + "e_rab_modify_list_bearer_mod_res io / e_rab_failed_to_modify_list io / "
        + _DIAGNOSTICS
        + " / user_location_information io",
    ),
    (
        "e-rab-release-indication",
        _P.E_RAB_RELEASE_INDICATION,
        _I,
        "i",
        _UE + "e_rab_released_list im / user_location_information io",
    ),
    (
        "e-rab-release-command",
        _P.E_RAB_RELEASE,
        _I,
        "r",
        _UE + "ue_aggregate_maximum_bitrate ro / e_rab_to_be_released_list im / nas_pdu io",
    ),
    (
        "e-rab-release-response",
        _P.E_RAB_RELEASE,
        _S,
        "r",
        _UE_ANSWER
        + "e_rab_release_list_bearer_rel_comp io / e_rab_failed_to_release_list io / "
        + _DIAGNOSTICS
        + " / user_location_information io",
    ),
    (
        "initial-context-setup-request",
        _P.INITIAL_CONTEXT_SETUP,
        _I,
        "r",
        _UE + "ue_aggregate_maximum_bitrate rm / e_rab_to_be_setup_list_ctxt_su_req rm / ue_security_capabilities rm / "
        "security_key rm / handover_restriction_list io / ue_radio_capability io / subscriber_profile_id_for_rfp io / "
        "cs_fallback_indicator ro / srvcc_operation_possible io / registered_lai io / gummei io / "
        "mme_ue_s1ap_id_2 io / additional_cs_fallback_indicator io / masked_imeisv io",
    ),
    (
        "initial-context-setup-response",
        _P.INITIAL_CONTEXT_SETUP,
        _S,
        "r",
        _UE_ANSWER + "e_rab_setup_list_ctxt_su_res im / e_rab_failed_to_setup_list_ctxt_su_res io / " + _DIAGNOSTICS,
    ),
    ("initial-context-setup-failure", _P.INITIAL_CONTEXT_SETUP, _U, "r", _FAILURE),
    (
        "paging",
        _P.PAGING,
        _I,
        "i",
        (
            "ue_identity_index_value im / ue_paging_id im / paging_drx io / cn_domain im / tai_list im / "
            "paging_priority io / ue_radio_capability_for_paging io"
        ),
    ),
    (
        "downlink-nas-transport",
        _P.DOWNLINK_NAS_TRANSPORT,
        _I,
        "i",
        _UE + "nas_pdu rm / handover_restriction_list io / subscriber_profile_id_for_rfp io / "
        "srvcc_operation_possible io / ue_radio_capability io / masked_imeisv io",
    ),
    (
        "initial-ue-message",
        _P.INITIAL_UE_MESSAGE,
        _I,
        "i",
        (
            "enb_ue_s1ap_id rm / nas_pdu rm / tai rm / eutran_cgi im / rrc_establishment_cause im / s_tmsi ro / "
            "gummei ro / gw_transport_layer_address io / gummei_type io"
        ),
    ),
    (
        "uplink-nas-transport",
        _P.UPLINK_NAS_TRANSPORT,
        _I,
        "i",
        _UE + "nas_pdu rm / eutran_cgi im / tai im / gw_transport_layer_address io",
    ),
    ("reset", _P.RESET, _I, "r", "cause im / reset_type rm"),
    ("reset-acknowledge", _P.RESET, _S, "r", "ue_associated_logical_s1_connection_list_res_ack io / " + _DIAGNOSTICS),
    (
        "error-indication",
        _P.ERROR_INDICATION,
        _I,
        "i",
        "mme_ue_s1ap_id io / enb_ue_s1ap_id io / cause io / " + _DIAGNOSTICS + " / s_tmsi io",
    ),
    ("nas-non-delivery-indication", _P.NAS_NON_DELIVERY_INDICATION, _I, "i", _UE + "nas_pdu im / cause im"),
    (
        "s1-setup-request",
        _P.S1_SETUP,
        _I,
        "r",
        "global_enb_id rm / enb_name io / supported_tas rm / default_paging_drx im",
    ),
    (
        "s1-setup-response",
        _P.S1_SETUP,
        _S,
        "r",
        "mme_name io / served_gummeis rm / relative_mme_capacity im / mme_relay_support_indicator io / " + _DIAGNOSTICS,
    ),
    ("s1-setup-failure", _P.S1_SETUP, _U, "r", "cause im / time_to_wait io / " + _DIAGNOSTICS),
    (
        "ue-context-release-request",
        _P.UE_CONTEXT_RELEASE_REQUEST,
        _I,
        "i",
        _UE + "cause im / gw_context_release_indication ro",
    ),
    (
        "ue-context-modification-request",
        _P.UE_CONTEXT_MODIFICATION,
        _I,
        "r",
        _UE + "security_key ro / subscriber_profile_id_for_rfp io / ue_aggregate_maximum_bitrate io / "
        "cs_fallback_indicator ro / ue_security_capabilities ro / registered_lai io / "
        "additional_cs_fallback_indicator io / srvcc_operation_possible io",
    ),
    ("ue-context-modification-response", _P.UE_CONTEXT_MODIFICATION, _S, "r", _UE_ANSWER + _DIAGNOSTICS),
    ("ue-context-modification-failure", _P.UE_CONTEXT_MODIFICATION, _U, "r", _FAILURE),
    (
        "ue-capability-info-indication",
        _P.UE_CAPABILITY_INFO_INDICATION,
        _I,
        "i",
        _UE + "ue_radio_capability im / ue_radio_capability_for_paging io",
    ),
    ("ue-context-release-command", _P.UE_CONTEXT_RELEASE, _I, "r", "ue_s1ap_ids rm / cause im"),
    (
        "ue-context-release-complete",
        _P.UE_CONTEXT_RELEASE,
        _S,
        "r",
        _UE_ANSWER + _DIAGNOSTICS + " / user_location_information io",
    ),
    ("enb-status-transfer", _P.ENB_STATUS_TRANSFER, _I, "i", _UE + "enb_status_transfer_transparent_container rm"),
    ("mme-status-transfer", _P.MME_STATUS_TRANSFER, _I, "i", _UE + "enb_status_transfer_transparent_container rm"),
    ("location-reporting-control", _P.LOCATION_REPORTING_CONTROL, _I, "i", _UE + "request_type im"),
    ("location-report-failure-indication", _P.LOCATION_REPORTING_FAILURE_INDICATION, _I, "i", _UE + "cause im"),
    ("location-report", _P.LOCATION_REPORT, _I, "i", _UE + "eutran_cgi im / tai im / request_type im"),
    (
        "overload-start",
        _P.OVERLOAD_START,
        _I,
        "i",
        "overload_response rm / gummei_list io / traffic_load_reduction_indication io",
    ),
    ("overload-stop", _P.OVERLOAD_STOP, _I, "r", "gummei_list io"),
)


def _rule(text: str, ies: Mapping[str, Ie]) -> Rule:
    name, flags = text.split()
    ie, kind = ies[name], _CRITICALITIES[flags[0]]
    return Rule(ie, kind, flags[1] == "m", ie.identity.to_bytes(2, "big") + bytes((kind << 6,)))


Row = tuple[str, int, MessageType, str, str]


def make_spec(ies: Mapping[str, Ie], row: Row) -> Spec:
    """Make a message from its row in a table: name, procedure, type, criticality, elements."""
    name, procedure, kind, criticality, elements = row
    rules = tuple(_rule(text, ies) for text in elements.split(" / "))
    by_identity = {rule.ie.identity: rule for rule in rules}
    mandatory = tuple(rule for rule in rules if rule.mandatory)
    return Spec(name, procedure, kind, _CRITICALITIES[criticality], rules, by_identity, mandatory)


SPECS: dict[str, Spec] = {row[0]: make_spec(IES, row) for row in _TABLE}
BY_CODE: dict[tuple[int, int], Spec] = {(spec.type, spec.procedure): spec for spec in SPECS.values()}
