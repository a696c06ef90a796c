"""A wrong command line or file is reported in one line, which names the command and what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simwarden.cli.main import app

#: words of typer, click, pydantic, yaml and sqlalchemy
THEIRS = re.compile(
    r"Usage:|Try '|Error|Invalid value|Missing (argument|option)|No such (command|option)|Got unexpected|requires an"
    r"|Input should|Value error|did not find|found undefined|Can't load|not a valid"
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("alias.yaml").write_text("scenario: *a\n")
    Path("twin.yaml").write_text("scenario: a\nsteps: []\ntwin: {scenario: b}\n")
    Path("cases.yaml").write_text("scenario: a\nvary: {x: [a b, a-b, c]}\nsteps: [{wait: 1 s, name: $x}]\n")
    Path("open.yaml").write_text("scenario: [\n")
    Path("store.yaml").write_text("store: foo://x\n")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("rum", "No such command 'rum'"),
        ("check x", "check: No such command 'x'"),
        ("--bogus", "No such option: --bogus"),
        ("run --trases x", "run: No such option: --trases"),
        ("check prove --bogus", "check prove: No such option: --bogus"),
        ("run --seed x moved-card", "run: Invalid value for '--seed': "),
        ("run --transport pigeon x", "run: Invalid value for '--transport': "),
        ("schema --role king", "schema: Invalid value for '--role': "),
        ("explore --runs -1", "explore: Invalid value for '--runs': "),
        ("run --report", "Option '--report' requires an argument"),
        ("init --force=3", "Option '--force' does not take a value"),
        ("validate", "validate: Missing argument '"),
        ("serve hss", "serve: Missing option '--config'"),
        ("explain a b", "explain: Got unexpected extra argument"),
    ],
)
def test_a_wrong_line_is_reported_in_one_line(line: str, told: str) -> None:
    result = CliRunner().invoke(app, line.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(told), result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("run --tun moved-card first-story", "--tun is for one scenario, not for 2 (name its file)"),
        ("run ''", "a file, a folder or the name of a shipped scenario is expected, not ''"),
        ("run ::x", "a file, a folder or the name of a shipped scenario is expected, not '::x'"),
        ("run .::x", ".::x: a folder has no cases: name one of its files"),
        ("run twin.yaml::x", "twin.yaml: has no case 'x' (known: twin)"),
        ("run cases.yaml", "cases.yaml:2:1: vary: 2 cases would be called 'a-b'"),
        ("init ''", "a file is expected, not ''"),
        ("run moved-card --tag nothing", "no scenario has the tag 'nothing' (known: binding, demo"),
        ("matrix --misuse nothing", "no misuse is called 'nothing' (known: phone, "),
        ("matrix --method nothing", "no method is called 'nothing' (known: none, "),
        ("init x.yaml --use nothing", "no use of cards is called 'nothing' (known: "),
        (
            "run alias.yaml",
            "alias.yaml:1:11: no YAML: nothing above is marked '&' with the name that stands here after",
        ),
        ("run open.yaml", "open.yaml:2:1: no YAML: a value is expected here"),
        ("serve hss --config store.yaml", "store.yaml:1:8: store: no database is called 'foo' (known: sqlite, post"),
    ],
)
def test_a_wrong_name_or_file_is_told_in_one_line_of_ours(line: str, told: str) -> None:
    words = [word.strip("'") for word in line.split()]
    result = CliRunner().invoke(app, words)
    assert result.exit_code in {2, 4}
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.startswith(told), result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not THEIRS.search(result.stderr)


def test_what_is_wrong_with_all_cases_is_shown_once() -> None:
    result = CliRunner().invoke(app, ["validate", "cases.yaml"])
    assert result.output.splitlines() == [
        "cases.yaml:2:1: vary: 2 cases would be called 'a-b'",
        "2 checked, 2 wrong",
    ]


def test_without_a_command_help_is_shown() -> None:
    result = CliRunner().invoke(app, [])
    assert (result.exit_code, "Play" in result.stdout, result.stderr) == (2, True, "")
