"""An SCP that is killed while it gives calls time: what it has given is never given again."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from scripted_ssp import originating
from served import Served, card, serve
from ssp_sender import SspSender
from voice_bench import LISTED

from simwarden.machine.tcap_events import Continued, Ended
from simwarden.policy.calls import TENTHS_A_MINUTE
from simwarden.wire import cap
from simwarden.wire.tcap import Invoke

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
QUOTA, SUPERVISION, ROUNDS, AT_ONCE = 20, 6.0, 2, 8


class Ledger:
    """What an SSP knows of the time that it was given, in units of 100 ms."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        #: given and not reported, by dialogue; what was reported; calls that were refused
        self.held: dict[int, int] = {}
        self.lost = self.reported = self.refused = 0

    @property
    def given(self) -> int:
        """All that calls may have lasted."""
        return sum(self.held.values()) + self.lost + self.reported

    def crashed(self) -> None:
        """Take what is held as used: nobody will hear of it."""
        self.lost += sum(self.held.values())
        self.held.clear()

    def take(self, ssp: SspSender, timeout: float) -> int:
        """Take answers; return how many."""
        events = [each for each in ssp.receive(timeout) if isinstance(each, Continued | Ended)]
        for event in events:
            time = _given(event)
            if time is not None:
                self.held[event.dialogue] = time
            elif isinstance(event, Ended):
                self.refused += 1
        return len(events)

    def report(self, ssp: SspSender) -> None:
        """End a call, which has used some of its time."""
        dialogue = self.rng.choice(list(self.held))
        used = self.rng.randrange(self.held.pop(dialogue) + 1)
        self.reported += used
        ssp.report(dialogue, used)


def _given(event: Continued | Ended) -> int | None:
    for each in event.components:
        if isinstance(each, Invoke) and each.opcode == cap.APPLY_CHARGING.opcode:
            _, argument = cap.decode_invoke(each)
            found: int = argument.time_duration_charging.max_call_period_duration
            return found
    return None


def talk(ssp: SspSender, ledger: Ledger, octets: bytes, calls: int) -> None:
    """Have calls, several at a time."""
    waiting = 0
    for _ in range(calls):
        ssp.ask(octets)
        waiting += 1
        while waiting >= AT_ONCE:
            waiting -= ledger.take(ssp, 30)
        if ledger.held and ledger.rng.random() < 0.7:
            ledger.report(ssp)
    # what still waits may be lost with the process


def used(database: Path, imsi: str) -> int:
    with closing(sqlite3.connect(database)) as found:
        row = found.execute("SELECT used FROM counters WHERE imsi = ?", (imsi,)).fetchone()
    return int(row[0]) if row else 0


def test_nothing_is_given_twice(tmp_path: Path) -> None:
    one = card(1) | {"sections": {"voice": [{"by": "scp", "numbers": [LISTED], "quota": QUOTA}]}}
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": [one]}))
    settings: dict[str, Any] = {
        "transport": "tcp",
        "listen": {"M3UA": "127.0.0.1:0"},
        "settings": {"supervision": SUPERVISION},
        "store": f"sqlite:///{tmp_path / 'scp.db'}",
        "subscribers": "cards.json",
    }
    ledger, octets = Ledger(1), cap.CAP_USER.encode_argument(cap.INITIAL_DP, originating(one["imsi"], LISTED))
    for _ in range(ROUNDS):
        with serve(tmp_path, "scp", settings) as served, SspSender(served.where["M3UA"]) as ssp:
            talk(ssp, ledger, octets, 40)
            kill(served, ssp, ledger)
        # reports that were on their way may be lost, and then all that their calls were given is used
        assert ledger.given <= used(tmp_path / "scp.db", one["imsi"]) <= QUOTA * TENTHS_A_MINUTE
    with serve(tmp_path, "scp", settings) as served, SspSender(served.where["M3UA"]) as ssp:
        while not ledger.refused:
            ssp.ask(octets)
            ledger.take(ssp, 30)
        assert ledger.given <= QUOTA * TENTHS_A_MINUTE
        assert served.faults() == ""


def kill(served: Served, ssp: SspSender, ledger: Ledger) -> None:
    """Kill it, and take what it has said before."""
    served.process.kill()
    served.process.wait()
    assert served.faults() == ""
    with suppress(ConnectionError):
        while True:
            ledger.take(ssp, 1)
    ledger.crashed()
