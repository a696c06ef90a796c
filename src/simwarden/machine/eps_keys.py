"""The key hierarchy of EPS (TS 33.401 Annex A, on the key derivation function of TS 33.220 Annex B)."""

from __future__ import annotations

import hmac
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simwarden.model.identity import Plmn


class AlgorithmType(IntEnum):
    """What a derived key is for (TS 33.401 Table A.7-1)."""

    NAS_ENC = 1
    NAS_INT = 2
    RRC_ENC = 3
    RRC_INT = 4
    UP_ENC = 5


def kdf(key: bytes, fc: int, *parameters: bytes) -> bytes:
    """Return HMAC-SHA-256(key, FC || P0 || L0 || P1 || L1 ...), 32 octets (TS 33.220 B.2)."""
    text = bytes([fc]) + b"".join([p + len(p).to_bytes(2) for p in parameters])
    return hmac.digest(key, text, "sha256")


def kasme(ck: bytes, ik: bytes, serving_network: Plmn, sqn_xor_ak: bytes) -> bytes:
    """Return KASME (A.2). `sqn_xor_ak` are the first 6 octets of AUTN."""
    return kdf(ck + ik, 0x10, serving_network.to_bytes(), sqn_xor_ak)


def kenb(kasme_: bytes, uplink_nas_count: int) -> bytes:
    """Return KeNB for the uplink NAS COUNT (32 bits) of the message that asked for the radio bearers (A.3)."""
    return kdf(kasme_, 0x11, uplink_nas_count.to_bytes(4))


def nh(kasme_: bytes, sync_input: bytes) -> bytes:
    """Return the next hop key (A.4); `sync_input` is the new KeNB first, the previous NH then."""
    return kdf(kasme_, 0x12, sync_input)


def kenb_star(kenb_or_nh: bytes, pci: int, earfcn_dl: int) -> bytes:
    """Return KeNB*, the key for the target cell of a handover (A.5); EARFCN in 2 octets, in 3 above 65535."""
    return kdf(kenb_or_nh, 0x13, pci.to_bytes(2), earfcn_dl.to_bytes(2 if earfcn_dl < 0x10000 else 3))


def algorithm_key(key: bytes, kind: AlgorithmType, algorithm: int) -> bytes:
    """Return the 128-bit key of one algorithm, from KASME for NAS and from KeNB for RRC and user plane (A.7)."""
    return kdf(key, 0x15, bytes([kind]), bytes([algorithm]))[16:]


def knas_enc(kasme_: bytes, algorithm: int) -> bytes:
    """Return KNASenc for an EEA number (A.7)."""
    return algorithm_key(kasme_, AlgorithmType.NAS_ENC, algorithm)


def knas_int(kasme_: bytes, algorithm: int) -> bytes:
    """Return KNASint for an EIA number (A.7)."""
    return algorithm_key(kasme_, AlgorithmType.NAS_INT, algorithm)
