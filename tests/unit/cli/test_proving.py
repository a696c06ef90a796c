"""`prove`, `coverage` and `run --watch` on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simwarden.cli.main import app
from simwarden.cli.options import Order
from simwarden.cli.watching import command_of, concerned_by, sources_of, stamps_of, watch
from simwarden.scenario.registry import Registry

ROOT = Path(__file__).parents[3]
FORM = str(ROOT / "scenarios" / "binding" / "form")
DEMO = str(ROOT / "scenarios" / "demo")
Cli = Callable[..., Result]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


def test_prove_tells_what_was_killed_and_by_whom(cli: Cli, tmp_path: Path) -> None:
    result = cli("prove", FORM, "--control", "pre.form", "--html", "p.html", "--report", "r", "-j", "1")
    assert result.exit_code == 0, result.output
    assert "killed  uicc/pre.form@insertion always-admit     by " in result.output
    assert "6 of 6 mutants killed (100 %), no survivors; 2 occasions" in result.output
    page = (tmp_path / "p.html").read_text()
    assert "uicc/pre.form" in page
    assert "6 of 6" in page
    assert (tmp_path / "r" / "prove.html").exists()


def test_survivors_end_with_1_and_say_what_to_write(cli: Cli) -> None:
    result = cli("prove", FORM, "--control", "hss/bind.*", "-j", "1")
    assert result.exit_code == 1
    assert "SURVIVES  hss/bind.hss.given@update-location always-admit" in result.output
    assert "no scenario claims it" in result.output


def test_bad_files_and_names_end_with_2(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("scenario: s\nsteps:\n- power_onn: x\n")
    assert cli("prove", "bad.yaml").exit_code == 2
    assert cli("prove", "nowhere").exit_code == 2
    result = cli("prove", FORM, "--control", "hss/bind.hss.learnt")
    assert result.exit_code == 2
    assert "did you mean 'hss/bind.hss.learned'?" in result.output
    assert cli("prove", FORM, "--match", "nonsense").exit_code == 4


def test_coverage_as_table_json_and_page(cli: Cli, tmp_path: Path) -> None:
    result = cli("coverage", DEMO, "-j", "1", "--html", "c.html")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    learned = next(line for line in lines if line.startswith("bind.hss.learned"))
    assert learned.split()[:4] == ["bind.hss.learned", "2.1.3(1)", "one", "partly"]
    assert learned.endswith(" 1")  # one scenario claims the refusal
    assert any("security_platform: no control yet" in line and line.endswith("open") for line in lines)
    assert "requirements covered" in (tmp_path / "c.html").read_text()
    data = json.loads(cli("coverage", DEMO, "-j", "1", "--json").stdout)
    assert " 3 scenarios; " in data["sum"]


def test_a_proof_answers_coverage_from_its_own_runs(cli: Cli, tmp_path: Path) -> None:
    assert cli("prove", FORM, "-j", "1", "--report", "r").exit_code == 1
    proved = json.loads((tmp_path / "r" / "coverage.json").read_text())
    alone = json.loads(cli("coverage", FORM, "-j", "1", "--json").stdout)
    assert proved["cases"] == alone["cases"]
    assert (tmp_path / "r" / "coverage.html").exists()
    assert cli("prove", FORM, "-j", "1", "--control", "pre.form", "--report", "some").exit_code == 0
    assert not (tmp_path / "some" / "coverage.json").exists()


# -- an element outside this process


@contextmanager
def foreign_hss(folder: Path) -> Iterator[str]:
    """Serve an HSS in another process, as docs/own-hss.md does; gives its address."""
    (folder / "hss.yaml").write_text("listen: {S6a: '127.0.0.1:0'}\nsubscribers: cards.yaml\n")
    command = [sys.executable, "-m", "simwarden", "serve", "hss", "--config", str(folder / "hss.yaml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("ready hss: S6a ").strip()
        finally:
            process.kill()


@pytest.mark.slow
def test_a_foreign_hss_is_proved_by_a_card_without_the_binding(cli: Cli, tmp_path: Path) -> None:
    cli("init", "first.yaml")
    first = tmp_path / "first.yaml"
    first.write_text(first.read_text().replace("- expect:\n", "- expect:\n      within: 1 s\n"))
    stories = "first.yaml", "first-twin.yaml"
    (tmp_path / "cards.yaml").write_text(cli("export", *stories, "--stand-ins").stdout)
    assert "001019000000001" in (tmp_path / "cards.yaml").read_text()
    with foreign_hss(tmp_path) as address:
        (tmp_path / "lab.yaml").write_text(f"network:\n  hss: {{external: '{address}'}}\n")
        run = cli("run", *stories, "--network", "lab.yaml")
        assert (run.exit_code, "1 passed, 1 inconclusive" in run.output) == (1, True), run.output
        proof = cli("prove", *stories, "--network", "lab.yaml", "--control", "hss/bind.hss.given", "-j", "2")
        assert proof.exit_code == 0, proof.output
        killed = "killed hss/bind.hss.given@update-location always-admit by first (phone.attach, phone.emm_cause)"
        assert killed in " ".join(proof.output.split())
        assert "not judged  hss/bind.hss.given@update-location always-refuse" in proof.output


# -- watching

SCENARIO = "scenario: {0}\n{1}\nsteps:\n- wait: 1 s\n"


def touch(path: Path, text: str = "") -> None:
    path.write_text(text or path.read_text() + "# saved\n")
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000))


def test_a_saved_file_runs_itself_its_twin_and_those_whose_twin_it_is(tmp_path: Path) -> None:
    for name, twin in (("one", "twin: two.yaml"), ("two", ""), ("three", "")):
        (tmp_path / f"{name}.yaml").write_text(SCENARIO.format(name, twin))
    paths = [str(tmp_path)]

    def names(*changed: str) -> list[str]:
        return [Path(each).name for each in concerned_by([str(tmp_path / each) for each in changed], paths)]

    assert names("one.yaml") == ["one.yaml", "two.yaml"]
    assert names("two.yaml") == ["two.yaml", "one.yaml"]
    assert names("three.yaml") == ["three.yaml"]
    (tmp_path / "network.yaml").write_text("hss: {}\n")
    assert concerned_by([str(tmp_path / "network.yaml")], paths) == paths
    assert names("gone.yaml") == []


def test_rounds(tmp_path: Path) -> None:
    one, network, sources = tmp_path / "one.yaml", tmp_path / "n.yaml", tmp_path / "src"
    sources.mkdir()
    for path in (one, network, sources / "element.py"):
        path.write_text(SCENARIO.format("one", "") if path == one else "x: 1\n")
    ran: list[list[str]] = []

    def pauses() -> str:
        step = len(said)
        said.append(step)
        if step == 0:
            touch(one)
        elif step == 1:
            touch(network)
        elif step == 2:
            touch(sources / "element.py")
        elif step == 4:
            return "all"
        return "quit" if step == 5 else ""

    said: list[int] = []

    def run(paths: Sequence[str]) -> None:
        ran.append(list(paths))

    watch([str(one)], str(network), [sources], run=run, pause=pauses)
    assert ran == [[str(one)]] * 5  # at first, three saves, the key; nothing for the pause in which nothing changed


def test_what_is_watched(tmp_path: Path) -> None:
    (tmp_path / "apart").mkdir()
    twin = tmp_path / "apart" / "two.yaml"
    twin.write_text(SCENARIO.format("two", ""))
    one = tmp_path / "one.yaml"
    one.write_text(SCENARIO.format("one", "twin: apart/two.yaml"))
    assert set(stamps_of([str(one)], "", [])) == {str(one), str(twin)}
    folders = {folder.name for folder in sources_of(Registry.installed())}
    assert {"simwarden", "hss", "device"} <= folders


def test_a_round_runs_with_the_options_of_the_command() -> None:
    order = Order(
        ["a b"],
        jobs="2",
        tag=["x"],
        match=["y z"],
        seed=5,
        transport="tcp",
        network="my net.yaml",
        mask=True,
    )
    assert command_of(order, ["f.yaml"]) == [
        "f.yaml", "--jobs", "2", "--report", "report", "--trace", "always", "--limit", "60", "--tag", "x",
        "--match", "y z", "--mask", "--seed", "5", "--transport", "tcp", "--network", "my net.yaml",
    ]  # fmt: skip
