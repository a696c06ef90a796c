"""Which entry leaves a full table: one of the source that fills it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

T = TypeVar("T")


def oldest_of_busiest(entries: Iterable[T], source: Callable[[T], Hashable]) -> T:
    """Return the first entry of the source that has the most, of several such sources the first entry of all.

    A source that fills a table displaces its own entries only. Raises ValueError without entries.
    """
    held = list(entries)
    counts = Counter(map(source, held))
    most = max(counts.values())
    return next(entry for entry in held if counts[source(entry)] == most)
