"""A package of the tests as it is where somebody has installed it: on the path, with its entry points."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def command_with(folder: Path, site: Path) -> Callable[..., str]:
    """Return what runs a command of simwarden beside the package in `folder`, put into the empty folder `site`."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    about = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    points = [line for group, each in groups for line in (f"[{group}]", *(f"{k} = {v}" for k, v in each.items()))]
    (about / "entry_points.txt").write_text("\n".join(points))
    for package in {value.partition(":")[0].partition(".")[0] for _, each in groups for value in each.values()}:
        shutil.copytree(folder / package, site / package)

    def run(*arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "simwarden", *arguments]
        environment = os.environ | {"PYTHONPATH": str(site), "NO_COLOR": "1", "COLUMNS": "200"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=site)  # noqa: S603
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run
