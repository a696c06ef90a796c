"""SNOW 3G, and what 128-EEA1 and 128-EIA1 make of it (TS 35.216; TS 35.215, which TS 33.401 B.1.2 and B.2.2 name).

The S-boxes and the multiplications of the shift register are computed from their definitions, once, as tables.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

_WORD = 0xFFFFFFFF
_ALPHA = 0xA9
"""What the field of the shift register's octets is reduced by."""


class _Tables(NamedTuple):
    """Each of an octet: its part of S1 and S2 by the place of the octet, and of the products with alpha and 1/alpha."""

    s1: tuple[tuple[int, ...], ...]
    s2: tuple[tuple[int, ...], ...]
    times: tuple[int, ...]
    over: tuple[int, ...]


def _double(value: int, by: int) -> int:
    return (value << 1 ^ by) & 0xFF if value & 0x80 else value << 1


def _times_power(value: int, power: int, by: int = _ALPHA) -> int:
    for _ in range(power):
        value = _double(value, by)
    return value


def _product(one: int, other: int, by: int) -> int:
    result = 0
    for bit in range(8):
        if other >> bit & 1:
            result ^= _times_power(one, bit, by)
    return result


def _power(value: int, exponent: int, by: int) -> int:
    result = 1
    for _ in range(exponent):
        result = _product(result, value, by)
    return result


def _rijndael(value: int) -> int:
    """Return what the S-box SR makes of an octet: its inverse, and the affine map of AES (TS 35.216 3.3.1)."""
    result, inverse = 0x63, _power(value, 254, 0x1B)
    for turn in range(5):
        result ^= (inverse << turn | inverse >> 8 - turn) & 0xFF
    return result


def _dickson(value: int) -> int:
    """Return what the S-box SQ makes of an octet: a Dickson polynomial (TS 35.216 3.3.2)."""
    result = 0x25
    for exponent in (1, 9, 13, 15, 33, 41, 45, 47, 49):
        result ^= _power(value, exponent, 0x69)
    return result


def _spread(boxed: tuple[int, ...], by: int) -> tuple[tuple[int, ...], ...]:
    """Return the columns of the mixing after an S-box (as in AES): of each place, a word for each octet."""
    columns = []
    for place in range(4):
        words = []
        for octet in boxed:
            twice = _double(octet, by)
            column = (twice, twice ^ octet, octet, octet)
            words.append(sum(column[(row - place) % 4] << 24 - 8 * row for row in range(4)))
        columns.append(tuple(words))
    return tuple(columns)


@cache
def _tables() -> _Tables:
    octets = range(256)

    def powers(*exponents: int) -> tuple[int, ...]:
        return tuple(sum(_times_power(c, e) << 24 - 8 * i for i, e in enumerate(exponents)) for c in octets)

    return _Tables(
        _spread(tuple(map(_rijndael, octets)), 0x1B),
        _spread(tuple(map(_dickson, octets)), 0x69),
        powers(23, 245, 48, 239),
        powers(16, 39, 6, 64),
    )


def _substitute(columns: tuple[tuple[int, ...], ...], word: int) -> int:
    first, second, third, fourth = columns
    return first[word >> 24] ^ second[word >> 16 & 0xFF] ^ third[word >> 8 & 0xFF] ^ fourth[word & 0xFF]


def keystream(key: bytes, iv: bytes, words: int) -> list[int]:
    """Return words of the keystream of a key and an initialisation variable of 16 octets each (TS 35.216 4)."""
    tables = _tables()
    k3, k2, k1, k0 = (int.from_bytes(key[at : at + 4]) for at in range(0, 16, 4))
    iv3, iv2, iv1, iv0 = (int.from_bytes(iv[at : at + 4]) for at in range(0, 16, 4))
    n0, n1, n2, n3 = (each ^ _WORD for each in (k0, k1, k2, k3))
    s = [n0, n1, n2, n3, k0, k1, k2, k3, n0, n1 ^ iv3, n2 ^ iv2, n3, k0 ^ iv1, k1, k2, k3 ^ iv0]
    r1 = r2 = r3 = 0
    made = []
    for clock in range(33 + words):  # 32 to mix, one whose output is discarded
        out = (s[15] + r1 & _WORD) ^ r2
        r1, r2, r3 = (
            r2 + (r3 ^ s[5]) & _WORD,
            _substitute(tables.s1, r1),
            _substitute(tables.s2, r2),
        )
        if clock > 32:
            made.append(out ^ s[0])
        fed = (s[0] << 8 & _WORD) ^ tables.times[s[0] >> 24] ^ s[2] ^ s[11] >> 8 ^ tables.over[s[11] & 0xFF]
        s.append(fed ^ out if clock < 32 else fed)
        del s[0]
    return made


def uea2(key: bytes, count: int, bearer: int, direction: int, message: bytes) -> bytes:
    """Cipher or decipher (TS 35.215 3); 128-EEA1 is the same (TS 33.401 B.1.2)."""
    iv = (count << 32 | bearer << 27 | direction << 26).to_bytes(8) * 2
    stream = keystream(key, iv, -(-len(message) // 4))
    octets = b"".join(word.to_bytes(4) for word in stream)
    return bytes(one ^ other for one, other in zip(message, octets, strict=False))


def uia2(key: bytes, count: int, fresh: int, direction: int, message: bytes) -> bytes:
    """Return the MAC of a message (TS 35.215 4); 128-EIA1 has the bearer for FRESH (TS 33.401 B.2.2)."""
    bits = 8 * len(message)
    words = (count, fresh, count ^ direction << 31, fresh ^ direction << 15)
    z = keystream(key, b"".join(word.to_bytes(4) for word in words), 5)
    p, q = z[0] << 32 | z[1], z[2] << 32 | z[3]
    value = 0
    for at in range(0, len(message), 8):
        value = _multiply(value ^ int.from_bytes(message[at : at + 8].ljust(8, b"\0")), p)
    value = _multiply(value ^ bits, q)
    return (value >> 32 ^ z[4]).to_bytes(4)


def _multiply(one: int, other: int) -> int:
    """Multiply in the field of 2^64 that x^64 + x^4 + x^3 + x + 1 makes."""
    result = 0
    for bit in range(63, -1, -1):
        result <<= 1
        if result >> 64:
            result = result & 0xFFFFFFFFFFFFFFFF ^ 0x1B
        if other >> bit & 1:
            result ^= one
    return result
