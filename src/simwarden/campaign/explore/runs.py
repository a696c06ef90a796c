"""Explores stories: everything at every point, or a part of it that a seed chooses, spread over processes."""

from __future__ import annotations

import hashlib
import random
from dataclasses import astuple, dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from simwarden.campaign.explore.bench import AND, BaselineRun, Bench, Point, bench, plan_of
from simwarden.scenario.problems import ScenarioErrors
from simwarden.scenario.suite import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.campaign.explore.oracle import Deviation
    from simwarden.campaign.grid import Order

#: things put in by name, each at a point by its number
Put = tuple[tuple[int, str], ...]
#: how many frames lie between two things mostly, and how often the change comes first
_NEAR, _CHANGE_FIRST = 4.0, 0.7
#: how often another change is drawn, beside faults, whose rates are between 0 and 1
_TWO_CHANGES = 0.4
#: pairs that a budget which is left over is spent on at a time, and how many times at most
_PART, _PARTS = 200, 10_000
#: points that a process takes at once: mostly all of a story, for it has to get to know that first
_CHUNK = 100
#: the same where time is limited
_FEW = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be explored: names of stories, changes and faults (none: all), and how much of it.

    `points` are so many at most in each story for each thing that is put in; `runs` thins all of it to so many; `pairs`
    are so many more runs with two things put in. All of it depends on the seed alone.
    """

    folder: str
    network: str = ""
    stories: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    seed: int = 0
    runs: int = 0
    pairs: int = 0
    points: int = 0

    def bench(self, story: str, change: str) -> Bench:
        """Return where a story with a change is run."""
        return bench(self.folder, self.network, self.seed, story, change)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run that may be made: a story, a change by whose settings it is told, and what is put in by point."""

    story: str
    change: str
    put: Put


@dataclass(frozen=True, slots=True)
class Task:
    """A story with a change (see `bench`), to be looked at first; with `puts`, runs of it with things put in."""

    wanted: Wanted
    story: str
    change: str
    puts: tuple[Put, ...] = ()
    #: what was seen of the story when it was looked at; None for two changes, which were not looked at together
    ground: BaselineRun | None = None

    @property
    def path(self) -> str:
        """Its name where a process dies."""
        return f"{self.story} with {self.change or 'nothing'}"

    def bench(self) -> Bench:
        """Return where it is run."""
        here = self.wanted.bench(self.story, self.change)
        if self.ground is not None:
            here.ground = self.ground
        return here


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run: whether it was another one for that, and what was not as it must be.

    `steps` is how many its story has; it says which of several runs is the shortest.
    """

    story: str
    change: str
    put: Put
    point: Point
    altered: bool
    deviations: tuple[Deviation, ...] = ()
    steps: int = 0

    @property
    def what(self) -> str:
        """What was put in, by name; two of a pair."""
        return AND.join(dict.fromkeys(name for _, name in self.put))

    @property
    def length(self) -> tuple[int, int, int]:
        """How long it is: things put in, steps, and frames until the first of them."""
        return len(self.put), self.steps, self.point.number


@dataclass(slots=True)
class DeviationGroup:
    """Runs that deviate alike: the shortest of them, and how many there are."""

    what: str
    procedure: str
    message: str
    deviation: Deviation
    first: Outcome
    count: int = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What groups it: what was put in, into which procedure, what deviates, and before which message."""
        return self.what, self.procedure, self.deviation.name, self.message


@dataclass(slots=True)
class Cell:
    """A procedure with something put in: at how many points it was tried, and at how many it altered what came."""

    tried: int = 0
    altered: int = 0


