"""Words of the version before: read as what they are called now, told with their place, and renamed in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simulators.mme.config import MmeConfig
from simwarden.cli.main import app
from simwarden.cli.serving import Service
from simwarden.scenario.load import Loader

NAME = "apn-at-public-pgw.yaml"
SETTING = "{gateways: {apns: {meters.example: $pgw}}}"
SCENARIO = f"""\
scenario: MME rejects an APN that leads to a public PGW
proves: [fn.core]
set: {{pgw: public}}
network:
  public: {{type: pgw}}
  mme: {SETTING}
cards:
  card: {{profile: meter, subscription: {{apns: [{{name: meters.example}}]}}}}
devices:
  meter: {{type: module}}
steps:
  - insert: {{card: card, into: meter}}
  - power_on: meter
    name: power-on
    expect: rejected
  - expect:
      meter: {{attach: rejected, emm_cause: ESM_FAILURE}}
      decision: {{by: mme, control: mme.gateway, card: card}}
  - never: {{mme: {{session: {{card: card}}}}}}
twin:
  scenario: MME serves an APN that leads to a dedicated PGW
  set: {{pgw: pgw}}
  from: power-on
  expect: accepted
"""


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario with its twin, whose words are those of the version before."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / NAME
    path.write_text(SCENARIO.replace(SETTING, SETTING.replace("apns", '"access_points"')), "utf-8")
    return path


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def line_of(path: Path, word: str) -> int:
    return next(n for n, line in enumerate(path.read_text("utf-8").splitlines(), 1) if word in line)


def test_they_are_told_and_read(old: Path) -> None:
    result = cli("validate", NAME)
    assert result.exit_code == 0
    place = f"{NAME}:{line_of(old, 'access_points')}:20"
    assert f"{place}: 'access_points' is called 'apns' now" in result.stdout
    assert "`simwarden validate --fix` renames it" in result.stdout
    config = Loader().load(old).instances["mme"].config
    assert isinstance(config, MmeConfig)
    assert config.gateways.apns == {"meters.example": "public"}

    told, _ = json.loads(cli("validate", NAME, "--json").stdout)
    assert (told["errors"], len(told["warnings"])) == ([], 1)

    ran = cli("run", NAME)
    assert (ran.exit_code, "'access_points' is called 'apns' now" in ran.stderr) == (0, True)


def test_they_are_renamed_and_nothing_else_changes(old: Path) -> None:
    old.write_bytes(b"\xef\xbb\xbf" + old.read_text("utf-8").replace("\n", "\r\n").encode())
    was = old.read_bytes()
    result = cli("validate", "--fix", NAME)
    assert (result.exit_code, "'access_points' is 'apns' now" in result.stdout) == (0, True)
    assert old.read_bytes() == was.replace(b"access_points", b"apns")
    assert "apns" not in cli("validate", NAME).stdout


def test_controls_too_wherever_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = SCENARIO.replace("{type: module}", "{type: module, apn: $pgw}")
    scenario = (
        scenario.replace("$pgw}}}", "pgw}}}")
        .replace("pgw: pgw", "pgw: meters.example")
        .replace("mme.gateway", "mme.apn")
    )
    Path(NAME).write_text(scenario.replace("mme.apn", "mme.access-point"), "utf-8")
    assert "'mme.access-point' is called 'mme.apn' now" in cli("validate", ".").stdout
    assert cli("run", ".").exit_code == 0
    cli("validate", "--fix", ".")
    assert Path(NAME).read_text("utf-8") == scenario


def test_an_old_and_a_new_name_at_once_is_an_error(old: Path) -> None:
    text = old.read_text("utf-8").replace('"access_points":', "apns: {}, access_points:")
    old.write_text(text, "utf-8")
    result = cli("validate", "--fix", NAME)
    assert (result.exit_code, "setting 'access_points' is not known" in result.stdout) == (2, True)
    assert old.read_text("utf-8") == text


@pytest.mark.usefixtures("old")
def test_a_file_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    result = cli("validate", "--fix", NAME)
    assert (result.exit_code, f"{NAME}: cannot be written: Permission denied" in result.stderr) == (2, True)


def test_serve_reads_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mme.yaml"
    path.write_text("settings:\n  gateways:\n    access_points: {a.example: other}\n", "utf-8")
    service = Service("mme", str(path))
    assert isinstance(service.config, MmeConfig)
    assert service.config.gateways.apns == {"a.example": "other"}
    assert f"{path}:3:5: 'access_points' is called 'apns' now" in capsys.readouterr().err
