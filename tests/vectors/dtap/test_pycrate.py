"""Each message of MM and CC against pycrate, which has none of RR: the same octets of both, and what we read."""

from __future__ import annotations

from typing import Any

import pytest
from pycrate_mobile import TS24008_CC as CC
from pycrate_mobile import TS24008_MM as MM
from vectors import seeds

from simwarden.model.identity import Plmn
from simwarden.wire.dtap import (
    CallingNumber,
    CallState,
    LocationUpdatingType,
    Message,
    MessageType,
    MmCause,
    decode,
    encode,
)
from simwarden.wire.nas import IdentityType, Lai, MobileIdentity
from simwarden.wire.q850 import Cause, CauseValue
from simwarden.wire.tbcd import AddressString

T = MessageType
IMSI = MobileIdentity(IdentityType.IMSI, "001010123456789")
IMEISV = MobileIdentity(IdentityType.IMEISV, "9900010100000117")
P_IMSI, P_IMEISV = {"type": 1, "ident": IMSI.value}, {"type": 3, "ident": IMEISV.value}
LAI = Lai(Plmn("001", "01"), 0x1001)
P_LAI = bytes.fromhex("00 f1 10 10 01")
CM1, CM2 = b"\x30", b"\x30\x18\x00"
BEARER = b"\x60\x02\x81"
PROGRESS = b"\xe2\x88"
CAUSE = Cause(CauseValue.USER_BUSY, 2, 3)
OCTETS_OF_CAUSE = b"\xe2\x91"
CALLED = AddressString("10800000001", 0)
CALLER = CallingNumber("8610800000001", 1, 1, 0, 3)
OCTETS_OF_CALLED = bytes.fromhex("81 01 08 00 00 00 f1")
OCTETS_OF_CALLER = bytes.fromhex("11 83 68 01 08 00 00 00 f1")

