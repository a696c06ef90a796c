"""What the README shows is what there is: its scenario is the shipped one, and its output is the real one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- (file|run): (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
BLOCKS = {(kind, name): text for kind, name, text in BLOCK.findall(README)}
SECONDS = re.compile(r"\d+\.\d\d s")


def shown(name: str) -> str:
    """The output that the README shows, without the command and with times left out."""
    command, _, output = BLOCKS["run", name].partition("\n")
    assert command == f"$ simwarden run {name}"
    return SECONDS.sub("N s", output)


def run(folder: Path, name: str, text: str) -> str:
    """The real output of running a scenario of that name and text."""
    (folder / name).write_text(text, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "simwarden", "run", name], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return SECONDS.sub("N s", done.stdout)


def test_the_scenario_shown_is_the_shipped_one() -> None:
    for (kind, name), text in BLOCKS.items():
        if kind == "file":
            assert (ROOT / name).read_text(encoding="utf-8") == text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["first-story.yaml", "wrong-story.yaml"])
def test_the_output_shown_is_the_real_one(tmp_path: Path, name: str) -> None:
    story = BLOCKS["file", "scenarios/demo/first-story.yaml"]
    if name == "wrong-story.yaml":
        assert "imei: meter.imei" in story
        story = story.replace("imei: meter.imei", "imei: phone.imei")
    assert run(tmp_path, name, story) == shown(name)
