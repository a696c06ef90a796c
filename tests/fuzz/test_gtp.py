"""Whatever octets come to a gateway, on either port: no fault, and no session for a number that is not dedicated."""

from __future__ import annotations

import random

import budget
import gateways
import mutation
import pytest
from gateways import Gateways
from scapy.contrib import gtp_v2 as scapy
from vectors import seeds

CASES = max(20, budget.WIRE_CASES // 200)
SHARES = 4


@pytest.mark.parametrize("share", range(SHARES))
def test_gateways_take_any_octets(share: int) -> None:
    rng = random.Random(f"{budget.SEED}/gateways/{share}")
    control, user = seeds("gtpv2/seeds.txt"), seeds("gtpu/seeds.txt")

    async def story(bench: Gateways) -> None:
        made = await bench.session()
        teids = [made["sender_f_teid"].teid, made["pgw_s5_f_teid"].teid]
        bench.mme.silent = True
        to = {name: bench.host.address_of(name, "S5-C")[0] for name in ("sgw", "pgw")}
        for _ in range(CASES):
            octets = mutation.gtpv2(rng, rng.choice(control), control)
            if rng.random() < 0.7 and len(octets) > 8:  # for a session that stands
                octets = octets[:4] + rng.choice(teids).to_bytes(4) + octets[8:]
            bench.mme.endpoint.send(octets, (to["sgw"], 2123))
            bench.sgw.core.node.endpoint.send(octets, (to["pgw"], 2123), on="S5-C")
            packet = mutation.gtpu(rng, rng.choice(user), user)
            bench.enb.endpoint.send(packet, (to["sgw"], 2152))
            bench.enb.endpoint.send_packets([packet], (to["sgw"], 2152))
            await bench.settle()
        await bench.host.clock.sleep(30)
        bench.mme.silent = False
        refused = await bench.mme.create(msisdn=scapy.IE_MSISDN(digits=b"8613800000001"))
        assert not refused.accepted
        assert (await bench.mme.create(imsi=scapy.IE_IMSI(IMSI=b"001010000000099"))).accepted

    gateways.play(story)
