"""Messages of M3UA, SCCP, TCAP, CAP and MAP, each type at least once, for all who compare them with others."""

from __future__ import annotations

from typing import Final

from simwarden.wire import cap, m3ua, sccp, tcap
from simwarden.wire import map as gsm_map
from simwarden.wire.isup import GenericNumber, Number
from simwarden.wire.m3ua import Destination, ErrorCode, MessageType, ProtocolData, Status, TrafficMode, UserCause
from simwarden.wire.q850 import Cause
from simwarden.wire.sccp import Address, GlobalTitle, Management, ManagementType, Segmentation
from simwarden.wire.tbcd import AddressString
from simwarden.wire.tcap import Aare, Aarq, AbortCause, Abrt, Invoke, Problem, ProblemKind, Reject, ReturnError

T, M = MessageType, m3ua.Message
IMSI: Final = "001010123456789"
IMEISV: Final = "3512300000000117"
HLR, MSC, SCF, MSRN = (AddressString(f"86138000000{number:02}") for number in (6, 8, 46, 91))
MSISDN: Final = AddressString("8614400000017")
CALLER, LISTED = Number("8614400000017", screening=3), Number("8610800000001", plan=1)

M3UAS: Final[dict[str, m3ua.Message]] = {
    "error": M(T.ERROR, error_code=ErrorCode.INVALID_ROUTING_CONTEXT, routing_context=(9,)),
    "error, octets": M(T.ERROR, error_code=ErrorCode.PROTOCOL_ERROR, diagnostic_information=b"\1\0\1"),
    "notify": M(T.NOTIFY, status=Status.AS_ACTIVE, asp_identifier=3, routing_context=(7,)),
    "data": M(T.DATA, routing_context=(7,), protocol_data=ProtocolData(8, 146, 3, 2, 0, 5, b"\x09" + bytes(8))),
    "duna": M(T.DESTINATION_UNAVAILABLE, routing_context=(7,), affected_point_code=(Destination(146),)),
    "dava": M(T.DESTINATION_AVAILABLE, affected_point_code=(Destination(146), Destination(8, 3))),
    "daud": M(T.DESTINATION_STATE_AUDIT, affected_point_code=(Destination(146),), info_string="audit"),
    "scon": M(
        T.SIGNALLING_CONGESTION, affected_point_code=(Destination(146),), concerned_destination=8, congestion_level=2
    ),
    "dupu": M(T.DESTINATION_USER_PART_UNAVAILABLE, affected_point_code=(Destination(146),), user_cause=UserCause(1, 3)),
    "drst": M(T.DESTINATION_RESTRICTED, affected_point_code=(Destination(146),)),
    "aspup": M(T.ASP_UP, asp_identifier=3, info_string="ssp"),
    "aspup ack": M(T.ASP_UP_ACK),
    "aspdn": M(T.ASP_DOWN, info_string="maintenance"),
    "aspdn ack": M(T.ASP_DOWN_ACK),
    "beat": M(T.HEARTBEAT, heartbeat_data=b"\0\0\0\1"),
    "beat ack": M(T.HEARTBEAT_ACK, heartbeat_data=b"\0\0\0\1"),
    "aspac": M(T.ASP_ACTIVE, traffic_mode_type=TrafficMode.LOADSHARE, routing_context=(7, 8)),
    "aspac ack": M(T.ASP_ACTIVE_ACK, traffic_mode_type=TrafficMode.OVERRIDE, routing_context=(7,)),
    "aspia": M(T.ASP_INACTIVE, routing_context=(7,)),
    "aspia ack": M(T.ASP_INACTIVE_ACK, routing_context=(7,)),
}

