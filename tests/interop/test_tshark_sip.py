"""Wireshark reads SIP and what is in it, and finds the values that we meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import exported
import pytest
from sip_messages import MESSAGES

from simwarden.wire import sip

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not exported.TSHARK, reason="tshark is not installed (apt install tshark)"),
]
#: messages of which Wireshark is asked: all
READ: Final = {name.partition(",")[0] for name in MESSAGES}


def test_sip(tmp_path: Path) -> None:
    rows = exported.read(tmp_path / "sip.pcap", [("sip", sip.encode(each)) for each in MESSAGES.values()])
    for (name, message), row in zip(MESSAGES.items(), rows, strict=True):
        assert "_ws.malformed" not in row, name
        assert all(int(each) < 0x600000 for each in row.get("_ws.expert.severity", ())), (name, row)
        if isinstance(message, sip.Request):
            assert row["sip.Method"] == [message.method], name
            assert row["sip.r-uri"] == [message.uri], name
        else:
            assert row["sip.Status-Code"] == [str(message.status)], name
        assert row["sip.Call-ID"] == [message.call_id], name
        assert row["sip.CSeq.seq"] == [str(message.cseq.number)], name
        assert row["sip.from.user"] == ["+8614400000017"], name
        assert row.get("sip.to.tag", [""]) == [message.to.tag], name
    invite = dict(zip(MESSAGES, rows, strict=True))["invite"]
    assert invite["sdp.media.port"] == ["4000"]
    assert invite["sip.pai.user"] == ["+8614400000017"]
    refused = dict(zip(MESSAGES, rows, strict=True))["invite-response"]
    assert refused["sip.reason_cause_q850"] == ["21"]
    digit = dict(zip(MESSAGES, rows, strict=True))["info"]
    assert digit["sip.Content-Type"] == ["application/dtmf-relay"]
    assert bytes.fromhex(digit["sip.msg_body"][0].replace(":", "")) == b"Signal=5\r\nDuration=100\r\n"
    assert dict(zip(MESSAGES, rows, strict=True))["info-response"]["sip.Recv-Info"] == [""]
