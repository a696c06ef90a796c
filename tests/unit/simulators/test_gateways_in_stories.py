"""The gateways in stories, which a node of the tests tells: what the PGW refuses, the twin, the proof by mutants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from installed import command_with

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

PROBER = Path(__file__).parents[2] / "prober"
SCENARIOS = str(PROBER / "scenarios")


@pytest.fixture(name="command", scope="module")
def _command(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a command where the node is installed."""
    return command_with(PROBER, tmp_path_factory.mktemp("site"))


def test_its_stories_are_right_and_pass(command: Callable[..., str], tmp_path: Path) -> None:
    assert "3 checked, none wrong" in command("validate", SCENARIOS)
    for transport in ("memory", "udp"):
        told = command("run", SCENARIOS, "--transport", transport, "--report", str(tmp_path / transport))
        assert "3 passed" in told


def test_they_notice_a_pgw_that_admits_or_refuses_all(command: Callable[..., str]) -> None:
    assert "3 of 3 mutants killed" in command("prove", SCENARIOS, "--control", "pgw/fn.core")