@dataclass(slots=True)
class ExploredRuns:
    """All that was found. `whole` says whether every point was tried."""

    wanted: Wanted
    planned: int = 0
    runs: int = 0
    whole: bool = True
    #: stories with a change that there was no time to look at, so that nobody knows what could have been tried
    unseen: int = 0
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    findings: dict[tuple[str, str, str, str], DeviationGroup] = field(default_factory=dict)
    #: stories in which something cannot be put in or judged, with the reason
    unjudged: dict[str, str] = field(default_factory=dict)
    #: stories that do not come to their end when nothing is put in, with what ended them
    broken: dict[str, str] = field(default_factory=dict)
    #: what was seen of each story with each change when it was looked at
    grounds: dict[tuple[str, str], BaselineRun] = field(default_factory=dict)

    def take(self, outcome: Outcome) -> None:
        """Count a run; of two things that are put in, what each does by itself is found elsewhere."""
        self.runs += 1
        if len(outcome.put) == 1:
            cell = self.cells.setdefault((outcome.point.procedure, outcome.what), Cell())
            cell.tried += 1
            cell.altered += outcome.altered
        for each in outcome.deviations:
            made = DeviationGroup(outcome.what, outcome.point.procedure, outcome.point.message, each, outcome)
            found = self.findings.setdefault(made.key, made)
            found.count += 1
            if outcome.length < found.first.length:
                found.first, found.deviation = outcome, each


#: where two changes are put into a story that does not come to its end with the settings of both
_NOWHERE: Final = Point(0, 0, "", "", "", 0)


def _outcome(work: Task, put: Put) -> Outcome:
    here = work.bench()
    fitted = here.fitting(put)
    changes, alone = {*here.told.changes}, len(put) == 1
    point = here.points[min(fitted, default=len(here.points) - 1)] if here.points else _NOWHERE
    if len(fitted) < len(put):  # the story is over before the second
        return Outcome(work.story, work.change, put, point, altered=False)
    seen = here.run(fitted)
    deviations: list[Deviation] = []
    if seen.put_in == len(put):  # else the first has kept the second from coming about
        deviations = here.oracle.deviations(seen, change=changes == {*fitted.values()}, alone=alone)
    put, steps = tuple(fitted.items()), len(here.told.without.steps)
    return Outcome(work.story, work.change, put, point, here.altered(seen), tuple(deviations), steps)


@dataclass(frozen=True, slots=True)
class _View:
    """What a story is by itself, the points by what can be put in, and why it cannot be judged."""

    ground: BaselineRun | None = None
    points: dict[str, list[int]] = field(default_factory=dict)
    unjudged: str = ""


def carry_out(task: Task) -> Any:
    """Carry out a task in this process: a story without `puts` is looked at, as it is and with the change."""
    if task.puts:
        return [_outcome(task, put) for put in task.puts]
    here = task.bench()
    unjudged = here.unjudged
    if unjudged:
        return _View(unjudged=unjudged)
    ground = here.ground
    names = [task.change] if task.change else [name for name in here.faults if _wanted(name, task.wanted.faults)]
    return _View(ground, {} if ground.fault else {name: here.numbers(name) for name in names})


