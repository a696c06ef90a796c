"""The Initial packets of QUIC, whose keys everybody knows: versions 1 (RFC 9000, RFC 9001 5.2) and 2 (RFC 9369)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG: Final = 0x80
#: octets of the longest connection ID (RFC 9000 17.2)
_LONGEST_ID: Final = 20
_TAG: Final = 16
_PADDING, _PING, _ACK, _ACK_ECN, _CRYPTO, _CLOSE = 0x00, 0x01, 0x02, 0x03, 0x06, 0x1C


class _Version(NamedTuple):
    """What versions differ in: their salt, the first word of their labels, the type of an Initial."""

    salt: bytes
    label: bytes
    initial: int


_VERSIONS: Final = {
    0x00000001: _Version(bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), b"quic ", 0),
    0x6B3343CF: _Version(bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), b"quicv2 ", 1),
}


class Initial(NamedTuple):
    """A protected Initial packet; `payload` begins at its packet number, of which `head` is all before."""

    version: int
    destination: bytes
    head: bytes
    payload: bytes


class Keys(NamedTuple):
    """How the Initials of a client are protected (RFC 9001 5.1)."""

    key: bytes
    iv: bytes
    header: bytes


def is_long(datagram: bytes) -> bool:
    """Whether a datagram begins with a long header (RFC 9000 17.2)."""
    return bool(datagram) and datagram[0] & _LONG == _LONG


def initials_in(datagram: bytes) -> list[Initial]:
    """Return the Initial packets that a datagram begins with (RFC 9000 12.2), none if it is not of QUIC.

    What follows them is of no interest, and need not be readable: a server takes what it can.
    """
    found: list[Initial] = []
    while is_long(datagram):
        try:
            packet, datagram = _cut(datagram)
        except PeerError:
            break
        if packet is not None:
            found.append(packet)
    return found


def _cut(data: bytes) -> tuple[Initial | None, bytes]:
    """Return the first packet of a datagram, None if it is no Initial, and what follows. Raises PeerError."""
    version = int.from_bytes(data[1:5])
    known = _VERSIONS.get(version)
    if known is None:
        raise PeerError("no version of QUIC that is read here")
    destination, at = _identity(data, 5)
    _, at = _identity(data, at)
    initial = data[0] >> 4 & 3 == known.initial
    if initial:
        token, at = _varint(data, at)
        at += token
    length, at = _varint(data, at)
    if at + length > len(data):
        raise PeerError("QUIC packet that ends early")
    packet = Initial(version, destination, data[:at], data[at : at + length]) if initial else None
    return packet, data[at + length :]


def _identity(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 1 + (data[at] if at < len(data) else 0)
    if not at < len(data) or end > len(data) or end - at - 1 > _LONGEST_ID:
        raise PeerError("QUIC packet with a wrong connection ID")
    return data[at + 1 : end], end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length (RFC 9000 16), and where it ends. Raises PeerError."""
    size = 1 << (data[at] >> 6) if at < len(data) else 1
    if at + size > len(data):
        raise PeerError("QUIC number that ends early")
    return int.from_bytes(data[at : at + size]) & ((1 << 8 * size - 2) - 1), at + size


def client_keys(version: int, destination: bytes) -> Keys:
    """Return the keys of a client that calls a server by a connection ID. Raises KeyError for an unknown version."""
    known = _VERSIONS[version]

    def expand(secret: bytes, label: bytes, length: int) -> bytes:
        """HKDF-Expand-Label (RFC 8446 7.1), of not more than one block of HKDF (RFC 5869 2.3)."""
        info = length.to_bytes(2) + bytes((6 + len(label),)) + b"tls13 " + label + b"\0"
        return hmac.digest(secret, info + b"\1", "sha256")[:length]

    secret = expand(hmac.digest(known.salt, destination, "sha256"), b"client in", 32)
    parts = ((b"key", 16), (b"iv", 12), (b"hp", 16))
    return Keys(*(expand(secret, known.label + label, size) for label, size in parts))


