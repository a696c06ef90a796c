"""AVPs of credit control, which Gx and Gy have in common: RFC 8506 8, and RFC 6733 8 for what a server asks.

Also here is what both take from elsewhere: of RFC 7155 (NAS), and of vendor 10415 from TS 29.061 16.4.7 and TS 29.212.
No application of its own: `gx` and `gy` say which commands carry them. The notation is that of `base`.
"""

from enum import IntEnum

AVPS = {
    0: """
    8 Framed-IP-Address                                 OctetString(4)      M
   11 Filter-Id                                         UTF8String          M
   25 Class                                             OctetString         M
   30 Called-Station-Id                                 UTF8String          M
   97 Framed-IPv6-Prefix                                OctetString         M
  261 Redirect-Host-Usage                               Enumerated          M
  262 Redirect-Max-Cache-Time                           Unsigned32          M
  270 Session-Binding                                   Enumerated          M
  272 Multi-Round-Time-Out                              Unsigned32          M
  274 Auth-Request-Type                                 Enumerated          M
  276 Auth-Grace-Period                                 Unsigned32          M
  285 Re-Auth-Request-Type                              Enumerated          M
  291 Authorization-Lifetime                            Unsigned32          M
  411 CC-Correlation-Id                                 OctetString         M
  412 CC-Input-Octets                                   Unsigned64          M
  413 CC-Money                                          Grouped             M
  414 CC-Output-Octets                                  Unsigned64          M
  415 CC-Request-Number                                 Unsigned32          M
  416 CC-Request-Type                                   Enumerated          M
  417 CC-Service-Specific-Units                         Unsigned64          M
  418 CC-Session-Failover                               Enumerated          M
  419 CC-Sub-Session-Id                                 Unsigned64          M
  420 CC-Time                                           Unsigned32          M
  421 CC-Total-Octets                                   Unsigned64          M
  422 Check-Balance-Result                              Enumerated          M
  423 Cost-Information                                  Grouped             M
  424 Cost-Unit                                         UTF8String          M
  425 Currency-Code                                     Unsigned32          M
  426 Credit-Control                                    Enumerated          M
  427 Credit-Control-Failure-Handling                   Enumerated          M
  428 Direct-Debiting-Failure-Handling                  Enumerated          M
  429 Exponent                                          Integer32           M
  430 Final-Unit-Indication                             Grouped             M
  431 Granted-Service-Unit                              Grouped             M
  432 Rating-Group                                      Unsigned32          M
  433 Redirect-Address-Type                             Enumerated          M
  434 Redirect-Server                                   Grouped             M
  435 Redirect-Server-Address                           UTF8String          M
  436 Requested-Action                                  Enumerated          M
  437 Requested-Service-Unit                            Grouped             M
  438 Restriction-Filter-Rule                           IPFilterRule        M
  439 Service-Identifier                                Unsigned32          M
  440 Service-Parameter-Info                            Grouped             M
  441 Service-Parameter-Type                            Unsigned32          M
  442 Service-Parameter-Value                           OctetString         M
  443 Subscription-Id                                   Grouped             M
  444 Subscription-Id-Data                              UTF8String          M
  445 Unit-Value                                        Grouped             M
  446 Used-Service-Unit                                 Grouped             M
  447 Value-Digits                                      Integer64           M
  448 Validity-Time                                     Unsigned32          M
  449 Final-Unit-Action                                 Enumerated          M
  450 Subscription-Id-Type                              Enumerated          M
  451 Tariff-Time-Change                                Time                M
  452 Tariff-Change-Usage                               Enumerated          M
  453 G-S-U-Pool-Identifier                             Unsigned32          M
  454 CC-Unit-Type                                      Enumerated          M
  455 Multiple-Services-Indicator                       Enumerated          M
  456 Multiple-Services-Credit-Control                  Grouped             M
  457 G-S-U-Pool-Reference                              Grouped             M
  458 User-Equipment-Info                               Grouped             M
  459 User-Equipment-Info-Type                          Enumerated          M
  460 User-Equipment-Info-Value                         OctetString         M
  461 Service-Context-Id                                UTF8String          M
""",
    10415: """
    2 3GPP-Charging-Id                                  OctetString         M
    3 3GPP-PDP-Type                                     Enumerated          M
    5 3GPP-GPRS-Negotiated-QoS-Profile                  UTF8String          M
    6 3GPP-SGSN-Address                                 OctetString         -
    7 3GPP-GGSN-Address                                 OctetString         -
    8 3GPP-IMSI-MCC-MNC                                 UTF8String          M
    9 3GPP-GGSN-MCC-MNC                                 UTF8String          M
   10 3GPP-NSAPI                                        OctetString         M
   11 3GPP-Session-Stop-Indicator                       UTF8String          -
   12 3GPP-Selection-Mode                               UTF8String          M
   15 3GPP-SGSN-IPv6-Address                            OctetString         M
   16 3GPP-GGSN-IPv6-Address                            OctetString         M
   18 3GPP-SGSN-MCC-MNC                                 UTF8String          M
   21 3GPP-RAT-Type                                     OctetString         M
   22 3GPP-User-Location-Info                           OctetString         M
   23 3GPP-MS-TimeZone                                  OctetString         M
  505 AF-Charging-Identifier                            OctetString         M
  509 Flow-Number                                       Unsigned32          M
  510 Flows                                             Grouped             M
  518 Media-Component-Number                            Unsigned32          M
 1004 Charging-Rule-Base-Name                           UTF8String          M
 1016 QoS-Information                                   Grouped             M
 1020 Bearer-Identifier                                 OctetString         M
 1025 Guaranteed-Bitrate-DL                             Unsigned32          M
 1026 Guaranteed-Bitrate-UL                             Unsigned32          M
 1040 APN-Aggregate-Max-Bitrate-DL                      Unsigned32          -
 1041 APN-Aggregate-Max-Bitrate-UL                      Unsigned32          -
""",
}

