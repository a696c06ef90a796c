"""Bit rates in octets (TS 24.008 10.5.6.5, TS 24.301 9.9.4.2, 9.9.4.3): rows of the tables, and what is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.wire.nas.rates import Ambr, BitRates, decode_ambr, decode_rates, encode_ambr, encode_rates


@pytest.mark.parametrize(
    ("kbits", "octets"),
    [
        (1, "01"),
        (63, "3f"),
        (64, "40"),
        (568, "7f"),
        (576, "80"),
        (8_640, "fe"),
        (8_700, "fe01"),
        (16_000, "fe4a"),
        (17_000, "fe4b"),
        (128_000, "feba"),
        (130_000, "febb"),
        (256_000, "fefa"),
        (260_000, "fefa01"),
        (500_000, "fefa3d"),
        (510_000, "fefa3e"),
        (1_500_000, "fefaa1"),
        (1_600_000, "fefaa2"),
        (10_000_000, "fefaf6"),
    ],
)
def test_rows_of_the_tables(kbits: int, octets: str) -> None:
    coded = b"".join(bytes([each]) * 4 for each in bytes.fromhex(octets))
    assert encode_rates(BitRates(kbits, kbits, kbits, kbits)).hex() == coded.hex()
    assert decode_rates(coded) == BitRates(kbits, kbits, kbits, kbits)


def test_rates_that_there_are_not() -> None:
    assert encode_rates(BitRates()) == b""
    assert encode_rates(BitRates(70, 0, 8_699, 0)).hex() == "40fffeff"
    assert decode_rates(b"\x40\xff\xfe\xff") == BitRates(64, 0, 8_640, 0)
    for octets in (b"\x01", bytes(5), bytes(16)):
        with pytest.raises(ValueError, match="bit rates in"):
            decode_rates(octets)
    with pytest.raises(ValueError, match="APN-AMBR of 3"):
        decode_ambr(bytes(3))


def test_an_apn_has_its_rates_downlink_first() -> None:
    assert encode_ambr(Ambr(8_640, 64)).hex() == "fe40"
    assert encode_ambr(Ambr(100_000, 50_000)).hex() == "fefe9e6c"
    assert decode_ambr(bytes.fromhex("fefefafa0101")) == Ambr(512_000, 512_000)


@given(down=st.integers(1, 60_000_000), up=st.integers(1, 60_000_000))
def test_what_is_coded_is_never_more(down: int, up: int) -> None:
    told = decode_ambr(encode_ambr(Ambr(down, up)))
    assert 0 < told.downlink <= down
    assert 0 < told.uplink <= up
    assert encode_ambr(told) == encode_ambr(Ambr(down, up))
