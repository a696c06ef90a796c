"""Packets in words, and without passwords."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import MessageField, MessageInfo, Reading
from simwarden.wire.mqtt.codec import decode, encode
from simwarden.wire.mqtt.packets import (
    Ack,
    Bare,
    ConnAck,
    Connect,
    ConnectCode,
    PacketType,
    Publish,
    SubAck,
    Subscribe,
    Unsubscribe,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TEXT = ("id", "source", "specversion", "type", "subject", "time", "sequence")


def dissect(octets: bytes) -> Dissection:
    """Decode one packet. Raises PeerError."""
    packet = decode(octets)
    return _TELLERS[type(packet)](packet)


def _connect(packet: Connect) -> Dissection:
    fields: dict[str, Any] = {"client_identifier": packet.client, "clean_session": packet.clean}
    fields |= {"keep_alive": packet.keep_alive, "protocol_level": packet.level}
    if packet.user is not None:
        fields["user_name"] = packet.user
    if packet.will is not None:
        fields["will_topic"] = packet.will.topic
    return Dissection("connect", f"CONNECT {packet.client}", fields)


def _connack(packet: ConnAck) -> Dissection:
    code = ConnectCode(packet.code)
    cause = code.name.lower().replace("_", " ") if code else ""
    fields = {"return_code": code, "session_present": packet.session_present}
    return Dissection("connack", f"CONNACK {cause or 'accepted'}", fields, cause)


def _publish(packet: Publish) -> Dissection:
    fields: dict[str, Any] = {"topic": packet.topic, "qos": packet.qos, "retain": packet.retain}
    fields |= {"duplicate": packet.duplicate, "packet_identifier": packet.identifier}
    event = _event(packet.payload)
    fields |= event or {"payload": packet.payload}
    return Dissection("publish", f"PUBLISH {packet.topic}" + (" (again)" if packet.duplicate else ""), fields)


def parse_event(payload: bytes) -> dict[str, Any] | None:
    """Return the CloudEvent in JSON that a payload is; None for another one."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("specversion") == "1.0" else None


def _event(payload: bytes) -> dict[str, Any]:
    """Return the attributes and the data of a CloudEvent; nothing for another payload."""
    found = parse_event(payload)
    if found is None:
        return {}
    data = found.get("data")
    event: dict[str, Any] = {name: str(found[name]) for name in _TEXT if name in found}
    return {**event, "data": data} if isinstance(data, dict) else event


def _ack(packet: Ack) -> Dissection:
    name = packet.type.name
    fields = {"packet_identifier": packet.identifier}
    return Dissection(name.lower(), f"{name} {packet.identifier}", fields)


def _subscribe(packet: Subscribe) -> Dissection:
    filters = [topic_filter for topic_filter, _ in packet.filters]
    fields = {"topic_filters": filters, "qos": [qos for _, qos in packet.filters]}
    return Dissection("subscribe", f"SUBSCRIBE {', '.join(filters)}", fields)


def _suback(packet: SubAck) -> Dissection:
    return Dissection("suback", "SUBACK", {"return_codes": list(packet.codes)})


def _unsubscribe(packet: Unsubscribe) -> Dissection:
    filters = list(packet.filters)
    return Dissection("unsubscribe", f"UNSUBSCRIBE {', '.join(filters)}", {"topic_filters": filters})


def _bare(packet: Bare) -> Dissection:
    return Dissection(packet.type.name.lower(), packet.type.name)


_TELLERS: dict[type, Callable[..., Dissection]] = {
    Connect: _connect,
    ConnAck: _connack,
    Publish: _publish,
    Ack: _ack,
    Subscribe: _subscribe,
    SubAck: _suback,
    Unsubscribe: _unsubscribe,
    Bare: _bare,
}


_IDENTIFIER = {"packet_identifier": v.NUMBER}
_FILTERS = {"topic_filters": v.TEXT}
FIELDS: dict[str, dict[str, v.Values]] = {
    "connect": {
        **dict.fromkeys(("client_identifier", "user_name", "will_topic"), v.TEXT),
        **dict.fromkeys(("keep_alive", "protocol_level"), v.NUMBER),
        "clean_session": v.SWITCH,
    },
    "connack": {"return_code": v.members(ConnectCode), "session_present": v.SWITCH},
    "publish": {
        **dict.fromkeys(("topic", *_TEXT), v.TEXT),
        **dict.fromkeys(("qos", "packet_identifier"), v.NUMBER),
        **dict.fromkeys(("retain", "duplicate"), v.SWITCH),
        "payload": v.OCTETS,
        "data": v.ANYTHING,
    },
    **dict.fromkeys(("puback", "pubrec", "pubrel", "pubcomp", "unsuback"), _IDENTIFIER),
    "subscribe": {**_FILTERS, "qos": v.NUMBER},
    "suback": {"return_codes": v.NUMBER},
    "unsubscribe": _FILTERS,
    "pingreq": {},
    "pingresp": {},
    "disconnect": {},
}
"""The fields of each packet, as shown above; a CloudEvent's attributes and data are those of a PUBLISH."""


def mask_password(data: bytes) -> bytes:
    """Return octets with the password of a CONNECT zeroed, their length unchanged."""
    try:
        packet = decode(data)
    except PeerError:
        return data
    if not isinstance(packet, Connect) or not packet.password:
        return data
    whole = encode(packet)
    return whole[: -len(packet.password)] + bytes(len(packet.password))  # the last field of the payload (3.1.3)


def _length(head: bytes) -> int | None:
    """Read the length of a packet (MQTT 3.1.1, 2.2.3)."""
    if len(head) < 2:
        return None
    if head[0] >> 4 in (0, 15):  # no such packet
        return 0
    digits = head[1:5]
    size = next((number for number, octet in enumerate(digits, 1) if octet < 0x80), 0)
    if not size:
        return 0 if len(digits) == 4 else None
    return 1 + size + sum((octet & 0x7F) << 7 * number for number, octet in enumerate(digits[:size]))


class Mqtt(Reading):
    """How MQTT is read."""

    read = staticmethod(dissect)
    length_of = staticmethod(_length)
    mask = staticmethod(mask_password)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return (each.name.lower() for each in PacketType)

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        found = FIELDS.get(name)
        if found is None:
            return None
        fields = tuple(MessageField(part, False, values) for part, values in found.items())
        return MessageInfo("MQTT control packet (MQTT 3.1.1 chapter 3)", fields)
