"""Commands: what they print, and their exit codes. A user's fault never gives a traceback."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from simwarden.cli.exits import show, write_anywhere
from simwarden.cli.main import app

ROOT = Path(__file__).parents[3]
DEMO = str(ROOT / "scenarios" / "demo")
MOVED = f"{DEMO}/moved-card.yaml"
Cli = Callable[..., Result]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return invoke


def test_a_run_that_passes(cli: Cli, tmp_path: Path) -> None:
    result = cli("run", DEMO, "--tag", "binding", "-j", "2")
    assert result.exit_code == 0, result.output
    assert "2 scenarios: 2 passed" in result.output
    report = tmp_path / "report"
    assert {"index.html", "junit.xml", "events.jsonl", "moved-card.pcapng"} <= {each.name for each in report.iterdir()}


def test_a_run_that_fails_tells_why_and_how_to_run_it_again(cli: Cli, tmp_path: Path) -> None:
    text = Path(MOVED).read_text().replace("5001", "5004").replace("twin: card", f"twin: {DEMO}/card")
    (tmp_path / "wrong.yaml").write_text(text)
    result = cli("run", "wrong.yaml", "--seed", "5", "--trace", "off")
    assert result.exit_code == 1
    for part in (
        "s6a.update-location-answer",
        "- want  experimental_result: 5004",
        "+ got   experimental_result: DIAMETER_ERROR_USER_UNKNOWN (5001)",
        "decided by hss, control bind.hss.learned, clause 2.1.3(1) one",
        "run it alone: simwarden run wrong.yaml --seed 5",
        "1 scenario: 1 failed",
    ):
        assert part in result.output
    assert "capture:" not in result.output


def test_bad_files_and_usage_end_with_2_and_nothing_chosen_with_4(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("scenario: s\nsteps:\n- power_onn: x\n- wait: soon\n")
    result = cli("run", DEMO, "bad.yaml")
    assert result.exit_code == 2
    assert "bad.yaml:3:3: verb 'power_onn' is not known (did you mean 'power_on'?)" in result.output
    assert "bad.yaml:4:9: 'soon' is no duration" in result.output
    assert "passed" not in result.output
    assert cli("run", "nothing-here").exit_code == 2
    assert cli("run", DEMO, "-j", "many").exit_code == 2
    assert cli("run", DEMO, "--transport", "pigeon").exit_code == 2
    assert cli("run", DEMO, "--network", "no.yaml").exit_code == 2
    assert cli("run", DEMO, "--tag", "nonsense").exit_code == 4
    assert cli("list", DEMO, "--match", "nonsense").exit_code == 4


def test_one_broken_file_hides_no_other(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("scenario: s\nsteps:\n\t- wait: 1 s\n")
    (tmp_path / "b.yaml").write_bytes(b"scenario: \xff\n")
    (tmp_path / "c.yaml").write_text("scenario: s\nsteps:\n - wait: 1 s\n- wait: 1 s\n")
    (tmp_path / "d.yaml").write_text("scenario: s\nsteps:\n- wait: soon\n")
    (tmp_path / "e.yaml").write_text("scenario: A fine one\nsteps:\n- expect: {enb: {s1: any}}\n")
    told = (
        "a.yaml:3:1: no YAML: a text cannot begin with this character (this line is indented with a tab",
        "b.yaml:1: is no text in UTF-8",
        "c.yaml:4:1: no YAML: a key is expected here (is it indented like",
        "d.yaml:3:9: 'soon' is no duration",
    )
    for command in ("validate", "run", "list"):
        result = cli(command, ".")
        assert result.exit_code == 2
        assert all(part in result.output for part in told[: 3 if command == "list" else 4]), result.output
    assert "A fine one" in cli("list", ".").output
    assert "5 checked, 4 wrong" in cli("validate", ".").output


def test_a_report_that_cannot_be_written_is_told_before_anything_runs(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = cli("run", MOVED, "--report", "file/report")
    assert result.exit_code == 2
    assert "the report cannot be written" in result.output
    assert "passed" not in result.output
    assert cli("run", MOVED, "--limit", "0").exit_code == 2


def test_a_misspelt_cause_is_told(cli: Cli, tmp_path: Path) -> None:
    text = Path(MOVED).read_text().replace("EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED", "ILEGAL_ME")
    (tmp_path / "wrong.yaml").write_text(text.replace("twin: card", f"twin: {DEMO}/card"))
    result = cli("validate", "wrong.yaml")
    assert result.exit_code == 2
    assert "emm_cause is never 'ILEGAL_ME' (did you mean 'ILLEGAL_ME'?)" in result.output


@pytest.mark.slow
def test_a_terminal_without_unicode_takes_all_output() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for arguments, part in ((["explain", "bind.hss.learned"], b"\\u7f51"), (["demo"], b"REFUSED by hss")):
        command = [sys.executable, "-m", "simwarden", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603 - our own program
        assert (done.returncode, done.stderr) == (0, b"")
        assert part in done.stdout


def test_a_terminal_without_unicode_draws_ladders_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, drawn in (("ascii", b"|<--x \\u7f51\n"), ("utf-8", "│◀──✗ 网\n".encode())):
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))
        write_anywhere()
        show("│◀──✗ 网")
        assert written.getvalue() == drawn


def test_the_demo_draws_the_ladder(cli: Cli) -> None:
    result = cli("demo")
    assert result.exit_code == 0
    assert "REFUSED by hss: bind.hss.learned on update-location (2.1.3(1) one)" in result.output
    assert "Attach reject, EMM cause 8" in result.output


@pytest.mark.slow
def test_validate_tells_all_files(cli: Cli, tmp_path: Path) -> None:
    assert cli("validate", str(ROOT / "scenarios")).exit_code == 0
    (tmp_path / "one.yaml").write_text("scenario: s\nsteps: x\n")
    (tmp_path / "two.yaml").write_text("scenario: s\nsteps:\n- expect: {hss: {attach: x}}\n")
    result = cli("validate", ".")
    assert result.exit_code == 2
    assert "one.yaml:2:8: steps: a list of steps is expected" in result.output
    assert "two.yaml:3:18: observable of hss 'attach' is not known" in result.output
    assert "2 checked, 2 wrong" in result.output


def test_the_first_scenario_runs(cli: Cli) -> None:
    assert cli("init", "mine.yaml").exit_code == 0
    assert cli("init", "mine.yaml").exit_code == 2
    assert cli("init", "mine.yaml", "--force").exit_code == 0
    result = cli("run", "mine.yaml", "mine-twin.yaml")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("bind.hss.learned", ["clause 2.1.3(1) one", "首次通信绑定", "enforced by hss", "control of hss", "proved by"]),
        ("power_on", ["verb of device", "names a device"]),
        ("wait", ["Let time pass"]),
        ("mme", ["element", "listens on S1-MME", "observable session"]),
        ("device.attach", ["device.attach: observable"]),
        ("illegal-me", ["ILLEGAL_ME (6)"]),
        ("5001", ["DIAMETER_ERROR_USER_UNKNOWN (5001): ExperimentalResult"]),
        ("user-unknown", ["DIAMETER_ERROR_USER_UNKNOWN (5001): ExperimentalResult"]),
    ],
)
def test_explain(cli: Cli, name: str, parts: list[str]) -> None:
    result = cli("explain", name)
    assert result.exit_code == 0
    assert all(part in result.output for part in parts), result.output


def test_explain_guesses(cli: Cli) -> None:
    result = cli("explain", "bind.hss.lerned")
    assert result.exit_code == 2
    assert "did you mean 'bind.hss.learned'?" in result.output


def test_schema_doctor_and_list(cli: Cli) -> None:
    assert "power_on" in json.dumps(json.loads(cli("schema").output)["properties"]["steps"])
    assert "elements: " in cli("doctor").output
    assert "moved-card" in cli("list", DEMO).output
    assert "demo-moved-card" in cli("list").output
    assert cli("--version").output.startswith("simwarden ")


def test_export_gives_the_keys_that_runs_use_in_three_forms(cli: Cli) -> None:
    as_yaml = yaml.safe_load(cli("export", DEMO).output)["subscribers"]
    assert [row["imsi"] for row in as_yaml] == ["001010000000001"]
    assert json.loads(cli("export", DEMO, "--format", "json").output)["subscribers"] == as_yaml
    header, row = cli("export", DEMO, "--format", "csv").output.splitlines()
    assert header.startswith("imsi,msisdn,iccid,k,opc")
    assert as_yaml[0]["k"] in row
    assert yaml.safe_load(cli("export", DEMO, "--seed", "9").output)["subscribers"][0]["k"] != as_yaml[0]["k"]
    assert cli("export", DEMO, "--element", "hzs").exit_code == 2


def test_export_gives_the_settings_that_stories_have_for_an_element(cli: Cli, tmp_path: Path) -> None:
    story = tmp_path / "one.yaml"
    text = "scenario: {}\nnetwork: {{smsc: {{type: smsc, number: '{}'}}}}\nsteps: [wait: 1 s]\n"
    story.write_text(text.format("one", "+8613800100501"))
    asked = ("export", str(story), "--element", "smsc", "--settings")
    assert yaml.safe_load(cli(*asked).output) == {"settings": {"number": "+8613800100501"}}
    assert json.loads(cli(*asked, "--format", "json").output) == {"settings": {"number": "+8613800100501"}}
    assert cli(*asked, "--format", "csv").exit_code == 2
    (tmp_path / "two.yaml").write_text(text.format("two", "+8613800100502"))
    told = cli("export", str(tmp_path), "--element", "smsc", "--settings").output
    assert "two.yaml: smsc has other settings than in 'one'" in told


def test_every_command_has_an_example() -> None:
    for command in app.registered_commands:
        assert command.epilog is not None
        assert command.epilog.startswith("Example: `simwarden ")


@pytest.mark.slow
def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['simwarden', '--help']\n"
        "from simwarden.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'pydantic', 'sqlalchemy', 'yaml', 'simulators', 'starlette', 'asyncio'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_broker_fails_in_silence_only(cli: Cli, tmp_path: Path) -> None:
    text = "scenario: x\nnetwork: {broker: {}}\nsteps:\n- fail: {element: broker, answer: 5012}\n"
    (tmp_path / "x.yaml").write_text(text)
    result = cli("validate", "x.yaml")
    assert (result.exit_code, "broker has no Result-Codes, only silence" in result.output) == (2, True), result.output


@pytest.mark.parametrize("name", ["own", "own::twin"])
def test_the_name_of_a_file_that_run_prints_is_answered_with_the_file(cli: Cli, tmp_path: Path, name: str) -> None:
    (tmp_path / "own.yaml").write_text("scenario: x\nsteps:\n- wait: 1 s\n")
    result = cli("run", name)
    assert (result.exit_code, f"did you mean '{name.replace('own', 'own.yaml')}'?" in result.output) == (2, True)


def test_a_file_with_an_error_in_all_of_its_cases_shows_it_once(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("scenario: x\nvary: {time: [1 s, 2 s]}\nsteps:\n- wait: $tim\n- wait: $time\n")
    for command in ("validate", "run"):
        shown = [line for line in cli(command, "x.yaml").output.splitlines() if "$tim" in line]
        assert shown == ["x.yaml:4:9: $tim is not known (did you mean 'time'?)"]
