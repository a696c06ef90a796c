"""Messages of Gx and Gy as an IoT card's session has them, for comparison with other implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simwarden.wire.diameter import Avps

REALM = "epc.mnc001.mcc001.3gppnetwork.org"
PGW, PCRF, OCS = f"pgw.{REALM}", f"pcrf.{REALM}", f"ocs.{REALM}"
IMSI, MSISDN, IMEISV = "001010000000017", "861440000000017", b"9900010100000101"
GX, GY = 16777238, 4
ULI = bytes.fromhex("8200f110000100f11000000101")
SUBSCRIBER: Avps = [
    ("Subscription-Id", [("Subscription-Id-Type", 1), ("Subscription-Id-Data", IMSI)]),
    ("Subscription-Id", [("Subscription-Id-Type", 0), ("Subscription-Id-Data", MSISDN)]),
]
ARP = ("Allocation-Retention-Priority", [("Priority-Level", 8), ("Pre-emption-Capability", 1)])
RULE: Avps = [
    ("Charging-Rule-Name", b"entry-1"),
    ("Service-Identifier", 7),
    ("Rating-Group", 10),
    (
        "Flow-Information",
        [("Flow-Description", "permit out 17 from 192.0.2.9 53 to 198.18.0.2"), ("Flow-Direction", 3)],
    ),
    ("Flow-Status", 2),
    ("QoS-Information", [("QoS-Class-Identifier", 9), ARP, ("Max-Requested-Bandwidth-UL", 64000)]),
    ("Reporting-Level", 1),
    ("Online", 1),
    ("Offline", 0),
    ("Metering-Method", 1),
    ("Precedence", 100),
    ("Monitoring-Key", b"m1"),
]
NAMED: Avps = [
    ("Charging-Rule-Name", b"entry-2"),
    ("TDF-Application-Identifier", b"meter.example"),
    ("Redirect-Information", [("Redirect-Support", 1), ("Redirect-Address-Type", 2)]),
    ("Mute-Notification", 0),
]


def _begun(application: int, origin: str, result: int = 0) -> Avps:
    first: Avps = [("Session-Id", f"{PGW};1;7")]
    if result:
        first.append(("Result-Code", result))
    return [*first, ("Origin-Host", origin), ("Origin-Realm", REALM), ("Auth-Application-Id", application)]


def _asked(application: int, kind: int, number: int) -> Avps:
    peer = PCRF if application == GX else OCS
    return [
        *_begun(application, PGW),
        ("Destination-Realm", REALM),
        ("Destination-Host", peer),
        *([("Service-Context-Id", "32251@3gpp.org")] if application == GY else []),
        ("CC-Request-Type", kind),
        ("CC-Request-Number", number),
    ]


def _answered(application: int, kind: int, number: int, result: int = 2001) -> Avps:
    peer = PCRF if application == GX else OCS
    return [*_begun(application, peer, result), ("CC-Request-Type", kind), ("CC-Request-Number", number)]


def _by_server(application: int, *more: tuple[str, object]) -> Avps:
    peer = PCRF if application == GX else OCS
    return [*_begun(application, peer), ("Destination-Realm", REALM), ("Destination-Host", PGW), *more]


def _told(result: int, *more: tuple[str, object]) -> Avps:
    return [avp for avp in _begun(0, PGW, result) if avp[0] != "Auth-Application-Id"] + list(more)


GX_MESSAGES: dict[str, list[Avps]] = {
    "credit-control-request": [
        [
            *_asked(GX, 1, 0),
            *SUBSCRIBER,
            ("Supported-Features", [("Vendor-Id", 10415), ("Feature-List-ID", 1), ("Feature-List", 0x41)]),
            ("Network-Request-Support", 1),
            ("Framed-IP-Address", bytes((198, 18, 0, 2))),
            ("IP-CAN-Type", 5),
            ("RAT-Type", 1004),
            ("User-Equipment-Info", [("User-Equipment-Info-Type", 0), ("User-Equipment-Info-Value", IMEISV)]),
            ("QoS-Information", [("APN-Aggregate-Max-Bitrate-UL", 50000), ("APN-Aggregate-Max-Bitrate-DL", 90000)]),
            ("Default-EPS-Bearer-QoS", [("QoS-Class-Identifier", 9), ARP]),
            ("AN-GW-Address", "192.0.2.1"),
            ("3GPP-SGSN-MCC-MNC", "00101"),
            ("3GPP-User-Location-Info", ULI),
            ("3GPP-MS-TimeZone", b"\x23\x00"),
            ("3GPP-Charging-Characteristics", "0800"),
            ("Called-Station-Id", "iot.example"),
            ("PDN-Connection-ID", b"\x05"),
            ("Online", 1),
            ("Offline", 0),
            ("Access-Network-Charging-Address", "192.0.2.5"),
            ("Access-Network-Charging-Identifier-Gx", [("Access-Network-Charging-Identifier-Value", b"\0\0\0\7")]),
        ],
        [
            *_asked(GX, 2, 1),
            (
                "Charging-Rule-Report",
                [("Charging-Rule-Name", b"entry-2"), ("PCC-Rule-Status", 1), ("Rule-Failure-Code", 14)],
            ),
            ("Application-Detection-Information", [("TDF-Application-Identifier", b"meter.example")]),
            ("Event-Trigger", 13),
            ("Event-Trigger", 33),
            (
                "Usage-Monitoring-Information",
                [("Monitoring-Key", b"m1"), ("Used-Service-Unit", [("CC-Total-Octets", 1 << 33)])],
            ),
        ],
        [*_asked(GX, 3, 2), ("Termination-Cause", 1)],
    ],
    "credit-control-answer": [
        [
            *_answered(GX, 1, 0),
            ("Bearer-Control-Mode", 2),
            ("Event-Trigger", 2),
            ("Event-Report-Indication", [("Event-Trigger", 26)]),
            ("Charging-Rule-Remove", [("Charging-Rule-Name", b"entry-0"), ("Charging-Rule-Base-Name", "open")]),
            (
                "Charging-Rule-Install",
                [
                    ("Charging-Rule-Definition", RULE),
                    ("Charging-Rule-Definition", NAMED),
                    ("Charging-Rule-Name", b"predefined"),
                    ("Charging-Rule-Base-Name", "group"),
                    ("Rule-Activation-Time", 1764154800),
                    ("Rule-Deactivation-Time", 1764158400),
                    ("Resource-Allocation-Notification", 0),
                ],
            ),
            ("Charging-Information", [("Primary-Event-Charging-Function-Name", f"aaa://{OCS}")]),
            ("Revalidation-Time", 1764241200),
            (
                "Usage-Monitoring-Information",
                [
                    ("Monitoring-Key", b"m1"),
                    ("Granted-Service-Unit", [("CC-Total-Octets", 1000)]),
                    ("Usage-Monitoring-Level", 1),
                ],
            ),
        ],
        [*_answered(GX, 1, 0, 5012), ("Error-Message", "no")],
    ],
    "re-auth-request": [
        [
            *_by_server(GX, ("Re-Auth-Request-Type", 0)),
            ("Charging-Rule-Remove", [("Charging-Rule-Name", b"entry-1")]),
            ("Charging-Rule-Install", [("Charging-Rule-Definition", NAMED)]),
            ("Event-Trigger", 14),
        ],
        [*_by_server(GX, ("Re-Auth-Request-Type", 0)), ("Session-Release-Cause", 1)],
    ],
    "re-auth-answer": [
        [
            *_told(2001),
            ("IP-CAN-Type", 5),
            ("RAT-Type", 1004),
            ("3GPP-User-Location-Info", ULI),
            ("Charging-Rule-Report", [("Charging-Rule-Name", b"entry-2"), ("PCC-Rule-Status", 0)]),
        ]
    ],
    "abort-session-request": [[*_by_server(GX)]],
    "abort-session-answer": [[*_told(2001)]],
}

GY_MESSAGES: dict[str, list[Avps]] = {
    "credit-control-request": [
        [
            *_asked(GY, 1, 0),
            ("User-Name", IMSI),
            ("Event-Timestamp", 1764154800),
            *SUBSCRIBER,
            ("Multiple-Services-Indicator", 1),
            (
                "Multiple-Services-Credit-Control",
                [("Requested-Service-Unit", [("CC-Total-Octets", 100000)]), ("Rating-Group", 10)],
            ),
            (
                "Service-Information",
                [
                    (
                        "PS-Information",
                        [
                            ("3GPP-Charging-Id", b"\0\0\0\7"),
                            ("PDN-Connection-Charging-ID", 7),
                            ("Node-Id", "pgw"),
                            ("3GPP-PDP-Type", 0),
                            ("PDP-Address", "198.18.0.2"),
                            ("SGSN-Address", "192.0.2.1"),
                            ("GGSN-Address", "192.0.2.5"),
                            ("Serving-Node-Type", 2),
                            ("3GPP-IMSI-MCC-MNC", "00101"),
                            ("3GPP-NSAPI", b"5"),
                            ("Called-Station-Id", "iot.example"),
                            ("3GPP-Selection-Mode", "0"),
                            ("3GPP-SGSN-MCC-MNC", "00101"),
                            ("3GPP-MS-TimeZone", b"\x23\x00"),
                            ("3GPP-User-Location-Info", ULI),
                            ("3GPP-RAT-Type", b"\x06"),
                            ("PDP-Context-Type", 0),
                        ],
                    )
                ],
            ),
        ],
        [
            *_asked(GY, 2, 1),
            (
                "Multiple-Services-Credit-Control",
                [
                    ("Requested-Service-Unit", [("CC-Total-Octets", 50000)]),
                    (
                        "Used-Service-Unit",
                        [("Reporting-Reason", 3), ("CC-Total-Octets", 1 << 34), ("CC-Input-Octets", 1)],
                    ),
                    ("Rating-Group", 10),
                ],
            ),
        ],
        [*_asked(GY, 3, 2), ("Termination-Cause", 4)],
        [*_asked(GY, 4, 0), ("Requested-Action", 0), ("CC-Correlation-Id", b"x")],
    ],
    "credit-control-answer": [
        [
            *_answered(GY, 1, 0),
            ("CC-Session-Failover", 1),
            (
                "Multiple-Services-Credit-Control",
                [
                    ("Granted-Service-Unit", [("Tariff-Time-Change", 1764154800), ("CC-Total-Octets", 100000)]),
                    ("Rating-Group", 10),
                    ("Validity-Time", 3600),
                    ("Result-Code", 2001),
                    (
                        "Final-Unit-Indication",
                        [
                            ("Final-Unit-Action", 1),
                            ("Restriction-Filter-Rule", "permit out ip from any to assigned"),
                            (
                                "Redirect-Server",
                                [
                                    ("Redirect-Address-Type", 2),
                                    ("Redirect-Server-Address", "http://192.0.2.80/top-up"),
                                ],
                            ),
                        ],
                    ),
                    ("Volume-Quota-Threshold", 1000),
                    ("Quota-Holding-Time", 60),
                    ("Trigger", [("Trigger-Type", 2), ("Trigger-Type", 30)]),
                ],
            ),
            (
                "Remaining-Balance",
                [("Unit-Value", [("Value-Digits", -5), ("Exponent", -2)]), ("Currency-Code", 156)],
            ),
            ("Credit-Control-Failure-Handling", 0),
            ("Direct-Debiting-Failure-Handling", 0),
        ],
        _answered(GY, 1, 0, 4012),
    ],
    "re-auth-request": [[*_by_server(GY, ("Re-Auth-Request-Type", 0)), ("Rating-Group", 10)]],
    "re-auth-answer": [[*_told(2002)]],
    "abort-session-request": [[*_by_server(GY)]],
    "abort-session-answer": [[*_told(5002)]],
}
