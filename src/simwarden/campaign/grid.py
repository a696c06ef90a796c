"""A grid: the cases of a campaign, run one by one, judged, and compared with a reviewed record.

The cases of `matrix` are misuses x methods, those of `impact` experiments x the words of their axes, those of `explore`
base scenarios x messages x what is put in, those of `prove` controls x checkpoints x switches; `coverage` has one case
a scenario, and reads the normal runs of `prove`. What they share is here and in the modules of this package:

- `Order` runs cases in separate processes, within a budget;
- `Record` (record.py) is the reviewed record: an entry for one or several cases, with the outcome and the reason;
- `Table` (tables.py) holds rows that are printed and shown on the page;
- a `Finding` is a difference from the record, or a fault; the verdict and the exit code follow from the findings;
- `data` is the one JSON form.
"""

from __future__ import annotations

import math
import random
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from simwarden.errors import ConfigError, InternalError, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from simwarden.campaign.tables import Table
    from simwarden.scenario.suite import Crew

T = TypeVar("T")
R = TypeVar("R")
Progress: TypeAlias = "Callable[[int, int, str], None]"
"""Shows progress: the number of runs done, the number planned, and the name of the last one."""


def no_progress(_done: int, _total: int, _name: str) -> None:
    """Show nothing."""


class Interrupted(Exception):  # noqa: N818 - a request, not an error
    """A campaign ends early, with the results that it has."""


@dataclass(frozen=True, slots=True)
class Order:
    """The number of processes, the seed, the time after which no case is begun, and the progress display.

    `until` is a time of `time.monotonic`. In a limited campaign the seed draws the order of the cases. An
    `interruption` that is set ends the budget immediately.
    """

    workers: int = 1
    seed: int = 0
    until: float = math.inf
    interruption: Event = field(default_factory=Event, compare=False)
    progress: Progress = field(default=no_progress, compare=False)

    @property
    def limited(self) -> bool:
        """True if there is a budget."""
        return self.until < math.inf

    @property
    def over(self) -> bool:
        """True if the budget is spent."""
        return self.interruption.is_set() or time.monotonic() >= self.until

    def half(self) -> Order:
        """Return the same order with half of the remaining time."""
        now = time.monotonic()
        return replace(self, until=now + (self.until - now) / 2)

    def sample_order(self, tasks: Iterable[T]) -> list[T]:
        """Return tasks in the order in which they are run: shuffled if there is a budget."""
        ordered = list(tasks)
        if self.limited:
            random.Random(self.seed).shuffle(ordered)  # noqa: S311 - a sample, no secret
        return ordered

    def run(self, crew: Crew[T, R], tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
        """Run tasks until the budget is spent, and yield each with its result."""
        tasks, size = self.sample_order(tasks), max(1, self.workers if self.limited else len(tasks))
        for start in range(0, len(tasks), size):
            if self.over:
                return
            part = tasks[start : start + size]
            results = self.run_all(crew, part)
            for task in part:
                try:
                    result = next(results)
                except Interrupted:
                    return
                yield task, result

    def run_all(self, crew: Crew[T, R], tasks: Sequence[T]) -> Iterator[R]:
        """Run all tasks, whatever the budget, and yield the result of each. Raises Interrupted."""
        results = crew.run(tasks)
        for _ in tasks:
            if self.interruption.is_set():
                raise Interrupted
            try:
                result = next(results)
            except InternalError:
                if self.interruption.is_set():  # which ends the processes
                    raise Interrupted from None
                raise
            yield result


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference from the reviewed record, or a fault: one line, and further lines that belong to it."""

    what: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """The head of a page: a figure and what it counts, the tone of each part of it, and how to read the page.

    Tones are `good`, `open`, `bad` and `none`.
    """

    figure: str
    counted: str
    tones: Sequence[str]
    about: str


class Grid(ABC):
    """A campaign, before and after its run. `name` is the name of the command, the page and the data.

    `tried` counts the cases that were run and `left` those that were left out because the budget was spent, both in
    `unit`; progress is in `counted`; `faults` counts runs that ended as an internal error.
    """

    name: ClassVar[str]
    unit: ClassVar[str] = "runs"
    counted: ClassVar[str] = "runs"
    tried: int = 0
    left: int = 0
    faults: int = 0
    seconds: float = 0.0

    @abstractmethod
    def carry_out(self, order: Order) -> None:
        """Run the cases, and compare the outcomes with the record. Raises ConfigError for an unknown name."""

    @abstractmethod
    def summary(self) -> str:
        """Return the sum in one line."""

    @abstractmethod
    def tables(self) -> Iterator[Table]:
        """Yield the tables that are printed and shown on the page."""

    @abstractmethod
    def findings(self) -> Iterator[Finding]:
        """Yield what is not as it must be, or not as reviewed."""

    @abstractmethod
    def cases(self) -> Iterator[dict[str, Any]]:
        """Yield each case for JSON, with its `case` and its `outcome`."""

    @abstractmethod
    def score(self) -> Score:
        """Return the head of the page."""

    def reason_not_acceptable(self, order: Order) -> str:  # noqa: ARG002 - depends on the campaign
        """Return the reason why the outcomes cannot be accepted into the record; empty if they can."""
        return ""

    def accept(self, why: str) -> list[Path]:  # noqa: ARG002 - depends on the campaign
        """Add what is new to the reviewed record, and return the files written. Raises ConfigError."""
        return []

    def views(self) -> Iterator[Grid]:
        """Yield further campaigns that the runs of this one answer, for a report."""
        return iter(())

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield further files of a report, by their paths in its folder, with their text."""
        return iter(())

    @property
    def verdict(self) -> str:
        """`passed`, `failed`, `error` for an internal error, or `untried` if no case was run."""
        if self.faults:
            return "error"
        return "untried" if not self.tried else "failed" if any(self.findings()) else "passed"

    @property
    def line(self) -> str:
        """The sum in one line, with the number of cases left out and the time taken."""
        left = f"{self.left} {self.unit} left out for lack of time" if self.left else ""
        return "; ".join(filter(None, (self.summary(), left, f"{self.seconds:.1f} s")))

    def data(self) -> dict[str, Any]:
        """Return the result for JSON."""
        return {
            "campaign": self.name,
            "verdict": self.verdict,
            "sum": self.line,
            "left_out": self.left,
            "findings": [{"what": each.what, "lines": list(each.lines)} for each in self.findings()],
            "cases": list(self.cases()),
        }


def format_review_summary(wrong: int, compared: int = 1) -> str:
    """Return the number of compared cases that are not as reviewed, in words."""
    if not compared:
        return "nothing reviewed to hold it against"
    return f"{wrong} not as reviewed" if wrong else "all as reviewed"


def check_names(names: Iterable[str], known: Iterable[str], what: str) -> list[str]:
    """Return the names. Raises ConfigError for one that is not known."""
    from simwarden.scenario.problems import guess  # noqa: PLC0415 - only a typing error pays for it

    wanted, there = list(names), list(known)
    for name in wanted:
        if name not in there:
            raise ConfigError(f"no {what} is called {name!r}", hint=guess(name, there, len(there)))
    return wanted


def write(path: Path, text: str) -> Path:
    """Write a file, and its folder if necessary. Raises ConfigError if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", Place(str(path))) from error
    return path
