"""What the platform costs: its check at an attach, the load of 100,000 cards, the shutdown of a batch of 10,000."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import figures
from served import Client, serve
from waiting import LONG

from simulators.cmp.config import CmpConfig
from simulators.cmp.element import Cmp
from simulators.eir.config import EirConfig
from simulators.eir.element import Eir
from simulators.hss.config import HssConfig
from simulators.hss.element import Hss
from simwarden.model.identity import Plmn
from simwarden.operations.element import Element, element_of
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.trace import Trace
from simwarden.wire.diameter import ResultCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message

HOME = Plmn.parse("001-01")
REALM = HOME.realm
METER = "99000101000001"
CHECKS = 1000
LOADED = 100_000
#: cards in the body of one bulk call, which has at most 1 MiB over HTTP
CHUNK = 5000
BATCH = 10_000
APPROVED = {"approver": "desk", "reason": "relays", "form": "F-1"}
POOL = {"imeis": ["99000301"], "account": "a", **APPROVED}


def _imsi(number: int) -> str:
    return f"00101{number:010d}"


class Mme(Element[ElementConfig]):
    """Asks, registers cards, and counts those that are cancelled."""

    declaration = Declaration(kind="mme", title="MME", lane=1, config=ElementConfig, starts_after=("hss", "eir", "cmp"))
    cancelled = 0

    async def start(self) -> None:
        handlers = {"cancel-location-request": self._cancel}
        served = {"S6a": handlers, "S13": {}}
        self.node = DiameterNode(self.site, LocalNode(f"{self.site.name}.{REALM}", REALM), served)
        for interface, name in (("S6a", "hss"), ("S13", "eir"), ("S13", "cmp")):
            if name in self.site.host.elements:
                await self.node.connect(interface, name)

    async def stop(self) -> None:
        await self.node.stop()

    async def _cancel(self, message: Message, _peer: Peer) -> Message:
        self.cancelled += 1
        return self.node.answer(message, ResultCode.DIAMETER_SUCCESS)

    async def allowed(self, whom: str, imsi: str) -> bool:
        avps = [("Terminal-Information", [("IMEI", METER)]), ("User-Name", imsi)]
        answer = await self.node.ask(whom, self.node.make("ME-Identity-Check-Request", avps, realm=REALM))
        return bool(answer.success and answer.get("Equipment-Status") == 0)

    async def register(self, imsi: str) -> None:
        avps: list[tuple[str, Any]] = [("User-Name", imsi), ("Terminal-Information", [("IMEI", METER)])]
        avps += [("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", HOME.to_bytes())]
        answer = await self.node.ask("hss", self.node.make("Update-Location-Request", avps, realm=REALM))
        assert answer.success


def _play(add: Callable[[Host], None], story: Callable[[Host], Awaitable[Any]]) -> Any:
    loop = TestbedLoop(virtual=True)
    clock = Clock(loop)
    host = Host(loop, clock, Trace(clock.now), HostSettings())
    add(host)

    async def run() -> Any:
        await host.start_all()
        result = await story(host)
        await host.close()
        return result

    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


def _check(*, platform: bool) -> float:
    """Milliseconds of CPU of one ME identity check at the EIR, with the platform behind it or without."""

    def add(host: Host) -> None:
        host.add("eir", Eir, EirConfig.model_validate({"cmp": "cmp"} if platform else {}))
        if platform:
            host.add("cmp", Cmp, CmpConfig.model_validate({"hss": "off"}))
        host.add("mme", Mme, ElementConfig())

    async def story(host: Host) -> float:
        mme: Any = host.elements["mme"]
        if platform:
            cards = [{"imsi": _imsi(n), "imei": METER, "state": "active"} for n in range(CHECKS)]
            await element_of(host, "cmp").manage(Role.OPERATOR, "POST", "/cards", {"cards": cards})
        await mme.allowed("eir", _imsi(0))
        start = time.process_time()
        for number in range(1, CHECKS):  # each card for the first time, so that its terminal is stored
            assert await mme.allowed("eir", _imsi(number))
        return (time.process_time() - start) / (CHECKS - 1) * 1000

    spent: float = _play(add, story)
    return spent


def test_the_check_at_an_attach() -> None:
    without = min(_check(platform=False) for _ in range(3))
    behind = min(_check(platform=True) for _ in range(3))
    figures.tell("the platform's check behind the EIR", f"{behind - without:.2f} ms more than {without:.2f}")


def _call(url: str, method: str, path: str, body: dict[str, Any]) -> Any:
    headers = {"Authorization": "Bearer secret", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{url}{path}", json.dumps(body).encode(), headers, method=method)  # noqa: S310 - ours
    with urllib.request.urlopen(asked, timeout=10 * LONG) as answer:  # noqa: S310 - ours
        return json.load(answer)


def _settings(store: str) -> dict[str, Any]:
    return {
        "listen": {"S13": "127.0.0.1:0"},
        "management": "127.0.0.1:0",
        "tokens": {"operator": "secret"},
        "store": store,
        "settings": {"hss": "off"},
    }


def _load(url: str) -> None:
    for first in range(0, LOADED, CHUNK):
        cards = [
            {"imsi": _imsi(n), "iccid": f"8900101{n:012d}", "msisdn": f"1440{n:09d}", "imei": f"99000101{n:06d}"}
            for n in range(first, first + CHUNK)
        ]
        cards = [each | {"account": "a", "batch": "spring", "state": "active"} for each in cards]
        assert _call(url, "POST", "/cards", {"cards": cards}) == {"cards": CHUNK}


def test_a_hundred_thousand_cards_with_bindings(tmp_path: Path) -> None:
    with serve(tmp_path, "cmp", _settings(f"sqlite:///{tmp_path}/cmp.sqlite")) as platform:
        host, port = platform.where["management"]
        start = time.perf_counter()
        _load(f"http://{host}:{port}")
        spent = time.perf_counter() - start
        megabytes = platform.memory / 1e6
    what = f"{LOADED:,} cards with bindings brought to the platform over HTTP"
    figures.tell(what, f"{spent:.1f} s, {megabytes:.0f} MB")
    assert megabytes < 300


def _checked_meanwhile(client: Client, over: threading.Event, took: list[float]) -> None:
    """Have one ME identity check after the other answered, and keep the milliseconds of each."""
    number = 0
    while not over.is_set():
        number += 1
        terminal = ("Terminal-Information", [("IMEI", METER)])
        asked = client.make("ME-Identity-Check-Request", terminal, ("User-Name", _imsi(number % 1000)))
        began = time.perf_counter()
        client.ask(asked)
        took.append((time.perf_counter() - began) * 1000)


def test_the_longest_wait_of_a_check(tmp_path: Path, store_url: str) -> None:
    """Loading, pooling and shutting down 100,000 cards leave S13 its turns."""
    works: dict[str, Callable[[str], Any]] = {
        "loaded": _load,
        "pooled": lambda url: _call(url, "PUT", "/pools/meters", POOL),
        "shut down": lambda url: _call(url, "POST", "/accounts/a/batches/spring/shutdown", APPROVED),
    }
    longest = []
    with serve(tmp_path, "cmp", _settings(store_url)) as platform:
        host, port = platform.where["management"]
        for what, work in works.items():
            took, over = list[float](), threading.Event()
            with Client(platform.where["S13"], application=16777252) as client, ThreadPoolExecutor(1) as beside:
                asking = beside.submit(_checked_meanwhile, client, over, took)
                began = time.perf_counter()
                try:
                    work(f"http://{host}:{port}")
                finally:
                    spent = time.perf_counter() - began
                    over.set()
                asking.result()
            longest.append(f"{what} in {spent:.1f} s: {max(took):.0f} ms ({len(took):,} checks)")
    database = store_url.partition(":")[0]
    figures.tell(f"longest wait of a check beside work on {LOADED:,} cards, {database}", ", ".join(longest))


def test_the_shutdown_of_a_batch() -> None:
    def add(host: Host) -> None:
        host.add("hss", Hss, HssConfig())
        host.add("cmp", Cmp, CmpConfig())
        host.add("mme", Mme, ElementConfig())

    async def story(host: Host) -> tuple[float, int]:
        mme = host.elements["mme"]
        assert isinstance(mme, Mme)
        for number in range(BATCH + 100):
            imsi = _imsi(number)
            body = {"name": f"card{number}", "imsi": imsi, "iccid": imsi, "msisdn": f"1440{imsi[-9:]}"}
            body |= {"profile": "meter"}
            body |= {"k": "00" * 16, "opc": "00" * 16, "form": "plug-in"}
            await element_of(host, "hss").manage(Role.OPERATOR, "PUT", f"/cards/{imsi}", body)
            await mme.register(imsi)
        cards = [
            {"imsi": _imsi(n), "account": "a", "state": "active", "batch": "spring" if n < BATCH else "autumn"}
            for n in range(BATCH + 100)
        ]
        await element_of(host, "cmp").manage(Role.OPERATOR, "POST", "/cards", {"cards": cards})
        start = time.process_time()
        said = await element_of(host, "cmp").manage(
            Role.OPERATOR,
            "POST",
            "/accounts/a/batches/spring/shutdown",
            APPROVED,
        )
        spent = time.process_time() - start
        assert said == {"cards": BATCH}
        assert not await mme.allowed("cmp", _imsi(BATCH - 1))
        assert await mme.allowed("cmp", _imsi(BATCH))
        return spent, mme.cancelled

    spent, cancelled = _play(add, story)
    figures.tell(f"shutdown of a batch of {BATCH:,} registered cards", f"{spent:.1f} s")
    assert cancelled == BATCH
