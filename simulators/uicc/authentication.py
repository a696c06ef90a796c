"""The card's side of AKA: TS 33.102 6.3.3 and 6.3.5, sequence numbers by annex C.

SQN is SEQ (43 bits) and IND (5 bits). The card keeps the highest SEQ that it accepted for each IND (C.2.2), so that
vectors fetched by several nodes may be used out of order; a SEQ too far ahead of all others is refused (C.2.1).
"""

from __future__ import annotations

from array import array

from simulators.uicc.status_error import StatusError
from simwarden.machine import milenage
from simwarden.wire.apdu.authenticate import AuthenticateResponse
from simwarden.wire.apdu.status import StatusWord

_IND_BITS = 5
DELTA = 1 << 28
"""How far SEQ may jump (TS 33.102 C.3.2: 2^28 for profile 1)."""


class SequenceNumbers:
    """The array of SQN_MS. It is in non-volatile memory: nothing but a new card resets it."""

    __slots__ = ("_array", "_highest")

    def __init__(self) -> None:
        self._array = array("Q", bytes(8 << _IND_BITS))
        self._highest = 0

    def accept(self, sqn: int) -> bool:
        """Tell whether an SQN is fresh, and if so, keep it (C.2.2, with the limit of C.2.1)."""
        seq, ind = sqn >> _IND_BITS, sqn & (1 << _IND_BITS) - 1
        if seq <= self._array[ind] or seq - (self._highest >> _IND_BITS) > DELTA:
            return False
        self._array[ind] = seq
        self._highest = max(self._highest, sqn)
        return True

    @property
    def highest(self) -> int:
        """SQN_MS: the highest that was accepted, which AUTS tells the home network."""
        return self._highest


def authenticate(aka: bytes, rand: bytes, autn: bytes, numbers: SequenceNumbers) -> AuthenticateResponse:
    """Carry out AKA with K and OPc of EF.AKA. Raises StatusError: 98 62 for a wrong MAC, 69 84 for want of keys."""
    if aka[0] != 0x01:
        raise StatusError(StatusWord.REFERENCED_DATA_INVALIDATED)
    k, opc = aka[1:17], aka[17:33]
    res, ck, ik, ak = milenage.f2345(k, opc, rand)
    sqn = bytes(a ^ b for a, b in zip(autn[:6], ak, strict=True))
    mac, _ = milenage.f1(k, opc, rand, sqn, autn[6:8])
    if mac != autn[8:]:
        raise StatusError(StatusWord.AUTHENTICATION_ERROR_MAC)
    if numbers.accept(int.from_bytes(sqn, "big")):
        return AuthenticateResponse(res, ck, ik)
    return AuthenticateResponse(auts=_auts(k, opc, rand, numbers.highest))


def _auts(k: bytes, opc: bytes, rand: bytes, highest: int) -> bytes:
    """Return SQN_MS xor AK*, and MAC-S over AMF 0000 (TS 33.102 6.3.3)."""
    sqn = highest.to_bytes(6, "big")
    _, mac_s = milenage.f1(k, opc, rand, sqn, b"\x00\x00")
    ak = milenage.f5_star(k, opc, rand)
    return bytes(a ^ b for a, b in zip(sqn, ak, strict=True)) + mac_s
