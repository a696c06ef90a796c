"""A service centre in a process of its own, over TCP with the durable store: messages of a gateway, accepted and kept.

One gateway keeps 32 submit_sm without answer, to cards in turn; no HSS is there, so that each message waits. What is
asserted is that each is accepted, and there when the centre was killed; printed are the rate by the centre's processor
time (a core's, whatever else the machine does), and latencies.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import figures
from served import card, serve
from smpp_sender import Sender, drive

from simwarden.wire.smpp import Address, ShortMessage

if TYPE_CHECKING:
    from pathlib import Path

CARDS, MESSAGES, CODE = 100, 10_000, "10658000"


def _message(to: str) -> ShortMessage:
    return ShortMessage(source=Address(CODE), destination=Address(to, 0, 1), short_message=b"read your meter")


def test_accepted_and_kept(tmp_path: Path) -> None:
    cards = [card(number) for number in range(CARDS)]
    for each in cards:
        each["sections"] = {"sms": [{"by": "smsc", "numbers": [CODE]}]}
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": cards}))
    settings: dict[str, Any] = {
        "settings": {"gateways": {"gateway": {"password": "secret", "codes": [CODE]}}},
        "listen": {"SMPP": "127.0.0.1:0", "SGd": "127.0.0.1:0"},
        "store": f"sqlite:///{tmp_path / 'smsc.db'}",
        "subscribers": "cards.json",
    }
    with serve(tmp_path, "smsc", settings) as served:
        gateway = Sender(served.where["SMPP"], "gateway", "secret")
        before = served.cpu
        took = drive(gateway, MESSAGES, lambda at: _message(cards[at % CARDS]["msisdn"]))
        rate = MESSAGES / (served.cpu - before)
        served.process.kill()
        served.process.wait()
        gateway.close()
        assert served.faults() == ""
    with closing(sqlite3.connect(tmp_path / "smsc.db")) as database:
        assert database.execute("SELECT count(*) FROM messages").fetchone() == (MESSAGES,)
    p50, p99 = took[MESSAGES // 2], took[MESSAGES * 99 // 100]
    figures.tell("messages into the service centre", f"{rate:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms")
