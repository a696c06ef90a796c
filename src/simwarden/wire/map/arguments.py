"""Arguments and results of the operations of MAP that calls need (TS 29.002 17.7), by the specification's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.wire.asn1 import (
    ADDRESS,
    FLAG,
    IMEI,
    IMSI,
    NUMBER,
    OCTET,
    OCTETS,
    Form,
    Record,
    bits,
    enumerated,
    list_of,
    needed,
    part,
    record_of,
)
from simwarden.wire.map.enums import (
    CancellationType,
    DefaultCallHandling,
    EquipmentStatus,
    InterrogationType,
    OTriggerPoint,
    SubscriberStatus,
    TTriggerPoint,
)

if TYPE_CHECKING:
    from simwarden.wire.tbcd import AddressString

_PHASES: Final = bits(4, first=1)
#: OfferedCamel4CSIs: 0 O-CSI, 1 D-CSI, 2 VT-CSI, 3 T-CSI, 4 MT-SMS-CSI, 5 MG-CSI, 6 PSI enhancements
_OFFERED: Final = bits(7)

# -- CSIs


class OTriggerData(Record):
    """A point at which an originating call triggers, whom it asks, and what becomes of it without an answer."""

    trigger_detection_point: OTriggerPoint = needed("o-BcsmTriggerDetectionPoint", enumerated(OTriggerPoint))
    service_key: int = needed("serviceKey", NUMBER)
    gsm_scf_address: AddressString = needed("gsmSCF-Address", ADDRESS)
    default_call_handling: DefaultCallHandling = needed("defaultCallHandling", enumerated(DefaultCallHandling))


class OCsi(Record):
    """The O-CSI; `camel_capability_handling` is the phase that it needs, 1 where it does not say."""

    triggers: tuple[OTriggerData, ...] = needed("o-BcsmCamelTDPDataList", list_of(record_of(OTriggerData)))
    camel_capability_handling: int | None = part("camelCapabilityHandling", NUMBER)
    notification_to_cse: bool = part("notificationToCSE", FLAG, default=False)
    active: bool = part("csiActive", FLAG, default=False)


class TTriggerData(Record):
    """A point at which a terminating call triggers, as OTriggerData."""

    trigger_detection_point: TTriggerPoint = needed("t-BcsmTriggerDetectionPoint", enumerated(TTriggerPoint))
    service_key: int = needed("serviceKey", NUMBER)
    gsm_scf_address: AddressString = needed("gsmSCF-Address", ADDRESS)
    default_call_handling: DefaultCallHandling = needed("defaultCallHandling", enumerated(DefaultCallHandling))


class TCsi(Record):
    """A T-CSI (in the GMSC) or a VT-CSI (in the visited MSC)."""

    triggers: tuple[TTriggerData, ...] = needed("t-BcsmCamelTDPDataList", list_of(record_of(TTriggerData)))
    camel_capability_handling: int | None = part("camelCapabilityHandling", NUMBER)
    notification_to_cse: bool = part("notificationToCSE", FLAG, default=False)
    active: bool = part("csi-Active", FLAG, default=False)


class VlrCamelSubscription(Record):
    """What of CAMEL the visited MSC acts on; it stands in place of all that was sent before (8.8.1)."""

    o_csi: OCsi | None = part("o-CSI", record_of(OCsi))
    vt_csi: TCsi | None = part("vt-CSI", record_of(TCsi))


# -- location


class VlrCapability(Record):
    """What a VLR offers: phases of CAMEL, and CSIs of phase 4."""

    supported_camel_phases: tuple[int, ...] | None = part("supportedCamelPhases", _PHASES)
    offered_camel4_csis: tuple[int, ...] | None = part("offeredCamel4CSIs", _OFFERED)


class AddInfo(Record):
    """The terminal of a subscriber who updates a location, and that the rest is known already (17.7.1 ADD-Info)."""

    imeisv: str = needed("imeisv", IMEI)
    skip_subscriber_data_update: bool = part("skipSubscriberDataUpdate", FLAG, default=False)


class UpdateLocation(Record):
    """A VLR serves a subscriber (8.1.2)."""

    imsi: str = needed("imsi", IMSI)
    msc_number: AddressString = needed("msc-Number", ADDRESS)
    vlr_number: AddressString = needed("vlr-Number", ADDRESS)
    lmsi: bytes | None = part("lmsi", OCTETS)
    vlr_capability: VlrCapability | None = part("vlr-Capability", record_of(VlrCapability))
    add_info: AddInfo | None = part("add-info", record_of(AddInfo))


class UpdateLocationResult(Record):
    """Who the HLR is."""

    hlr_number: AddressString = needed("hlr-Number", ADDRESS)


class ImsiWithLmsi(Record):
    """An IMSI with the VLR's own identity for it."""

    imsi: str = needed("imsi", IMSI)
    lmsi: bytes = needed("lmsi", OCTETS)