def _wanted(name: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or name in wanted or name.partition("-")[0] in wanted


def explore(wanted: Wanted, order: Order) -> ExploredRuns:
    """Explore. But for a budget the result is the same for any number of processes.

    A budget that is left over when everything is tried is spent on pairs.
    """
    found = ExploredRuns(wanted)
    with Crew(carry_out, order.workers) as crew:
        every = list(_every(crew, found, order.half()))
        tries = _sample(every, wanted.runs, wanted.seed)
        alone = len(tries)
        tries = [*tries, *_pairs(every, wanted, wanted.pairs)]
        for part in range(1, _PARTS):
            found.planned += len(tries)
            chunk = _FEW if order.limited or order.workers == 1 else _CHUNK
            for _, outcomes in order.run(crew, list(_works(tries, found, chunk))):
                for each in outcomes:
                    found.take(each)
                order.progress(found.runs, found.planned, outcomes[0].story)
            if order.over or not order.limited or wanted.pairs or wanted.runs:
                break
            tries = _pairs(every, wanted, _PART, part)
    found.whole = not (wanted.points or found.unseen) and sum(
        cell.tried for cell in found.cells.values()
    ) == alone >= len(every)
    return found


def _every(crew: Crew[Task, Any], found: ExploredRuns, order: Order) -> Iterator[PlannedRun]:
    """Yield each run with one thing put in; stories that are broken by themselves are noted."""
    sights = list(_sights(found.wanted))
    views = dict(order.run(crew, sights))
    found.unseen = len(sights) - len(views)
    for sight, view in ((each, views[each]) for each in sights if each in views):
        if view.ground is not None:
            found.grounds[sight.story, sight.change] = view.ground
            if view.ground.fault:
                found.broken[sight.path] = view.ground.fault
        if view.unjudged:
            found.unjudged[sight.path] = view.unjudged
        for what, numbers in view.points.items():
            tries = [PlannedRun(sight.story, sight.change, ((number, what),)) for number in numbers]
            yield from _sample(tries, found.wanted.points, found.wanted.seed)


def _sights(wanted: Wanted) -> Iterator[Task]:
    plan = plan_of(wanted.folder)
    changes_alone, faults_alone = wanted.changes and not wanted.faults, wanted.faults and not wanted.changes
    for story in plan.stories.values():
        if wanted.stories and story.name not in wanted.stories:
            continue
        if not faults_alone:
            for change in plan.changes_of(story):
                if not wanted.changes or change.name in wanted.changes:
                    yield Task(wanted, story.name, change.name)
        if not changes_alone:
            yield Task(wanted, story.name, "")


def _draw(seed: int, what: object) -> bytes:
    return hashlib.blake2b(f"{seed}/{what}".encode(), digest_size=8).digest()


def _sample(tries: list[PlannedRun], number: int, seed: int) -> list[PlannedRun]:
    """Return so many of them (0: all), chosen by the seed, in their wanted."""
    if not number or number >= len(tries):
        return tries
    places = sorted(range(len(tries)), key=lambda place: _draw(seed, astuple(tries[place])))[:number]
    return [tries[place] for place in sorted(places)]


def _pairs(every: list[PlannedRun], wanted: Wanted, number: int, part: int = 0) -> list[PlannedRun]:
    """Return so many runs with two changes, or with a change and a fault, in either wanted, chosen by the seed.

    How often which fault is drawn differs by seed: each has a rate of its own, so that some seeds have many of a kind.
    Most come soon after one another, for there they meet.
    """
    generator = random.Random(f"{wanted.seed}/pairs/{part}")  # noqa: S311 - chooses what is tried
    changes = [each for each in every if each.change]
    others: dict[str, list[str]] = {}
    for each in every:
        others.setdefault(each.story, []).append(each.put[0][1])
    known = {each.change for each in changes}
    rates = {name: generator.random() for name in sorted({name for many in others.values() for name in many} - known)}
    found: set[PlannedRun] = set()
    for _ in range(number * 4 if changes else 0):
        if len(found) < number:
            change = generator.choice(changes)
            names = others[change.story]
            other = generator.choices(names, [rates.get(name, _TWO_CHANGES) for name in names])[0]
            if other != change.change:
                found |= _pair(wanted, change, other, other in known, generator)
    return sorted(found, key=lambda each: (_group(each), each.put))


def _pair(wanted: Wanted, change: PlannedRun, other: str, both: bool, generator: random.Random) -> set[PlannedRun]:  # noqa: FBT001
    """Return a change with a fault or another change near it; nothing for two that cannot be told in one story."""
    (number, what), first = change.put[0], generator.random() < _CHANGE_FIRST
    later = number + 1 + int(generator.expovariate(1 / _NEAR))
    put = ((number, what), (later, other)) if first else ((number, other), (later, what))
    told = AND.join(name for _, name in put) if both else what
    try:
        wanted.bench(change.story, told)
    except ScenarioErrors:
        return set()
    return {PlannedRun(change.story, told, put)}


def _group(run: PlannedRun) -> tuple[str, str, tuple[str, ...]]:
    """Return what is run together: runs of one story with the same things put in."""
    return run.story, run.change, tuple(name for _, name in run.put)


def _works(tries: list[PlannedRun], found: ExploredRuns, chunk: int) -> Iterator[Task]:
    for (story, change, _), group in groupby(tries, key=_group):
        puts = [each.put for each in group]
        for start in range(0, len(puts), chunk):
            part = tuple(puts[start : start + chunk])
            yield Task(found.wanted, story, change, part, found.grounds.get((story, change)))
