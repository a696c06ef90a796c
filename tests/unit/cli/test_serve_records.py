"""Files to which a served element adds records: each is there as a whole, or not at all."""

from __future__ import annotations

from io import FileIO
from typing import TYPE_CHECKING

import pytest

from simwarden.cli.serving_process import _add

if TYPE_CHECKING:
    from pathlib import Path


class Narrow(FileIO):
    """A disk on which there is room for three octets more."""

    def write(self, octets: bytes, /) -> int:  # type: ignore[override]
        return super().write(octets[:3])


def test_nothing_stays_of_a_record_for_which_there_is_no_room(tmp_path: Path) -> None:
    path = tmp_path / "cdrs.ber"
    path.write_bytes(b"\xbf\x4e\x00")
    with Narrow(str(path), "a") as stream:
        _add(stream, b"\x01\x02\x03")
        with pytest.raises(OSError, match="No space"):
            _add(stream, b"\x04\x05\x06\x07")
    assert path.read_bytes() == b"\xbf\x4e\x00\x01\x02\x03"