COMMANDS = ""

GROUPS = """
Subscription-Id ::= {Subscription-Id-Type} {Subscription-Id-Data}
User-Equipment-Info ::= {User-Equipment-Info-Type} {User-Equipment-Info-Value}
Multiple-Services-Credit-Control ::= [Granted-Service-Unit] [Requested-Service-Unit] *[Used-Service-Unit]
  [Tariff-Change-Usage] *[Service-Identifier] [Rating-Group] *[G-S-U-Pool-Reference] [Validity-Time] [Result-Code]
  [Final-Unit-Indication] [Time-Quota-Threshold] [Volume-Quota-Threshold] [Unit-Quota-Threshold]
  [Quota-Holding-Time] [Quota-Consumption-Time] *[Reporting-Reason] [Trigger] [Refund-Information]
  *[AF-Correlation-Information] *[Envelope] *[Service-Specific-Info] [Envelope-Reporting] [Time-Quota-Mechanism]
  [3GPP-RAT-Type] [QoS-Information] *[Announcement-Information] [Unused-Quota-Timer] *[AVP]
Granted-Service-Unit ::= [Tariff-Time-Change] [CC-Time] [CC-Money] [CC-Total-Octets] [CC-Input-Octets]
  [CC-Output-Octets] [CC-Service-Specific-Units] *[AVP]
Requested-Service-Unit ::= [CC-Time] [CC-Money] [CC-Total-Octets] [CC-Input-Octets] [CC-Output-Octets]
  [CC-Service-Specific-Units] *[AVP]
Used-Service-Unit ::= *[Reporting-Reason] [Tariff-Change-Usage] [CC-Time] [CC-Money] [CC-Total-Octets]
  [CC-Input-Octets] [CC-Output-Octets] [CC-Service-Specific-Units] *[AVP]
Final-Unit-Indication ::= {Final-Unit-Action} *[Restriction-Filter-Rule] *[Filter-Id] [Redirect-Server]
Redirect-Server ::= {Redirect-Address-Type} {Redirect-Server-Address}
G-S-U-Pool-Reference ::= {G-S-U-Pool-Identifier} {CC-Unit-Type} {Unit-Value}
CC-Money ::= {Unit-Value} [Currency-Code]
Unit-Value ::= {Value-Digits} [Exponent]
Cost-Information ::= {Unit-Value} {Currency-Code} [Cost-Unit]
Service-Parameter-Info ::= {Service-Parameter-Type} {Service-Parameter-Value}
QoS-Information ::= [QoS-Class-Identifier] [Max-Requested-Bandwidth-UL] [Max-Requested-Bandwidth-DL]
  [Extended-Max-Requested-BW-UL] [Extended-Max-Requested-BW-DL] [Guaranteed-Bitrate-UL] [Guaranteed-Bitrate-DL]
  [Bearer-Identifier] [Allocation-Retention-Priority] [APN-Aggregate-Max-Bitrate-UL]
  [APN-Aggregate-Max-Bitrate-DL] [Extended-APN-AMBR-UL] [Extended-APN-AMBR-DL] [Extended-GBR-UL] [Extended-GBR-DL]
  *[Conditional-APN-Aggregate-Max-Bitrate] *[AVP]
Flows ::= {Media-Component-Number} *[Flow-Number] [Media-Component-Status] [Content-Version] *[AVP]
"""


