"""`matrix` as a user meets it: tables, exit codes, pages, JSON, and stories that can be run alone."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simwarden.cli.main import app

SHIPPED = Path(__file__).parents[3] / "scenarios" / "matrix"
SOME = ("-j", "1", "--misuse", "phone", "--misuse", "area", "--method", "none", "--method", "hss-given")


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["matrix", *arguments])


def test_a_part_of_the_shipped_matrix_is_as_reviewed() -> None:
    result = cli(*SOME)
    assert result.exit_code == 0, result.output
    assert re.search(r"^ +hss-given +hss #8 +LEAK$", result.output, re.MULTILINE)
    assert re.search(
        r"^hss/bind.hss.given +2.1.3\(1\) one +3 +EMM #8, MM cause 2 imsi unknown in hlr$", result.output, re.MULTILINE
    )
    assert "\nphone   The card is taken out of the meter and put into a phone  " in result.output
    assert "4 cells, 2 misuses against 2 methods" in result.output
    assert re.search(r"; all as reviewed; \d+\.\d s\n$", result.stdout)


@pytest.mark.slow
def test_lines_of_tables_are_not_wide() -> None:
    table = cli(*SOME[:2], "--method", "cmp-records").output.partition("\nblocked by")[0]
    assert max(len(line) for line in table.splitlines()) <= 120


def test_the_table_of_a_path_can_be_chosen() -> None:
    result = cli(*SOME, "--service", "second-apn")
    assert "Another APN:" in result.output
    assert re.search(r"^ +none +mme +mme$", result.output, re.MULTILINE)


def test_what_is_not_as_reviewed_fails_and_says_where(tmp_path: Path) -> None:
    folder = shutil.copytree(SHIPPED, tmp_path / "m")
    review = folder / "reviewed.yaml"
    text = review.read_text("utf-8")
    text = text.replace("[phone/none, ", "[") + "- {case: phone/none, outcome: blocked}\n"
    review.write_text(text, "utf-8")
    result = cli(str(folder), *SOME)
    assert result.exit_code == 1
    line = text.count("\n")
    assert f"{review}:{line}:3: phone/none: a bypass has been opened" in result.output
    assert "1 not as reviewed" in result.output


def test_json_and_pages(tmp_path: Path) -> None:
    result = cli(*SOME, "--json")
    cases = {each["case"]: each for each in json.loads(result.stdout)["cases"]}
    assert cases["phone/hss-given"]["outcome"].startswith("blocked by hss/bind.hss.given, EMM #8; ")
    services = cases["phone/hss-given"]["services"]
    attach = services["attach"]
    assert attach["state"] == "blocked"
    assert attach["refusals"][0]["control"] == "bind.hss.given"
    assert attach["refusals"][0]["cause"].startswith("EMM cause 8")
    assert services["data"]["state"] == "no attach"
    assert cli(*SOME, "--report", str(tmp_path)).exit_code == 0
    assert json.loads((tmp_path / "matrix.json").read_text("utf-8"))["cases"]
    assert "simwarden matrix" in (tmp_path / "matrix.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--method", "hss-givn"), "no method is called 'hss-givn' (did you mean 'hss-given'?)"),
        (("--misuse", "fone"), "no misuse is called 'fone'"),
        (("--service", "sms"), "no service or path is called 'sms'"),
        (("--accept", "so it is", "--method", "none"), "leave --misuse, --method and --budget out"),
        (("--accept", "so it is", "--budget", "1 s"), "leave --misuse, --method and --budget out"),
        (("--story", "phone"), "--story: expected MISUSE/METHOD, got 'phone'"),
        (("--story", "phone/all"), "no method is called 'all'"),
        (("/nowhere",), "no matrix is here"),
    ],
)
def test_what_makes_no_sense_is_told(arguments: tuple[str, ...], said: str) -> None:
    result = cli(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_the_story_of_a_cell_runs_alone(tmp_path: Path) -> None:
    result = cli("--story", "phone/hss+cmp")
    assert result.output.startswith("scenario: 'The card is taken out of the meter")
    story = tmp_path / "story.yaml"
    story.write_text(result.output, "utf-8")
    ran = CliRunner().invoke(app, ["run", str(story), "--report", str(tmp_path / "report")])
    assert ran.exit_code == 0, ran.output
    assert "power_on: phone" not in cli("--story", "phone/hss+cmp", "--honest").output


@pytest.mark.slow
def test_the_table_in_the_docs_is_what_comes_of_its_command() -> None:
    page = (SHIPPED.parents[1] / "docs" / "matrix.md").read_text("utf-8")
    block = re.search(r"<!-- matrix: (.*?) -->\n```console\n(.*?)```", page, re.DOTALL)
    assert block
    assert cli("-j", "1", *block[1].split()).stdout.startswith(block[2])