SSP = Address(8, 8)
SCP = Address(146, 146)
BY_TITLE = Address(146, None, GlobalTitle("8613800000046", 4, 0, 1), route_on_ssn=False)
ODD = Address(6, 6, GlobalTitle("861380000006", 4, 0, 1), route_on_ssn=False)
USER_DATA: Final = bytes.fromhex("62064804000000014900")[:8]
S = sccp.MessageType
SCCPS: Final[dict[str, sccp.Message]] = {
    "udt": sccp.Message(S.UNITDATA, SCP, SSP, USER_DATA, return_on_error=True),
    "udt by title": sccp.Message(S.UNITDATA, BY_TITLE, ODD, USER_DATA, protocol_class=1),
    "udts": sccp.Message(S.UNITDATA_SERVICE, SSP, BY_TITLE, USER_DATA, return_cause=1),
    "xudt": sccp.Message(S.EXTENDED_UNITDATA, SCP, SSP, USER_DATA, hop_counter=12, importance=4),
    "xudt segment": sccp.Message(
        S.EXTENDED_UNITDATA, SCP, SSP, USER_DATA, 1, segmentation=Segmentation(True, 1, 0x010203, True)
    ),
    "xudts": sccp.Message(S.EXTENDED_UNITDATA_SERVICE, SSP, SCP, USER_DATA, return_cause=12, hop_counter=1),
}
MANAGEMENTS: Final = {
    kind.name: Management(kind, 146, 8, congestion_level=3 if kind is ManagementType.SUBSYSTEM_CONGESTED else 0)
    for kind in ManagementType
}

# -- operations

