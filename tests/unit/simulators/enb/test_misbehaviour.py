"""What a base station is made to send goes as it is, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from simulators.enb.parts import Misbehaviour, SendS1ap


@pytest.mark.parametrize("octets", ["00", "00 12 40 0f", "ffffff"])
async def test_octets_go_to_the_mme_as_they_are(bench: Any, octets: str) -> None:
    bench.s1.decode = bytes.hex
    assert await Misbehaviour(bench.station).send_s1ap(SendS1ap(octets=octets)) == "sent"
    assert (bench.s1.take(), bench.s1.streams[-1]) == (octets.replace(" ", ""), 1)


@pytest.mark.parametrize("mme", ["mme", "mme7"])
async def test_nothing_goes_where_there_is_no_connection(bench: Any, mme: str) -> None:
    bench.mme.link = None
    assert await Misbehaviour(bench.station).send_s1ap(SendS1ap(mme=mme, octets="00")) == "no-connection"


@pytest.mark.parametrize("octets", ["0", "xy", "0g"])
def test_octets_are_hexadecimal(octets: str) -> None:
    with pytest.raises(ValidationError, match="hexadecimal"):
        SendS1ap(octets=octets)
