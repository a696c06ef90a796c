"""Every Diameter message type against python-diameter, in both directions: same bytes, same names, same values."""

from __future__ import annotations

import datetime as dt
from typing import Any

import charging
import pytest
import sms_diameter
from diameter.message import Message as OracleMessage
from diameter.message.avp import Avp as OracleAvp
from diameter.message.avp.avp import AvpAddress, AvpGrouped, AvpOctetString, AvpTime
from diameter.message.avp.dictionary import AVP_DICTIONARY, AVP_VENDOR_DICTIONARY

from simwarden.wire.diameter import Avps, Message, application_id, check_avps, decode, encode
from simwarden.wire.diameter.dictionary import AVPS, COMMANDS, Command

MME = ("mme1.epc.mnc001.mcc001.3gppnetwork.org", "epc.mnc001.mcc001.3gppnetwork.org")
HSS = ("hss.epc.mnc001.mcc001.3gppnetwork.org", "epc.mnc001.mcc001.3gppnetwork.org")
IMSI = "001010000000017"
PLMN = bytes.fromhex("00f110")
S6A, S13 = 16777251, 16777252


def session(application: int, origin: tuple[str, str]) -> Avps:
    return [
        ("Session-Id", f"{origin[0]};1;7"),
        application_id(application),
        ("Auth-Session-State", 1),
        ("Origin-Host", origin[0]),
        ("Origin-Realm", origin[1]),
    ]


def asked(application: int, origin: tuple[str, str], to: tuple[str, str]) -> Avps:
    return [*session(application, origin), ("Destination-Host", to[0]), ("Destination-Realm", to[1])]


def answered(application: int, origin: tuple[str, str], result: int = 2001) -> Avps:
    avps = session(application, origin)
    return [*avps[:2], ("Result-Code", result), *avps[2:]]


def refused(application: int, origin: tuple[str, str], code: int) -> Avps:
    avps = session(application, origin)
    return [*avps[:2], ("Experimental-Result", [("Vendor-Id", 10415), ("Experimental-Result-Code", code)]), *avps[2:]]


AMBR: Avps = [("Max-Requested-Bandwidth-UL", 50_000_000), ("Max-Requested-Bandwidth-DL", 100_000_000)]
QOS: Avps = [
    ("QoS-Class-Identifier", 9),
    (
        "Allocation-Retention-Priority",
        [("Priority-Level", 8), ("Pre-emption-Capability", 1), ("Pre-emption-Vulnerability", 1)],
    ),
]
SUBSCRIPTION: Avps = [
    ("Subscriber-Status", 0),
    ("MSISDN", "8614400000017"),
    ("Network-Access-Mode", 2),
    ("Operator-Determined-Barring", 8),
    ("Regional-Subscription-Zone-Code", b"\x00\x07"),
    ("Regional-Subscription-Zone-Code", b"\x00\x08"),
    ("Access-Restriction-Data", 32),
    ("3GPP-Charging-Characteristics", "0800"),
    ("AMBR", AMBR),
    (
        "APN-Configuration-Profile",
        [
            ("Context-Identifier", 1),
            ("All-APN-Configurations-Included-Indicator", 0),
            (
                "APN-Configuration",
                [
                    ("Context-Identifier", 1),
                    ("Served-Party-IP-Address", "192.0.2.17"),
                    ("PDN-Type", 0),
                    ("Service-Selection", "meter.example"),
                    ("EPS-Subscribed-QoS-Profile", QOS),
                    ("VPLMN-Dynamic-Address-Allowed", 0),
                    ("MIP6-Agent-Info", [("MIP-Home-Agent-Address", "2001:db8::1")]),
                    ("AMBR", AMBR),
                ],
            ),
            (
                "APN-Configuration",
                [("Context-Identifier", 2), ("PDN-Type", 2), ("Service-Selection", "*")],
            ),
        ],
    ),
    ("Subscribed-Periodic-RAU-TAU-Timer", 3600),
    ("Service-Gap-Time", 60),
]
CAPABILITIES: Avps = [
    ("Host-IP-Address", "192.0.2.1"),
    ("Host-IP-Address", "2001:db8::1"),
    ("Vendor-Id", 10415),
    ("Product-Name", "simwarden"),
    ("Origin-State-Id", 42),
    ("Supported-Vendor-Id", 10415),
    ("Auth-Application-Id", 0xFFFFFFFF),
    application_id(S6A),
    application_id(S13),
    ("Firmware-Revision", 1),
]
ORIGIN: Avps = [("Origin-Host", MME[0]), ("Origin-Realm", MME[1])]
TERMINAL: tuple[str, Any] = ("Terminal-Information", [("IMEI", "35000100000001"), ("Software-Version", "01")])

