"""The encodings of S1AP's information elements (TS 36.413 9.2, 9.3.4), and the elements of messages by name."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from simwarden.errors import PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai, check_imsi
from simwarden.wire.s1ap import enums as e
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
from simwarden.wire.s1ap.values import (
    AllocationAndRetentionPriority,
    BearerSubjectToStatusTransfer,
    CountValue,
    CriticalityDiagnostics,
    EnbStatusTransferContainer,
    ErabAdmitted,
    ErabDataForwarding,
    ErabInformation,
    ErabItem,
    ErabLevelQosParameters,
    ErabToBeModified,
    ErabToBeSetup,
    ErabToBeSetupHoReq,
    ErabTunnel,
    ForbiddenLas,
    ForbiddenTas,
    GbrQosInformation,
    GlobalEnbId,
    Gummei,
    HandoverRestrictionList,
    HomeEnbId,
    IeCriticalityDiagnostics,
    Lai,
    LastVisitedCell,
    MacroEnbId,
    RequestType,
    SecurityContext,
    ServedGummei,
    SourceEnbToTargetEnbContainer,
    STmsi,
    SupportedTa,
    TargetEnbId,
    TargetEnbToSourceEnbContainer,
    UeAggregateMaximumBitrate,
    UeAssociatedLogicalS1Connection,
    UeS1apIdPair,
    UeSecurityCapabilities,
    UserLocationInformation,
)

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
    """Pack digits two to an octet, the first in the low half, filled up with 1111 (9.2.3.11)."""
    digits = check_imsi(imsi) + "f" * (len(imsi) & 1)
    return bytes.fromhex("".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2)))


def _imsi_of(octets: bytes) -> str:
    digits = "".join(pair[1] + pair[0] for pair in (octets.hex()[i : i + 2] for i in range(0, 2 * len(octets), 2)))
    return check_imsi(digits.removesuffix("f"))


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


def _plain(kind: type[e.S1apEnum], root: int | None = None, *, extensible: bool = True) -> Enumerated:
    return Enumerated(kind, root, extensible=extensible)


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
CELL_IDENTITY = Bits(28)
EUTRAN_CGI = _Ecgi(Ecgi, PLMN, CELL_IDENTITY, parts=attrgetter("plmn", "cell_identity"))
S_TMSI = Struct(STmsi, MME_CODE, M_TMSI)
GUMMEI = Struct(Gummei, PLMN, MME_GROUP_ID, MME_CODE)
LAI = Struct(Lai, PLMN, LAC)
CAUSE = Choice(
    (e.CauseRadioNetwork, _plain(e.CauseRadioNetwork, 36)),
    (e.CauseTransport, _plain(e.CauseTransport)),
    (e.CauseNas, _plain(e.CauseNas, 4)),
    (e.CauseProtocol, _plain(e.CauseProtocol)),
    (e.CauseMisc, _plain(e.CauseMisc)),
)
ENB_ID = Choice(
    (MacroEnbId, Mapped(Bits(20), attrgetter("value"), MacroEnbId)),
    (HomeEnbId, Mapped(Bits(28), attrgetter("value"), HomeEnbId)),
)
GLOBAL_ENB_ID = Struct(GlobalEnbId, PLMN, ENB_ID)
SUPPORTED_TAS = SequenceOf(Struct(SupportedTa, TAC, SequenceOf(PLMN, 1, 6)), 1, 256)
SERVED_GUMMEIS = SequenceOf(
    Struct(ServedGummei, SequenceOf(PLMN, 1, 32), SequenceOf(MME_GROUP_ID, 1, 65535), SequenceOf(MME_CODE, 1, 256)),
    1,
    8,
)
NAME = PrintableString(1, 150)
_ALGORITHMS = Bits(16, extensible=True)
UE_SECURITY_CAPABILITIES = Struct(UeSecurityCapabilities, _ALGORITHMS, _ALGORITHMS)
UE_AGGREGATE_MAXIMUM_BITRATE = Struct(UeAggregateMaximumBitrate, BIT_RATE, BIT_RATE)
SECURITY_KEY = BitOctets(256)
SECURITY_CONTEXT = Struct(SecurityContext, Integer(0, 7), SECURITY_KEY)
ARP = Struct(
    AllocationAndRetentionPriority,
    Integer(0, 15),
    _plain(e.PreEmptionCapability, extensible=False),
    _plain(e.PreEmptionVulnerability, extensible=False),
)
GBR = Struct(GbrQosInformation, BIT_RATE, BIT_RATE, BIT_RATE, BIT_RATE)
QOS = Struct(ErabLevelQosParameters, Integer(0, 255), ARP, (GBR,))
_TUNNEL = Struct(ErabTunnel, E_RAB_ID, ADDRESS, GTP_TEID)
_JUST_ID = Struct(lambda e_rab_id: e_rab_id, E_RAB_ID, parts=lambda e_rab_id: (e_rab_id,))
E_RAB_LIST = ItemList(35, IGNORE, Struct(ErabItem, E_RAB_ID, CAUSE))
E_RAB_TO_BE_SETUP_LIST_CTXT_SU_REQ = ItemList(
    52, REJECT, Struct(ErabToBeSetup, E_RAB_ID, QOS, ADDRESS, GTP_TEID, (NAS_PDU,))
)
E_RAB_TO_BE_SETUP_LIST_BEARER_SU_REQ = ItemList(
    17, REJECT, Struct(ErabToBeSetup, E_RAB_ID, QOS, ADDRESS, GTP_TEID, NAS_PDU)
)
E_RAB_TO_BE_SETUP_LIST_HO_REQ = ItemList(27, REJECT, Struct(ErabToBeSetupHoReq, E_RAB_ID, ADDRESS, GTP_TEID, QOS))
E_RAB_TO_BE_MODIFIED_LIST_BEARER_MOD_REQ = ItemList(36, REJECT, Struct(ErabToBeModified, E_RAB_ID, QOS, NAS_PDU))
E_RAB_MODIFY_LIST_BEARER_MOD_RES = ItemList(37, IGNORE, _JUST_ID)
E_RAB_SETUP_LIST_CTXT_SU_RES = ItemList(50, IGNORE, _TUNNEL)
E_RAB_SETUP_LIST_BEARER_SU_RES = ItemList(39, IGNORE, _TUNNEL)
E_RAB_RELEASE_LIST_BEARER_REL_COMP = ItemList(15, IGNORE, _JUST_ID)
E_RAB_TO_BE_SWITCHED_DL_LIST = ItemList(23, REJECT, _TUNNEL)
E_RAB_TO_BE_SWITCHED_UL_LIST = ItemList(94, IGNORE, _TUNNEL)
E_RAB_ADMITTED_LIST = ItemList(
    20, IGNORE, Struct(ErabAdmitted, E_RAB_ID, ADDRESS, GTP_TEID, (ADDRESS,), (GTP_TEID,), (ADDRESS,), (GTP_TEID,))
)
E_RAB_FAILED_TO_SETUP_LIST_HO_REQ_ACK = ItemList(21, IGNORE, Struct(ErabItem, E_RAB_ID, CAUSE))
E_RAB_SUBJECT_TO_DATA_FORWARDING_LIST = ItemList(
    14, IGNORE, Struct(ErabDataForwarding, E_RAB_ID, (ADDRESS,), (GTP_TEID,), (ADDRESS,), (GTP_TEID,))
)
UE_S1AP_IDS = Choice((UeS1apIdPair, Struct(UeS1apIdPair, MME_UE_S1AP_ID, ENB_UE_S1AP_ID)), (int, MME_UE_S1AP_ID))
_CONNECTION = Struct(UeAssociatedLogicalS1Connection, (MME_UE_S1AP_ID,), (ENB_UE_S1AP_ID,))
UE_CONNECTIONS_TO_RESET = ItemList(91, REJECT, _CONNECTION)
UE_CONNECTIONS_RESET = ItemList(91, IGNORE, _CONNECTION)
RESET_TYPE = Choice((e.ResetAll, _plain(e.ResetAll)), (tuple, UE_CONNECTIONS_TO_RESET))
_CRITICALITY = _plain(e.Criticality, extensible=False)
CRITICALITY_DIAGNOSTICS = Struct(
    CriticalityDiagnostics,
    (Integer(0, 255),),
    (_plain(e.TriggeringMessage, extensible=False),),
    (_CRITICALITY,),
    (SequenceOf(Struct(IeCriticalityDiagnostics, _CRITICALITY, Integer(0, 65535), _plain(e.TypeOfError)), 1, 256),),
)
UE_IDENTITY_INDEX_VALUE = Bits(10)
UE_PAGING_ID = Choice((STmsi, S_TMSI), (str, Mapped(OctetString(3, 8), _imsi_octets, _imsi_of)))
TAI_LIST = ItemList(47, IGNORE, Struct(lambda tai: tai, TAI, parts=lambda tai: (tai,)))
OVERLOAD_RESPONSE = Choice((e.OverloadAction, _plain(e.OverloadAction, 3)))
GUMMEI_LIST = SequenceOf(GUMMEI, 1, 256)
TARGET_ID = Choice((TargetEnbId, Struct(TargetEnbId, GLOBAL_ENB_ID, TAI)), None, None)
HANDOVER_RESTRICTION_LIST = Struct(
    HandoverRestrictionList,
    PLMN,
    (SequenceOf(PLMN, 1, 15),),
    (SequenceOf(Struct(ForbiddenTas, PLMN, SequenceOf(TAC, 1, 4096)), 1, 16),),
    (SequenceOf(Struct(ForbiddenLas, PLMN, SequenceOf(LAC, 1, 4096)), 1, 16),),
    (_plain(e.ForbiddenInterRats, 4),),
)
USER_LOCATION_INFORMATION = Struct(UserLocationInformation, EUTRAN_CGI, TAI)
REQUEST_TYPE = Struct(RequestType, _plain(e.EventType), _plain(e.ReportArea))
COUNT = Struct(CountValue, Integer(0, 4095), Integer(0, 1048575))
ENB_STATUS_TRANSFER_CONTAINER = Struct(
    EnbStatusTransferContainer,
    ItemList(89, IGNORE, Struct(BearerSubjectToStatusTransfer, E_RAB_ID, COUNT, COUNT, (BitOctets(4096),))),
)
_CELL_TYPE = Struct(lambda size: size, _plain(e.CellSize), parts=lambda size: (size,))
_VISITED = Struct(LastVisitedCell, EUTRAN_CGI, _CELL_TYPE, Integer(0, 4095))
UE_HISTORY_INFORMATION = SequenceOf(Choice((LastVisitedCell, _VISITED), None, None), 1, 16)
SOURCE_ENB_TO_TARGET_ENB_CONTAINER = Struct(
    SourceEnbToTargetEnbContainer,
    OCTETS,
    (ItemList(78, IGNORE, Struct(ErabInformation, E_RAB_ID, (_plain(e.DlForwarding),))),),
    EUTRAN_CGI,
    (Integer(1, 256),),
    UE_HISTORY_INFORMATION,
)
TARGET_ENB_TO_SOURCE_ENB_CONTAINER = Struct(TargetEnbToSourceEnbContainer, OCTETS)


class Ie(NamedTuple):
    """An information element of messages: its identity (9.3.7), its name there in snake case, its encoding."""

    identity: int
    name: str
    type: Type


IES: dict[str, Ie] = {
    name: Ie(identity, name, kind)
    for identity, name, kind in (
        (0, "mme_ue_s1ap_id", MME_UE_S1AP_ID),
        (1, "handover_type", _plain(e.HandoverType, 5)),
        (2, "cause", CAUSE),
        (4, "target_id", TARGET_ID),
        (8, "enb_ue_s1ap_id", ENB_UE_S1AP_ID),
        (12, "e_rab_subject_to_data_forwarding_list", E_RAB_SUBJECT_TO_DATA_FORWARDING_LIST),
        (13, "e_rab_to_release_list_ho_cmd", E_RAB_LIST),
        (16, "e_rab_to_be_setup_list_bearer_su_req", E_RAB_TO_BE_SETUP_LIST_BEARER_SU_REQ),
        (18, "e_rab_admitted_list", E_RAB_ADMITTED_LIST),
        (19, "e_rab_failed_to_setup_list_ho_req_ack", E_RAB_FAILED_TO_SETUP_LIST_HO_REQ_ACK),
        (22, "e_rab_to_be_switched_dl_list", E_RAB_TO_BE_SWITCHED_DL_LIST),
        (24, "e_rab_to_be_setup_list_ctxt_su_req", E_RAB_TO_BE_SETUP_LIST_CTXT_SU_REQ),
        (26, "nas_pdu", NAS_PDU),
        (28, "e_rab_setup_list_bearer_su_res", E_RAB_SETUP_LIST_BEARER_SU_RES),
        (29, "e_rab_failed_to_setup_list_bearer_su_res", E_RAB_LIST),
        (30, "e_rab_to_be_modified_list_bearer_mod_req", E_RAB_TO_BE_MODIFIED_LIST_BEARER_MOD_REQ),
        (31, "e_rab_modify_list_bearer_mod_res", E_RAB_MODIFY_LIST_BEARER_MOD_RES),
        (32, "e_rab_failed_to_modify_list", E_RAB_LIST),
        (33, "e_rab_to_be_released_list", E_RAB_LIST),
        (34, "e_rab_failed_to_release_list", E_RAB_LIST),
        (41, "handover_restriction_list", HANDOVER_RESTRICTION_LIST),
        (43, "ue_paging_id", UE_PAGING_ID),
        (44, "paging_drx", _plain(e.PagingDrx)),
        (46, "tai_list", TAI_LIST),
        (48, "e_rab_failed_to_setup_list_ctxt_su_res", E_RAB_LIST),
        (51, "e_rab_setup_list_ctxt_su_res", E_RAB_SETUP_LIST_CTXT_SU_RES),
        (53, "e_rab_to_be_setup_list_ho_req", E_RAB_TO_BE_SETUP_LIST_HO_REQ),
        (58, "criticality_diagnostics", CRITICALITY_DIAGNOSTICS),
        (59, "global_enb_id", GLOBAL_ENB_ID),
        (60, "enb_name", NAME),
        (61, "mme_name", NAME),
        (64, "supported_tas", SUPPORTED_TAS),
        (65, "time_to_wait", _plain(e.TimeToWait)),
        (40, "security_context", SECURITY_CONTEXT),
        (66, "ue_aggregate_maximum_bitrate", UE_AGGREGATE_MAXIMUM_BITRATE),
        (67, "tai", TAI),
        (69, "e_rab_release_list_bearer_rel_comp", E_RAB_RELEASE_LIST_BEARER_REL_COMP),
        (73, "security_key", SECURITY_KEY),
        (74, "ue_radio_capability", OCTETS),
        (75, "gummei", GUMMEI),
        (79, "direct_forwarding_path_availability", _plain(e.DirectForwardingPathAvailability)),
        (80, "ue_identity_index_value", UE_IDENTITY_INDEX_VALUE),
        (87, "relative_mme_capacity", Integer(0, 255)),
        (88, "source_mme_ue_s1ap_id", MME_UE_S1AP_ID),
        (90, "enb_status_transfer_transparent_container", ENB_STATUS_TRANSFER_CONTAINER),
        (92, "reset_type", RESET_TYPE),
        (93, "ue_associated_logical_s1_connection_list_res_ack", UE_CONNECTIONS_RESET),
        (95, "e_rab_to_be_switched_ul_list", E_RAB_TO_BE_SWITCHED_UL_LIST),
        (96, "s_tmsi", S_TMSI),
        (98, "request_type", REQUEST_TYPE),
        (99, "ue_s1ap_ids", UE_S1AP_IDS),
        (100, "eutran_cgi", EUTRAN_CGI),
        (101, "overload_response", OVERLOAD_RESPONSE),
        (104, "source_to_target_transparent_container", OCTETS),
        (105, "served_gummeis", SERVED_GUMMEIS),
        (106, "subscriber_profile_id_for_rfp", Integer(1, 256)),
        (107, "ue_security_capabilities", UE_SECURITY_CAPABILITIES),
        (108, "cs_fallback_indicator", _plain(e.CsFallbackIndicator, 1)),
        (109, "cn_domain", _plain(e.CnDomain, extensible=False)),
        (110, "e_rab_released_list", E_RAB_LIST),
        (123, "target_to_source_transparent_container", OCTETS),
        (124, "srvcc_operation_possible", _plain(e.SrvccOperationPossible)),
        (134, "rrc_establishment_cause", _plain(e.RrcEstablishmentCause, 5)),
        (137, "default_paging_drx", _plain(e.PagingDrx)),
        (151, "paging_priority", _plain(e.PagingPriority)),
        (154, "gummei_list", GUMMEI_LIST),
        (155, "gw_transport_layer_address", ADDRESS),
        (157, "source_mme_gummei", GUMMEI),
        (158, "mme_ue_s1ap_id_2", MME_UE_S1AP_ID),
        (159, "registered_lai", LAI),
        (161, "traffic_load_reduction_indication", Integer(1, 99)),
        (163, "mme_relay_support_indicator", _plain(e.MmeRelaySupportIndicator)),
        (164, "gw_context_release_indication", _plain(e.GwContextReleaseIndication)),
        (170, "gummei_type", _plain(e.GummeiType, 2)),
        (187, "additional_cs_fallback_indicator", _plain(e.AdditionalCsFallbackIndicator)),
        (189, "user_location_information", USER_LOCATION_INFORMATION),
        (192, "masked_imeisv", BitOctets(64)),
        (198, "ue_radio_capability_for_paging", OCTETS),
    )
}
