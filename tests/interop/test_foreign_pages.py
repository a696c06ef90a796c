"""The stories of docs/foreign/pcrf.md with a PCRF of another hand, which holds what `export` prints."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import yaml
from foreign_pcrf import ENABLED, ForeignPcrf
from typer.testing import CliRunner

from simwarden.cli.main import app
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario

if TYPE_CHECKING:
    from foreign_diameter import Tree

pytestmark = pytest.mark.interop
PAGE = (Path(__file__).parents[2] / "docs/foreign/pcrf.md").read_text("utf-8")
FILES = dict(re.findall(r"^<!-- write: (\S+) -->\n```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
STORIES = ("listed.yaml", "unlisted.yaml")
PROTOCOLS = {"udp": 17, "tcp": 6}
EVERYTHING = {"name": "all", "precedence": 1, "flows": ["permit out ip from any to assigned"], "status": ENABLED}


def rule_of(entry: str, precedence: int) -> Tree:
    """Write an entry of a list as the table of the page has it."""
    url = urlsplit(entry)
    host = ipaddress.ip_network(str(url.hostname))
    flow = f"permit out {PROTOCOLS[url.scheme]} from {host} {url.port} to assigned"
    return {"name": entry, "precedence": precedence, "flows": [flow], "status": ENABLED}


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def exported(lab: Path) -> list[Tree]:
    """Return the rules of the only card that `export` prints."""
    stories = [str(lab / each) for each in STORIES]
    printed = CliRunner().invoke(app, ["export", *stories, "--element", "pcrf", "--network", str(lab / "lab.yaml")])
    assert printed.exit_code == 0, printed.output
    (card,) = yaml.safe_load(printed.stdout)["subscribers"]
    ((data,),) = card["sections"].values()
    return [rule_of(each, 100 + number) for number, each in enumerate(data["whitelist"])]


def verdicts(lab: Path, rules: list[Tree]) -> list[Verdict]:
    found = []
    with ForeignPcrf({"answers": {"initial": [{"install": rules} if rules else {}]}}) as pcrf:
        network = lab / "foreign.yaml"
        network.write_text(FILES["lab.yaml"].replace("13868", str(pcrf.port)), "utf-8")
        for story in STORIES:
            scenario = Loader(network_file=str(network)).load(str(lab / story))
            found.append(run_scenario(scenario, story, RunOptions()).verdict)
        assert pcrf.complaints == []
    return found


def test_one_that_holds_the_exported_lists_passes(lab: Path) -> None:
    assert verdicts(lab, exported(lab)) == [Verdict.PASSED, Verdict.PASSED]


def test_one_that_opens_all_fails_where_the_list_is_not_kept(lab: Path) -> None:
    assert verdicts(lab, [EVERYTHING]) == [Verdict.PASSED, Verdict.FAILED]


def test_one_that_opens_nothing_fails_where_the_list_is_not_served(lab: Path) -> None:
    assert verdicts(lab, []) == [Verdict.FAILED, Verdict.PASSED]
