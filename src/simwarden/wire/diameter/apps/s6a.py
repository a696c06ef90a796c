"""S6a, in the notation of `base`: TS 29.272 7.2 (commands) and 7.3 (AVPs), Release 15.

AVPs of other specifications that S6a uses are here too: DRMP (RFC 7944), overload control (RFC 7683), Load (RFC 8583),
MIP6 (RFC 5447), Service-Selection (RFC 5778), and vendor 10415 of TS 29.061, 29.212, 29.214, 29.229, 29.329 and 32.299.
The M flags follow the tables of TS 29.272 7.3.1; TBCD are digits of an E.164 number (TS 29.002).
"""

APPLICATION = ("S6a", 16777251, 10415)

AVPS = {
    0: """
  125 MIP6-Home-Link-Prefix                             OctetString         M
  301 DRMP                                              Enumerated          -
  334 MIP-Home-Agent-Address                            Address             M
  348 MIP-Home-Agent-Host                               Grouped             M
  486 MIP6-Agent-Info                                   Grouped             M
  493 Service-Selection                                 UTF8String          M
  621 OC-Supported-Features                             Grouped             -
  622 OC-Feature-Vector                                 Unsigned64          -
  623 OC-OLR                                            Grouped             -
  624 OC-Sequence-Number                                Unsigned64          -
  625 OC-Validity-Duration                              Unsigned32          -
  626 OC-Report-Type                                    Enumerated          -
  627 OC-Reduction-Percentage                           Unsigned32          -
  649 SourceID                                          DiameterIdentity    -
  650 Load                                              Grouped             -
  651 Load-Type                                         Enumerated          -
  652 Load-Value                                        Unsigned64          -
""",
    10415: """
   13 3GPP-Charging-Characteristics                     UTF8String          M
  515 Max-Requested-Bandwidth-DL                        Unsigned32          M
  516 Max-Requested-Bandwidth-UL                        Unsigned32          M
  554 Extended-Max-Requested-BW-DL                      Unsigned32          -
  555 Extended-Max-Requested-BW-UL                      Unsigned32          -
  600 Visited-Network-Identifier                        OctetString         M
  625 Confidentiality-Key                               OctetString(16)     M
  626 Integrity-Key                                     OctetString(16)     M
  628 Supported-Features                                Grouped             M
  629 Feature-List-ID                                   Unsigned32          M
  630 Feature-List                                      Unsigned32          M
  701 MSISDN                                            TBCD                M
  848 Served-Party-IP-Address                           Address             M
 1028 QoS-Class-Identifier                              Enumerated          M
 1032 RAT-Type                                          Enumerated          M
 1034 Allocation-Retention-Priority                     Grouped             M
 1046 Priority-Level                                    Unsigned32          M
 1047 Pre-emption-Capability                            Enumerated          M
 1048 Pre-emption-Vulnerability                         Enumerated          M
 1227 PDP-Address                                       Address             -
 1400 Subscription-Data                                 Grouped             M
 1401 Terminal-Information                              Grouped             M
 1402 IMEI                                              UTF8String          M
 1403 Software-Version                                  UTF8String          M
 1404 QoS-Subscribed                                    OctetString         M
 1405 ULR-Flags                                         Unsigned32          M
 1406 ULA-Flags                                         Unsigned32          M
 1407 Visited-PLMN-Id                                   OctetString(3)      M
 1408 Requested-EUTRAN-Authentication-Info              Grouped             M
 1409 Requested-UTRAN-GERAN-Authentication-Info         Grouped             M
 1410 Number-Of-Requested-Vectors                       Unsigned32          M
 1411 Re-Synchronization-Info                           OctetString(30)     M
 1412 Immediate-Response-Preferred                      Unsigned32          M
 1413 Authentication-Info                               Grouped             M
 1414 E-UTRAN-Vector                                    Grouped             M
 1415 UTRAN-Vector                                      Grouped             M
 1416 GERAN-Vector                                      Grouped             M
 1417 Network-Access-Mode                               Enumerated          M
 1418 HPLMN-ODB                                         Unsigned32          M
 1419 Item-Number                                       Unsigned32          M
 1420 Cancellation-Type                                 Enumerated          M
 1421 DSR-Flags                                         Unsigned32          M
 1422 DSA-Flags                                         Unsigned32          M
 1423 Context-Identifier                                Unsigned32          M
 1424 Subscriber-Status                                 Enumerated          M
 1425 Operator-Determined-Barring                       Unsigned32          M
 1426 Access-Restriction-Data                           Unsigned32          M
 1427 APN-OI-Replacement                                UTF8String          M
 1428 All-APN-Configurations-Included-Indicator         Enumerated          M
 1429 APN-Configuration-Profile                         Grouped             M
 1430 APN-Configuration                                 Grouped             M
 1431 EPS-Subscribed-QoS-Profile                        Grouped             M
 1432 VPLMN-Dynamic-Address-Allowed                     Enumerated          M
 1433 STN-SR                                            TBCD                M
 1434 Alert-Reason                                      Enumerated          M
 1435 AMBR                                              Grouped             M
 1436 CSG-Subscription-Data                             Grouped             M
 1437 CSG-Id                                            Unsigned32          M
 1438 PDN-GW-Allocation-Type                            Enumerated          M
 1439 Expiration-Date                                   Time                M
 1440 RAT-Frequency-Selection-Priority-ID               Unsigned32          M
 1441 IDA-Flags                                         Unsigned32          M
 1442 PUA-Flags                                         Unsigned32          M
 1443 NOR-Flags                                         Unsigned32          M
 1444 User-Id                                           UTF8String          M
 1446 Regional-Subscription-Zone-Code                   OctetString(2)      M
 1447 RAND                                              OctetString(16)     M
 1448 XRES                                              OctetString         M
 1449 AUTN                                              OctetString(16)     M
 1450 KASME                                             OctetString(32)     M
 1452 Trace-Collection-Entity                           Address             M
 1453 Kc                                                OctetString(8)      M
 1454 SRES                                              OctetString(4)      M
 1456 PDN-Type                                          Enumerated          M
 1457 Roaming-Restricted-Due-To-Unsupported-Feature     Enumerated          M
 1458 Trace-Data                                        Grouped             M
 1459 Trace-Reference                                   OctetString         M
 1462 Trace-Depth                                       Enumerated          M
 1463 Trace-NE-Type-List                                OctetString         M
 1464 Trace-Interface-List                              OctetString         M
 1465 Trace-Event-List                                  OctetString         M
 1466 OMC-Id                                            OctetString         M
 1467 GPRS-Subscription-Data                            Grouped             M
 1468 Complete-Data-List-Included-Indicator             Enumerated          M
 1469 PDP-Context                                       Grouped             M
 1470 PDP-Type                                          OctetString         M
 1471 3GPP2-MEID                                        OctetString         M
 1472 Specific-APN-Info                                 Grouped             M
 1473 LCS-Info                                          Grouped             M
 1474 GMLC-Number                                       TBCD                M
 1476 SS-Code                                           OctetString         M
 1477 SS-Status                                         OctetString         M
 1486 Teleservice-List                                  Grouped             M
 1487 TS-Code                                           OctetString         M
 1488 Call-Barring-Info                                 Grouped             M
 1489 SGSN-Number                                       TBCD                M
 1490 IDR-Flags                                         Unsigned32          M
 1491 ICS-Indicator                                     Enumerated          -
 1492 IMS-Voice-Over-PS-Sessions-Supported              Enumerated          -
 1493 Homogeneous-Support-of-IMS-Voice-Over-PS-Sessions Enumerated          -
 1494 Last-UE-Activity-Time                             Time                -
 1495 EPS-User-State                                    Grouped             -
 1496 EPS-Location-Information                          Grouped             -
 1497 MME-User-State                                    Grouped             -
 1498 SGSN-User-State                                   Grouped             -
 1499 User-State                                        Enumerated          -
 1538 Emergency-Services                                Unsigned32          -
 1600 MME-Location-Information                          Grouped             -
 1601 SGSN-Location-Information                         Grouped             -
 1602 E-UTRAN-Cell-Global-Identity                      OctetString(7)      -
 1603 Tracking-Area-Identity                            OctetString(5)      -
 1604 Cell-Global-Identity                              OctetString         -
 1605 Routing-Area-Identity                             OctetString         -
 1606 Location-Area-Identity                            OctetString         -
 1607 Service-Area-Identity                             OctetString         -
 1608 Geographical-Information                          OctetString         -
 1609 Geodetic-Information                              OctetString         -
 1610 Current-Location-Retrieved                        Enumerated          -
 1611 Age-Of-Location-Information                       Unsigned32          -
 1612 Active-APN                                        Grouped             -
 1613 SIPTO-Permission                                  Enumerated          -
 1614 Error-Diagnostic                                  Enumerated          -
 1615 UE-SRVCC-Capability                               Enumerated          -
 1616 MPS-Priority                                      Unsigned32          -
 1617 VPLMN-LIPA-Allowed                                Enumerated          -
 1618 LIPA-Permission                                   Enumerated          -
 1619 Subscribed-Periodic-RAU-TAU-Timer                 Unsigned32          -
 1620 Ext-PDP-Type                                      OctetString         -
 1621 Ext-PDP-Address                                   Address             -
 1633 Relay-Node-Indicator                              Enumerated          -
 1634 MDT-User-Consent                                  Enumerated          -
 1635 PUR-Flags                                         Unsigned32          -
 1636 Subscribed-VSRVCC                                 Enumerated          -
 1637 Equivalent-PLMN-List                              Grouped             -
 1638 CLR-Flags                                         Unsigned32          -
 1642 Time-Zone                                         UTF8String          -
 1643 A-MSISDN                                          TBCD                -
 1645 MME-Number-for-MT-SMS                             TBCD                -
 1648 SMS-Register-Request                              Enumerated          -
 1649 Local-Time-Zone                                   Grouped             -
 1650 Daylight-Saving-Time                              Enumerated          -
 1654 Subscription-Data-Flags                           Unsigned32          -
 1663 Restoration-Priority                              Unsigned32          -
 1664 SGs-MME-Identity                                  UTF8String          -
 1665 SIPTO-Local-Network-Permission                    Enumerated          -
 1666 Coupled-Node-Diameter-ID                          DiameterIdentity    -
 1667 WLAN-offloadability                               Grouped             -
 1668 WLAN-offloadability-EUTRAN                        Unsigned32          -
 1669 WLAN-offloadability-UTRAN                         Unsigned32          -
 1670 Reset-ID                                          OctetString         -
 1672 Adjacent-PLMNs                                    Grouped             -
 1673 Adjacent-Access-Restriction-Data                  Grouped             -
 1674 DL-Buffering-Suggested-Packet-Count               Integer32           -
 1675 IMSI-Group-Id                                     Grouped             -
 1676 Group-Service-Id                                  Unsigned32          -
 1677 Group-PLMN-Id                                     OctetString(3)      -
 1678 Local-Group-Id                                    OctetString         -
 1679 AIR-Flags                                         Unsigned32          -
 1680 UE-Usage-Type                                     Unsigned32          -
 1681 Non-IP-PDN-Type-Indicator                         Enumerated          -
 1682 Non-IP-Data-Delivery-Mechanism                    Enumerated          -
 1683 Additional-Context-Identifier                     Unsigned32          -
 1684 SCEF-Realm                                        DiameterIdentity    -
 1685 Subscription-Data-Deletion                        Grouped             -
 1686 Preferred-Data-Mode                               Unsigned32          -
 1687 Emergency-Info                                    Grouped             -
 1688 V2X-Subscription-Data                             Grouped             -
 1689 V2X-Permission                                    Unsigned32          -
 1690 PDN-Connection-Continuity                         Enumerated          -
 1691 eDRX-Cycle-Length                                 Grouped             -
 1692 eDRX-Cycle-Length-Value                           OctetString         -
 1693 UE-PC5-AMBR                                       Unsigned32          -
 1697 RDS-Indicator                                     Enumerated          -
 1698 Service-Gap-Time                                  Unsigned32          -
 1701 Paging-Time-Window                                Grouped             -
 1702 Operation-Mode                                    Enumerated          -
 1703 Paging-Time-Window-Length                         OctetString         -
 1704 Core-Network-Restrictions                         Unsigned32          -
 2405 GMLC-Address                                      Address             -
 3111 External-Identifier                               UTF8String          -
 3113 AESE-Communication-Pattern                        Grouped             -
 3122 Monitoring-Event-Configuration                    Grouped             -
 3125 SCEF-ID                                           DiameterIdentity    -
 3143 Supported-Services                                Grouped             -
 3144 Supported-Monitoring-Events                       Unsigned64          -
 3329 Maximum-UE-Availability-Time                      Time                -
 3701 ProSe-Subscription-Data                           Grouped             -
 3702 ProSe-Permission                                  Unsigned32          -
""",
}

