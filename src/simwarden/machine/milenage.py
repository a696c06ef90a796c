"""Milenage: the authentication functions of a USIM and of its home network (TS 35.205, TS 35.206).

The constants are the standard ones of TS 35.206 4.1 (r1..r5 = 64, 0, 32, 64, 96; c1..c5 = 0, 1, 2, 4, 8). Lengths: K,
OP, OPc and RAND 16 octets, SQN 6, AMF 2. A wrong length raises ValueError: keys come from our own files, not a peer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCK_MASK = (1 << 128) - 1


@lru_cache(maxsize=1024)
def _aes(k: bytes) -> Callable[[bytes], bytes]:
    # Setting up the cipher costs three times as much as a block. ECB over whole blocks keeps no state between calls.
    return Cipher(algorithms.AES128(k), modes.ECB()).encryptor().update  # noqa: S305 - the block cipher itself


def _int(octets: bytes, length: int, what: str) -> int:
    if len(octets) != length:
        raise ValueError(f"{what} has {length} octets, not {len(octets)}")
    return int.from_bytes(octets)


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (128 - bits))) & _BLOCK_MASK


def _temp(k: bytes, opc: int, rand: bytes) -> int:
    return int.from_bytes(_aes(k)((_int(rand, 16, "RAND") ^ opc).to_bytes(16)))


def opc_from_op(k: bytes, op: bytes) -> bytes:
    """Return OPc, the operator's variant bound to one card: OP xor E[OP]_K (TS 35.206 4.1)."""
    return (_int(op, 16, "OP") ^ int.from_bytes(_aes(k)(op))).to_bytes(16)


def f1(k: bytes, opc: bytes, rand: bytes, sqn: bytes, amf: bytes) -> tuple[bytes, bytes]:
    """Return MAC-A (f1, of a challenge) and MAC-S (f1*, of a resynchronisation), 8 octets each.

    For MAC-S the AMF is 0000 (TS 33.102 6.3.3).
    """
    key = _int(opc, 16, "OPc")
    half = _int(sqn, 6, "SQN") << 16 | _int(amf, 2, "AMF")
    in1 = half << 64 | half
    out1 = _aes(k)((_temp(k, key, rand) ^ _rotate(in1 ^ key, 64)).to_bytes(16))
    mac = (int.from_bytes(out1) ^ key).to_bytes(16)
    return mac[:8], mac[8:]


def f2345(k: bytes, opc: bytes, rand: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return RES (8 octets), CK (16), IK (16) and the anonymity key AK (6)."""
    key = _int(opc, 16, "OPc")
    temp = _temp(k, key, rand) ^ key
    inputs = temp ^ 1, _rotate(temp, 32) ^ 2, _rotate(temp, 64) ^ 4
    blocks = _aes(k)(b"".join([value.to_bytes(16) for value in inputs]))
    out2 = (int.from_bytes(blocks[:16]) ^ key).to_bytes(16)
    ck = (int.from_bytes(blocks[16:32]) ^ key).to_bytes(16)
    ik = (int.from_bytes(blocks[32:]) ^ key).to_bytes(16)
    return out2[8:], ck, ik, out2[:6]


def f5_star(k: bytes, opc: bytes, rand: bytes) -> bytes:
    """Return AK* (6 octets), which conceals SQN_MS in a resynchronisation (AUTS)."""
    key = _int(opc, 16, "OPc")
    out5 = _aes(k)((_rotate(_temp(k, key, rand) ^ key, 96) ^ 8).to_bytes(16))
    return (int.from_bytes(out5) ^ key).to_bytes(16)[:6]
