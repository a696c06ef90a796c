"""The messages of X2AP that setting up, handover and their errors need, as a table (TS 36.423 9.1); see S1AP's."""

from __future__ import annotations

from enum import IntEnum

from simwarden.wire.s1ap.messages import MessageType, Spec, make_spec
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


_I, _S, _U = MessageType.INITIATING, MessageType.SUCCESSFUL, MessageType.UNSUCCESSFUL
_P = Procedure
_DIAGNOSTICS = "criticality_diagnostics io"
_BOTH = "old_enb_ue_x2ap_id rm / new_enb_ue_x2ap_id rm"
_TABLE: tuple[tuple[str, Procedure, MessageType, str, str], ...] = (
    (
        "handover-request",
        _P.HANDOVER_PREPARATION,
        _I,
        "r",
        (
            "old_enb_ue_x2ap_id rm / cause im / target_cell_id rm / gummei_id rm / ue_context_information rm / "
            "ue_history_information im"
        ),
    ),
    (
        "handover-request-acknowledge",
        _P.HANDOVER_PREPARATION,
        _S,
        "r",
        "old_enb_ue_x2ap_id im / new_enb_ue_x2ap_id im / e_rabs_admitted_list im / e_rabs_not_admitted_list io / "
        "target_enb_to_source_enb_transparent_container im / " + _DIAGNOSTICS,
    ),
    (
        "handover-preparation-failure",
        _P.HANDOVER_PREPARATION,
        _U,
        "r",
        "old_enb_ue_x2ap_id im / cause im / " + _DIAGNOSTICS,
    ),
    ("handover-cancel", _P.HANDOVER_CANCEL, _I, "i", "old_enb_ue_x2ap_id rm / new_enb_ue_x2ap_id io / cause im"),
    (
        "error-indication",
        _P.ERROR_INDICATION,
        _I,
        "i",
        "old_enb_ue_x2ap_id io / new_enb_ue_x2ap_id io / cause io / " + _DIAGNOSTICS,
    ),
    ("sn-status-transfer", _P.SN_STATUS_TRANSFER, _I, "i", _BOTH + " / e_rabs_subject_to_status_transfer_list im"),
    ("ue-context-release", _P.UE_CONTEXT_RELEASE, _I, "i", _BOTH),
    ("x2-setup-request", _P.X2_SETUP, _I, "r", "global_enb_id rm / served_cells rm / gu_group_id_list ro"),
    (
        "x2-setup-response",
        _P.X2_SETUP,
        _S,
        "r",
        "global_enb_id rm / served_cells rm / gu_group_id_list ro / " + _DIAGNOSTICS,
    ),
    ("x2-setup-failure", _P.X2_SETUP, _U, "r", "cause im / time_to_wait io / " + _DIAGNOSTICS),
    ("reset-request", _P.RESET, _I, "r", "cause im"),
    ("reset-response", _P.RESET, _S, "r", _DIAGNOSTICS),
)

SPECS: dict[str, Spec] = {row[0]: make_spec(IES, row) for row in _TABLE}
BY_CODE: dict[tuple[int, int], Spec] = {(spec.type, spec.procedure): spec for spec in SPECS.values()}
