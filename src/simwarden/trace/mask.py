"""Octets of frames with the keys in them zeroed, their length unchanged.

KASME, KeNB, next hops, CK, IK, PINs and files of keys are on real wires too, so the trace has them; no view shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simwarden.trace.events import Frame

_PIN_INSTRUCTIONS = frozenset({0x20, 0x24, 0x26, 0x28, 0x2C})
_AUTHENTICATED = b"\xdb"


def masked(frame: Frame) -> bytes:
    """Return a frame's octets without keys. Malformed octets stay as they are: no element took a key from them."""
    return masked_octets(frame.data, frame.protocol)


def masked_octets(data: bytes, protocol: str) -> bytes:
    """Return octets of a wire family without keys, as `masked` does."""
    mask = _MASKS.get(protocol)
    return mask(data) if mask else data


def _diameter(data: bytes) -> bytes:
    from simwarden.wire.diameter import mask_keys  # noqa: PLC0415 - a family is loaded when a frame of it is read

    return mask_keys(data)


def _s1ap(data: bytes) -> bytes:
    from simwarden.wire.s1ap import decode  # noqa: PLC0415 - as above

    try:
        ies = decode(data).ies
    except PeerError:
        return data
    # Both elements are octet-aligned bit strings of 256 bits: their octets stand in the message as they are.
    for name, part in (("security_key", ""), ("security_context", "next_hop_parameter")):
        value = ies.get(name)
        key = getattr(value, part) if part and value is not None else value
        if key:
            data = data.replace(bytes(key), bytes(len(key)))
    return data


def _apdu(data: bytes) -> bytes:
    from simwarden.wire.apdu.dissect import MASK, shown  # noqa: PLC0415 - as above

    octets = bytearray(data)
    if data[:1] == _AUTHENTICATED:
        for start, stop in _session_keys(data):
            octets[start:stop] = bytes(stop - start)
    elif len(data) > 5 and data[1] in _PIN_INSTRUCTIONS and data[4] <= len(data) - 5:
        octets[5 : 5 + data[4]] = bytes(data[4])
    else:
        # The content of a file: what a command's fifth octet counts, or all before the status word of a response.
        behind = 5 + data[4] if len(data) > 5 and data[4] in (len(data) - 5, len(data) - 6) else 0
        for start, stop in ((5, behind), (0, len(data) - 2)):
            if stop > start and shown(data[start:stop]) == MASK:
                octets[start:stop] = bytes(stop - start)
                break
    return bytes(octets)


def _session_keys(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where CK, IK and Kc stand in a response to AUTHENTICATE (TS 31.102 7.1.2.1): all values but the first."""
    at = 1
    first = True
    while at < len(data):
        stop = min(at + 1 + data[at], len(data))
        if not first and data[at] >= 8 and stop == at + 1 + data[at]:
            yield at + 1, stop
        first = False
        at = stop


def _x2(data: bytes) -> bytes:
    from simwarden.wire.x2 import decode  # noqa: PLC0415 - as above

    try:
        context = decode(data).get("ue_context_information")
    except PeerError:
        return data
    key = context.as_security_information.key_enodeb_star if context is not None else b""
    return data.replace(key, bytes(len(key))) if key else data


def _mqtt(data: bytes) -> bytes:
    from simwarden.wire.mqtt import mask_password  # noqa: PLC0415 - as above

    return mask_password(data)


_MASKS: dict[str, Callable[[bytes], bytes]] = {
    "apdu": _apdu,
    "diameter": _diameter,
    "mqtt": _mqtt,
    "s1ap": _s1ap,
    "x2": _x2,
}
