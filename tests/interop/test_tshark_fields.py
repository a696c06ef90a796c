"""Wireshark finds in our messages, field by field, the values that we meant."""

from __future__ import annotations

from typing import Any, NamedTuple

import exported
import pytest
from traces import diameter

from simwarden.model.identity import Ecgi, Guti, Plmn, Tai
from simwarden.wire import nas, s1ap
from simwarden.wire.apdu.authenticate import authenticate_command
from simwarden.wire.apdu.command import CommandApdu, ResponseApdu
from simwarden.wire.nas import MessageType as T
from simwarden.wire.s1ap.values import (
    AllocationAndRetentionPriority,
    ErabLevelQosParameters,
    ErabToBeSetup,
    ErabTunnel,
    GlobalEnbId,
    MacroEnbId,
    SupportedTa,
    UeAggregateMaximumBitrate,
    UeSecurityCapabilities,
)

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not exported.TSHARK, reason="tshark is not installed (apt install tshark)"),
]
PLMN = Plmn("001", "01")
GUTI = Guti(PLMN, 0x8001, 2, 0xC0FFEE01)
IMSI, IMEISV = "001010000000017", "3599990000000701"
RAND, AUTN, RES, KEY = bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 40)), bytes(range(64, 96))
REALM = "epc.mnc001.mcc001.3gppnetwork.org"
USER = ("User-Name", IMSI)
VISITED = ("Visited-PLMN-Id", bytes.fromhex("00f110"))
TERMINAL = ("Terminal-Information", [("IMEI", IMEISV[:14]), ("Software-Version", IMEISV[14:])])


class Case(NamedTuple):
    """A message, the dissector for it, and what must be found: a field's values in their order."""

    label: str
    dissector: str
    octets: bytes
    fields: dict[str, list[str]]


def colons(octets: bytes) -> str:
    return octets.hex(":")


def asked(name: str, code: int, application: int, *avps: Any, **fields: list[str]) -> Case:
    """Make a request of a node, and what is always in it."""
    common = {
        "diameter.cmd.code": [str(code)],
        "diameter.applicationId": [str(application)],
        "diameter.flags": ["0xc0"],
        "diameter.hopbyhopid": ["0x00000007"],
        "diameter.endtoendid": ["0x00001007"],
        "diameter.Session-Id": [f"mme.{REALM};1;7"],
        "diameter.Auth-Application-Id": [str(application)],
        "diameter.Auth-Session-State": ["1"],
        "diameter.Origin-Host": [f"mme.{REALM}"],
        "diameter.Origin-Realm": [REALM],
        "diameter.Destination-Realm": [REALM],
    }
    octets = diameter(name, *avps, number=7)
    return Case(name, "diameter", octets, common | {f"diameter.{key}": value for key, value in named(fields)})


def answered(name: str, code: int, application: int, *avps: Any, **fields: list[str]) -> Case:
    common = {
        "diameter.cmd.code": [str(code)],
        "diameter.applicationId": [str(application)],
        "diameter.flags": ["0x40"],
    }
    octets = diameter(name, *avps, answer=True, number=7)
    return Case(name, "diameter", octets, common | {f"diameter.{key}": value for key, value in named(fields)})


