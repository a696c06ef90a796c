"""The pages made of declarations are as they would be made now, and leave nothing out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import shipped_cases
import yaml
from typer.testing import CliRunner

from simwarden.cli import referring
from simwarden.cli.main import app
from simwarden.cli.referring import reference_pages
from simwarden.policy.classification import measures
from simwarden.runtime.declare import Model, Seconds, field_docs
from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.reference import refusals
from simwarden.scenario.reference.classification import classes_page
from simwarden.scenario.reference.elements import element_page
from simwarden.scenario.reference.settings import settings_of
from simwarden.scenario.registry import Registry
from simwarden.scenario.runner import run_scenario
from simwarden.trace.events import Decided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.scenario.result import ScenarioResult

DOCS = Path(__file__).parents[3] / "docs"
REGISTRY = Registry.installed()
#: element kind, control and occasion of each decision in the stories that the pages play
ASKED: set[tuple[str, str, str]] = set()


def _run(*given: Any) -> ScenarioResult:
    """Run a scenario, and keep what was asked in it."""
    result = run_scenario(*given)
    kinds = {lane.name: lane.kind for lane in result.lanes}
    for event in result.events:
        if isinstance(event, Decided):
            ASKED.add((kinds[event.element], event.decision.control.id, event.decision.occasion))
    return result


@pytest.fixture(name="pages", scope="module")
def _pages() -> dict[str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refusals, "run_scenario", _run)
        return dict(reference_pages())


@pytest.mark.slow
def test_each_page_is_what_is_declared(pages: dict[str, str]) -> None:
    stale = [
        name for name, text in pages.items() if not (DOCS / name).is_file() or (DOCS / name).read_text("utf-8") != text
    ]
    assert stale == [], "not what the elements and scenarios say now: run `make docs`, and commit what it writes"


@pytest.mark.slow
@pytest.mark.usefixtures("pages")
def test_each_control_is_asked_on_each_occasion_that_it_declares_and_on_no_other() -> None:
    declared = {
        (kind, control.id, str(occasion))
        for kind in REGISTRY.kinds
        for control in REGISTRY.declaration(kind).controls
        for occasion in control.occasions
    }
    assert sorted(ASKED - declared) == []
    # The pages play what is refused. Where nothing ever is, legitimate use is asked about, as `prove` shows.
    listed = yaml.safe_load((DOCS.parent / "scenarios/equivalent-mutants.yaml").read_text(encoding="utf-8"))
    same = {entry["case"] for entry in listed}
    unasked = [f"{kind}/{control}@{occasion} always-admit" for kind, control, occasion in declared - ASKED]
    assert sorted(set(unasked) - same) == []


@pytest.mark.slow
def test_each_cell_of_the_tables_links_to_a_card_that_has_the_control(pages: dict[str, str]) -> None:
    """A card that nothing binds cannot show binding, whatever its story proves beside it."""
    links = set(re.findall(r"\[([a-z.]+)\]\(\.\./scenarios/(\S+)\.yaml\)", pages["classification.md"]))
    sections = {"bind": "binding", "area": "area"}
    assert set(sections) <= {requirement.partition(".")[0] for requirement, _ in links}
    for requirement, path in links:
        cases = [shipped_cases.document_of(name) for name in shipped_cases.cases_of(path)]
        shown = [each for each in cases if requirement in each["proves"]]
        assert shown, path
        section = sections.get(requirement.partition(".")[0])
        assert section is None or any(section in card for each in shown for card in each["cards"].values()), path


def test_a_quota_of_messages_is_no_quota_of_data() -> None:
    """A card for data only has none that acts, as long as the one of messages is all that there is."""
    loader, stories = Loader(), DOCS.parent / "scenarios"
    jobs = [
        (job, loader.load(job.reference)) for job in suite.find([str(stories / "sms/quota/messages.yaml::mo-long")])
    ]
    page = classes_page(jobs, loader, stories)
    rows = [line.split(" | ") for line in page.splitlines() if re.match(r"\| [1-6] \|", line)]
    column = 4 + list(measures()).index("quota")
    shown = "SMS [quota](../scenarios/sms/quota/messages.yaml) (2.5)"
    whole = [f"voice **open**, {shown}, data **open**", f"{shown}, data **open**", "data **open**"]
    assert [row[column].removeprefix("3.2(2): ") for row in rows] == [each for each in whole for _ in range(6)]


@pytest.mark.slow
def test_no_page_is_left_of_an_element_that_is_gone(pages: dict[str, str]) -> None:
    there = {f"elements/{path.name}" for path in (DOCS / "elements").glob("*.md")}
    assert there == {name for name in pages if name.startswith("elements/")}


def models_of(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
        for info in annotation.model_fields.values():
            yield from models_of(info.annotation)
    for inner in get_args(annotation):
        yield from models_of(inner)


def declared_models(kind: str) -> dict[str, type[Model]]:
    each = REGISTRY.kinds[kind]
    tops = [each.declaration.config, *each.declaration.card.values()]
    tops += [verb.arguments for verb in each.all_verbs().values()]
    return {model.__name__: model for top in tops for model in models_of(top)}


@pytest.mark.parametrize("kind", REGISTRY.kinds)
def test_each_thing_that_is_declared_says_what_it_means(kind: str) -> None:
    each = REGISTRY.kinds[kind]
    silent = [
        f"{name}.{field}"
        for name, model in declared_models(kind).items()
        for field, text in field_docs(model).items()
        if not text and not any(models_of(model.model_fields[field].annotation))
    ]
    silent += [f"verb {verb.name}" for verb in each.all_verbs().values() if not verb.doc]
    silent += [f"observable {seen.name}" for seen in each.declaration.observables if not seen.doc]
    silent += [f"control {control.id}" for control in each.declaration.controls if not control.title]
    silent += [f"route {route.method} {route.path}" for route in each.routes if not route.doc]
    assert not silent


@pytest.mark.parametrize("kind", REGISTRY.kinds)
def test_each_number_with_a_fraction_says_its_unit_by_its_type_or_its_words(kind: str) -> None:
    duration = get_args(Seconds)[1]
    bare = [
        f"{name}.{field}"
        for name, model in declared_models(kind).items()
        for field, info in model.model_fields.items()
        if info.annotation is float and duration not in info.metadata and "degrees" not in field_docs(model)[field]
    ]
    assert not bare, "declare a duration as Seconds, so that `15 s` is read and the page says so"


@pytest.mark.parametrize("kind", REGISTRY.kinds)
def test_the_page_names_each_thing_that_is_declared(kind: str) -> None:
    each, page = REGISTRY.kinds[kind], element_page(REGISTRY, kind)
    named = [setting.path for setting in settings_of(each.declaration.config)]
    named += [f"{section}.{field}" for section, model in each.declaration.card.items() for field in model.model_fields]
    named += [*each.all_verbs(), *(seen.name for seen in each.declaration.observables)]
    named += [control.id for control in each.declaration.controls]
    named += [event.type for event in each.declaration.events]
    named += [f"{route.method} {route.path}" for route in each.routes if route.public]
    assert [name for name in named if f"`{name}`" not in page] == []


@pytest.mark.slow
def test_check_tells_a_page_that_is_not_as_it_would_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: dict[str, str]
) -> None:
    monkeypatch.setattr(referring, "reference_pages", pages.items)
    run = CliRunner()
    written = run.invoke(app, ["reference", str(tmp_path)])
    assert written.exit_code == 0, written.output
    assert run.invoke(app, ["reference", str(tmp_path), "--check"]).exit_code == 0
    changed, gone = tmp_path / "elements" / "hss.md", tmp_path / "elements" / "mscserver.md"
    gone.write_text(changed.read_text(encoding="utf-8"), encoding="utf-8")
    changed.write_text("# hss\n", encoding="utf-8")
    told = run.invoke(app, ["reference", str(tmp_path), "--check"])
    assert told.exit_code == 1
    assert [line.partition(":")[0] for line in told.stderr.splitlines()] == [str(changed), str(gone)]
    assert run.invoke(app, ["reference", str(tmp_path)]).exit_code == 0
    assert not gone.exists()
    assert changed.read_text(encoding="utf-8") == pages["elements/hss.md"]
