"""A user's file of apps is found by its path, and told of where it is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simwarden.errors import ConfigError
from simwarden.operations.app_blacklists import load_app_lists
from simwarden.policy.app_blacklist_file import shipped_lists

if TYPE_CHECKING:
    from pathlib import Path

OWN = """\ufeff[[app]]
name = "tunes"
title = "Tunes"
category = "music"
[[app.fact]]
domains = ["tunes.example.net"]
source = "https://www.example.net/hosts"
read = 2026-11-27
"""


def test_without_a_file_the_lists_are_those_shipped() -> None:
    assert load_app_lists("") is shipped_lists()


def test_a_file_is_read_beside_them(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    lists = load_app_lists(str(file))
    assert {each.name for each in lists.apps} - {each.name for each in shipped_lists().apps} == {"tunes"}


@pytest.mark.parametrize(
    ("octets", "told"),
    [(None, "cannot be read"), (b"\xff\xfe", "is not UTF-8"), (b"app = [", "is no TOML"), (b"app = 3", "app: ")],
)
def test_a_file_that_is_none_is_an_error_with_its_name(tmp_path: Path, octets: bytes | None, told: str) -> None:
    file = tmp_path / "own.toml"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(ConfigError, match=r"own\.toml") as caught:
        load_app_lists(str(file))
    assert told in str(caught.value)