def named(fields: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    return [(key.replace("__", ".").replace("_", "-"), value) for key, value in fields.items()]


S6A, S13 = 16777251, 16777252
AMBR = [("Max-Requested-Bandwidth-UL", 50_000_000), ("Max-Requested-Bandwidth-DL", 100_000_000)]
PRIORITY = [("Priority-Level", 8), ("Pre-emption-Capability", 1), ("Pre-emption-Vulnerability", 0)]
APN = [
    ("Context-Identifier", 1),
    ("PDN-Type", 0),
    ("Service-Selection", "iot.example"),
    ("EPS-Subscribed-QoS-Profile", [("QoS-Class-Identifier", 9), ("Allocation-Retention-Priority", PRIORITY)]),
    ("AMBR", AMBR),
]
PROFILE = [("Context-Identifier", 1), ("All-APN-Configurations-Included-Indicator", 0), ("APN-Configuration", APN)]
SUBSCRIPTION = [
    ("Subscriber-Status", 0),
    ("MSISDN", "8614400000017"),
    ("Network-Access-Mode", 2),
    ("Regional-Subscription-Zone-Code", bytes.fromhex("a001")),
    ("AMBR", AMBR),
    ("APN-Configuration-Profile", PROFILE),
    ("Subscribed-Periodic-RAU-TAU-Timer", 3600),
]
VECTOR = [("Item-Number", 1), ("RAND", RAND), ("XRES", RES), ("AUTN", AUTN), ("KASME", KEY)]

DIAMETER = [
    asked(
        *("Authentication-Information-Request", 318, S6A, USER),
        (
            "Requested-EUTRAN-Authentication-Info",
            [("Number-Of-Requested-Vectors", 3), ("Immediate-Response-Preferred", 0)],
        ),
        VISITED,
        User_Name=[IMSI],
        Number_Of_Requested_Vectors=["3"],
        Immediate_Response_Preferred=["0"],
        Visited_PLMN_Id=["00:f1:10"],
    ),
    answered(
        *("Authentication-Information-Answer", 318, S6A, ("Result-Code", 2001)),
        ("Authentication-Info", [("E-UTRAN-Vector", VECTOR)]),
        Result_Code=["2001"],
        Item_Number=["1"],
        RAND=[colons(RAND)],
        XRES=[colons(RES)],
        AUTN=[colons(AUTN)],
        KASME=[colons(KEY)],
    ),
    asked(
        *("Update-Location-Request", 316, S6A, USER, TERMINAL, ("RAT-Type", 1004), ("ULR-Flags", 34), VISITED),
        User_Name=[IMSI],
        IMEI=[IMEISV[:14]],
        Software_Version=[IMEISV[14:]],
        RAT_Type=["1004"],
        ULR_Flags=["34"],
        Visited_PLMN_Id=["00:f1:10"],
    ),
    answered(
        *("Update-Location-Answer", 316, S6A, ("Result-Code", 2001), ("ULA-Flags", 1)),
        ("Subscription-Data", SUBSCRIPTION),
        Result_Code=["2001"],
        ULA_Flags=["1"],
        Subscriber_Status=["0"],
        MSISDN=["68:41:04:00:00:10:f7"],
        Network_Access_Mode=["2"],
        Regional_Subscription_Zone_Code=["a0:01"],
        Max_Requested_Bandwidth_UL=["50000000", "50000000"],
        Max_Requested_Bandwidth_DL=["100000000", "100000000"],
        Context_Identifier=["1", "1"],
        All_APN_Configurations_Included_Indicator=["0"],
        PDN_Type=["0"],
        Service_Selection=["iot.example"],
        QoS_Class_Identifier=["9"],
        Priority_Level=["8"],
        Pre_emption_Capability=["1"],
        Pre_emption_Vulnerability=["0"],
        Subscribed_Periodic_RAU_TAU_Timer=["3600"],
    ),
    answered(
        *("Update-Location-Answer", 316, S6A),
        ("Experimental-Result", [("Vendor-Id", 10415), ("Experimental-Result-Code", 5001)]),
        Experimental_Result_Code=["5001"],
    ),
    asked(
        *("ME-Identity-Check-Request", 324, S13, TERMINAL, USER),
        IMEI=[IMEISV[:14]],
        Software_Version=[IMEISV[14:]],
        User_Name=[IMSI],
    ),
    answered(
        *("ME-Identity-Check-Answer", 324, S13, ("Result-Code", 2001), ("Equipment-Status", 1)),
        Result_Code=["2001"],
        Equipment_Status=["1"],
    ),
    asked(
        *("Notify-Request", 323, S6A, USER, TERMINAL, ("NOR-Flags", 2)),
        IMEI=[IMEISV[:14]],
        NOR_Flags=["2"],
    ),
    asked("Purge-UE-Request", 321, S6A, USER, ("PUR-Flags", 1), User_Name=[IMSI], PUR_Flags=["1"]),
]

ESM = nas.Message(
    T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST,
    eps_bearer_identity=5,
    procedure_transaction_identity=3,
    eps_qos=nas.EpsQos(9),
    access_point_name="iot.example",
    pdn_address=nas.PdnAddress(nas.PdnType.IPV4, "192.0.2.60"),
    esm_cause=nas.EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED,
)
BEARER = {
    "nas-eps.bearer_id": ["5"],
    "nas-eps.esm.proc_trans_id": ["3"],
    "nas-eps.nas_msg_esm_type": ["0xc1"],
    "nas-eps.esm.qci": ["9"],
    "gsm_a.gm.sm.apn": ["iot.example"],
    "nas-eps.esm_pdn_type": ["1"],
    "nas-eps.esm.pdn_ipv4": ["192.0.2.60"],
    "nas-eps.esm.cause": ["50"],
}


def emm(kind: T, number: int, fields: dict[str, list[str]], **elements: Any) -> Case:
    octets = nas.encode(nas.Message(kind, **elements))
    common = {"nas-eps.security_header_type": ["0"], "nas-eps.nas_msg_emm_type": [f"{number:#x}"]}
    return Case(kind.name, "nas-eps", octets, common | fields)


IDENTITY = {
    "e212.gummei.mcc": ["001"],
    "e212.gummei.mnc": ["01"],
    "nas-eps.emm.mme_grp_id": [str(0x8001)],
    "nas-eps.emm.mme_code": ["2"],
    "nas-eps.emm.m_tmsi": [str(0xC0FFEE01)],
}
NAS = [
    emm(
        T.ATTACH_REQUEST,
        0x41,
        {
            "nas-eps.emm.eps_att_type": ["1"],
            "nas-eps.emm.nas_key_set_id": ["7"],
            "e212.imsi": [IMSI],
            "nas-eps.emm.eea0": ["1"],
            "nas-eps.emm.128eea1": ["1"],
            "nas-eps.emm.128eea2": ["1"],
            "nas-eps.emm.eea3": ["0"],
            "nas-eps.emm.eia0": ["0"],
            "nas-eps.emm.128eia2": ["1"],
            "nas-eps.nas_msg_esm_type": ["0xd0"],
            "nas-eps.esm_request_type": ["1"],
        },
        eps_attach_type=1,
        nas_key_set_identifier=7,
        eps_mobile_identity=nas.MobileIdentity(nas.IdentityType.IMSI, IMSI),
        ue_network_capability=nas.UeNetworkCapability(0xE0, 0x60),
        esm_message_container=bytes.fromhex("0201d011"),
    ),
    emm(
        T.ATTACH_ACCEPT,
        0x42,
        {
            "nas-eps.emm.EPS_attach_result": ["1"],
            "nas-eps.emm.cause": ["18"],
            "nas-eps.emm.tai_tac": ["7", "9"],
            "e212.tai.mcc": ["001"],
            "e212.tai.mnc": ["01"],
            # 9 times 6 minutes; 12 times a minute
            "gsm_a.gm.gmm.gprs_timer_unit": ["2", "1"],
            "gsm_a.gm.gmm.gprs_timer_value": ["9", "12"],
            **IDENTITY,
            **BEARER,
        },
        eps_attach_result=1,
        t3412=3240.0,
        t3402=720.0,
        tai_list=[Tai(PLMN, 7), Tai(PLMN, 9)],
        esm_message_container=nas.encode(ESM),
        guti=GUTI,
        emm_cause=nas.EmmCause.CS_DOMAIN_NOT_AVAILABLE,
    ),
    emm(T.ATTACH_REJECT, 0x44, {"nas-eps.emm.cause": ["6"]}, emm_cause=nas.EmmCause.ILLEGAL_ME),
    emm(
        T.SERVICE_REJECT,
        0x4E,
        {
            "nas-eps.emm.cause": ["22"],
            "gsm_a.gm.gmm.gprs_timer2_unit": ["1"],
            "gsm_a.gm.gmm.gprs_timer2_value": ["15"],
        },
        emm_cause=nas.EmmCause.CONGESTION,
        t3346=900.0,
    ),
    emm(
        T.SECURITY_MODE_COMMAND,
        0x5D,
        {
            "nas-eps.emm.toi": ["2"],
            "nas-eps.emm.toc": ["0"],
            "nas-eps.emm.nas_key_set_id": ["3"],
            "nas-eps.emm.imeisv_req": ["1"],
        },
        selected_nas_security_algorithms=nas.NasAlgorithms(0, 2),
        nas_key_set_identifier=3,
        replayed_ue_security_capabilities=nas.UeSecurityCapability(0xE0, 0x60),
        imeisv_request=1,
    ),
    emm(
        T.SECURITY_MODE_COMPLETE,
        0x5E,
        {"gsm_a.imeisv": [IMEISV]},
        imeisv=nas.MobileIdentity(nas.IdentityType.IMEISV, IMEISV),
    ),
    emm(
        T.AUTHENTICATION_REQUEST,
        0x52,
        {"gsm_a.dtap.rand": [colons(RAND)], "gsm_a.dtap.autn": [colons(AUTN)]},
        nas_key_set_identifier=3,
        rand=RAND,
        autn=AUTN,
    ),
    emm(
        T.TRACKING_AREA_UPDATE_ACCEPT,
        0x49,
        {"nas-eps.emm.eps_update_result_value": ["0"], "nas-eps.emm.tai_tac": ["7"], **IDENTITY},
        eps_update_result=0,
        guti=GUTI,
        tai_list=[Tai(PLMN, 7)],
    ),
]

IDS: dict[str, Any] = {"mme_ue_s1ap_id": 100_000, "enb_ue_s1ap_id": 513}
FOUND_IDS = {"s1ap.MME_UE_S1AP_ID": ["100000"], "s1ap.ENB_UE_S1AP_ID": ["513"]}
ARP = AllocationAndRetentionPriority(8, s1ap.PreEmptionCapability(0), s1ap.PreEmptionVulnerability(1))
CONTEXT = {
    **IDS,
    "ue_aggregate_maximum_bitrate": UeAggregateMaximumBitrate(100_000_000, 50_000_000),
    "e_rab_to_be_setup_list_ctxt_su_req": (
        ErabToBeSetup(5, ErabLevelQosParameters(9, ARP), bytes((192, 0, 2, 60)), 0x01020304, NAS[1].octets),
    ),
    "ue_security_capabilities": UeSecurityCapabilities(0xC000, 0x4000),
    "security_key": KEY,
}
WHERE = {"tai": Tai(PLMN, 7), "eutran_cgi": Ecgi(PLMN, 0x0ABCDE1)}
FOUND_WHERE = {"s1ap.tAC": ["7"], "s1ap.CellIdentity": ["0x00abcde1"], "e212.ecgi.mnc": ["01"]}


def s1(name: str, procedure: int, fields: dict[str, list[str]], **elements: Any) -> Case:
    octets = s1ap.encode(s1ap.Message(name, elements))
    return Case(name, "s1ap", octets, {"s1ap.procedureCode": [str(procedure)], **fields})


S1AP = [
    s1(
        "initial-context-setup-request",
        9,
        {
            **FOUND_IDS,
            "s1ap.uEaggregateMaximumBitRateDL": ["100000000"],
            "s1ap.uEaggregateMaximumBitRateUL": ["50000000"],
            "s1ap.e_RAB_ID": ["5"],
            "s1ap.qCI": ["9"],
            "s1ap.priorityLevel": ["8"],
            "s1ap.pre_emptionCapability": ["0"],
            "s1ap.pre_emptionVulnerability": ["1"],
            "s1ap.transportLayerAddressIPv4": ["192.0.2.60"],
            "s1ap.gTP_TEID": ["01:02:03:04"],
            "s1ap.SecurityKey": [colons(KEY)],
            **BEARER,
        },
        **CONTEXT,
    ),
    s1(
        "initial-ue-message",
        12,
        {"s1ap.ENB_UE_S1AP_ID": ["513"], "s1ap.RRC_Establishment_Cause": ["3"], **FOUND_WHERE},
        enb_ue_s1ap_id=513,
        nas_pdu=NAS[0].octets,
        rrc_establishment_cause=s1ap.RrcEstablishmentCause.MO_SIGNALLING,
        **WHERE,
    ),
    s1(
        "ue-context-release-request",
        18,
        {**FOUND_IDS, "s1ap.radioNetwork": ["20"]},
        **IDS,
        cause=s1ap.CauseRadioNetwork.USER_INACTIVITY,
    ),
    s1(
        "path-switch-request",
        3,
        {
            "s1ap.ENB_UE_S1AP_ID": ["513"],
            "s1ap.MME_UE_S1AP_ID": ["100000"],
            "s1ap.e_RAB_ID": ["6"],
            "s1ap.transportLayerAddressIPv4": ["192.0.2.61"],
            "s1ap.gTP_TEID": ["0a:0b:0c:0d"],
            **FOUND_WHERE,
        },
        enb_ue_s1ap_id=513,
        source_mme_ue_s1ap_id=100_000,
        e_rab_to_be_switched_dl_list=(ErabTunnel(6, bytes((192, 0, 2, 61)), 0x0A0B0C0D),),
        ue_security_capabilities=UeSecurityCapabilities(0xC000, 0x4000),
        **WHERE,
    ),
    s1(
        "s1-setup-request",
        17,
        {"s1ap.macroENB_ID": ["ab:cd:e0"], "s1ap.ENBname": ["enb.example"], "s1ap.tAC": ["7"]},
        global_enb_id=GlobalEnbId(PLMN, MacroEnbId(0xABCDE)),
        enb_name="enb.example",
        supported_tas=(SupportedTa(7, (PLMN,)),),
        default_paging_drx=s1ap.PagingDrx.V128,
    ),
]

APDU = [
    Case(
        "SELECT by path",
        "gsm_sim.command",
        CommandApdu(0x00, 0xA4, 0x08, 0x04, bytes.fromhex("7fff6f07")).to_bytes(),
        {"gsm_sim.apdu.ins": ["0xa4"], "gsm_sim.file_id": ["0x7fff", "0x6f07"]},
    ),
    Case(
        "READ BINARY",
        "gsm_sim.command",
        CommandApdu(0x00, 0xB0, 0x00, 0x03, b"", 9).to_bytes(),
        {"gsm_sim.apdu.ins": ["0xb0"], "gsm_sim.bin_offset": ["3"], "gsm_sim.le": ["9"]},
    ),
    Case(
        "AUTHENTICATE",
        "gsm_sim.command",
        authenticate_command(RAND, AUTN).to_bytes(),
        {"gsm_sim.apdu.ins": ["0x88"]},
    ),
    Case(
        "a response",
        "gsm_sim.response",
        ResponseApdu(b"", 0x9862).to_bytes(),
        {"gsm_sim.apdu.sw": ["0x9862"]},
    ),
]
CASES = [*DIAMETER, *NAS, *S1AP, *APDU]


@pytest.fixture(name="found", scope="module")
def _found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, list[str]]]:
    path = tmp_path_factory.mktemp("fields") / "all.pcap"
    return exported.read(path, [(case.dissector, case.octets) for case in CASES])


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.label for case in CASES])
def test_fields_are_those_meant(found: list[dict[str, list[str]]], number: int) -> None:
    assert {name: found[number].get(name) for name in CASES[number].fields} == CASES[number].fields
    assert "_ws.malformed" not in found[number]
