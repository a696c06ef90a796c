"""Gx, the application between PCEF (PGW) and PCRF: TS 29.212 5.6 (commands) and 5.3 (AVPs), Release 15.

What it has in common with Gy is in `credit`. AVPs of TS 29.214 that its rules use are here too. ASR and ASA are the
base protocol's (RFC 6733 8.5), which any authorisation application may use; TS 29.212 itself ends a session by an RAR
with Session-Release-Cause. The notation is that of `base`.
"""

from enum import IntEnum

APPLICATION = ("Gx", 16777238, 10415)

AVPS = {
    10415: """
  501 Access-Network-Charging-Address                   Address             M
  503 Access-Network-Charging-Identifier-Value          OctetString         M
  507 Flow-Description                                  IPFilterRule        M
  511 Flow-Status                                       Enumerated          M
  512 Flow-Usage                                        Enumerated          M
  531 Sponsor-Identity                                  UTF8String          -
  532 Application-Service-Provider-Identity             UTF8String          -
  536 Required-Access-Info                              Enumerated          -
  618 Charging-Information                              Grouped             M
  619 Primary-Event-Charging-Function-Name              DiameterURI         M
  620 Secondary-Event-Charging-Function-Name            DiameterURI         M
  621 Primary-Charging-Collection-Function-Name         DiameterURI         M
  622 Secondary-Charging-Collection-Function-Name       DiameterURI         M
 1000 Bearer-Usage                                      Enumerated          M
 1001 Charging-Rule-Install                             Grouped             M
 1002 Charging-Rule-Remove                              Grouped             M
 1003 Charging-Rule-Definition                          Grouped             M
 1005 Charging-Rule-Name                                OctetString         M
 1006 Event-Trigger                                     Enumerated          M
 1007 Metering-Method                                   Enumerated          M
 1008 Offline                                           Enumerated          M
 1009 Online                                            Enumerated          M
 1010 Precedence                                        Unsigned32          M
 1011 Reporting-Level                                   Enumerated          M
 1014 ToS-Traffic-Class                                 OctetString         M
 1018 Charging-Rule-Report                              Grouped             M
 1019 PCC-Rule-Status                                   Enumerated          M
 1021 Bearer-Operation                                  Enumerated          M
 1022 Access-Network-Charging-Identifier-Gx             Grouped             M
 1023 Bearer-Control-Mode                               Enumerated          M
 1024 Network-Request-Support                           Enumerated          M
 1027 IP-CAN-Type                                       Enumerated          M
 1029 QoS-Negotiation                                   Enumerated          M
 1030 QoS-Upgrade                                       Enumerated          M
 1031 Rule-Failure-Code                                 Enumerated          M
 1033 Event-Report-Indication                           Grouped             -
 1042 Revalidation-Time                                 Time                M
 1043 Rule-Activation-Time                              Time                M
 1044 Rule-Deactivation-Time                            Time                M
 1045 Session-Release-Cause                             Enumerated          M
 1049 Default-EPS-Bearer-QoS                            Grouped             -
 1050 AN-GW-Address                                     Address             -
 1056 Security-Parameter-Index                          OctetString         -
 1057 Flow-Label                                        OctetString         -
 1058 Flow-Information                                  Grouped             -
 1059 Packet-Filter-Content                             OctetString         -
 1060 Packet-Filter-Identifier                          OctetString         -
 1061 Packet-Filter-Information                         Grouped             -
 1062 Packet-Filter-Operation                           Enumerated          -
 1063 Resource-Allocation-Notification                  Enumerated          -
 1065 PDN-Connection-ID                                 OctetString         -
 1066 Monitoring-Key                                    OctetString         -
 1067 Usage-Monitoring-Information                      Grouped             -
 1068 Usage-Monitoring-Level                            Enumerated          -
 1069 Usage-Monitoring-Report                           Enumerated          -
 1070 Usage-Monitoring-Support                          Enumerated          -
 1071 CSG-Information-Reporting                         Enumerated          -
 1072 Packet-Filter-Usage                               Enumerated          -
 1073 Charging-Correlation-Indicator                    Enumerated          -
 1080 Flow-Direction                                    Enumerated          -
 1082 Credit-Management-Status                          Unsigned32          -
 1085 Redirect-Information                              Grouped             -
 1086 Redirect-Support                                  Enumerated          -
 1088 TDF-Application-Identifier                        OctetString         -
 1098 Application-Detection-Information                 Grouped             -
 2802 TDF-Application-Instance-Identifier               OctetString         -
 2809 Mute-Notification                                 Enumerated          -
"""
}

