"""The encodings of S1AP's information elements (TS 36.413 9.2, 9.3.4), and the elements of messages by name."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from simwarden.errors import PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai, check_imsi
from simwarden.wire.s1ap import enums as e
from simwarden.wire.s1ap import values as v
from simwarden.wire.s1ap.aper import (
    BitOctets,
    Bits,
    Choice,
    Enumerated,
    Integer,
    ItemList,
    Mapped,
    OctetNumber,
    OctetString,
    PrintableString,
    SequenceOf,
    Struct,
    Type,
)
from simwarden.wire.tbcd import decode_digits, encode_digits

IGNORE, REJECT = e.Criticality.IGNORE, e.Criticality.REJECT


@lru_cache(4096)
def _plmn_octets(plmn: Plmn) -> bytes:
    return plmn.to_bytes()


@lru_cache(4096)
def _plmn_of(octets: bytes) -> Plmn:
    try:
        return Plmn.from_bytes(octets)
    except ValueError as error:
        raise PeerError(str(error)) from None


def _imsi_octets(imsi: str) -> bytes:
    return encode_digits(check_imsi(imsi))


def _imsi_of(octets: bytes) -> str:
    return check_imsi(decode_digits(octets))


class _Tai(Struct):
    """TAI; by itself, as in every NAS transport, it is whole octets: 00, network, code."""

    __slots__ = ()

    def to_octets(self, value: Tai) -> bytes:
        if value.tac >> 16:
            raise ValueError(f"tracking area code {value.tac} does not fit into 2 octets")
        return b"\0" + _plmn_octets(value.plmn) + value.tac.to_bytes(2, "big")

    def from_octets(self, octets: bytes) -> Any:
        if len(octets) != 6 or octets[0]:
            return super().from_octets(octets)
        return Tai(PLMN.from_wire(octets[1:4]), octets[4] << 8 | octets[5])


class _Ecgi(Struct):
    """EUTRAN-CGI; by itself, as in every NAS transport, it is whole octets: 00, network, cell and four zero bits."""

    __slots__ = ()

    def to_octets(self, value: Ecgi) -> bytes:
        if value.cell_identity >> 28:
            raise ValueError(f"cell identity {value.cell_identity} does not fit into 28 bits")
        return b"\0" + _plmn_octets(value.plmn) + (value.cell_identity << 4).to_bytes(4, "big")

    def from_octets(self, octets: bytes) -> Any:
        if len(octets) != 8 or octets[0]:
            return super().from_octets(octets)
        return Ecgi(PLMN.from_wire(octets[1:4]), int.from_bytes(octets[4:], "big") >> 4)


PLMN = Mapped(OctetString(3, 3), _plmn_octets, _plmn_of)
MME_UE_S1AP_ID = Integer(0, 0xFFFFFFFF)
ENB_UE_S1AP_ID = Integer(0, 0xFFFFFF)
NAS_PDU = OCTETS = OctetString()
E_RAB_ID = Integer(0, 15, extensible=True)
BIT_RATE = Integer(0, 10_000_000_000)
TAC = LAC = MME_GROUP_ID = OctetNumber(2)
MME_CODE = OctetNumber(1)
GTP_TEID = M_TMSI = OctetNumber(4)
ADDRESS = BitOctets(1, 160, extensible=True)
TAI = _Tai(Tai, PLMN, TAC, parts=attrgetter("plmn", "tac"))
EUTRAN_CGI = _Ecgi(Ecgi, PLMN, Bits(28), parts=attrgetter("plmn", "cell_identity"))
S_TMSI = Struct(v.STmsi, MME_CODE, M_TMSI)
GUMMEI = Struct(v.Gummei, PLMN, MME_GROUP_ID, MME_CODE)
LAI = Struct(v.Lai, PLMN, LAC)
CAUSE = Choice(
    (e.CauseRadioNetwork, Enumerated(e.CauseRadioNetwork, 36)),
    (e.CauseTransport, Enumerated(e.CauseTransport)),
    (e.CauseNas, Enumerated(e.CauseNas, 4)),
    (e.CauseProtocol, Enumerated(e.CauseProtocol)),
    (e.CauseMisc, Enumerated(e.CauseMisc)),
)
ENB_ID = Choice(
    (v.MacroEnbId, Mapped(Bits(20), attrgetter("value"), v.MacroEnbId)),
    (v.HomeEnbId, Mapped(Bits(28), attrgetter("value"), v.HomeEnbId)),
)
GLOBAL_ENB_ID = Struct(v.GlobalEnbId, PLMN, ENB_ID)
SERVED_GUMMEIS = SequenceOf(
    Struct(v.ServedGummei, SequenceOf(PLMN, 1, 32), SequenceOf(MME_GROUP_ID, 1, 65535), SequenceOf(MME_CODE, 1, 256)),
    1,
    8,
)
NAME = PrintableString(1, 150)
_ALGORITHMS = Bits(16, extensible=True)
UE_SECURITY_CAPABILITIES = Struct(v.UeSecurityCapabilities, _ALGORITHMS, _ALGORITHMS)
UE_AGGREGATE_MAXIMUM_BITRATE = Struct(v.UeAggregateMaximumBitrate, BIT_RATE, BIT_RATE)
SECURITY_KEY = BitOctets(256)
ARP = Struct(
    v.AllocationAndRetentionPriority,
    Integer(0, 15),
    Enumerated(e.PreEmptionCapability, extensible=False),
    Enumerated(e.PreEmptionVulnerability, extensible=False),
)
GBR = Struct(v.GbrQosInformation, BIT_RATE, BIT_RATE, BIT_RATE, BIT_RATE)
QOS = Struct(v.ErabLevelQosParameters, Integer(0, 255), ARP, (GBR,))
_TUNNEL = Struct(v.ErabTunnel, E_RAB_ID, ADDRESS, GTP_TEID)
_JUST_ID = Struct(lambda e_rab_id: e_rab_id, E_RAB_ID, parts=lambda e_rab_id: (e_rab_id,))
E_RAB_LIST = ItemList(35, IGNORE, Struct(v.ErabItem, E_RAB_ID, CAUSE))
E_RAB_TO_BE_SETUP_LIST_CTXT_SU_REQ = ItemList(
    52, REJECT, Struct(v.ErabToBeSetup, E_RAB_ID, QOS, ADDRESS, GTP_TEID, (NAS_PDU,))
)
E_RAB_TO_BE_SETUP_LIST_BEARER_SU_REQ = ItemList(
    17, REJECT, Struct(v.ErabToBeSetup, E_RAB_ID, QOS, ADDRESS, GTP_TEID, NAS_PDU)
)
E_RAB_TO_BE_SETUP_LIST_HO_REQ = ItemList(27, REJECT, Struct(v.ErabToBeSetupHoReq, E_RAB_ID, ADDRESS, GTP_TEID, QOS))
E_RAB_TO_BE_MODIFIED_LIST_BEARER_MOD_REQ = ItemList(36, REJECT, Struct(v.ErabToBeModified, E_RAB_ID, QOS, NAS_PDU))
E_RAB_ADMITTED_LIST = ItemList(
    20, IGNORE, Struct(v.ErabAdmitted, E_RAB_ID, ADDRESS, GTP_TEID, (ADDRESS,), (GTP_TEID,), (ADDRESS,), (GTP_TEID,))
)
E_RAB_SUBJECT_TO_DATA_FORWARDING_LIST = ItemList(
    14, IGNORE, Struct(v.ErabDataForwarding, E_RAB_ID, (ADDRESS,), (GTP_TEID,), (ADDRESS,), (GTP_TEID,))
)
UE_S1AP_IDS = Choice((v.UeS1apIdPair, Struct(v.UeS1apIdPair, MME_UE_S1AP_ID, ENB_UE_S1AP_ID)), (int, MME_UE_S1AP_ID))
_CONNECTION = Struct(v.UeAssociatedLogicalS1Connection, (MME_UE_S1AP_ID,), (ENB_UE_S1AP_ID,))
_CRITICALITY = Enumerated(e.Criticality, extensible=False)
_DIAGNOSED_IE = Struct(v.IeCriticalityDiagnostics, _CRITICALITY, Integer(0, 65535), Enumerated(e.TypeOfError))
CRITICALITY_DIAGNOSTICS = Struct(
    v.CriticalityDiagnostics,
    (Integer(0, 255),),
    (Enumerated(e.TriggeringMessage, extensible=False),),
    (_CRITICALITY,),
    (SequenceOf(_DIAGNOSED_IE, 1, 256),),
)
HANDOVER_RESTRICTION_LIST = Struct(
    v.HandoverRestrictionList,
    PLMN,
    (SequenceOf(PLMN, 1, 15),),
    (SequenceOf(Struct(v.ForbiddenTas, PLMN, SequenceOf(TAC, 1, 4096)), 1, 16),),
    (SequenceOf(Struct(v.ForbiddenLas, PLMN, SequenceOf(LAC, 1, 4096)), 1, 16),),
    (Enumerated(e.ForbiddenInterRats, 4),),
)
COUNT = Struct(v.CountValue, Integer(0, 4095), Integer(0, 1048575))
ENB_STATUS_TRANSFER_CONTAINER = Struct(
    v.EnbStatusTransferContainer,
    ItemList(89, IGNORE, Struct(v.BearerSubjectToStatusTransfer, E_RAB_ID, COUNT, COUNT, (BitOctets(4096),))),
)
_CELL_TYPE = Struct(lambda size: size, Enumerated(e.CellSize), parts=lambda size: (size,))
_VISITED = Struct(v.LastVisitedCell, EUTRAN_CGI, _CELL_TYPE, Integer(0, 4095))
UE_HISTORY_INFORMATION = SequenceOf(Choice((v.LastVisitedCell, _VISITED), None, None), 1, 16)
SOURCE_ENB_TO_TARGET_ENB_CONTAINER = Struct(
    v.SourceEnbToTargetEnbContainer,
    OCTETS,
    (ItemList(78, IGNORE, Struct(v.ErabInformation, E_RAB_ID, (Enumerated(e.DlForwarding),))),),
    EUTRAN_CGI,
    (Integer(1, 256),),
    UE_HISTORY_INFORMATION,
)
TARGET_ENB_TO_SOURCE_ENB_CONTAINER = Struct(v.TargetEnbToSourceEnbContainer, OCTETS)


class Ie(NamedTuple):
    """An information element of messages: its identity (9.3.7), its name there in snake case, its encoding."""

    identity: int
    name: str
    type: Type


IES: dict[str, Ie] = {
    name: Ie(identity, name, kind)
    for identity, name, kind in (
        (0, "mme_ue_s1ap_id", MME_UE_S1AP_ID),
        (1, "handover_type", Enumerated(e.HandoverType, 5)),
        (2, "cause", CAUSE),
        (4, "target_id", Choice((v.TargetEnbId, Struct(v.TargetEnbId, GLOBAL_ENB_ID, TAI)), None, None)),
        (8, "enb_ue_s1ap_id", ENB_UE_S1AP_ID),
        (12, "e_rab_subject_to_data_forwarding_list", E_RAB_SUBJECT_TO_DATA_FORWARDING_LIST),
        (13, "e_rab_to_release_list_ho_cmd", E_RAB_LIST),
        (16, "e_rab_to_be_setup_list_bearer_su_req", E_RAB_TO_BE_SETUP_LIST_BEARER_SU_REQ),
        (18, "e_rab_admitted_list", E_RAB_ADMITTED_LIST),
        (19, "e_rab_failed_to_setup_list_ho_req_ack", ItemList(21, IGNORE, Struct(v.ErabItem, E_RAB_ID, CAUSE))),
        (22, "e_rab_to_be_switched_dl_list", ItemList(23, REJECT, _TUNNEL)),
        (24, "e_rab_to_be_setup_list_ctxt_su_req", E_RAB_TO_BE_SETUP_LIST_CTXT_SU_REQ),
        (26, "nas_pdu", NAS_PDU),
        (28, "e_rab_setup_list_bearer_su_res", ItemList(39, IGNORE, _TUNNEL)),
        (29, "e_rab_failed_to_setup_list_bearer_su_res", E_RAB_LIST),
        (30, "e_rab_to_be_modified_list_bearer_mod_req", E_RAB_TO_BE_MODIFIED_LIST_BEARER_MOD_REQ),
        (31, "e_rab_modify_list_bearer_mod_res", ItemList(37, IGNORE, _JUST_ID)),
        (32, "e_rab_failed_to_modify_list", E_RAB_LIST),
        (33, "e_rab_to_be_released_list", E_RAB_LIST),
        (34, "e_rab_failed_to_release_list", E_RAB_LIST),
        (41, "handover_restriction_list", HANDOVER_RESTRICTION_LIST),
        (43, "ue_paging_id", Choice((v.STmsi, S_TMSI), (str, Mapped(OctetString(3, 8), _imsi_octets, _imsi_of)))),
        (44, "paging_drx", Enumerated(e.PagingDrx)),
        (46, "tai_list", ItemList(47, IGNORE, Struct(lambda tai: tai, TAI, parts=lambda tai: (tai,)))),
        (48, "e_rab_failed_to_setup_list_ctxt_su_res", E_RAB_LIST),
        (51, "e_rab_setup_list_ctxt_su_res", ItemList(50, IGNORE, _TUNNEL)),
        (53, "e_rab_to_be_setup_list_ho_req", E_RAB_TO_BE_SETUP_LIST_HO_REQ),
        (58, "criticality_diagnostics", CRITICALITY_DIAGNOSTICS),
        (59, "global_enb_id", GLOBAL_ENB_ID),
        (60, "enb_name", NAME),
        (61, "mme_name", NAME),
        (64, "supported_tas", SequenceOf(Struct(v.SupportedTa, TAC, SequenceOf(PLMN, 1, 6)), 1, 256)),
        (65, "time_to_wait", Enumerated(e.TimeToWait)),
        (40, "security_context", Struct(v.SecurityContext, Integer(0, 7), SECURITY_KEY)),
        (66, "ue_aggregate_maximum_bitrate", UE_AGGREGATE_MAXIMUM_BITRATE),
        (67, "tai", TAI),
        (69, "e_rab_release_list_bearer_rel_comp", ItemList(15, IGNORE, _JUST_ID)),
        (73, "security_key", SECURITY_KEY),
        (74, "ue_radio_capability", OCTETS),
        (75, "gummei", GUMMEI),
        (79, "direct_forwarding_path_availability", Enumerated(e.DirectForwardingPathAvailability)),
        (80, "ue_identity_index_value", Bits(10)),
        (87, "relative_mme_capacity", Integer(0, 255)),
        (88, "source_mme_ue_s1ap_id", MME_UE_S1AP_ID),
        (90, "enb_status_transfer_transparent_container", ENB_STATUS_TRANSFER_CONTAINER),
        (92, "reset_type", Choice((e.ResetAll, Enumerated(e.ResetAll)), (tuple, ItemList(91, REJECT, _CONNECTION)))),
        (93, "ue_associated_logical_s1_connection_list_res_ack", ItemList(91, IGNORE, _CONNECTION)),
        (95, "e_rab_to_be_switched_ul_list", ItemList(94, IGNORE, _TUNNEL)),
        (96, "s_tmsi", S_TMSI),
        (98, "request_type", Struct(v.RequestType, Enumerated(e.EventType), Enumerated(e.ReportArea))),
        (99, "ue_s1ap_ids", UE_S1AP_IDS),
        (100, "eutran_cgi", EUTRAN_CGI),
        (101, "overload_response", Choice((e.OverloadAction, Enumerated(e.OverloadAction, 3)))),
        (104, "source_to_target_transparent_container", OCTETS),
        (105, "served_gummeis", SERVED_GUMMEIS),
        (106, "subscriber_profile_id_for_rfp", Integer(1, 256)),
        (107, "ue_security_capabilities", UE_SECURITY_CAPABILITIES),
        (108, "cs_fallback_indicator", Enumerated(e.CsFallbackIndicator, 1)),
        (109, "cn_domain", Enumerated(e.CnDomain, extensible=False)),
        (110, "e_rab_released_list", E_RAB_LIST),
        (123, "target_to_source_transparent_container", OCTETS),
        (124, "srvcc_operation_possible", Enumerated(e.SrvccOperationPossible)),
        (134, "rrc_establishment_cause", Enumerated(e.RrcEstablishmentCause, 5)),
        (137, "default_paging_drx", Enumerated(e.PagingDrx)),
        (151, "paging_priority", Enumerated(e.PagingPriority)),
        (154, "gummei_list", SequenceOf(GUMMEI, 1, 256)),
        (155, "gw_transport_layer_address", ADDRESS),
        (157, "source_mme_gummei", GUMMEI),
        (158, "mme_ue_s1ap_id_2", MME_UE_S1AP_ID),
        (159, "registered_lai", LAI),
        (161, "traffic_load_reduction_indication", Integer(1, 99)),
        (163, "mme_relay_support_indicator", Enumerated(e.MmeRelaySupportIndicator)),
        (164, "gw_context_release_indication", Enumerated(e.GwContextReleaseIndication)),
        (170, "gummei_type", Enumerated(e.GummeiType, 2)),
        (187, "additional_cs_fallback_indicator", Enumerated(e.AdditionalCsFallbackIndicator)),
        (189, "user_location_information", Struct(v.UserLocationInformation, EUTRAN_CGI, TAI)),
        (192, "masked_imeisv", BitOctets(64)),
        (198, "ue_radio_capability_for_paging", OCTETS),
    )
}
