"""Milenage of libosmocore agrees with ours on a thousand random keys, challenges and resynchronisations."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import osmo
import pytest

from simwarden.machine import milenage

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not osmo.AUC_GEN, reason="osmo-auc-gen is not installed (apt install libosmocore-utils)"),
]


def xored(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def disagreement(seed: int) -> str:
    """Compare one random card: a challenge, and the resynchronisation that follows; tell what differs."""
    dice = random.Random(seed)
    k, opc, rand = (dice.randbytes(16) for _ in range(3))
    sqn, amf = dice.randbytes(6), dice.randbytes(2)
    theirs = osmo.quintuple(k, opc, rand, sqn=int.from_bytes(sqn), amf=amf.hex())
    res, ck, ik, ak = milenage.f2345(k, opc, rand)
    mac, _ = milenage.f1(k, opc, rand, sqn, amf)
    ours = {"RES": res, "CK": ck, "IK": ik, "AUTN": xored(sqn, ak) + amf + mac}
    wrong = [name for name, value in ours.items() if theirs[name] != value.hex()]
    _, mac_s = milenage.f1(k, opc, rand, sqn, b"\0\0")
    auts = xored(sqn, milenage.f5_star(k, opc, rand)) + mac_s
    if int(osmo.quintuple(k, opc, rand, auts=auts)["SQN.MS"]) != int.from_bytes(sqn):
        wrong.append("AUTS")
    return f"seed {seed}: {', '.join(wrong)}" if wrong else ""


def test_a_thousand_random_cards() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert [found for found in pool.map(disagreement, range(1000)) if found] == []


def test_it_would_show_a_difference() -> None:
    k, opc, rand = bytes(16), bytes(16), bytes(16)
    assert osmo.quintuple(k, opc, rand)["RES"] != milenage.f2345(k, b"\1" + bytes(15), rand)[0].hex()
