"""What a whole attach costs in CPU time, in all elements together, and where it goes; `-s` prints the figures.

Each attach is a first one, with authentication, security mode, equipment check and location update, from the terminal
that reads its card to ATTACH COMPLETE, with the full trace, on memory links. The bound is the product's own.
"""

from __future__ import annotations

import cProfile
import gc
import importlib.util
import pstats
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import figures
import stub_gateways

from simwarden.model.identity import luhn_digit
from simwarden.operations.management import Role
from simwarden.runtime.loop import TestbedLoop

ROOT = Path(__file__).parents[2]
DEVICES = 150


def _stage() -> Any:
    """The network of the end-to-end tests."""
    path = ROOT / "tests" / "unit" / "simulators" / "test_attach_end_to_end.py"
    spec = importlib.util.spec_from_file_location("attach_end_to_end", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def _make_devices(stage: Any, network: Any, sections: dict[str, Any]) -> None:
    await network.start()
    for number in range(DEVICES):
        imsi = f"00101{number + 100:010d}"
        own = {"imsi": imsi, "iccid": f"8900101{number + 100:012d}", "msisdn": f"144{number + 100:010d}"}
        body = {**stage.CARD, "name": f"card{number}", **own}
        for name in ("hss", "eir", "mme", f"card{number}"):
            told = {**body, "sections": sections.get(name, {})}
            await network.host.elements[name].manage(Role.OPERATOR, "PUT", f"/cards/{imsi}", told)
        await network.do(f"device{number}", "insert", card=f"card{number}", into=f"device{number}")


def _network(stage: Any, loop: TestbedLoop, mme: dict[str, Any]) -> Any:
    network = stage.Network(loop, "memory", mme=mme)
    for number in range(DEVICES):
        key = f"86990100{number + 100:06d}"
        network.add(f"card{number}", stage.Uicc)
        network.add(f"device{number}", stage.Device, {"imei": key + luhn_digit(key), "type": "module"})
    return network


def _rooms(profile: cProfile.Profile) -> Counter[str]:
    """Seconds by room: the first parts of a file's path, the standard library as one, the interpreter as another."""
    spent: Counter[str] = Counter()
    for (file, _line, _name), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if file.startswith(str(ROOT)) and ".venv" not in file:
            parts = Path(file).relative_to(ROOT).parts
            room = "/".join(parts[1:4] if parts[0] == "src" else parts[:2])
        else:
            room = "interpreter" if file == "~" else "libraries" if ".venv" in file else "standard library"
        spent[room] += own
    return spent


def _measure(
    profile: cProfile.Profile | None = None,
    *,
    mme: dict[str, Any] | None = None,
    sections: dict[str, Any] | None = None,
    stub: bool = False,
) -> float:
    """`stub`: without gateways, which are a stub in the MME."""
    stage, loop = _stage(), TestbedLoop(virtual=True)
    network = _network(stage, loop, mme or {})

    async def story() -> float:
        await _make_devices(stage, network, sections or {})
        if stub:
            stub_gateways.put(network.host.elements["mme"])
        await network.do("device0", "power_on", device="device0")
        start = time.process_time()
        if profile is not None:
            profile.enable()
        for number in range(1, DEVICES):
            assert await network.do(f"device{number}", "power_on", device=f"device{number}") == "accepted"
        if profile is not None:
            profile.disable()
        spent = time.process_time() - start
        await network.host.close()
        return spent / (DEVICES - 1) * 1000

    try:
        return loop.run_until_complete(story())
    finally:
        loop.close()


def test_an_attach_in_all_elements() -> None:
    best = min(_measure() for _ in range(3))
    profile = cProfile.Profile()
    _measure(profile)
    rooms = _rooms(profile)
    whole = sum(rooms.values())
    figures.tell("a first attach in all elements, full trace", f"{best:.2f} ms")
    sys.stderr.write("\n")
    for room, seconds in rooms.most_common(18):
        sys.stderr.write(f"  {seconds / whole:6.1%}  {best * seconds / whole * 1000:6.0f} us  {room}\n")


def test_what_a_session_adds() -> None:
    spent = {True: 1000.0, False: 1000.0}
    for _ in range(5):
        for stub in (True, False):  # in turn, as below
            gc.collect()
            spent[stub] = min(spent[stub], _measure(stub=stub))
    figures.tell("the same, beside one on a stub of the gateways", f"{spent[False] / spent[True]:.2f} times")


def test_the_check_of_areas_at_an_attach() -> None:
    area = {"cells": ["001-01-0000101"], "stations": 3, "province": "east"}
    sections = {"mme": {"area": [area]}, "hss": {"area": [{"by": "hss", "zones": ["0001"]}]}}
    own = {"provinces": {"east": ["1-99"]}, "zones": {"0001": [1]}}
    runs: dict[str, dict[str, Any]] = {"none": {}, "own": {"mme": own}, "pool": {"mme": {**own, "area_data": "pool"}}}
    spent = dict.fromkeys(runs, 1000.0)
    for _ in range(5):
        for name, more in runs.items():  # in turn, so that the machine's moods are the same for all
            gc.collect()
            spent[name] = min(spent[name], _measure(**more, sections=sections if more else None))
    plain = spent["none"]
    for name in ("own", "pool"):
        added = spent[name] - plain
        data = {"own": "data of its own", "pool": "data of a pool"}[name]
        figure = f"{added:.2f} ms added, {spent[name] / plain:.2f} times one without"
        figures.tell(f"the same with four checks of areas, {data}", figure)
