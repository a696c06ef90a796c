"""`init` writes stories that are valid and pass, of any use and misuse, and the schema by which editors check them."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from simwarden.cli.main import app

MISUSES = sorted(path.stem for path in (Path(__file__).parents[3] / "scenarios/matrix/misuses").glob("*.yaml"))
#: uses that differ in the form and functions of their cards
USES = (
    "parcel-locker",
    "car-telemetry",
    "elevator-alarm",
    "goods-tracking",
    "personal-medical",
    "drone-video",
    "meter",
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [
        (),
        ("--use", "smart-metering"),
        ("--misuse", "phone"),
        *(("--use", use, "--misuse", each) for each, use in zip(MISUSES, cycle(USES), strict=False)),
    ],
)
def test_what_it_writes_is_valid_and_passes(asked: tuple[str, ...]) -> None:
    result = cli("init", "my.yaml", *asked)
    assert result.exit_code == 0, result.output
    assert "2 checked, none wrong" in cli("validate", "my.yaml", "my-twin.yaml").output
    said = cli("run", "my.yaml", "my-twin.yaml").output
    assert "2 scenarios: 2 passed" in said
    assert "1 misuse stopped" in said
    schema = json.loads(Path("simwarden.schema.json").read_text("utf-8"))
    for name in ("my.yaml", "my-twin.yaml"):
        text = Path(name).read_text("utf-8")
        assert text.startswith("# yaml-language-server: $schema=simwarden.schema.json\n")
        jsonschema.validate(yaml.load(text, yaml.BaseLoader), schema)  # noqa: S506 - all is text, as it is read
        assert "--use" not in asked or f"use: {asked[1]}" in text


def test_init_creates_the_folder_of_the_file() -> None:
    result = cli("init", "stories/meters/my.yaml")
    assert result.exit_code == 0, result.output
    assert "2 checked, none wrong" in cli("validate", "stories").output


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--use", "smart-meterin"), "no use of cards is called 'smart-meterin' (did you mean 'smart-metering'?)"),
        (("--misuse", "phon"), "no misuse is called 'phon' (did you mean 'phone'?)"),
        (("--misuse", "phone", "--use", "x"), "no use of cards is called 'x'"),
    ],
)
def test_a_name_that_nothing_has_is_told_and_nothing_written(asked: tuple[str, ...], said: str) -> None:
    result = cli("init", "my.yaml", *asked)
    assert result.exit_code == 2
    assert said in result.output
    assert not list(Path().iterdir())
