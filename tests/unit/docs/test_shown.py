"""Each marked block of a page is what its command prints, and no page shows output that has no mark."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import sessions
import shown
import yaml

from simwarden.campaign.impact.experiment import read_experiment
from simwarden.scenario.load import Loader
from simwarden.scenario.suite import find

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

#: pages whose blocks of commands are played by a test of their own, commands and all
PLAYED = {"own-hss.md": "test_own_hss.py", "north.md": "test_north.py"}


@pytest.mark.parametrize(
    ("page", "block"),
    [pytest.param(page, block, id=f"{page.stem}: {block[3].splitlines()[0]}") for page, block in shown.blocks()],
)
def test_a_block_is_what_its_command_prints(page: Path, block: re.Match[str]) -> None:
    real = shown.fresh(block)
    assert shown.same(block[3], real), f"{page.name}: run `make docs`; now it is\n{real}"


@pytest.mark.parametrize("page", shown.PAGES, ids=lambda page: str(page.relative_to(shown.ROOT)))
def test_output_has_a_mark(page: Path) -> None:
    bare = re.findall(r"^(?!<!-- ).*\n```console\n(.*)\n", page.read_text("utf-8"), re.MULTILINE)
    assert page.name in PLAYED or sessions.is_session(page.read_text("utf-8")) or not bare


SESSIONS = [page for page in shown.PAGES if sessions.is_session(page.read_text("utf-8"))]


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: str(page.relative_to(shown.ROOT)))
def test_a_session_prints_what_it_shows(page: Path) -> None:
    text = page.read_text("utf-8")
    if lacking := sessions.lacking(text):
        pytest.skip(f"not installed: {' '.join(lacking)}")
    wrong = [call for call in sessions.play(text) if not shown.same(call.shown, call.real)]
    assert not wrong, "\n".join(f"$ {each.command}\n{each.real}" for each in wrong)


EXAMPLES = [
    pytest.param(data, id=f"{page.relative_to(shown.ROOT)}: {number}")
    for page in shown.PAGES
    for number, text in enumerate(re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    if isinstance(data := yaml.safe_load(text), list) or {"network", "cards", "steps"} & data.keys()
    if "misuse" not in data  # `matrix` has words of its own
]


@pytest.mark.parametrize("data", EXAMPLES)
def test_an_example_of_a_scenario_is_one(tmp_path: Path, data: Any) -> None:
    steps = {"network": {"broker": {}}, "steps": data} if isinstance(data, list) else data
    if not {"scenario", "experiment"} & steps.keys():
        kinds = {"meter": {"type": "module"}, "phone": {"type": "handset"}}
        given = {"scenario": "An example", "devices": kinds, "cards": {"card": {"profile": "meter"}}}
        steps = given | {"steps": [{"wait": "1 s"}]} | steps
    file = tmp_path / "example.yaml"
    file.write_text(yaml.safe_dump(steps, sort_keys=False), encoding="utf-8")
    if "experiment" in steps:
        read_experiment(str(file), Loader(), {})
    else:
        for job in find([str(file)]):
            Loader().load(job.reference)


@pytest.mark.parametrize(
    ("text", "real", "is_same"),
    [
        ("a 1.2 s\nb\n", "a 0.33 s\nb\n", True),
        ("a        1.26 s  b\n", "a       10.46 s  b\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nc\n", "a\nb\nc\nd\n", False),
        ("a\n...\nc\n...\n", "a\nb\nc\nd\n", True),
        ("a\n...\nb 1\n...\n", "a\nx b 1\n", False),
        ("c\n...\na\n...\n", "a\nb\nc\n", False),
        ("  0.193    │  │\n", "           │  │\n", True),
        ("  0.193    │──▶│\n", "           │  │\n", False),
    ],
)
def test_times_and_what_is_left_out_do_not_count(text: str, real: str, *, is_same: bool) -> None:
    assert shown.same(text, real) is is_same


def test_the_event_that_is_shown_is_told(tmp_path: Path) -> None:
    block = re.search(
        r"^```json\n(.*?)^```", (shown.ROOT / "docs" / "events.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert block
    story = str(shown.ROOT / "scenarios" / "events" / "refused-card.yaml")
    command = [sys.executable, "-m", "simwarden", "run", story, "--report", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own program
    frames = map(json.loads, (tmp_path / "events.jsonl").read_text("utf-8").splitlines())
    octets = [bytes.fromhex(each["octets"]) for each in frames if each.get("message") == "publish"]
    told = [json.loads(each[each.index(b"{") :]) for each in octets]
    assert _without_times(json.loads(block[1])) in map(_without_times, told), told


def _without_times(event: dict[str, Any]) -> dict[str, Any]:
    assert re.fullmatch(r"[0-9a-f]{8}-\d+", event["id"])
    return event | {"id": "", "time": event["time"][:10]}
