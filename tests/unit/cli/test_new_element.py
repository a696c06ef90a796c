"""`new-element`: what it writes is green as it is, for each reference point; what cannot be is told."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from installed import command_with
from typer.testing import CliRunner

from simwarden.cli.building import applications
from simwarden.cli.main import app
from simwarden.model.identity import Plmn
from simwarden.wire.diameter import check_request, decode, encode
from simwarden.wire.diameter.dictionary import BY_POINT
from simwarden.wire.diameter.message import begin, request

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, *words: str, code: int = 0) -> str:
    told = CliRunner().invoke(app, ["new-element", *words, "--in", str(folder)])
    assert told.exit_code == code, told.output
    return told.output


@pytest.mark.parametrize("point", applications())
def test_all_files_are_written_and_no_mark_is_left(tmp_path: Path, point: str) -> None:
    assert "18 files" in write(tmp_path, "my_node", "--speaks", point)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 18
    for path in files:
        text = path.read_text("utf-8")
        assert not re.search(r"@\w+@", f"{path.name}\n{text}"), path
        if path.suffix == ".py":
            ast.parse(text)
            assert max(map(len, text.splitlines())) <= 120, path
        elif path.suffix == ".yaml":
            assert yaml.safe_load(text)
    assert (tmp_path / "my_node" / "element.py").read_text("utf-8").count("class MyNode(") == 1


@pytest.mark.parametrize("point", applications())
def test_the_request_is_what_its_grammar_wants(point: str) -> None:
    application = applications()[point]
    avps = eval(f"[{application.asked}\n]", {"imsi": "001010000000017", "Plmn": Plmn})  # noqa: S307 - ours
    message = request(application.request, avps, application=BY_POINT[point])
    begin(message, "asker;1;1", ("asker.example", "example"), "example", "")
    check_request(decode(encode(message)), [BY_POINT[point]])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("policy_server", "--speaks", "gx"),
            "no server is written for 'gx', only for Gx, Gy, S13, S6a (did you mean 'Gx'?)",
        ),
        (("policy_server", "--speaks", "S1-MME"), "no server is written for 'S1-MME'"),
        (("hss", "--speaks", "Gx"), "hss is taken"),
        (("PCRF", "--speaks", "Gx"), "'PCRF' is no name of an element"),
        (("class", "--speaks", "Gx"), "'class' is no name of an element"),
        (("my-pcrf", "--speaks", "Gx"), "'my-pcrf' is no name of an element"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    assert told in write(tmp_path, *words, code=2)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("all my work")
    assert f"{tmp_path}: is there already" in write(tmp_path, "policy_server", "--speaks", "Gx", code=2)
    assert f"{tmp_path}/mine: is there already" in write(tmp_path / "mine", "policy_server", "--speaks", "Gx", code=2)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["Gx", "S6a"])
def test_it_is_green_as_a_package_of_its_own(tmp_path: Path, point: str) -> None:
    folder, site = tmp_path / "folder", tmp_path / "site"
    write(folder, "my_node", "--speaks", point)
    site.mkdir()
    command = command_with(folder, site)
    report = str(tmp_path / "report")
    assert "2 passed" in command("run", str(folder / "scenarios"), "--transport", "tcp", "--report", report)
    assert "my_node.barred" in command("explain", "my_node.barred")
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout
    assert "23 passed" in tests.stdout
