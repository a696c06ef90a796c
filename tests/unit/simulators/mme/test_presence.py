"""What an MME tells a platform of cards that leave their area and come back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from simulators.mme.clients import presence
from simulators.mme.clients.presence import Presence
from simwarden.errors import ManagementError
from simwarden.runtime.clock import Clock
from simwarden.runtime.loop import TestbedLoop

if TYPE_CHECKING:
    from collections.abc import Coroutine

IMSI, OTHER = "001010000000017", "001010000000018"


class Site:
    """Stands in for the MME's site; the platform answers by statuses, then takes all."""

    def __init__(self, loop: TestbedLoop, *says: int) -> None:
        self.clock, self.says = Clock(loop), list(says)
        self.told: list[tuple[float, str, bool]] = []
        self.notes: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def manage(self, target: str, method: str, path: str, body: dict[str, Any]) -> None:
        assert (target, method) == ("cmp", "POST")
        said = self.says.pop(0) if self.says else 204
        if said >= 400:
            raise ManagementError(said, "no")
        self.told.append((self.clock.now(), path, body["inside"]))

    def spawn(self, work: Coroutine[Any, Any, None], _what: str) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    def note(self, text: str, **_: Any) -> None:
        self.notes.append(text)


def play(*says: int, platform: str = "cmp") -> Site:
    loop = TestbedLoop(virtual=True)
    site = Site(loop, *says)

    async def story() -> None:
        presence = Presence(site, platform)  # type: ignore[arg-type]
        presence.tell(IMSI, inside=False, cell="a")
        presence.tell(OTHER, inside=False, cell="b")
        presence.tell(IMSI, inside=True, cell="a")
        await asyncio.gather(*site.tasks)

    loop.run_until_complete(story())
    loop.close()
    return site


IN_ORDER = [(f"/cards/{IMSI}/presence", False), (f"/cards/{OTHER}/presence", False), (f"/cards/{IMSI}/presence", True)]


@pytest.mark.parametrize(("says", "seconds"), [((), 0), ((503,), 30), ((500,), 30), ((503, 204, 502, 503), 90)])
def test_reports_keep_their_order_while_the_platform_is_away(says: tuple[int, ...], seconds: float) -> None:
    site = play(*says)
    assert [(path, inside) for _, path, inside in site.told] == IN_ORDER
    assert site.told[-1][0] == pytest.approx(seconds)


def test_a_card_that_the_platform_does_not_have_is_told_of_once() -> None:
    site = play(404)
    assert [(path, inside) for _, path, inside in site.told] == IN_ORDER[1:]
    assert site.notes == ["cmp was not told where a card is: no"]


def test_one_task_tells_what_waits_and_a_later_one_what_comes_later() -> None:
    loop = TestbedLoop(virtual=True)
    site = Site(loop)

    async def story() -> None:
        reports = Presence(site, "cmp")  # type: ignore[arg-type]
        for _ in range(2):
            reports.tell(IMSI, inside=False, cell="a")
            reports.tell(OTHER, inside=False, cell="b")
            reports.tell(IMSI, inside=True, cell="a")
            await asyncio.gather(*site.tasks)

    loop.run_until_complete(story())
    loop.close()
    assert [(path, inside) for _, path, inside in site.told] == IN_ORDER * 2
    assert len(site.tasks) == 2


def test_without_a_platform_nobody_is_told() -> None:
    site = play(platform="off")
    assert (site.told, site.tasks) == ([], [])


class Slow(Site):
    """A platform that takes a second for each report."""

    async def manage(self, target: str, method: str, path: str, body: dict[str, Any]) -> None:
        await self.clock.sleep(1)
        await super().manage(target, method, path, body)


def test_the_oldest_of_too_many_reports_goes_and_the_others_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one that is being told, which the platform takes all the same."""
    monkeypatch.setattr(presence, "_MOST", 2)
    loop = TestbedLoop(virtual=True)
    site = Slow(loop)

    async def story() -> None:
        reports = Presence(site, "cmp")  # type: ignore[arg-type]
        reports.tell(IMSI, inside=False, cell="a")
        await site.clock.sleep(0.5)
        reports.tell(OTHER, inside=False, cell="b")
        reports.tell(IMSI, inside=True, cell="a")
        await asyncio.gather(*site.tasks)

    loop.run_until_complete(story())
    loop.close()
    assert [(path, inside) for _, path, inside in site.told] == IN_ORDER


def test_reports_of_one_card_do_not_displace_those_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_MOST", 3)
    loop = TestbedLoop(virtual=True)
    site = Slow(loop)

    async def story() -> None:
        reports = Presence(site, "cmp")  # type: ignore[arg-type]
        reports.tell(OTHER, inside=False, cell="b")
        for _ in range(10):
            reports.tell(IMSI, inside=False, cell="a")
        await asyncio.gather(*site.tasks)

    loop.run_until_complete(story())
    loop.close()
    assert [path for _, path, _ in site.told] == [f"/cards/{each}/presence" for each in (OTHER, IMSI, IMSI)]
