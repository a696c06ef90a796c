"""SGd, short messages between MME and SMSC, in the notation of `base`: TS 29.338 6.3, Release 15.

What it has in common with S6c is there. SMSMI-Correlation-ID and OFR-Flags, which are for IMS and SGSNs, are left out:
they have no M bit, and are unknown AVPs here. The alert of an MME (6.3.2.7) is the command of 5.3.2.5.
"""

from enum import IntEnum

APPLICATION = ("SGd", 16777313, 10415)

AVPS = {
    10415: """
 3301 SM-RP-UI                                          OctetString         M
 3302 TFR-Flags                                         Unsigned32          -
 3303 SM-Delivery-Failure-Cause                         Grouped             -
 3304 SM-Enumerated-Delivery-Failure-Cause              Enumerated          M
 3305 SM-Diagnostic-Info                                OctetString         M
 3306 SM-Delivery-Timer                                 Unsigned32          M
 3307 SM-Delivery-Start-Time                            Time                M
 3330 Maximum-Retransmission-Time                       Time                -
 3331 Requested-Retransmission-Time                     Time                -
 3332 SMS-GMSC-Address                                  TBCD                -
"""
}

COMMANDS = """
MO-Forward-Short-Message-Request ::= <Diameter Header: 8388645, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  [Destination-Host] {Destination-Realm} {SC-Address} *[Supported-Features] {User-Identifier}
  [EPS-Location-Information] {SM-RP-UI} [SM-Delivery-Outcome] *[AVP] *[Proxy-Info] *[Route-Record]

MO-Forward-Short-Message-Answer ::= <Diameter Header: 8388645, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] [Result-Code] [Experimental-Result] {Auth-Session-State}
  {Origin-Host} {Origin-Realm} *[Supported-Features] [SM-Delivery-Failure-Cause] [SM-RP-UI]
  [External-Identifier] *[AVP] [Failed-AVP] *[Proxy-Info] *[Route-Record]

MT-Forward-Short-Message-Request ::= <Diameter Header: 8388646, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  {Destination-Host} {Destination-Realm} {User-Name} *[Supported-Features] {SC-Address} {SM-RP-UI}
  [MME-Number-for-MT-SMS] [SGSN-Number] [TFR-Flags] [SM-Delivery-Timer] [SM-Delivery-Start-Time]
  [Maximum-Retransmission-Time] [SMS-GMSC-Address] *[AVP] *[Proxy-Info] *[Route-Record]

MT-Forward-Short-Message-Answer ::= <Diameter Header: 8388646, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] [Result-Code] [Experimental-Result] {Auth-Session-State}
  {Origin-Host} {Origin-Realm} *[Supported-Features] [Absent-User-Diagnostic-SM] [SM-Delivery-Failure-Cause]
  [SM-RP-UI] [Requested-Retransmission-Time] [User-Identifier] [EPS-Location-Information] *[AVP] [Failed-AVP]
  *[Proxy-Info] *[Route-Record]

Alert-Service-Centre-Request ::= <Diameter Header: 8388648, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  [Destination-Host] {Destination-Realm} {SC-Address} {User-Identifier} [Maximum-UE-Availability-Time]
  [SMS-GMSC-Alert-Event] [Serving-Node] *[Supported-Features] *[AVP] *[Proxy-Info] *[Route-Record]

Alert-Service-Centre-Answer ::= <Diameter Header: 8388648, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] [Result-Code] [Experimental-Result] {Auth-Session-State}
  {Origin-Host} {Origin-Realm} *[Supported-Features] *[AVP] [Failed-AVP] *[Proxy-Info] *[Route-Record]
"""

GROUPS = """
SM-Delivery-Failure-Cause ::= {SM-Enumerated-Delivery-Failure-Cause} [SM-Diagnostic-Info] *[AVP]
"""

SHORT = {"OFR": "MO-Forward-Short-Message-Request", "TFR": "MT-Forward-Short-Message-Request"}
"""What TS 29.338 6.3.2 calls its requests for short; an answer ends in A instead of R."""

CARRIES = {
    "SM-RP-UI": (
        "tpdu",
        {
            "mo-forward-short-message-request": True,
            "mo-forward-short-message-answer": False,
            "mt-forward-short-message-request": False,
            "mt-forward-short-message-answer": True,
        },
    )
}
"""AVPs that hold a message of another family, and whether it is the mobile's, by the command that has it."""


class DeliveryFailureCause(IntEnum):
    """SM-Enumerated-Delivery-Failure-Cause (TS 29.338 6.3.3.6)."""

    MEMORY_CAPACITY_EXCEEDED = 0
    EQUIPMENT_PROTOCOL_ERROR = 1
    EQUIPMENT_NOT_SM_EQUIPPED = 2
    UNKNOWN_SERVICE_CENTRE = 3
    SC_CONGESTION = 4
    INVALID_SME_ADDRESS = 5
    USER_NOT_SC_USER = 6


ENUMERATIONS = {"SM-Enumerated-Delivery-Failure-Cause": DeliveryFailureCause}