# Ours; pycrate's class; its values
VECTORS: list[tuple[Message, Any, dict[str, Any]]] = [
    (Message(T.ALERTING, 0, answering=True, progress_indicator=PROGRESS), CC.CCAlertingMT, {"ProgressInd": PROGRESS}),
    (Message(T.CALL_PROCEEDING, 3, answering=True), CC.CCCallProceeding, {}),
    (Message(T.PROGRESS, 0, answering=True, progress_indicator=PROGRESS), CC.CCProgress, {"ProgressInd": PROGRESS}),
    (
        Message(T.SETUP, 0, bearer_capability=BEARER, called_party_bcd_number=CALLED),
        CC.CCSetupMO,
        {"BearerCap1": BEARER, "CalledPartyBCDNumber": OCTETS_OF_CALLED},
    ),
    (
        Message(
            T.SETUP,
            1,
            bearer_capability=BEARER,
            signal=b"\1",
            calling_party_bcd_number=CALLER,
            redirecting_party_bcd_number=CALLER,
        ),
        CC.CCSetupMT,
        {
            "BearerCap1": BEARER,
            "Signal": b"\1",
            "CallingPartyBCDNumber": OCTETS_OF_CALLER,
            "RedirectingPartyBCDNumber": OCTETS_OF_CALLER,
        },
    ),
    (Message(T.CONNECT, 0, connected_number=CALLER), CC.CCConnectMT, {"ConnectedNumber": OCTETS_OF_CALLER}),
    (Message(T.CALL_CONFIRMED, 0, cc_cause=CAUSE), CC.CCCallConfirmed, {"Cause": OCTETS_OF_CAUSE}),
    (Message(T.EMERGENCY_SETUP, emergency_category=b"\1"), CC.CCEmergencySetup, {"EmergencyCat": b"\1"}),
    (Message(T.CONNECT_ACKNOWLEDGE), CC.CCConnectAcknowledge, {}),
    (Message(T.HOLD), CC.CCHold, {}),
    (Message(T.HOLD_REJECT, cc_cause=CAUSE), CC.CCHoldReject, {"Cause": OCTETS_OF_CAUSE}),
    (Message(T.DISCONNECT, cc_cause=CAUSE), CC.CCDisconnectMO, {"Cause": OCTETS_OF_CAUSE}),
    (Message(T.RELEASE, cc_cause=CAUSE), CC.CCReleaseMO, {"Cause": OCTETS_OF_CAUSE}),
    (Message(T.RELEASE_COMPLETE, cc_cause=CAUSE), CC.CCReleaseCompleteMO, {"Cause": OCTETS_OF_CAUSE}),
    (Message(T.START_DTMF, keypad_facility="#"), CC.CCStartDTMF, {"KeypadFacility": b"#"}),
    (Message(T.START_DTMF_ACKNOWLEDGE, keypad_facility="7"), CC.CCStartDTMFAcknowledge, {"KeypadFacility": b"7"}),
    (Message(T.START_DTMF_REJECT, cc_cause=CAUSE), CC.CCStartDTMFReject, {"Cause": OCTETS_OF_CAUSE}),
    (Message(T.STOP_DTMF), CC.CCStopDTMF, {}),
    (Message(T.STOP_DTMF_ACKNOWLEDGE), CC.CCStopDTMFAcknowledge, {}),
    (Message(T.STATUS_ENQUIRY), CC.CCStatusEnquiry, {}),
    (
        Message(T.STATUS, cc_cause=CAUSE, call_state=CallState.ACTIVE),
        CC.CCStatus,
        {"Cause": OCTETS_OF_CAUSE, "CallState": b"\xca"},
    ),
    (
        Message(T.IMSI_DETACH_INDICATION, mobile_station_classmark_1=CM1, mobile_identity=IMSI),
        MM.MMIMSIDetachIndication,
        {"MSCm1": CM1, "ID": P_IMSI},
    ),
    (
        Message(T.LOCATION_UPDATING_ACCEPT, location_area_identification=LAI, mobile_identity=IMSI),
        MM.MMLocationUpdatingAccept,
        {"LAI": P_LAI, "ID": P_IMSI},
    ),
    (
        Message(T.LOCATION_UPDATING_REJECT, mm_cause=MmCause.ILLEGAL_ME),
        MM.MMLocationUpdatingReject,
        {"RejectCause": b"\6"},
    ),
    (
        Message(
            T.LOCATION_UPDATING_REQUEST,
            location_updating_type=LocationUpdatingType.IMSI_ATTACH,
            ciphering_key_sequence_number=7,
            location_area_identification=LAI,
            mobile_station_classmark_1=CM1,
            mobile_identity=IMSI,
        ),
        MM.MMLocationUpdatingRequest,
        {"CKSN": 7, "LocUpdateType": 2, "LAI": P_LAI, "MSCm1": CM1, "ID": P_IMSI},
    ),
    (Message(T.IDENTITY_REQUEST, identity_type=3), MM.MMIdentityRequest, {"IDType": 3}),
    (Message(T.IDENTITY_RESPONSE, mobile_identity=IMEISV), MM.MMIdentityResponse, {"ID": P_IMEISV}),
    (Message(T.CM_SERVICE_ACCEPT), MM.MMCMServiceAccept, {}),
    (Message(T.CM_SERVICE_REJECT, mm_cause=MmCause.CONGESTION), MM.MMCMServiceReject, {"RejectCause": b"\x16"}),
    (
        Message(
            T.CM_SERVICE_REQUEST,
            cm_service_type=1,
            ciphering_key_sequence_number=7,
            mobile_station_classmark_2=CM2,
            mobile_identity=IMSI,
        ),
        MM.MMCMServiceRequest,
        {"CKSN": 7, "Service": 1, "MSCm2": CM2, "ID": P_IMSI},
    ),
    (Message(T.ABORT, mm_cause=MmCause.ILLEGAL_ME), MM.MMAbort, {"RejectCause": b"\6"}),
    (Message(T.MM_STATUS, mm_cause=MmCause.CONDITIONAL_IE_ERROR), MM.MMStatus, {"RejectCause": b"\x64"}),
]


@pytest.mark.parametrize(("ours", "theirs", "values"), VECTORS, ids=[str(each[0].type.name) for each in VECTORS])
def test_same_octets(ours: Message, theirs: Any, values: dict[str, Any]) -> None:
    made = theirs(val=values)
    if "TIPD" in made[0]._by_name:
        made[0]["TIPD"].set_val({"TIFlag": int(ours.answering), "TIO": ours.transaction})
    octets = made.to_bytes()
    assert encode(ours) == octets
    assert decode(octets) == ours


def test_seeds_are_the_vectors() -> None:
    assert {bytes(each) for each in seeds("dtap/seeds.txt")} >= {encode(ours) for ours, _, _ in VECTORS}
