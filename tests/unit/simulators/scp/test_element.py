"""An SCP that is stopped or killed: what it has kept by then, and what it says to whom it was associated with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sigtran_net import Node, Settings
from voice_bench import LISTED, VOICE, VoiceBench

from simwarden.runtime.store import StoreUnavailableError
from simwarden.trace.events import Frame

if TYPE_CHECKING:
    from pathlib import Path


class Database:
    """The database of an SCP, which may be away, and how often it was written to."""

    def __init__(self, net: VoiceBench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.away, self.writes, self._write = False, 0, net.scp.core.store.write
        monkeypatch.setattr(net.scp.core.store, "write", self.write)

    def write(self, *grants: Any) -> None:
        """Write, if it is there."""
        if self.away:
            raise StoreUnavailableError("gone")
        self.writes += 1
        self._write(*grants)


@pytest.mark.parametrize("kill", [True, False])
async def test_what_waits_for_the_database_is_written_by_who_is_stopped_and_not_by_who_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, kill: bool
) -> None:
    async with VoiceBench(stores={"scp": f"sqlite:///{tmp_path / 'scp.db'}"}) as net:
        await net.provision(VOICE | {"quota": 2})
        database, call = Database(net, monkeypatch), await net.dial(LISTED)
        database.away = True
        call.report(77, end=True)
        await net.settle()
        database.away, written = False, database.writes
        await net.host.stop("scp", kill=kill)
        assert database.writes == written + (not kill)
        await net.sleep(60)  # what waits is not tried again
        assert database.writes == written + (not kill)
        await net.host.start("scp")
        await net.settle()
        assert await net.used() == (60 if kill else 7.7)


async def test_what_a_call_has_used_is_kept_when_it_is_told(tmp_path: Path) -> None:
    async with VoiceBench(stores={"scp": f"sqlite:///{tmp_path / 'scp.db'}"}) as net:
        await net.provision(VOICE | {"quota": 2})
        call = await net.dial(LISTED)
        call.report(77, end=True)
        await net.settle()
        await net.host.stop("scp", kill=True)
        await net.host.start("scp")
        assert await net.used() == 7.7


@pytest.mark.parametrize("kill", [True, False])
async def test_who_is_stopped_says_so_where_it_is_associated_and_answers_nobody(*, kill: bool) -> None:
    net = VoiceBench(routes={"stp": {"routing_context": 146}})
    net.add("stp", Node, Settings(point_code=1, serves=((146, 146), (8, 8))))
    net.ssp.config = net.ssp.config.model_copy(update={"scp": "stp"})
    async with net:
        await net.sleep(60)
        await net.provision()
        assert (await net.dial(LISTED)).last("connect")
        before = len(said(net))
        await net.host.stop("scp", kill=kill)
        await net.settle()
        assert bool(said(net)[before:]) is not kill
        before = len(said(net))
        call = await net.dial(LISTED)
        assert (call.names(), said(net)[before:]) == ([], [])


def said(net: VoiceBench) -> list[Frame]:
    """Return what the SCP has sent."""
    return [each for each in net.of(Frame) if each.source == "scp"]
