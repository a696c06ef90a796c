"""AVPs that Gy and Gx messages may carry and on which no element acts: TS 32.299 7.2, TS 29.212 5.3.

A peer may set the M bit on them, and a receiver that does not know one rejects the message (RFC 6733 4.1). Names, types
and M bits are those of freeDiameter's dictionaries; the number of each AVP in a group is not checked. `gx` and `gy` say
which commands carry them. The notation is that of `base`.
"""

AVPS = {
    0: """
   50 Acct-Multi-Session-Id                             UTF8String          M
  363 Accounting-Input-Octets                           Unsigned64          M
  364 Accounting-Output-Octets                          Unsigned64          M
""",
    10415: """
  549 Media-Component-Status                            Unsigned32          -
  552 Content-Version                                   Unsigned64          -
  865 PS-Furnish-Charging-Information                   Grouped             M
  866 PS-Free-Format-Data                               OctetString         M
  867 PS-Append-Free-Format-Data                        Enumerated          M
  897 Address-Data                                      UTF8String          M
  898 Address-Domain                                    Grouped             M
  899 Address-Type                                      Enumerated          M
 1077 Routing-Rule-Identifier                           OctetString         -
 1091 TDF-IP-Address                                    Address             -
 1095 ADC-Rule-Base-Name                                UTF8String          M
 1099 PS-to-CS-Session-Continuity                       Enumerated          -
 1200 Domain-Name                                       UTF8String          M
 1201 Recipient-Address                                 Grouped             M
 1208 Addressee-Type                                    Enumerated          M
 1258 Event-Charging-TimeStamp                          Time                M
 1266 Envelope                                          Grouped             M
 1267 Envelope-End-Time                                 Time                M
 1269 Envelope-Start-Time                               Time                M
 1278 Offline-Charging                                  Grouped             M
 1301 RAN-End-Timestamp                                 Time                -
 1302 RAN-Secondary-RAT-Usage-Report                    Grouped             -
 1303 RAN-Start-Timestamp                               Time                -
 1304 Secondary-RAT-Type                                OctetString         -
 1305 Civic-Address-Information                         UTF8String          -
 1306 WLAN-Operator-Id                                  Grouped             -
 1307 WLAN-Operator-Name                                UTF8String          -
 1308 WLAN-PLMN-Id                                      UTF8String          -
 1503 AN-Trusted                                        Enumerated          M
 1524 SSID                                              UTF8String          -
 2001 Data-Coding-Scheme                                Integer32           M
 2002 Destination-Interface                             Grouped             M
 2003 Interface-Id                                      UTF8String          M
 2004 Interface-Port                                    UTF8String          M
 2005 Interface-Text                                    UTF8String          M
 2006 Interface-Type                                    Enumerated          M
 2008 Originator-SCCP-Address                           Address             M
 2009 Originator-Interface                              Grouped             M
 2010 Recipient-SCCP-Address                            Address             M
 2011 Reply-Path-Requested                              Enumerated          M
 2012 SM-Discharge-Time                                 Time                M
 2013 SM-Protocol-ID                                    OctetString         M
 2014 SM-Status                                         OctetString         M
 2015 SM-User-Data-Header                               OctetString         M
 2017 SMSC-Address                                      Address             M
 2018 Client-Address                                    Address             M
 2019 Number-Of-Messages-Sent                           Unsigned32          M
 2026 Recipient-Info                                    Grouped             M
 2027 Originator-Received-Address                       Grouped             M
 2028 Recipient-Received-Address                        Grouped             M
 2029 SM-Service-Type                                   Enumerated          M
 2038 Change-Time                                       Time                M
 2039 Diagnostics                                       Enumerated          M
 2040 Service-Data-Container                            Grouped             M
 2043 Time-First-Usage                                  Time                M
 2044 Time-Last-Usage                                   Time                M
 2045 Time-Usage                                        Unsigned32          M
 2046 Traffic-Data-Volumes                              Grouped             M
 2055 AoC-Request-Type                                  Enumerated          M
 2063 Local-Sequence-Number                             Unsigned32          M
 2066 Charging-Characteristics-Selection-Mode           Enumerated          M
 2067 SGW-Address                                       Address             M
 2068 Dynamic-Address-Flag-Extension                    Enumerated          M
 2308 IMSI-Unauthenticated-Flag                         Enumerated          M
 2317 CSG-Access-Mode                                   Enumerated          M
 2318 CSG-Membership-Indication                         Enumerated          M
 2319 User-CSG-Information                              Grouped             M
 2602 Low-Priority-Indicator                            Enumerated          M
 2606 PDP-Address-Prefix-Length                         Unsigned32          M
 2714 TWAN-User-Location-Info                           Grouped             M
 2716 BSSID                                             UTF8String          M
 2805 UE-Local-IP-Address                               Address             -
 2806 UDP-Source-Port                                   Unsigned32          -
 2810 Monitoring-Time                                   Time                -
 2812 User-Location-Info-Time                           Time                -
 2816 Default-QoS-Information                           Grouped             -
 2817 Default-QoS-Name                                  UTF8String          -
 2818 Conditional-APN-Aggregate-Max-Bitrate             Grouped             -
 2819 RAN-NAS-Release-Cause                             OctetString         -
 2820 Presence-Reporting-Area-Elements-List             OctetString         -
 2821 Presence-Reporting-Area-Identifier                OctetString         -
 2822 Presence-Reporting-Area-Information               Grouped             -
 2823 Presence-Reporting-Area-Status                    Unsigned32          -
 2825 Fixed-User-Location-Info                          Grouped             -
 2829 Default-Access                                    Enumerated          -
 2830 NBIFOM-Mode                                       Enumerated          -
 2831 NBIFOM-Support                                    Enumerated          -
 2832 RAN-Rule-Support                                  Unsigned32          -
 2833 Access-Availability-Change-Reason                 Unsigned32          -
 2834 Routing-Rule-Failure-Code                         Unsigned32          -
 2835 Routing-Rule-Report                               Grouped             -
 2836 Traffic-Steering-Policy-Identifier-DL             OctetString         -
 2837 Traffic-Steering-Policy-Identifier-UL             OctetString         -
 2839 Execution-Time                                    Time                -
 2840 Conditional-Policy-Information                    Grouped             -
 2842 Removal-Of-Access                                 Enumerated          -
 2843 TCP-Source-Port                                   Unsigned32          -
 2845 PRA-Install                                       Grouped             -
 2846 PRA-Remove                                        Grouped             -
 2847 3GPP-PS-Data-Off-Status                           Enumerated          -
 2848 Extended-APN-AMBR-DL                              Unsigned32          -
 2849 Extended-APN-AMBR-UL                              Unsigned32          -
 2850 Extended-GBR-DL                                   Unsigned32          -
 2851 Extended-GBR-UL                                   Unsigned32          -
 3010 Application-Port-Identifier                       Unsigned32          M
 3406 MTC-IWF-Address                                   Address             M
 3407 SM-Device-Trigger-Indicator                       Enumerated          M
 3409 SMS-Result                                        Unsigned32          M
 3421 CN-Operator-Selection-Entity                      Enumerated          M
 3425 EPDG-Address                                      Address             M
 3901 Enhanced-Diagnostics                              Grouped             M
 3904 Announcement-Information                          Grouped             M
 3905 Announcement-Identifier                           Unsigned32          M
 3906 Announcement-Order                                Unsigned32          M
 3907 Variable-Part                                     Grouped             M
 3908 Variable-Part-Order                               Unsigned32          M
 3909 Variable-Part-Type                                Unsigned32          M
 3910 Variable-Part-Value                               UTF8String          M
 3911 Time-Indicator                                    Unsigned32          M
 3912 Quota-Indicator                                   Enumerated          M
 3913 Play-Alternative                                  Enumerated          M
 3914 Language                                          UTF8String          M
 3915 Privacy-Indicator                                 Enumerated          M
 3918 UWAN-User-Location-Info                           Grouped             M
 3925 Related-Change-Condition-Information              Grouped             M
 3930 CP-CIoT-EPS-Optimisation-Indicator                Enumerated          M
 3931 SGi-PtP-Tunnelling-Method                         Enumerated          M
 3932 UNI-PDU-CP-Only-Flag                              Enumerated          M
 3933 APN-Rate-Control                                  Grouped             M
 3934 APN-Rate-Control-Downlink                         Grouped             M
 3935 APN-Rate-Control-Uplink                           Grouped             M
 3936 Additional-Exception-Reports                      Enumerated          M
 3937 Rate-Control-Max-Message-Size                     Unsigned32          M
 3938 Rate-Control-Max-Rate                             Unsigned32          M
 3939 Rate-Control-Time-Unit                            Unsigned32          M
 3940 SCS-AS-Address                                    Grouped             M
 3941 SCS-Address                                       Address             M
 3942 SCS-Realm                                         DiameterIdentity    M
 4310 Serving-PLMN-Rate-Control                         Grouped             M
 4311 Uplink-Rate-Limit                                 Unsigned32          M
 4312 Downlink-Rate-Limit                               Unsigned32          M
 4318 RRC-Cause-Counter                                 Grouped             M
 4319 Counter-Value                                     Unsigned32          M
 4320 RRC-Counter-Timestamp                             Time                M
 4400 Charging-Per-IP-CAN-Session-Indicator             Enumerated          M
 4407 Unused-Quota-Timer                                Unsigned32          M
""",
}

