"""Composes the scenario of a misuse, or of the legitimate use, with a method in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simwarden.campaign.composition import compose, expand
from simwarden.campaign.grid import check_names
from simwarden.campaign.matrix.plan import LEGITIMATE, MISUSE
from simwarden.errors import ConfigError
from simwarden.scenario.document import FactWanted
from simwarden.scenario.drafted import text_of
from simwarden.scenario.expectation import ExpectationReader
from simwarden.scenario.identities import References
from simwarden.scenario.load import Loader
from simwarden.scenario.merge import Layer
from simwarden.scenario.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.campaign.matrix.plan import Method, Misuse, Plan, Service
    from simwarden.scenario.document import Expectation, Scenario
    from simwarden.scenario.merge import Merged
    from simwarden.scenario.yamlfile import Spot


@dataclass(frozen=True, slots=True)
class Story:
    """A scenario, with what tells whether its user is in service.

    `before` is the number of steps that come before the misuse (or what is legitimate in its place), and `after` the
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
    """Compose a misuse with a method in force, or the legitimate use with the same motions.

    `probe` is a service whose own settings, steps and foothold take the place of the attach's. Raises ScenarioErrors,
    each with the file and line in which the wrong part was written.
    """
    problems, word = Problems(), LEGITIMATE if honest else MISUSE
    user, base = str(misuse.value(word, "user")), misuse.uses[word]
    service, attach, after, *methods = (
        expand(spot, problems, user=user)
        for spot in ((probe or plan.attach).spot, plan.attach.spot, plan.after, *plan.spots(method))
    )
    settings = [*_settings(plan, misuse, base, methods)]
    if probe is not None:
        settings += [Layer(service / part, (part,)) for part in plan.parts]
    own = probe is not None and (service / "after").value
    blocks = {
        "use": [base / "steps"],
        "probe": [service / "steps"] if probe is not None else [],
        "after": [*(spot / "after" for spot in methods), service / "after" if own else after],
    }
    title = misuse.value(word, "story") if honest else misuse.head.misuse
    composed = compose(
        f"{title}; in force: {method.head.title}", str(misuse.spot.source.file), settings, blocks, loader
    )
    done = composed.sizes["use"] + composed.sizes["probe"]
    where = next(each for each in (service if probe else base, base, attach) if (each / "foothold").value is not None)
    foothold = _read_foothold(composed.scenario, where / "foothold", problems)
    before = misuse.before
    return Story(composed.scenario, composed.document, user, before, done, done if probe else before, foothold)


def honest_facts(plan: Plan, misuse: Misuse) -> list[object]:
    """Return the parts of a legitimate use: equal for two misuses with the same one."""
    user, base = misuse.value(LEGITIMATE, "user"), misuse.uses[LEGITIMATE]
    shared = [(base / part / user).value or (base / part).value for part in plan.parts]
    return [user, *shared, (base / "steps").value, (base / "foothold").value]


def _settings(plan: Plan, misuse: Misuse, base: Spot, methods: list[Spot]) -> Iterator[Layer]:
    """Yield what the misuse says of elements, cards and devices, then what the methods do."""
    for name in plan.parts:
        yield Layer(base / name, (name,))
    for spot in methods:
        for name in plan.parts:
            yield Layer(spot / name, (name,))
            for other, like in misuse.head.alike.items():
                if name != "network":
                    yield Layer(spot / name / like, (name, other))


def _read_foothold(scenario: Scenario, spot: Spot, problems: Problems) -> Expectation:
    references = References()
    references.instances.update(scenario.instances)
    reader = ExpectationReader(scenario.registry, references, problems)
    expectation = reader.read(spot.value, spot, never=False, outcomes=None)
    for condition in expectation.conditions:
        if not isinstance(condition, FactWanted):
            problems.add("a foothold is what elements hold; messages and decisions pass", condition.place)
    problems.raise_if_any()
    return expectation


def story_text(plan: Plan, cell: str, *, honest: bool) -> str:
    """Return the story of one cell (`MISUSE/METHOD`) as a scenario that `run` takes. Raises ConfigError."""
    misuse, slash, method = cell.partition("/")
    if not slash:
        raise ConfigError(f"--story: expected MISUSE/METHOD, got {cell!r}")
    check_names([misuse], plan.misuses, "misuse")
    check_names([method], plan.methods, "method")
    story = story_of(plan, plan.misuses[misuse], plan.methods[method], Loader(), honest=honest)
    data: dict[str, Any] = story.source.data
    return text_of({"scenario": data["scenario"], **data})
