"""Rows that are written in groups: what came in one turn of the loop is one transaction, acknowledged after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Do = Callable[[], None]


class Row(Protocol):
    """What is kept; `id` is its primary key."""

    id: int


R = TypeVar("R", bound=Row)
R_contra = TypeVar("R_contra", bound=Row, contravariant=True)


class Written(Protocol[R_contra]):
    """A store of such rows."""

    def write(self, added: Iterable[R_contra], changed: Iterable[R_contra], dropped: Iterable[R_contra]) -> None:
        """Keep new rows, changed ones, and that some are over, all in one transaction. Raises StoreError."""


class Batch(Generic[R]):
    """Changes of rows that are written together, in the next turn of the loop, and what is done after that.

    What the database does not take is kept and written later, but for new rows whose senders can be told: these hear of
    it at once, whatever waits.
    """

    def __init__(self, store: Written[R], soon: Callable[[Do], object], later: Callable[[Do], object]) -> None:
        """`soon` calls back in the next turn, `later` when the database may do again."""
        self._store, self._soon, self._later = store, soon, later
        self._added: dict[int, tuple[R, Do, Do | None]] = {}
        self._changed: dict[int, R] = {}
        self._dropped: dict[int, R] = {}
        self._due = self._again = False
        self.over = False

    def add(self, row: R, then: Do, otherwise: Do | None = None) -> None:
        """Keep a new row, and then do something; `otherwise` where the database does not take it now."""
        self._added[row.id] = row, then, otherwise
        self._want()

    def change(self, row: R) -> None:
        """Keep what became of a row."""
        self._changed[row.id] = row
        self._want()

    def drop(self, row: R) -> None:
        """Forget a row that is over."""
        self._dropped[row.id] = row
        self._changed.pop(row.id, None)
        self._want()

    def _want(self) -> None:
        if not self._due:
            self._due = True
            self._soon(self.flush)

    def flush(self) -> None:
        """Write all now."""
        self._due = False
        if self.over:
            return
        try:
            new = [row for row, _, _ in self._added.values()]
            self._store.write(new, self._changed.values(), self._dropped.values())
        except StoreError:
            self._give_back()
            return
        done, self._added = self._added, {}
        self._changed.clear()
        self._dropped.clear()
        for _, then, _ in done.values():
            then()

    def _try_again(self) -> None:
        self._again = False
        self.flush()

    def _give_back(self) -> None:
        """Tell those who can hear that their rows are not kept; the rest is tried again."""
        refused = {key: each[2] for key, each in self._added.items() if each[2] is not None}
        self._added = {key: each for key, each in self._added.items() if key not in refused}
        if (self._added or self._changed or self._dropped) and not self._again:
            self._again = True
            self._later(self._try_again)
        for otherwise in refused.values():
            otherwise()
