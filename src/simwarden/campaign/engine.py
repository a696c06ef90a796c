"""What a campaign is: it varies something over many runs, and what comes of it is held against what was reviewed.

A campaign says what it tries and how that is carried out; its result says what is wrong, and how that is accepted.
Output, pages, the reviewed record and exit codes are the same for all, and made elsewhere of these alone.
"""

from __future__ import annotations

import math
import random
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from simwarden.errors import ConfigError, InternalError, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from simwarden.scenario.suite import Crew

T = TypeVar("T")
R = TypeVar("R")
Tell: TypeAlias = "Callable[[int, int, str], None]"
"""Is told of progress: how much is done, of how much that is known of, and what came last."""


def quiet(_done: int, _total: int, _what: str) -> None:
    """Tell nobody."""


class Interrupted(Exception):  # noqa: N818 - nobody is at fault
    """A campaign is to end with what it has."""


class Interruption:
    """Whether somebody has asked a campaign to end with what it has."""

    asked = False

    def ask(self) -> None:
        """Ask for it."""
        self.asked = True


@dataclass(frozen=True, slots=True)
class Order:
    """How much is tried: by how many processes, derived from which seed, and nothing begun after `until`.

    `until` is a time of `time.monotonic`. What comes first when it is limited is drawn from the seed. An
    `interruption` that is asked for spends what is left of it at once.
    """

    workers: int = 1
    seed: int = 0
    until: float = math.inf
    interruption: Interruption = field(default_factory=Interruption, compare=False)

    @property
    def limited(self) -> bool:
        """Whether there is a budget."""
        return self.until < math.inf

    @property
    def over(self) -> bool:
        """Whether it is spent."""
        return self.interruption.asked or time.monotonic() >= self.until

    def half(self) -> Order:
        """Return the same with half of the time that is left."""
        now = time.monotonic()
        return replace(self, until=now + (self.until - now) / 2)

    def drawn(self, tasks: Iterable[T]) -> list[T]:
        """Return tasks in the order in which they are tried: their own where all of them will be."""
        found = list(tasks)
        if self.limited:
            random.Random(self.seed).shuffle(found)  # noqa: S311 - a sample, no secret
        return found

    def carried_out(self, crew: Crew[T, R], tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
        """Carry out tasks until the budget is spent, and yield each with what came of it."""
        tasks, some = self.drawn(tasks), max(1, self.workers if self.limited else len(tasks))
        for start in range(0, len(tasks), some):
            if self.over:
                return
            part = tasks[start : start + some]
            done = self.results(crew, part)
            for task in part:
                try:
                    outcome = next(done)
                except Interrupted:
                    return
                yield task, outcome

    def results(self, crew: Crew[T, R], tasks: Sequence[T]) -> Iterator[R]:
        """Carry out all of some tasks, and yield what comes of each. Raises Interrupted."""
        done = crew.run(tasks)
        for _ in tasks:
            if self.interruption.asked:
                raise Interrupted
            try:
                outcome = next(done)
            except InternalError:
                if self.interruption.asked:  # which ends the processes
                    raise Interrupted from None
                raise
            yield outcome


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is not as it must be, or not as it was reviewed: a line, and others that belong to it."""

    what: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows: a figure and what it counts, a tone for each part of it, how it is read, and below `content`.

    Tones are `good`, `open`, `bad` and `none`.
    """

    score: str
    counted: str
    tones: Sequence[str]
    about: str
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Result(ABC):
    """What came of a campaign. It has failed if anything is `wrong`.

    `tried` counts what was tried and `left` what was left out because the budget was spent, both in the words of
    `unit`; `faults` counts runs that ended as an internal error.
    """

    unit: ClassVar[str] = "runs"

    tried: int = 0
    left: int = 0
    faults: int = 0

    @abstractmethod
    def summary(self) -> str:
        """Return the sum in one line."""

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """Yield what is printed of it, but for what is wrong."""

    @abstractmethod
    def wrong(self) -> Iterator[Wrong]:
        """Yield what is wrong."""

    @abstractmethod
    def data(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""

    @abstractmethod
    def page(self) -> Page:
        """Return what its page shows."""

    def accept(self, why: str) -> list[Path]:  # noqa: ARG002 - some keep nothing
        """Take what is new into the reviewed record, and return the files written. Raises ConfigError."""
        return []

    def kept(self) -> Iterator[tuple[str, str]]:
        """Yield further files of a report, by their paths in its folder, with their text."""
        return iter(())


class Campaign(ABC):
    """A campaign; `name` is that of its command, its page and its data, `counted` what it tells progress in."""

    name: ClassVar[str]
    counted: ClassVar[str] = "runs"

    @abstractmethod
    def carry_out(self, order: Order, tell: Tell) -> Result:
        """Carry it out. Raises ConfigError and the like for what is asked for and is not there."""

    def unfit(self, order: Order) -> str:  # noqa: ARG002 - most ask for all
        """Return why what comes of this cannot be taken into the reviewed record; empty if it can."""
        return ""


def held(wrong: int, compared: int = 1) -> str:
    """Say in words how many of those that were compared are not as reviewed."""
    if not compared:
        return "nothing reviewed to hold it against"
    return f"{wrong} not as reviewed" if wrong else "all as reviewed"


def known(names: Iterable[str], among: Iterable[str], what: str) -> list[str]:
    """Return the names that are asked for. Raises ConfigError for one that there is not."""
    from simwarden.scenario.problems import guess  # noqa: PLC0415 - only a typing error pays for it

    wanted, there = list(names), list(among)
    for name in wanted:
        if name not in there:
            raise ConfigError(f"no {what} is called {name!r}", hint=guess(name, there, len(there)))
    return wanted


def scenario_text(data: Mapping[str, Any]) -> str:
    """Return the document of a campaign's story as a scenario that `run` takes."""
    import yaml  # noqa: PLC0415 - only who asks for a story pays for it

    ordered = {"scenario": data["scenario"], **data}
    return yaml.safe_dump(ordered, sort_keys=False, width=120, allow_unicode=True, default_flow_style=None)


def write(path: Path, text: str) -> Path:
    """Write a file, in a folder that is made for it. Raises ConfigError if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", Place(str(path))) from error
    return path


@dataclass
class Done:
    """A campaign that was carried out: what is printed, shown and decided of all of them in the same way."""

    name: str
    result: Result
    seconds: float
    wrong: list[Wrong] = field(init=False)

    def __post_init__(self) -> None:
        self.wrong = list(self.result.wrong())

    @cached_property
    def page(self) -> Page:
        """What its page shows."""
        return self.result.page()

    @property
    def verdict(self) -> str:
        """What it comes to in a word: `error` for an internal error, `untried` where nothing was tried."""
        if self.result.faults:
            return "error"
        return "untried" if not self.result.tried else "failed" if self.wrong else "passed"

    @property
    def line(self) -> str:
        """The sum in one line, with what was left out and how long it took."""
        left = f"{self.result.left} {self.result.unit} left out for lack of time" if self.result.left else ""
        parts = [self.result.summary(), left, f"{self.seconds:.1f} s"]
        return "; ".join(filter(None, parts))

    def data(self) -> dict[str, Any]:
        """Return its verdict and what is wrong as JSON can hold it."""
        wrong = [{"what": each.what, "lines": list(each.lines)} for each in self.wrong]
        return {"verdict": self.verdict, "sum": self.line, "left_out": self.result.left, "wrong": wrong}
