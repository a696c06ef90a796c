"""Gy and Ro, credit control by an OCS: TS 32.299 6.4 (commands) and 7.2 (AVPs), Release 15, on RFC 8506.

Gy is what Ro is called between PGW and OCS; SMSC (TS 32.274) and SCP (TS 32.276) speak Ro.

Its application is the IETF's (4), which stands plain in capabilities and messages. What it has in common with Gx is in
`credit`. The notation is that of `base`.
"""

from enum import IntEnum, StrEnum
from typing import Final

APPLICATION = ("Gy", 4, 0)
ALSO = ("Ro",)

AVPS = {
    10415: """
  846 CG-Address                                        Address             M
  847 GGSN-Address                                      Address             M
  863 Service-Specific-Data                             UTF8String          M
  868 Time-Quota-Threshold                              Unsigned32          M
  869 Volume-Quota-Threshold                            Unsigned32          M
  870 Trigger-Type                                      Enumerated          M
  871 Quota-Holding-Time                                Unsigned32          M
  872 Reporting-Reason                                  Enumerated          M
  873 Service-Information                               Grouped             M
  874 PS-Information                                    Grouped             M
  881 Quota-Consumption-Time                            Unsigned32          M
 1226 Unit-Quota-Threshold                              Unsigned32          M
 2000 SMS-Information                                   Grouped             M
 2007 SM-Message-Type                                   Enumerated          M
 2016 SMS-Node                                          Enumerated          M
 1228 SGSN-Address                                      Address             M
 1247 PDP-Context-Type                                  Enumerated          M
 1249 Service-Specific-Info                             Grouped             M
 1257 Service-Specific-Type                             Unsigned32          M
 1264 Trigger                                           Grouped             M
 1265 Base-Time-Interval                                Unsigned32          M
 1268 Envelope-Reporting                                Enumerated          M
 1270 Time-Quota-Mechanism                              Grouped             M
 1271 Time-Quota-Type                                   Enumerated          M
 1276 AF-Correlation-Information                        Grouped             M
 2020 Low-Balance-Indication                            Enumerated          M
 2021 Remaining-Balance                                 Grouped             M
 2022 Refund-Information                                OctetString         M
 2037 Change-Condition                                  Enumerated          M
 2041 Start-Time                                        Time                M
 2042 Stop-Time                                         Time                M
 2047 Serving-Node-Type                                 Enumerated          M
 2050 PDN-Connection-Charging-ID                        Unsigned32          M
 2051 Dynamic-Address-Flag                              Enumerated          M
 2064 Node-Id                                           UTF8String          M
 2065 SGW-Change                                        Enumerated          M
"""
}

COMMANDS = """
Credit-Control-Request ::= <Diameter Header: 272, REQ, PXY>
  <Session-Id> {Origin-Host} {Origin-Realm} {Destination-Realm} {Auth-Application-Id} {Service-Context-Id}
  {CC-Request-Type} {CC-Request-Number} [Destination-Host] [User-Name] [OC-Supported-Features] [Origin-State-Id]
  [Event-Timestamp] *[Subscription-Id] [Termination-Cause] [Requested-Action] [AoC-Request-Type]
  [Multiple-Services-Indicator]
  *[Multiple-Services-Credit-Control] [CC-Correlation-Id] [User-Equipment-Info] [Service-Information]
  *[Proxy-Info] *[Route-Record] *[AVP]

Credit-Control-Answer ::= <Diameter Header: 272, PXY>
  <Session-Id> {Result-Code} {Origin-Host} {Origin-Realm} {Auth-Application-Id} {CC-Request-Type}
  {CC-Request-Number} [CC-Session-Failover] *[Multiple-Services-Credit-Control] [OC-Supported-Features] [OC-OLR]
  [Cost-Information] [Low-Balance-Indication] [Remaining-Balance] [Credit-Control-Failure-Handling]
  [Direct-Debiting-Failure-Handling] *[Redirect-Host] [Redirect-Host-Usage] [Redirect-Max-Cache-Time]
  [Service-Information] [Error-Message] *[Failed-AVP] *[Proxy-Info] *[Route-Record] *[AVP]

Re-Auth-Request ::= <Diameter Header: 258, REQ, PXY>
  <Session-Id> {Origin-Host} {Origin-Realm} {Destination-Realm} {Destination-Host} {Auth-Application-Id}
  {Re-Auth-Request-Type} [User-Name] [Origin-State-Id] [CC-Sub-Session-Id] [G-S-U-Pool-Identifier]
  [Service-Identifier] [Rating-Group] *[Proxy-Info] *[Route-Record] *[AVP]

Re-Auth-Answer ::= <Diameter Header: 258, PXY>
  <Session-Id> {Result-Code} {Origin-Host} {Origin-Realm} [User-Name] [Origin-State-Id] [Error-Message]
  [Error-Reporting-Host] *[Failed-AVP] *[Redirect-Host] [Redirect-Host-Usage] [Redirect-Max-Cache-Time]
  [CC-Sub-Session-Id] [G-S-U-Pool-Identifier] [Service-Identifier] [Rating-Group] *[Proxy-Info] *[AVP]

Abort-Session-Request ::= <Diameter Header: 274, REQ, PXY>
  <Session-Id> {Origin-Host} {Origin-Realm} {Destination-Realm} {Destination-Host} {Auth-Application-Id}
  [User-Name] [Origin-State-Id] *[Proxy-Info] *[Route-Record] *[AVP]

Abort-Session-Answer ::= <Diameter Header: 274, PXY>
  <Session-Id> {Result-Code} {Origin-Host} {Origin-Realm} [User-Name] [Origin-State-Id] [Error-Message]
  [Error-Reporting-Host] [Failed-AVP] *[Redirect-Host] [Redirect-Host-Usage] [Redirect-Max-Cache-Time]
  *[Proxy-Info] *[AVP]
"""