VECTORS: dict[str, list[Avps]] = {
    "capabilities-exchange-request": [[*ORIGIN, *CAPABILITIES]],
    "capabilities-exchange-answer": [
        [("Result-Code", 2001), *ORIGIN, *CAPABILITIES],
        [("Result-Code", 3010), *ORIGIN, *CAPABILITIES[:4], ("Error-Message", "unknown peer")],
    ],
    "device-watchdog-request": [[*ORIGIN, ("Origin-State-Id", 1)]],
    "device-watchdog-answer": [[("Result-Code", 2001), *ORIGIN, ("Origin-State-Id", 1)]],
    "disconnect-peer-request": [[*ORIGIN, ("Disconnect-Cause", 0)]],
    "disconnect-peer-answer": [[("Result-Code", 2001), *ORIGIN]],
    "authentication-information-request": [
        [
            *asked(S6A, MME, HSS),
            ("User-Name", IMSI),
            (
                "Requested-EUTRAN-Authentication-Info",
                [
                    ("Number-Of-Requested-Vectors", 2),
                    ("Immediate-Response-Preferred", 1),
                    ("Re-Synchronization-Info", bytes(range(30))),
                ],
            ),
            ("Visited-PLMN-Id", PLMN),
        ]
    ],
    "authentication-information-answer": [
        [
            *answered(S6A, HSS),
            (
                "Authentication-Info",
                [
                    (
                        "E-UTRAN-Vector",
                        [
                            ("Item-Number", n),
                            ("RAND", bytes([n]) * 16),
                            ("XRES", bytes(8)),
                            ("AUTN", bytes(16)),
                            ("KASME", bytes(32)),
                        ],
                    )
                    for n in (1, 2)
                ],
            ),
        ],
        refused(S6A, HSS, 5001),
    ],
    "update-location-request": [
        [
            *asked(S6A, MME, HSS),
            ("User-Name", IMSI),
            ("Supported-Features", [("Vendor-Id", 10415), ("Feature-List-ID", 1), ("Feature-List", 0x1FFFFFFF)]),
            TERMINAL,
            ("RAT-Type", 1004),
            ("ULR-Flags", 34),
            ("UE-SRVCC-Capability", 0),
            ("Visited-PLMN-Id", PLMN),
            ("Homogeneous-Support-of-IMS-Voice-Over-PS-Sessions", 0),
            ("Active-APN", [("Context-Identifier", 1), ("Service-Selection", "meter.example")]),
            ("MME-Number-for-MT-SMS", "8613800000009"),
            ("Proxy-Info", [("Proxy-Host", "dra.example"), ("Proxy-State", b"s")]),
            ("Route-Record", MME[0]),
        ]
    ],
    "update-location-answer": [
        [*answered(S6A, HSS), ("ULA-Flags", 1), ("Subscription-Data", SUBSCRIPTION)],
        refused(S6A, HSS, 5001),
        [*refused(S6A, HSS, 5004), ("Error-Diagnostic", 2)],
        [*answered(S6A, HSS, 5005), ("Failed-AVP", [("Visited-PLMN-Id", bytes(3))])],
    ],
    "cancel-location-request": [
        [*asked(S6A, HSS, MME), ("User-Name", IMSI), ("Cancellation-Type", 2), ("CLR-Flags", 2)]
    ],
    "cancel-location-answer": [answered(S6A, MME)],
    "insert-subscriber-data-request": [
        [*asked(S6A, HSS, MME), ("User-Name", IMSI), ("Subscription-Data", SUBSCRIPTION), ("IDR-Flags", 8)]
    ],
    "insert-subscriber-data-answer": [
        [
            *answered(S6A, MME),
            ("IMS-Voice-Over-PS-Sessions-Supported", 0),
            ("Last-UE-Activity-Time", 1_700_000_000),
            ("RAT-Type", 1004),
            ("IDA-Flags", 1),
            ("EPS-User-State", [("MME-User-State", [("User-State", 4)])]),
            (
                "EPS-Location-Information",
                [
                    (
                        "MME-Location-Information",
                        [
                            ("E-UTRAN-Cell-Global-Identity", bytes.fromhex("00f11000001001")),
                            ("Tracking-Area-Identity", bytes.fromhex("00f1100007")),
                            ("Age-Of-Location-Information", 3),
                        ],
                    )
                ],
            ),
            ("Local-Time-Zone", [("Time-Zone", "+8"), ("Daylight-Saving-Time", 0)]),
            ("Supported-Services", [("Supported-Monitoring-Events", 1 << 40)]),
        ]
    ],
    "delete-subscriber-data-request": [
        [
            *asked(S6A, HSS, MME),
            ("User-Name", IMSI),
            ("DSR-Flags", 9),
            ("Context-Identifier", 2),
            ("Regional-Subscription-Zone-Code", b"\x00\x07"),
            ("SS-Code", b"\x92"),
        ]
    ],
    "delete-subscriber-data-answer": [[*answered(S6A, MME), ("DSA-Flags", 1)]],
    "purge-ue-request": [[*asked(S6A, MME, HSS), ("User-Name", IMSI), ("PUR-Flags", 1)]],
    "purge-ue-answer": [[*answered(S6A, HSS), ("PUA-Flags", 1)]],
    "reset-request": [[*asked(S6A, HSS, MME), ("User-Id", "00101"), ("Reset-ID", b"hss")]],
    "reset-answer": [answered(S6A, MME)],
    "notify-request": [
        [
            *asked(S6A, MME, HSS),
            ("User-Name", IMSI),
            TERMINAL,
            ("Context-Identifier", 1),
            ("Service-Selection", "meter.example"),
            ("Alert-Reason", 0),
            ("NOR-Flags", 0),
            ("Maximum-UE-Availability-Time", 1_700_000_000),
            ("Emergency-Services", 1),
        ]
    ],
    "notify-answer": [
        [
            *answered(S6A, HSS),
            ("OC-Supported-Features", [("OC-Feature-Vector", 1)]),
            (
                "OC-OLR",
                [
                    ("OC-Sequence-Number", 1 << 33),
                    ("OC-Report-Type", 0),
                    ("OC-Reduction-Percentage", 10),
                    ("OC-Validity-Duration", 30),
                ],
            ),
            ("Load", [("Load-Type", 0), ("Load-Value", 1), ("SourceID", HSS[0])]),
        ]
    ],
    "me-identity-check-request": [[*asked(S13, MME, HSS), TERMINAL, ("User-Name", IMSI)]],
    "me-identity-check-answer": [[*answered(S13, HSS), ("Equipment-Status", 1)], refused(S13, HSS, 5422)],
}

