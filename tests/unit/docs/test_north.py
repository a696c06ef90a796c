"""docs/north.md, carried out as it stands: its files, its calls, and what is answered."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from waiting import LONG, reserved_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[3] / "docs" / "north.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
CALLS = [pair for block in BLOCKS for pair in re.findall(r"\$ (.*)\n((?:(?!\$ ).*\n?)*)", block)]
#: the page's ports, in whose place free ones come
PORTS = ("13868", "18081", "18082")
#: what is another one each time: identifiers, and times
MADE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")


@contextmanager
def served(folder: Path) -> Iterator[dict[str, str]]:
    """Serve the page's platform at free ports; yield which stands for which of the page."""
    with ExitStack() as held:
        ports = {port: str(held.enter_context(reserved_port())) for port in PORTS}
        ports["example.com"] = "example.invalid"  # events are tried to be sent, to nowhere
        yield from _serve(folder, ports)


def _serve(folder: Path, ports: dict[str, str]) -> Iterator[dict[str, str]]:
    for command, text in CALLS:
        if command.startswith("cat "):
            (folder / command.removeprefix("cat ")).write_text(put(text, ports), encoding="utf-8")
    command, ready = next(pair for pair in CALLS if "simwarden serve" in pair[0])
    name, _, token = command.partition(" ")[0].partition("=")
    words = command.removesuffix(" &").split()[2:]
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "simwarden", *words],
        cwd=folder, env={**os.environ, name: token}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == put(ready.strip(), ports) + "\n"
            yield ports
        finally:
            process.terminate()
            process.wait(LONG)


def put(text: str, ports: dict[str, str]) -> str:
    """Put the ports there are for those of the page."""
    return re.sub("|".join(ports), lambda match: ports[match[0]], text)


@pytest.mark.interop
def test_each_call_is_answered_as_the_page_says(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl (Debian: curl)")
    calls = [(command, told) for command, told in CALLS if command.startswith("curl ")]
    assert len(calls) == 12
    with served(tmp_path) as ports:
        for command, told in calls:
            mine = put(command, ports).replace("| python3 ", f"| {sys.executable} ").replace("curl -s ", "curl -sq ")
            done = subprocess.run(  # noqa: S603 - the page's own commands
                ["/bin/bash", "-c", mine], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=LONG
            )
            assert MADE.sub("...", done.stdout.strip()) == MADE.sub("...", put(told.strip(), ports)), command
