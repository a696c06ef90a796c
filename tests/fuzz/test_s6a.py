"""Whatever octets reach S6a: a bound card stays refused elsewhere, its binding stays, and service goes on."""

from __future__ import annotations

import random
from typing import Any

import pytest

from simulators.hss.element import Hss
from simwarden.model.identity import Imei
from simwarden.testing import Bench, ScriptedMme
from simwarden.testing.diameter import PLMN
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Frame, PeerFault
from simwarden.wire.diameter import encode
from simwarden.wire.diameter.codec import HEADER_LENGTH

IMSI = "001010000000017"
METER, PHONE = "99000101000001", "86543299876543"
CASES = 1500


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Change, cut out, repeat or insert octets; mostly the length in the header is put right, so that it is read."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(out))
        match rng.randrange(5):
            case 0:
                out[at] = rng.randrange(256)
            case 1:
                out[at] ^= 1 << rng.randrange(8)
            case 2:
                del out[at : at + rng.choice((1, 4, 8, 16))]
            case 3:
                out[at:at] = rng.randbytes(rng.choice((1, 4, 12)))
            case 4:
                out[at:at] = out[at : at + rng.choice((4, 8, 24))]
        if len(out) <= HEADER_LENGTH:
            out += bytes(HEADER_LENGTH)
    if rng.random() < 0.9:
        out += bytes(-len(out) % 4)
        out[:4] = (1 << 24 | len(out)).to_bytes(4, "big")
    return bytes(out)


@pytest.mark.parametrize("name", ["Update-Location-Request", "Notify-Request"])
async def test_no_octets_admit_the_wrong_terminal(bench: Bench, name: str) -> None:
    bench.subject = "hss"
    bench.add("hss", Hss)
    mme = bench.add("mme", ScriptedMme, {"hss": "hss", "imsi": IMSI})
    rng = random.Random(name)
    more = [("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", PLMN.to_bytes())]

    async def send(data: bytes) -> None:
        if not mme.node.peers:
            await mme.node.connect("S6a", "hss")
        mme.node._connections[0].link.send(data)
        await bench.settle()

    async with bench:
        body: dict[str, Any] = {"name": "card", "imsi": IMSI, "iccid": "1", "msisdn": "1440000000001"}
        body |= {"k": "00" * 16, "opc": "11" * 16}
        body |= {"profile": "meter", "form": "plug-in", "sections": {"binding": [{"by": "hss", "imei": METER}]}}
        await bench.call("PUT", f"/cards/{IMSI}", body)
        assert (await mme.ulr(METER)).success
        before = len(bench.trace.events)
        for _ in range(CASES):
            asked = mme.make(name, *(more if name.startswith("Update") else []), terminal=PHONE)
            await send(mutate(rng, encode(asked)))
        sent = [e for e in bench.trace.events[before:] if isinstance(e, Frame) and e.source == "hss"]
        updates = [d for d in map(dissect, sent) if d.name == "update-location-answer"]
        assert not [d for d in updates if d.fields.get("result_code") == 2001]
        held = await bench.call("GET", f"/cards/{IMSI}")
        assert held["binding"] == {"how": "given", "imei": Imei(METER).imei}
        assert held["terminal"] == Imei(METER).imei
        assert (await mme.ulr(METER)).success
        assert (await mme.ulr(PHONE)).experimental_result == 5001
    assert len(bench.of(PeerFault)) > CASES / 4
