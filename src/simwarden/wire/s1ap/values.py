"""The values of S1AP's information elements (TS 36.413 9.2) as named tuples.

Other values are enumerations, numbers, octets, and the identities of `simwarden.model.identity`. A cause is a member of
one of the five cause enumerations: its class is the choice. Bit rates are in bit/s.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from simwarden.wire.s1ap import enums as e

if TYPE_CHECKING:
    from simwarden.model.identity import Ecgi, Plmn, Tai

Cause = e.CauseRadioNetwork | e.CauseTransport | e.CauseNas | e.CauseProtocol | e.CauseMisc


class STmsi(NamedTuple):
    """A device's temporary identity in its pool (9.2.3.6)."""

    mmec: int
    m_tmsi: int


class Gummei(NamedTuple):
    """An MME's globally unique identity (9.2.3.9)."""

    plmn: Plmn
    mme_group_id: int
    mme_code: int


class MacroEnbId(NamedTuple):
    """20 bits: the first of the cell identities of an eNB (9.2.1.37)."""

    value: int


class HomeEnbId(NamedTuple):
    """28 bits: the cell identity of a home eNB (9.2.1.37)."""

    value: int


class GlobalEnbId(NamedTuple):
    """An eNB's globally unique identity (9.2.1.37)."""

    plmn: Plmn
    enb_id: MacroEnbId | HomeEnbId


class SupportedTa(NamedTuple):
    """A tracking area of an eNB and the networks that its cells broadcast (9.1.8.4)."""

    tac: int
    broadcast_plmns: tuple[Plmn, ...]


class ServedGummei(NamedTuple):
    """What an MME serves: every combination of the three is one of its GUMMEIs (9.1.8.5)."""

    served_plmns: tuple[Plmn, ...]
    served_group_ids: tuple[int, ...]
    served_mmecs: tuple[int, ...]


class UeSecurityCapabilities(NamedTuple):
    """Algorithms a device has: bit 15 is EEA1 (EIA1), bit 14 EEA2 (EIA2), bit 13 EEA3 (EIA3) (9.2.1.40)."""

    encryption_algorithms: int
    integrity_protection_algorithms: int


class UeAggregateMaximumBitrate(NamedTuple):
    """Bit rate over all non-GBR bearers, bit/s (9.2.1.20)."""

    dl: int
    ul: int


class AllocationAndRetentionPriority(NamedTuple):
    """Who gets resources when they are short: 1 is highest (9.2.1.60)."""

    priority_level: int
    pre_emption_capability: e.PreEmptionCapability
    pre_emption_vulnerability: e.PreEmptionVulnerability


class GbrQosInformation(NamedTuple):
    """Maximum and guaranteed bit rates of a GBR bearer, bit/s (9.2.1.18)."""

    maximum_bitrate_dl: int
    maximum_bitrate_ul: int
    guaranteed_bitrate_dl: int
    guaranteed_bitrate_ul: int


class ErabLevelQosParameters(NamedTuple):
    """Quality of a bearer (9.2.1.15)."""

    qci: int
    allocation_retention_priority: AllocationAndRetentionPriority
    gbr_qos_information: GbrQosInformation | None = None


class ErabToBeSetup(NamedTuple):
    """A bearer to set up: in an initial context, or a further one, for which the NAS message is a must (9.1.3.1)."""

    e_rab_id: int
    qos: ErabLevelQosParameters
    transport_layer_address: bytes
    gtp_teid: int
    nas_pdu: bytes | None = None


class ErabToBeSetupHoReq(NamedTuple):
    """A bearer that a handover brings (9.1.5.4)."""

    e_rab_id: int
    transport_layer_address: bytes
    gtp_teid: int
    qos: ErabLevelQosParameters


class ErabToBeModified(NamedTuple):
    """A bearer that gets another quality, with the NAS message that says so (9.1.3.3)."""

    e_rab_id: int
    qos: ErabLevelQosParameters
    nas_pdu: bytes


class ErabTunnel(NamedTuple):
    """A bearer and where its packets are to go: set up, switched downlink or switched uplink."""

    e_rab_id: int
    transport_layer_address: bytes
    gtp_teid: int


class ErabAdmitted(NamedTuple):
    """A bearer that the target of a handover admits (9.1.5.5)."""

    e_rab_id: int
    transport_layer_address: bytes
    gtp_teid: int
    dl_transport_layer_address: bytes | None = None
    dl_gtp_teid: int | None = None
    ul_transport_layer_address: bytes | None = None
    ul_gtp_teid: int | None = None


class ErabDataForwarding(NamedTuple):
    """Where the source of a handover forwards a bearer's packets to (9.1.5.2)."""

    e_rab_id: int
    dl_transport_layer_address: bytes | None = None
    dl_gtp_teid: int | None = None
    ul_transport_layer_address: bytes | None = None
    ul_gtp_teid: int | None = None