def opened(packet: Initial, keys: Keys) -> bytes:
    """Return the frames of an Initial packet (RFC 9001 5.3, 5.4). Raises PeerError if the keys are not its own."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - few runs have QUIC
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

    sample = packet.payload[4:20]
    if len(sample) < 16:
        raise PeerError("QUIC packet that is too short")
    mask = _mask(keys, sample)
    first = packet.head[0] ^ mask[0] & 0x0F
    size = (first & 3) + 1
    number = bytes(each ^ by for each, by in zip(packet.payload[:size], mask[1:], strict=False))
    nonce = (int.from_bytes(keys.iv) ^ int.from_bytes(number)).to_bytes(12)
    head = bytes((first,)) + packet.head[1:] + number
    try:
        return AESGCM(keys.key).decrypt(nonce, packet.payload[size:], head)
    except InvalidTag:
        raise PeerError("QUIC packet that its keys do not open") from None


def protected(version: int, destination: bytes, frames: bytes, number: int = 0) -> bytes:
    """Return the Initial packet of a client that calls a server by a connection ID, and has none itself."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - few runs have QUIC

    keys, counted = client_keys(version, destination), number.to_bytes(4)
    first = 0xC0 | _VERSIONS[version].initial << 4 | len(counted) - 1
    called = version.to_bytes(4) + bytes((len(destination),)) + destination
    length = len(counted) + len(frames) + _TAG
    head = bytes((first,)) + called + b"\0\0" + (0x4000 | length).to_bytes(2)
    nonce = (int.from_bytes(keys.iv) ^ number).to_bytes(12)
    sealed = AESGCM(keys.key).encrypt(nonce, frames, head + counted)
    mask = _mask(keys, sealed[:16])  # as if the number took four octets, which it does (RFC 9001 5.4.2)
    masked = bytes(each ^ by for each, by in zip(counted, mask[1:], strict=True))
    return bytes((first ^ mask[0] & 0x0F,)) + head[1:] + masked + sealed


def crypto_frame(offset: int, octets: bytes) -> bytes:
    """Return a piece of the handshake with its place."""
    return bytes((_CRYPTO,)) + (0x4000 | offset).to_bytes(2) + (0x4000 | len(octets)).to_bytes(2) + octets


def _mask(keys: Keys, sample: bytes) -> bytes:
    """Return what protects the first octet of a header and its packet number (RFC 9001 5.4.3)."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 - few runs have QUIC

    return Cipher(algorithms.AES(keys.header), modes.ECB()).encryptor().update(sample)[:5]  # noqa: S305 - it says so


def crypto_in(frames: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield pieces of the handshake with their places (CRYPTO frames, RFC 9000 19.6). Raises PeerError.

    An Initial has no frames but those of RFC 9000 17.2.2.
    """
    at = 0
    while at < len(frames):
        kind = frames[at]
        at += 1
        if kind == _CRYPTO:
            offset, at = _varint(frames, at)
            length, at = _varint(frames, at)
            if at + length > len(frames):
                raise PeerError("CRYPTO frame that ends early")
            yield offset, frames[at : at + length]
            at += length
        elif kind in (_ACK, _ACK_ECN):
            at = _behind_ack(frames, at, ecn=kind == _ACK_ECN)
        elif kind == _PADDING:
            at = len(frames) - len(frames[at:].lstrip(b"\0"))
        elif kind == _CLOSE:
            return
        elif kind != _PING:
            raise PeerError(f"frame {kind} in an Initial packet")


def _behind_ack(frames: bytes, at: int, *, ecn: bool) -> int:
    """Return where an ACK frame ends (RFC 9000 19.3). Raises PeerError."""
    for _ in range(2):
        _, at = _varint(frames, at)
    ranges, at = _varint(frames, at)
    for _ in range(1 + 2 * min(ranges, len(frames)) + 3 * ecn):
        _, at = _varint(frames, at)
    return at