BY_NAME = {command.name: command.application for command in COMMANDS.values()}
BY_APPLICATION = {
    **{(BY_NAME[name], name): vectors for name, vectors in VECTORS.items()},
    **{(charging.GX, name): vectors for name, vectors in charging.GX_MESSAGES.items()},
    **{(charging.GY, name): vectors for name, vectors in charging.GY_MESSAGES.items()},
    **{(sms_diameter.SGD, name): vectors for name, vectors in sms_diameter.SGD_MESSAGES.items()},
    **{(sms_diameter.S6C, name): vectors for name, vectors in sms_diameter.S6C_MESSAGES.items()},
}
COMMAND = {(command.application, command.name): command for command in COMMANDS.values()}
CASES = [
    pytest.param(COMMAND[key], avps, id=f"{key[1]}-{key[0]}-{i}")
    for key, vectors in BY_APPLICATION.items()
    for i, avps in enumerate(vectors)
]


def message(command: Command, avps: Avps) -> Message:
    flags = (0x80 if command.request else 0) | (0x40 if command.proxiable else 0)
    return Message(command.code, command.application, flags, 0x01020304, 0xA0B0C0D0, avps)


# -- the oracle's side -------------------------------------------------------------------------------------------------

ORACLE_NAMES = {info["name"]: (0, code) for code, info in AVP_DICTIONARY.items()}
ORACLE_NAMES |= {
    info["name"]: (10415, code)
    for code, info in AVP_VENDOR_DICTIONARY[10415].items()
    if info["name"] not in ORACLE_NAMES
}
ORACLE_NAMES["Reporting-Reason"] = (10415, 872)  # the oracle puts 3GPP- before it
DIGITS = {"MSISDN", "MME-Number-for-MT-SMS", "SC-Address", "SMS-GMSC-Address", "MSC-Number", "SGSN-Number"}