class Identity(Record, form=Form.CHOICE):
    """Whose location is cancelled."""

    imsi: str | None = part("imsi", IMSI)
    imsi_with_lmsi: ImsiWithLmsi | None = part("imsi-WithLMSI", record_of(ImsiWithLmsi))


class CancelLocation(Record):
    """A VLR serves a subscriber no more (8.1.3)."""

    identity: Identity = needed("identity", record_of(Identity))
    cancellation_type: CancellationType | None = part("cancellationType", enumerated(CancellationType))


class Nothing(Record):
    """A result that says nothing but that it was done."""


# -- subscriber data


class OdbData(Record):
    """Operator determined barring: the bits of ODB-GeneralData and ODB-HPLMN-Data (17.7.1) that are set."""

    general: tuple[int, ...] = needed("odb-GeneralData", bits(15))
    hplmn: tuple[int, ...] | None = part("odb-HPLMN-Data", bits(4))


class InsertSubscriberData(Record):
    """What a VLR is to know of a subscriber (8.8.1); the IMSI is left out within an UpdateLocation's dialogue."""

    imsi: str | None = part("imsi", IMSI)
    msisdn: AddressString | None = part("msisdn", ADDRESS)
    category: int | None = part("category", OCTET)
    subscriber_status: SubscriberStatus | None = part("subscriberStatus", enumerated(SubscriberStatus))
    bearer_services: tuple[bytes, ...] | None = part("bearerServiceList", list_of(OCTETS))
    teleservices: tuple[bytes, ...] | None = part("teleserviceList", list_of(OCTETS))
    odb_data: OdbData | None = part("odb-Data", record_of(OdbData))
    vlr_camel_subscription: VlrCamelSubscription | None = part(
        "vlrCamelSubscriptionInfo", record_of(VlrCamelSubscription)
    )


class InsertSubscriberDataResult(Record):
    """What of it the VLR does not support, and which phases it does."""

    teleservices: tuple[bytes, ...] | None = part("teleserviceList", list_of(OCTETS))
    bearer_services: tuple[bytes, ...] | None = part("bearerServiceList", list_of(OCTETS))
    odb_general: tuple[int, ...] | None = part("odb-GeneralData", bits(15))
    supported_camel_phases: tuple[int, ...] | None = part("supportedCamelPhases", _PHASES)
    offered_camel4_csis: tuple[int, ...] | None = part("offeredCamel4CSIs", _OFFERED)


class DeleteSubscriberData(Record):
    """What a VLR is to forget (8.8.2); `specific_csi` are bits of SpecificCSI-Withdraw: 0 O-CSI, 4 VT-CSI."""

    imsi: str = needed("imsi", IMSI)
    camel_subscription_withdraw: bool = part("camelSubscriptionInfoWithdraw", FLAG, default=False)
    specific_csi: tuple[int, ...] | None = part("specificCSI-Withdraw", bits(8))


# -- calls to a subscriber


class CamelInfo(Record):
    """What a GMSC offers, and whether the T-CSI has had its turn."""

    supported_camel_phases: tuple[int, ...] = needed("supportedCamelPhases", _PHASES)
    suppress_t_csi: bool = part("suppress-T-CSI", FLAG, default=False)
    offered_camel4_csis: tuple[int, ...] | None = part("offeredCamel4CSIs", _OFFERED)


