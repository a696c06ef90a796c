"""A baresip telephone behind a kamailio border calls a card through SSP and SCP, and is called, listed and not.

kamailio stays in the way of all that belongs to a call (Record-Route), and vouches for who calls. Beside SSP and SCP
there are a scripted HLR, EIR and terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from sip_programs import BARESIP, KAMAILIO, baresip, border
from sipp import free_port
from sockets_net import CallsNet, T, play
from ssp_net import LISTED, MSISDN, OTHER

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not BARESIP, reason="baresip is not installed (apt install baresip-core)"),
    pytest.mark.skipif(not KAMAILIO, reason="kamailio is not installed (apt install kamailio)"),
]
NUMBERS: Final = pytest.mark.parametrize("number", [LISTED, OTHER])


@NUMBERS
def test_it_calls_a_card(tmp_path: Path, number: str) -> None:
    admitted = number == LISTED
    far, inside = free_port(), free_port()

    async def story(net: CallsNet) -> None:
        async with border(tmp_path, far, inside, net.port), baresip(tmp_path / "phone", number, inside) as phone:
            phone.order("dial", f"sip:+{MSISDN}@127.0.0.1:{far}")
            told, why = await phone.event("CALL_ESTABLISHED", "CALL_CLOSED")
            if admitted:
                assert told == "CALL_ESTABLISHED"
                net.ms.hang_up(answering=True)
                await phone.event("CALL_CLOSED")
            else:
                assert (told, why[:3]) == ("CALL_CLOSED", "403")
            assert (T.SETUP in [each.type for each in net.ms.heard]) is admitted
            assert net.judged() == [admitted]

    play(story, far)


def test_the_listed_number_for_which_nobody_vouches_does_not_reach_a_card(tmp_path: Path) -> None:
    inside = free_port()

    async def story(net: CallsNet) -> None:
        async with baresip(tmp_path / "phone", LISTED, inside) as phone:
            phone.order("dial", f"sip:+{MSISDN}@127.0.0.1:{net.port}")
            _, why = await phone.event("CALL_CLOSED")
            assert why[:3] == "403"
            assert T.SETUP not in [each.type for each in net.ms.heard]

    play(story, inside)


@NUMBERS
def test_a_card_calls_it(tmp_path: Path, number: str) -> None:
    admitted = number == LISTED
    far, inside = free_port(), free_port()

    async def story(net: CallsNet) -> None:
        async with border(tmp_path, far, inside, net.port), baresip(tmp_path / "phone", number, inside) as phone:
            net.ms.call(number)
            told = await net.heard(T.CONNECT, T.DISCONNECT)
            assert told is (T.CONNECT if admitted else T.DISCONNECT)
            if admitted:
                await phone.event("CALL_ESTABLISHED")
                phone.order("hangup")  # the BYE of the called side, by the border
                await net.heard(T.DISCONNECT)
            assert net.judged() == [admitted]

    play(story, far)
