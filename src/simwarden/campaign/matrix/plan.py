"""The files of a matrix: misuses, methods alone and combined, and what a misuser may get. They name all elements.

A folder of a matrix holds `misuses/*.yaml`, `methods.yaml`, `services.yaml`, and the record. A misuse is a scenario
whose axis `use` has two words: `misuse`, and `legitimate` for the same motions by the legitimate user.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from simwarden.errors import ConfigError, Place
from simwarden.policy.requirements import requirements
from simwarden.runtime.declare import Model
from simwarden.scenario.cases import Case, CaseFile
from simwarden.scenario.parts import entries_of, head_of, top_of
from simwarden.scenario.problems import Problems
from simwarden.scenario.yamlfile import Source, Spot

if TYPE_CHECKING:
    from pathlib import Path

    from simwarden.scenario.registry import Registry

#: the axis of a misuse's file, its words, and what its steps have in the place of what each word does
AXIS: Final = "use"
MISUSE, LEGITIMATE = WORDS = "misuse", "legitimate"
_ACT: Final = f"${AXIS}.act"


class MisuseHead(Model):
    """What the file of a misuse says beside its elements and steps."""

    misuse: str = Field(min_length=1)
    """The misuse in one sentence."""
    about: str = ""
    """Anything a reader should know."""
    alike: dict[str, str] = Field(default_factory=dict)
    """Terminals of the make of others: what a method makes the one do, it makes the other do."""
    lacking: dict[str, str] = Field(default_factory=dict)
    """Services whose probe does not fit this misuse, with what is missing."""


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
    """A misuse; `name` is that of its file, and `uses` has its two cases as documents, by the word of the axis."""

    name: str
    head: MisuseHead
    spot: Spot
    uses: dict[str, Spot]

    def value(self, word: str, key: str) -> Any:
        """Return what a word of the axis says under a key."""
        return (self.spot / "vary" / AXIS / word / key).value

    @property
    def before(self) -> int:
        """The number of steps before the misuse."""
        steps: list[Any] = (self.spot / "steps").value
        return steps.index(_ACT)


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
    #: kinds that it needs and that are not installed
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
    methods = top_of(folder / "methods.yaml", problems)
    order = (methods / "misuses").value
    ordered = order if isinstance(order, list) else []
    for index, name in enumerate(ordered):
        if name not in (names := [file.stem for file in files]):
            problems.unknown("misuse", str(name), names, (methods / "misuses" / index).place)
    for file in sorted(files, key=lambda each: ordered.index(each.stem) if each.stem in ordered else len(ordered)):
        misuse = _misuse(plan, file, problems)
        if misuse is not None:
            plan.misuses[misuse.name] = misuse
    _read_methods(plan, methods, problems)
    _read_services(plan, top_of(folder / "services.yaml", problems), registry, problems)
    for misuse in plan.misuses.values():
        _check(misuse.head.lacking, plan.services, "service", misuse.spot / "lacking", problems)
    problems.raise_if_any()
    return plan


def _check(names: Any, known: Any, what: str, spot: Spot, problems: Problems) -> None:
    """Note names of a list, or keys of a mapping, that are not known."""
    for index, name in enumerate(names):
        if name not in known:
            here = (spot / index).place if isinstance(names, list) else (spot / name).key
            problems.unknown(what, name, known, here)


def _misuse(plan: Plan, file: Path, problems: Problems) -> Misuse | None:
    spot = top_of(file, problems)
    data = spot.source.data
    head = head_of(MisuseHead, spot, data, (*plan.parts, "set", "vary", "steps", "foothold"), problems)
    cases = CaseFile(spot.source, problems)
    if [case.words.get(AXIS) for case in cases.cases] != [*WORDS]:
        problems.add(f"a misuse has vary: {{{AXIS}: {{{': {...}, '.join(WORDS)}: {{...}}}}}}", spot.place)
    elif _ACT not in (data.get("steps") or ()):
        problems.add(f"a misuse has 'steps', with {_ACT} among them", spot.place)
    elif head is not None:
        uses = {word: Spot(cases.document(Case({AXIS: word}), problems)) for word in WORDS}
        return Misuse(file.stem, head, spot, uses)
    return None


def _read_methods(plan: Plan, top: Spot, problems: Problems) -> None:
    for name, spot, entry in entries_of(top, "methods", problems):
        head = head_of(MethodHead, spot, entry, (*plan.parts, "after"), problems)
        if head is not None:
            _check(head.requires, requirements(), "requirement", spot / "requires", problems)
            plan.methods[name] = Method(name, head, (spot,))
    alone = dict(plan.methods)
    for name, spot, entry in entries_of(top, "combined", problems):
        combined = head_of(CombinationHead, spot, entry, (), problems)
        if combined is None:
            continue
        if name in alone:
            problems.add(f"two methods are called {name!r}", spot.key)
        _check(combined.of, alone, "method", spot / "of", problems)
        members = [alone[each] for each in combined.of if each in alone]
        requires = dict.fromkeys(each for member in members for each in member.head.requires)
        spots = tuple(spot for each in members for spot in each.spots)
        whole = combined.model_copy(update={"requires": list(requires)})
        plan.methods[name] = Method(name, whole, spots, tuple(combined.of))


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
