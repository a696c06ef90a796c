"""The information elements of X2AP (TS 36.423 9.2): values and encodings, as many of S1AP's as are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from simwarden.wire.s1ap import enums as s1
from simwarden.wire.s1ap import ies as same
from simwarden.wire.s1ap.aper import BitOctets, Choice, Enumerated, Integer, ItemList, OctetString, SequenceOf, Struct
from simwarden.wire.s1ap.ies import IGNORE, Ie
from simwarden.wire.s1ap.values import (  # noqa: TC001 - types of fields, read when somebody asks what they may be
    CountValue,
    ErabLevelQosParameters,
    HandoverRestrictionList,
    UeAggregateMaximumBitrate,
    UeSecurityCapabilities,
)
from simwarden.wire.x2 import enums as e

if TYPE_CHECKING:
    from simwarden.model.identity import Ecgi, Plmn

#: in the order of the choice
Cause = e.CauseRadioNetwork | e.CauseTransport | e.CauseProtocol | e.CauseMisc


class FddInfo(NamedTuple):
    """Carriers of a cell (9.2.8)."""

    ul_earfcn: int
    dl_earfcn: int
    ul_bandwidth: e.TransmissionBandwidth
    dl_bandwidth: e.TransmissionBandwidth


class ServedCell(NamedTuple):
    """A cell of an eNB, as its neighbours hear of it (9.2.8)."""

    pci: int
    cell: Ecgi
    tac: int
    broadcast_plmns: tuple[Plmn, ...]
    mode: FddInfo


class GuGroupId(NamedTuple):
    """A pool of MMEs (9.2.20)."""

    plmn: Plmn
    mme_group_id: int


class X2Gummei(NamedTuple):
    """An MME, as X2AP writes it (9.2.16)."""

    group: GuGroupId
    mme_code: int


class AsSecurityInformation(NamedTuple):
    """The key for the target cell, and the counter it is derived with (9.2.30)."""

    key_enodeb_star: bytes
    next_hop_chaining_count: int


class TunnelEndpoint(NamedTuple):
    """Where a bearer's packets go (9.2.1)."""

    transport_layer_address: bytes
    gtp_teid: int


class ErabToBeSetup(NamedTuple):
    """A bearer that a handover brings (9.1.1.1)."""

    e_rab_id: int
    qos: ErabLevelQosParameters
    dl_forwarding: s1.DlForwarding | None
    ul_gtp_tunnel_endpoint: TunnelEndpoint


class UeContextInformation(NamedTuple):
    """A device's context (9.1.1.1)."""

    mme_ue_s1ap_id: int
    ue_security_capabilities: UeSecurityCapabilities
    as_security_information: AsSecurityInformation
    ue_aggregate_maximum_bitrate: UeAggregateMaximumBitrate
    subscriber_profile_id: int | None
    e_rabs_to_be_setup: tuple[ErabToBeSetup, ...]
    rrc_context: bytes
    handover_restriction_list: HandoverRestrictionList | None = None


class ErabAdmitted(NamedTuple):
    """A bearer that the target takes, and where to forward packets to (9.1.1.2)."""

    e_rab_id: int
    ul_gtp_tunnel_endpoint: TunnelEndpoint | None = None
    dl_gtp_tunnel_endpoint: TunnelEndpoint | None = None


class ErabItem(NamedTuple):
    """A bearer and why it is not taken (9.2.28)."""

    e_rab_id: int
    cause: Cause


class ErabSubjectToStatusTransfer(NamedTuple):
    """Where the counters of a bearer stand (9.1.1.4)."""

    e_rab_id: int
    receive_status_of_ul_pdcp_sdus: bytes | None
    ul_count: CountValue
    dl_count: CountValue


