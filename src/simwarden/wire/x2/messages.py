"""The messages of X2AP that setting up, handover and their errors need, as a table (TS 36.423 9.1); see S1AP's."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from simwarden.wire.s1ap.messages import Procedures, Spec, make_specs
from simwarden.wire.x2.ies import IES


class Procedure(IntEnum):
    """Elementary procedures by their codes (9.3.7)."""

    HANDOVER_PREPARATION = 0
    HANDOVER_CANCEL = 1
    ERROR_INDICATION = 3
    SN_STATUS_TRANSFER = 4
    UE_CONTEXT_RELEASE = 5
    X2_SETUP = 6
    RESET = 7


_BOTH = "old_enb_ue_x2ap_id rm / new_enb_ue_x2ap_id rm"
_P = Procedure
_PROCEDURES: Final[Procedures] = {
    (_P.HANDOVER_PREPARATION, "r"): {
        "handover-request": "old_enb_ue_x2ap_id rm / cause im / target_cell_id rm / gummei_id rm / "
        "ue_context_information rm / ue_history_information im",
        "handover-request-acknowledge": "old_enb_ue_x2ap_id im / new_enb_ue_x2ap_id im / e_rabs_admitted_list im / "
        "e_rabs_not_admitted_list io / target_enb_to_source_enb_transparent_container im / criticality_diagnostics io",
        "handover-preparation-failure": "old_enb_ue_x2ap_id im / cause im / criticality_diagnostics io",
    },
    (_P.HANDOVER_CANCEL, "i"): {"handover-cancel": "old_enb_ue_x2ap_id rm / new_enb_ue_x2ap_id io / cause im"},
    (_P.ERROR_INDICATION, "i"): {
        "error-indication": "old_enb_ue_x2ap_id io / new_enb_ue_x2ap_id io / cause io / criticality_diagnostics io",
    },
    (_P.SN_STATUS_TRANSFER, "i"): {"sn-status-transfer": f"{_BOTH} / e_rabs_subject_to_status_transfer_list im"},
    (_P.UE_CONTEXT_RELEASE, "i"): {"ue-context-release": _BOTH},
    (_P.X2_SETUP, "r"): {
        "x2-setup-request": "global_enb_id rm / served_cells rm / gu_group_id_list ro",
        "x2-setup-response": "global_enb_id rm / served_cells rm / gu_group_id_list ro / criticality_diagnostics io",
        "x2-setup-failure": "cause im / time_to_wait io / criticality_diagnostics io",
    },
    (_P.RESET, "r"): {
        "reset-request": "cause im",
        "reset-response": "criticality_diagnostics io",
    },
}

SPECS: Final = make_specs(IES, _PROCEDURES)
BY_CODE: Final[dict[tuple[int, int], Spec]] = {(spec.type, spec.procedure): spec for spec in SPECS.values()}
