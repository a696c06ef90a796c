"""Rows that are written in groups: one transaction a turn, nothing acknowledged before, nothing lost when it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwarden.runtime.batch import Batch
from simwarden.runtime.store import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass
class Row:
    id: int


class Desk:
    """A store that may be away, and callbacks that a test carries out."""

    def __init__(self) -> None:
        self.away = False
        self.written: list[tuple[list[int], list[int], list[int]]] = []
        self.soon: list[Callable[[], None]] = []
        self.later: list[Callable[[], None]] = []
        self.done: list[str] = []
        self.batch: Batch[Row] = Batch(self, self.soon.append, self.later.append)

    def write(self, added: Iterable[Row], changed: Iterable[Row], dropped: Iterable[Row]) -> None:
        if self.away:
            raise StoreUnavailableError("away")
        new, other, gone = ([row.id for row in rows] for rows in (added, changed, dropped))
        self.written.append((new, other, gone))

    def add(self, number: int, *, refusable: bool = True) -> None:
        otherwise = (lambda: self.done.append(f"refused {number}")) if refusable else None
        self.batch.add(Row(number), lambda: self.done.append(f"kept {number}"), otherwise)


def test_what_comes_in_one_turn_is_written_at_once_and_acknowledged_after() -> None:
    desk = Desk()
    desk.add(1)
    desk.add(2)
    desk.batch.change(Row(3))
    desk.batch.drop(Row(4))
    assert desk.written == []
    assert desk.done == []
    (flush,) = desk.soon
    flush()
    assert desk.written == [([1, 2], [3], [4])]
    assert desk.done == ["kept 1", "kept 2"]
    desk.batch.change(Row(3))
    assert len(desk.soon) == 2


def test_change_of_what_is_over_is_not_written() -> None:
    desk = Desk()
    desk.batch.change(Row(3))
    desk.batch.drop(Row(3))
    desk.batch.flush()
    assert desk.written == [([], [], [3])]


def test_store_that_is_away_has_new_rows_refused_and_the_rest_written_later() -> None:
    desk = Desk()
    desk.away = True
    desk.add(1)
    desk.add(2, refusable=False)
    desk.batch.drop(Row(4))
    desk.batch.flush()
    assert desk.done == ["refused 1"]
    desk.away = False
    (again,) = desk.later
    again()
    assert desk.written == [([2], [], [4])]
    assert desk.done == ["refused 1", "kept 2"]


def test_nothing_is_written_or_acknowledged_when_it_is_over() -> None:
    desk = Desk()
    desk.add(1)
    desk.batch.over = True
    desk.soon[0]()
    assert desk.written == []
    assert desk.done == []


def test_whoever_can_hear_of_it_is_refused_at_once_whatever_waits() -> None:
    desk = Desk()
    desk.away = True
    desk.batch.drop(Row(4))
    desk.soon.pop()()
    desk.add(1)
    desk.soon.pop()()
    assert desk.done == ["refused 1"]
    assert len(desk.later) == 1
    desk.away = False
    desk.add(2)
    desk.soon.pop()()
    assert desk.written == [([2], [], [4])]
    assert desk.done == ["refused 1", "kept 2"]
