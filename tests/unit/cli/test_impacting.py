"""`impact` on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import yaml
from typer.testing import CliRunner, Result

from simwarden.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path

Cli = Callable[..., Result]
TEXT = """\
experiment: A list at the EIR <script>
about: What `list_equipment` does.
measure:
  delay: {card: card, terminals: [meter], held: mme.session}
set: {lifetime: 1 h}
vary:
  life:
    idle: {step: {service_request: meter, every: 10 min}}
    asleep: {step: {tau: {device: meter, periodic: true}, every: 12 h}}
network:
  mme: {equipment: {verdict_lifetime: $lifetime}}
cards:
  card: {profile: meter}
devices:
  meter: {type: module}
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
  - $life.step
  - wait: 65 min
  - list_equipment: {equipment: meter.imei, status: prohibited, reason: stolen}
    name: change
  - wait: 3 h
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "list.yaml").write_text(TEXT)

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(app, ["impact", *arguments, "-j", "1"])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


def test_tables_page_and_json(cli: Cli, tmp_path: Path) -> None:
    result = cli("e", "--html", "i.html", "--report", "r")
    assert result.exit_code == 0, result.output
    assert "A list at the EIR <script> [list] (lifetime 1 h)" in result.stdout
    row = next(line.split() for line in result.stdout.splitlines() if line.startswith("  idle"))
    assert row == ["idle", "45", "min", "5", "10", "55", "min", "65", "70", "55", "min"]
    page = (tmp_path / "i.html").read_text()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "<code>list_equipment</code>" in page
    assert (tmp_path / "r" / "impact.html").exists()
    data = json.loads(cli("e", "--json").stdout)
    assert [case["case"] for case in data["cases"]] == ["list/idle", "list/asleep"]
    assert (data["cases"][0]["measure"], data["cases"][0]["words"]) == ("delay", {"life": "idle"})
    assert data["cases"][0]["outcome"]["leaked_messages"] == 10
    assert data["findings"] == []


def test_what_is_recorded_is_compared_with(cli: Cli, tmp_path: Path) -> None:
    record = tmp_path / "e" / "reviewed.yaml"
    assert cli("e", "--accept", "measured").exit_code == 0
    result = cli("e")
    assert result.exit_code == 0
    assert "2 cases; all as reviewed; " in result.stdout.splitlines()[-1]
    entries = yaml.safe_load(record.read_text())
    entries[0]["outcome"] |= {"leaked_messages": 2, "last_leak": None}
    entries[1]["case"] = "list/awake"
    record.write_text(yaml.safe_dump(entries))
    result = cli("e", "--html", "i.html")
    assert result.exit_code == 1
    assert "; 3 not as reviewed; " in result.stdout
    assert re.search(r"^e/reviewed.yaml:1:3: list/idle$", result.stdout, re.MULTILINE)
    assert "  - expected  last leak none, messages 2\n  + got       last leak 45 min, messages 10\n" in result.stdout
    assert "e/reviewed.yaml: list/asleep\n  - expected  nothing: not in the record\n" in result.stdout
    assert re.search(r"reviewed.yaml:\d+:3: list/awake\n.*\n  \+ got       no such case\n", result.stdout)
    assert "last leak none, messages 2" in (tmp_path / "i.html").read_text()
    assert len(json.loads(cli("e", "--json").stdout)["findings"]) == 3
    assert cli("e", "--match", "asleep").exit_code == 1
    result = cli("e", "--set", "lifetime=15 min")
    assert result.exit_code == 0, "what was measured otherwise is not compared"
    assert "; nothing reviewed to hold it against; " in result.stdout
    assert cli("e", "--seed", "1").exit_code == 0


def test_a_slower_element_is_noticed(cli: Cli, tmp_path: Path) -> None:
    assert cli("e", "--accept", "measured").exit_code == 0
    path = tmp_path / "e" / "list.yaml"
    slower = TEXT.replace("verdict_lifetime: $lifetime", "verdict_lifetime: 3 h")
    path.write_text(slower.replace("about: What", "about: After $lifetime what"))
    result = cli("e")
    assert result.exit_code == 1
    assert "- expected  last leak 45 min, requests 5, messages 10," in result.stdout
    assert "+ got       last leak 1.75 h," in result.stdout


