"""A business gateway in a process of its own, over TCP with the durable store: messages accepted and handed to an SMSC.

One platform keeps 32 submit_sm without answer. What is asserted is that each is accepted and reaches the SMSC; printed
are the rate by the gateway's processor time (a core's, whatever else the machine does), and latencies.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import figures
from business import ACCOUNTS, CODES, IMSI, provision
from served import serve
from smpp_centre import CARD, Centre
from smpp_sender import Sender, drive, message
from waiting import until

if TYPE_CHECKING:
    from pathlib import Path

MESSAGES = 10_000


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
            before = served.cpu
            took = drive(platform, MESSAGES, lambda _: message(b"read your meter"))
            assert until(lambda: len(centre.submitted) == MESSAGES)
            rate = MESSAGES / (served.cpu - before)
            platform.close()
            assert served.faults() == ""
    p50, p99 = took[MESSAGES // 2], took[MESSAGES * 99 // 100]
    figures.tell("messages through the business gateway", f"{rate:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms")