COMMANDS = ""

GROUPS = """
APN-Rate-Control ::= *[APN-Rate-Control-Uplink] *[APN-Rate-Control-Downlink] *[AVP]
APN-Rate-Control-Downlink ::= *[Additional-Exception-Reports] *[Rate-Control-Time-Unit] *[Rate-Control-Max-Rate]
  *[AVP]
APN-Rate-Control-Uplink ::= *[Rate-Control-Time-Unit] *[Rate-Control-Max-Rate] *[Rate-Control-Max-Message-Size] *[AVP]
Address-Domain ::= *[3GPP-IMSI-MCC-MNC] *[Domain-Name] *[AVP]
Announcement-Information ::= *[Announcement-Identifier] *[Variable-Part] *[Time-Indicator] *[Quota-Indicator]
  *[Announcement-Order] *[Play-Alternative] *[Privacy-Indicator] *[Language] *[AVP]
Conditional-APN-Aggregate-Max-Bitrate ::= *[APN-Aggregate-Max-Bitrate-UL] *[APN-Aggregate-Max-Bitrate-DL]
  *[IP-CAN-Type] *[RAT-Type] *[AVP]
Conditional-Policy-Information ::= *[Execution-Time] *[APN-Aggregate-Max-Bitrate-UL] *[APN-Aggregate-Max-Bitrate-DL]
  *[Conditional-APN-Aggregate-Max-Bitrate] *[AVP]
Default-QoS-Information ::= *[QoS-Class-Identifier] *[Max-Requested-Bandwidth-UL] *[Max-Requested-Bandwidth-DL]
  *[Default-QoS-Name] *[AVP]
Destination-Interface ::= *[Interface-Id] *[Interface-Port] *[Interface-Text] *[Interface-Type] *[AVP]
Enhanced-Diagnostics ::= *[RAN-NAS-Release-Cause] *[AVP]
Envelope ::= *[CC-Input-Octets] *[CC-Output-Octets] *[CC-Service-Specific-Units] *[CC-Total-Octets]
  *[Envelope-End-Time] *[Envelope-Start-Time] *[AVP]
Fixed-User-Location-Info ::= *[SSID] *[BSSID] *[AVP]
Offline-Charging ::= *[Multiple-Services-Credit-Control] *[Quota-Consumption-Time] *[Envelope-Reporting]
  *[Time-Quota-Mechanism] *[AVP]
Originator-Interface ::= *[Interface-Id] *[Interface-Port] *[Interface-Text] *[Interface-Type] *[AVP]
Originator-Received-Address ::= *[Address-Data] *[Address-Domain] *[Address-Type] *[AVP]
PRA-Install ::= *[Presence-Reporting-Area-Information] *[AVP]
PRA-Remove ::= *[Presence-Reporting-Area-Identifier] *[AVP]
PS-Furnish-Charging-Information ::= *[3GPP-Charging-Id] *[PS-Free-Format-Data] *[PS-Append-Free-Format-Data] *[AVP]
Presence-Reporting-Area-Information ::= *[Presence-Reporting-Area-Identifier] *[Presence-Reporting-Area-Status]
  *[Presence-Reporting-Area-Elements-List] *[AVP]
RAN-Secondary-RAT-Usage-Report ::= *[Secondary-RAT-Type] *[RAN-Start-Timestamp] *[RAN-End-Timestamp]
  *[Accounting-Input-Octets] *[Accounting-Output-Octets] *[3GPP-Charging-Id] *[AVP]
RRC-Cause-Counter ::= *[Counter-Value] *[RRC-Counter-Timestamp] *[AVP]
Recipient-Address ::= *[Address-Data] *[Address-Domain] *[Address-Type] *[Addressee-Type] *[AVP]
Recipient-Info ::= *[Recipient-Address] *[Destination-Interface] *[Recipient-SCCP-Address] *[SM-Protocol-ID]
  *[Recipient-Received-Address] *[AVP]
Recipient-Received-Address ::= *[Address-Data] *[Address-Domain] *[Address-Type] *[AVP]
Related-Change-Condition-Information ::= *[SGSN-Address] *[Change-Condition] *[3GPP-User-Location-Info]
  *[UWAN-User-Location-Info] *[Presence-Reporting-Area-Status] *[User-CSG-Information] *[3GPP-RAT-Type] *[AVP]
Routing-Rule-Report ::= *[Routing-Rule-Identifier] *[PCC-Rule-Status] *[Routing-Rule-Failure-Code] *[AVP]
SCS-AS-Address ::= *[SCS-Realm] *[SCS-Address] *[AVP]
Service-Data-Container ::= *[AF-Correlation-Information] *[Charging-Rule-Base-Name] *[Accounting-Input-Octets]
  *[Accounting-Output-Octets] *[Local-Sequence-Number] *[QoS-Information] *[Rating-Group] *[Change-Time]
  *[Service-Identifier] *[Service-Specific-Info] *[ADC-Rule-Base-Name] *[SGSN-Address] *[Time-First-Usage]
  *[Time-Last-Usage] *[Time-Usage] *[Change-Condition] *[3GPP-User-Location-Info] *[UWAN-User-Location-Info]
  *[TWAN-User-Location-Info] *[Sponsor-Identity] *[Application-Service-Provider-Identity]
  *[Presence-Reporting-Area-Information] *[Presence-Reporting-Area-Status] *[User-CSG-Information] *[3GPP-RAT-Type]
  *[Related-Change-Condition-Information] *[Serving-PLMN-Rate-Control] *[APN-Rate-Control] *[3GPP-PS-Data-Off-Status]
  *[Traffic-Steering-Policy-Identifier-DL] *[Traffic-Steering-Policy-Identifier-UL] *[AVP]
Serving-PLMN-Rate-Control ::= *[Uplink-Rate-Limit] *[Downlink-Rate-Limit] *[AVP]
TWAN-User-Location-Info ::= *[SSID] *[BSSID] *[Civic-Address-Information] *[WLAN-Operator-Id] *[AVP]
Traffic-Data-Volumes ::= *[QoS-Information] *[Accounting-Input-Octets] *[Accounting-Output-Octets] *[Change-Condition]
  *[Change-Time] *[3GPP-User-Location-Info] *[UWAN-User-Location-Info] *[3GPP-Charging-Id]
  *[Presence-Reporting-Area-Status] *[Presence-Reporting-Area-Information] *[User-CSG-Information] *[3GPP-RAT-Type]
  *[Access-Availability-Change-Reason] *[Related-Change-Condition-Information] *[Diagnostics] *[Enhanced-Diagnostics]
  *[CP-CIoT-EPS-Optimisation-Indicator] *[Serving-PLMN-Rate-Control] *[APN-Rate-Control] *[AVP]
UWAN-User-Location-Info ::= *[UE-Local-IP-Address] *[UDP-Source-Port] *[SSID] *[BSSID] *[TCP-Source-Port]
  *[Civic-Address-Information] *[WLAN-Operator-Id] *[AVP]
User-CSG-Information ::= *[CSG-Id] *[CSG-Access-Mode] *[CSG-Membership-Indication] *[AVP]
Variable-Part ::= *[Variable-Part-Order] *[Variable-Part-Type] *[Variable-Part-Value] *[AVP]
WLAN-Operator-Id ::= *[WLAN-PLMN-Id] *[WLAN-Operator-Name] *[AVP]
"""
