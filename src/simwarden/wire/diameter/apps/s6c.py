"""S6c, routing of short messages by the HSS, in the notation of `base`: TS 29.338 5.3, Release 15.

What is taken from elsewhere is here too: of TS 29.173 (Serving-Node), TS 29.336 (User-Identifier) and TS 29.229. What
is about SMSFs of 5G and IP-SM-GWs has no M bit, and is unknown here, as is SMSMI-Correlation-ID.
"""

from enum import IntEnum, IntFlag

APPLICATION = ("S6c", 16777312, 10415)

AVPS = {
    10415: """
 2400 LMSI                                              OctetString(4)      M
 2401 Serving-Node                                      Grouped             M
 2402 MME-Name                                          DiameterIdentity    M
 2403 MSC-Number                                        TBCD                M
 2406 Additional-Serving-Node                           Grouped             M
 2408 MME-Realm                                         DiameterIdentity    -
 2409 SGSN-Name                                         DiameterIdentity    -
 2410 SGSN-Realm                                        DiameterIdentity    -
 3102 User-Identifier                                   Grouped             M
 3300 SC-Address                                        TBCD                M
 3308 SM-RP-MTI                                         Enumerated          M
 3309 SM-RP-SMEA                                        OctetString         M
 3310 SRR-Flags                                         Unsigned32          -
 3311 SM-Delivery-Not-Intended                          Enumerated          -
 3312 MWD-Status                                        Unsigned32          -
 3313 MME-Absent-User-Diagnostic-SM                     Unsigned32          -
 3314 MSC-Absent-User-Diagnostic-SM                     Unsigned32          -
 3315 SGSN-Absent-User-Diagnostic-SM                    Unsigned32          -
 3316 SM-Delivery-Outcome                               Grouped             -
 3317 MME-SM-Delivery-Outcome                           Grouped             -
 3318 MSC-SM-Delivery-Outcome                           Grouped             -
 3319 SGSN-SM-Delivery-Outcome                          Grouped             -
 3321 SM-Delivery-Cause                                 Enumerated          -
 3322 Absent-User-Diagnostic-SM                         Unsigned32          -
 3323 RDR-Flags                                         Unsigned32          -
 3333 SMS-GMSC-Alert-Event                              Unsigned32          -
"""
}

COMMANDS = """
Send-Routing-Info-for-SM-Request ::= <Diameter Header: 8388647, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  [Destination-Host] {Destination-Realm} [MSISDN] [User-Name] *[Supported-Features] [SC-Address] [SM-RP-MTI]
  [SM-RP-SMEA] [SRR-Flags] [SM-Delivery-Not-Intended] *[AVP] *[Proxy-Info] *[Route-Record]

Send-Routing-Info-for-SM-Answer ::= <Diameter Header: 8388647, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] [Result-Code] [Experimental-Result] {Auth-Session-State}
  {Origin-Host} {Origin-Realm} [User-Name] *[Supported-Features] [Serving-Node] [Additional-Serving-Node] [LMSI]
  [User-Identifier] [MWD-Status] [MME-Absent-User-Diagnostic-SM] [MSC-Absent-User-Diagnostic-SM]
  [SGSN-Absent-User-Diagnostic-SM] *[AVP] [Failed-AVP] *[Proxy-Info] *[Route-Record]

Alert-Service-Centre-Request ::= <Diameter Header: 8388648, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  [Destination-Host] {Destination-Realm} {SC-Address} {User-Identifier} [Maximum-UE-Availability-Time]
  [SMS-GMSC-Alert-Event] [Serving-Node] *[Supported-Features] *[AVP] *[Proxy-Info] *[Route-Record]

Alert-Service-Centre-Answer ::= <Diameter Header: 8388648, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] [Result-Code] [Experimental-Result] {Auth-Session-State}
  {Origin-Host} {Origin-Realm} *[Supported-Features] *[AVP] [Failed-AVP] *[Proxy-Info] *[Route-Record]

Report-SM-Delivery-Status-Request ::= <Diameter Header: 8388649, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  [Destination-Host] {Destination-Realm} *[Supported-Features] {User-Identifier} {SC-Address}
  {SM-Delivery-Outcome} [RDR-Flags] *[AVP] *[Proxy-Info] *[Route-Record]

Report-SM-Delivery-Status-Answer ::= <Diameter Header: 8388649, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] [Result-Code] [Experimental-Result] {Auth-Session-State}
  {Origin-Host} {Origin-Realm} *[Supported-Features] [User-Identifier] *[AVP] [Failed-AVP] *[Proxy-Info]
  *[Route-Record]
"""

GROUPS = """
User-Identifier ::= [User-Name] [MSISDN] [External-Identifier] [LMSI] *[AVP]
Serving-Node ::= [SGSN-Name] [SGSN-Realm] [SGSN-Number] [MME-Name] [MME-Realm] [MME-Number-for-MT-SMS] [MSC-Number]
  *[AVP]
Additional-Serving-Node ::= [SGSN-Name] [SGSN-Realm] [SGSN-Number] [MME-Name] [MME-Realm] [MME-Number-for-MT-SMS]
  [MSC-Number] *[AVP]
SM-Delivery-Outcome ::= [MME-SM-Delivery-Outcome] [MSC-SM-Delivery-Outcome] [SGSN-SM-Delivery-Outcome] *[AVP]
MME-SM-Delivery-Outcome ::= [SM-Delivery-Cause] [Absent-User-Diagnostic-SM]
MSC-SM-Delivery-Outcome ::= [SM-Delivery-Cause] [Absent-User-Diagnostic-SM]
SGSN-SM-Delivery-Outcome ::= [SM-Delivery-Cause] [Absent-User-Diagnostic-SM]
"""

SHORT = {
    "ALR": "Alert-Service-Centre-Request",
    "RDR": "Report-SM-Delivery-Status-Request",
    "SRR": "Send-Routing-Info-for-SM-Request",
}
"""What TS 29.338 5.3.2 calls its requests for short; an answer ends in A instead of R."""


class SmRpMti(IntEnum):
    """SM-RP-MTI (TS 29.338 5.3.3.2)."""

    SM_DELIVER = 0
    SM_STATUS_REPORT = 1


class DeliveryNotIntended(IntEnum):
    """SM-Delivery-Not-Intended (TS 29.338 5.3.3.5)."""

    ONLY_IMSI_REQUESTED = 0
    ONLY_MCC_MNC_REQUESTED = 1


class MwdStatus(IntFlag):
    """MWD-Status (TS 29.338 5.3.3.8)."""

    SC_ADDRESS_NOT_INCLUDED = 1
    MNRF_SET = 2
    MCEF_SET = 4
    MNRG_SET = 8


class DeliveryCause(IntEnum):
    """SM-Delivery-Cause (TS 29.338 5.3.3.19)."""

    UE_MEMORY_CAPACITY_EXCEEDED = 0
    ABSENT_USER = 1
    SUCCESSFUL_TRANSFER = 2


ENUMERATIONS = {
    "SM-Delivery-Cause": DeliveryCause,
    "SM-Delivery-Not-Intended": DeliveryNotIntended,
    "SM-RP-MTI": SmRpMti,
}
