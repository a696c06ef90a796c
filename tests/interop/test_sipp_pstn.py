"""SIPp calls telephones of the outside world, in many spellings of their numbers, and is called by them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from sipp import CALLS, SIPP, finish, free_port, sipp, start

from simulators.pstn.config import PstnConfig
from simulators.pstn.element import Pstn
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings, Placement
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Fault, PeerFault, StateChange
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not SIPP, reason="SIPp is not installed (apt install sip-tester)"),
]
PHONES = {
    "bob": {"number": "+8613800002222", "after": 0},
    "carol": {"number": "+8613800003333", "when_called": "refuse"},
    "beijing": {"number": "01065800012", "after": 0},
}
#: how a number may be written in a URI, by the phone that it is
SPELLINGS = {
    "bob": (
        "+8613800002222",
        "008613800002222",
        "013800002222",
        "13800002222",
        "8613800002222",
        "+86-138-0000-2222",
        "+86(138)00002222",
        "+86.138.0000.2222",
        "138-0000-2222",
        "(138)0000-2222",
    ),
    "carol": ("+8613800003333", "008613800003333", "013800003333", "13800003333", "8613800003333", "138-0000-3333"),
    "beijing": ("01065800012", "+861065800012", "00861065800012", "010-6580-0012"),
}


def played(story: Callable[[Pstn, int], Awaitable[None]], far: int = 9) -> list[Any]:
    """Play a story with the outside world at a port; return what it observed. Nobody has a fault."""
    port = free_port()
    loop = TestbedLoop(virtual=False)
    clock = Clock(loop)
    places = {"pstn": Placement(listen={"SIP": ("127.0.0.1", port)})}
    external = {"ssp": {"SIP": ("127.0.0.1", far)}}
    host = Host(loop, clock, Trace(clock.now), HostSettings(transport="udp", placements=places, external=external))
    pstn = host.add("pstn", Pstn, PstnConfig.model_validate({"phones": PHONES}))

    async def run() -> None:
        await host.start("pstn")
        await story(pstn, port)
        await host.close()

    loop.run_until_complete(run())
    loop.close()
    assert not [each for each in host.trace.events if isinstance(each, (Fault, PeerFault))]
    return [each for each in host.trace.events if isinstance(each, StateChange)]


def test_sipp_calls_phones_in_many_spellings(tmp_path: Path) -> None:
    numbers = [each for of in SPELLINGS.values() for each in of]
    file = tmp_path / "calls.csv"
    file.write_text("SEQUENTIAL\n" + "".join(f"sip:+8614400000001@127.0.0.1;{each}\n" for each in numbers))
    count = str(len(numbers))

    async def story(_pstn: Pstn, port: int) -> None:
        command = sipp(tmp_path, "-sf", str(CALLS), "-inf", str(file), "-m", count, "-l", "1", f"127.0.0.1:{port}")
        await finish(await start(command), tmp_path)

    seen = played(story)
    invited = [each.value for each in seen if each.observable == "invited"]
    assert [each["phone"] for each in invited] == [name for name, of in SPELLINGS.items() for _ in of]
    assert {each["caller"] for each in invited} == {"+8614400000001"}
    ends = [each.value["state"] for each in seen if each.observable == "call"]
    answered = len(SPELLINGS["bob"]) + len(SPELLINGS["beijing"])
    assert (ends.count("connected"), ends.count("released")) == (answered, answered)


def test_phones_call_sipp(tmp_path: Path) -> None:
    far = free_port()

    async def story(pstn: Pstn, _port: int) -> None:
        process = await start(sipp(tmp_path, "-sn", "uas", "-p", str(far), "-m", "3"))
        await asyncio.sleep(1)
        for more in ({}, {"shown": "+8613800003333"}, {"withheld": True}):
            body = {"pstn": "pstn", "phone": "bob", "to": "8614400000001", "talks": 0.05, **more}
            assert await asyncio.wait_for(pstn.manage_for("test", "POST", "/verbs/call", body), 30) == "released"
        await finish(process, tmp_path)

    ends = [each.value for each in played(story, far) if each.observable == "call"]
    assert [each["state"] for each in ends].count("connected") == 3
    assert ends[-1]["cause"] == 16