COMMANDS = """
Update-Location-Request ::= <Diameter Header: 316, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  [Destination-Host] {Destination-Realm} {User-Name} [OC-Supported-Features] *[Supported-Features]
  [Terminal-Information] {RAT-Type} {ULR-Flags} [UE-SRVCC-Capability] {Visited-PLMN-Id} [SGSN-Number]
  [Homogeneous-Support-of-IMS-Voice-Over-PS-Sessions] [GMLC-Address] *[Active-APN] [Equivalent-PLMN-List]
  [MME-Number-for-MT-SMS] [SMS-Register-Request] [SGs-MME-Identity] [Coupled-Node-Diameter-ID] [Adjacent-PLMNs]
  [Supported-Services] *[AVP] *[Proxy-Info] *[Route-Record]

Update-Location-Answer ::= <Diameter Header: 316, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] [Result-Code] [Experimental-Result] [Error-Diagnostic]
  {Auth-Session-State} {Origin-Host} {Origin-Realm} [OC-Supported-Features] [OC-OLR] *[Load]
  *[Supported-Features] [ULA-Flags] [Subscription-Data] *[Reset-ID] *[AVP] [Failed-AVP] *[Proxy-Info]
  *[Route-Record]

Cancel-Location-Request ::= <Diameter Header: 317, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  {Destination-Host} {Destination-Realm} {User-Name} *[Supported-Features] {Cancellation-Type} [CLR-Flags]
  *[AVP] *[Proxy-Info] *[Route-Record]

Cancel-Location-Answer ::= <Diameter Header: 317, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] *[Supported-Features] [Result-Code] [Experimental-Result]
  {Auth-Session-State} {Origin-Host} {Origin-Realm} *[AVP] [Failed-AVP] *[Proxy-Info] *[Route-Record]

Authentication-Information-Request ::= <Diameter Header: 318, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  [Destination-Host] {Destination-Realm} {User-Name} [OC-Supported-Features] *[Supported-Features]
  [Requested-EUTRAN-Authentication-Info] [Requested-UTRAN-GERAN-Authentication-Info] {Visited-PLMN-Id} [AIR-Flags]
  *[AVP] *[Proxy-Info] *[Route-Record]

Authentication-Information-Answer ::= <Diameter Header: 318, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] [Result-Code] [Experimental-Result] [Error-Diagnostic]
  {Auth-Session-State} {Origin-Host} {Origin-Realm} [OC-Supported-Features] [OC-OLR] *[Load]
  *[Supported-Features] [Authentication-Info] [UE-Usage-Type] *[AVP] [Failed-AVP] *[Proxy-Info] *[Route-Record]

Insert-Subscriber-Data-Request ::= <Diameter Header: 319, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  {Destination-Host} {Destination-Realm} {User-Name} *[Supported-Features] {Subscription-Data} [IDR-Flags]
  *[Reset-ID] *[AVP] *[Proxy-Info] *[Route-Record]

Insert-Subscriber-Data-Answer ::= <Diameter Header: 319, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] *[Supported-Features] [Result-Code] [Experimental-Result]
  {Auth-Session-State} {Origin-Host} {Origin-Realm} [IMS-Voice-Over-PS-Sessions-Supported]
  [Last-UE-Activity-Time] [RAT-Type] [IDA-Flags] [EPS-User-State] [EPS-Location-Information] [Local-Time-Zone]
  [Supported-Services] *[AVP] [Failed-AVP] *[Proxy-Info] *[Route-Record]

Delete-Subscriber-Data-Request ::= <Diameter Header: 320, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  {Destination-Host} {Destination-Realm} {User-Name} *[Supported-Features] {DSR-Flags} *[Context-Identifier]
  *[Regional-Subscription-Zone-Code] [Trace-Reference] *[TS-Code] *[SS-Code] *[AVP] *[Proxy-Info] *[Route-Record]

Delete-Subscriber-Data-Answer ::= <Diameter Header: 320, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] *[Supported-Features] [Result-Code] [Experimental-Result]
  {Auth-Session-State} {Origin-Host} {Origin-Realm} [DSA-Flags] *[AVP] [Failed-AVP] *[Proxy-Info] *[Route-Record]

Purge-UE-Request ::= <Diameter Header: 321, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  [Destination-Host] {Destination-Realm} {User-Name} [OC-Supported-Features] [PUR-Flags] *[Supported-Features]
  [EPS-Location-Information] *[AVP] *[Proxy-Info] *[Route-Record]

Purge-UE-Answer ::= <Diameter Header: 321, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] *[Supported-Features] [Result-Code] [Experimental-Result]
  {Auth-Session-State} {Origin-Host} {Origin-Realm} [OC-Supported-Features] [OC-OLR] *[Load] [PUA-Flags] *[AVP]
  [Failed-AVP] *[Proxy-Info] *[Route-Record]

Reset-Request ::= <Diameter Header: 322, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  {Destination-Host} {Destination-Realm} *[Supported-Features] *[User-Id] *[Reset-ID] [Subscription-Data]
  [Subscription-Data-Deletion] *[AVP] *[Proxy-Info] *[Route-Record]

Reset-Answer ::= <Diameter Header: 322, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] *[Supported-Features] [Result-Code] [Experimental-Result]
  {Auth-Session-State} {Origin-Host} {Origin-Realm} *[AVP] [Failed-AVP] *[Proxy-Info] *[Route-Record]

Notify-Request ::= <Diameter Header: 323, REQ, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] {Auth-Session-State} {Origin-Host} {Origin-Realm}
  [Destination-Host] {Destination-Realm} {User-Name} [OC-Supported-Features] *[Supported-Features]
  [Terminal-Information] [MIP6-Agent-Info] [Visited-Network-Identifier] [Context-Identifier] [Service-Selection]
  [Alert-Reason] [UE-SRVCC-Capability] [NOR-Flags] [Homogeneous-Support-of-IMS-Voice-Over-PS-Sessions]
  [Maximum-UE-Availability-Time] [Emergency-Services] *[AVP] *[Proxy-Info] *[Route-Record]

Notify-Answer ::= <Diameter Header: 323, PXY>
  <Session-Id> [DRMP] [Vendor-Specific-Application-Id] [Result-Code] [Experimental-Result] {Auth-Session-State}
  {Origin-Host} {Origin-Realm} [OC-Supported-Features] [OC-OLR] *[Load] *[Supported-Features] *[AVP] [Failed-AVP]
  *[Proxy-Info] *[Route-Record]
"""