def test_a_case_without_figures_is_told_and_not_recorded(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "e" / "list.yaml"
    path.write_text(TEXT.replace("  - power_on: meter\n", "  - detach: meter\n"))
    result = cli("e", "--accept", "measured")
    assert result.exit_code == 1
    assert "not measured: meter is switched off" in result.stdout
    assert not (tmp_path / "e" / "reviewed.yaml").exists()


def test_bad_files_and_options_end_with_2_and_nothing_with_4(cli: Cli, tmp_path: Path) -> None:
    assert cli("nowhere").exit_code == 2
    result = cli("e", "--match", "lists")
    assert result.exit_code == 4
    assert "no experiment was chosen (did you mean 'list'?)" in result.output
    result = cli("e", "--set", "lifetme=1 h")
    assert result.exit_code == 2
    assert "no experiment has a parameter 'lifetme'" in result.output
    assert "did you mean 'lifetime'" in result.output
    assert cli("e", "--set", "lifetime").exit_code == 2
    result = cli("e", "--set", "lifetime=soon")
    assert result.exit_code == 2
    assert "--set lifetime=soon: verdict_lifetime: 'soon' is no duration" in result.output
    assert cli("e", "--accept", "measured", "--match", "idle").exit_code == 2
    (tmp_path / "e" / "reviewed.yaml").write_text("- {}")
    assert cli("e").exit_code == 2
    (tmp_path / "e" / "bad.yaml").write_text("experiment: x\nmeasure: {delay: {}}\nsteps:\n- wait: 1 s\n")
    result = cli("e")
    assert result.exit_code == 2
    assert "bad.yaml:2:" in result.output
    (tmp_path / "e" / "bad.yaml").write_text(TEXT.replace("vary:", "varry:"))
    assert "bad.yaml:6:1: key 'varry' is not known (did you mean 'vary'?)" in cli("e").output


def test_a_case_is_printed_as_a_scenario_and_its_row_leads_to_its_ladder(cli: Cli, tmp_path: Path) -> None:
    printed = cli("e", "--story", "list/idle", "--set", "lifetime=2 h").output
    assert "scenario: A list at the EIR <script>" in printed
    assert "every: 10 min" in printed
    assert "verdict_lifetime: 2 h" in printed
    (tmp_path / "list-idle.yaml").write_text(printed, encoding="utf-8")
    assert CliRunner().invoke(app, ["run", "list-idle.yaml", "--report", "r"]).exit_code == 0
    assert cli("e", "--report", "r").exit_code == 0
    page = (tmp_path / "r" / "impact.html").read_text(encoding="utf-8")
    assert '<a href="index.html#list-idle">idle</a>' in page
    assert "#list-asleep" not in page
    assert "simwarden impact --story list/idle" in page


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("lst/idle", "no experiment is called 'lst' (did you mean 'list'?)"),
        ("list/idel", "no case is called 'list/idel' (did you mean 'list/idle'?)"),
    ],
)
def test_a_case_that_is_not_there_is_told(cli: Cli, case: str, said: str) -> None:
    result = cli("e", "--story", case)
    assert result.exit_code == 2
    assert said in result.output.replace("\n", " ")


def test_a_wrong_parameter_of_the_command_line_is_told_once_and_as_such(cli: Cli, tmp_path: Path) -> None:
    for name in ("fleet", "herd"):
        text = TEXT.replace("{lifetime: 1 h}", "{lifetime: 1 h, many: 3}")
        text = text.replace("profile: meter", "profile: meter, count: $many")
        text = text.replace("type: module", "type: module, count: $many")
        text = text.replace("- power_on: meter", "- power_on: meter\n    over: 1 min")
        (tmp_path / "e" / f"{name}.yaml").write_text(text)
    result = cli("e", "--match", "fleet", "--match", "herd", "--set", "many=abc")
    assert result.exit_code == 2
    assert [line for line in result.output.splitlines() if "over" in line] == []
    assert result.output.count("--set many=abc: count: a number from 1 to 10000 is expected, not 'abc'") == 1


def test_a_fleet_of_one_is_a_fleet() -> None:
    assert CliRunner().invoke(app, ["impact", "--match", "3 illegal", "--set", "fleet=1"]).exit_code == 0
