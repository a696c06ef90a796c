"""Each NAS message against pycrate: the same octets from both, and our reading of them."""

from __future__ import annotations

from typing import Any

import pytest
from pycrate_mobile import TS24301_EMM as EMM
from pycrate_mobile import TS24301_ESM as ESM

from simwarden.model.identity import Guti, Plmn, Tai
from simwarden.wire.nas import (
    EmmCause,
    EpsNetworkFeature,
    EpsQos,
    EsmCause,
    IdentityType,
    Lai,
    Message,
    MessageType,
    MobileIdentity,
    NasAlgorithms,
    PdnAddress,
    PdnType,
    UeNetworkCapability,
    UeSecurityCapability,
    decode,
    encode,
)

T = MessageType
PLMN = Plmn("001", "01")
GUTI = Guti(PLMN, 0x8001, 0x02, 0xC0FFEE01)
IMSI = MobileIdentity(IdentityType.IMSI, "001010123456789")
P_GUTI = {"type": 6, "ident": ("00101", 0x8001, 0x02, 0xC0FFEE01)}
P_IMSI = {"type": 1, "ident": "001010123456789"}
TAIS = [Tai(PLMN, 7), Tai(PLMN, 9)]
P_TAIS = b"\x01\x00\xf1\x10\x00\x07\x00\x09"
CONTAINER = b"\x02\x01\xd0\x11"
PCO = b"\x80\x80\x21\x04\x01\x00\x00\x04"
RAND, AUTN, AUTS = bytes(range(16)), bytes(range(16, 32)), bytes(range(14))

