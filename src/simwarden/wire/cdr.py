"""CDRs of gateways as octets: GPRSRecord of TS 32.298 5.2.2.2 in BER (X.690), from the fields of a charging record.

The tags are those of V16. A field that is not in a table here has no coded form, and InternalError says so.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import InternalError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.model.values import GIVEN, LAI, NAME, NUMBER, OCTETS, PARTY, Values, members, one_of, shaped
from simwarden.wire.ber import SEQUENCE, put
from simwarden.wire.diameter.codes import ExperimentalResult
from simwarden.wire.gtpv2.enums import RatType, SelectionMode
from simwarden.wire.gtpv2.ies import IES
from simwarden.wire.gtpv2.values import UeTimeZone, Uli
from simwarden.wire.q850 import CauseValue
from simwarden.wire.sms.enums import Status
from simwarden.wire.tbcd import encode_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CONTEXT, _CONSTRUCTED = 0x80, 0x20
#: record types (5.1.1.2.1), and the tags of GPRSRecord
_TYPES: Final = {"sGWRecord": (84, 78), "pGWRecord": (85, 79)}
_SERVING_NODES: Final = {"sGSN": 0, "pMIPSGW": 1, "gTPSGW": 2, "ePDG": 3, "hSGW": 4, "mME": 5, "tWAN": 6}
_CHANGES: Final = {"recordClosure": 2, "eCGIChange": 10, "tAIChange": 11, "userLocationChange": 12}
_SERVICE_CHANGES: Final = {"recordClosure": 24}
_PLACE: Final = r"\d{3}-\d{2,3}-[0-9a-f]"
#: organisation and number of PDP types of the IETF (TS 29.060 7.7.27)
_PDP_TYPES: Final = {"IPV4": b"\xf1\x21", "IPV6": b"\xf1\x57", "IPV4V6": b"\xf1\x8d"}


#: what each field can be that has words of its own, or a form
VALUES: Final[Mapping[str, Values]] = {
    # with us the Experimental-Result by which SGd or S6c refused a message
    "sMSResult": members(ExperimentalResult, ("DIAMETER_ERROR_", "DIAMETER_")),
    "rATType": one_of(*RatType.__members__),
    "pdpPDNType": one_of(*_PDP_TYPES),
    "apnSelectionMode": members(SelectionMode) | NUMBER,
    "servingNodeType": one_of(*_SERVING_NODES),
    "changeCondition": one_of(*_CHANGES),
    "serviceConditionChange": one_of(*_SERVICE_CHANGES),
    "chargingCharacteristics": shaped("four hexadecimal digits", "[0-9a-f]{4}"),
    "mSTimeZone": shaped("hours from UTC and of daylight saving, such as +8 0", r"[+-]?\d+(\.\d+)?( [0-2])?"),
    "userLocationInformation": shaped("a TAI and an E-CGI", rf"{_PLACE}{{4}}( {_PLACE}{{7}})?|{_PLACE}{{7}}"),
    "pSFurnishChargingInformation": shaped("hexadecimal digits", "([0-9a-f]{2})+"),
    "location": LAI,
    "nodeID": NAME,
    "diagnostics": members(CauseValue) | NUMBER,
    "sMSStatus": members(Status) | NUMBER,
    "sMMessageType": one_of("SUBMISSION", "DELIVERY") | NUMBER,
    "sMDataCodingScheme": NUMBER,
    "basicService": one_of("telephony", "emergencyCalls"),
    "defaultCallHandling": one_of("continueCall", "releaseCall"),
    "callReference": OCTETS,
    **dict.fromkeys(("calledNumber", "translatedNumber", "callingNumber"), PARTY),
    **dict.fromkeys(("sMSNodeAddress", "recordingEntity", "gsm-SCFAddress"), PARTY),
    "OtherAddress": PARTY | GIVEN,
}


def _tlv(tag: int, content: bytes, *, constructed: bool = False) -> bytes:
    """Return an element with a context tag (8.1.2)."""
    head = _CONTEXT | (_CONSTRUCTED if constructed else 0)
    return put(head | tag if tag < 31 else (head | 31) << 8 | tag, content)


def _integer(value: int) -> bytes:
    return int(value).to_bytes(int(value).bit_length() // 8 + 1, signed=True)


def _equipment(text: str) -> bytes:
    """Return an IMEI or IMEISV in eight octets."""
    return encode_digits(text).ljust(8, b"\xff")


def _number(text: str) -> bytes:
    """Return an E.164 number in international form (TS 29.002, AddressString)."""
    return b"\x91" + encode_digits(text)


def _address(text: str) -> bytes:
    """Return an IPAddress: of version 4 or 6, by a tag of its own."""
    packed = ipaddress.ip_address(text).packed
    return _tlv(0 if len(packed) == 4 else 1, packed)


def _pdp_address(text: str) -> bytes:
    return _tlv(0, _address(text), constructed=True)


def _addresses(texts: tuple[str, ...]) -> bytes:
    return b"".join(_address(each) for each in texts)


def _nodes(words: tuple[str, ...]) -> bytes:
    return b"".join(b"\x0a\x01" + bytes((_SERVING_NODES[each],)) for each in words)


def _time(text: str) -> bytes:
    """Return a TimeStamp: nine octets of decimal digits, but for the sign of the distance from UTC."""
    when = dt.datetime.fromisoformat(text)
    offset = when.utcoffset() or dt.timedelta()
    minutes = abs(int(offset.total_seconds())) // 60
    sign = b"-" if offset < dt.timedelta() else b"+"
    return bytes.fromhex(f"{when:%y%m%d%H%M%S}") + sign + bytes.fromhex(f"{minutes // 60:02}{minutes % 60:02}")


def _place(text: str) -> bytes:
    """Return a ULI (TS 29.274 8.21) of a TAI and an E-CGI in words."""
    found: dict[str, Any] = {}
    for word in text.split():
        plmn, _, digits = word.rpartition("-")
        found |= {"tai": Tai(Plmn.parse(plmn), int(digits, 16))} if len(digits) == 4 else {"ecgi": Ecgi.parse(word)}
    return _ie("uli", Uli(**found))


def _zone(text: str) -> bytes:
    """Return a time zone (TS 29.274 8.44) of hours from UTC and of daylight saving."""
    hours, _, saving = text.partition(" ")
    return _ie("ue_time_zone", UeTimeZone(float(hours), int(saving or 0)))


def _ie(name: str, value: Any) -> bytes:
    write = IES[name].write
    if write is None:
        raise InternalError(f"{name} has no octets of its own")
    return write(value)


def _sequences(containers: tuple[Mapping[str, Any], ...], table: Mapping[str, _Row]) -> bytes:
    return b"".join(put(SEQUENCE, _ordered(each, table)) for each in containers)


def _furnished(data: str) -> bytes:
    """Return a PSFurnishChargingInformation with its pSFreeFormatData."""
    return _tlv(1, bytes.fromhex(data))


def _bit(number: int) -> bytes:
    """Return a BIT STRING that ends with the bit that is set (8.6)."""
    octets = bytearray(number // 8 + 1)
    octets[-1] = 0x80 >> number % 8
    return bytes((7 - number % 8,)) + bytes(octets)


_Row = tuple[int, "Callable[[Any], bytes]", bool]
#: by name: the tag, what makes the content, and whether that is made of elements
_VOLUME: Final[dict[str, _Row]] = {
    "dataVolumeGPRSUplink": (3, _integer, False),
    "dataVolumeGPRSDownlink": (4, _integer, False),
    "changeCondition": (5, lambda word: _integer(_CHANGES[word]), False),
    "changeTime": (6, _time, False),
    "userLocationInformation": (8, _place, False),
    "chargingID": (10, _integer, False),
    "rATType": (15, lambda name: _integer(RatType[name]), False),
}
_SERVICE: Final[dict[str, _Row]] = {
    "ratingGroup": (1, _integer, False),
    "timeOfFirstUsage": (5, _time, False),
    "timeOfLastUsage": (6, _time, False),
    "serviceConditionChange": (8, lambda word: _bit(_SERVICE_CHANGES[word]), False),
    "datavolumeFBCUplink": (12, _integer, False),
    "datavolumeFBCDownlink": (13, _integer, False),
    "timeOfReport": (14, _time, False),
}
_FIELDS: Final[dict[str, _Row]] = {
    "servedIMSI": (3, encode_digits, False),
    "s-GWAddress": (4, _address, True),
    "p-GWAddress": (4, _address, True),
    "chargingID": (5, _integer, False),
    "servingNodeAddress": (6, _addresses, True),
    "accessPointNameNI": (7, lambda text: text.encode("ascii"), False),
    "pdpPDNType": (8, _PDP_TYPES.__getitem__, False),
    "servedPDPPDNAddress": (9, _pdp_address, True),
    "dynamicAddressFlag": (11, lambda flag: b"\xff" if flag else b"\x00", False),
    "listOfTrafficVolumes": (12, lambda each: _sequences(each, _VOLUME), True),
    "recordOpeningTime": (13, _time, False),
    "duration": (14, _integer, False),
    "causeForRecClosing": (15, _integer, False),
    "recordSequenceNumber": (17, _integer, False),
    "nodeID": (18, lambda text: text[:20].encode("ascii", "replace"), False),
    "localSequenceNumber": (20, _integer, False),
    "apnSelectionMode": (21, _integer, False),
    "servedMSISDN": (22, _number, False),
    "chargingCharacteristics": (23, bytes.fromhex, False),
    "servingNodePLMNIdentifier": (27, lambda text: Plmn.parse(text).to_bytes(), False),
    "servedIMEI": (29, _equipment, False),
    "rATType": (30, lambda name: _integer(RatType[name]), False),
    "mSTimeZone": (31, _zone, False),
    "userLocationInformation": (32, _place, False),
    "servingNodeType": (35, _nodes, True),
    "p-GWAddressUsed": (36, _address, True),
    "dynamicAddressFlagExt": (47, lambda flag: b"\xff" if flag else b"\x00", False),
    "p-GWPLMNIdentifier": (37, lambda text: Plmn.parse(text).to_bytes(), False),
    "startTime": (38, _time, False),
    "stopTime": (39, _time, False),
}
#: those whose tags differ by the record
_OF_RECORD: Final[dict[str, dict[str, _Row]]] = {
    "sGWRecord": {
        "sGWChange": (34, lambda flag: b"\xff" if flag else b"\x00", False),
        "pDNConnectionChargingID": (40, _integer, False),
        "servedPDPPDNAddressExt": (43, _pdp_address, True),
    },
    "pGWRecord": {
        "pSFurnishChargingInformation": (28, _furnished, True),
        "listOfServiceData": (34, lambda each: _sequences(each, _SERVICE), True),
        "pDNConnectionChargingID": (41, _integer, False),
        "servedPDPPDNAddressExt": (45, _pdp_address, True),
    },
}
#: what each record has, also where nobody has said it (5.1.2.2.2, 5.1.2.2.3)
_ALWAYS: Final[Mapping[str, Any]] = {"chargingCharacteristics": "0000"}


def _ordered(fields: Mapping[str, Any], table: Mapping[str, _Row]) -> bytes:
    """Return fields in the order of their tags, which is that of the specification."""
    unknown = fields.keys() - table.keys()
    if unknown:
        raise InternalError(f"{', '.join(sorted(unknown))} has no coded form in a CDR")
    parts = []
    for name, (tag, content, constructed) in sorted(table.items(), key=lambda row: row[1][0]):
        if name in fields:
            parts.append(_tlv(tag, content(fields[name]), constructed=constructed))
    return b"".join(parts)


def encode(record: str, fields: Mapping[str, Any]) -> bytes:
    """Return a record (`sGWRecord`, `pGWRecord`) with fields as `ChargingRecord` has them.

    Raises InternalError for a field without coded form.
    """
    number, choice = _TYPES[record]
    content = _tlv(0, _integer(number)) + _ordered({**_ALWAYS, **fields}, {**_FIELDS, **_OF_RECORD[record]})
    return _tlv(choice, content, constructed=True)