COMMANDS = """
Credit-Control-Request ::= <Diameter Header: 272, REQ, PXY>
  <Session-Id> [DRMP] {Auth-Application-Id} {Origin-Host} {Origin-Realm} {Destination-Realm} {CC-Request-Type}
  {CC-Request-Number} [Credit-Management-Status] [Destination-Host] [Origin-State-Id] *[Subscription-Id]
  [OC-Supported-Features] *[Supported-Features] [Network-Request-Support] *[Packet-Filter-Information]
  [Packet-Filter-Operation] [Bearer-Identifier] [Bearer-Operation] [Dynamic-Address-Flag]
  [PDN-Connection-Charging-ID] [Framed-IP-Address] [Framed-IPv6-Prefix] [IP-CAN-Type] [3GPP-RAT-Type] [RAT-Type]
  [Termination-Cause] [User-Equipment-Info] [QoS-Information] [QoS-Negotiation] [QoS-Upgrade]
  [Default-EPS-Bearer-QoS] 0*2[AN-GW-Address] [3GPP-SGSN-MCC-MNC] [3GPP-SGSN-Address] [3GPP-SGSN-IPv6-Address]
  [3GPP-GGSN-Address] [3GPP-GGSN-IPv6-Address] [3GPP-Selection-Mode] [3GPP-User-Location-Info] [3GPP-MS-TimeZone]
  [3GPP-Charging-Characteristics] [Called-Station-Id] [PDN-Connection-ID] [Bearer-Usage] [Online] [Offline]
  *[Charging-Rule-Report] *[Application-Detection-Information] *[Event-Trigger] [Event-Report-Indication]
  [Access-Network-Charging-Address] *[Access-Network-Charging-Identifier-Gx] *[Usage-Monitoring-Information]
  *[Proxy-Info] *[Route-Record] *[AVP]

Credit-Control-Answer ::= <Diameter Header: 272, PXY>
  <Session-Id> [DRMP] {Auth-Application-Id} {Origin-Host} {Origin-Realm} [Result-Code] [Experimental-Result]
  {CC-Request-Type} {CC-Request-Number} [OC-Supported-Features] [OC-OLR] *[Supported-Features]
  [Bearer-Control-Mode] *[Event-Trigger] [Event-Report-Indication] [Origin-State-Id] *[Redirect-Host]
  [Redirect-Host-Usage] [Redirect-Max-Cache-Time] *[Charging-Rule-Remove] *[Charging-Rule-Install]
  [Charging-Information] [Online] [Offline] *[QoS-Information] [Revalidation-Time] [Default-EPS-Bearer-QoS]
  [Default-QoS-Information] [Bearer-Usage] [3GPP-User-Location-Info] [User-Location-Info-Time]
  *[Usage-Monitoring-Information] *[CSG-Information-Reporting] [User-CSG-Information] [PRA-Install] [PRA-Remove]
  [Presence-Reporting-Area-Information] [Session-Release-Cause] [NBIFOM-Support] [NBIFOM-Mode] [Default-Access]
  [RAN-Rule-Support] *[Routing-Rule-Report] *[Conditional-Policy-Information] [Removal-Of-Access] [IP-CAN-Type]
  [Error-Message] [Error-Reporting-Host] [Failed-AVP] *[Proxy-Info] *[Route-Record]
  *[Load] *[AVP]

Re-Auth-Request ::= <Diameter Header: 258, REQ, PXY>
  <Session-Id> [DRMP] {Auth-Application-Id} {Origin-Host} {Origin-Realm} {Destination-Realm} {Destination-Host}
  {Re-Auth-Request-Type} [Session-Release-Cause] [Origin-State-Id] [OC-Supported-Features] *[Event-Trigger]
  [Event-Report-Indication] *[Charging-Rule-Remove] *[Charging-Rule-Install] [Default-EPS-Bearer-QoS]
  *[QoS-Information] [Default-QoS-Information] [Revalidation-Time] *[Usage-Monitoring-Information] [PRA-Install]
  [PRA-Remove] *[CSG-Information-Reporting] [NBIFOM-Mode] [NBIFOM-Support] [Default-Access] [RAN-Rule-Support]
  *[Routing-Rule-Report] *[Conditional-Policy-Information] [IP-CAN-Type] [Removal-Of-Access] *[Proxy-Info]
  *[Route-Record] *[AVP]

Re-Auth-Answer ::= <Diameter Header: 258, PXY>
  <Session-Id> [DRMP] {Origin-Host} {Origin-Realm} [Result-Code] [Experimental-Result] [Origin-State-Id]
  [OC-Supported-Features] [OC-OLR] [IP-CAN-Type] [RAT-Type] 0*2[AN-GW-Address] [3GPP-SGSN-MCC-MNC]
  [3GPP-SGSN-Address] [3GPP-SGSN-IPv6-Address] [3GPP-User-Location-Info] [3GPP-MS-TimeZone]
  *[Charging-Rule-Report] [Error-Message] [Error-Reporting-Host] [Failed-AVP] *[Proxy-Info] *[AVP]

Abort-Session-Request ::= <Diameter Header: 274, REQ, PXY>
  <Session-Id> {Origin-Host} {Origin-Realm} {Destination-Realm} {Destination-Host} {Auth-Application-Id}
  [User-Name] [Origin-State-Id] *[Proxy-Info] *[Route-Record] *[AVP]

Abort-Session-Answer ::= <Diameter Header: 274, PXY>
  <Session-Id> {Result-Code} {Origin-Host} {Origin-Realm} [User-Name] [Origin-State-Id] [Error-Message]
  [Error-Reporting-Host] [Failed-AVP] *[Redirect-Host] [Redirect-Host-Usage] [Redirect-Max-Cache-Time]
  *[Proxy-Info] *[AVP]
"""

