"""A gateway in a process of its own, killed under load: what it acknowledged is not lost, and little comes twice."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from business import ACCOUNTS, CODES, IMSI, provision
from served import serve
from smpp_centre import CARD, Centre
from smpp_sender import Sender, message
from waiting import until

from simwarden.wire.smpp import Command, Pdu

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
WINDOW, BEFORE_THE_END = 32, 300


def flood(sender: Sender) -> set[bytes]:
    """Send until so many are acknowledged, with a full window behind them; return the texts of those."""
    acknowledged: set[bytes] = set()
    sent = 0
    while len(acknowledged) < BEFORE_THE_END:
        more = range(sent, len(acknowledged) + WINDOW)
        sender.send(*(Pdu(Command.SUBMIT_SM, 2 + each, 0, message(b"%d" % each)) for each in more))
        sent += len(more)
        acknowledged |= {b"%d" % (each.sequence - 2) for each in sender.receive() if each.status == 0}
    return acknowledged


def test_what_was_acknowledged_reaches_the_smsc(tmp_path: Path) -> None:
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": [provision(IMSI, CARD)]}))
    with Centre() as centre:
        settings: dict[str, Any] = {
            "settings": {"system_id": "meters", "password": "s3cret", "accounts": ACCOUNTS, "codes": CODES, "retry": 1},
            "peers": {"smsc": f"127.0.0.1:{centre.port}"},
            "listen": {"SMPP": "127.0.0.1:0", "CMPP": "127.0.0.1:0"},
            "store": f"sqlite:///{tmp_path / 'gateway.db'}",
            "subscribers": "cards.json",
        }
        with serve(tmp_path, "sms_gateway", settings) as served:
            assert until(lambda: bool(centre.binds))
            sender = Sender(served.where["SMPP"])
            acknowledged = flood(sender)
            served.process.kill()
            sender.close()
        with serve(tmp_path, "sms_gateway", settings) as served:
            assert until(lambda: acknowledged <= {each.short_message for each in centre.submitted})
            came = Counter(each.short_message for each in centre.submitted)
            # a window that the SMSC had not answered, and a window of answers that were read but not committed
            assert sum(came.values()) - len(came) <= 2 * WINDOW
            assert served.faults() == ""
