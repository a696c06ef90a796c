"""Many scenarios: found, chosen, and run with the same results in any number of processes."""

from pathlib import Path

import pytest

from simwarden.errors import ConfigError
from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import ScenarioResult
from simwarden.scenario.runner import RunOptions
from simwarden.trace.events import Frame

STORY = """\
scenario: story {n}
tags: [{tag}]
cards: {{card: {{binding: {{by: gate, learn: first-use}}}}}}
devices: {{meter: , phone: }}
steps:
- insert: {{card: card, into: meter}}
- power_on: meter
- insert: {{card: card, into: phone}}
- power_on: phone
  expect: {outcome}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(5):
        (tmp_path / f"s{n}.yaml").write_text(
            STORY.format(n=n, tag="odd" if n % 2 else "even", outcome="accepted" if n == 3 else "rejected")
        )
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "s1.yml").write_text(STORY.format(n=9, tag="sub", outcome="rejected"))
    (tmp_path / "other.yaml").write_text("about: no scenario here\n  scenario: indented\n")
    return tmp_path


def test_folders_are_searched_for_scenarios(folder: Path) -> None:
    jobs = suite.find([str(folder), str(folder / "sub")])
    assert [job.name for job in jobs] == ["s0", "s1", "s2", "s3", "s4", "sub-s1"]
    assert [job.name for job in suite.find([str(folder / "s1.yaml"), str(folder / "sub" / "s1.yml")])] == ["s1", "s1-2"]
    with pytest.raises(ConfigError, match="no such file"):
        suite.find([str(folder / "gone")])


def test_folders_below_scenarios_are_tags(tmp_path: Path, loader: Loader) -> None:
    file = tmp_path / "scenarios" / "gate" / "first-use" / "phone.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(STORY.format(n=1, tag="odd", outcome="rejected"))
    assert loader.load(file).tags == ("gate", "first-use", "odd")


def test_a_file_named_like_the_capture_of_a_case_has_another_capture(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("scenario: a\nvary: {on: [day]}\nsteps: [$on]\n")
    (tmp_path / "x.day.yaml").write_text("scenario: b\nsteps: [here]\n")
    assert [job.name for job in suite.find([str(tmp_path)])] == ["x.day", "x::day-2"]


@pytest.mark.parametrize(
    ("old", "new", "encoding"),
    [
        ("scenario:", "scenaro:", "utf-8"),
        ("scenario:", "Scenario:", "utf-8"),
        ("scenario:", '"scenario":', "utf-8"),
        ("", "", "utf-8-sig"),
        ("", "", "utf-16"),
    ],
)
def test_a_scenario_with_a_mistake_in_its_first_key_is_not_left_out(
    folder: Path, old: str, new: str, encoding: str
) -> None:
    text = (folder / "s0.yaml").read_text().replace(old, new, 1)
    (folder / "s7.yaml").write_text(text, encoding)
    assert "s7" in [job.name for job in suite.find([str(folder)])]


@pytest.mark.parametrize(
    ("tags", "match", "names"),
    [
        ([], [], 6), (["odd"], [], 2), (["odd", "sub"], [], 3), (["not-odd"], [], 4),
        ([], ["STORY 3"], 1), ([], ["sub*"], 1),
        (["even"], ["story 3"], 0),
    ],
)  # fmt: skip
def test_scenarios_are_chosen(folder: Path, loader: Loader, tags: list[str], match: list[str], names: int) -> None:
    jobs = suite.find([str(folder)])
    assert len([job for job in jobs if suite.chosen(loader.load(job.reference), job.name, tags, match)]) == names


def digest(result: ScenarioResult) -> tuple[str, str, str, list[tuple[float, str, str, bytes]]]:
    frames = [(e.time, e.source, e.target, e.data) for e in result.events if isinstance(e, Frame)]
    return result.name, result.verdict.value, str(result.failure), frames


def test_any_number_of_processes_gives_the_same(
    folder: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Registry, "installed", lambda: registry)
    loader = Loader(registry)
    jobs = [(job, loader.load(job.reference)) for job in suite.find([str(folder)])]
    one = [digest(result) for result in suite.run_all(jobs, RunOptions(seed=7), "", 1)]
    three = [digest(result) for result in suite.run_all(jobs, RunOptions(seed=7), "", 3)]
    assert [verdict for _, verdict, _, _ in one] == ["passed"] * 3 + ["failed"] + ["passed"] * 2
    assert one == three
