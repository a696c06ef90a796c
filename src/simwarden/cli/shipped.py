"""The scenarios that come with simwarden: in the wheel, or in the repository around it."""

from __future__ import annotations

from pathlib import Path

import simwarden
from simwarden.errors import ConfigError


def shipped() -> Path:
    """Return the folder of shipped scenarios. Raises ConfigError where they are missing."""
    package = Path(simwarden.__file__).parent
    for folder in (package / "shipped_scenarios", package.parent.parent / "scenarios"):
        if folder.is_dir():
            return folder
    raise ConfigError("the shipped scenarios are missing; install simwarden again")
