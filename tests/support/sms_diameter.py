"""Messages of SGd and S6c as a card's short messages have them, for comparison with other implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from short_messages import tpdu

if TYPE_CHECKING:
    from simwarden.wire.diameter import Avps

REALM = "epc.mnc001.mcc001.3gppnetwork.org"
MME, SMSC, HSS = f"mme.{REALM}", f"smsc.{REALM}", f"hss.{REALM}"
IMSI, MSISDN, CENTRE = "001010000000017", "8614400000017", "8613800100500"
S6C, SGD = 16777312, 16777313
USER = ("User-Identifier", [("User-Name", IMSI), ("MSISDN", MSISDN)])
FEATURES = ("Supported-Features", [("Vendor-Id", 10415), ("Feature-List-ID", 1), ("Feature-List", 1)])
NODE: Avps = [("MME-Name", MME), ("MME-Realm", REALM), ("MME-Number-for-MT-SMS", "8613800000009")]


def _session(application: int, origin: str) -> Avps:
    return [
        ("Session-Id", f"{origin};1;7"),
        ("Vendor-Specific-Application-Id", [("Vendor-Id", 10415), ("Auth-Application-Id", application)]),
        ("Auth-Session-State", 1),
        ("Origin-Host", origin),
        ("Origin-Realm", REALM),
    ]


def _asked(application: int, origin: str, to: str) -> Avps:
    return [*_session(application, origin), ("Destination-Host", to), ("Destination-Realm", REALM)]


def _answered(application: int, origin: str, code: int = 0) -> Avps:
    refused = [("Vendor-Id", 10415), ("Experimental-Result-Code", code)]
    avps = _session(application, origin)
    return [*avps[:2], ("Experimental-Result", refused) if code else ("Result-Code", 2001), *avps[2:]]


def _failure(cause: int, diagnostic: str) -> tuple[str, Avps]:
    named: Avps = [("SM-Enumerated-Delivery-Failure-Cause", cause), ("SM-Diagnostic-Info", tpdu(diagnostic))]
    return "SM-Delivery-Failure-Cause", named


def _outcome(cause: int, diagnostic: int) -> tuple[str, Avps]:
    reported: Avps = [("SM-Delivery-Cause", cause), ("Absent-User-Diagnostic-SM", diagnostic)]
    return "SM-Delivery-Outcome", [(f"{node}-SM-Delivery-Outcome", reported) for node in ("MME", "MSC", "SGSN")]


def _alert(application: int, origin: str) -> Avps:
    return [
        *_asked(application, origin, SMSC),
        ("SC-Address", CENTRE),
        USER,
        ("Maximum-UE-Availability-Time", 1_800_000_000),
        ("SMS-GMSC-Alert-Event", 1),
        ("Serving-Node", NODE),
    ]


SGD_MESSAGES: dict[str, list[Avps]] = {
    "mo-forward-short-message-request": [
        [*_asked(SGD, MME, SMSC), ("SC-Address", CENTRE), FEATURES, USER, ("SM-RP-UI", tpdu("submit"))]
    ],
    "mo-forward-short-message-answer": [
        [*_answered(SGD, SMSC), ("SM-RP-UI", tpdu("submit report"))],
        [*_answered(SGD, SMSC, 5555), _failure(5, "submit report, barred")],
    ],
    "mt-forward-short-message-request": [
        [
            *_asked(SGD, SMSC, MME),
            ("User-Name", IMSI),
            ("SC-Address", CENTRE),
            ("SM-RP-UI", tpdu("deliver, alphanumeric")),
            ("MME-Number-for-MT-SMS", "8613800000009"),
            ("TFR-Flags", 1),
            ("SM-Delivery-Timer", 60),
            ("SM-Delivery-Start-Time", 1_800_000_000),
            ("Maximum-Retransmission-Time", 1_800_000_300),
            ("SMS-GMSC-Address", "8613800100501"),
        ]
    ],
    "mt-forward-short-message-answer": [
        [*_answered(SGD, MME), ("SM-RP-UI", tpdu("deliver report"))],
        [
            *_answered(SGD, MME, 5550),
            ("Absent-User-Diagnostic-SM", 1),
            ("Requested-Retransmission-Time", 1_800_000_100),
        ],
        [*_answered(SGD, MME, 5555), _failure(0, "deliver report, memory"), USER],
    ],
    "alert-service-centre-request": [_alert(SGD, MME)],
    "alert-service-centre-answer": [[*_answered(SGD, SMSC), FEATURES]],
}
S6C_MESSAGES: dict[str, list[Avps]] = {
    "send-routing-info-for-sm-request": [
        [
            *_asked(S6C, SMSC, HSS),
            ("MSISDN", MSISDN),
            ("SC-Address", CENTRE),
            ("SM-RP-MTI", 0),
            ("SM-RP-SMEA", b"\x0b\x91\x01"),
            ("SRR-Flags", 3),
            ("SM-Delivery-Not-Intended", 0),
        ]
    ],
    "send-routing-info-for-sm-answer": [
        [
            *_answered(S6C, HSS),
            ("User-Name", IMSI),
            ("Serving-Node", NODE),
            (
                "Additional-Serving-Node",
                [("MSC-Number", "8613800000010"), ("SGSN-Name", MME), ("SGSN-Realm", REALM), ("SGSN-Number", CENTRE)],
            ),
            ("LMSI", b"\x01\x02\x03\x04"),
        ],
        [
            *_answered(S6C, HSS, 5550),
            ("MWD-Status", 2),
            ("MME-Absent-User-Diagnostic-SM", 1),
            ("MSC-Absent-User-Diagnostic-SM", 5),
            ("SGSN-Absent-User-Diagnostic-SM", 9),
        ],
        _answered(S6C, HSS, 5101),
    ],
    "alert-service-centre-request": [_alert(S6C, HSS)],
    "alert-service-centre-answer": [_answered(S6C, SMSC)],
    "report-sm-delivery-status-request": [
        [*_asked(S6C, SMSC, HSS), USER, ("SC-Address", CENTRE), _outcome(1, 1), ("RDR-Flags", 1)]
    ],
    "report-sm-delivery-status-answer": [[*_answered(S6C, HSS), USER]],
}
