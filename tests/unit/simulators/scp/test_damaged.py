"""Damaged octets never let a call through that a rule refuses, and never end in a fault; later calls are as before."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from scripted_ssp import E, originating, terminating
from voice_bench import IMSI, LISTED, MSISDN, UNLISTED, VOICE, VoiceBench

from simwarden.wire import cap
from simwarden.wire.isup import Number

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
LET_THROUGH = {"connect", "continue", "continueWithArgument"}


def damaged(octets: bytes, rng: random.Random, count: int) -> Iterator[bytes]:
    """Yield octets of which some were changed, cut off or doubled."""
    for _ in range(count):
        out = bytearray(octets)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(out))
            match rng.randrange(4):
                case 0:
                    out[at] = rng.randrange(256)
                case 1:
                    out[at] ^= 1 << rng.randrange(8)
                case 2:
                    del out[at:]
                    out += b"\0"
                case 3:
                    out[at:at] = out[at : at + rng.randrange(8)]
        yield bytes(out)


async def test_of_a_call_that_is_refused() -> None:
    rng = random.Random(1)
    async with VoiceBench() as net:
        await net.provision()
        for asked in (
            originating(IMSI, UNLISTED, own=MSISDN),
            terminating(IMSI, MSISDN, Number("861065800013", screening=3)),
        ):
            octets = cap.CAP_USER.encode_argument(cap.INITIAL_DP, asked)
            for each in damaged(octets, rng, 300):
                call = net.ssp.ask_octets(each)
                await net.settle()
                assert not LET_THROUGH & set(call.names()), each.hex()
                assert call.end, each.hex()
        assert net.scp.census() == {"directed_calls": 0}
        assert (await net.dial(LISTED)).names()[-1] == "connect"


async def test_in_mid_call() -> None:
    rng = random.Random(2)
    told = (
        (cap.EVENT_REPORT_BCSM, cap.EventReportBCSM(E.O_ANSWER, misc_call_info=cap.Misc(cap.EventMode.NOTIFICATION))),
        (cap.APPLY_CHARGING_REPORT, cap.ApplyChargingReport(cap.CallResult(1, 600))),
    )
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 3})
        for operation, argument in told:
            octets = cap.CAP_USER.encode_argument(operation, argument)
            for each in damaged(octets, rng, 100):
                call = await net.dial(LISTED)
                if call.cause is not None:  # what was told before has used up the quota
                    assert await net.used() >= 180
                    net.scp.core.store.charge(IMSI, net.scp.core.month, units=-net.scp.core.store.used(IMSI, "2026-03"))
                    call = await net.dial(LISTED)
                call.say_octets(operation, each)
                await net.settle()
                if not call.end:
                    call.abort()
                await net.settle()
                assert net.scp.census() == {"directed_calls": 0}, each.hex()
