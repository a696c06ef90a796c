"""`numbers`: which of a list are of no dedicated range, lines that cannot be read, encodings and exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from simwarden.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

HEAD = "imsi,msisdn,use,functions,data_list,sms_list,quota,binding,form,area,blacklist,monitoring"
GOOD = "001010000000001,1440000000001,smart-metering,,,1069012,30 MB,hss,soldered,enb/1,yes,yes"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_offending_numbers_are_named(tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("1440000000001\n\n+86 13800000000\n8614760000001\nnonsense-1\n", encoding="utf-8")
    result = run("numbers", path)
    assert result.exit_code == 1
    assert f"{path}:3: +86 13800000000 is a public mobile number" in result.output
    assert f"{path}:5: 'nonsense-1' is no number" in result.output
    assert "4 entries: 2 with a number of no dedicated range (2.1.1)" in result.output
    told = json.loads(run("numbers", path, "--json").output)
    assert [each["line"] for each in told["offenders"]] == [3, 5]


def test_numbers_of_a_table_and_of_other_ranges(tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    path.write_text(f"{HEAD}\n{GOOD}\n001010000000002,,meter,,,,,,,,,\n", encoding="utf-8")
    result = run("numbers", path)
    assert result.exit_code == 0
    assert "2 entries: 0 with a number of no dedicated range (2.1.1), 1 without a number" in result.output
    ranges = tmp_path / "ranges.toml"
    ranges.write_text('range = [{prefix = "5", length = 9, dedicated = true}]', encoding="utf-8")
    assert run("numbers", path, "--ranges", ranges).exit_code == 1
    assert run("classify", path, "--ranges", ranges).exit_code == 1
    ranges.write_text("range = 3", encoding="utf-8")
    assert run("numbers", path, "--ranges", ranges).exit_code == 2


def test_lists_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    assert run("numbers", path).exit_code == 2
    path.write_text("", encoding="utf-8")
    assert run("numbers", path).exit_code == 2
    path.write_text("imsi,name\n1,2\n", encoding="utf-8")
    result = run("numbers", path)
    assert result.exit_code == 2
    assert "names no number" in result.output


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [
        ("1440000000001,13800000000\n", ":1: 13800000000 is a public mobile number", 1),
        ("1440000000001\n1440000000002;13800000000\n", ":2: '1440000000002;13800000000' is no number", 1),
        ("1.38E+10\n1440000000001\n", ":1: '1.38E+10' is no number", 1),
        ("msisdn,use\n1440000000001,meter\n13800000000\n", ":3: 1 cells, and the head has 2 columns", 2),
        ('msisdn,use\n1440000000001,"meter\n13800000000,meter\n', ":2: unexpected end of data", 2),
    ],
)
def test_no_number_of_a_list_is_lost(text: str, said: str, code: int) -> None:
    """Audited or named: nothing that a list holds goes by unseen."""
    result = CliRunner().invoke(app, ["numbers", "-"], input=text)
    assert result.exit_code == code, result.output
    assert said in result.output


def test_lines_that_cannot_be_read_are_in_json_too(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("msisdn,use\n13800000000\n1440000000001,meter\n", encoding="utf-8")
    told = json.loads(CliRunner().invoke(app, ["numbers", str(path), "--json"]).stdout)
    assert told == {
        "numbers": 1,
        "without_number": 0,
        "offenders": [],
        "unread": [{"line": 2, "what": "1 cells, and the head has 2 columns"}],
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_a_table_from_standard_input_is_read_as_it_is_written(encoding: str) -> None:
    text = "使用场景,号码\n智能抄表,1440000000001\n智能抄表,13800000000\n"
    result = CliRunner().invoke(app, ["numbers", "-"], input=text.encode(encoding))
    assert result.exit_code == 1, result.output
    assert "-:3: 13800000000" in result.output
    assert "2 entries: 1 with" in result.output


def test_numbers_from_standard_input() -> None:
    result = CliRunner().invoke(app, ["numbers", "-"], input="1440000000001\n13800000000\n")
    assert result.exit_code == 1
    assert "-:2: 13800000000" in result.output
