"""A run with external elements needs free addresses, and an address of each external element, before it begins."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simwarden.cli.main import app
from simwarden.errors import SimwardenError
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.site import Site
from simwarden.scenario.load import Loader
from simwarden.scenario.outside import address_in_use
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.trace import Trace

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


@pytest.mark.parametrize("key", ["address: 203.0.113.9", "source: 203.0.113.9", "source: {S6a: 203.0.113.9}"])
def test_an_address_that_this_machine_does_not_have_is_named(key: str, tmp_path: Path) -> None:
    story, folder = tmp_path / "story.yaml", tmp_path / "report"
    story.write_text(
        STORY.read_text().replace(
            "scenario:", f"network: {{mme: {{{key}}}, hss: {{external: '127.0.0.1:9'}}}}\nscenario:", 1
        )
    )
    result = CliRunner().invoke(app, ["run", str(story), "--report", str(folder)])
    assert result.exit_code == 2
    assert result.output.startswith(f"{story}:1: mme: 203.0.113.9 is not an address of this machine")
    assert not folder.exists()


@pytest.mark.parametrize("address", ["203.0.113.9", "::1"])
def test_an_address_that_cannot_be_used_is_no_internal_error(address: str) -> None:
    text = STORY.read_text().replace("scenario:", f"network: {{mme: {{address: '{address}'}}}}\nscenario:", 1)
    result = run_scenario(Loader().load("story.yaml", text), "story", RunOptions())
    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert result.failure.summary.endswith(("this machine does not have it", "cannot be reached from the others"))


def test_an_address_that_another_run_has_is_named(network: str, tmp_path: Path) -> None:
    scenario = Loader(network_file=network).load(STORY)
    assert address_in_use(scenario, worker=7) == ""
    assert address_in_use(Loader().load(STORY)) == ""  # a run without external elements has no fixed addresses
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind((HOST, 2152))
        assert address_in_use(scenario, worker=7) == f"{HOST}:2152"
        folder = tmp_path / "report"
        result = CliRunner().invoke(app, ["run", str(STORY), "--network", network, "--report", str(folder)])
        assert result.exit_code == 2
        [line] = result.output.strip().splitlines()
        assert " is in use: another run with external elements" in line
        assert not folder.exists()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (f'sgw: {{external: {{S11: "{HOST}:2123"}}}}', "sgw: external: an address is missing for S5-C, S1-U, S5-U"),
        (f'sgw: {{external: {{S11: "{HOST}:2123", S5-C: "{HOST}:2123", S1-U: "{HOST}:2152"}}}}', "missing for S5-U"),
        (f'pgw: {{external: {{S5-C: "{HOST}:2123"}}}}', "pgw: external: an address is missing for S5-U"),
        (f'pgw: {{external: "{HOST}:2123"}}', ""),
        (f'pgw: {{external: {{S5-C: "{HOST}:2123", S5-U: "{HOST}:2152"}}}}', ""),
        (f'mme: {{external: {{S1-MME: "{HOST}:36412"}}}}', ""),  # the MME's gateways are external, too
        (f'enb: {{external: "{HOST}:36412"}}', "enb: Uu is a frame of simwarden, which only its own enb speaks"),
        (f'enb: {{external: {{S1-U: "{HOST}:2152"}}}}', "enb: Uu is a frame of simwarden"),
        (f'enb: {{external: {{Uu: "{HOST}:4997", S1-U: "{HOST}:2152", X2-U: "{HOST}:2152"}}}}', ""),
        (f'hss: {{external: "{HOST}:3868"}}', ""),
    ],
)
def test_what_an_external_element_lacks_is_an_error_with_its_place(tmp_path: Path, entry: str, said: str) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(f"{entry}\n")
    if not said:
        assert Loader(network_file=str(path)).load(STORY).external
        return
    with pytest.raises(SimwardenError) as error:
        Loader(network_file=str(path)).load(STORY)
    assert str(error.value).startswith(f"{path}:1:17: ")
    assert said in str(error.value)


def test_a_message_of_an_external_element_without_an_address_is_no_internal_error() -> None:
    loop = TestbedLoop(virtual=True)
    clock = Clock(loop)
    settings = HostSettings(external={"sgw": {"S11": (HOST, 2123)}})
    host = Host(loop, clock, Trace(clock.now), settings)
    Site(host, "pgw").tell_reach("S5-C", "sgw", "")
    assert host.reached["pgw", "S5-C", "sgw"].reason == ""
    loop.close()
