"""SIPp calls a card through SSP and SCP in many spellings, listed and not, and is called; osmo-stp carries the CAP.

Beside SSP and SCP there are a scripted HLR, EIR and terminal.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest
import stp
from sipp import CALLS, SIPP, finish, free_port, sipp, start
from sockets_net import SCP, SSP, CallsNet, T, play
from ssp_net import MSISDN
from waiting import reserved_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not SIPP, reason="SIPp is not installed (apt install sip-tester)"),
]
#: how the listed number may be written in a URI, and numbers that are none of its spellings
LISTED: Final = (
    *("+8613800001111", "008613800001111", "013800001111", "13800001111", "8613800001111"),
    *("+86-138-0000-1111", "+86(138)00001111", "+86.138.0000.1111", "138-0000-1111", "(138)0000-1111"),
)
OTHERS: Final = (
    *("+86138000011110", "+8613800001112", "+8513800001111", "138000011110", "3800001111"),
    *("+13800001111", "*13800001111", "+861380000111", "0013800001111", "110"),
)
#: what a terminal dials: keys only
KEYED: Final = tuple(each for each in (*LISTED, *OTHERS) if set(each.removeprefix("+")) <= set("0123456789*#"))


@pytest.fixture(name="transfer_point")
def _transfer_point(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The ways of SSP and SCP to each other through osmo-stp."""
    if not stp.STP:
        pytest.skip("osmo-stp is not installed (apt install osmo-stp)")
    addresses = {"ssp": ("127.0.0.8", SSP, SSP), "scp": ("127.0.0.146", SCP, SCP)}
    with ExitStack() as stack:
        port, vty = (stack.enter_context(reserved_port()) for _ in range(2))
        stack.enter_context(stp.osmo_stp(tmp_path, port, vty, addresses))
        wires = {name: stp.Wire(address, port) for name, (address, *_) in addresses.items()}
        for wire in wires.values():
            stack.callback(wire.close)
        yield {
            "ssp": {"stp-ssp": {"routing_context": SSP, "point_codes": [SCP]}},
            "scp": {"stp-scp": {"routing_context": SCP, "point_codes": [SSP]}},
            "external": {f"stp-{name}": {"M3UA": ("127.0.0.1", wire.port)} for name, wire in wires.items()},
        }


async def _called(net: CallsNet, folder: Path, callers: tuple[str, ...]) -> None:
    """Have SIPp call the card as somebody, one after another."""
    file = folder / "calls.csv"
    file.write_text("SEQUENTIAL\n" + "".join(f"sip:{each}@127.0.0.1;+{MSISDN}\n" for each in callers))
    scenario, count = str(CALLS.with_name("asserted.xml")), str(len(callers))
    command = sipp(folder, "-sf", scenario, "-inf", str(file), "-m", count, "-l", "1", f"127.0.0.1:{net.port}")
    await finish(await start(command), folder)


def test_sipp_calls_a_card_as_somebody_in_many_spellings(tmp_path: Path) -> None:
    async def story(net: CallsNet) -> None:
        await _called(net, tmp_path, (*LISTED, *OTHERS))
        assert net.judged() == [True] * len(LISTED) + [False] * len(OTHERS)
        pages = [each for each in net.ms.heard if each.type is T.PAGING_REQUEST_TYPE_1]
        assert len(pages) == len(LISTED)  # of a call that is refused the terminal hears nothing

    play(story, free_port())


def test_sipp_calls_a_card_through_osmo_stp(tmp_path: Path, transfer_point: dict[str, Any]) -> None:
    async def story(net: CallsNet) -> None:
        await _called(net, tmp_path, (LISTED[0], OTHERS[0]) * 5)
        assert net.judged() == [True, False] * 5

    play(story, free_port(), transfer_point)


@pytest.mark.parametrize("by", ["", "transfer_point"])
def test_a_card_calls_sipp_in_many_spellings(tmp_path: Path, request: pytest.FixtureRequest, by: str) -> None:
    through = request.getfixturevalue(by) if by else None
    far = free_port()
    reached = [each for each in KEYED if each in LISTED or each == "110"]

    async def story(net: CallsNet) -> None:
        process = await start(sipp(tmp_path, "-sn", "uas", "-p", str(far), "-m", str(len(reached))))
        await asyncio.sleep(1)
        told = {}
        for number in KEYED:
            net.ms.heard.clear()
            net.ms.call(number)
            told[number] = await net.heard(T.CONNECT, T.DISCONNECT, T.RELEASE_COMPLETE)
            if told[number] is T.CONNECT:
                net.ms.hang_up()
            await net.heard(T.CHANNEL_RELEASE)
        await finish(process, tmp_path)
        assert [number for number, word in told.items() if word is T.CONNECT] == reached

    play(story, far, through)


def test_sipp_receives_the_dtmf_digits_of_a_card(tmp_path: Path) -> None:
    far = free_port()

    async def story(net: CallsNet) -> None:
        process = await start(sipp(tmp_path, "-sf", str(CALLS.with_name("digits.xml")), "-p", str(far), "-m", "1"))
        await asyncio.sleep(1)
        net.ms.call(LISTED[0])
        await net.heard(T.CONNECT)
        for key, response in (
            ("1", T.START_DTMF_ACKNOWLEDGE),
            ("#", T.START_DTMF_ACKNOWLEDGE),
            ("2", T.START_DTMF_REJECT),
        ):
            net.ms.heard.clear()
            net.ms.say(T.START_DTMF, keypad_facility=key)
            assert await net.heard(T.START_DTMF_ACKNOWLEDGE, T.START_DTMF_REJECT) is response
            net.ms.say(T.STOP_DTMF)
        await asyncio.sleep(0.5)
        net.ms.hang_up()
        await finish(process, tmp_path)

    play(story, far)
