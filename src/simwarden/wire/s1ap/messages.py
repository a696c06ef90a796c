"""The messages of S1AP as a table (TS 36.413 9.1): procedure, criticality, and for each element its rules.

An element reads `name criticality presence`: criticality r(eject), i(gnore) or n(otify), presence m(andatory) or
o(ptional, also for conditional ones, whose condition is the procedure's business). Elements that the specification has
and the table lacks are unknown to us, and handled by the criticality that the sender gave them (10.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, NamedTuple

from simwarden.wire.s1ap.enums import Criticality, TriggeringMessage
from simwarden.wire.s1ap.ies import IES, Ie


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
#: elementary procedures (9.3.3): code and criticality; initiating message, successful and unsuccessful outcome
Procedures = Mapping[tuple[int, str], Mapping[str, str]]

_UE = "mme_ue_s1ap_id rm / enb_ue_s1ap_id rm"
_UE_ANSWER = "mme_ue_s1ap_id im / enb_ue_s1ap_id im"
_FAILURE = f"{_UE_ANSWER} / cause im / criticality_diagnostics io"
_P = Procedure
_PROCEDURES: Final[Procedures] = {
    (_P.HANDOVER_PREPARATION, "r"): {
        "handover-required": f"{_UE} / handover_type rm / cause im / target_id rm / "
        "direct_forwarding_path_availability io / source_to_target_transparent_container rm",
        "handover-command": f"{_UE} / handover_type rm / e_rab_subject_to_data_forwarding_list io / "
        "e_rab_to_release_list_ho_cmd io / target_to_source_transparent_container rm / criticality_diagnostics io",
        "handover-preparation-failure": _FAILURE,
    },
    (_P.HANDOVER_RESOURCE_ALLOCATION, "r"): {
        "handover-request": "mme_ue_s1ap_id rm / handover_type rm / cause im / ue_aggregate_maximum_bitrate rm / "
        "e_rab_to_be_setup_list_ho_req rm / source_to_target_transparent_container rm / ue_security_capabilities rm / "
        "handover_restriction_list io / request_type io / srvcc_operation_possible io / security_context rm / "
        "gummei io / mme_ue_s1ap_id_2 io / masked_imeisv io",
        "handover-request-acknowledge": f"{_UE_ANSWER} / e_rab_admitted_list im / "
        "e_rab_failed_to_setup_list_ho_req_ack io / target_to_source_transparent_container rm / "
        "criticality_diagnostics io",
        "handover-failure": "mme_ue_s1ap_id im / cause im / criticality_diagnostics io",
    },
    (_P.HANDOVER_NOTIFICATION, "i"): {"handover-notify": f"{_UE} / eutran_cgi im / tai im"},
    (_P.PATH_SWITCH_REQUEST, "r"): {
        "path-switch-request": "enb_ue_s1ap_id rm / e_rab_to_be_switched_dl_list rm / source_mme_ue_s1ap_id rm / "
        "eutran_cgi im / tai im / ue_security_capabilities im / source_mme_gummei io",
        "path-switch-request-acknowledge": f"{_UE_ANSWER} / ue_aggregate_maximum_bitrate io / "
        "e_rab_to_be_switched_ul_list io / e_rab_to_be_released_list io / security_context rm / "
        "criticality_diagnostics io / mme_ue_s1ap_id_2 io / handover_restriction_list io / ue_security_capabilities io",
        "path-switch-request-failure": _FAILURE,
    },
    (_P.HANDOVER_CANCEL, "r"): {
        "handover-cancel": f"{_UE} / cause im",
        "handover-cancel-acknowledge": f"{_UE_ANSWER} / criticality_diagnostics io",
    },
    (_P.E_RAB_SETUP, "r"): {
        "e-rab-setup-request": f"{_UE} / ue_aggregate_maximum_bitrate ro / e_rab_to_be_setup_list_bearer_su_req rm",
        "e-rab-setup-response": f"{_UE_ANSWER} / e_rab_setup_list_bearer_su_res io / "
        "e_rab_failed_to_setup_list_bearer_su_res io / criticality_diagnostics io / user_location_information io",
    },
    (_P.E_RAB_MODIFY, "r"): {
        "e-rab-modify-request": f"{_UE} / ue_aggregate_maximum_bitrate ro / "
        "e_rab_to_be_modified_list_bearer_mod_req rm",
        "e-rab-modify-response": f"{_UE_ANSWER} / e_rab_modify_list_bearer_mod_res io / "
        "e_rab_failed_to_modify_list io / criticality_diagnostics io / user_location_information io",
    },
    (_P.E_RAB_RELEASE_INDICATION, "i"): {
        "e-rab-release-indication": f"{_UE} / e_rab_released_list im / user_location_information io",
    },
    (_P.E_RAB_RELEASE, "r"): {
        "e-rab-release-command": f"{_UE} / ue_aggregate_maximum_bitrate ro / e_rab_to_be_released_list im / nas_pdu io",
        "e-rab-release-response": f"{_UE_ANSWER} / e_rab_release_list_bearer_rel_comp io / "
        "e_rab_failed_to_release_list io / criticality_diagnostics io / user_location_information io",
    },
    (_P.INITIAL_CONTEXT_SETUP, "r"): {
        "initial-context-setup-request": f"{_UE} / ue_aggregate_maximum_bitrate rm / "
        "e_rab_to_be_setup_list_ctxt_su_req rm / ue_security_capabilities rm / security_key rm / "
        "handover_restriction_list io / ue_radio_capability io / subscriber_profile_id_for_rfp io / "
        "cs_fallback_indicator ro / srvcc_operation_possible io / registered_lai io / gummei io / "
        "mme_ue_s1ap_id_2 io / additional_cs_fallback_indicator io / masked_imeisv io",
        "initial-context-setup-response": f"{_UE_ANSWER} / e_rab_setup_list_ctxt_su_res im / "
        "e_rab_failed_to_setup_list_ctxt_su_res io / criticality_diagnostics io",
        "initial-context-setup-failure": _FAILURE,
    },
    (_P.PAGING, "i"): {
        "paging": "ue_identity_index_value im / ue_paging_id im / paging_drx io / cn_domain im / tai_list im / "
        "paging_priority io / ue_radio_capability_for_paging io",
    },
    (_P.DOWNLINK_NAS_TRANSPORT, "i"): {
        "downlink-nas-transport": f"{_UE} / nas_pdu rm / handover_restriction_list io / "
        "subscriber_profile_id_for_rfp io / srvcc_operation_possible io / ue_radio_capability io / masked_imeisv io",
    },
    (_P.INITIAL_UE_MESSAGE, "i"): {
        "initial-ue-message": "enb_ue_s1ap_id rm / nas_pdu rm / tai rm / eutran_cgi im / rrc_establishment_cause im / "
        "s_tmsi ro / gummei ro / gw_transport_layer_address io / gummei_type io",
    },
    (_P.UPLINK_NAS_TRANSPORT, "i"): {
        "uplink-nas-transport": f"{_UE} / nas_pdu rm / eutran_cgi im / tai im / gw_transport_layer_address io",
    },
    (_P.RESET, "r"): {
        "reset": "cause im / reset_type rm",
        "reset-acknowledge": "ue_associated_logical_s1_connection_list_res_ack io / criticality_diagnostics io",
    },
    (_P.ERROR_INDICATION, "i"): {
        "error-indication": "mme_ue_s1ap_id io / enb_ue_s1ap_id io / cause io / criticality_diagnostics io / s_tmsi io",
    },
    (_P.NAS_NON_DELIVERY_INDICATION, "i"): {"nas-non-delivery-indication": f"{_UE} / nas_pdu im / cause im"},
    (_P.S1_SETUP, "r"): {
        "s1-setup-request": "global_enb_id rm / enb_name io / supported_tas rm / default_paging_drx im",
        "s1-setup-response": "mme_name io / served_gummeis rm / relative_mme_capacity im / "
        "mme_relay_support_indicator io / criticality_diagnostics io",
        "s1-setup-failure": "cause im / time_to_wait io / criticality_diagnostics io",
    },
    (_P.UE_CONTEXT_RELEASE_REQUEST, "i"): {
        "ue-context-release-request": f"{_UE} / cause im / gw_context_release_indication ro",
    },
    (_P.UE_CONTEXT_MODIFICATION, "r"): {
        "ue-context-modification-request": f"{_UE} / security_key ro / subscriber_profile_id_for_rfp io / "
        "ue_aggregate_maximum_bitrate io / cs_fallback_indicator ro / ue_security_capabilities ro / "
        "registered_lai io / additional_cs_fallback_indicator io / srvcc_operation_possible io",
        "ue-context-modification-response": f"{_UE_ANSWER} / criticality_diagnostics io",
        "ue-context-modification-failure": _FAILURE,
    },
    (_P.UE_CAPABILITY_INFO_INDICATION, "i"): {
        "ue-capability-info-indication": f"{_UE} / ue_radio_capability im / ue_radio_capability_for_paging io",
    },
    (_P.UE_CONTEXT_RELEASE, "r"): {
        "ue-context-release-command": "ue_s1ap_ids rm / cause im",
        "ue-context-release-complete": f"{_UE_ANSWER} / criticality_diagnostics io / user_location_information io",
    },
    (_P.ENB_STATUS_TRANSFER, "i"): {"enb-status-transfer": f"{_UE} / enb_status_transfer_transparent_container rm"},
    (_P.MME_STATUS_TRANSFER, "i"): {"mme-status-transfer": f"{_UE} / enb_status_transfer_transparent_container rm"},
    (_P.LOCATION_REPORTING_CONTROL, "i"): {"location-reporting-control": f"{_UE} / request_type im"},
    (_P.LOCATION_REPORTING_FAILURE_INDICATION, "i"): {"location-report-failure-indication": f"{_UE} / cause im"},
    (_P.LOCATION_REPORT, "i"): {"location-report": f"{_UE} / eutran_cgi im / tai im / request_type im"},
    (_P.OVERLOAD_START, "i"): {
        "overload-start": "overload_response rm / gummei_list io / traffic_load_reduction_indication io",
    },
    (_P.OVERLOAD_STOP, "r"): {"overload-stop": "gummei_list io"},
}


def _rule(text: str, ies: Mapping[str, Ie]) -> Rule:
    name, flags = text.split()
    ie, kind = ies[name], _CRITICALITIES[flags[0]]
    return Rule(ie, kind, flags[1] == "m", ie.identity.to_bytes(2, "big") + bytes((kind << 6,)))


def make_specs(ies: Mapping[str, Ie], procedures: Procedures) -> dict[str, Spec]:
    """Return the messages of a table of procedures by name."""
    specs = {}
    for (procedure, criticality), messages in procedures.items():
        for kind, (name, text) in zip(MessageType, messages.items(), strict=False):
            rules = tuple(_rule(each, ies) for each in text.split(" / "))
            by_identity = {rule.ie.identity: rule for rule in rules}
            mandatory = tuple(rule for rule in rules if rule.mandatory)
            specs[name] = Spec(name, procedure, kind, _CRITICALITIES[criticality], rules, by_identity, mandatory)
    return specs


SPECS: Final = make_specs(IES, _PROCEDURES)
BY_CODE: Final[dict[tuple[int, int], Spec]] = {(spec.type, spec.procedure): spec for spec in SPECS.values()}
