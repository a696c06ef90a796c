"""What Diameter costs: the codec alone, and AIR, ULR and ECR through both nodes with trace and durable store.

`-s` prints the figures. Nothing here fails for being slow: a machine may be.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hss_net
import pytest

from simwarden.runtime.loop import TestbedLoop
from simwarden.wire.diameter import application_id, check_request, decode, encode, request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ULR = request(
    "Update-Location-Request",
    [
        ("Session-Id", "mme.epc.mnc001.mcc001.3gppnetwork.org;1;2"),
        application_id(16777251),
        ("Auth-Session-State", 1),
        ("Origin-Host", "mme.epc.mnc001.mcc001.3gppnetwork.org"),
        ("Origin-Realm", "epc.mnc001.mcc001.3gppnetwork.org"),
        ("Destination-Realm", "epc.mnc001.mcc001.3gppnetwork.org"),
        ("User-Name", "001010000000001"),
        ("Terminal-Information", [("IMEI", "35000100000001"), ("Software-Version", "01")]),
        ("RAT-Type", 1004),
        ("ULR-Flags", 34),
        ("Visited-PLMN-Id", b"\x00\xf1\x10"),
    ],
)
WIRE = encode(ULR)


def report(what: str, rate: float) -> None:
    sys.stderr.write(f"\n{what}: {rate:,.0f}/s, {1e6 / rate:.1f} us")


@pytest.mark.parametrize(
    ("what", "work"),
    [
        ("decode ULR", lambda: decode(WIRE)),
        ("encode ULR", lambda: encode(ULR)),
        ("check ULR", lambda: check_request(ULR, (16777251,))),
    ],
)
def test_codec(what: str, work: Callable[[], Any]) -> None:
    best = 9.0
    for _ in range(5):
        start = time.process_time()
        for _ in range(3000):
            work()
        best = min(best, (time.process_time() - start) / 3000)
    report(what, 1 / best)


def _load(path: str) -> Any:
    source = Path(__file__).parents[1] / "unit" / "simulators" / path
    spec = importlib.util.spec_from_file_location(source.stem, source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[source.stem] = module
    spec.loader.exec_module(module)
    return module


async def _rate(work: Callable[[], Awaitable[Any]], number: int = 400) -> float:
    start = time.process_time()
    for _ in range(number):
        await work()
    return number / (time.process_time() - start)


def test_hss_and_eir() -> None:
    eir = _load("eir/test_eir.py")
    found: dict[str, float] = {}

    async def measure(loop: TestbedLoop) -> None:
        async with hss_net.Net(loop) as net:
            await net.provision(binding=hss_net.LEARN)
            await net.mme.ulr(hss_net.METER)
            found["AIR"] = await _rate(lambda: net.mme.air(("Number-Of-Requested-Vectors", 1)))
            found["ULR"] = await _rate(lambda: net.mme.ulr(hss_net.METER))
        async with eir.Net(loop) as other:
            found["ECR"] = await _rate(lambda: other.mme.ecr(eir.METER))

    with closing(TestbedLoop(virtual=True)) as loop:
        loop.run_until_complete(measure(loop))
    assert set(found) == {"AIR", "ULR", "ECR"}
    for what, rate in found.items():
        report(what, rate)
