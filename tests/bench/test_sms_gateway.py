"""A business gateway in a process of its own, over TCP with the durable store: messages accepted and handed to an SMSC.

One platform keeps 32 submit_sm without answer. What is asserted is that each is accepted and reaches the SMSC; printed
are the rate by the gateway's processor time (a core's, whatever else the machine does), and latencies.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import figures
from business import ACCOUNTS, CODES, IMSI, provision
from served import Served, serve
from smpp_centre import CARD, Centre
from smpp_sender import Sender, message
from waiting import until

from simwarden.wire.smpp import Command, Pdu

if TYPE_CHECKING:
    from pathlib import Path

OUTSTANDING, MESSAGES = 32, 10_000


def drive(platform: Sender) -> list[float]:
    """Keep so many messages without answer until all have one; return what each took, in milliseconds, in order."""
    sent: dict[int, float] = {}
    took: list[float] = []
    asked = 1
    while len(took) < MESSAGES:
        room = min(OUTSTANDING - len(sent), MESSAGES + 1 - asked)
        some = [Pdu(Command.SUBMIT_SM, asked + each, 0, message(b"read your meter")) for each in range(1, room + 1)]
        asked += room
        sent |= dict.fromkeys((each.sequence for each in some), time.perf_counter())
        platform.send(*some)
        for answer in platform.receive():
            assert answer.status == 0
            took.append((time.perf_counter() - sent.pop(answer.sequence)) * 1e3)
    return sorted(took)


def cpu(served: Served) -> float:
    """Return the seconds of processor time that a process has had."""
    with open(f"/proc/{served.process.pid}/stat") as file:  # noqa: PTH123 - no path of ours
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_accepted_and_forwarded(tmp_path: Path) -> None:
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": [provision(IMSI, CARD)]}))
    settings: dict[str, Any] = {
        "settings": {"system_id": "meters", "password": "s3cret", "accounts": ACCOUNTS, "codes": CODES},
        "listen": {"SMPP": "127.0.0.1:0", "CMPP": "127.0.0.1:0"},
        "store": f"sqlite:///{tmp_path / 'gateway.db'}",
        "subscribers": "cards.json",
    }
    with Centre() as centre:
        settings["peers"] = {"smsc": f"127.0.0.1:{centre.port}"}
        with serve(tmp_path, "sms_gateway", settings) as served:
            assert until(lambda: bool(centre.binds))
            platform = Sender(served.where["SMPP"])
            before = cpu(served)
            took = drive(platform)
            assert until(lambda: len(centre.submitted) == MESSAGES)
            rate = MESSAGES / (cpu(served) - before)
            platform.close()
            assert served.faults() == ""
    p50, p99 = took[MESSAGES // 2], took[MESSAGES * 99 // 100]
    figures.tell("messages through the business gateway", f"{rate:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms")
