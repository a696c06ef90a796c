"""pytest collects scenario files, runs each as a test, and loads nothing before it sees one."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[3] / "scenarios" / "demo"


def run(folder: Path, *more: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=60)  # noqa: S603
    return done.stdout + done.stderr


def test_scenarios_are_tests_and_failures_are_records(tmp_path: Path) -> None:
    for name in ("moved-card.yaml", "card-back-in-its-meter.yaml"):
        (tmp_path / name).write_text((DEMO / name).read_text())
    (tmp_path / "wrong.yaml").write_text((DEMO / "moved-card.yaml").read_text().replace("5001", "5004"))
    (tmp_path / "broken.yaml").write_text("scenario: s\nsteps: [fly: x]\n")
    (tmp_path / "other.yaml").write_text("services: {}\n")
    said = run(tmp_path)
    assert "2 failed, 2 passed" in said
    assert "broken.yaml:2:9: verb 'fly' is not known" in said
    assert "- want  experimental_result: 5004" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("where", [".", "below", "beside"])
def test_they_run_from_any_folder_and_under_any_root(tmp_path: Path, where: str) -> None:
    """pytest's root is where its settings are, which may be above, below or beside the folder it is called in."""
    for folder in ("stories/deep", "below", "beside"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("moved-card.yaml", "card-back-in-its-meter.yaml"):
        (tmp_path / "stories/deep" / name).write_text((DEMO / name).read_text())
    (tmp_path / "stories" / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "stories")]
    done = subprocess.run(  # noqa: S603 - our own
        command, capture_output=True, text=True, check=False, cwd=tmp_path / where, timeout=60
    )
    assert "2 passed" in done.stdout, done.stdout


def test_nothing_heavy_is_loaded_without_a_scenario(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("services: {}\n")
    (tmp_path / "test_modules.py").write_text(
        "import sys\n\ndef test_it():\n"
        "    assert 'simwarden.scenario.pytest_plugin' in sys.modules\n"
        "    assert not {'pydantic', 'yaml', 'sqlalchemy', 'simwarden.runtime'} & set(sys.modules)\n"
    )
    assert "1 passed" in run(tmp_path, "-p", "no:hypothesispytest")
