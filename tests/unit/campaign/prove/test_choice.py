"""Which mutants a proof tries first after a change, and which are known to change nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from simwarden.campaign.prove.choice import EQUIVALENT, changed_files, equivalents, touched_by
from simwarden.errors import ConfigError, UserFileError
from simwarden.scenario.claims import spots_of
from simwarden.scenario.load import Loader

ROOT = Path(__file__).parents[4]


def touched(*files: str) -> set[str]:
    registry = Loader().registry
    concerns = touched_by(frozenset(ROOT / each for each in files), registry)
    return {spot.point.name for spot in spots_of(registry).values() if concerns(spot)}


def test_a_changed_rule_touches_all_controls_that_it_rules() -> None:
    assert touched("src/simwarden/policy/form.py") == {"uicc/pre.form"}
    assert {"cmp/bind.operator", "hss/area.operator", "uicc/bind.operator"} <= touched(
        "src/simwarden/policy/operator.py"
    )


def test_a_changed_procedure_touches_the_controls_that_it_asks() -> None:
    asked = touched("simulators/mme/procedures/service_request.py")
    assert "mme/mme.barring" in asked
    assert not asked & {"mme/mme.equipment", "mme/area.cell", "hss/hss.peer"}
    assert touched("simulators/hss/procedures/notification.py") == set()
    assert "mme/area.cell" in touched("simulators/mme/controls.py")
    assert not any(name.startswith("hss/") for name in touched("simulators/mme/controls.py"))


def test_a_file_of_no_element_touches_nothing() -> None:
    assert touched("README.md", "src/simwarden/trace/rows.py") == set()


@pytest.mark.slow
def test_git_tells_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=tester", "-c", "user.email=tester@example.com")
        subprocess.run(["git", *who, *arguments], check=True, cwd=tmp_path, capture_output=True)  # noqa: S603, S607

    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="git does not tell"):
        changed_files("HEAD")
    git("init")
    (tmp_path / "kept.py").write_text("x = 1\n")
    (tmp_path / "old.py").write_text("x = 1\n")
    git("add", "-A")
    git("commit", "-m", "first")
    (tmp_path / "old.py").write_text("x = 2\n")
    (tmp_path / "new.py").write_text("x = 3\n")
    assert changed_files("HEAD") == {tmp_path / "old.py", tmp_path / "new.py"}
    with pytest.raises(ConfigError, match="git does not tell"):
        changed_files("no-such-commit")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {case: mme/none@attach always-admit, outcome: equivalent, why: x}", "there is no mutant 'mme/none@attach"),
        ("- {case: uicc/pre.form@insertion always-admit, outcome: equivalent}", "key 'why' is missing"),
        ("- {outcome: equivalent, why: x}", "key 'case' is missing"),
        (
            "- {case: uicc/pre.form@insertion always-admit, outcome: survives, why: x}",
            "outcome 'survives' is not known",
        ),
        ("uicc/pre.form@insertion always-admit: x", "a list of entries is expected"),
        ("- {case: uicc/pre.form@insertion always-admit", "no YAML"),
    ],
)
def test_a_list_of_equivalent_mutants_that_makes_no_sense_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    known = ["uicc/pre.form@insertion always-admit"]
    assert equivalents([str(tmp_path)], known) == {}
    (tmp_path / EQUIVALENT).write_text(text)
    with pytest.raises(UserFileError, match=said):
        equivalents([str(tmp_path)], known)


def test_a_list_of_equivalent_mutants_gives_the_reasons(tmp_path: Path) -> None:
    known = ["uicc/pre.form@insertion always-admit"]
    (tmp_path / EQUIVALENT).write_text(f"- {{case: {known[0]}, outcome: equivalent, why: because}}\n")
    assert equivalents([str(tmp_path), str(tmp_path / "none")], known) == {known[0]: "because"}