SERVICE: Final = 7
TRIGGER = gsm_map.OTriggerData(
    gsm_map.OTriggerPoint.COLLECTED_INFO, SERVICE, SCF, gsm_map.DefaultCallHandling.RELEASE_CALL
)
T_TRIGGER = gsm_map.TTriggerData(
    gsm_map.TTriggerPoint.TERM_ATTEMPT_AUTHORIZED, SERVICE, SCF, gsm_map.DefaultCallHandling.RELEASE_CALL
)
O_CSI, T_CSI = gsm_map.OCsi((TRIGGER,), 2, active=True), gsm_map.TCsi((T_TRIGGER,), 3)
INITIAL_DP = cap.InitialDP(
    SERVICE,
    calling_party_number=CALLER,
    calling_partys_category=10,
    original_called_party_id=LISTED,
    additional_calling_party_number=GenericNumber(6, CALLER),
    event_type_bcsm=cap.EventType.COLLECTED_INFO,
    redirecting_party_id=LISTED,
    redirection_information=b"\x03\x11",
    imsi=IMSI,
    location_information=cap.Location(
        age=3, vlr_number=MSC, cell=cap.Cell(cell_global_id=bytes.fromhex("00f11000010002")), msc_number=MSC
    ),
    basic_service=cap.BasicService(teleservice=b"\x11"),
    call_reference_number=b"\0\0\1\2",
    msc_address=MSC,
    called_party_bcd_number=AddressString("10800000001", 0),
    time_and_timezone=bytes.fromhex("0262302080030023"),
    extension=cap.InitialDpExtension(gmsc_address=MSC, imei=IMEISV, supported_camel_phases=(1, 2, 3)),
)
E, N = cap.EventType, cap.MonitorMode
ANNOUNCEMENT = cap.Information(cap.InbandInfo(cap.MessageId(5), 1, 10))
CAPS: Final[dict[str, Invoke]] = {
    "initial-dp": cap.invoke(cap.INITIAL_DP, INITIAL_DP, invoke_id=1),
    "initial-dp, terminating": cap.invoke(
        cap.INITIAL_DP,
        cap.InitialDP(SERVICE, LISTED, event_type_bcsm=E.TERM_ATTEMPT_AUTHORIZED, imsi=IMSI, cause=Cause(17, 4)),
        invoke_id=1,
        phase=cap.Phase.THREE,
    ),
    "request-report-bcsm-event": cap.invoke(
        cap.REQUEST_REPORT_BCSM_EVENT,
        cap.RequestReportBCSMEvent(
            (
                cap.BcsmEvent(E.O_ANSWER, N.NOTIFY_AND_CONTINUE),
                cap.BcsmEvent(E.O_NO_ANSWER, N.INTERRUPTED, cap.Leg(2), cap.Criteria(20)),
                cap.BcsmEvent(E.O_DISCONNECT, N.INTERRUPTED, cap.Leg(sending_side=1)),
            )
        ),
        invoke_id=1,
    ),
    "event-report-bcsm": cap.invoke(
        cap.EVENT_REPORT_BCSM,
        cap.EventReportBCSM(
            E.O_DISCONNECT,
            cap.EventInfo(o_disconnect=cap.DisconnectInfo(Cause(16, 4))),
            cap.Leg(receiving_side=2),
            cap.Misc(cap.EventMode.NOTIFICATION),
        ),
        invoke_id=2,
    ),
    "connect": cap.invoke(
        cap.CONNECT,
        cap.Connect((LISTED,), calling_partys_category=10, generic_numbers=(GenericNumber(6, CALLER),)),
        invoke_id=2,
    ),
    "continue": cap.invoke(cap.CONTINUE, invoke_id=2),
    "continue-with-argument": cap.invoke(
        cap.CONTINUE_WITH_ARGUMENT, cap.ContinueWithArgument(calling_partys_category=10), invoke_id=2
    ),
    "release-call": cap.invoke(cap.RELEASE_CALL, cap.ReleaseCall(Cause(21, 4)), invoke_id=2),
    "apply-charging": cap.invoke(
        cap.APPLY_CHARGING, cap.ApplyCharging(cap.TimeCharging(600, release_if_duration_exceeded=True)), invoke_id=3
    ),
    "apply-charging-report": cap.invoke(
        cap.APPLY_CHARGING_REPORT, cap.ApplyChargingReport(cap.CallResult(1, 599, leg_active=False)), invoke_id=3
    ),
    "connect-to-resource": cap.invoke(
        cap.CONNECT_TO_RESOURCE, cap.ConnectToResource(cap.Resource(none=True)), invoke_id=4
    ),
    "disconnect-forward-connection": cap.invoke(cap.DISCONNECT_FORWARD_CONNECTION, invoke_id=5),
    "play-announcement": cap.invoke(cap.PLAY_ANNOUNCEMENT, cap.PlayAnnouncement(ANNOUNCEMENT), invoke_id=5),
    "play-announcement, tone": cap.invoke(
        cap.PLAY_ANNOUNCEMENT,
        cap.PlayAnnouncement(cap.Information(tone=cap.Tone(3, 2)), request_announcement_complete=False),
        invoke_id=5,
    ),
    "prompt-and-collect-user-information": cap.invoke(
        cap.PROMPT_AND_COLLECT,
        cap.PromptAndCollectUserInformation(
            cap.CollectedInfo(cap.CollectedDigits(4, 4, b"\x0c", first_digit_timeout=10, inter_digit_timeout=5)),
            disconnect_from_ip_forbidden=False,
            information=ANNOUNCEMENT,
        ),
        invoke_id=6,
    ),
    "specialized-resource-report": cap.invoke(
        cap.SPECIALIZED_RESOURCE_REPORT,
        cap.SpecializedResourceReport(all_announcements_complete=True),
        invoke_id=7,
        linked_id=5,
    ),
    "cancel": cap.invoke(cap.CANCEL, cap.Cancel(all_requests=True), invoke_id=8),
    "cancel, one": cap.invoke(cap.CANCEL, cap.Cancel(invoke_id=5), invoke_id=8),
    "activity-test": cap.invoke(cap.ACTIVITY_TEST, invoke_id=9),
}
CAP_ANSWERS: Final[dict[str, tcap.ReturnResult | ReturnError]] = {
    "prompt-and-collect-user-information-result": tcap.ReturnResult(
        6,
        cap.PROMPT_AND_COLLECT.opcode,
        cap.CAP_USER.encode_result(cap.PROMPT_AND_COLLECT, cap.ReceivedInformation("1234")),
    ),
    "activity-test-result": tcap.ReturnResult(9),
    "cap-error": ReturnError(1, cap.ErrorCode.MISSING_CUSTOMER_RECORD),
}
MAPS: Final[dict[str, Invoke]] = {
    "update-location": gsm_map.invoke(
        gsm_map.UPDATE_LOCATION,
        gsm_map.UpdateLocation(
            IMSI,
            MSC,
            MSC,
            vlr_capability=gsm_map.VlrCapability((1, 2, 3), (0, 2)),
            add_info=gsm_map.AddInfo(IMEISV),
        ),
        invoke_id=1,
    ),
    "insert-subscriber-data": gsm_map.invoke(
        gsm_map.INSERT_SUBSCRIBER_DATA,
        gsm_map.InsertSubscriberData(
            IMSI,
            MSISDN,
            10,
            gsm_map.SubscriberStatus.OPERATOR_DETERMINED_BARRING,
            teleservices=(b"\x11", b"\x12"),
            odb_data=gsm_map.OdbData((0, 5), (1,)),
            vlr_camel_subscription=gsm_map.VlrCamelSubscription(O_CSI, T_CSI),
        ),
        invoke_id=1,
    ),
    "delete-subscriber-data": gsm_map.invoke(
        gsm_map.DELETE_SUBSCRIBER_DATA,
        gsm_map.DeleteSubscriberData(IMSI, camel_subscription_withdraw=True),
        invoke_id=1,
    ),
    "cancel-location": gsm_map.invoke(
        gsm_map.CANCEL_LOCATION,
        gsm_map.CancelLocation(gsm_map.Identity(imsi=IMSI), gsm_map.CancellationType.SUBSCRIPTION_WITHDRAW),
        invoke_id=1,
    ),
    "send-routing-info": gsm_map.invoke(
        gsm_map.SEND_ROUTING_INFO,
        gsm_map.SendRoutingInfo(
            MSISDN,
            gsm_map.InterrogationType.BASIC_CALL,
            MSC,
            call_reference_number=b"\0\0\1\2",
            camel_info=gsm_map.CamelInfo((1, 2, 3), suppress_t_csi=True),
        ),
        invoke_id=1,
    ),
    "provide-roaming-number": gsm_map.invoke(
        gsm_map.PROVIDE_ROAMING_NUMBER,
        gsm_map.ProvideRoamingNumber(IMSI, MSC, MSISDN, gmsc_address=MSC, call_reference_number=b"\0\0\1\2"),
        invoke_id=1,
    ),
    "check-imei": gsm_map.invoke(gsm_map.CHECK_IMEI, gsm_map.CheckImei(IMEISV, (0,)), invoke_id=1),
}
ROUTE = gsm_map.ExtendedRoutingInfo(gsm_map.RoutingInfo(MSRN))
CSI_FIRST = gsm_map.ExtendedRoutingInfo(
    camel_routing_info=gsm_map.CamelRoutingInfo(gsm_map.GmscCamelSubscription(T_CSI))
)
MAP_ANSWERS: Final[dict[str, tcap.ReturnResult | ReturnError]] = {
    "update-location-result": gsm_map.result(gsm_map.UPDATE_LOCATION, gsm_map.UpdateLocationResult(HLR), invoke_id=1),
    "insert-subscriber-data-result": gsm_map.result(
        gsm_map.INSERT_SUBSCRIBER_DATA,
        gsm_map.InsertSubscriberDataResult(supported_camel_phases=(1, 2, 3, 4)),
        invoke_id=1,
    ),
    "delete-subscriber-data-result": gsm_map.result(gsm_map.DELETE_SUBSCRIBER_DATA, gsm_map.Nothing(), invoke_id=1),
    "cancel-location-result": gsm_map.result(gsm_map.CANCEL_LOCATION, gsm_map.Nothing(), invoke_id=1),
    "send-routing-info-result": gsm_map.result(
        gsm_map.SEND_ROUTING_INFO, gsm_map.SendRoutingInfoResult(IMSI, ROUTE), invoke_id=1
    ),
    "send-routing-info-result, CSI": gsm_map.result(
        gsm_map.SEND_ROUTING_INFO, gsm_map.SendRoutingInfoResult(IMSI, CSI_FIRST), invoke_id=1
    ),
    "provide-roaming-number-result": gsm_map.result(
        gsm_map.PROVIDE_ROAMING_NUMBER, gsm_map.ProvideRoamingNumberResult(MSRN), invoke_id=1
    ),
    "check-imei-result": gsm_map.result(
        gsm_map.CHECK_IMEI, gsm_map.CheckImeiResult(gsm_map.EquipmentStatus.BLACK_LISTED), invoke_id=1
    ),
    "map-result": gsm_map.result(gsm_map.CANCEL_LOCATION, invoke_id=1),
    "map-error": ReturnError(1, gsm_map.ErrorCode.UNKNOWN_SUBSCRIBER),
}

