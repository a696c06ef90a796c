"""Whatever octets reach S6a: a bound card stays refused elsewhere, its binding stays, and service goes on."""

from __future__ import annotations

import random
from typing import Any

import pytest

from simulators.hss.config import HssConfig
from simulators.hss.element import Hss
from simwarden.model.identity import Imei, Plmn
from simwarden.operations.element import Element
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Fault, Frame, PeerFault
from simwarden.trace.trace import Trace
from simwarden.wire.diameter import Message, encode
from simwarden.wire.diameter.codec import HEADER_LENGTH

PLMN = Plmn.parse("001-01")
IMSI = "001010000000017"
METER, PHONE = "99000101000001", "86543299876543"
CASES = 1500


class Mme(Element[ElementConfig]):
    """Keeps a connection to the HSS."""

    declaration = Declaration(kind="mme", title="MME", lane=1, config=ElementConfig, starts_after=("hss",))

    async def start(self) -> None:
        self.node = DiameterNode(self.site, LocalNode(f"mme.{PLMN.realm}", PLMN.realm), {"S6a": {}})
        await self.node.connect("S6a", "hss")

    async def stop(self) -> None:
        await self.node.stop()

    def make(self, name: str, terminal: str) -> Message:
        inner = [("IMEI", terminal), ("Software-Version", "01")]
        avps: list[tuple[str, Any]] = [("User-Name", IMSI), ("Terminal-Information", inner)]
        if name.startswith("Update"):
            avps += [("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", PLMN.to_bytes())]
        return self.node.make(name, avps, realm=PLMN.realm)


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
def test_no_octets_admit_the_wrong_terminal(name: str) -> None:
    loop = TestbedLoop(virtual=True)
    clock = Clock(loop)
    host = Host(loop, clock, Trace(clock.now), HostSettings())
    hss: Any = host.add("hss", Hss, HssConfig())
    mme: Any = host.add("mme", Mme, ElementConfig())
    rng = random.Random(name)

    async def send(data: bytes) -> None:
        if not mme.node.peers:
            await mme.node.connect("S6a", "hss")
        link = mme.node._connections[0].link
        link.send(data)
        await clock.settle()

    async def story() -> None:
        await host.start_all()
        body: dict[str, Any] = {"name": "card", "imsi": IMSI, "iccid": "1", "msisdn": "1440000000001"}
        body |= {"k": "00" * 16, "opc": "11" * 16}
        body |= {"profile": "meter", "form": "plug-in", "sections": {"binding": [{"by": "hss", "imei": METER}]}}
        await hss.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", body)
        assert (await mme.node.ask("hss", mme.make("Update-Location-Request", METER))).success
        before = len(host.trace.events)
        for _ in range(CASES):
            await send(mutate(rng, encode(mme.make(name, PHONE))))
        sent = [e for e in host.trace.events[before:] if isinstance(e, Frame) and e.source == "hss"]
        updates = [d for d in map(dissect, sent) if d.name == "update-location-answer"]
        assert not [d for d in updates if d.fields.get("result_code") == 2001]
        held = await hss.manage(Role.OPERATOR, "GET", f"/cards/{IMSI}")
        assert held["binding"] == {"how": "given", "imei": Imei(METER).imei}
        assert held["terminal"] == Imei(METER).imei
        assert (await mme.node.ask("hss", mme.make("Update-Location-Request", METER))).success
        assert (await mme.node.ask("hss", mme.make("Update-Location-Request", PHONE))).experimental_result == 5001
        await host.close()

    try:
        loop.run_until_complete(story())
    finally:
        loop.close()
    assert [e.reason for e in host.trace.events if isinstance(e, Fault)] == []
    assert len([e for e in host.trace.events if isinstance(e, PeerFault)]) > CASES / 4
