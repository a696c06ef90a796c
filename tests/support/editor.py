"""YAML as editors read it."""

from __future__ import annotations

from typing import Any

import yaml


class EditorLoader(yaml.SafeLoader):
    """YAML 1.2: `on`, `off`, `yes` and `no` are words (10.3.2)."""


EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in known if first in "tTfF" or not tag.endswith(":bool")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text: str) -> Any:
    """Read a text."""
    return yaml.load(text, EditorLoader)  # noqa: S506 - a SafeLoader
