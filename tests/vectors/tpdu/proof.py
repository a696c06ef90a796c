"""TPDUs, against pycrate."""

from __future__ import annotations

from pathlib import Path

import mutation
from vectors import Octets, Proof, load

from simwarden.errors import PeerError
from simwarden.wire import sms


def _sms(data: bytes) -> None:
    """Read octets as what a mobile sends, and as what it gets; what was read is written, and read again alike."""
    read = 0
    for from_mobile in (True, False):
        try:
            tpdu = sms.decode(data, from_mobile=from_mobile)
        except PeerError:
            continue
        assert sms.decode(sms.encode(tpdu), from_mobile=from_mobile) == tpdu
        sms.dissect(data, from_mobile=from_mobile)
        read += 1
    if not read:
        raise PeerError("neither")


PROOF = Proof(
    {"tpdu": Octets("tpdu/seeds.txt", mutation.mutate, (_sms,), 8)},
    lambda: {each.name for each in sms.TYPES},
    lambda: {each.name for _, _, each in load(Path(__file__).with_name("test_pycrate.py")).TPDUS.values()},
)