GROUPS = """
Subscription-Data ::= [Subscriber-Status] [MSISDN] [A-MSISDN] [External-Identifier] [STN-SR] [ICS-Indicator]
  [Network-Access-Mode] [Operator-Determined-Barring] [HPLMN-ODB] 0*10[Regional-Subscription-Zone-Code]
  [Access-Restriction-Data] [APN-OI-Replacement] [LCS-Info] [Teleservice-List] *[Call-Barring-Info]
  [3GPP-Charging-Characteristics] [AMBR] [APN-Configuration-Profile] [RAT-Frequency-Selection-Priority-ID]
  [Trace-Data] [GPRS-Subscription-Data] *[CSG-Subscription-Data] [Roaming-Restricted-Due-To-Unsupported-Feature]
  [Subscribed-Periodic-RAU-TAU-Timer] [MPS-Priority] [VPLMN-LIPA-Allowed] [Relay-Node-Indicator]
  [MDT-User-Consent] [Subscribed-VSRVCC] [ProSe-Subscription-Data] [Subscription-Data-Flags]
  *[Adjacent-Access-Restriction-Data] [DL-Buffering-Suggested-Packet-Count] *[IMSI-Group-Id] [UE-Usage-Type]
  *[AESE-Communication-Pattern] *[Monitoring-Event-Configuration] [Emergency-Info] [V2X-Subscription-Data]
  *[eDRX-Cycle-Length] [Service-Gap-Time] [Core-Network-Restrictions] *[Paging-Time-Window] *[AVP]
Terminal-Information ::= [IMEI] [3GPP2-MEID] [Software-Version] *[AVP]
Requested-EUTRAN-Authentication-Info ::= [Number-Of-Requested-Vectors] [Immediate-Response-Preferred]
  [Re-Synchronization-Info] *[AVP]
Requested-UTRAN-GERAN-Authentication-Info ::= [Number-Of-Requested-Vectors] [Immediate-Response-Preferred]
  [Re-Synchronization-Info] *[AVP]
Authentication-Info ::= *[E-UTRAN-Vector] *[UTRAN-Vector] *[GERAN-Vector] *[AVP]
E-UTRAN-Vector ::= [Item-Number] {RAND} {XRES} {AUTN} {KASME} *[AVP]
UTRAN-Vector ::= [Item-Number] {RAND} {XRES} {AUTN} {Confidentiality-Key} {Integrity-Key} *[AVP]
GERAN-Vector ::= [Item-Number] {RAND} {SRES} {Kc} *[AVP]
APN-Configuration-Profile ::= {Context-Identifier} [Additional-Context-Identifier]
  {All-APN-Configurations-Included-Indicator} 1*{APN-Configuration} *[AVP]
APN-Configuration ::= {Context-Identifier} *2[Served-Party-IP-Address] {PDN-Type} {Service-Selection}
  [EPS-Subscribed-QoS-Profile] [VPLMN-Dynamic-Address-Allowed] [MIP6-Agent-Info] [Visited-Network-Identifier]
  [PDN-GW-Allocation-Type] [3GPP-Charging-Characteristics] [AMBR] *[Specific-APN-Info] [APN-OI-Replacement]
  [SIPTO-Permission] [LIPA-Permission] [Restoration-Priority] [SIPTO-Local-Network-Permission]
  [WLAN-offloadability] [Non-IP-PDN-Type-Indicator] [Non-IP-Data-Delivery-Mechanism] [SCEF-ID] [SCEF-Realm]
  [Preferred-Data-Mode] [PDN-Connection-Continuity] [RDS-Indicator] *[AVP]
EPS-Subscribed-QoS-Profile ::= {QoS-Class-Identifier} {Allocation-Retention-Priority} *[AVP]
Allocation-Retention-Priority ::= {Priority-Level} [Pre-emption-Capability] [Pre-emption-Vulnerability]
AMBR ::= {Max-Requested-Bandwidth-UL} {Max-Requested-Bandwidth-DL} [Extended-Max-Requested-BW-UL]
  [Extended-Max-Requested-BW-DL] *[AVP]
Specific-APN-Info ::= {Service-Selection} {MIP6-Agent-Info} [Visited-Network-Identifier] *[AVP]
Active-APN ::= {Context-Identifier} [Service-Selection] [MIP6-Agent-Info] [Visited-Network-Identifier]
  *[Specific-APN-Info] *[AVP]
Teleservice-List ::= 1*{TS-Code} *[AVP]
Call-Barring-Info ::= {SS-Code} {SS-Status} *[AVP]
LCS-Info ::= *[GMLC-Number] *[AVP]
Trace-Data ::= {Trace-Reference} {Trace-Depth} {Trace-NE-Type-List} [Trace-Interface-List] {Trace-Event-List}
  [OMC-Id] {Trace-Collection-Entity} *[AVP]
GPRS-Subscription-Data ::= {Complete-Data-List-Included-Indicator} 1*50{PDP-Context} *[AVP]
PDP-Context ::= {Context-Identifier} {PDP-Type} [PDP-Address] {QoS-Subscribed} [VPLMN-Dynamic-Address-Allowed]
  {Service-Selection} [3GPP-Charging-Characteristics] [Ext-PDP-Type] [Ext-PDP-Address] [AMBR]
  [APN-OI-Replacement] *[AVP]
CSG-Subscription-Data ::= {CSG-Id} [Expiration-Date] *[Service-Selection] [Visited-PLMN-Id] *[AVP]
ProSe-Subscription-Data ::= {ProSe-Permission} *[AVP]
Adjacent-Access-Restriction-Data ::= {Visited-PLMN-Id} {Access-Restriction-Data}
IMSI-Group-Id ::= {Group-Service-Id} {Group-PLMN-Id} {Local-Group-Id} *[AVP]
AESE-Communication-Pattern ::= *[AVP]
Monitoring-Event-Configuration ::= *[AVP]
Emergency-Info ::= [MIP6-Agent-Info] *[AVP]
V2X-Subscription-Data ::= [V2X-Permission] [UE-PC5-AMBR] *[AVP]
eDRX-Cycle-Length ::= {RAT-Type} {eDRX-Cycle-Length-Value} *[AVP]
Paging-Time-Window ::= {Operation-Mode} {Paging-Time-Window-Length} *[AVP]
WLAN-offloadability ::= [WLAN-offloadability-EUTRAN] [WLAN-offloadability-UTRAN] *[AVP]
Equivalent-PLMN-List ::= 1*{Visited-PLMN-Id} *[AVP]
Adjacent-PLMNs ::= 1*{Visited-PLMN-Id} *[AVP]
Supported-Services ::= [Supported-Monitoring-Events] *[AVP]
EPS-User-State ::= [MME-User-State] [SGSN-User-State] *[AVP]
MME-User-State ::= [User-State] *[AVP]
SGSN-User-State ::= [User-State] *[AVP]
EPS-Location-Information ::= [MME-Location-Information] [SGSN-Location-Information] *[AVP]
MME-Location-Information ::= [E-UTRAN-Cell-Global-Identity] [Tracking-Area-Identity] [Geographical-Information]
  [Geodetic-Information] [Current-Location-Retrieved] [Age-Of-Location-Information] *[AVP]
SGSN-Location-Information ::= [Cell-Global-Identity] [Location-Area-Identity] [Service-Area-Identity]
  [Routing-Area-Identity] [Geographical-Information] [Geodetic-Information] [Current-Location-Retrieved]
  [Age-Of-Location-Information] *[AVP]
Local-Time-Zone ::= {Time-Zone} {Daylight-Saving-Time} *[AVP]
Subscription-Data-Deletion ::= {DSR-Flags} *[Context-Identifier] *[Regional-Subscription-Zone-Code]
  [Trace-Reference] *[TS-Code] *[SS-Code] *[AVP]
Supported-Features ::= {Vendor-Id} {Feature-List-ID} {Feature-List} *[AVP]
MIP6-Agent-Info ::= *2[MIP-Home-Agent-Address] [MIP-Home-Agent-Host] [MIP6-Home-Link-Prefix] *[AVP]
MIP-Home-Agent-Host ::= {Destination-Realm} {Destination-Host} *[AVP]
OC-Supported-Features ::= [OC-Feature-Vector] *[AVP]
OC-OLR ::= <OC-Sequence-Number> <OC-Report-Type> [OC-Reduction-Percentage] [OC-Validity-Duration] *[AVP]
Load ::= [Load-Type] [Load-Value] [SourceID] *[AVP]
"""

SHARED = {"Supported-Features"}
"""Few sets of features are announced, by many messages each."""

KEYS = frozenset({"KASME", "Confidentiality-Key", "Integrity-Key", "Kc"})
"""AVPs that carry keys: masked in every decoded view."""

SHORT = {
    "AIR": "Authentication-Information-Request",
    "CLR": "Cancel-Location-Request",
    "DSR": "Delete-Subscriber-Data-Request",
    "IDR": "Insert-Subscriber-Data-Request",
    "NOR": "Notify-Request",
    "PUR": "Purge-UE-Request",
    "RSR": "Reset-Request",
    "ULR": "Update-Location-Request",
}
"""What TS 29.272 7.2 calls its requests for short; an answer ends in A instead of R."""
