"""3GPP-User-Location-Info, against pycrate's PLMN and by hand; what cannot be read is a PeerError."""

from __future__ import annotations

import contextlib

import budget
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrate_mobile.TS24008_IE import PLMN

from simwarden.errors import PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire.diameter.location import decode_location, encode_location

PLMNS = st.sampled_from([Plmn("001", "01"), Plmn("460", "04"), Plmn("310", "410")])
TAIS = st.none() | st.builds(Tai, PLMNS, st.integers(0, 0xFFFF))
CELLS = st.none() | st.builds(Ecgi, PLMNS, st.integers(0, 0x0FFFFFFF))


@settings(max_examples=budget.examples(50))
@given(tai=TAIS, cell=CELLS)
def test_what_is_written_is_read(tai: Tai | None, cell: Ecgi | None) -> None:
    octets = encode_location(tai, cell)
    assert decode_location(octets) == (tai, cell)
    if tai is not None:
        theirs = PLMN()
        theirs.from_bytes(octets[1:4])
        assert theirs.decode() == tai.plmn.mcc + tai.plmn.mnc


def test_both_as_the_specification_lays_them_out() -> None:
    both = encode_location(Tai(Plmn("460", "04"), 0x1234), Ecgi(Plmn("460", "04"), 0x0ABCDEF))
    assert both.hex() == "82" + "64f040" + "1234" + "64f040" + "00abcdef"


@settings(max_examples=budget.examples(100))
@given(octets=st.binary(max_size=16) | st.binary(max_size=14).map(lambda rest: b"\x82" + rest))
def test_any_octets_are_a_place_or_a_peer_error(octets: bytes) -> None:
    with contextlib.suppress(PeerError):
        decode_location(octets)


@pytest.mark.parametrize("octets", [b"\x80", b"\x81" + bytes(6), b"\x82" + bytes(13), b"\x80\xff\xff\xff\0\0"])
def test_what_lies_is_refused(octets: bytes) -> None:
    with pytest.raises(PeerError):
        decode_location(octets)
