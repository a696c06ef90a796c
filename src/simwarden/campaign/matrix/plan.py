"""The files of a matrix: misuses, methods alone and combined, and what a misuser may get. They name all elements.

A folder of a matrix holds `misuses/*.yaml`, `methods.yaml`, `services.yaml`, and `expected.yaml` (see `expected`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import Field

from simwarden.errors import ConfigError, Place
from simwarden.policy.requirements import requirements
from simwarden.runtime.declare import Model
from simwarden.scenario.parts import entries_of, head_of, top_of
from simwarden.scenario.problems import Problems
from simwarden.scenario.yamlfile import Source, Spot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simwarden.scenario.registry import Registry


class MisuseHead(Model):
    """What the file of a misuse says beside its elements and steps."""

    misuse: str = Field(min_length=1)
    """The story in one sentence."""
    about: str = ""
    """Anything a reader should know."""
    user: str = Field(min_length=1)
    """The terminal that misuses the card."""
    alike: dict[str, str] = Field(default_factory=dict)
    """Terminals of the make of others: what a method makes the one do, it makes the other do."""
    lacking: dict[str, str] = Field(default_factory=dict)
    """Services whose probe does not fit this story, with what is missing."""


class HonestHead(Model):
    """The same motions in the hands of the legitimate user."""

    story: str = Field(min_length=1)
    """The story in one sentence."""
    user: str = Field(min_length=1)
    """The legitimate terminal."""


class MethodHead(Model):
    """What a method says beside what it puts in force."""

    title: str = Field(min_length=1)
    about: str = ""
    requires: list[str] = Field(default_factory=list)
    """Ids of the requirements that it serves."""


class CombinationHead(MethodHead):
    """Several methods in force at once."""

    of: list[str] = Field(min_length=2)
    """The methods."""


class ServiceHead(Model):
    """What a service or a parallel path says beside how it is probed."""

    title: str = Field(min_length=1)
    short: str = ""
    """Its name in tables; by default the title."""
    about: str = ""
    needs: list[str] = Field(default_factory=list)
    """Kinds of element without which it cannot be had."""
    lacking: str = ""
    """What is missing, in words; by default the kinds."""
    apart: bool = False
    """Whether it leads past the attach, so that no refusal there closes it."""


@dataclass(frozen=True, slots=True)
class Misuse:
    """A story of misuse; `name` is that of its file."""

    name: str
    head: MisuseHead
    honest: HonestHead
    spot: Spot


@dataclass(frozen=True, slots=True)
class Method:
    """What is in force: `spots` are the parts that say so, one for each member of a combination."""

    name: str
    head: MethodHead
    spots: tuple[Spot, ...]
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """What a misuser may get; the first one, the attach, is what all that are not `apart` stand behind."""

    name: str
    head: ServiceHead
    spot: Spot
    path: bool
    #: kinds that it needs and nobody has installed
    missing: tuple[str, ...] = ()
    #: whether there is a probe: a foothold by which it is seen
    probed: bool = False

    @property
    def label(self) -> str:
        """Its name in tables."""
        return self.head.short or self.head.title

    @property
    def lacking(self) -> str:
        """What is missing where it is not built, in words."""
        return self.head.lacking or ", ".join(self.missing) or "a probe"


@dataclass(slots=True)
class Plan:
    """A matrix as read and checked. `parts` are the keys of a scenario that say what there is in it."""

    folder: Path
    parts: tuple[str, ...]
    misuses: dict[str, Misuse] = field(default_factory=dict)
    methods: dict[str, Method] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    after: Spot = field(default_factory=lambda: Spot(Source("")))

    @property
    def attach(self) -> Service:
        """The service that the others stand behind."""
        return next(iter(self.services.values()))


def read_plan(folder: Path, registry: Registry) -> Plan:
    """Read a folder of a matrix. Raises ScenarioErrors with all that is wrong, ConfigError where files are missing."""
    problems = Problems()
    plan = Plan(folder, ("network", *registry.sections))
    files = sorted((folder / "misuses").glob("*.yaml"))
    if not files:
        raise ConfigError(
            "no matrix is here: misuses/*.yaml, methods.yaml and services.yaml make one", Place(str(folder))
        )
    for file in files:
        misuse = _misuse(plan, file, problems)
        if misuse is not None:
            plan.misuses[misuse.name] = misuse
    methods = top_of(folder / "methods.yaml", problems)
    _order_misuses(plan, methods / "misuses", problems)
    _read_methods(plan, methods, problems)
    _read_services(plan, top_of(folder / "services.yaml", problems), registry, problems)
    for misuse in plan.misuses.values():
        for name in misuse.head.lacking:
            if name not in plan.services:
                problems.unknown("service", name, plan.services, (misuse.spot / "lacking" / name).key)
    problems.raise_if_any()
    return plan


def _misuse(plan: Plan, file: Path, problems: Problems) -> Misuse | None:
    spot = top_of(file, problems)
    data = spot.source.data
    head = head_of(MisuseHead, spot, data, (*plan.parts, "before", "steps", "foothold", "honest"), problems)
    for key in ("steps", "honest"):
        if not data.get(key):
            problems.add(f"a misuse has {key!r}", spot.place)
    here = spot / "honest"
    honest = head_of(HonestHead, here, data.get("honest", {}), ("steps", "foothold"), problems)
    if head is None or honest is None:
        return None
    return Misuse(file.stem, head, honest, spot)


def _order_misuses(plan: Plan, spot: Spot, problems: Problems) -> None:
    """Put the misuses into the order of the columns."""
    named = spot.value if isinstance(spot.value, list) else []
    for index, name in enumerate(named):
        if name not in plan.misuses:
            problems.unknown("misuse", str(name), plan.misuses, (spot / index).place)
    order = [name for name in named if name in plan.misuses]
    plan.misuses = {name: plan.misuses[name] for name in dict.fromkeys((*order, *plan.misuses))}


def _read_methods(plan: Plan, top: Spot, problems: Problems) -> None:
    for name, spot, entry in entries_of(top, "methods", problems):
        head = head_of(MethodHead, spot, entry, (*plan.parts, "after"), problems)
        if head is not None:
            _check_requirements(head, spot, problems)
            plan.methods[name] = Method(name, head, (spot,))
    alone = dict(plan.methods)
    for name, spot, entry in entries_of(top, "combined", problems):
        head = head_of(CombinationHead, spot, entry, (), problems)
        if head is not None:
            plan.methods[name] = _combination(name, head, spot, alone, problems)


def _combination(
    name: str, head: CombinationHead, spot: Spot, alone: Mapping[str, Method], problems: Problems
) -> Method:
    if name in alone:
        problems.add(f"two methods are called {name!r}", spot.key)
    for index, member in enumerate(head.of):
        if member not in alone:
            problems.unknown("method", member, alone, (spot / "of" / index).place)
    members = [alone[each] for each in head.of if each in alone]
    requires = dict.fromkeys(each for member in members for each in member.head.requires)
    whole = head.model_copy(update={"requires": list(requires)})
    return Method(name, whole, tuple(spot for each in members for spot in each.spots), tuple(head.of))


def _check_requirements(head: MethodHead, spot: Spot, problems: Problems) -> None:
    for index, name in enumerate(head.requires):
        if name not in requirements():
            problems.unknown("requirement", name, requirements(), (spot / "requires" / index).place)


def _read_services(plan: Plan, top: Spot, registry: Registry, problems: Problems) -> None:
    for section in ("services", "paths"):
        for name, spot, entry in entries_of(top, section, problems):
            head = head_of(ServiceHead, spot, entry, (*plan.parts, "steps", "foothold", "after"), problems)
            if head is None:
                continue
            if name in plan.services:
                problems.add(f"two services are called {name!r}", spot.key)
            missing = tuple(each for each in head.needs if each not in registry.kinds)
            probed = "foothold" in entry and not missing
            plan.services[name] = Service(name, head, spot, section == "paths", missing, probed)
    if plan.services and not plan.attach.probed:
        problems.add("the first service needs a foothold, by which it is seen", plan.attach.spot.place)
    plan.after = top / "after"
