"""What servers of lists share while they run: their cards, the audit, and the controls by which lists are changed."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from simwarden.operations.approval import Audit
from simwarden.operations.card_lists import CHANGED_LIST
from simwarden.operations.restriction import Restriction
from simwarden.runtime.batch import Batch

if TYPE_CHECKING:
    from simwarden.operations.approval import ChangeLimit
    from simwarden.operations.list_store import ListStore
    from simwarden.policy.operator import ChangeControls
    from simwarden.runtime.batch import R, Written
    from simwarden.runtime.site import Site

#: seconds until a database that did not take something is asked again
_DATABASE = 5.0

ConfigT = TypeVar("ConfigT")
StoreT = TypeVar("StoreT", bound="ListStore[Any]")


class ListServer(Generic[ConfigT, StoreT]):
    """The core of an element whose cards have lists; `changes` decide who changes one, `limit` how often."""

    def __init__(self, site: Site, config: ConfigT, store: StoreT, changes: ChangeControls, limit: ChangeLimit) -> None:
        self.site, self.config, self.store, self.clock = site, config, store, site.clock
        self.audit = Audit(site, store.audit, count=store.count)
        self.lists = Restriction(self.audit, changes, limit, (CHANGED_LIST,))

    def make_batch(self, store: Written[R]) -> Batch[R]:
        """Return the batch by which rows are written in groups."""
        return Batch(store, asyncio.get_running_loop().call_soon, partial(self.clock.call_later, _DATABASE))

    def now(self) -> float:
        """Return the date, in seconds since 1970."""
        return self.clock.wall().timestamp()

    @property
    def month(self) -> str:
        """The month by which quotas are counted."""
        return self.clock.month()
