"""docs/own-hss.md, carried out as it stands: its files, its commands, and what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from waiting import reserved_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[3] / "docs" / "own-hss.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
#: the page's port, in whose place a free one comes
PORT = "13868"
_PATIENCE = 60


def shown(command: str, number: int = 0) -> str:
    """What the page shows after a command, the `number`-th time that it shows it."""
    texts = [
        text for block in BLOCKS for line, text in re.findall(r"\$ (.*)\n((?:(?!\$ ).*\n?)*)", block) if line == command
    ]
    return texts[number]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the files of the page, the foreign HSS at a free port."""
    folder = tmp_path_factory.mktemp("own-hss")
    with reserved_port() as port:
        for name in ("hss.yaml", "lab.yaml"):
            assert PORT in shown(f"cat {name}")
            (folder / name).write_text(shown(f"cat {name}").replace(PORT, str(port)), encoding="utf-8")
        yield folder


def run(lab: Path, command: str) -> tuple[int, str]:
    words = command.split()
    assert words.pop(0) == "simwarden"
    output = words[-1] if words[-2] == ">" else ""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "simwarden", *(words[:-2] if output else words)],
        cwd=lab, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if output:
        (lab / output).write_text(done.stdout, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(params=[True, False], ids=["that enforces", "that does not"])
def enforces(lab: Path, request: pytest.FixtureRequest) -> Iterator[bool]:
    """The foreign HSS at work, with the binding of the first subscriber or without."""
    assert run(lab, "simwarden init first.yaml --force")[0] == 0
    command = "simwarden export first.yaml first-twin.yaml --element hss --stand-ins > cards.yaml"
    assert command in PAGE
    assert run(lab, command)[0] == 0
    cards = lab / "cards.yaml"
    assert cards.read_text(encoding="utf-8") == shown("cat cards.yaml")
    if not request.param:
        data = yaml.safe_load(cards.read_text(encoding="utf-8"))
        data["subscribers"][0]["sections"] = {}
        cards.write_text(yaml.safe_dump(data), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "simwarden", "serve", "hss", "--config", "hss.yaml"],
        cwd=lab,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready hss: S6a 127.0.0.1:")
            yield request.param
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def verdicts(text: str) -> list[str]:
    """The verdicts of scenarios and mutants, by name: all that does not change from run to run."""
    return re.findall(r"^(passed|failed|inconclusive|killed|not judged) +(?:\d+\.\d+ s +)?(\S+)", text, re.MULTILINE)


def test_the_page_says_what_becomes_of_it(lab: Path, *, enforces: bool) -> None:
    command = "simwarden run first.yaml first-twin.yaml --network lab.yaml"
    code, said = run(lab, command)
    assert code == 1
    told = shown(command, 0 if enforces else 1)
    assert verdicts(said) == verdicts(told)
    for line in told.splitlines():
        if re.match(r"first\.yaml:|  (decided|cannot)|    [-+] ", line):
            assert line in said.splitlines(), line
    if enforces:
        prove = "simwarden prove first.yaml first-twin.yaml --network lab.yaml --control hss/bind.hss.given"
        code, said = run(lab, prove)
        assert code == 0
        assert verdicts(said) == verdicts(shown(prove))
        assert said.splitlines()[0] == shown(prove).splitlines()[0]
