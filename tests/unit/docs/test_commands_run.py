"""The commands of ```sh blocks run, page by page in one folder; those that cannot be are listed, with the reason.

Commands that stand with their output are carried out by test_shown.py, those of pipelines by test_ci.py.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sessions
import shown
from waiting import LONG

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^```yaml\n(# ([\w-]+\.yaml)\n.*?)^```", re.MULTILINE | re.DOTALL)

LONG_RUN = "takes minutes; .ci/run has all of it, or a sample"
CHECK = "takes minutes; tests/unit/cli/test_check.py has it in a few seconds"
EXPLORE = "takes a minute; tests/unit/cli/test_exploring.py has what takes less"
IMPACT = "takes a minute; tests/unit/cli/test_impacting.py has what takes less"
MATRIX = "takes a minute; .ci/run has the whole table"
MAKE = ".ci/run has its parts"
PACKAGE = "would stay installed here; tests/unit/cli/test_new_element.py has it without"
OTHERS = "needs what is not of this project"
TUN = "needs root and TUN: tests/interop/test_programs.py has it where they are"
JQ = "needs jq: test_reports.py has it where that is"
ELSEWHERE = "docs/foreign/mme.md is carried out with it"
JQ_IS_HERE = shutil.which("jq") is not None
LIVE = "serves until it is interrupted: tests/web/test_live.py"
#: commands that are not run here, by page, and why
NOT_HERE = {
    "CONTRIBUTING.md": {
        "make .venv/.test && . .venv/bin/activate": MAKE,
        "cd policy_server && pip install -e . && pytest && simwarden run scenarios": PACKAGE,
        ".venv/bin/python tests/bench/mutants.py --sample 60 --seed 2 -j 2": LONG_RUN,
        ".venv/bin/python tests/bench/mutants.py --only policy/area.py": LONG_RUN,
    },
    "README.md": {
        "make demo": MAKE,
        "make run": MAKE,
        "make test": MAKE,
        ". .venv/bin/activate": MAKE,
        "simwarden check": CHECK,
        "simwarden prove": LONG_RUN,
        "simwarden matrix": LONG_RUN,
        "simwarden explore": LONG_RUN,
        "simwarden impact": LONG_RUN,
        "simwarden run scenarios/demo --network network.yaml": OTHERS,
    },
    "docs/check.md": {
        "simwarden check": CHECK,
        "simwarden check --budget 20min --report report": CHECK,
        "simwarden check --budget 0": CHECK,
        "simwarden check --folder mine": CHECK,
        "simwarden check matrix --misuse phone": MATRIX,
    },
    "docs/events.md": {
        "mosquitto_sub -h 192.0.2.20 -q 1 -c -i my-system "
        "-t 'simwarden/+/card/refused/#' -t 'simwarden/+/risk/#' -v": OTHERS,
    },
    "docs/explore.md": {
        "simwarden explore": LONG_RUN,
        "simwarden explore attach s1-handover --change barring --change rebinding": EXPLORE,
        "simwarden explore update --fault abort --fault killed-mme": EXPLORE,
        "simwarden explore --runs 3500 --seed 7": LONG_RUN,
        "simwarden explore --runs 1 --pairs 2000 --seed 7": LONG_RUN,
        "simwarden explore --budget 90s": EXPLORE,
        "simwarden explore --budget 30min": LONG_RUN,
        "simwarden explore --report report": LONG_RUN,
        "simwarden explore attach --change barring --points 20 --network network.yaml": OTHERS,
    },
    "docs/foreign/card-reader.md": {
        "simwarden serve uicc --vpcd --config uicc.yaml": OTHERS,
        "opensc-tool --list-readers": OTHERS,
        "opensc-tool --atr": OTHERS,
        'echo 00A40004023F00 | scriptor -r "Virtual PCD 00 00"': OTHERS,
    },
    "docs/impact.md": {
        "simwarden impact -j auto --html impact.html": LONG_RUN,
        "simwarden impact --match delay-hss": IMPACT,
        "simwarden impact --match load-causes --set fleet=1000": IMPACT,
    },
    "docs/live.md": dict.fromkeys(
        (
            "simwarden live",
            "simwarden live --open",
            "simwarden live --port 0",
            "simwarden live --host 192.0.2.7",
        ),
        LIVE,
    ),
    "docs/matrix.md": {
        "simwarden matrix": LONG_RUN,
        "simwarden matrix --service second-apn": MATRIX,
    },
    "docs/programs.md": {
        "sudo simwarden run story.yaml --tun --limit 900 &": TUN,
        "sudo ip netns exec simwarden-meter curl http://server.example/": TUN,
        "sudo ip netns exec simwarden-meter kdig @192.0.2.53 server.example": TUN,
        "sudo ip netns exec simwarden-meter ping 198.51.100.80": TUN,
        "sudo ip netns exec simwarden-internet ping 10.64.0.1": TUN,
    },
    "docs/reports.md": {
        """jq -r 'select(.kind == "decision" and .verdict == "refuse") | """
        """[.scenario, .element, .control, .reason] | @tsv' report/events.jsonl""": JQ,
        """jq -r 'select(.interface == "S6a") | [.scenario, .t, .summary] | @tsv' report/events.jsonl""": JQ,
    },
    "docs/serve.md": {
        "simwarden serve hss --config hss.yaml": ELSEWHERE,
        "SIMWARDEN_OPERATOR_TOKEN=choose-one docker compose -f docker/compose.yaml up --detach": OTHERS,
        "simwarden run scenarios/demo --network docker/network.yaml": OTHERS,
    },
    "docs/tutorial.md": {
        "make run": MAKE,
        ". .venv/bin/activate": MAKE,
    },
}  # fmt: skip


def commands_of(page: Path) -> list[str]:
    """The commands of a page that stand without their output, without remarks."""
    lines = [line for block in _BLOCK.findall(page.read_text("utf-8")) for line in block.splitlines()]
    return [re.sub(r"\s+# .*", "", line) for line in lines if line]


PAGES = {str(page.relative_to(ROOT)): commands for page in [*shown.PAGES] if (commands := commands_of(page))}

NOT_HERE["docs/foreign-cores.md"] = dict.fromkeys(PAGES["docs/foreign-cores.md"], OTHERS)


def test_what_is_not_run_is_listed_and_is_there() -> None:
    listed = {(page, command) for page, commands in NOT_HERE.items() for command in commands}
    assert listed <= {(page, command) for page, commands in PAGES.items() for command in commands}


@pytest.mark.parametrize(
    "name", [name for name, commands in PAGES.items() if set(commands) - NOT_HERE.get(name, {}).keys()]
)
def test_the_commands_of_a_page_run(tmp_path: Path, name: str) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    (tmp_path / "docker").mkdir()
    for text, file in _FILE.findall((ROOT / name).read_text("utf-8")):
        (tmp_path / file).write_text(text, "utf-8")
    for command in PAGES[name]:
        if command not in NOT_HERE.get(name, {}) and (JQ_IS_HERE or not command.startswith("jq ")):
            done = subprocess.run(  # noqa: S603 - the page's own commands
                ["/bin/bash", "-c", command], cwd=tmp_path, env=os.environ | {"PATH": sessions.PATH},
                capture_output=True, text=True, check=False, timeout=LONG,
            )  # fmt: skip
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