# Ours; pycrate's class; its values
VECTORS: list[tuple[Message, Any, dict[str, Any]]] = [
    (
        Message(
            T.ATTACH_REQUEST,
            eps_attach_type=1,
            nas_key_set_identifier=7,
            eps_mobile_identity=IMSI,
            ue_network_capability=UeNetworkCapability(0xE0, 0x60, b"\xc0\x40"),
            esm_message_container=CONTAINER,
            last_visited_registered_tai=Tai(PLMN, 7),
            drx_parameter=b"\x0a\x00",
            ms_network_capability=b"\xe5\xe0",
            additional_update_type=1,
            voice_domain_preference=3,
            device_properties=1,
            t3324=10.0,
            t3412_extended=36000.0,
        ),
        EMM.EMMAttachRequest,
        {
            "EPSAttachType": 1, "NAS_KSI": 7, "EPSID": P_IMSI, "UENetCap": b"\xe0\x60\xc0\x40",
            "ESMContainer": CONTAINER, "OldTAI": b"\x00\xf1\x10\x00\x07", "DRXParam": b"\x0a\x00",
            "MSNetCap": b"\xe5\xe0", "AddUpdateType": 1, "VoiceDomPref": b"\x03", "DeviceProp": 1,
            "T3324": b"\x05", "T3412Ext": b"\x2a",
        },
    ),
    (
        Message(
            T.ATTACH_ACCEPT,
            eps_attach_result=1,
            t3412=3240.0,
            tai_list=TAIS,
            esm_message_container=CONTAINER,
            guti=GUTI,
            location_area_identification=Lai(PLMN, 0x1234),
            ms_identity=MobileIdentity(IdentityType.TMSI, 0xDEADBEEF),
            emm_cause=EmmCause.CS_DOMAIN_NOT_AVAILABLE,
            t3402=720.0,
            equivalent_plmns=[Plmn("001", "02"), Plmn("999", "071")],
            eps_network_feature_support=EpsNetworkFeature.IMS_VOPS | EpsNetworkFeature.EPCO,
            additional_update_result=2,
        ),
        EMM.EMMAttachAccept,
        {
            "EPSAttachResult": 1, "T3412": b"\x49", "TAIList": P_TAIS, "ESMContainer": CONTAINER, "GUTI": P_GUTI,
            "LAI": b"\x00\xf1\x10\x12\x34", "ID": {"type": 4, "ident": 0xDEADBEEF}, "EMMCause": b"\x12",
            "T3402": b"\x2c", "EquivPLMNList": b"\x00\xf1\x20\x99\x19\x70", "EPSNetFeat": b"\x01\x08",
            "AddUpdateRes": 2,
        },
    ),
    (Message(T.ATTACH_COMPLETE, esm_message_container=CONTAINER), EMM.EMMAttachComplete, {"ESMContainer": CONTAINER}),
    (
        Message(
            T.ATTACH_REJECT, emm_cause=EmmCause.ESM_FAILURE, esm_message_container=CONTAINER, t3346=1800.0, t3402=0.0
        ),
        EMM.EMMAttachReject,
        {"EMMCause": b"\x13", "ESMContainer": CONTAINER, "T3346": b"\x3e", "T3402": b"\x00"},
    ),
    (
        Message(T.DETACH_REQUEST, detach_type=9, nas_key_set_identifier=3,
                eps_mobile_identity=MobileIdentity(IdentityType.GUTI, GUTI)),
        EMM.EMMDetachRequestMO,
        {"NAS_KSI": 3, "EPSDetachType": 9, "EPSID": P_GUTI},
    ),
    (
        Message(T.DETACH_REQUEST, detach_type=2, emm_cause=EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED),
        EMM.EMMDetachRequestMT,
        {"EPSDetachType": 2, "EMMCause": b"\x08"},
    ),
    (Message(T.DETACH_REQUEST, detach_type=1), EMM.EMMDetachRequestMT, {"EPSDetachType": 1}),
    (Message(T.DETACH_ACCEPT), EMM.EMMDetachAccept, {}),
    (
        Message(
            T.TRACKING_AREA_UPDATE_REQUEST,
            eps_update_type=3,
            nas_key_set_identifier=2,
            old_guti=GUTI,
            ue_network_capability=UeNetworkCapability(0xA0, 0x20),
            last_visited_registered_tai=Tai(PLMN, 7),
            ue_radio_capability_information_update_needed=1,
            eps_bearer_context_status=(5, 8, 15),
        ),
        EMM.EMMTrackingAreaUpdateRequest,
        {
            "NAS_KSI": 2, "EPSUpdateType": 3, "OldGUTI": P_GUTI, "UENetCap": b"\xa0\x20",
            "OldTAI": b"\x00\xf1\x10\x00\x07", "UERACapUpdateNeed": 1, "EPSBearerCtxtStat": b"\x20\x81",
        },
    ),
    (
        Message(
            T.TRACKING_AREA_UPDATE_ACCEPT,
            eps_update_result=0,
            t3412=62.0,
            guti=GUTI,
            tai_list=TAIS,
            eps_bearer_context_status=(5,),
        ),
        EMM.EMMTrackingAreaUpdateAccept,
        {
            "EPSUpdateResult": 0, "T3412": b"\x1f", "GUTI": P_GUTI, "TAIList": P_TAIS,
            "EPSBearerCtxtStat": b"\x20\x00",
        },
    ),
    (Message(T.TRACKING_AREA_UPDATE_COMPLETE), EMM.EMMTrackingAreaUpdateComplete, {}),
    (
        Message(T.TRACKING_AREA_UPDATE_REJECT, emm_cause=EmmCause.CONGESTION, t3346=600.0),
        EMM.EMMTrackingAreaUpdateReject,
        {"EMMCause": b"\x16", "T3346": b"\x2a"},
    ),
    (
        Message(T.EXTENDED_SERVICE_REQUEST, service_type=1, nas_key_set_identifier=0,
                m_tmsi=MobileIdentity(IdentityType.TMSI, 0xC0FFEE01), csfb_response=1),
        EMM.EMMExtServiceRequest,
        {"NAS_KSI": 0, "ServiceType": 1, "MTMSI": {"type": 4, "ident": 0xC0FFEE01}, "CSFBResponse": 1},
    ),
    (
        Message(T.SERVICE_REQUEST, nas_key_set_identifier=3, sequence_number=30, short_mac=b"\xab\xcd"),
        EMM.EMMServiceRequest,
        {"KSI": 3, "SeqnShort": 30, "MACShort": b"\xab\xcd"},
    ),
    (Message(T.SERVICE_REJECT, emm_cause=EmmCause.IMPLICITLY_DETACHED), EMM.EMMServiceReject, {"EMMCause": b"\x0a"}),
    (
        Message(T.GUTI_REALLOCATION_COMMAND, guti=GUTI, tai_list=TAIS),
        EMM.EMMGUTIReallocCommand,
        {"GUTI": P_GUTI, "TAIList": P_TAIS},
    ),
    (Message(T.GUTI_REALLOCATION_COMPLETE), EMM.EMMGUTIReallocComplete, {}),
    (
        Message(T.AUTHENTICATION_REQUEST, nas_key_set_identifier=1, rand=RAND, autn=AUTN),
        EMM.EMMAuthenticationRequest,
        {"NAS_KSI": 1, "RAND": RAND, "AUTN": AUTN},
    ),
    (Message(T.AUTHENTICATION_RESPONSE, res=RAND[:8]), EMM.EMMAuthenticationResponse, {"RES": RAND[:8]}),
    (Message(T.AUTHENTICATION_REJECT), EMM.EMMAuthenticationReject, {}),
    (
        Message(
            T.AUTHENTICATION_FAILURE, emm_cause=EmmCause.SYNCH_FAILURE, authentication_failure_parameter=AUTS
        ),
        EMM.EMMAuthenticationFailure,
        {"EMMCause": b"\x15", "AUTS": AUTS},
    ),
    (Message(T.IDENTITY_REQUEST, identity_type=3), EMM.EMMIdentityRequest, {"IDType": 3}),
    (
        Message(T.IDENTITY_RESPONSE, mobile_identity=MobileIdentity(IdentityType.IMEISV, "9900011234567801")),
        EMM.EMMIdentityResponse,
        {"ID": {"type": 3, "ident": "9900011234567801"}},
    ),
    (
        Message(
            T.SECURITY_MODE_COMMAND,
            selected_nas_security_algorithms=NasAlgorithms(2, 2),
            nas_key_set_identifier=1,
            replayed_ue_security_capabilities=UeSecurityCapability(0xE0, 0x60, b"\xc0\x40"),
            imeisv_request=1,
        ),
        EMM.EMMSecurityModeCommand,
        {"NASSecAlgo": b"\x22", "NAS_KSI": 1, "UESecCap": b"\xe0\x60\xc0\x40", "IMEISVReq": 1},
    ),
    (
        Message(
            T.SECURITY_MODE_COMPLETE,
            imeisv=MobileIdentity(IdentityType.IMEISV, "9900011234567801"),
            replayed_nas_message_container=b"\x07\x41\x00",
        ),
        EMM.EMMSecurityModeComplete,
        {"IMEISV": {"type": 3, "ident": "9900011234567801"}, "NASMessage": b"\x07\x41\x00"},
    ),
    (
        Message(T.SECURITY_MODE_REJECT, emm_cause=EmmCause.UE_SECURITY_CAPABILITIES_MISMATCH),
        EMM.EMMSecurityModeReject,
        {"EMMCause": b"\x17"},
    ),
    (Message(T.EMM_STATUS, emm_cause=EmmCause.SEMANTICALLY_INCORRECT_MESSAGE), EMM.EMMStatus, {"EMMCause": b"\x5f"}),
    (
        Message(T.EMM_INFORMATION, full_name_for_network=b"\x90\x00T", local_time_zone=b"\x23"),
        EMM.EMMInformation,
        {"NetFullName": b"\x90\x00T", "LocalTimeZone": b"\x23"},
    ),
    (
        Message(T.DOWNLINK_NAS_TRANSPORT, nas_message_container=b"\x19\x04"),
        EMM.EMMDLNASTransport,
        {"NASContainer": b"\x19\x04"},
    ),
    (
        Message(T.UPLINK_NAS_TRANSPORT, nas_message_container=b"\x19\x04"),
        EMM.EMMULNASTransport,
        {"NASContainer": b"\x19\x04"},
    ),
    (
        Message(T.CS_SERVICE_NOTIFICATION, paging_identity=1, ss_code=0x11),
        EMM.EMMCSServiceNotification,
        {"PagingIdentity": b"\x01", "SSCode": b"\x11"},
    ),
]  # fmt: skip

