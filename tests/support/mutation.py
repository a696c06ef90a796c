"""Changes to octets, from blind ones to ones that know where a family keeps its lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

_EDGES = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
_RUNS = (1, 1, 2, 4, 8, 16)


def mutate(rng: random.Random, data: bytes, others: Sequence[bytes] = (), *, keep: int = 0) -> bytes:
    """Change octets in one to five places, but none of the first `keep`; `others` lend pieces of theirs."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(keep, len(out)) if len(out) > keep else len(out)
        rng.choice(_CHANGES)(rng, out, at, others)
    return bytes(out)


def _octet(rng: random.Random, out: bytearray, at: int, _others: Sequence[bytes]) -> None:
    out[at : at + 1] = bytes([rng.randrange(256)])


def _bit(rng: random.Random, out: bytearray, at: int, _others: Sequence[bytes]) -> None:
    if at < len(out):
        out[at] ^= 1 << rng.randrange(8)


def _edge(rng: random.Random, out: bytearray, at: int, _others: Sequence[bytes]) -> None:
    out[at : at + 1] = bytes([rng.choice(_EDGES)])


def _step(rng: random.Random, out: bytearray, at: int, _others: Sequence[bytes]) -> None:
    """Count up or down by a little: lengths and numbers that are just wrong."""
    if at < len(out):
        out[at] = (out[at] + rng.choice((-4, -1, 1, 4))) % 256


def _cut(rng: random.Random, out: bytearray, at: int, _others: Sequence[bytes]) -> None:
    del out[at : at + rng.choice(_RUNS)]


def _end(_rng: random.Random, out: bytearray, at: int, _others: Sequence[bytes]) -> None:
    del out[at:]


def _insert(rng: random.Random, out: bytearray, at: int, _others: Sequence[bytes]) -> None:
    out[at:at] = rng.randbytes(rng.choice(_RUNS))


def _repeat(rng: random.Random, out: bytearray, at: int, _others: Sequence[bytes]) -> None:
    piece = out[at : at + rng.choice((1, 2, 4, 12, 40))]
    out[at:at] = piece * rng.choice((1, 1, 2, 20))


def _splice(rng: random.Random, out: bytearray, at: int, others: Sequence[bytes]) -> None:
    if others:
        other = rng.choice(others)
        start = rng.randrange(len(other) + 1)
        out[at : at + rng.choice((0, 4, len(out)))] = other[start : start + rng.choice((4, 12, 60, len(other)))]


_CHANGES: tuple[Callable[[random.Random, bytearray, int, Sequence[bytes]], None], ...] = (
    _octet,
    _bit,
    _bit,
    _edge,
    _step,
    _cut,
    _end,
    _insert,
    _repeat,
    _splice,
)


def diameter(rng: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Change a Diameter message: octets of its AVPs, or whole AVPs; its header's length is then mostly put right."""
    out = _avps(rng, data) if rng.random() < 0.5 else mutate(rng, data, others, keep=rng.choice((0, 20)))
    if rng.random() < 0.9:
        out += bytes(-len(out) % 4) if len(out) >= 20 else bytes(20 - len(out))
        out = (1 << 24 | len(out) & 0xFFFFFF).to_bytes(4) + out[4:]
    return out


def split_avps(data: bytes) -> list[bytes]:
    """Cut well-formed AVPs, padding included, from one another."""
    found, at = [], 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 5 : at + 8])
        end = at + max(8, length + -length % 4)
        found.append(data[at:end])
        at = end
    return found


def _avps(rng: random.Random, data: bytes) -> bytes:
    """Drop, repeat, move, rename or empty an AVP at any depth that is met, or change its flags or value."""
    avps = split_avps(data[20:])
    if not avps:
        return data
    at = rng.randrange(len(avps))
    avp = avps[at]
    start = 12 if avp[4] & 0x80 else 8
    match rng.randrange(8):
        case 0:
            avps.pop(at)
        case 1:
            avps.insert(rng.randrange(len(avps) + 1), avp)
        case 2:
            avps.insert(rng.randrange(len(avps)), avps.pop(at))
        case 3:
            code = int.from_bytes(rng.choice(avps)[:4]) if rng.random() < 0.5 else rng.randrange(3000)
            avps[at] = code.to_bytes(4) + avp[4:]
        case 4:
            avps[at] = avp[:4] + bytes([avp[4] ^ rng.choice((0x80, 0x40, 0x20, 0x01))]) + avp[5:]
        case 5:
            avps[at] = _sized(avp[:start], b"")
        case 6:
            avps[at] = _sized(avp[:start], mutate(rng, avp[start : int.from_bytes(avp[5:8])]))
        case 7:
            inner = avp[start : int.from_bytes(avp[5:8])]
            changed = _avps(rng, bytes(20) + inner)[20:] if len(inner) >= 8 else inner + rng.randbytes(4)
            avps[at] = _sized(avp[:start], changed)
    return data[:20] + b"".join(avps)


def _sized(head: bytes, value: bytes) -> bytes:
    length = len(head) + len(value)
    return head[:5] + (length & 0xFFFFFF).to_bytes(3) + head[8:] + value + bytes(-length % 4)


def uu(rng: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Change a frame of the radio; its length is mostly put right."""
    out = mutate(rng, data, others, keep=rng.choice((0, 3, 3)))
    if rng.random() < 0.8 and len(out) >= 3:
        out = out[:1] + (len(out) - 3 & 0xFFFF).to_bytes(2) + out[3:]
    return out


def aper(rng: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Change an S1AP or X2AP message of under 128 octets inside; its outer length is mostly put right."""
    out = mutate(rng, data, others, keep=rng.choice((0, 4, 7)))
    if rng.random() < 0.7 and len(out) >= 4:
        if data[3] < 0x80 and len(out) - 4 < 0x80:
            out = out[:3] + bytes([len(out) - 4]) + out[4:]
        elif len(out) > 5:
            out = out[:3] + (0x8000 | (len(out) - 5) & 0x3FFF).to_bytes(2) + out[5:]
    return out


def gtpv2(rng: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Change a GTPv2-C message: octets of its elements or of its header; its length is mostly put right."""
    out = mutate(rng, data, others, keep=rng.choice((0, 4, 8, 12)))
    if rng.random() < 0.9 and len(out) >= 4:
        out = out[:2] + (len(out) - 4 & 0xFFFF).to_bytes(2) + out[4:]
    return out


def gtpu(rng: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Change a GTP-U message; its length is mostly put right."""
    out = mutate(rng, data, others, keep=rng.choice((0, 1, 4)))
    if rng.random() < 0.9 and len(out) >= 8:
        out = out[:2] + (len(out) - 8 & 0xFFFF).to_bytes(2) + out[4:]
    return out