class CcRequestType(IntEnum):
    """CC-Request-Type (RFC 8506 8.3)."""

    INITIAL_REQUEST = 1
    UPDATE_REQUEST = 2
    TERMINATION_REQUEST = 3
    EVENT_REQUEST = 4


class FailureHandling(IntEnum):
    """Credit-Control-Failure-Handling (RFC 8506 8.14)."""

    TERMINATE = 0
    CONTINUE = 1
    RETRY_AND_TERMINATE = 2


class SessionFailover(IntEnum):
    """CC-Session-Failover (RFC 8506 8.4)."""

    FAILOVER_NOT_SUPPORTED = 0
    FAILOVER_SUPPORTED = 1


class FinalUnitAction(IntEnum):
    """Final-Unit-Action (RFC 8506 8.35)."""

    TERMINATE = 0
    REDIRECT = 1
    RESTRICT_ACCESS = 2


class SubscriptionIdType(IntEnum):
    """Subscription-Id-Type (RFC 8506 8.47)."""

    END_USER_E164 = 0
    END_USER_IMSI = 1
    END_USER_SIP_URI = 2
    END_USER_NAI = 3
    END_USER_PRIVATE = 4


class ReAuthRequestType(IntEnum):
    """Re-Auth-Request-Type (RFC 6733 8.12)."""

    AUTHORIZE_ONLY = 0
    AUTHORIZE_AUTHENTICATE = 1


class TerminationCause(IntEnum):
    """Termination-Cause (RFC 6733 8.15)."""

    DIAMETER_LOGOUT = 1
    DIAMETER_SERVICE_NOT_PROVIDED = 2
    DIAMETER_BAD_ANSWER = 3
    DIAMETER_ADMINISTRATIVE = 4
    DIAMETER_LINK_BROKEN = 5
    DIAMETER_AUTH_EXPIRED = 6
    DIAMETER_USER_MOVED = 7
    DIAMETER_SESSION_TIMEOUT = 8


ENUMERATIONS = {
    "CC-Request-Type": CcRequestType,
    "CC-Session-Failover": SessionFailover,
    "Credit-Control-Failure-Handling": FailureHandling,
    "Final-Unit-Action": FinalUnitAction,
    "Re-Auth-Request-Type": ReAuthRequestType,
    "Subscription-Id-Type": SubscriptionIdType,
    "Termination-Cause": TerminationCause,
}

CLOSED = frozenset({"CC-Request-Type", "CC-Session-Failover", "Credit-Control-Failure-Handling", "Final-Unit-Action"})
"""Enumerations of which another value is invalid (5004)."""
