"""Wireshark reads DTAP, and finds the values that we meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import exported
import pytest
from vectors import load

from simwarden.wire.dtap import Message, MessageType, RrCause, encode
from simwarden.wire.nas import IdentityType, MobileIdentity

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not exported.TSHARK, reason="tshark is not installed (apt install tshark)"),
]
T = MessageType
IMSI: Final = MobileIdentity(IdentityType.IMSI, "001010123456789")
OF_RR: Final = (
    Message(T.CHANNEL_RELEASE, rr_cause=RrCause.NORMAL_EVENT),
    Message(T.PAGING_REQUEST_TYPE_1, page_mode=0, channels_needed=0, mobile_identity=IMSI),
    Message(
        T.PAGING_RESPONSE,
        ciphering_key_sequence_number=7,
        mobile_station_classmark_2=b"\x30\x18\x00",
        mobile_identity=IMSI,
    ),
)
#: messages of which only Wireshark is asked
READ: Final = {each.type for each in OF_RR}
_TYPES: Final = {3: "gsm_a.dtap.msg_cc_type", 5: "gsm_a.dtap.msg_mm_type", 6: "gsm_a.dtap.msg_rr_type"}


def _messages() -> list[Message]:
    module: Any = load(Path(__file__).parents[1] / "vectors/dtap/test_pycrate.py")
    return [*(ours for ours, _, _ in module.VECTORS), *OF_RR]


def test_dtap(tmp_path: Path) -> None:
    messages = _messages()
    rows = exported.read(tmp_path / "dtap.pcap", [("gsm_a_dtap", encode(each)) for each in messages])
    for message, row in zip(messages, rows, strict=True):
        name = message.type.name
        assert "_ws.malformed" not in row, name
        assert all(int(each) < 0x600000 for each in row.get("_ws.expert.severity", ())), (name, row)
        kinds = row[_TYPES[message.type.discriminator]]
        assert [int(each, 0) for each in kinds] == [message.type & 0xFF], name
        if "mm_cause" in message:
            assert int(row["gsm_a.dtap.rej_cause"][0], 0) == message["mm_cause"], name
        if "cc_cause" in message:
            assert int(row["gsm_a.dtap.cause"][0], 0) == message["cc_cause"].value, name
        if "mobile_identity" in message:
            digits = [*row.get("e212.imsi", ()), *row.get("gsm_a.imeisv", ())]
            assert digits[0] == message["mobile_identity"].digits, name
        if "called_party_bcd_number" in message:
            assert row["gsm_a.dtap.cld_party_bcd_num"] == [message["called_party_bcd_number"].digits], name
        if "calling_party_bcd_number" in message:
            assert row["gsm_a.dtap.clg_party_bcd_num"] == [message["calling_party_bcd_number"].digits], name
