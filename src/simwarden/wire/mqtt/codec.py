"""Octets to control packets and back (MQTT 3.1.1 chapters 2 and 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.wire.mqtt.packets import (
    Ack,
    Bare,
    ConnAck,
    Connect,
    ConnectCode,
    Packet,
    PacketType,
    Publish,
    SubAck,
    Subscribe,
    Unsubscribe,
    Will,
)
from simwarden.wire.mqtt.topics import check_filter, check_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: the largest Remaining Length that four octets say (2.2.3)
LONGEST: Final = 268_435_455
_PROTOCOL: Final = b"\0\4MQTT"
_ACKS: Final = frozenset(
    {PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP, PacketType.UNSUBACK}
)
_BARE: Final = frozenset({PacketType.PINGREQ, PacketType.PINGRESP, PacketType.DISCONNECT})
#: types whose fixed header has the flags 0010 (2.2.2); all others but PUBLISH have none
_FLAGS_2: Final = frozenset({PacketType.PUBREL, PacketType.SUBSCRIBE, PacketType.UNSUBSCRIBE})
_REFUSED: Final = 0x80


# -- encoding


def encode(packet: Packet) -> bytes:
    """Return the octets of a packet."""
    return _ENCODERS[type(packet)](packet)


def _framed(first: int, body: bytes) -> bytes:
    head, rest = bytearray((first,)), len(body)
    while True:
        rest, digit = rest >> 7, rest & 0x7F
        head.append(digit | 0x80 if rest else digit)
        if not rest:
            return bytes(head) + body


def _of_type(kind: PacketType, body: bytes) -> bytes:
    return _framed(kind << 4 | (2 if kind in _FLAGS_2 else 0), body)


def _octets(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _text(text: str) -> bytes:
    return _octets(text.encode())


def _encode_connect(packet: Connect) -> bytes:
    flags = 2 if packet.clean else 0
    payload = _text(packet.client)
    if packet.will is not None:
        will = packet.will
        flags |= 4 | will.qos << 3 | (0x20 if will.retain else 0)
        payload += _text(will.topic) + _octets(will.payload)
    if packet.user is not None:
        flags |= 0x80
        payload += _text(packet.user)
    if packet.password is not None:
        flags |= 0x40
        payload += _octets(packet.password)
    head = _PROTOCOL + bytes((packet.level, flags)) + packet.keep_alive.to_bytes(2, "big")
    return _of_type(PacketType.CONNECT, head + payload)


def _encode_connack(packet: ConnAck) -> bytes:
    return _of_type(PacketType.CONNACK, bytes((packet.session_present, packet.code)))


def _encode_publish(packet: Publish) -> bytes:
    first = PacketType.PUBLISH << 4 | packet.duplicate << 3 | packet.qos << 1 | packet.retain
    identifier = packet.identifier.to_bytes(2, "big") if packet.qos else b""
    return _framed(first, _text(packet.topic) + identifier + packet.payload)


def _encode_ack(packet: Ack) -> bytes:
    return _of_type(packet.type, packet.identifier.to_bytes(2, "big"))


def _encode_subscribe(packet: Subscribe) -> bytes:
    filters = b"".join(_text(each) + bytes((qos,)) for each, qos in packet.filters)
    return _of_type(PacketType.SUBSCRIBE, packet.identifier.to_bytes(2, "big") + filters)


def _encode_suback(packet: SubAck) -> bytes:
    return _of_type(PacketType.SUBACK, packet.identifier.to_bytes(2, "big") + bytes(packet.codes))


def _encode_unsubscribe(packet: Unsubscribe) -> bytes:
    filters = b"".join(map(_text, packet.filters))
    return _of_type(PacketType.UNSUBSCRIBE, packet.identifier.to_bytes(2, "big") + filters)


def _encode_bare(packet: Bare) -> bytes:
    return _of_type(packet.type, b"")


_ENCODERS: Final[Mapping[type, Callable[..., bytes]]] = {
    Connect: _encode_connect,
    ConnAck: _encode_connack,
    Publish: _encode_publish,
    Ack: _encode_ack,
    Subscribe: _encode_subscribe,
    SubAck: _encode_suback,
    Unsubscribe: _encode_unsubscribe,
    Bare: _encode_bare,
}


# -- decoding


def decode(octets: bytes) -> Packet:
    """Return the packet that the octets are, all of them. Raises PeerError."""
    splitter = Splitter()
    packets = splitter.feed(octets)
    if len(packets) != 1 or splitter.rest:
        raise PeerError(f"{len(octets)} octets are not one MQTT packet")
    return packets[0]


class Splitter:
    """Cuts packets off a stream of octets; `longest` bounds what one packet may take."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._stream = bytearray()

    @property
    def rest(self) -> int:
        """Octets of a packet that is not whole yet."""
        return len(self._stream)

    def feed(self, data: bytes) -> list[Packet]:
        """Return the packets that are whole now. Raises PeerError; nothing can be read from the stream after that."""
        stream = self._stream
        stream += data
        found: list[Packet] = []
        start = 0
        while True:
            body, stop = self._bounds(start)
            if stop > len(stream) or not body:
                break
            found.append(_decode_one(stream[start], bytes(stream[body:stop])))
            start = stop
        del stream[:start]
        return found

    def _bounds(self, start: int) -> tuple[int, int]:
        """Return where the body of the packet at `start` begins and ends; (0, 0) if its header is not whole."""
        length = 0
        for number, octet in enumerate(self._stream[start + 1 : start + 5]):
            length |= (octet & 0x7F) << 7 * number
            if not octet & 0x80:
                if length > self._longest:
                    raise PeerError(f"a packet of {length} octets is too long")
                body = start + 2 + number
                return body, body + length
        if len(self._stream) >= start + 5:
            raise PeerError("the Remaining Length takes more than four octets")
        return 0, 0


