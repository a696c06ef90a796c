"""docs/ci.md: the commands of each job are carried out, with the installed package in place of a download."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from waiting import LONG, reserved_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[3] / "docs" / "ci.md").read_text(encoding="utf-8")
JOBS: dict[str, dict[str, Any]] = {}
for _block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
    _file = yaml.safe_load(_block)
    for _name, _job in _file.get("jobs", _file).items():
        _title = "github" if "jobs" in _file else _name
        JOBS[f"{_title}-{len(JOBS)}"] = _job
#: what says that a GitHub server runs the command
GITHUB = {"GITHUB_ACTIONS": "true"}


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step] if "steps" in job else list(job["script"])


def kept(job: dict[str, Any]) -> list[str]:
    """The paths that the server keeps of the job."""
    if "steps" in job:
        return [step["with"]["path"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    return [*job["artifacts"].get("paths", []), *job["artifacts"].get("reports", {}).values()]


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Path:
    """A repository with two stories, and a `pip` that writes down what it should install."""
    (tmp_path / "stories").mkdir()
    (tmp_path / "bin").mkdir()
    pip = tmp_path / "bin" / "pip"
    pip.write_text('#!/bin/sh\necho "$@" >> pip.log\n', encoding="utf-8")
    pip.chmod(0o755)
    assert run(tmp_path, "simwarden init stories/first.yaml").returncode == 0
    return tmp_path


def run(folder: Path, command: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: text for name, text in os.environ.items() if name not in {"CI", *GITHUB}}
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    given = {**kept, "CI": "true", "SIMWARDEN": "simwarden.whl", **env, "PATH": path}
    return subprocess.run(  # noqa: S603 - the page's own commands
        ["/bin/bash", "-ec", command], cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=LONG
    )


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """Serve the HSS that is under test; yield its address."""
    exported = run(folder, "simwarden export stories --element hss --stand-ins")
    (folder / "cards.yaml").write_text(exported.stdout, encoding="utf-8")
    with reserved_port() as port:
        (folder / "hss.yaml").write_text(f"listen: {{S6a: '127.0.0.1:{port}'}}\nsubscribers: cards.yaml\n", "utf-8")
        words = [sys.executable, "-m", "simwarden", "serve", "hss", "--config", "hss.yaml"]
        with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
            try:
                assert process.stdout is not None
                assert process.stdout.readline().startswith("ready hss")
                yield f"127.0.0.1:{port}"
            finally:
                process.terminate()


def test_there_are_jobs_of_both_servers() -> None:
    assert ["steps" in job for job in JOBS.values()].count(True) == 1
    assert len(JOBS) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_green_and_leaves_what_is_kept(checkout: Path, name: str) -> None:
    job = JOBS[name]
    env = dict(GITHUB) if "steps" in job else {key: str(text) for key, text in job.get("variables", {}).items()}
    if "HSS" in env:
        with lab(checkout) as env["HSS"]:
            _carry_out(checkout, job, env)
    else:
        _carry_out(checkout, job, env)
    assert "simwarden.whl" in (checkout / "pip.log").read_text(encoding="utf-8")
    for path in kept(job):
        assert (checkout / path).exists(), path


def _carry_out(checkout: Path, job: dict[str, Any], env: dict[str, str]) -> None:
    for command in commands(job):
        done = run(checkout, command, **env)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.slow
def test_a_wrong_story_is_red_and_is_told_at_its_line(checkout: Path) -> None:
    twin = checkout / "stories" / "first-twin.yaml"
    twin.write_text(twin.read_text("utf-8").replace("meter: {attach: accepted}", "meter: {emm_cause: 8}"), "utf-8")
    job = next(job for job in JOBS.values() if "steps" in job)
    command = next(each for each in commands(job) if each.startswith("simwarden run"))
    done = run(checkout, command, **GITHUB)
    assert done.returncode != 0
    line = next(n for n, text in enumerate(twin.read_text("utf-8").splitlines(), 1) if "emm_cause: 8" in text)
    assert re.search(rf"^::error file=stories/first-twin\.yaml,line={line}", done.stdout, re.MULTILINE), done.stdout