def swapped(digits: str) -> bytes:
    digits += "f" * (len(digits) % 2)
    return bytes.fromhex("".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2)))


def to_oracle(avps: Avps) -> list[OracleAvp]:
    made = []
    for name, value in avps:
        vendor, code = ORACLE_NAMES[name]
        avp = OracleAvp.new(code, vendor)
        # The oracle sets M on many AVPs that TS 29.272 7.3.1 wants without: the flag is ours, the rest is its own.
        avp.is_mandatory = AVPS[name].mandatory
        match avp:
            case AvpGrouped():
                avp.value = to_oracle(value)
            case AvpTime():
                avp.value = dt.datetime.fromtimestamp(value)  # noqa: DTZ006 - what the oracle takes
            case AvpOctetString() if name in DIGITS:
                avp.value = swapped(value)
            case AvpOctetString() if isinstance(value, str):
                avp.value = value.encode()
            case _:
                avp.value = value
        made.append(avp)
    return made


def from_oracle(avps: list[OracleAvp], like: Avps) -> Avps:
    out: Avps = []
    for avp, (_, ours) in zip(avps, like, strict=True):
        value: Any = avp.value
        match avp:
            case AvpGrouped():
                value = from_oracle(value, ours)
            case AvpTime():
                value = int(value.timestamp())
            case AvpAddress():
                value = value[1]
            case AvpOctetString() if avp.name in DIGITS:
                value = ours if value == swapped(ours) else value
            case AvpOctetString() if isinstance(ours, str):
                value = value.decode()
        out.append((avp.name.replace("3GPP-Reporting", "Reporting"), value))
    return out


def oracle_bytes(ours: Message) -> bytes:
    oracle = OracleMessage()
    header = oracle.header
    header.command_code, header.application_id = ours.command, ours.application
    header.command_flags = ours.flags
    header.hop_by_hop_identifier, header.end_to_end_identifier = ours.hop_by_hop, ours.end_to_end
    oracle.avps = to_oracle(ours.avps)
    return oracle.as_bytes()


@pytest.mark.parametrize(("command", "avps"), CASES)
def test_bytes_are_those_of_the_oracle(command: Command, avps: Avps) -> None:
    ours = message(command, avps)
    theirs = oracle_bytes(ours)
    assert encode(ours) == theirs
    assert decode(theirs) == ours
    assert decode(theirs).name == command.name


@pytest.mark.parametrize(("command", "avps"), CASES)
def test_the_oracle_reads_what_we_write(command: Command, avps: Avps) -> None:
    oracle = OracleMessage.from_bytes(encode(message(command, avps)), plain_msg=True)
    assert from_oracle(oracle.avps, avps) == avps
    assert oracle.header.command_code == command.code


@pytest.mark.parametrize(("command", "avps"), CASES)
def test_vectors_keep_the_grammar(command: Command, avps: Avps) -> None:
    grammar = command.grammar
    check_avps(avps, grammar)
    listed = set(grammar.rules) | {"Experimental-Result", "Result-Code", "Error-Message"}
    assert {key for key, _ in avps} <= listed


#: names of the oracle that are not those of RFC 6733 9.8.5 and TS 29.212 5.3
CALLED = {
    "Accounting-Multi-Session-Id": "Acct-Multi-Session-Id",
    "3GPP-PS-Data-Off-Status-Gx": "3GPP-PS-Data-Off-Status",
}


@pytest.mark.parametrize("name", sorted(AVPS))
def test_dictionary_agrees_with_the_oracle(name: str) -> None:
    ours = AVPS[name]
    table = AVP_VENDOR_DICTIONARY[10415] if ours.vendor else AVP_DICTIONARY
    theirs = table[ours.code]
    named = CALLED.get(theirs["name"], theirs["name"])
    assert named.removeprefix("3GPP-").lower() == name.removeprefix("3GPP-").lower()
    fits = {
        "AvpInteger64": {10},
        "AvpUtf8String": {0, 9},
        "AvpOctetString": {0, 3, 6, 9, 11},
        "AvpUnsigned32": {1},
        "AvpGrouped": {2},
        "AvpInteger32": {1, 4},
        "AvpEnumerated": {4},
        "AvpUnsigned64": {5},
        "AvpAddress": {7},
        "AvpTime": {8},
    }
    assert ours.kind in fits[theirs["type"].__name__]