GROUPS = """
Charging-Rule-Install ::= *[Charging-Rule-Definition] *[Charging-Rule-Name] *[Charging-Rule-Base-Name]
  [Bearer-Identifier] [Rule-Activation-Time] [Rule-Deactivation-Time] [Resource-Allocation-Notification]
  [Charging-Correlation-Indicator] [IP-CAN-Type] *[AVP]
Charging-Rule-Remove ::= *[Charging-Rule-Name] *[Charging-Rule-Base-Name] *[Required-Access-Info] *[AVP]
Charging-Rule-Definition ::= {Charging-Rule-Name} [Service-Identifier] [Rating-Group] *[Flow-Information]
  [TDF-Application-Identifier] [Flow-Status] [QoS-Information] [Reporting-Level] [Online] [Offline]
  [Metering-Method] [Precedence] [AF-Charging-Identifier] *[Flows] [Monitoring-Key] [Redirect-Information]
  [Mute-Notification] [Traffic-Steering-Policy-Identifier-DL] [Traffic-Steering-Policy-Identifier-UL]
  [PS-to-CS-Session-Continuity] [Content-Version] [Sponsor-Identity]
  [Application-Service-Provider-Identity] *[Required-Access-Info] *[AVP]
Charging-Rule-Report ::= *[Charging-Rule-Name] *[Charging-Rule-Base-Name] [Bearer-Identifier] [PCC-Rule-Status]
  [Rule-Failure-Code] [Final-Unit-Indication] *[AVP]
Flow-Information ::= [Flow-Description] [Packet-Filter-Identifier] [Packet-Filter-Usage] [ToS-Traffic-Class]
  [Security-Parameter-Index] [Flow-Label] [Flow-Direction] *[AVP]
Packet-Filter-Information ::= [Packet-Filter-Identifier] [Precedence] [Packet-Filter-Content] [ToS-Traffic-Class]
  [Security-Parameter-Index] [Flow-Label] [Flow-Direction] *[AVP]
Default-EPS-Bearer-QoS ::= [QoS-Class-Identifier] [Allocation-Retention-Priority] *[AVP]
Access-Network-Charging-Identifier-Gx ::= {Access-Network-Charging-Identifier-Value} *[Charging-Rule-Base-Name]
  *[Charging-Rule-Name] *[AVP]
Usage-Monitoring-Information ::= [Monitoring-Key] 0*2[Granted-Service-Unit] 0*2[Used-Service-Unit]
  [Quota-Consumption-Time] [Usage-Monitoring-Level] [Usage-Monitoring-Report] [Usage-Monitoring-Support] *[AVP]
Application-Detection-Information ::= {TDF-Application-Identifier} [TDF-Application-Instance-Identifier]
  *[Flow-Information] *[AVP]
Redirect-Information ::= [Redirect-Support] [Redirect-Address-Type] [Redirect-Server-Address] *[AVP]
Event-Report-Indication ::= *[Event-Trigger] [IP-CAN-Type] 0*2[AN-GW-Address] [3GPP-SGSN-Address]
  [3GPP-SGSN-IPv6-Address] [3GPP-SGSN-MCC-MNC] [Framed-IP-Address] [RAT-Type] [3GPP-User-Location-Info]
  [Trace-Data] [Trace-Reference] [3GPP-MS-TimeZone] *[AVP]
Charging-Information ::= [Primary-Event-Charging-Function-Name] [Secondary-Event-Charging-Function-Name]
  [Primary-Charging-Collection-Function-Name] [Secondary-Charging-Collection-Function-Name] *[AVP]
"""

SHORT = {
    "ASR": "Abort-Session-Request",
    "CCR": "Credit-Control-Request",
    "RAR": "Re-Auth-Request",
}
"""What TS 29.212 calls its requests for short; an answer ends in A instead of R."""


SHARED = {"Charging-Rule-Install", "Charging-Rule-Definition", "QoS-Information", "Default-EPS-Bearer-QoS"}
"""Cards with the same lists have the same rules, and so do all their sessions; few QoS are in use."""


