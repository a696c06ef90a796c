"""The eNB: base station of LTE, between devices (Uu), MMEs (S1) and other eNBs (X2)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simulators.enb import dispatch
from simulators.enb.config import EnbConfig
from simulators.enb.context import Mme, Neighbour, RadioLink
from simulators.enb.parts import Misbehaviour
from simulators.enb.procedures import connection, interface, s1_setup, x2
from simulators.enb.station import Station
from simwarden.model.values import CELL, GIVEN, NUMBER, instance_of, one_of
from simwarden.operations.element import Element
from simwarden.runtime.declare import HISTORY, Consequence, Declaration, Observable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simwarden.runtime.link import Link

_STATES = ("down", "setting-up", "up", "refused")
#: seconds that start() waits for S1; it goes on trying after that
_PATIENCE = 10.0


class Enb(Element[EnbConfig]):
    """An eNB. It decides nothing about cards: it relays NAS, keeps connections, and does as the MME says."""

    declaration = Declaration(
        kind="enb",
        title="eNB",
        lane=30,
        config=EnbConfig,
        starts_after=("mme",),
        listens=("Uu", "X2", "S1-U", "X2-U"),
        calls=("S1-MME", "X2", "S1-U", "X2-U"),
        observables=(
            Observable(
                "s1",
                "How S1 to an MME is; the key is the MME.",
                fields={
                    "mme": instance_of("mme"),
                    "state": one_of("setting-up", "up", "down"),
                    "name": (instance_of("mme") | GIVEN).or_none(),
                },
            ),
            Observable(
                "connected",
                "Connected devices of a cell; the key is the cell.",
                fields={"cell": CELL, "devices": NUMBER},
                passing=HISTORY,
                serving="devices",
            ),
        ),
        consequences=(
            Consequence(
                "handover-preparation-failure",
                None,
                "keeps the device in the cell where it is",
                "TS 36.413 8.4.1.3",
            ),
            Consequence(
                "path-switch-request-failure",
                None,
                "releases the connection of the device, which it had taken over by X2",
                "TS 36.413 8.4.4.3",
            ),
        ),
    )

    parts = (Misbehaviour,)

    async def start(self) -> None:
        """Open the cells, then set S1 and X2 up."""
        station = self.station = Station(self.site, self.config)
        self.fit(station)
        station.on_tunnel_lost = lambda ue: connection.tunnel_lost(station, ue)
        self._stopping = False
        self._settled = asyncio.Event()
        self._x2_closed: dict[str, asyncio.Event] = {}
        await self.site.listen("Uu", self._accept_device)
        await self.site.listen("X2", self._take_neighbour)
        for mme in self.station.mmes.values():
            self.site.spawn(self._keep_s1(mme), f"S1 to {mme.name}", standing=True)
        await self._first_setups()
        for name in self.config.x2:
            await self._connect_x2(name)
            self.site.spawn(self._keep_x2(name), f"X2 to {name}", standing=True)

    async def _first_setups(self) -> None:
        """Wait until every MME has answered, or for so long; the eNB then works with those that have."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._settled.wait()
        except TimeoutError:
            self.site.note("S1 is not up yet")

    def census(self) -> Mapping[str, int]:
        """Count the connections of devices, and their bearers."""
        ues = self.station.ues
        return {"connections": len(ues), "bearers": sum(len(each.bearers) for each in ues.values())}

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Tell connections and tunnels as the MME has them."""
        ues = self.station.ues.values()
        address = self.station.plane.address
        return {
            "S1 connections": [(each.mme_ue_id, each.enb_ue_id) for each in ues],
            "UE-AMBR": [(each.mme_ue_id, *each.ambr) for each in ues if each.ambr is not None],
            "E-RABs": [(each.own_teid, number, each.qos) for ue in ues for number, each in ue.bearers.items()],
            "S1-U tunnels": [
                (number, bearer.own_teid, address, bearer.core_teid, bearer.core_host)
                for each in ues
                for number, bearer in each.bearers.items()
            ],
        }

    async def stop(self) -> None:
        """Close all links; connections end with them."""
        self._close_links("eNB stopped")

    async def killed(self) -> None:
        """Lose power."""
        self._close_links("connection lost")

    def _close_links(self, reason: str) -> None:
        self._stopping = True
        station = self.station
        links = [mme.link for mme in station.mmes.values() if mme.link is not None]
        links += [neighbour.link for neighbour in station.neighbours]
        links += [radio.link for radio in station.radio]
        for ue in list(station.ues.values()):
            station.forget(ue)
        for mme in station.mmes.values():
            s1_setup.lost(station, mme)
        for link in links:
            link.close(reason)

    # -- radio

    def _accept_device(self, link: Link) -> None:
        radio = RadioLink(link)
        self.station.radio[radio] = None
        dispatch.RadioEar(self.station, radio).listen(link)

    # -- S1

    async def _keep_s1(self, mme: Mme) -> None:
        """Connect to an MME, and again whenever the connection is lost."""
        while not self._stopping:
            try:
                link = await self.site.connect("S1-MME", mme.name)
            except ConnectionError as error:
                self.station.observe_s1(mme, "down")
                self.site.note(f"no S1 to {mme.name}: {error}")
            else:
                await self._serve_s1(mme, link)
            delay = s1_setup.retry_delay(self.station, mme)
            self._check_settled()
            await self.site.clock.sleep(delay)

    async def _serve_s1(self, mme: Mme, link: Link) -> None:
        """Hand over what an MME sends, until its link closes."""
        closed = asyncio.Event()

        def receive(data: bytes, _stream: int) -> None:
            dispatch.from_mme(self.station, mme, data)
            self._check_settled()

        def close(reason: str) -> None:
            self.site.note(f"S1 to {mme.name} is lost: {reason}")
            interface.s1_lost(self.station, mme)
            closed.set()

        link.on_receive, link.on_close = receive, close
        s1_setup.begin(self.station, mme, link)
        await closed.wait()

    def _check_settled(self) -> None:
        if not self._settled.is_set() and all(mme.answered for mme in self.station.mmes.values()):
            self._settled.set()

    # -- X2

    def _take_neighbour(self, link: Link) -> None:
        """Expect a neighbour that has called to ask for X2 Setup."""
        self._attend(link)

    def _attend(self, link: Link) -> Neighbour:
        neighbour = Neighbour(link)
        station = self.station
        station.neighbours.append(neighbour)
        closed = self._x2_closed[neighbour.name] = asyncio.Event()

        def close(_reason: str) -> None:
            x2.x2_lost(station, neighbour)
            if self._x2_closed.get(neighbour.name) is closed:
                del self._x2_closed[neighbour.name]
            closed.set()

        link.on_receive = lambda data, _stream: x2.receive(station, neighbour, data)
        link.on_close = close
        return neighbour

    async def _keep_x2(self, name: str) -> None:
        """Connect to a neighbour again whenever X2 to it is lost, whoever had called."""
        delay = self.config.s1_retry
        while not self._stopping:
            closed = self._x2_closed.get(name)
            if closed is not None:
                delay = self.config.s1_retry
                await closed.wait()
            await self.site.clock.sleep(delay)
            delay = min(2 * delay, s1_setup.LONGEST_RETRY)
            await self._connect_x2(name)

    async def _connect_x2(self, name: str) -> None:
        """Connect to a neighbour, unless it has called already; where there is no X2, handovers go by S1."""
        if self._stopping or name in self._x2_closed:
            return
        try:
            link = await self.site.connect("X2", name)
        except ConnectionError:
            return
        x2.x2_setup(self.station, self._attend(link))
