"""A run with external elements has addresses that these know: a second one on the machine is told before it begins."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simwarden.cli.main import app
from simwarden.scenario.load import Loader
from simwarden.scenario.outside import address_in_use

STORY = Path(__file__).parents[3] / "scenarios" / "demo" / "first-story.yaml"
HOST = "127.77.1.1"
NETWORK = f"""\
pgw: {{external: {{S5-C: "{HOST}:22123", S5-U: "{HOST}:22152"}}}}
sgw: {{address: {HOST}}}
"""


@pytest.fixture
def network(tmp_path: Path) -> str:
    path = tmp_path / "network.yaml"
    path.write_text(NETWORK)
    return str(path)


def test_an_address_that_another_run_has_is_named(network: str, tmp_path: Path) -> None:
    scenario = Loader(network_file=network).load(STORY)
    assert address_in_use(scenario, worker=7) == ""
    assert address_in_use(Loader().load(STORY)) == ""  # nobody outside knows the addresses of such a run
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind((HOST, 2152))
        assert address_in_use(scenario, worker=7) == f"{HOST}:2152"
        folder = tmp_path / "report"
        result = CliRunner().invoke(app, ["run", str(STORY), "--network", network, "--report", str(folder)])
        assert result.exit_code == 2
        [line] = result.output.strip().splitlines()
        assert " is in use: another run with external elements" in line
        assert not folder.exists()