class FlowStatus(IntEnum):
    """Flow-Status (TS 29.214 5.3.11): which directions of a flow are open."""

    ENABLED_UPLINK = 0
    ENABLED_DOWNLINK = 1
    ENABLED = 2
    DISABLED = 3
    REMOVED = 4


class FlowDirection(IntEnum):
    """Flow-Direction (TS 29.212 5.3.65)."""

    UNSPECIFIED = 0
    DOWNLINK = 1
    UPLINK = 2
    BIDIRECTIONAL = 3


class PccRuleStatus(IntEnum):
    """PCC-Rule-Status (TS 29.212 5.3.19)."""

    ACTIVE = 0
    INACTIVE = 1
    TEMPORARILY_INACTIVE = 2


class RuleFailureCode(IntEnum):
    """Rule-Failure-Code (TS 29.212 5.3.38)."""

    UNKNOWN_RULE_NAME = 1
    RATING_GROUP_ERROR = 2
    SERVICE_IDENTIFIER_ERROR = 3
    GW_PCEF_MALFUNCTION = 4
    RESOURCES_LIMITATION = 5
    MAX_NR_BEARERS_REACHED = 6
    UNKNOWN_BEARER_ID = 7
    MISSING_BEARER_ID = 8
    MISSING_FLOW_INFORMATION = 9
    RESOURCE_ALLOCATION_FAILURE = 10
    UNSUCCESSFUL_QOS_VALIDATION = 11
    INCORRECT_FLOW_INFORMATION = 12
    PS_TO_CS_HANDOVER = 13
    TDF_APPLICATION_IDENTIFIER_ERROR = 14
    NO_BEARER_BOUND = 15
    FILTER_RESTRICTIONS = 16
    AN_GW_FAILED = 17
    MISSING_REDIRECT_SERVER_ADDRESS = 18
    CM_END_USER_SERVICE_DENIED = 19
    CM_CREDIT_CONTROL_NOT_APPLICABLE = 20
    CM_AUTHORIZATION_REJECTED = 21
    CM_USER_UNKNOWN = 22
    CM_RATING_FAILED = 23


class EventTrigger(IntEnum):
    """Event-Trigger (TS 29.212 5.3.7), as much of it as an IoT card's session meets; others stay numbers."""

    SGSN_CHANGE = 0
    QOS_CHANGE = 1
    RAT_CHANGE = 2
    TFT_CHANGE = 3
    PLMN_CHANGE = 4
    LOSS_OF_BEARER = 5
    RECOVERY_OF_BEARER = 6
    IP_CAN_CHANGE = 7
    QOS_CHANGE_EXCEEDING_AUTHORIZATION = 11
    RAI_CHANGE = 12
    USER_LOCATION_CHANGE = 13
    NO_EVENT_TRIGGERS = 14
    OUT_OF_CREDIT = 15
    REALLOCATION_OF_CREDIT = 16
    REVALIDATION_TIMEOUT = 17
    UE_IP_ADDRESS_ALLOCATE = 18
    UE_IP_ADDRESS_RELEASE = 19
    DEFAULT_EPS_BEARER_QOS_CHANGE = 20
    AN_GW_CHANGE = 21
    SUCCESSFUL_RESOURCE_ALLOCATION = 22
    RESOURCE_MODIFICATION_REQUEST = 23
    UE_TIME_ZONE_CHANGE = 25
    TAI_CHANGE = 26
    ECGI_CHANGE = 27
    CHARGING_CORRELATION_EXCHANGE = 28
    APN_AMBR_MODIFICATION_FAILURE = 29
    USER_CSG_INFORMATION_CHANGE = 30
    USAGE_REPORT = 33
    DEFAULT_EPS_BEARER_QOS_MODIFICATION_FAILURE = 34
    APPLICATION_START = 39
    APPLICATION_STOP = 40
    CREDIT_MANAGEMENT_SESSION_FAILURE = 46
    ACCESS_NETWORK_INFO_REPORT = 45


class SessionReleaseCause(IntEnum):
    """Session-Release-Cause (TS 29.212 5.3.33)."""

    UNSPECIFIED_REASON = 0
    UE_SUBSCRIPTION_REASON = 1
    INSUFFICIENT_SERVER_RESOURCES = 2
    IP_CAN_SESSION_TERMINATION = 3
    UE_IP_ADDRESS_RELEASE = 4


ENUMERATIONS = {
    "Event-Trigger": EventTrigger,
    "Flow-Direction": FlowDirection,
    "Flow-Status": FlowStatus,
    "PCC-Rule-Status": PccRuleStatus,
    "Rule-Failure-Code": RuleFailureCode,
    "Session-Release-Cause": SessionReleaseCause,
}
