"""Makes a scenario of a misuse and of what is in force: loaded and checked as any other, and run by the same runner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwarden.campaign.engine import known, scenario_text
from simwarden.scenario.document import FactWanted
from simwarden.scenario.expectation import ExpectationReader
from simwarden.scenario.identities import References
from simwarden.scenario.load import Loader
from simwarden.scenario.merge import Layer, Merged, merge
from simwarden.scenario.problems import Problems
from simwarden.scenario.yamlfile import Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.campaign.matrix.plan import Method, Misuse, Plan, Service
    from simwarden.scenario.document import Expectation, Scenario


@dataclass(frozen=True, slots=True)
class Story:
    """A scenario, with what tells whether its user is in service.

    `before` is the number of steps that come before the misuse (or what is honest in its place), and `after` the
    number of those up to its end; `probed` is the number of those before what is judged, the misuse itself or a service
    that is tried behind it. `source` is the document.
    """

    scenario: Scenario
    source: Merged
    user: str
    before: int
    after: int
    probed: int
    foothold: Expectation


def story_of(
    plan: Plan, misuse: Misuse, method: Method, loader: Loader, *, probe: Service | None = None, honest: bool = False
) -> Story:
    """Make the story of a misuse with a method in force, or the honest one with the same motions.

    `probe` is a service whose own settings, steps and foothold take the place of the attach's. Raises ScenarioErrors,
    each with the file and line in which the wrong part was written.
    """
    problems = Problems()
    user = misuse.honest.user if honest else misuse.head.user
    part = misuse.spot / "honest" if honest else misuse.spot
    names = {"user": user}
    before, steps = [misuse.spot / "before"], [part / "steps"]
    if probe is not None:
        steps.append(probe.spot / "steps")
    layers = [*_settings(plan, misuse, method)]
    if probe is not None:
        layers += [Layer(probe.spot / each, (each,), names) for each in plan.parts]
    after = probe.spot / "after" if probe is not None and (probe.spot / "after").value else plan.after
    befalls = [spot / "after" for spot in method.spots]
    layers += [Layer(spot, ("steps",), names) for spot in (*before, *steps, *befalls, after)]
    source = merge(str(misuse.spot.source.file), layers, problems)
    source.data["scenario"] = f"{_title(misuse, honest=honest)}; in force: {method.head.title}"
    scenario = loader.assemble(source, problems)
    count = [sum(len(_list_at(spot)) for spot in spots) for spots in (before, steps)]
    where = _foothold_of(plan, part, probe)
    foothold = _read_foothold(scenario, where, names)
    return Story(scenario, source, user, count[0], sum(count), count[0] if probe is None else sum(count), foothold)


def honest_facts(plan: Plan, misuse: Misuse) -> list[object]:
    """Return what an honest story is made of: equal for two misuses whose honest stories are the same one."""
    user = misuse.honest.user
    sections = [misuse.spot / part for part in plan.parts]
    shared = [(spot / user).value or spot.value for spot in sections]
    steps = [misuse.spot / "before", misuse.spot / "honest" / "steps", misuse.spot / "honest" / "foothold"]
    return [user, *shared, *(spot.value for spot in steps)]


def _title(misuse: Misuse, *, honest: bool) -> str:
    return misuse.honest.story if honest else misuse.head.misuse


def _settings(plan: Plan, misuse: Misuse, method: Method) -> Iterator[Layer]:
    """Yield what the story says of elements, cards and devices, then what the method does."""
    for name in plan.parts:
        yield Layer(misuse.spot / name, (name,))
    for spot in method.spots:
        for name in plan.parts:
            yield Layer(spot / name, (name,))
            for other, like in misuse.head.alike.items():
                if name != "network":
                    yield Layer(spot / name / like, (name, other))


def _list_at(spot: Spot) -> list[object]:
    value = spot.value
    return value if isinstance(value, list) else []


def _foothold_of(plan: Plan, part: Spot, probe: Service | None) -> Spot:
    """Return what is to be seen of a user in service: the probe's word, the story's own, or that of the attach."""
    for spot in (probe.spot if probe else part, part, plan.attach.spot):
        if (spot / "foothold").value is not None:
            return spot / "foothold"
    return plan.attach.spot / "foothold"


def _read_foothold(scenario: Scenario, spot: Spot, names: dict[str, str]) -> Expectation:
    problems = Problems()
    source = merge(spot.source.file, [Layer(spot, ("foothold",), names)], problems)
    references = References()
    references.instances.update(scenario.instances)
    reader = ExpectationReader(scenario.registry, references, problems)
    here = Spot(source) / "foothold"
    expectation = reader.read(source.data.get("foothold", ""), here, never=False, outcomes=None)
    for condition in expectation.conditions:
        if not isinstance(condition, FactWanted):
            problems.add("a foothold is what elements hold; messages and decisions pass", condition.place)
    problems.raise_if_any()
    return expectation


def text_of(plan: Plan, cell: str, *, honest: bool) -> str:
    """Return the story of one cell (`MISUSE/METHOD`) as a scenario that `run` takes. Raises ConfigError."""
    misuse, _, method = cell.partition("/")
    known([misuse], plan.misuses, "misuse")
    known([method], plan.methods, "method")
    story = story_of(plan, plan.misuses[misuse], plan.methods[method], Loader(), honest=honest)
    return scenario_text(story.source.data)