HEAD = {"eps_bearer_identity": 5, "procedure_transaction_identity": 3}
#: a new template with one filter: packets of both directions, UDP to port 5683 of 198.51.100.80
TFT = bytes.fromhex("2130000e10c6336450ffffffff3011501633")
ESM_VECTORS: list[tuple[Message, Any, dict[str, Any]]] = [
    (
        Message(
            T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REQUEST, **HEAD, linked_eps_bearer_identity=5,
            eps_qos=EpsQos(3, b"\x40\x40\x40\x40"), tft=TFT, protocol_configuration_options=PCO,
        ),
        ESM.ESMActDediEPSBearerCtxtRequest,
        {"LinkedEPSBearerId": 5, "EPSQoS": b"\x03\x40\x40\x40\x40", "TFT": TFT, "ProtConfig": PCO},
    ),
    (
        Message(T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT, **HEAD, protocol_configuration_options=PCO),
        ESM.ESMActDediEPSBearerCtxtAccept,
        {"ProtConfig": PCO},
    ),
    (
        Message(
            T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REJECT, **HEAD,
            esm_cause=EsmCause.SEMANTIC_ERRORS_IN_PACKET_FILTERS,
        ),
        ESM.ESMActDediEPSBearerCtxtReject,
        {"ESMCause": b"\x2c"},
    ),
    (
        Message(
            T.MODIFY_EPS_BEARER_CONTEXT_REQUEST, **HEAD, new_eps_qos=EpsQos(7), tft=TFT, apn_ambr=b"\x40\x50",
            protocol_configuration_options=PCO,
        ),
        ESM.ESMModifyEPSBearerCtxtRequest,
        {"EPSQoS": b"\x07", "TFT": TFT, "APN_AMBR": b"\x40\x50", "ProtConfig": PCO},
    ),
    (
        Message(T.MODIFY_EPS_BEARER_CONTEXT_ACCEPT, **HEAD, protocol_configuration_options=PCO),
        ESM.ESMModifyEPSBearerCtxtAccept,
        {"ProtConfig": PCO},
    ),
    (
        Message(T.MODIFY_EPS_BEARER_CONTEXT_REJECT, **HEAD, esm_cause=EsmCause.INVALID_EPS_BEARER_IDENTITY),
        ESM.ESMModifyEPSBearerCtxtReject,
        {"ESMCause": b"\x2b"},
    ),
    (
        Message(
            T.PDN_CONNECTIVITY_REQUEST, **HEAD, request_type=1, pdn_type=PdnType.IPV4V6,
            esm_information_transfer_flag=1, access_point_name="meters.example",
            protocol_configuration_options=PCO, device_properties=1,
        ),
        ESM.ESMPDNConnectivityRequest,
        {
            "PDNType": 3, "RequestType": 1, "ESMInfoTransferFlag": 1, "APN": b"\x06meters\x07example",
            "ProtConfig": PCO, "DeviceProp": 1,
        },
    ),
    (
        Message(
            T.PDN_CONNECTIVITY_REJECT, **HEAD, esm_cause=EsmCause.INSUFFICIENT_RESOURCES, back_off_timer=720.0,
            re_attempt_indicator=1,
        ),
        ESM.ESMPDNConnectivityReject,
        {"ESMCause": b"\x1a", "BackOffTimer": b"\x98", "ReattemptInd": b"\x01"},
    ),
    (
        Message(
            T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST, **HEAD, eps_qos=EpsQos(9),
            access_point_name="meters.example", pdn_address=PdnAddress(PdnType.IPV4, "192.0.2.7"),
            apn_ambr=b"\x40\x50", esm_cause=EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED, protocol_configuration_options=PCO,
        ),
        ESM.ESMActDefaultEPSBearerCtxtRequest,
        {
            "EPSQoS": b"\x09", "APN": b"\x06meters\x07example", "PDNAddr": b"\x01\xc0\x00\x02\x07",
            "APN_AMBR": b"\x40\x50", "ESMCause": b"\x32", "ProtConfig": PCO,
        },
    ),
    (Message(T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT, **HEAD), ESM.ESMActDefaultEPSBearerCtxtAccept, {}),
    (
        Message(T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REJECT, **HEAD, esm_cause=EsmCause.PROTOCOL_ERROR_UNSPECIFIED),
        ESM.ESMActDefaultEPSBearerCtxtReject,
        {"ESMCause": b"\x6f"},
    ),
    (
        Message(T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST, **HEAD, esm_cause=EsmCause.REGULAR_DEACTIVATION,
                back_off_timer=float("inf")),
        ESM.ESMDeactEPSBearerCtxtRequest,
        {"ESMCause": b"\x24", "BackOffTimer": b"\xe0"},
    ),
    (
        Message(T.DEACTIVATE_EPS_BEARER_CONTEXT_ACCEPT, **HEAD, protocol_configuration_options=PCO),
        ESM.ESMDeactEPSBearerCtxtAccept,
        {"ProtConfig": PCO},
    ),
    (Message(T.ESM_INFORMATION_REQUEST, **HEAD), ESM.ESMInformationRequest, {}),
    (
        Message(T.ESM_INFORMATION_RESPONSE, **HEAD, access_point_name="a.b"),
        ESM.ESMInformationResponse,
        {"APN": b"\x01a\x01b"},
    ),
    (Message(T.ESM_STATUS, **HEAD, esm_cause=EsmCause.INVALID_PTI_VALUE), ESM.ESMStatus, {"ESMCause": b"\x51"}),
    (Message(T.PDN_DISCONNECT_REQUEST, **HEAD, linked_eps_bearer_identity=5), ESM.ESMPDNDisconnectRequest,
     {"LinkedEPSBearerId": 5}),
    (
        Message(T.BEARER_RESOURCE_ALLOCATION_REQUEST, **HEAD, linked_eps_bearer_identity=5, traffic_flow_aggregate=TFT,
                required_traffic_flow_qos=EpsQos(1, b"\x40" * 4), protocol_configuration_options=PCO),
        ESM.ESMBearerResourceAllocRequest,
        {"LinkedEPSBearerId": 5, "TFAggregate": TFT, "EPSQoS": b"\x01" + b"\x40" * 4, "ProtConfig": PCO},
    ),
    (
        Message(T.BEARER_RESOURCE_ALLOCATION_REJECT, **HEAD, esm_cause=EsmCause.EPS_QOS_NOT_ACCEPTED,
                protocol_configuration_options=PCO),
        ESM.ESMBearerResourceAllocReject,
        {"ESMCause": b"\x25", "ProtConfig": PCO},
    ),
    (
        Message(T.BEARER_RESOURCE_MODIFICATION_REQUEST, **HEAD, eps_bearer_identity_for_packet_filter=6,
                traffic_flow_aggregate=b"\xa1\x00", required_traffic_flow_qos=EpsQos(7),
                esm_cause=EsmCause.REGULAR_DEACTIVATION),
        ESM.ESMBearerResourceModifRequest,
        {"LinkedEPSBearerId": 6, "TFAggregate": b"\xa1\x00", "EPSQoS": b"\x07", "ESMCause": b"\x24"},
    ),
    (
        Message(T.BEARER_RESOURCE_MODIFICATION_REJECT, **HEAD, esm_cause=EsmCause.INVALID_EPS_BEARER_IDENTITY),
        ESM.ESMBearerResourceModifReject,
        {"ESMCause": b"\x2b"},
    ),
    (
        Message(T.PDN_DISCONNECT_REJECT, **HEAD, esm_cause=EsmCause.LAST_PDN_DISCONNECTION_NOT_ALLOWED),
        ESM.ESMPDNDisconnectReject,
        {"ESMCause": b"\x31"},
    ),
]  # fmt: skip


