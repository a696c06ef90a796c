"""Keys that the wire carries: zeroed, and nothing else."""

from __future__ import annotations

import pytest
import traces

from simwarden.trace.events import Event, Frame
from simwarden.trace.jsonl import lines_of
from simwarden.trace.ladder import Style, draw
from simwarden.trace.mask import masked, masked_octets
from simwarden.trace.rows import rows_of
from simwarden.wire.apdu.command import CommandApdu, ResponseApdu

KEYS = [traces.KASME, traces.CK, traces.IK, traces.KENB]


@pytest.fixture(name="events")
def _events() -> list[Event]:
    return traces.moved_card()


def test_the_trace_has_keys_and_the_masked_frames_have_none(events: list[Event]) -> None:
    frames = [event for event in events if isinstance(event, Frame)]
    plain, hidden = (b"".join(octets) for octets in ([f.data for f in frames], [masked(f) for f in frames]))
    for key in KEYS:
        assert key in plain
        assert key not in hidden
    assert len(plain) == len(hidden)


def test_what_is_no_key_stays(events: list[Event]) -> None:
    for frame in (event for event in events if isinstance(event, Frame)):
        octets = masked(frame)
        changed = [index for index, octet in enumerate(frame.data) if octets[index] != octet]
        assert len(changed) in {0, 32}  # KASME, KeNB, or CK and IK
        assert all(octets[index] == 0 for index in changed)


def test_no_view_shows_a_key(events: list[Event]) -> None:
    lines = "\n".join(lines_of(events))
    ladder = "\n".join(draw(events, traces.ORDER, Style(full=True)))
    rows = repr(rows_of(events))
    for key in KEYS:
        for view in (lines, ladder, rows):
            assert key.hex() not in view
            assert repr(key)[2:-1] not in view


@pytest.mark.parametrize(
    ("octets", "kept"),
    [
        (CommandApdu(0, 0x20, 0, 1, b"1234\xff\xff\xff\xff").to_bytes(), 5),
        (CommandApdu(0, 0xD6, 0, 0, b"\x07" + b"\x5a" * 32).to_bytes(), 5),
        (ResponseApdu(b"\x07" + b"\x5a" * 32).to_bytes(), 0),
    ],
    ids=["PIN", "file of keys written", "file of keys read"],
)
def test_pins_and_files_of_keys(octets: bytes, kept: int) -> None:
    hidden = masked_octets(octets, "apdu")
    assert len(hidden) == len(octets)
    assert hidden[:kept] == octets[:kept]
    assert b"\x5a" not in hidden
    assert b"1234" not in hidden


@pytest.mark.parametrize("protocol", ["diameter", "s1ap", "apdu", "x2", "uu", "unknown"])
@pytest.mark.parametrize("octets", [b"", b"\0", b"\xdb", b"\xdb\x40\x01", b"\x00\x20\x00\x01\xff", b"\x01" * 40])
def test_malformed_octets_do_not_raise(protocol: str, octets: bytes) -> None:
    assert len(masked_octets(octets, protocol)) == len(octets)
