"""Volumes as people write them."""

from __future__ import annotations

import pytest

from simwarden.model.units import octets


@pytest.mark.parametrize(
    ("text", "bare", "volume"),
    [
        ("30 MB", "b", 30_000_000),
        ("1.5GB", "b", 1_500_000_000),
        ("500 kB", "b", 500_000),
        ("1500", "b", 1500),
        ("30", "mb", 30_000_000),
        ("0 B", "b", 0),
    ],
)
def test_volumes(text: str, bare: str, volume: int) -> None:
    assert octets(text, bare) == volume


@pytest.mark.parametrize("text", ["", "MB", "-5 MB", "5 miB", "5 MB 3 kB", "٣ MB", "9" * 400])
def test_what_is_no_volume(text: str) -> None:
    with pytest.raises(ValueError, match=r"no volume|more than a network carries"):
        octets(text)
