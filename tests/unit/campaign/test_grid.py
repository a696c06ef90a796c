"""What all campaigns have in common: the order and the budget of what is tried, and what a result comes to."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.campaign.grid import Finding, Grid, Interrupted, Order, Score, check_names
from simwarden.errors import ConfigError, InternalError
from simwarden.scenario.suite import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.campaign.tables import Table


@dataclass
class Plain(Grid):
    name = "plain"

    troubles: list[str] = field(default_factory=list)
    tried: int = 0
    left: int = 0
    faults: int = 0

    def carry_out(self, order: Order) -> None:
        del order

    def summary(self) -> str:
        return "1 of 2"

    def tables(self) -> Iterator[Table]:
        yield from ()

    def findings(self) -> Iterator[Finding]:
        yield from map(Finding, self.troubles)

    def cases(self) -> Iterator[dict[str, Any]]:
        yield {"case": "one", "outcome": "good"}

    def score(self) -> Score:
        return Score("1", "things", ["good"], "")


def carried_out(order: Order) -> list[int]:
    crew: Crew[int, int]
    with Crew(lambda task: task * task, 1) as crew:
        done = list(order.run(crew, range(20)))
    assert all(result == task * task for task, result in done)
    return [task for task, _ in done]


def test_without_a_budget_all_is_tried_in_its_order_and_with_one_in_an_order_of_the_seed() -> None:
    late = time.monotonic() + 1e6
    assert carried_out(Order()) == list(range(20))
    drawn = carried_out(Order(until=late, seed=1))
    assert drawn == carried_out(Order(until=late, seed=1)) != carried_out(Order(until=late, seed=2))
    assert sorted(drawn) == list(range(20))
    assert carried_out(Order(until=0.0)) == []
    assert Order().half().until == math.inf
    assert time.monotonic() < Order(until=late).half().until < late


def test_an_interruption_ends_it_with_what_there_is() -> None:
    order = Order()

    def work(task: int) -> int:
        if task == 3:
            order.interruption.set()
        if task == 4:
            raise InternalError("a process died")  # which an interruption ends
        return task

    with Crew(work, 1) as crew:
        assert [task for task, _ in order.run(crew, range(20))] == [0, 1, 2, 3]
        assert order.over
        assert order.half().over
        assert list(order.run(crew, range(20))) == []
        with pytest.raises(Interrupted):
            next(order.run_all(crew, range(20)))
        with pytest.raises(InternalError):
            list(Order().run(crew, range(20)))


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (Plain(tried=1), "passed"),
        (Plain(["x"], tried=1), "failed"),
        (Plain(left=2), "untried"),
        (Plain(["x"], tried=1, faults=1), "error"),
    ],
)
def test_what_a_result_comes_to(result: Plain, verdict: str) -> None:
    assert result.verdict == verdict


def test_the_last_line_tells_what_was_left_out() -> None:
    assert Plain(tried=1).line == "1 of 2; 0.0 s"
    assert Plain(tried=1, left=3).line == "1 of 2; 3 runs left out for lack of time; 0.0 s"


def test_all_have_one_form_of_json() -> None:
    assert Plain(["x"], tried=1).data() == {
        "campaign": "plain",
        "verdict": "failed",
        "sum": "1 of 2; 0.0 s",
        "left_out": 0,
        "findings": [{"what": "x", "lines": []}],
        "cases": [{"case": "one", "outcome": "good"}],
    }


def test_a_name_that_there_is_not_is_told() -> None:
    assert check_names(["one"], ["one", "two"], "thing") == ["one"]
    with pytest.raises(ConfigError, match="no thing is called 'tow'"):
        check_names(["tow"], ["one", "two"], "thing")
