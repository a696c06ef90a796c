"""The messages of MM and CC that calls need (TS 24.008 9.2, 9.3), and of RR those by which a terminal is paged."""

from __future__ import annotations

from typing import Final

from simwarden.wire.dtap.elements import CALL_STATE, CALLED_NUMBER, CALLING_NUMBER, CAUSE, KEY, MM_CAUSE, RR_CAUSE
from simwarden.wire.dtap.enums import MessageType as T
from simwarden.wire.nas.declaration import Declaration, declare, halves, lv, tlv, tv, tv_half, v
from simwarden.wire.nas.elements import LAI, MOBILE_IDENTITY, OCTETS

_BEARER: Final = tlv(0x04, "bearer_capability", OCTETS, 1, 14)
_PROGRESS: Final = tlv(0x1E, "progress_indicator", OCTETS, 2, 2)
_CALLED: Final = tlv(0x5E, "called_party_bcd_number", CALLED_NUMBER, 1, 41)
_CALLING: Final = tlv(0x5C, "calling_party_bcd_number", CALLING_NUMBER, 1, 14)
_REDIRECTING: Final = tlv(0x74, "redirecting_party_bcd_number", CALLING_NUMBER, 1, 17)
_CC_CAUSE: Final = tlv(0x08, "cc_cause", CAUSE, 2, 30)
_IDENTITY: Final = lv("mobile_identity", MOBILE_IDENTITY, 1, 9)
_CLASSMARK_1: Final = v("mobile_station_classmark_1", OCTETS)
_CLASSMARK_2: Final = lv("mobile_station_classmark_2", OCTETS, 3, 3)

_CC: Final = (
    declare(T.ALERTING, "9.3.1", _PROGRESS),
    declare(T.CALL_CONFIRMED, "9.3.2", _BEARER, _CC_CAUSE, tlv(0x15, "cc_capabilities", OCTETS, 1, 2)),
    declare(T.CALL_PROCEEDING, "9.3.3", _BEARER, _PROGRESS),
    declare(T.CONNECT, "9.3.5", _PROGRESS, tlv(0x4C, "connected_number", CALLING_NUMBER, 1, 14)),
    declare(T.CONNECT_ACKNOWLEDGE, "9.3.6"),
    declare(T.DISCONNECT, "9.3.7", lv("cc_cause", CAUSE, 2, 30), _PROGRESS),
    declare(T.EMERGENCY_SETUP, "9.3.8", _BEARER, tlv(0x2E, "emergency_category", OCTETS, 1, 1)),
    declare(T.HOLD, "9.3.10"),
    declare(T.HOLD_REJECT, "9.3.12", lv("cc_cause", CAUSE, 2, 30)),
    declare(T.PROGRESS, "9.3.17", lv("progress_indicator", OCTETS, 2, 2)),
    declare(T.RELEASE, "9.3.18", _CC_CAUSE),
    declare(T.RELEASE_COMPLETE, "9.3.19", _CC_CAUSE),
    declare(
        T.SETUP,
        "9.3.23",
        _BEARER,
        _PROGRESS,
        tv(0x34, "signal"),
        _CALLING,
        _CALLED,
        _REDIRECTING,
    ),
    declare(T.START_DTMF, "9.3.24", tv(0x2C, "keypad_facility", KEY)),
    declare(T.START_DTMF_ACKNOWLEDGE, "9.3.25", tv(0x2C, "keypad_facility", KEY)),
    declare(T.START_DTMF_REJECT, "9.3.26", lv("cc_cause", CAUSE, 2, 30)),
    declare(T.STATUS, "9.3.27", lv("cc_cause", CAUSE, 2, 30), v("call_state", CALL_STATE)),
    declare(T.STATUS_ENQUIRY, "9.3.28"),
    declare(T.STOP_DTMF, "9.3.29"),
    declare(T.STOP_DTMF_ACKNOWLEDGE, "9.3.30"),
)

_MM: Final = (
    declare(T.CM_SERVICE_ACCEPT, "9.2.5"),
    declare(T.CM_SERVICE_REJECT, "9.2.6", v("mm_cause", MM_CAUSE)),
    declare(T.ABORT, "9.2.8", v("mm_cause", MM_CAUSE)),
    declare(
        T.CM_SERVICE_REQUEST,
        "9.2.9",
        halves("cm_service_type", "ciphering_key_sequence_number"),
        _CLASSMARK_2,
        _IDENTITY,
    ),
    declare(T.IDENTITY_REQUEST, "9.2.10", halves("identity_type")),
    declare(T.IDENTITY_RESPONSE, "9.2.11", _IDENTITY),
    declare(T.IMSI_DETACH_INDICATION, "9.2.12", _CLASSMARK_1, _IDENTITY),
    declare(
        T.LOCATION_UPDATING_ACCEPT,
        "9.2.13",
        v("location_area_identification", LAI, 5),
        tlv(0x17, "mobile_identity", MOBILE_IDENTITY, 1, 8),
        tv_half(0xA, "follow_on_proceed"),
    ),
    declare(T.LOCATION_UPDATING_REJECT, "9.2.14", v("mm_cause", MM_CAUSE)),
    declare(
        T.LOCATION_UPDATING_REQUEST,
        "9.2.15",
        halves("location_updating_type", "ciphering_key_sequence_number"),
        v("location_area_identification", LAI, 5),
        _CLASSMARK_1,
        _IDENTITY,
        tlv(0x33, "mobile_station_classmark_2", OCTETS, 3, 3),
    ),
    declare(T.MM_STATUS, "9.2.16", v("mm_cause", MM_CAUSE)),
)

_RR: Final = (
    declare(T.CHANNEL_RELEASE, "TS 44.018 9.1.7", v("rr_cause", RR_CAUSE)),
    declare(T.PAGING_REQUEST_TYPE_1, "TS 44.018 9.1.22", halves("page_mode", "channels_needed"), _IDENTITY),
    declare(T.PAGING_RESPONSE, "TS 44.018 9.1.25", halves("ciphering_key_sequence_number"), _CLASSMARK_2, _IDENTITY),
)

DECLARATIONS: Final[dict[T, Declaration[T]]] = {each.type: each for each in (*_CC, *_MM, *_RR)}