# -- transactions

B, C, X, A = (getattr(tcap.MessageType, name) for name in ("BEGIN", "CONTINUE", "END", "ABORT"))
OURS, THEIRS = b"\0\0\0\1", b"\x01\x02\x03\x04"
FOUR = cap.CONTEXTS[cap.Phase.FOUR]
TCAPS: Final[dict[str, tcap.Message]] = {
    "begin": tcap.Message(B, OURS, dialogue=Aarq(FOUR), components=(CAPS["initial-dp"],)),
    "continue": tcap.Message(
        C,
        THEIRS,
        OURS,
        Aare(FOUR),
        (CAPS["request-report-bcsm-event"], CAPS["connect"]),
    ),
    "continue, later": tcap.Message(C, OURS, THEIRS, components=(CAPS["event-report-bcsm"],)),
    "end": tcap.Message(X, dtid=OURS, components=(CAPS["release-call"],)),
    "end, empty": tcap.Message(X, dtid=OURS),
    "end, result": tcap.Message(X, dtid=OURS, components=(CAP_ANSWERS["activity-test-result"],)),
    "end, error": tcap.Message(X, dtid=OURS, dialogue=Aare(FOUR), components=(CAP_ANSWERS["cap-error"],)),
    "end, reject": tcap.Message(X, dtid=OURS, components=(Reject(1, Problem(ProblemKind.INVOKE, 2)),)),
    "end, reject of nothing": tcap.Message(X, dtid=OURS, components=(Reject(None, Problem(ProblemKind.GENERAL, 2)),)),
    "abort by provider": tcap.Message(A, dtid=OURS, cause=AbortCause.UNRECOGNIZED_TRANSACTION_ID),
    "abort by user": tcap.Message(A, dtid=OURS, dialogue=Abrt()),
    "abort, no such context": tcap.Message(A, dtid=OURS, dialogue=Aare(cap.CONTEXTS[cap.Phase.TWO], False, 2)),
    "abort, no dialogue": tcap.Message(A, dtid=OURS, dialogue=Aare(FOUR, False, 18)),
}


def in_tcap(component: tcap.Component, *, gsm: bool) -> bytes:
    """Put a component of CAP, or of MAP (`gsm`), into a message that says whose it is."""
    if gsm:
        context = next(
            (
                each
                for each, operations in gsm_map.CONTEXTS.items()
                if getattr(component, "opcode", None) in {one.opcode for one in operations}
            ),
            gsm_map.NETWORK_LOC_UP,
        )
        return tcap.encode(tcap.Message(B, OURS, dialogue=Aarq(context), components=(component,)))
    return tcap.encode(tcap.Message(B, OURS, dialogue=Aarq(FOUR), components=(component,)))


def in_sccp(octets: bytes, *, gsm: bool) -> bytes:
    """Put a message of TCAP into unitdata between subsystems whose it is."""
    ends = (Address(6, 6), Address(7, 8)) if gsm else (SCP, SSP)
    return sccp.encode(sccp.Message(S.UNITDATA, *ends, octets))


def in_m3ua(octets: bytes) -> bytes:
    """Put a message of SCCP into DATA."""
    return m3ua.encode_data(ProtocolData(8, 146, 3, 2, 0, 0, octets), 7)
