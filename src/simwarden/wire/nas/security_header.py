"""The security header in front of a protected NAS message (TS 24.301 9.1 to 9.6)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from simwarden.errors import PeerError

EMM_DISCRIMINATOR = 0x07
ESM_DISCRIMINATOR = 0x02


class SecurityHeaderType(IntEnum):
    """Security header types (TS 24.301 Table 9.3.1)."""

    PLAIN = 0
    INTEGRITY_PROTECTED = 1
    INTEGRITY_PROTECTED_AND_CIPHERED = 2
    INTEGRITY_PROTECTED_NEW_CONTEXT = 3
    INTEGRITY_PROTECTED_AND_CIPHERED_NEW_CONTEXT = 4
    SERVICE_REQUEST = 12

    @property
    def ciphered(self) -> bool:
        """True where the payload is ciphered (or would be, with an algorithm other than EEA0)."""
        return self in (2, 4)


class SecuredPdu(NamedTuple):
    """A security protected NAS message taken apart, before anything about it was verified."""

    header_type: SecurityHeaderType
    mac: bytes
    sequence_number: int
    payload: bytes


def header_type(pdu: bytes) -> SecurityHeaderType:
    """Return the security header type of an EMM message, PLAIN for an ESM message.

    Raises PeerError for a foreign protocol discriminator or a reserved type.
    """
    if not pdu:
        raise PeerError("empty NAS message")
    first = pdu[0]
    discriminator = first & 0x0F
    if discriminator == ESM_DISCRIMINATOR:
        return SecurityHeaderType.PLAIN
    if discriminator != EMM_DISCRIMINATOR:
        raise PeerError(f"protocol discriminator {discriminator} is neither EMM nor ESM")
    kind = first >> 4
    if kind >= 12:
        # 13 to 15 are read as a SERVICE REQUEST as well (Table 9.3.1, note 2).
        return SecurityHeaderType.SERVICE_REQUEST
    if kind > 4:
        raise PeerError(f"reserved security header type {kind}")
    return SecurityHeaderType(kind)


def split(pdu: bytes) -> SecuredPdu:
    """Take a message with security header type 1 to 4 apart. Raises PeerError if it is none, or too short."""
    kind = header_type(pdu)
    if kind is SecurityHeaderType.PLAIN or kind is SecurityHeaderType.SERVICE_REQUEST:
        raise PeerError("not a security protected NAS message")
    if len(pdu) < 8:
        raise PeerError(f"security protected NAS message of {len(pdu)} octets")
    return SecuredPdu(kind, pdu[1:5], pdu[5], pdu[6:])
