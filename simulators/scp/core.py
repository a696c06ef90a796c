"""The state of one SCP while it runs, and what all of its procedures ask."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from simulators.scp import controls
from simwarden.operations.list_server import ListServer

if TYPE_CHECKING:
    from simulators.scp.call import Call
    from simulators.scp.card import VoiceCard
    from simulators.scp.clients.ocs import Ro
    from simulators.scp.config import ScpConfig
    from simulators.scp.store import Store
    from simwarden.runtime.sigtran.point import SignallingPoint, TcapUser
    from simwarden.runtime.site import Site


class Core(ListServer["ScpConfig", "Store"]):
    """Cards, and calls in progress."""

    point: SignallingPoint
    user: TcapUser
    #: the OCS that gives calls their time, None: the lists' own quotas do
    ocs: Ro | None = None

    def __init__(self, site: Site, config: ScpConfig, store: Store) -> None:
        super().__init__(site, config, store, controls.LIST_CHANGES, config.list_changes)
        self.batch = self.make_batch(store)
        self.calls: dict[int, Call] = {}
        self.numbers = itertools.count(1)

    # -- calls

    def take(self, call: Call) -> None:
        """Have a call in progress."""
        self.calls[call.dialogue] = call

    def calls_of(self, imsi: str) -> tuple[Call, ...]:
        """Return the calls of a card."""
        return tuple(each for each in self.calls.values() if each.card.imsi == imsi)

    def forget(self, call: Call) -> None:
        """Have a call no longer: its dialogue is over, and after what was said in it there is nothing more to hear."""
        del self.calls[call.dialogue]
        call.test.cancel()
        call.inbox.put_nowait(None)

    # -- time

    @property
    def time_of_day(self) -> float:
        """The minute of the day where the cards are."""
        there = self.clock.local()
        return there.hour * 60 + there.minute + (there.second + there.microsecond / 1e6) / 60

    # -- what is seen

    def show_list(self, card: VoiceCard) -> None:
        """Report with whom a card has calls."""
        value = None
        if card.voice is not None:
            numbers = [*card.voice.all_numbers]
            value = {"imsi": card.imsi, "numbers": numbers, "undirected": card.voice.undirected}
        self.site.observe("list", value, key=card.imsi)

    def show_state(self, card: VoiceCard) -> None:
        """Report whether a card is suspended."""
        state = "active" if card.suspended is None else "suspended"
        self.site.observe("state", {"imsi": card.imsi, "state": state}, key=card.imsi)

    def show(self, call: Call) -> None:
        """Report what becomes of a call."""
        self.site.observe("call", call.tell(), key=str(call.id))