GROUPS = """
Service-Information ::= *[Subscription-Id] [PS-Information] [SMS-Information] *[AVP]
SMS-Information ::= [SMS-Node] [Client-Address] [Originator-SCCP-Address] [SMSC-Address] [Data-Coding-Scheme]
  [SM-Discharge-Time] [SM-Message-Type] [Originator-Interface] [SM-Protocol-ID] [Reply-Path-Requested] [SM-Status]
  [SM-User-Data-Header] [Number-Of-Messages-Sent] *[Recipient-Info] [Originator-Received-Address] [SM-Service-Type]
  [SMS-Result] [SM-Device-Trigger-Indicator] [MTC-IWF-Address] [Application-Port-Identifier] *[AVP]
PS-Information ::= *[Supported-Features] [3GPP-Charging-Id] [PDN-Connection-Charging-ID] [Node-Id] [3GPP-PDP-Type]
  *[PDP-Address] [PDP-Address-Prefix-Length] [Dynamic-Address-Flag] [Dynamic-Address-Flag-Extension]
  [QoS-Information] *[SGSN-Address] *[GGSN-Address] *[TDF-IP-Address] *[SGW-Address] *[EPDG-Address] [CG-Address]
  [Serving-Node-Type] [SGW-Change] [3GPP-IMSI-MCC-MNC] [IMSI-Unauthenticated-Flag] [3GPP-GGSN-MCC-MNC] [3GPP-NSAPI]
  [Called-Station-Id] [3GPP-Session-Stop-Indicator] [3GPP-Selection-Mode] [3GPP-Charging-Characteristics]
  [Charging-Characteristics-Selection-Mode] [3GPP-SGSN-MCC-MNC] [3GPP-MS-TimeZone] [Charging-Rule-Base-Name]
  [ADC-Rule-Base-Name] [3GPP-User-Location-Info] [User-CSG-Information] *[Presence-Reporting-Area-Information]
  [TWAN-User-Location-Info] [User-Location-Info-Time] [3GPP-RAT-Type] [PS-Furnish-Charging-Information]
  [PDP-Context-Type] [Offline-Charging] *[Traffic-Data-Volumes] *[Service-Data-Container] [User-Equipment-Info]
  [Terminal-Information] [Start-Time] [Stop-Time] [Change-Condition] [Diagnostics] [Low-Priority-Indicator]
  [NBIFOM-Mode] [NBIFOM-Support] [MME-Number-for-MT-SMS] [MME-Name] [MME-Realm] [CN-Operator-Selection-Entity]
  *[RAN-Secondary-RAT-Usage-Report] [Enhanced-Diagnostics] [3GPP-PS-Data-Off-Status] *[AVP]
Trigger ::= *[Trigger-Type] *[AVP]
Time-Quota-Mechanism ::= {Time-Quota-Type} {Base-Time-Interval}
Service-Specific-Info ::= [Service-Specific-Data] [Service-Specific-Type]
AF-Correlation-Information ::= {AF-Charging-Identifier} *[Flows]
Remaining-Balance ::= {Unit-Value} {Currency-Code}
"""

SHORT = {
    "ASR": "Abort-Session-Request",
    "CCR": "Credit-Control-Request",
    "RAR": "Re-Auth-Request",
}
"""What RFC 8506 calls its requests for short; an answer ends in A instead of R."""


class ReportingReason(IntEnum):
    """Reporting-Reason (TS 32.299 7.2.175)."""

    THRESHOLD = 0
    QHT = 1
    FINAL = 2
    QUOTA_EXHAUSTED = 3
    VALIDITY_TIME = 4
    OTHER_QUOTA_TYPE = 5
    RATING_CONDITION_CHANGE = 6
    FORCED_REAUTHORISATION = 7
    POOL_EXHAUSTED = 8
    UNUSED_QUOTA_TIMER = 9


class TriggerType(IntEnum):
    """Trigger-Type (TS 32.299 7.2.235): of what an OCS wants to hear. Those that a PGW without QoS changes has."""

    CHANGE_IN_SGSN_IP_ADDRESS = 1
    CHANGE_IN_QOS = 2
    CHANGE_IN_LOCATION = 3
    CHANGE_IN_RAT = 4
    CHANGE_IN_UE_TIMEZONE = 5


class RequestedAction(IntEnum):
    """Requested-Action (RFC 8506 8.41)."""

    DIRECT_DEBITING = 0
    REFUND_ACCOUNT = 1
    CHECK_BALANCE = 2
    PRICE_ENQUIRY = 3


class SmMessageType(IntEnum):
    """SM-Message-Type (TS 32.299 7.2, AVP 2007)."""

    SUBMISSION = 0
    DELIVERY_REPORT = 1
    SM_SERVICE_REQUEST = 2


SMS_SC: Final = 3
"""The SMS-Node that is a service centre (TS 32.299 7.2, AVP 2016)."""


class ServiceContext(StrEnum):
    """The end of a Service-Context-Id (TS 32.299 7.1.12): the specification that says how a service is charged."""

    DATA = "32251@3gpp.org"
    """Packet-switched domain, octets (TS 32.251)."""
    SMS = "32274@3gpp.org"
    """Short messages (TS 32.274)."""
    VOICE = "32276@3gpp.org"
    """Calls of the circuit-switched domain, time (TS 32.276)."""


ENUMERATIONS = {
    "Reporting-Reason": ReportingReason,
    "Requested-Action": RequestedAction,
    "Trigger-Type": TriggerType,
    "SM-Message-Type": SmMessageType,
}
