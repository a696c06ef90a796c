"""The ESM messages of attach, PDN connections and their bearers (TS 24.301 8.3), V16."""

from __future__ import annotations

from simwarden.wire.nas import elements as e
from simwarden.wire.nas.declaration import Declaration, Optional, declare, halves, lv, tlv, tlv_e, tv, tv_half, v
from simwarden.wire.nas.enums import MessageType as Type

_PCO: Optional = tlv(0x27, "protocol_configuration_options", shortest=1, longest=251)
_NBIFOM: Optional = tlv(0x33, "nbifom_container", shortest=1)
_EPCO: Optional = tlv_e(0x7B, "extended_protocol_configuration_options", shortest=1)
_BACK_OFF: Optional = tlv(0x37, "back_off_timer", e.GPRS_TIMER_3, 1, 1)
_RE_ATTEMPT: Optional = tlv(0x6B, "re_attempt_indicator", e.OCTET, 1, 1)
_WLAN: Optional = tv_half(0xC, "wlan_offload_indication")
_APN_AMBR: Optional = tlv(0x5E, "apn_ambr", shortest=2, longest=6)
_EXTENDED_AMBR: Optional = tlv(0x5F, "extended_apn_ambr", shortest=6, longest=6)
_EXTENDED_QOS: Optional = tlv(0x5C, "extended_eps_qos", shortest=10, longest=10)
_HEADERS: Optional = tlv(0x66, "header_compression_configuration", shortest=3)
_PROPERTIES: Optional = tv_half(0xC, "device_properties")
#: the elements of most rejects
_REJECT = (v("esm_cause", e.ESM_CAUSE), _PCO, _BACK_OFF, _RE_ATTEMPT, _NBIFOM, _EPCO)
#: what a device needs when it goes on to 2G or 3G
_OF_2G: tuple[Optional, ...] = (
    tlv(0x5D, "transaction_identifier", shortest=1, longest=2),
    tlv(0x30, "negotiated_qos", shortest=12, longest=20),
    tv(0x32, "negotiated_llc_sapi", e.OCTET),
    tv_half(0x8, "radio_priority"),
    tlv(0x34, "packet_flow_identifier", shortest=1, longest=1),
)

ESM_MESSAGES: tuple[Declaration[Type], ...] = (
    declare(Type.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT, "8.3.1", _PCO, _NBIFOM, _EPCO),
    declare(
        Type.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REJECT, "8.3.2", v("esm_cause", e.ESM_CAUSE), _PCO, _NBIFOM, _EPCO
    ),
    declare(
        Type.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REQUEST,
        "8.3.3",
        halves("linked_eps_bearer_identity"),
        lv("eps_qos", e.EPS_QOS, 1, 13),
        lv("tft", shortest=1),
        *_OF_2G,
        _PCO,
        _WLAN,
        _NBIFOM,
        _EPCO,
        _EXTENDED_QOS,
    ),
    declare(Type.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT, "8.3.4", _PCO, _EPCO),
    declare(Type.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REJECT, "8.3.5", v("esm_cause", e.ESM_CAUSE), _PCO, _EPCO),
    declare(
        Type.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST,
        "8.3.6",
        lv("eps_qos", e.EPS_QOS, 1, 13),
        lv("access_point_name", e.APN, 1, 100),
        lv("pdn_address", e.PDN_ADDRESS, 5, 13),
        *_OF_2G,
        _APN_AMBR,
        tv(0x58, "esm_cause", e.ESM_CAUSE),
        _PCO,
        tv_half(0xB, "connectivity_type"),
        _WLAN,
        _NBIFOM,
        _HEADERS,
        tv_half(0x9, "control_plane_only_indication"),
        _EPCO,
        tlv(0x6E, "serving_plmn_rate_control", shortest=2, longest=2),
        _EXTENDED_AMBR,
    ),
    declare(Type.BEARER_RESOURCE_ALLOCATION_REJECT, "8.3.7", *_REJECT),
    declare(
        Type.BEARER_RESOURCE_ALLOCATION_REQUEST,
        "8.3.8",
        halves("linked_eps_bearer_identity"),
        lv("traffic_flow_aggregate", shortest=1),
        lv("required_traffic_flow_qos", e.EPS_QOS, 1, 13),
        _PCO,
        _PROPERTIES,
        _NBIFOM,
        _EPCO,
        _EXTENDED_QOS,
    ),
    declare(Type.BEARER_RESOURCE_MODIFICATION_REJECT, "8.3.9", *_REJECT),
    declare(
        Type.BEARER_RESOURCE_MODIFICATION_REQUEST,
        "8.3.10",
        halves("eps_bearer_identity_for_packet_filter"),
        lv("traffic_flow_aggregate", shortest=1),
        tlv(0x5B, "required_traffic_flow_qos", e.EPS_QOS, 1, 13),
        tv(0x58, "esm_cause", e.ESM_CAUSE),
        _PCO,
        _PROPERTIES,
        _NBIFOM,
        _HEADERS,
        _EPCO,
        _EXTENDED_QOS,
    ),
    declare(Type.DEACTIVATE_EPS_BEARER_CONTEXT_ACCEPT, "8.3.11", _PCO, _EPCO),
    declare(
        Type.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST,
        "8.3.12",
        v("esm_cause", e.ESM_CAUSE),
        _PCO,
        _BACK_OFF,
        _WLAN,
        _NBIFOM,
        _EPCO,
    ),
    declare(Type.ESM_INFORMATION_REQUEST, "8.3.13"),
    declare(Type.ESM_INFORMATION_RESPONSE, "8.3.14", tlv(0x28, "access_point_name", e.APN, 1, 100), _PCO, _EPCO),
    declare(Type.ESM_STATUS, "8.3.15", v("esm_cause", e.ESM_CAUSE)),
    declare(Type.MODIFY_EPS_BEARER_CONTEXT_ACCEPT, "8.3.16", _PCO, _NBIFOM, _EPCO),
    declare(Type.MODIFY_EPS_BEARER_CONTEXT_REJECT, "8.3.17", v("esm_cause", e.ESM_CAUSE), _PCO, _NBIFOM, _EPCO),
    declare(
        Type.MODIFY_EPS_BEARER_CONTEXT_REQUEST,
        "8.3.18",
        tlv(0x5B, "new_eps_qos", e.EPS_QOS, 1, 13),
        tlv(0x36, "tft", shortest=1),
        *_OF_2G[1:],
        _APN_AMBR,
        _PCO,
        _WLAN,
        _NBIFOM,
        _HEADERS,
        _EPCO,
        _EXTENDED_AMBR,
        _EXTENDED_QOS,
    ),
    declare(Type.PDN_CONNECTIVITY_REJECT, "8.3.19", *_REJECT),
    declare(
        Type.PDN_CONNECTIVITY_REQUEST,
        "8.3.20",
        halves("request_type", "pdn_type"),
        tv_half(0xD, "esm_information_transfer_flag"),
        tlv(0x28, "access_point_name", e.APN, 1, 100),
        _PCO,
        _PROPERTIES,
        _NBIFOM,
        _HEADERS,
        _EPCO,
    ),
    declare(Type.PDN_DISCONNECT_REJECT, "8.3.21", v("esm_cause", e.ESM_CAUSE), _PCO, _EPCO),
    declare(Type.PDN_DISCONNECT_REQUEST, "8.3.22", halves("linked_eps_bearer_identity"), _PCO, _EPCO),
)
