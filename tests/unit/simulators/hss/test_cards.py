"""What an MME tells of a card's place, as the operator reads it."""

from __future__ import annotations

import json

import pytest

from simulators.hss.parts.cards import _readable

CELL, AREA = bytes.fromhex("00f11000000101"), bytes.fromhex("00f1100001")


@pytest.mark.parametrize(
    ("name", "octets", "read"),
    [
        ("e_utran_cell_global_identity", CELL, "001-01-0000101"),
        ("tracking_area_identity", AREA, "001-01-0001"),
        ("tracking_area_identity", AREA + b"\x00", "00f110000100"),
        ("tracking_area_identity", b"\xff" * 5, "ff" * 5),
        ("e_utran_cell_global_identity", b"", ""),
        ("geographical_information", AREA, "00f1100001"),
    ],
)
def test_octets_are_told_as_people_write_them_or_as_digits(name: str, octets: bytes, read: str) -> None:
    found = _readable({"mme_location_information": {name: octets}, "age": 3})
    assert found == {"mme_location_information": {name: read}, "age": 3}
    json.dumps(found)
