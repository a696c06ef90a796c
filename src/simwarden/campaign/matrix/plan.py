"""The files of a matrix: misuses, methods alone and combined, and what a misuser may get. They name all elements.

A folder of a matrix holds `misuses/*.yaml`, `methods.yaml`, `services.yaml`, and the record. A misuse is a scenario
whose axis `use` has two words: `misuse`, and `legitimate` for the same motions by the legitimate user.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic import Field

from simwarden.campaign.composition import Part, check_known, head_of, read_parts, top_of
from simwarden.errors import ConfigError, Place
from simwarden.policy.requirements import requirements
from simwarden.runtime.declare import Model
from simwarden.scenario.cases import Case, CaseFile
from simwarden.scenario.problems import Problems
from simwarden.scenario.yamlfile import Source, Spot

if TYPE_CHECKING:
    from collections.abc import Mapping
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

    @property
    def members(self) -> list[str]:
        """The methods of a combination; none for a single one."""
        return []


class CombinationHead(MethodHead):
    """Several methods in force at once."""

    of: list[str] = Field(min_length=2)
    """The methods."""

    @property
    def members(self) -> list[str]:
        """See MethodHead."""
        return self.of


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


Method: TypeAlias = Part[MethodHead]
Service: TypeAlias = Part[ServiceHead]
"""What a misuser may get; the first one, the attach, is what all that are not `apart` stand behind."""


@dataclass(frozen=True, slots=True)
class Misuse(Part[MisuseHead]):
    """A misuse; its name is that of its file, and `uses` has its two cases as documents, by the word of the axis."""

    uses: Mapping[str, Spot]

    def value(self, word: str, key: str) -> Any:
        """Return what a word of the axis says under a key."""
        return (self.spot / "vary" / AXIS / word / key).value

    @property
    def before(self) -> int:
        """The number of steps before the misuse."""
        steps: list[Any] = (self.spot / "steps").value
        return steps.index(_ACT)


@dataclass(slots=True)
class Plan:
    """A matrix as read and checked. `parts` are the keys of a scenario that say what there is in it."""

    folder: Path
    registry: Registry
    misuses: dict[str, Misuse] = field(default_factory=dict)
    methods: dict[str, Method] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    after: Spot = field(default_factory=lambda: Spot(Source("")))

    @property
    def parts(self) -> tuple[str, ...]:
        """The keys of a scenario that say what there is in it."""
        return ("network", *self.registry.sections)

    @property
    def attach(self) -> Service:
        """The service that the others stand behind."""
        return next(iter(self.services.values()))

    def spots(self, method: Method) -> list[Spot]:
        """Return the parts that say what is in force: one for each member of a combination."""
        return [self.methods[name].spot for name in method.head.members] or [method.spot]

    def lacking(self, service: Service) -> str:
        """Return what is missing for a probe of a service: elements, or the probe itself; empty if there is one."""
        missing = [kind for kind in service.head.needs if kind not in self.registry.kinds]
        if not missing and (service.spot / "foothold").value is not None:
            return ""
        return service.head.lacking or ", ".join(missing) or "a probe"


def read_plan(folder: Path, registry: Registry) -> Plan:
    """Read a folder of a matrix. Raises ScenarioErrors with all that is wrong, ConfigError where files are missing."""
    problems, plan = Problems(), Plan(folder, registry)
    files = {file.stem: file for file in sorted((folder / "misuses").glob("*.yaml"))}
    if not files:
        raise ConfigError(
            "no matrix is here: misuses/*.yaml, methods.yaml and services.yaml make one", Place(str(folder))
        )
    methods, services = (top_of(folder / f"{name}.yaml", problems) for name in ("methods", "services"))
    order = (methods / "misuses").value or []
    check_known(order, files, "misuse", methods / "misuses", problems)
    for name in dict.fromkeys((*(each for each in order if each in files), *files)):
        misuse = _misuse(plan, files[name], problems)
        if misuse is not None:
            plan.misuses[name] = misuse
    plan.methods |= read_parts(methods / "methods", MethodHead, (*plan.parts, "after"), {}, problems)
    combined = read_parts(methods / "combined", CombinationHead, (), plan.methods, problems)
    for each in combined.values():
        check_known(each.head.of, plan.methods, "method", each.spot / "of", problems)
    plan.methods |= combined
    for method in plan.methods.values():
        check_known(method.head.requires, requirements(), "requirement", method.spot / "requires", problems)
    for section in ("services", "paths"):
        also = (*plan.parts, "steps", "foothold", "after")
        plan.services |= read_parts(services / section, ServiceHead, also, plan.services, problems)
    if plan.services and plan.lacking(plan.attach):
        problems.add("the first service needs a foothold, by which it is seen", plan.attach.spot.place)
    plan.after = services / "after"
    for misuse in plan.misuses.values():
        check_known(misuse.head.lacking, plan.services, "service", misuse.spot / "lacking", problems)
    problems.raise_if_any()
    return plan


def _misuse(plan: Plan, file: Path, problems: Problems) -> Misuse | None:
    spot = top_of(file, problems)
    head = head_of(MisuseHead, spot, (*plan.parts, "set", "vary", "steps", "foothold"), problems)
    cases = CaseFile(spot.source, problems)
    if [case.words.get(AXIS) for case in cases.cases] != [*WORDS]:
        problems.add(f"a misuse has vary: {{{AXIS}: {{{': {...}, '.join(WORDS)}: {{...}}}}}}", spot.place)
    elif _ACT not in ((spot / "steps").value or ()):
        problems.add(f"a misuse has 'steps', with {_ACT} among them", spot.place)
    elif head is not None:
        uses = {word: Spot(cases.document(Case({AXIS: word}), problems)) for word in WORDS}
        return Misuse(file.stem, head, spot, uses)
    return None