_WIDTH = Enumerated(e.TransmissionBandwidth)
_FDD = Struct(FddInfo, Integer(0, 65535), Integer(0, 65535), _WIDTH, _WIDTH)
_PCI = Integer(0, 503, extensible=True)
_SERVED = Struct(
    ServedCell,
    _PCI,
    same.EUTRAN_CGI,
    same.TAC,
    SequenceOf(same.PLMN, 1, 6),
    Choice((FddInfo, _FDD), None),
)
# neighbours of a cell are not sent, and stepped over when received
_NEIGHBOUR = Struct(lambda *_: None, same.EUTRAN_CGI, _PCI, Integer(0, 65535))
SERVED_CELLS = SequenceOf(
    Struct(lambda cell, _: cell, _SERVED, (SequenceOf(_NEIGHBOUR, 0, 512),), parts=lambda cell: (cell, None)), 1, 256
)
_GROUP = Struct(GuGroupId, same.PLMN, same.MME_GROUP_ID)
CAUSE = Choice(*((kind, Enumerated(kind)) for kind in get_args(Cause)))
_ENDPOINT = Struct(TunnelEndpoint, same.ADDRESS, same.GTP_TEID)
_ADMITTED = Struct(ErabAdmitted, same.E_RAB_ID, (_ENDPOINT,), (_ENDPOINT,))
_STATUS = Struct(ErabSubjectToStatusTransfer, same.E_RAB_ID, (BitOctets(4096),), same.COUNT, same.COUNT)
_TO_BE_SETUP = ItemList(
    4, IGNORE, Struct(ErabToBeSetup, same.E_RAB_ID, same.QOS, (Enumerated(s1.DlForwarding),), _ENDPOINT)
)


def _context(*parts: Any) -> UeContextInformation:
    """Make the context of all parts but the last: location reporting, which we neither ask for nor do."""
    return UeContextInformation(*parts[:-1])


UE_CONTEXT_INFORMATION = Struct(
    _context,
    same.MME_UE_S1AP_ID,
    same.UE_SECURITY_CAPABILITIES,
    Struct(AsSecurityInformation, BitOctets(256), Integer(0, 7)),
    same.UE_AGGREGATE_MAXIMUM_BITRATE,
    (Integer(1, 256),),
    _TO_BE_SETUP,
    OctetString(),
    (same.HANDOVER_RESTRICTION_LIST,),
    (Struct(lambda *_: None, Enumerated(s1.EventType), Enumerated(s1.ReportArea)),),
    parts=lambda context: (*context, None),
)
UE_X2AP_ID = Integer(0, 4095)

IES: dict[str, Ie] = {
    name: Ie(identity, name, kind)
    for identity, name, kind in (
        (1, "e_rabs_admitted_list", ItemList(0, IGNORE, _ADMITTED)),
        (3, "e_rabs_not_admitted_list", ItemList(2, IGNORE, Struct(ErabItem, same.E_RAB_ID, CAUSE))),
        (5, "cause", CAUSE),
        (9, "new_enb_ue_x2ap_id", UE_X2AP_ID),
        (10, "old_enb_ue_x2ap_id", UE_X2AP_ID),
        (11, "target_cell_id", same.EUTRAN_CGI),
        (12, "target_enb_to_source_enb_transparent_container", OctetString()),
        (14, "ue_context_information", UE_CONTEXT_INFORMATION),
        (15, "ue_history_information", same.UE_HISTORY_INFORMATION),
        (17, "criticality_diagnostics", same.CRITICALITY_DIAGNOSTICS),
        (18, "e_rabs_subject_to_status_transfer_list", ItemList(19, IGNORE, _STATUS)),
        (20, "served_cells", SERVED_CELLS),
        (21, "global_enb_id", same.GLOBAL_ENB_ID),
        (22, "time_to_wait", Enumerated(s1.TimeToWait)),
        (23, "gummei_id", Struct(X2Gummei, _GROUP, same.MME_CODE)),
        (24, "gu_group_id_list", SequenceOf(_GROUP, 1, 16)),
    )
}
