"""An SCP: dialogues from InitialDP to Connect, both ends in one process, and latencies of one that is served.

The first is by the processor time of both ends together, on links in memory: SSP and SCP encode and decode all that a
call that is let through needs (RequestReportBCSMEvent, ApplyCharging and Connect in one message). The second is by the
clock: calls begin at an even rate, whatever becomes of those before, on TCP, of cards with a quota on SQLite, so that
what each is given is committed before the answer.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import figures
from scripted_ssp import originating
from served import card, serve
from ssp_sender import SspSender
from voice_bench import IMSI, LISTED, MSISDN, VoiceBench

from simwarden.machine.tcap_events import Continued, Event
from simwarden.runtime.loop import TestbedLoop
from simwarden.wire import cap

if TYPE_CHECKING:
    from pathlib import Path

DIALOGUES, AT_ONCE = 1_500, 50
CARDS, CALLS, RATE = 50, 900, 300


def test_initial_dp_to_connect() -> None:
    async def drive() -> float:
        async with VoiceBench() as net:
            await net.provision()
            await net.dial(LISTED)  # what is loaded at the first use
            asked = originating(IMSI, LISTED, own=MSISDN)
            before, calls = time.process_time(), []
            for _ in range(DIALOGUES // AT_ONCE):
                calls += [net.ssp.ask(asked) for _ in range(AT_ONCE)]
                await net.settle()
            took = time.process_time() - before
            assert all(call.names()[-1] == "connect" for call in calls)
            return took

    best = 0.0
    for _ in range(3):
        loop = TestbedLoop(virtual=True)
        best = max(best, DIALOGUES / loop.run_until_complete(drive()))
        loop.close()
    figures.tell("calls connected by an SCP, both ends, in memory", f"{best:,.0f}/s")


def octets_of(imsi: str) -> bytes:
    return cap.CAP_USER.encode_argument(cap.INITIAL_DP, originating(imsi, LISTED))


def test_served(tmp_path: Path) -> None:
    cards = [card(number) for number in range(CARDS)]
    for each in cards:
        each["sections"] = {"voice": [{"by": "scp", "numbers": [LISTED], "quota": 100_000}]}
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": cards}))
    settings: dict[str, Any] = {
        "transport": "tcp",
        "listen": {"M3UA": "127.0.0.1:0"},
        "store": f"sqlite:///{tmp_path / 'scp.db'}",
        "subscribers": "cards.json",
    }
    asks = [octets_of(each["imsi"]) for each in cards]
    with serve(tmp_path, "scp", settings) as served, SspSender(served.where["M3UA"]) as ssp:
        one(ssp, asks[0])  # what is loaded at the first use
        before = served.cpu
        took = at_rate(ssp, asks)
        cpu = served.cpu - before
        assert served.faults() == ""
    p50, p99 = took[CALLS // 2], took[CALLS * 99 // 100]
    figures.tell(
        "a served SCP at 300 dialogues/s", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, CPU {cpu / CALLS * 1e3:.1f} ms"
    )


def one(ssp: SspSender, octets: bytes) -> None:
    dialogue, events = ssp.ask(octets), list[Event]()
    while not events:
        events = ssp.receive(30)
    ssp.report(dialogue, 0)


def at_rate(ssp: SspSender, asks: list[bytes]) -> list[float]:
    """Begin calls at an even rate; return how long each waited for its Connect in milliseconds, the shortest first."""
    begun: dict[int, float] = {}
    took: list[float] = []
    start, asked = time.perf_counter(), 0
    while len(took) < CALLS:
        due = start + asked / RATE
        if asked < CALLS and time.perf_counter() >= due:
            begun[ssp.ask(asks[asked % len(asks)])] = due
            asked += 1
            continue
        for event in ssp.receive(max(0.0, due - time.perf_counter()) if asked < CALLS else 30):
            assert isinstance(event, Continued), event
            assert getattr(event.components[-1], "opcode", None) == cap.CONNECT.opcode
            took.append((time.perf_counter() - begun.pop(event.dialogue)) * 1e3)
            ssp.report(event.dialogue, 0)
    return sorted(took)
