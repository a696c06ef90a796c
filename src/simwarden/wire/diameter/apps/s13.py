"""S13, in the notation of `base`: TS 29.272 7.2 (commands) and 7.3 (AVPs), Release 15; what it shares is in `s6a`."""

APPLICATION = ("S13", 16777252, 10415)

AVPS = {
    10415: """
 1445 Equipment-Status                                  Enumerated          M
"""
}

COMMANDS = """
ME-Identity-Check-Request ::= <Diameter Header: 324, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  [Destination-Host] {Destination-Realm} {Terminal-Information} [User-Name] *[AVP] *[Proxy-Info] *[Route-Record]

ME-Identity-Check-Answer ::= <Diameter Header: 324, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] [Result-Code] [Experimental-Result] {Auth-Session-State}
  {Origin-Host} {Origin-Realm} [Equipment-Status] *[AVP] [Failed-AVP] *[Proxy-Info] *[Route-Record]
"""

GROUPS = ""

SHORT = {"ECR": "ME-Identity-Check-Request"}
"""What TS 29.272 7.2 calls its request for short; the answer ends in A instead of R."""
