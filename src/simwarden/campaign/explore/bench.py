"""What a process keeps of a story: its scenario, the points at which something is put in, what runs are held to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from simwarden.campaign.composition import loader_of
from simwarden.campaign.explore.oracle import Oracle
from simwarden.campaign.explore.plan import Plan, read_plan
from simwarden.campaign.explore.story import Told, told
from simwarden.campaign.explore.trial import Seen, at_once, carry_out, never
from simwarden.model.interfaces import INTERFACES
from simwarden.scenario.document import Call, Fail, Manage, Mishap, Power, Wait
from simwarden.scenario.during import LASTING, MISHAPS, mishaps_of
from simwarden.scenario.judge import nested
from simwarden.scenario.registry import Registry
from simwarden.scenario.runner import RunOptions
from simwarden.trace.dissect import Dissector
from simwarden.wire.family import family_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.campaign.explore.trial import Put
    from simwarden.scenario.document import Action, Scenario
    from simwarden.scenario.load import Loader
    from simwarden.trace.events import Frame


#: what stands between the names of two things that are put in
AND = " + "
#: stories with changes that a process keeps, with a run of each
_KEPT = 32


#: how long a frame is late, a connection carries nothing, an element is gone, silent or slow
_SECONDS = {"delay": 3.0, "stall": 30.0}
_GONE, _SILENT, _SLOW, _LATE = 10.0, 30.0, 60.0, 2.0


def frame_faults() -> dict[str, Mishap]:
    """Return what may become of a frame, by name."""
    return {word: Mishap(word, _SECONDS[word] if word in LASTING else 0.0) for word in MISHAPS}


def may_meet(interface: str, name: str) -> bool:
    """Whether a frame of an interface may meet with a fault: mishaps by what carries it, all else at any time."""
    return name not in MISHAPS or name in mishaps_of(INTERFACES[interface])


def element_faults(scenario: Scenario) -> dict[str, tuple[Action, ...]]:
    """Return what each element of a network may suffer and get over, as `killed-mme`."""
    found: dict[str, tuple[Action, ...]] = {}
    for name, each in scenario.instances.items():
        listens = scenario.registry.declaration(each.kind).listens
        if each.section or each.external is not None or not listens:
            continue
        found[f"restarted-{name}"] = (Power(name, "restart"),)
        found[f"killed-{name}"] = Power(name, "kill"), Wait(_GONE), Power(name, "start")
        if any(family_of(INTERFACES[interface].protocol).silenced for interface in listens):
            found[f"silent-{name}"] = Fail(name, 0), Wait(_SILENT), Power(name, "mend")
            found[f"slow-{name}"] = Fail(name, 0, after=_LATE), Wait(_SLOW), Power(name, "mend")
    return found


@dataclass(frozen=True, slots=True)
class Point:
    """A frame of a story before which something can be put in, as a scenario names it.

    `number` counts the points of the story, `nth` the frames with this message in the step `step`, from 1.
    """

    number: int
    step: int
    procedure: str
    interface: str
    message: str
    nth: int

    def __str__(self) -> str:
        return f"{self.interface.lower()}.{self.message}" + (f" ({self.nth})" if self.nth > 1 else "")


@dataclass(frozen=True, slots=True)
class BaselineRun:
    """A story in which nothing is put in: what ends it before its time, its points, and marks of its frames.

    By `far_end` a run differs in what terminals sent and heard, by `wires` in any frame or its time.
    """

    fault: str
    points: tuple[Point, ...]
    far_end: bytes
    wires: bytes


def _mark(frames: object) -> bytes:
    return hashlib.blake2b(repr(frames).encode(), digest_size=16).digest()


@cache
def plan_of(folder: str) -> Plan:
    """Return the plan of a folder, read once a process."""
    return read_plan(Path(folder), Registry.installed())


@lru_cache(maxsize=_KEPT)
def bench(folder: str, network: str, seed: int, story: str, change: str) -> Bench:
    """Return the bench of a story with a change, with two (`barring + unbinding`), or with none (empty)."""
    return Bench(plan_of(folder), loader_of(network), RunOptions(seed=seed), story, change)


class Bench:
    """A story with changes, or with none and faults."""

    def __init__(self, plan: Plan, loader: Loader, options: RunOptions, story: str, change: str) -> None:
        self.plan, self.options, self.story, self.change = plan, options, story, change
        changes = [plan.changes[name] for name in change.split(AND)] if change else []
        self.told: Told = told(plan, plan.stories[story], changes, loader)

    @property
    def unjudged(self) -> str:
        """Why a change cannot be put in here: it is made at an element outside this process."""
        outside = self.told.without.external
        there = [
            each.element
            for actions in self.told.changes.values()
            for each in actions
            if isinstance(each, (Manage, Call)) and each.element in outside
        ]
        return f"the change is made at {there[0]}, which is external" if there else ""

    @cached_property
    def base(self) -> Seen:
        """The run in which nothing is put in; where a change is, nobody asks how it ends."""
        return carry_out(self.told, self.told.without, {}, self.options, at_once if self.change else never)

    @cached_property
    def ground(self) -> BaselineRun:
        """What there is to know of that run; whoever knows it from another process sets it."""
        base = self.base
        points = () if base.fault else tuple(self._points())
        return BaselineRun(base.fault, points, self._far_end(base), _mark(base.wires()))

    def _far_end(self, seen: Seen) -> bytes:
        scenario = self.told.without
        terminals = {one for name in scenario.facts["devices"] for one in scenario.groups.get(name, (name,))}
        return _mark(seen.far_end(terminals))

    def altered(self, seen: Seen) -> bool:
        """Whether a change has reached a terminal; whether a fault altered any frame, or when it was sent."""
        if self.change:
            return self._far_end(seen) != self.ground.far_end
        return _mark(seen.wires()) != self.ground.wires

    @cached_property
    def oracle(self) -> Oracle:
        """What runs are held to: the change before all else, or no fault."""
        reference = carry_out(self.told, self.told.before, {}, self.options) if self.change else self.base
        return Oracle(self.plan, self.told, reference)

    @cached_property
    def faults(self) -> Mapping[str, Put | Mishap]:
        """What may befall the story, by name."""
        return frame_faults() | element_faults(self.told.without)

    @property
    def points(self) -> Sequence[Point]:
        """The frames before which something can be put in."""
        return self.ground.points

    def _points(self) -> Iterator[Point]:
        dissector = Dissector()
        names = {
            id(event): [each.name for each in nested(found)]
            for event, found in dissector.walk(self.base.result.events[: self.base.length])
            if found
        }
        counts: dict[tuple[int, str, str], int] = {}
        for number, (frame, step) in enumerate(self.base.points):
            carried = names[id(frame)]
            for name in dict.fromkeys(carried):
                counts[step, frame.interface, name] = counts.get((step, frame.interface, name), 0) + 1
            message = next((name for name in carried[1:] if "ciphered" not in name), carried[0])
            nth = counts[step, frame.interface, message]
            yield Point(number, step, self.told.procedures[step], frame.interface, message, nth)

    def numbers(self, what: str) -> list[int]:
        """Return the points at which something can be put in: a change at all, a mishap where the carrier has it."""
        every = what in self.told.changes
        return [each.number for each in self.points if every or may_meet(each.interface, what)]

    def meaning(self, what: str) -> Put | Mishap:
        """Return what a name stands for: the change, or a fault."""
        return self.told.changes.get(what) or self.faults[what]

    def fitting(self, put: tuple[tuple[int, str], ...]) -> dict[int, str]:
        """Return what is put in by point: of a pair, each at the next point that fits, the second after the first."""
        if len(put) == 1:
            return dict(put)
        found: dict[int, str] = {}
        for number, what in put:
            least = max(number, *(each + 1 for each in found)) if found else number
            found |= dict.fromkeys([each for each in self.numbers(what) if each >= least][:1], what)
        return found

    def run(self, put: Mapping[int, str]) -> Seen:
        """Run the story with things put in by name."""
        meant = {number: self.meaning(what) for number, what in put.items()}
        return carry_out(self.told, self.told.without, meant, self.options, self.oracle.content)

    def frame(self, number: int) -> Frame:
        """Return the frame of a point."""
        return self.base.points[number][0]
