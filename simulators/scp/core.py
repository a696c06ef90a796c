"""The state of one SCP while it runs, and what all of its procedures ask."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial
from typing import TYPE_CHECKING

from simulators.scp import controls
from simwarden.operations.approval import Audit
from simwarden.operations.card_lists import CHANGED_LIST
from simwarden.operations.restriction import Restriction
from simwarden.runtime.batch import Batch

if TYPE_CHECKING:
    from simulators.scp.call import Call
    from simulators.scp.card import VoiceCard
    from simulators.scp.clients.ocs import Ro
    from simulators.scp.config import ScpConfig
    from simulators.scp.store import Store
    from simwarden.runtime.sigtran.point import SignallingPoint, TcapUser
    from simwarden.runtime.site import Site

#: seconds until a database that did not take something is asked again
_DATABASE = 5.0


class Core:
    """Cards, and calls in progress."""

    point: SignallingPoint
    user: TcapUser
    #: the OCS that gives calls their time, None: the lists' own quotas do
    ocs: Ro | None = None

    def __init__(self, site: Site, config: ScpConfig, store: Store) -> None:
        self.site, self.config, self.store, self.clock = site, config, store, site.clock
        self.audit = Audit(site, store.audit, count=store.count)
        self.lists = Restriction(self.audit, controls.LIST_CHANGES, config.list_changes, (CHANGED_LIST,))
        self.batch = Batch(store, asyncio.get_running_loop().call_soon, partial(site.clock.call_later, _DATABASE))
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
    def month(self) -> str:
        """The month by which quotas are counted."""
        return self.clock.month()

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
