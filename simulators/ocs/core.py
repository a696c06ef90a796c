"""The state of one OCS while it runs, and what all of its procedures ask."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from simulators.ocs import controls
from simulators.ocs.service import Service
from simulators.ocs.store import Change
from simwarden.operations.list_server import ListServer
from simwarden.policy.need import SMALL
from simwarden.runtime.diameter.server import KnownPeers

if TYPE_CHECKING:
    from simulators.ocs.card import QuotaCard
    from simulators.ocs.config import OcsConfig
    from simulators.ocs.store import Session, Store
    from simwarden.runtime.diameter import DiameterNode
    from simwarden.runtime.site import Site


class _Month(NamedTuple):
    """A month (`2026-03`), from when to when in seconds since 1970."""

    name: str
    begin: float
    end: float


def _month_at(there: dt.datetime) -> _Month:
    begin = there.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (begin + dt.timedelta(days=32)).replace(day=1)
    return _Month(f"{begin:%Y-%m}", begin.timestamp(), end.timestamp())


class Core(ListServer["OcsConfig", "Store"]):
    """Cards with their quotas, and sessions."""

    node: DiameterNode

    def __init__(self, site: Site, config: OcsConfig, store: Store) -> None:
        super().__init__(site, config, store, controls.QUOTA_CHANGES, config.quota_changes)
        self.peers = KnownPeers(site, config, config.peers, controls.PEER)
        self.batch = self.make_batch(store)
        self._numbers = itertools.count(1)
        self._turns = WeakValueDictionary[str, asyncio.Lock]()
        #: the one that was asked for last
        self._month = _Month("", 0.0, 0.0)

    # -- time

    def month_of(self, when: float) -> str:
        """Return the month in which something counts, where the cards are."""
        return self._month_at(when).name

    @property
    def month(self) -> str:
        """The month in which what is given now counts."""
        return self.month_of(self.now())

    def validity(self) -> int:
        """Return for how many seconds units that are given now may be used: in this month only."""
        now = self.now()
        return max(1, min(round(self.config.validity), int(self._month_at(now).end - now)))

    def _month_at(self, when: float) -> _Month:
        month = self._month
        if not month.begin <= when < month.end:
            month = self._month = _month_at(self.clock.local(when))
        return month

    # -- what a card may use

    def quota_of(self, card: QuotaCard, service: Service, network: str = "") -> int | None:
        """Return what a card may use of a service in a month, None where nothing says it."""
        if card.quota is None:
            return None
        word = service.value
        said: int | None = getattr(card.quota, word)
        if said is None:
            tiers = (each for each in self.config.tiers if each.fits(card.use, network))
            said = next((amount for tier in tiers if (amount := getattr(tier, word)) is not None), None)
            if said is not None and service is Service.DATA and not card.large:
                said = min(said, SMALL)
        return said * 60 if said is not None and service is Service.VOICE else said

    # -- sessions

    def turn(self, session: str) -> asyncio.Lock:
        """Return what a request of a session holds until its answer is stored: others wait, in the order they came."""
        return self._turns.setdefault(session, asyncio.Lock())

    def keep(self, session: Session) -> asyncio.Future[bool]:
        """Have a session kept with all that was counted; tell whether it was."""
        told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        change = Change(next(self._numbers), session)
        self.batch.add(change, partial(told.set_result, True), partial(told.set_result, False))
        return told

    def restore(self, session: Session) -> None:
        """Have a session as it is again, in the database when that may do: of what failed nobody knows what it left."""
        change = Change(next(self._numbers), session)
        if session.number < 0:
            self.store.let_go(session)
            self.batch.drop(change)
        else:
            self.store.hold(session)
            self.batch.add(change, lambda: None)

    def give_up(self) -> None:
        """Forget sessions of which nothing more is heard: what they were given counts as used."""
        for session in self.store.ended(self.now()):
            if not session.over:
                self.site.note(f"session {session.session} is given up", imsi=session.imsi)
            self.batch.drop(Change(next(self._numbers), session))

    # -- what is seen

    def show_list(self, card: QuotaCard) -> None:
        """Report what a card may use and has used this month, of all services."""
        for service in Service:
            self.show(card, service)

    def show(self, card: QuotaCard, service: Service) -> None:
        """Report what a card has used of a service this month, with what is given out."""
        used, quota = self.store.used(card.imsi, self.month, service), self.quota_of(card, service)
        value = {"imsi": card.imsi, "service": service.value, "used": used, "quota": quota}
        self.site.observe("balance", value, key=f"{card.imsi} {service}")