class ErabItem(NamedTuple):
    """A bearer and why it failed or goes (9.2.1.36)."""

    e_rab_id: int
    cause: Cause


class SecurityContext(NamedTuple):
    """Next hop and its counter: the base of the key after a handover (9.2.1.26)."""

    next_hop_chaining_count: int
    next_hop_parameter: bytes


class UeS1apIdPair(NamedTuple):
    """Both ends' numbers for a device's connection (9.2.3.18)."""

    mme_ue_s1ap_id: int
    enb_ue_s1ap_id: int


class UeAssociatedLogicalS1Connection(NamedTuple):
    """A device's connection by one or both of its numbers (9.2.3.19)."""

    mme_ue_s1ap_id: int | None = None
    enb_ue_s1ap_id: int | None = None


class IeCriticalityDiagnostics(NamedTuple):
    """An IE that was not understood or missing (9.2.1.21)."""

    ie_criticality: e.Criticality
    ie_id: int
    type_of_error: e.TypeOfError


class CriticalityDiagnostics(NamedTuple):
    """What was wrong with a message (9.2.1.21)."""

    procedure_code: int | None = None
    triggering_message: e.TriggeringMessage | None = None
    procedure_criticality: e.Criticality | None = None
    ies: tuple[IeCriticalityDiagnostics, ...] | None = None


class TargetEnbId(NamedTuple):
    """The eNB to hand over to (9.2.1.6)."""

    global_enb_id: GlobalEnbId
    selected_tai: Tai


class Lai(NamedTuple):
    """A location area of 2G or 3G (9.2.3.1)."""

    plmn: Plmn
    lac: int


class ForbiddenTas(NamedTuple):
    """Tracking areas of a network that a device must not be handed to (9.2.1.22)."""

    plmn: Plmn
    tacs: tuple[int, ...]


class ForbiddenLas(NamedTuple):
    """Location areas of a network that a device must not be handed to (9.2.1.22)."""

    plmn: Plmn
    lacs: tuple[int, ...]


class HandoverRestrictionList(NamedTuple):
    """Where a device must not be handed to (9.2.1.22)."""

    serving_plmn: Plmn
    equivalent_plmns: tuple[Plmn, ...] | None = None
    forbidden_tas: tuple[ForbiddenTas, ...] | None = None
    forbidden_las: tuple[ForbiddenLas, ...] | None = None
    forbidden_inter_rats: e.ForbiddenInterRats | None = None


class UserLocationInformation(NamedTuple):
    """The cell a device was last in (9.2.1.93)."""

    eutran_cgi: Ecgi
    tai: Tai


class RequestType(NamedTuple):
    """What to report of a device's location (9.2.1.34)."""

    event_type: e.EventType
    report_area: e.ReportArea


class CountValue(NamedTuple):
    """PDCP sequence number of 12 bits, and hyper frame number (9.2.1.32)."""

    pdcp_sn: int
    hfn: int


class BearerSubjectToStatusTransfer(NamedTuple):
    """Where the counters of a bearer stand at handover (9.2.1.31)."""

    e_rab_id: int
    ul_count: CountValue
    dl_count: CountValue
    receive_status_of_ul_pdcp_sdus: bytes | None = None


class EnbStatusTransferContainer(NamedTuple):
    """The counters of all bearers at handover (9.2.1.31)."""

    bearers: tuple[BearerSubjectToStatusTransfer, ...]


class ErabInformation(NamedTuple):
    """A bearer of a handover, and whether its packets are worth forwarding (9.2.1.7)."""

    e_rab_id: int
    dl_forwarding: e.DlForwarding | None = None


class LastVisitedCell(NamedTuple):
    """A cell that a device was in, and for how many seconds (9.2.1.43a)."""

    cell: Ecgi
    cell_size: e.CellSize
    time_ue_stayed_in_cell: int


class SourceEnbToTargetEnbContainer(NamedTuple):
    """What the source eNB tells the target eNB, opaque to the MME (9.2.1.7)."""

    rrc_container: bytes
    e_rab_information: tuple[ErabInformation, ...] | None
    target_cell: Ecgi
    subscriber_profile_id: int | None
    ue_history: tuple[LastVisitedCell, ...]


class TargetEnbToSourceEnbContainer(NamedTuple):
    """What the target eNB answers, opaque to the MME: the handover command (9.2.1.8)."""

    rrc_container: bytes


def transport_layer_address(address: str) -> bytes:
    """Return the octets of an IPv4 or IPv6 address (9.2.2.1). Raises ValueError."""
    return ipaddress.ip_address(address).packed