def _decode_one(first: int, body: bytes) -> Packet:
    try:
        kind = PacketType(first >> 4)
    except ValueError:
        raise PeerError(f"there is no packet type {first >> 4}") from None
    flags = first & 0x0F
    if kind is PacketType.PUBLISH:
        return _publish(flags, _Reader(body))
    if flags != (2 if kind in _FLAGS_2 else 0):
        raise PeerError(f"{kind.name} with flags {flags:04b}")
    reader = _Reader(body)
    if kind in _BARE:
        packet: Packet = Bare(kind)
    elif kind in _ACKS:
        packet = Ack(kind, reader.identifier())
    else:
        packet = _READERS[kind](reader)
    reader.end(kind)
    return packet


class _Reader:
    """Takes fields from the body of a packet. Raises PeerError where they are not there."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    @property
    def left(self) -> int:
        return len(self._body) - self._at

    def take(self, count: int) -> bytes:
        if self.left < count:
            raise PeerError(f"a field of {count} octets in {self.left}")
        data = self._body[self._at : self._at + count]
        self._at += count
        return data

    def octet(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def identifier(self) -> int:
        found = self.number()
        if not found:
            raise PeerError("a packet identifier of 0")
        return found

    def octets(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        """Take a UTF-8 encoded string (1.5.3)."""
        try:
            found = self.octets().decode()
        except UnicodeDecodeError as error:
            raise PeerError("a string that is no UTF-8") from error
        if "\0" in found:
            raise PeerError("a string with U+0000 in it")
        return found

    def end(self, kind: PacketType) -> None:
        if self.left:
            raise PeerError(f"{kind.name} with {self.left} octets too many")


def _publish(flags: int, reader: _Reader) -> Publish:
    qos = flags >> 1 & 3
    if qos == 3:
        raise PeerError("a QoS of 3")
    if not qos and flags & 8:
        raise PeerError("QoS 0 with DUP")
    topic = reader.text()
    check_topic(topic)
    identifier = reader.identifier() if qos else 0
    return Publish(topic, reader.take(reader.left), qos, bool(flags & 1), bool(flags & 8), identifier)


def _connect(reader: _Reader) -> Connect:
    if reader.octets() != _PROTOCOL[2:]:
        raise PeerError("CONNECT with another protocol's name")
    level, flags, keep_alive = reader.octet(), reader.octet(), reader.number()
    if level != 4:  # a later version's packet looks different from here on
        reader.take(reader.left)
        return Connect("", level=level)
    if flags & 1:
        raise PeerError("CONNECT with its reserved flag set")
    client = reader.text()
    will = _will(flags, reader)
    user = reader.text() if flags & 0x80 else None
    if flags & 0x40 and user is None:
        raise PeerError("CONNECT with a password and no user name")
    password = reader.octets() if flags & 0x40 else None
    return Connect(client, bool(flags & 2), keep_alive, will, user, password)


def _will(flags: int, reader: _Reader) -> Will | None:
    qos = flags >> 3 & 3
    if not flags & 4:
        if flags & 0x38:
            raise PeerError("CONNECT with flags of a will and no will")
        return None
    if qos == 3:
        raise PeerError("a will with a QoS of 3")
    topic = reader.text()
    check_topic(topic)
    return Will(topic, reader.octets(), qos, bool(flags & 0x20))


def _connack(reader: _Reader) -> ConnAck:
    flags, code = reader.octet(), reader.octet()
    if flags > 1:
        raise PeerError(f"CONNACK with flags {flags:08b}")
    if code > max(ConnectCode):
        raise PeerError(f"CONNACK with return code {code}")
    return ConnAck(code, bool(flags))


def _subscribe(reader: _Reader) -> Subscribe:
    identifier, filters = reader.identifier(), []
    while reader.left:
        topic_filter, qos = reader.text(), reader.octet()
        check_filter(topic_filter)
        if qos > 2:
            raise PeerError(f"SUBSCRIBE with QoS {qos}")
        filters.append((topic_filter, qos))
    if not filters:
        raise PeerError("SUBSCRIBE without a filter")
    return Subscribe(identifier, tuple(filters))


def _suback(reader: _Reader) -> SubAck:
    identifier, codes = reader.identifier(), tuple(reader.take(reader.left))
    if not codes or any(code > 2 and code != _REFUSED for code in codes):
        raise PeerError("SUBACK with a return code that there is not")
    return SubAck(identifier, codes)


def _unsubscribe(reader: _Reader) -> Unsubscribe:
    identifier, filters = reader.identifier(), []
    while reader.left:
        filters.append(reader.text())
    if not filters:
        raise PeerError("UNSUBSCRIBE without a filter")
    return Unsubscribe(identifier, tuple(filters))


_READERS: Final[Mapping[PacketType, Callable[[_Reader], Packet]]] = {
    PacketType.CONNECT: _connect,
    PacketType.CONNACK: _connack,
    PacketType.SUBSCRIBE: _subscribe,
    PacketType.SUBACK: _suback,
    PacketType.UNSUBSCRIBE: _unsubscribe,
}
