"""What a gateway takes for a text: of all data codings, protocol identifiers and header elements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.sms_gateway.contents import beyond_text, concatenation, fits
from simulators.sms_gateway.messages import Request
from simwarden.wire import sms


def request(octets: bytes = b"x", **more: int) -> Request:
    return Request(("10658", 0), ("1", 0), octets, **more)  # type: ignore[arg-type]  # numbers and flags


def test_data_codings() -> None:
    taken = {each for each in range(256) if not beyond_text(request(data_coding=each))}
    assert taken == {0, 1, 3, 8, 0x10, 0x11, 0x18, 0x19, 0xF0, 0xF1}


@pytest.mark.parametrize(
    ("data_coding", "told"),
    [
        (0x02, "binary data"),
        (0x04, "binary data"),
        (0x14, "binary data"),
        (0xF5, "binary data"),
        (0x20, "binary data"),  # compressed
        (0x12, "class 2"),
        (0xF2, "class 2"),
        (0x1B, "class 3"),
        (0x52, "class 2"),
        (0xC8, "data coding 0xc8"),  # a waiting message is shown
        (0x0D, "data coding 0x0d"),
    ],
)
def test_why_a_data_coding_is_more_than_a_text(data_coding: int, told: str) -> None:
    assert beyond_text(request(data_coding=data_coding)) == told


def test_protocol_identifiers() -> None:
    taken = {each for each in range(256) if not beyond_text(request(protocol_id=each))}
    assert taken == {0, *range(0x41, 0x48)}


def test_header_elements() -> None:
    taken = set()
    for each in range(256):
        header = sms.encode_header([sms.Element(each, b"\x01\x02\x01")])
        if not beyond_text(request(header + b"x", udhi=1)):
            taken.add(each)
    assert taken == {0x00, 0x08, 0x24, 0x25}


@given(octets=st.binary(max_size=160))
def test_any_octets_behind_the_mark_of_a_header_are_judged(octets: bytes) -> None:
    asked = request(octets, udhi=1)
    found = beyond_text(asked)
    fits(asked)
    if found == "":
        assert {each.identifier for each in sms.split_header(octets)[0]} <= {0x00, 0x08, 0x24, 0x25}
    part = concatenation(asked)
    assert part is None or 0 < part.number <= part.total


@pytest.mark.parametrize(
    ("octets", "more", "expected"),
    [
        (bytes(160), {}, True),
        (bytes(161), {}, False),
        (bytes(140), {"data_coding": 8}, True),
        (bytes(141), {"data_coding": 8}, False),
        (bytes(140), {"data_coding": 4}, True),
        (bytes(141), {"data_coding": 4}, False),
        (bytes.fromhex("050003010201") + bytes(153), {"udhi": 1}, True),
        (bytes.fromhex("050003010201") + bytes(154), {"udhi": 1}, False),
        (bytes.fromhex("050003010201") + bytes(134), {"udhi": 1, "data_coding": 8}, True),
        (bytes.fromhex("050003010201") + bytes(135), {"udhi": 1, "data_coding": 8}, False),
        (b"", {"udhi": 1}, True),
    ],
)
def test_what_fits_into_one_message(octets: bytes, more: dict[str, int], expected: bool) -> None:  # noqa: FBT001 - a case
    assert fits(request(octets, **more)) is expected


def test_text_that_looks_like_a_header_makes_no_part() -> None:
    octets = bytes.fromhex("050003010201") + b"x"
    assert concatenation(request(octets)) is None
    assert concatenation(request(octets, udhi=1)) == sms.Concatenation(1, 2, 1)