def names(vector: tuple[Message, Any, dict[str, Any]]) -> str:
    return str(vector[1].__name__)


@pytest.mark.parametrize("vector", VECTORS, ids=names)
def test_emm(vector: tuple[Message, Any, dict[str, Any]]) -> None:
    ours, cls, values = vector
    theirs = cls(val=values).to_bytes()
    assert encode(ours).hex() == theirs.hex()
    read = decode(theirs)
    assert read == ours
    assert not read.unknown
    assert not read.ignored


@pytest.mark.parametrize("vector", ESM_VECTORS, ids=names)
def test_esm(vector: tuple[Message, Any, dict[str, Any]]) -> None:
    ours, cls, values = vector
    message = cls(val=values)
    message["ESMHeader"]["EPSBearerId"].set_val(5)
    message["ESMHeader"]["PTI"].set_val(3)
    theirs = message.to_bytes()
    assert encode(ours).hex() == theirs.hex()
    read = decode(theirs)
    assert read == ours
    assert not read.unknown
    assert not read.ignored


def test_service_reject_back_off() -> None:
    # pycrate gives T3346 the IEI 5C here; Table 8.2.24.1 has 5F.
    message = Message(T.SERVICE_REJECT, emm_cause=EmmCause.CONGESTION, t3346=60.0)
    assert encode(message).hex() == "074e165f011e"
    assert decode(encode(message)) == message
