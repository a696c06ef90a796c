"""The base protocol's dictionary, as data in the notation of RFC 6733 (sections 4.5, 5.3 to 5.5, 6 and 7).

An AVP is a line `code name type flag`, where the flag is M if senders set the M bit. A size in brackets after a type
is the only length allowed. Commands and groups are in the ABNF of RFC 6733 3.2 and 4.4.1.
"""

APPLICATION = ("", 0, 0)

AVPS = {
    0: """
    1 User-Name                                         UTF8String          M
   27 Session-Timeout                                   Unsigned32          M
   33 Proxy-State                                       OctetString         M
   55 Event-Timestamp                                   Time                M
  257 Host-IP-Address                                   Address             M
  258 Auth-Application-Id                               Unsigned32          M
  259 Acct-Application-Id                               Unsigned32          M
  260 Vendor-Specific-Application-Id                    Grouped             M
  263 Session-Id                                        UTF8String          M
  264 Origin-Host                                       DiameterIdentity    M
  265 Supported-Vendor-Id                               Unsigned32          M
  266 Vendor-Id                                         Unsigned32          M
  267 Firmware-Revision                                 Unsigned32          -
  268 Result-Code                                       Unsigned32          M
  269 Product-Name                                      UTF8String          -
  273 Disconnect-Cause                                  Enumerated          M
  277 Auth-Session-State                                Enumerated          M
  278 Origin-State-Id                                   Unsigned32          M
  279 Failed-AVP                                        Grouped             M
  280 Proxy-Host                                        DiameterIdentity    M
  281 Error-Message                                     UTF8String          -
  282 Route-Record                                      DiameterIdentity    M
  283 Destination-Realm                                 DiameterIdentity    M
  284 Proxy-Info                                        Grouped             M
  292 Redirect-Host                                     DiameterURI         M
  293 Destination-Host                                  DiameterIdentity    M
  294 Error-Reporting-Host                              DiameterIdentity    -
  295 Termination-Cause                                 Enumerated          M
  296 Origin-Realm                                      DiameterIdentity    M
  297 Experimental-Result                               Grouped             M
  298 Experimental-Result-Code                          Unsigned32          M
  299 Inband-Security-Id                                Enumerated          M
"""
}

COMMANDS = """
Capabilities-Exchange-Request ::= <Diameter Header: 257, REQ>
  {Origin-Host} {Origin-Realm} 1*{Host-IP-Address} {Vendor-Id} {Product-Name} [Origin-State-Id]
  *[Supported-Vendor-Id] *[Auth-Application-Id] *[Inband-Security-Id] *[Acct-Application-Id]
  *[Vendor-Specific-Application-Id] [Firmware-Revision] *[AVP]

Capabilities-Exchange-Answer ::= <Diameter Header: 257>
  {Result-Code} {Origin-Host} {Origin-Realm} 1*{Host-IP-Address} {Vendor-Id} {Product-Name} [Origin-State-Id]
  [Error-Message] [Failed-AVP] *[Supported-Vendor-Id] *[Auth-Application-Id] *[Inband-Security-Id]
  *[Acct-Application-Id] *[Vendor-Specific-Application-Id] [Firmware-Revision] *[AVP]

Device-Watchdog-Request ::= <Diameter Header: 280, REQ>
  {Origin-Host} {Origin-Realm} [Origin-State-Id] *[AVP]

Device-Watchdog-Answer ::= <Diameter Header: 280>
  {Result-Code} {Origin-Host} {Origin-Realm} [Error-Message] [Failed-AVP] [Origin-State-Id] *[AVP]

Disconnect-Peer-Request ::= <Diameter Header: 282, REQ>
  {Origin-Host} {Origin-Realm} {Disconnect-Cause} *[AVP]

Disconnect-Peer-Answer ::= <Diameter Header: 282>
  {Result-Code} {Origin-Host} {Origin-Realm} [Error-Message] [Failed-AVP] *[AVP]
"""

GROUPS = """
Vendor-Specific-Application-Id ::= {Vendor-Id} [Auth-Application-Id] [Acct-Application-Id]
Experimental-Result ::= {Vendor-Id} {Experimental-Result-Code}
Failed-AVP ::= 1*{AVP}
Proxy-Info ::= {Proxy-Host} {Proxy-State} *[AVP]
"""

SHORT = {
    "CER": "Capabilities-Exchange-Request",
    "DPR": "Disconnect-Peer-Request",
    "DWR": "Device-Watchdog-Request",
}
"""What RFC 6733 calls its requests for short; an answer ends in A instead of R."""