class SendRoutingInfo(Record):
    """Ask where a subscriber is to be reached (10.1)."""

    msisdn: AddressString = needed("msisdn", ADDRESS)
    interrogation_type: InterrogationType = needed("interrogationType", enumerated(InterrogationType))
    gmsc_address: AddressString = needed("gmsc-OrGsmSCF-Address", ADDRESS)
    number_of_forwarding: int | None = part("numberOfForwarding", NUMBER)
    call_reference_number: bytes | None = part("callReferenceNumber", OCTETS)
    camel_info: CamelInfo | None = part("camelInfo", record_of(CamelInfo))
    suppression_of_announcement: bool = part("suppressionOfAnnouncement", FLAG, default=False)


class ForwardingData(Record):
    """Where a call is forwarded to."""

    forwarded_to_number: AddressString | None = part("forwardedToNumber", ADDRESS)
    forwarding_options: int | None = part("forwardingOptions", OCTET)


class RoutingInfo(Record, form=Form.CHOICE):
    """Where a call goes: to a roaming number, or forwarded."""

    roaming_number: AddressString | None = part("roamingNumber", ADDRESS)
    forwarding_data: ForwardingData | None = part("forwardingData", record_of(ForwardingData))


class GmscCamelSubscription(Record):
    """What of CAMEL the GMSC acts on."""

    t_csi: TCsi | None = part("t-CSI", record_of(TCsi))
    o_csi: OCsi | None = part("o-CSI", record_of(OCsi))


class CamelRoutingInfo(Record):
    """The CSIs in place of a roaming number."""

    gmsc_camel_subscription: GmscCamelSubscription = needed(
        "gmscCamelSubscriptionInfo", record_of(GmscCamelSubscription)
    )
    forwarding_data: ForwardingData | None = part("forwardingData", record_of(ForwardingData))


class ExtendedRoutingInfo(Record, form=Form.CHOICE):
    """A route, or the CSIs by which to ask first."""

    routing_info: RoutingInfo | None = part("routingInfo", record_of(RoutingInfo))
    camel_routing_info: CamelRoutingInfo | None = part("camelRoutingInfo", record_of(CamelRoutingInfo))


class SendRoutingInfoResult(Record):
    """Where a subscriber is to be reached."""

    imsi: str | None = part("imsi", IMSI)
    extended_routing_info: ExtendedRoutingInfo | None = part("extendedRoutingInfo", record_of(ExtendedRoutingInfo))
    vmsc_address: AddressString | None = part("vmsc-Address", ADDRESS)
    msisdn: AddressString | None = part("msisdn", ADDRESS)


class ProvideRoamingNumber(Record):
    """A VLR is asked for a number by which a call reaches its MSC (10.2)."""

    imsi: str = needed("imsi", IMSI)
    msc_number: AddressString = needed("msc-Number", ADDRESS)
    msisdn: AddressString | None = part("msisdn", ADDRESS)
    lmsi: bytes | None = part("lmsi", OCTETS)
    suppression_of_announcement: bool = part("suppressionOfAnnouncement", FLAG, default=False)
    gmsc_address: AddressString | None = part("gmsc-Address", ADDRESS)
    call_reference_number: bytes | None = part("callReferenceNumber", OCTETS)
    supported_camel_phases: tuple[int, ...] | None = part("supportedCamelPhasesInInterrogatingNode", _PHASES)
    suppress_vt_csi: bool = part("suppress-VT-CSI", FLAG, default=False)


class ProvideRoamingNumberResult(Record):
    """The number."""

    roaming_number: AddressString = needed("roamingNumber", ADDRESS)
    vmsc_address: AddressString | None = part("vmsc-Address", ADDRESS)


# -- terminals


class CheckImei(Record):
    """Ask what is known of a terminal (8.7.1). `requested` are bits: 0 its status, 1 its BMUEF."""

    imei: str = needed("imei", IMEI)
    requested: tuple[int, ...] = needed("requestedEquipmentInfo", bits(2))


class CheckImeiResult(Record):
    """What the EIR says of it."""

    equipment_status: EquipmentStatus | None = part("equipmentStatus", enumerated(EquipmentStatus))
